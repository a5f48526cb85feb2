import { html } from '../lib/preact.mjs';
import { t } from '../words.mjs';

export function TakeAway() {
  return html`<section class="sheet takeaway" aria-labelledby="h-takeaway"><h2 id="h-takeaway">${t('page.takeaway')}</h2></section>`;
}

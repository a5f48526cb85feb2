import { html } from '../lib/preact.mjs';
import { t } from '../words.mjs';

export function Held() {
  return html`<section class="sheet held" aria-labelledby="h-held"><h2 id="h-held">${t('page.held')}</h2></section>`;
}

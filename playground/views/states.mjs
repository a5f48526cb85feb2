import { html } from '../lib/preact.mjs';
import { t } from '../words.mjs';

export function States() {
  return html`<section class="sheet states" aria-labelledby="h-states"><h2 id="h-states">${t('page.states')}</h2></section>`;
}

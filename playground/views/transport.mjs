import { html } from '../lib/preact.mjs';
import { t } from '../words.mjs';

export function Transport() {
  return html`<section class="sheet transport" aria-labelledby="h-transport"><h2 id="h-transport">${t('page.transport')}</h2></section>`;
}

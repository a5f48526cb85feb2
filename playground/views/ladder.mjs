import { html } from '../lib/preact.mjs';
import { t } from '../words.mjs';

export function Ladder() {
  return html`<section class="sheet ladder" aria-labelledby="h-ladder"><h2 id="h-ladder">${t('page.ladder')}</h2></section>`;
}

import { html } from '../lib/preact.mjs';
import { t } from '../words.mjs';

export function Table() {
  return html`<section class="sheet table" aria-labelledby="h-table"><h2 id="h-table">${t('page.table')}</h2></section>`;
}

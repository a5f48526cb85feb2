import { html } from '../lib/preact.mjs';
import { t } from '../words.mjs';

export function Graphs() {
  return html`<section class="sheet graphs" aria-labelledby="h-graphs"><h2 id="h-graphs">${t('page.graphs')}</h2></section>`;
}

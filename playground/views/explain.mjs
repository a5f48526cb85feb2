import { html } from '../lib/preact.mjs';
import { t } from '../words.mjs';

export function Explain() {
  return html`<section class="sheet explain" aria-labelledby="h-explain"><h2 id="h-explain">${t('page.explain')}</h2></section>`;
}

import { html } from '../lib/preact.mjs';
import { t } from '../words.mjs';

export function Compare() {
  return html`<section class="sheet compare" aria-labelledby="h-compare"><h2 id="h-compare">${t('page.compare')}</h2></section>`;
}

import { html } from '../lib/preact.mjs';
import { t } from '../words.mjs';

export function Knowledge() {
  return html`<section class="sheet knowledge" aria-labelledby="h-knowledge"><h2 id="h-knowledge">${t('page.knowledge')}</h2></section>`;
}

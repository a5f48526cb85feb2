import { html } from '../lib/preact.mjs';
import { t } from '../words.mjs';

export function Inspector() {
  return html`<section class="sheet inspector" aria-labelledby="h-inspector"><h2 id="h-inspector">${t('page.inspector')}</h2></section>`;
}

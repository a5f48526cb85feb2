import { html } from '../lib/preact.mjs';
import { t } from '../words.mjs';

export function Network() {
  return html`<section class="sheet network" aria-labelledby="h-network"><h2 id="h-network">${t('page.network')}</h2></section>`;
}

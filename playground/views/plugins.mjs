import { html } from '../lib/preact.mjs';
import { t } from '../words.mjs';

export function Plugins() {
  return html`<section class="sheet plugins" aria-labelledby="h-plugins"><h2 id="h-plugins">${t('page.plugins')}</h2></section>`;
}

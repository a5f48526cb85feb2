import { html } from '../lib/preact.mjs';
import { t } from '../words.mjs';

export function Lessons() {
  return html`<section class="sheet lessons" aria-labelledby="h-lessons"><h2 id="h-lessons">${t('page.lessons')}</h2></section>`;
}

// Explain: a word, in the words that "tcpkit explain" has.
import { html, useState, useMemo } from '../lib/preact.mjs';
import { open } from '../store.mjs';
import { t, lang, catalogue } from '../words.mjs';
import { topics, search, byKey } from '../topics.mjs';

const begins = {
  en: ['TIME-WAIT', 'SYN', 'half-open', 'half-closed', 'sack', 'rto', 'C8'],
  zh: ['TIME-WAIT', '同步已发送', '半打开', '半关闭', '选择确认', '重传超时', 'C8'],
};

export function Explain() {
  const [word, ask] = useState('');
  const all = useMemo(() => topics(catalogue.value, lang.value), [catalogue.value, lang.value]);
  const others = useMemo(() => byKey(topics(catalogue.value, lang.value === 'en' ? 'zh' : 'en')), [catalogue.value, lang.value]);
  const found = search(all, others, word);
  return html`<section class="sheet explain" aria-labelledby="h-explain"><h2 id="h-explain">${t('page.explain')}</h2>
    <label>${t('panels.explain.word')} <input type="search" value=${word} maxlength="60" autocomplete="off" spellcheck="false" placeholder="TIME-WAIT"
      onInput=${(e) => ask(e.currentTarget.value)} /></label>
    ${word === '' && html`<p class="row faint">${t('panels.explain.such-as')} ${begins[lang.value].map((one) => html`<button key=${one} class="link" onClick=${() => ask(one)}>${one}</button>`)}</p>`}
    <p class="sr" role="status">${word === '' ? '' : t('panels.explain.found', { n: found.length })}</p>
    ${word !== '' && found.length === 0 && html`<p class="quiet">${t('panels.explain.nothing', { word })}</p>`}
    <dl class="explain-list">${found.map((topic) => html`<${Entry} key=${topic.kind + topic.id} topic=${topic} />`)}</dl>
  </section>`;
}

function Entry({ topic }) {
  return html`<div class="explain-entry">
    <dt><strong>${topic.kind === 'claim' ? t('panels.explain.claim') : topic.id}</strong>
      ${topic.name && topic.kind !== 'claim' ? html` <span class="quiet">${topic.name}</span>` : null}
      <span class="chip">${t('panels.kind.' + topic.kind)}</span> ${topic.cite && html`<span class="faint">${topic.cite}</span>`}
      ${topic.kind === 'scenario' && html`<button class="link" onClick=${() => open(topic.id)}>${t('panels.explain.run')}</button>`}</dt>
    ${topic.kind === 'claim' && html`<dd class="quiet">“${topic.name}”</dd>`}
    <dd>${topic.kind === 'claim' && html`<strong>${t('panels.explain.precise')}</strong> `}${topic.text}</dd>
  </div>`;
}

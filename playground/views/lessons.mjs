// The lessons: the scenarios in an order that teaches, and the story of the one on show.
import { html } from '../lib/preact.mjs';
import * as store from '../store.mjs';
import { t, has, catalogue, lang } from '../words.mjs';
import { read, plainID } from '../scenario.mjs';
import { Copy } from './copy.mjs';
import { aloneAs } from './facts.mjs';

/** begin opens a scenario from its beginning; a what-if comes beside the real one. */
export function begin(id) {
  const scenario = catalogue.value.scenarios.find((s) => s.id === id);
  store.open(id);
  if (scenario?.compare && scenario.compare !== id) store.compare(scenario.compare);
  document.getElementById('story')?.scrollIntoView({ block: 'nearest' });
}

export function Lessons() {
  const { chapters = [], scenarios } = catalogue.value;
  const now = store.run.value?.id;
  const names = [...new Set([...chapters, ...scenarios.map((s) => s.chapter ?? 'more')])];
  const groups = names.map((chapter) => [chapter, scenarios.filter((s) => (s.chapter ?? 'more') === chapter)]).filter(([, list]) => list.length);
  return html`<nav class="sheet lessons" aria-labelledby="h-lessons">
    <h2 id="h-lessons">${t('page.lessons')}</h2>
    <details class="lessons-all" open=${!store.tight.value}><summary>${t('page.lessons')} <span class="quiet">${titleOf(now)}</span></summary><div class="chapters">
    ${groups.map(([chapter, list]) => {
      const here = list.some((s) => s.id === now);
      return html`<details key=${chapter} open=${here}>
        <summary>${has('chapter.' + chapter) ? t('chapter.' + chapter) : t('page.more')} <span class="faint num">${list.length}</span></summary>
        <ol>${list.map((s) => html`<li key=${s.id} class=${s.compare && s.compare !== s.id ? 'what-if' : ''}>
          <a href=${'#s=' + s.id} aria-current=${s.id === now ? 'page' : undefined} onClick=${(e) => { e.preventDefault(); e.currentTarget.closest('.lessons-all').open = !store.tight.value; begin(s.id); }}>
            <span class="lesson-id num">${s.id.split('-')[0]}</span><span>${titleOf(s.id)}</span></a></li>`)}</ol>
      </details>`;
    })}</div></details>
  </nav>`;
}

/** titleOf is the title of a scenario, its id where it has none. */
export function titleOf(id) {
  return has(id + '.title') ? t(id + '.title') : id ?? '';
}

/** Story is the question of the learner, the sentence of this moment, and what is often said wrongly. */
export function Story() {
  const run = store.run.value;
  store.version.value;
  if (!run) return null;
  const list = read(run.text, run.extra).says;
  const scenario = catalogue.value.scenarios.find((s) => s.id === run.id);
  const state = store.state.value;
  const said = state.said >= 0 ? run.line.items[state.said] : null;
  const sentence = said && list[said.id];
  const place = said ? run.line.says.indexOf(said.i) + 1 : 0;
  const total = run.line.says.length;
  const lessons = catalogue.value.scenarios.filter((s) => s.chapter);
  const next = lessons[lessons.indexOf(scenario) + 1];
  const question = has(run.id + '.question') ? t(run.id + '.question') : '';
  return html`<article class=${`sheet story${place ? ' told' : ''}`} id="story" aria-labelledby="h-story">
    <div class="row story-id"><p><span class="num">${run.id}</span> ${titleOf(run.id)}</p><span class="spring"></span>
      <label><input type="checkbox" checked=${store.plain.value} onChange=${(e) => { store.plain.value = e.target.checked; }}/>${t('page.plain-words')}</label></div>
    <h1 id="h-story">${question || titleOf(run.id)}</h1>
    <div class="sentence" aria-live="polite">
      ${sentence ? html`<p key=${place}>${sentenceOf(sentence)}</p>` : html`<p key="0" class="quiet">${has(run.id + '.summary') ? t(run.id + '.summary') : t('page.press-play')}</p>`}
    </div>
    <${Signs} state=${state} run=${run}/>
    <div class="row story-steps">
      <button disabled=${!place} onClick=${() => store.step('say', -1)}>${t('page.said-before')}</button>
      ${total > 0 && place >= total && run.ended && next ? html`<button class="strong" title=${titleOf(next.id)} onClick=${() => begin(next.id)}>${t('page.next-lesson')}</button>`
        : html`<button class=${place ? 'strong' : ''} disabled=${place >= total} onClick=${() => store.step('say', 1)}>${t('page.said-next')}</button>`}
      <span class="faint num" aria-label=${t('page.said-place', { place, total })}>${place} / ${total}</span>
      ${sentence?.filter && html`<${Filter} ...${sentence}/>`}
    </div>
    <div class="more">
    ${scenario?.corrects?.length > 0 && html`<details class="corrections"><summary>${t('page.corrections', { n: scenario.corrects.length })}</summary>
      <dl>${scenario.corrects.map((id) => html`<div key=${id}><dt><span class="faint num">${id}</span> <q>${t(id + '.claim')}</q></dt><dd><strong>${t('page.precisely')}</strong> ${t(id + '.precise')}</dd></div>`)}</dl></details>`}
    <${Others} run=${run} scenario=${scenario}/></div>
  </article>`;
}

// Filter is what finds a sentence's segment in Wireshark.
function Filter({ filter, rows, at }) {
  return html`<div class="filter"><span class="faint">${t('page.wireshark')}</span><code tabindex="0" title=${filter}>${filter}</code>
    <span class="faint rows">${[rows && t('page.rows', { rows }), at && t('page.seen-at', { host: at })].filter(Boolean).join(' ')}</span><${Copy} text=${filter}/></div>`;
}

// Signs are what has gone wrong by now: connections that one end alone believes in, octets
// that nobody has written, rules that were broken.
function Signs({ state, run }) {
  const signs = [];
  for (const host of state.hosts) if (host.mem.ghosts > 0) signs.push(t(`page.${aloneAs(host)}`, { host: host.name, n: host.mem.ghosts }));
  for (const [f, flow] of Object.entries(state.flows)) {
    flow.wrong.forEach((wrong, who) => {
      if (wrong) signs.push(t('page.wrong-octets', { host: run.header.hosts[run.header.flows?.[f]?.hosts[who] ?? who]?.name ?? '' }));
    });
  }
  if (state.wrong > 0) signs.push(t('page.broken', { n: state.wrong }));
  return html`<p class="row signs" role="status">${signs.map((sign) => html`<span class="chip wrong" key=${sign}>${sign}</span>`)}</p>`;
}

function sentenceOf({ id }) {
  lang.value; // a new language is a new text
  return store.plain.value && has(plainID(id)) ? t(plainID(id)) : t(id);
}

// Others leads to the what-ifs of a scenario, and from one back to real TCP.
function Others({ run, scenario }) {
  const { scenarios } = catalogue.value;
  const others = scenarios.filter((s) => s.id !== run.id && s.id !== store.other.value?.id && (s.compare === run.id || (scenario?.compare && s.id === scenario.compare)));
  if (!others.length) return null;
  return html`<p class="row others"><span class="faint">${t('page.beside')}</span>
    ${others.map((s) => html`<button key=${s.id} class="other" onClick=${() => { store.compare(s.id); }}>${titleOf(s.id)}</button>`)}</p>`;
}

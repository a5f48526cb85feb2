// The page: its frame, and what starts it.
import { html, render, effect, useErrorBoundary } from './lib/preact.mjs';
import * as store from './store.mjs';
import { t, lang, catalogue } from './words.mjs';
import { Transport } from './views/transport.mjs';
import { Lessons } from './views/lessons.mjs';
import { Ladder } from './views/ladder.mjs';
import { Inspector } from './views/inspector.mjs';
import { States } from './views/states.mjs';
import { Knowledge } from './views/knowledge.mjs';
import { Held } from './views/held.mjs';
import { Graphs } from './views/graphs.mjs';
import { Table } from './views/table.mjs';
import { Network } from './views/network.mjs';
import { Plugins } from './views/plugins.mjs';
import { Compare } from './views/compare.mjs';
import { TakeAway } from './views/takeaway.mjs';
import { Explain } from './views/explain.mjs';

// Beside the ladder, and below it.
const panels = [['segment', Inspector], ['states', States], ['knowledge', Knowledge], ['held', Held]];
const benches = [['graphs', Graphs], ['table', Table], ['network', Network], ['plugins', Plugins], ['compare', Compare], ['takeaway', TakeAway], ['explain', Explain]];

// Guard keeps a fault in one view from taking the page with it.
function Guard({ name, children }) {
  const [error, again] = useErrorBoundary((e) => console.error(name, e));
  if (!error) return children;
  return html`<section class="sheet" role="alert"><p class="is-wrong">${t('page.view-failed', { name: t('page.' + name), why: error.message })}</p>
    <button onClick=${again}>${t('page.try-again')}</button></section>`;
}

function Tabs({ list, chosen, label }) {
  const move = (event) => {
    const dir = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!dir) return;
    const names = list.map(([name]) => name);
    chosen.value = names[(names.indexOf(chosen.value) + dir + names.length) % names.length];
    event.preventDefault();
    event.stopPropagation();
    event.currentTarget.querySelector(`[data-tab="${chosen.value}"]`)?.focus();
  };
  const [name, View] = list.find(([candidate]) => candidate === chosen.value) ?? list[0];
  return html`<div class="stack">
    <div class="tabs" role="tablist" aria-label=${label} onKeyDown=${move}>
      ${list.map(([tab]) => html`<button key=${tab} role="tab" data-tab=${tab} id=${'tab-' + tab} aria-selected=${tab === name} aria-controls=${'panel-' + tab}
        tabindex=${tab === name ? 0 : -1} onClick=${() => { chosen.value = tab; }}>${t('page.' + tab)}</button>`)}
    </div>
    <div role="tabpanel" id=${'panel-' + name} aria-labelledby=${'tab-' + name}><${Guard} key=${name} name=${name}><${View}/><//></div>
  </div>`;
}

function App() {
  return html`<div class="frame">
    <header class="masthead"><p class="brand"><span class="brand-a">tcp</span><span class="brand-b">kit</span></p><span class="spring"></span></header>
    <main class="desk">
      <div class="aside lessons-column"><${Guard} name="lessons"><${Lessons}/><//></div>
      <div class="figure"><${Guard} name="ladder"><${Ladder}/><//><${Tabs} list=${benches} chosen=${store.bench} label=${t('page.benches')}/></div>
      <div class="aside"><${Tabs} list=${panels} chosen=${store.panel} label=${t('page.panels')}/></div>
    </main>
    <footer class="transport"><${Guard} name="transport"><${Transport}/><//></footer>
  </div>`;
}

effect(() => {
  document.documentElement.lang = lang.value === 'zh' ? 'zh-Hans' : 'en';
});
effect(() => {
  document.getElementById('dark').media = { light: 'not all', dark: 'all' }[store.theme.value] ?? '(prefers-color-scheme: dark)';
});

async function begin() {
  const response = await fetch('catalogue.json');
  catalogue.value = await response.json();
  const root = document.getElementById('app');
  root.replaceChildren();
  root.className = '';
  render(html`<${App}/>`, root);
  if (new URLSearchParams(location.search).has('fixture')) await fixture();
}

// The hand-made timeline of the tests, while there is no engine: ?fixture
async function fixture() {
  const made = await (await fetch('test/fixture-h1.json')).json();
  store.openText('H1', made.text);
  const key = store.shown.value;
  store.heard.header(key, made.header);
  store.heard.items(key, made.items);
  store.heard.ended(key, { hash: made.hash, checks: [], steps: made.steps });
}

begin();

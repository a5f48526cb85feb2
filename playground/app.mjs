// The page: its frame, its keys, and what starts it.
import { html, render, effect, useErrorBoundary, useEffect, useRef } from './lib/preact.mjs';
import * as store from './store.mjs';
import { t, has, lang, catalogue } from './words.mjs';
import { Engine } from './engine.mjs';
import { parse } from './link.mjs';
import { keys, press } from './keys.mjs';
import { Transport } from './views/transport.mjs';
import { Lessons, Story, begin } from './views/lessons.mjs';
import { Ladder } from './views/ladder.mjs';
import { Inspector } from './views/inspector.mjs';
import { States } from './views/states.mjs';
import { Knowledge } from './views/knowledge.mjs';
import { Held } from './views/held.mjs';
import { Gauges } from './views/gauges.mjs';
import { Graphs } from './views/graphs.mjs';
import { Table } from './views/table.mjs';
import { Network } from './views/network.mjs';
import { Plugins } from './views/plugins.mjs';
import { Compare } from './views/compare.mjs';
import { TakeAway } from './views/takeaway.mjs';
import { Explain } from './views/explain.mjs';
import { useFocusKept } from './views/focus.mjs';

// What shows each of store.panels.
const views = {
  states: States, segment: Inspector, knowledge: Knowledge, held: Held, gauges: Gauges, graphs: Graphs, table: Table, network: Network, plugins: Plugins,
  compare: Compare, takeaway: TakeAway, explain: Explain,
};
const COLUMNS = 6; // of the tabs, for the arrow keys up and down

// Guard keeps a fault in one view from taking the page with it.
function Guard({ name, children }) {
  const [error, again] = useErrorBoundary((e) => console.error(name, e));
  if (!error) return children;
  return html`<section class="sheet" role="alert"><p class="is-wrong">${t('page.view-failed', { name: t('page.' + name), why: error.message })}</p>
    <button onClick=${again}>${t('page.try-again')}</button></section>`;
}

// Cabinet has the panels behind tabs.
function Cabinet() {
  const { panels, panel } = store;
  const move = (event) => {
    const dir = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: COLUMNS, ArrowUp: -COLUMNS }[event.key];
    if (!dir) return;
    panel.value = panels[(panels.indexOf(panel.value) + dir + panels.length) % panels.length];
    event.preventDefault();
    event.stopPropagation();
    event.currentTarget.querySelector(`[data-tab="${panel.value}"]`)?.focus();
  };
  const name = panel.value;
  return html`<div class="cabinet">
    <div class="tabs" role="tablist" aria-label=${t('page.panels')} onKeyDown=${move}>
      ${panels.map((tab) => html`<button key=${tab} role="tab" data-tab=${tab} id=${'tab-' + tab} aria-selected=${tab === name} aria-controls=${tab === name ? 'panel-' + tab : undefined}
        tabindex=${tab === name ? 0 : -1} onClick=${() => { panel.value = tab; }}>${t('page.' + tab)}</button>`)}
    </div>
    <div role="tabpanel" id=${'panel-' + name} aria-labelledby=${'tab-' + name}><${Guard} key=${name} name=${name}><${views[name]}/><//></div>
  </div>`;
}

function Masthead() {
  store.version.value;
  const run = store.run.value;
  const { phase, done, total, message } = store.engine.value;
  const themes = ['auto', 'light', 'dark'];
  return html`<header class="masthead">
    <a class="brand" href="#" aria-label="tcpkit" onClick=${(e) => { e.preventDefault(); begin(first()); }}><span class="brand-a">tcp</span><span class="brand-b">kit</span></a>
    <span class="engine ${phase}"><span role="status">${phase === 'ready' ? (run && !run.ended && !run.error ? t('page.running') : '') : phase === 'failed' ? '' : t('page.engine-' + phase)}</span>
      ${phase === 'ready' && run?.ended && html`<span class="faint">${t('page.hash')}</span> <code class="hash">${run.hash}</code>`}
      ${phase !== 'ready' && phase !== 'failed' && html`<progress aria-label=${t('page.engine-' + phase)} value=${total ? done : undefined} max=${total || undefined}></progress>`}</span>
    <span class="spring"></span>
    <div class="row" role="group" aria-label=${t('page.language')}>
      ${[['en', 'EN', 'English'], ['zh', '中文', '中文']].map(([code, word, name]) => html`<button key=${code} class="plain" lang=${code} title=${name} aria-pressed=${lang.value === code} onClick=${() => { lang.value = code; }}>${word}</button>`)}
    </div>
    <button class="plain theme" aria-label=${t('page.theme') + ': ' + t('page.theme-' + store.theme.value)} title=${t('page.theme') + ': ' + t('page.theme-' + store.theme.value)}
      onClick=${() => { store.theme.value = themes[(themes.indexOf(store.theme.value) + 1) % 3]; }}>${{ auto: '◐', light: '☀', dark: '☾' }[store.theme.value]}</button>
    <button class="plain" aria-label=${t('page.help')} title=${t('page.help')} aria-keyshortcuts="?" onClick=${() => { store.dialog.value = 'help'; }}>?</button>
    ${phase === 'failed' && html`<p class="notice wrong engine-failed" role="alert"><span>${t('page.engine-failed')} ${message}</span><button onClick=${() => engine.restart()}>${t('page.try-again')}</button></p>`}
  </header>`;
}

function Notices() {
  store.version.value;
  const box = useFocusKept();
  return html`<div ref=${box} tabindex="-1" class="notices" role="status">${store.notices.value.map(({ id, kind, text, act }) => html`<p class=${'notice ' + kind} key=${id}>
    <span>${typeof text === 'string' ? text : t(text.id, text.values)} ${act && html`<button onClick=${act.run}>${t(act.id)}</button>`}</span>
    <button class="plain" aria-label=${t('page.dismiss')} onClick=${() => store.dismiss(id)}>×</button></p>`)}
    ${store.run.value?.error && store.run.value.error.message && html`<p class="notice wrong" role="alert"><span>${t('page.run-failed')} <code>${store.run.value.error.message}</code></span>
      ${store.run.value.before?.length ? html`<button onClick=${store.undo}>${t('page.undo')}</button>` : ''}</p>`}</div>`;
}

// Help is what the keys do.
function Help() {
  const ref = useRef(null);
  const open = store.dialog.value === 'help';
  useEffect(() => {
    if (open && !ref.current.open) ref.current.showModal();
    if (!open && ref.current.open) ref.current.close();
  }, [open]);
  return html`<dialog ref=${ref} aria-labelledby="h-help" onClose=${() => { store.dialog.value = ''; }}>
    <h2 id="h-help" tabindex="-1" autofocus>${t('page.help')}</h2>
    <p class="quiet">${t('page.help-intro')}</p>
    <table><tbody>${keys.map(({ shown, does, each }) => html`<tr key=${does}><td>${shown.map((key) => html`<kbd key=${key}>${has('page.key-' + key) ? t('page.key-' + key) : key}</kbd> `)}</td><td>${t('page.does-' + does)}${each?.map(([key, name]) => html` <span class="faint" key=${name}><kbd>${key}</kbd> ${t('page.' + name)}</span>`)}</td></tr>`)}</tbody></table>
    <p><label><input type="checkbox" checked=${store.letters.value} onChange=${(e) => { store.letters.value = e.target.checked; }}/>${t('page.letters')}</label></p>
    <p class="row"><button class="strong" onClick=${() => { store.dialog.value = ''; }}>${t('page.close')}</button></p>
  </dialog>`;
}

function App() {
  return html`<div class="frame">
    <a class="skip" href="#stage" onClick=${(e) => { e.preventDefault(); document.getElementById('stage').focus(); }}>${t('page.skip')}</a>
    <${Masthead}/>
    <div class=${'desk' + (store.tight.value ? ' tight' : '')}>
      <div class="aside lessons-column"><${Guard} name="lessons"><${Lessons}/><//></div>
      <main class="figure" id="stage" tabindex="-1" aria-label=${t('page.ladder')}>
        <${Notices}/>
        <${Guard} name="lessons"><${Story}/><//>
        <${Guard} name="ladder"><${Ladder}/><//>
      </main>
      <aside class="aside panels-column" aria-label=${t('page.panels')}><${Cabinet}/></aside>
    </div>
    <footer class="transport"><${Guard} name="transport"><${Transport}/><//></footer>
    <${Help}/>
  </div>`;
}

const engine = new Engine(store.heard, { fetchPlugin: store.pluginFile });

// The scenario that a newcomer sees.
function first() {
  return catalogue.value.scenarios.find((s) => s.id === 'H1')?.id ?? catalogue.value.scenarios[0]?.id;
}

// follow shows what the address asks for, and the first scenario where it asks for nothing.
function follow() {
  const { link, error } = parse(location.hash);
  if (link?.lang) lang.value = link.lang;
  if (link?.plain) store.plain.value = true;
  if (error) store.notice('wrong', { id: error });
  if (link && store.open(link.s, link.x, { i: link.i })) {
    if (link.b && !store.compare(link.b, link.bx)) store.notice('wrong', { id: 'page.link-unknown', values: { id: link.b } });
    return;
  }
  if (link) store.notice('wrong', { id: 'page.link-unknown', values: { id: link.s } });
  if (!store.run.value) begin(first());
}

// What the user chose stays for the next visit.
const kept = {
  get(name, among) {
    try {
      const value = localStorage.getItem('tcpkit.' + name);
      return among.includes(value) ? value : null;
    } catch {
      return null; // storage may be forbidden
    }
  },
  set(name, value) {
    try {
      localStorage.setItem('tcpkit.' + name, value);
    } catch { /* it lasts for this visit */ }
  },
};

function choices() {
  lang.value = kept.get('lang', ['en', 'zh']) ?? (navigator.language?.startsWith('zh') ? 'zh' : 'en');
  store.theme.value = kept.get('theme', ['auto', 'light', 'dark']) ?? 'auto';
  store.letters.value = kept.get('letters', ['on', 'off']) !== 'off';
  effect(() => {
    document.documentElement.lang = lang.value === 'zh' ? 'zh-Hans' : 'en';
    kept.set('lang', lang.value);
  });
  effect(() => {
    document.getElementById('dark').media = { light: 'not all', dark: 'all' }[store.theme.value] ?? '(prefers-color-scheme: dark)';
    kept.set('theme', store.theme.value);
  });
  effect(() => { kept.set('letters', store.letters.value ? 'on' : 'off'); });
}

// While it plays, each frame lets time pass.
function runClock() {
  let before = 0;
  let next = 0;
  const frame = (at) => {
    next = requestAnimationFrame(frame);
    store.tick(Math.max(0, Math.min(100, at - before)) * 1e6); // a frame may have begun before play was pressed
    before = at;
  };
  effect(() => {
    cancelAnimationFrame(next);
    if (!store.playing.value) return;
    before = performance.now();
    next = requestAnimationFrame(frame);
  });
}

// The address follows what is shown, a moment later, so that a reload shows it again.
function runAddress() {
  let timer = 0;
  effect(() => {
    clearTimeout(timer);
    if (store.playing.value) return;
    const fragment = store.fragment.value;
    timer = setTimeout(() => {
      if (fragment && '#' + fragment !== location.hash) history.replaceState(null, '', '#' + fragment);
    }, 400);
  });
  addEventListener('hashchange', follow);
}

async function start() {
  if (document.documentElement.dataset.first === 'old') return; // first.js has said so
  choices();
  engine.start().catch(() => {}); // said in the masthead
  store.connect(engine);
  const response = await fetch('catalogue.json');
  if (!response.ok) throw new Error(response.statusText);
  catalogue.value = await response.json();
  const root = document.getElementById('app');
  root.replaceChildren();
  root.className = '';
  render(html`<${App}/>`, root);
  effect(() => { document.title = (store.run.value && has(store.run.value.id + '.title') ? t(store.run.value.id + '.title') + ' · ' : '') + 'tcpkit'; });
  follow();
  runClock();
  runAddress();
  addEventListener('keydown', press);
}

start().catch((error) => {
  console.error(error);
  document.documentElement.dataset.first = 'failed';
  const why = document.querySelector('.first-why');
  if (why) why.textContent = error.message;
});

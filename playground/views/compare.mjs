// Two runs side by side: which ones, and where they part.
import { html, useMemo } from '../lib/preact.mjs';
import * as store from '../store.mjs';
import { t, catalogue } from '../words.mjs';
import { useFocusKept } from './focus.mjs';
import { titleOf } from './lessons.mjs';
import { duration, segment } from '../format.mjs';
import { differences, summary } from '../compare.mjs';

export function Compare() {
  store.version.value;
  const section = useFocusKept();
  const run = store.run.value;
  if (!run) return null;
  return html`<section ref=${section} tabindex="-1" class="sheet compare" aria-labelledby="h-compare"><h2 id="h-compare">${t('page.compare')}</h2>
    <${Kept}/>
    <${Choose} run=${run}/>
    ${store.other.value ? html`<${Both} run=${run} other=${store.other.value}/>` : html`<p class="quiet">${t('page.compare-none')}</p>`}
  </section>`;
}

// Kept are the runs that are there, each with what can be done to it.
function Kept() {
  store.version.value;
  return html`<ul class="kept">${store.runs.value.map((r) => html`<li key=${r.key} class=${r.key === store.shown.value ? 'here' : ''}>
    <span class="run-name num">${r.name}</span> <span class="num">${r.id}</span> <span class="quiet">${titleOf(r.id)}${r.extra.length ? ' · ' + t('page.changes', { n: r.extra.length }) : ''}</span>
    <span class="spring"></span>
    <button aria-pressed=${r.key === store.shown.value} onClick=${() => store.show(r.key)}>${t('page.show')}</button>
    <button aria-pressed=${r.key === store.beside.value} disabled=${r.key === store.shown.value} onClick=${() => store.setBeside(r.key === store.beside.value ? 0 : r.key)}>${t('page.put-beside')}</button>
    <button class="plain" disabled=${store.runs.value.length < 2} aria-label=${t('page.forget-run', { run: r.name })} onClick=${() => store.drop(r.key)}>×</button>
  </li>`)}</ul>`;
}

function Choose({ run }) {
  const { scenarios } = catalogue.value;
  const mine = scenarios.find((s) => s.id === run.id);
  const kin = scenarios.filter((s) => s.id !== run.id && (s.compare === run.id || s.id === mine?.compare || s.id.split('-')[0] === run.id.split('-')[0]));
  return html`<div class="row">
    ${kin.map((s) => html`<button key=${s.id} onClick=${() => store.compare(s.id)}>${titleOf(s.id)}</button>`)}
    <label><span class="faint">${t('page.beside-any')}</span><select value="" onChange=${(e) => { if (e.target.value) store.compare(e.target.value); e.target.value = ''; }}>
      <option value="">–</option>${scenarios.map((s) => html`<option key=${s.id} value=${s.id}>${s.id} ${titleOf(s.id)}</option>`)}</select></label>
  </div>`;
}

function Both({ run, other }) {
  const version = store.version.value;
  const found = useMemo(() => differences(run.line, other.line), [run, other, version]);
  const sums = useMemo(() => [summary(run.line), summary(other.line)], [run, other, version]);
  const hosts = run.header.hosts.map((host, h) => [host.name, h]);
  return html`
    <div class="scroll-x" tabindex="0" role="region" aria-label=${t('page.compare')}><table class="sums"><thead><tr><td></td><th scope="col">${run.name} · ${run.id}</th><th scope="col">${other.name} · ${other.id}</th></tr></thead><tbody>
      ${['segments', 'lost', 'again', 'octets', 'ghosts', 'violations'].map((name) => html`<tr key=${name} class=${sums[0][name] !== sums[1][name] ? 'differs' : ''}><th scope="row">${t('page.sum-' + name)}</th>${sums.map((sum, k) => html`<td class="num" key=${k}>${sum[name]}</td>`)}</tr>`)}
      <tr class=${sums[0].end !== sums[1].end ? 'differs' : ''}><th scope="row">${t('page.sum-end')}</th>${sums.map((sum, k) => html`<td class="num" key=${k}>${duration(sum.end)}</td>`)}</tr>
      ${hosts.map(([name, h]) => html`<tr key=${name} class=${sums[0].states[h] !== sums[1].states[h] ? 'differs' : ''}><th scope="row"><span class=${'of-' + store.side(h)}>${name}</span></th>${sums.map((sum, k) => html`<td key=${k}>${sum.states[h] || '–'}</td>`)}</tr>`)}
      <tr class=${run.hash !== other.hash ? 'differs' : ''}><th scope="row">${t('page.hash')}</th><td class="num">${run.hash}</td><td class="num">${other.hash}</td></tr>
    </tbody></table></div>
    <h3 class="sheet-title">${t('page.differences')} <span class="num">${found.filter((d) => d.kind !== 'same').length}</span></h3>
    <div class="scroll-x log" tabindex="0" role="region" aria-label=${t('page.differences')}><table><thead><tr><td></td><th scope="col">${run.name}</th><th scope="col">${other.name}</th></tr></thead>
      <tbody>${found.slice(0, 300).map((d, k) => html`<tr key=${k} class=${d.kind === 'same' ? '' : 'differs'}>
        <td>${d.kind === 'same' ? '' : html`<span class="chip mark">${t('page.diff-' + d.kind)}</span>`}</td>
        <td><${Cell} r=${run} item=${d.a}/></td><td><${Cell} r=${other} item=${d.b}/></td></tr>`)}</tbody></table></div>`;
}

function Cell({ r, item }) {
  if (!item) return html`<span class="faint">–</span>`;
  const lost = r.line.packets.get(item.p)?.loss;
  return html`<button class="link" onClick=${() => { store.pause(); store.seekTime(item.t); store.select(item.p, r.key); }}>
    <span class="num faint">${duration(item.t)}</span> <span class=${'of-' + store.side(item.h)}>${segment(item)}</span>${lost ? html` <span class="is-wrong">✕</span>` : ''}${item.again ? ' ↻' : ''}</button>`;
}

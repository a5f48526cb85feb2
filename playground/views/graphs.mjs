// The graphs of one sender on one cursor: sequence numbers, windows, round trips; and
// the same as a table.
import { html, signal, useEffect, useLayoutEffect, useMemo, useRef, useSignalEffect, useState } from '../lib/preact.mjs';
import { axis, cursor, now, run, seekTime, side, state, theme, version } from '../store.mjs';
import { t } from '../words.mjs';
import { octets } from '../format.mjs';
import { Chart, write } from './chart.mjs';
import { EndName, endsOf, useWidth } from './ends.mjs';
import { graphs, limit, rowAt, senders, valueAt } from './series.mjs';

const HEIGHT = 150; // of a graph 400 pixels wide
const columns = 930; // pixels from which the graphs stand side by side

/** The sender chosen, "host/connection"; "" for the one with most data. Graphs and table share it. */
const chosen = signal('');

/** useSender gives all senders, and the one on show: the one chosen, if it is there. */
export function useSender(line) {
  const all = useMemo(() => (line ? senders(line) : []), [line, line?.items.length]);
  return { all, one: all.find((s) => `${s.h}/${s.c}` === chosen.value) ?? all[0] };
}

/** useGraphs makes the graphs anew only when the run has grown. */
export function useGraphs(line, one) {
  return useMemo(() => (line && one ? graphs(line, one.h, one.c) : []), [line, line?.items.length, one?.h, one?.c]);
}

/** Sender lets the user choose whose graphs they are. */
export function Sender({ all, one }) {
  const ends = endsOf();
  const name = (s) => `${ends.find((end) => end.h === s.h)?.name ?? s.h} · ${t('views.sockets.conn')} ${s.c} · ${octets(s.octets)}`;
  return html`<label>${t('views.graphs.sender')} <select value=${`${one.h}/${one.c}`} onChange=${(e) => { chosen.value = e.currentTarget.value; }}>
    ${all.slice(0, 50).map((s) => html`<option key=${`${s.h}/${s.c}`} value=${`${s.h}/${s.c}`}>${name(s)}</option>`)}</select></label>`;
}

/** Graphs is the panel. */
export function Graphs() {
  version.value;
  const [ref, width] = useWidth();
  const [range, setRange] = useState(null); // the part of the axis on show, null for all of it
  const [hover, setHover] = useState(null); // {graph, row} under the pointer
  const line = run.value?.line;
  const { all, one } = useSender(line);
  const shown = useGraphs(line, one);
  const ax = axis.value;
  useEffect(() => setRange(null), [line, ax]);
  const across = width >= columns ? 3 : 1;
  const each = Math.max(240, Math.floor((width - (across - 1) * 16) / across));
  const zoom = (factor) => {
    const whole = ax.length;
    const middle = ax.pos(now.value);
    const [from, to] = range ?? [0, whole];
    const half = Math.min(whole, (to - from) * factor) / 2;
    setRange(half * 2 >= whole ? null : [Math.max(0, Math.min(middle - half, whole - 2 * half)), Math.min(whole, Math.max(2 * half, middle + half))]);
  };
  return html`<section class="sheet instrument graphs" aria-labelledby="h-graphs"><h2 id="h-graphs">${t('page.graphs')}</h2>
    <div class="measure" ref=${ref}></div>
    ${!one && html`<p class="quiet">${t('views.nothing-yet')}</p>`}
    ${one && html`<div class="row tools"><${Sender} all=${all} one=${one} />
      <span class="row"><button type="button" onClick=${() => zoom(0.5)} aria-label=${t('views.graphs.closer')}>+</button>
      <button type="button" onClick=${() => zoom(2)} aria-label=${t('views.graphs.wider')}>−</button>
      <button type="button" disabled=${!range} onClick=${() => setRange(null)}>${t('views.graphs.whole')}</button></span></div>
    <${Limits} one=${one} />
    ${width > 0 && html`<div class="charts ${across === 3 ? 'abreast' : ''}" title=${t('views.graphs.how')}>${shown.map((graph) => html`<${Figure} key=${graph.id} graph=${graph} side=${side(one.h)} width=${each} range=${range} onRange=${setRange}
      hover=${hover} onHover=${setHover} />`)}</div>`}`}
  </section>`;
}

// Limits says in words what keeps the sender from sending more.
function Limits({ one }) {
  const conn = state.value?.hosts[one.h]?.conns[one.c];
  const end = endsOf().find((candidate) => candidate.h === one.h);
  const what = limit(conn?.tcb, conn?.state);
  const tcb = conn?.tcb ?? {};
  return html`<p class="limits card ${end?.side ?? ''}">${end && html`<${EndName} end=${end} />`}${' '}
    <b>${t(`views.limit.${what}`)}</b> ${t(`views.limit.${what}.text`, { cwnd: tcb.cwnd ?? 0, wnd: tcb['SND.WND'] ?? 0, flight: tcb.flight ?? 0 })}
    ${tcb.phase && html` <span class="chip">${t(`views.phase.${tcb.phase}`)}</span>`}</p>`;
}

// A Figure is a chart with its legend: each series by its line, its name, its value.
function Figure({ graph, side: own, width, range, onRange, hover, onHover }) {
  const [hidden, setHidden] = useState([]);
  const row = hover?.graph === graph.id ? hover.row : rowAt(graph, cursor.value);
  const empty = graph.items.length === 0;
  return html`<figure class="chart from-${own}">
    <figcaption>${t(`views.graph.${graph.id}`)}</figcaption>
    ${empty ? html`<p class="quiet">${t('views.graphs.empty')}</p>` : html`<${Plot} graph=${graph} side=${own} width=${width} range=${range} onRange=${onRange} onHover=${onHover} hidden=${hidden} />`}
    <ul class="legend">${graph.series.map((series, k) => html`<li key=${series.id}>
      <button type="button" class="plain" aria-pressed=${!hidden.includes(k)} title=${t(`views.series.${series.id}.text`)} onClick=${() => setHidden(hidden.includes(k) ? hidden.filter((x) => x !== k) : [...hidden, k])}>
        <${Swatch} series=${series} /> ${t(`views.series.${series.id}`)} <b class="num">${empty ? '–' : write(graph.unit, valueAt(graph, k, row))}</b></button></li>`)}</ul>
  </figure>`;
}

// A Swatch shows a series as it is drawn: by its dashes or its mark too, not its colour alone.
function Swatch({ series }) {
  return html`<svg class="swatch ${series.colour}" viewBox="0 0 26 12" width="26" height="12" aria-hidden="true">
    ${series.fill ? html`<path class="filled" d="M1 11 V3 H25 V11" />`
    : series.kind === 'step' ? html`<path d="M1 6 H25" stroke-dasharray=${series.dash?.join(' ')} />`
    : series.mark === 'cross' ? html`<path d="M9 2 l8 8 m0 -8 l-8 8" />`
    : series.mark === 'ring' ? html`<circle class="hollow" cx="13" cy="6" r="4" />`
    : series.mark === 'bar' ? html`<path d="M13 1 V11 M9 1 H17 M9 11 H17" />`
    : html`<circle cx="13" cy="6" r="2.5" />`}</svg>`;
}

// A Plot keeps a Chart for as long as its size and its colours last.
function Plot({ graph, side: own, width, range, onRange, onHover, hidden }) {
  const ref = useRef(null);
  const chart = useRef(null);
  const look = `${useDark()}/${own}`;
  const ax = axis.value;
  useLayoutEffect(() => {
    chart.current = new Chart(ref.current, graph, ax, {
      side: own, width, height: HEIGHT * Math.max(1, width / 400), seek: (pos) => seekTime(axis.value.time(pos)), zoom: onRange, hover: (at) => onHover(at === null ? null : { graph: graph.id, row: at }),
    });
    chart.current.move(ax.pos(now.peek()));
    return () => chart.current.destroy();
  }, [graph.id, look]);
  useLayoutEffect(() => chart.current.resize(width), [width, look]);
  useLayoutEffect(() => chart.current.show(graph, ax), [graph, ax, look]);
  useLayoutEffect(() => chart.current.range(range ?? [0, ax.length]), [range, ax, graph, look]);
  useLayoutEffect(() => chart.current.hide(hidden), [hidden, look]);
  useSignalEffect(() => {
    const pos = axis.value.pos(now.value);
    chart.current?.move(pos);
  });
  return html`<div class="plot" ref=${ref} aria-hidden="true"></div>`;
}

// useDark changes whenever the colours do.
function useDark() {
  const [dark, setDark] = useState(() => matchMedia('(prefers-color-scheme: dark)').matches);
  useEffect(() => {
    const query = matchMedia('(prefers-color-scheme: dark)');
    const hear = () => setDark(query.matches);
    query.addEventListener('change', hear);
    return () => query.removeEventListener('change', hear);
  }, []);
  return `${theme.value}/${dark}`;
}

// What the instruments share: which ends they show, and how wide they may be.
import { html, useEffect, useRef, useState } from '../lib/preact.mjs';
import { run, state, version, connOf, side, select, seek } from '../store.mjs';
import { t, rule, section } from '../words.mjs';
import { segment } from '../format.mjs';
import { read } from '../scenario.mjs';
import { causeOf, connections, pathOf } from './facts.mjs';

/**
 * An End is a host as an instrument shows it: its connection in focus at the cursor.
 * @typedef {object} End
 * @property {number} h
 * @property {string} name
 * @property {string} side   "a" or "b", the colour
 * @property {string} sign   a shape that goes with the colour
 * @property {number} c      the connection, 0 for the listener or none
 * @property {object} conn   what the fold knows of it, or null
 */

/** endsOf are the two hosts to show: those that flows join, else the first two. @returns {End[]} */
export function endsOf() {
  version.value;
  const st = state.value;
  if (!st) return [];
  return st.hosts.slice(0, 2).map((host, h) => {
    const conn = connOf(st, h);
    return { h, name: host.name, side: side(h), sign: side(h) === 'a' ? '●' : '■', c: conn?.c ?? firstConn(h), conn, host };
  });
}

// Before anything happened an end shows the connection that will be its first.
function firstConn(h) {
  return run.value?.line.items.find((it) => it.k === 'state' && it.h === h)?.c ?? 0;
}

/** End writes a host's name with its shape, in its colour. */
export const EndName = ({ end }) => html`<span class="end of-${end.side}"><span aria-hidden="true">${end.sign}</span> ${end.name}</span>`;

/** useWidth gives a ref and the width of what it is put on, in pixels. */
export function useWidth() {
  const ref = useRef(null);
  const [width, setWidth] = useState(0);
  useEffect(() => {
    if (!ref.current) return undefined;
    const seen = new ResizeObserver((entries) => setWidth(Math.round(entries[0].contentRect.width)));
    seen.observe(ref.current);
    return () => seen.disconnect();
  }, []);
  return [ref, width];
}

/** RuleText is a rule with where it stands: its words, its name, the RFC's section. */
export function RuleText({ name }) {
  const row = rule(name);
  if (!row) return html`<code>${name}</code>`;
  return html`<span class="rule">${row.text.charAt(0).toUpperCase() + row.text.slice(1)} <small><code>${name}</code>, ${section(row)}</small></span>`;
}

/** PacketName names a packet by its number among the segments, and picks it when it is pressed. */
export function PacketName({ p, plain }) {
  const line = run.value?.line;
  const packet = line?.packets.get(p);
  if (!packet) return html`<span>#${p}</span>`;
  const text = `#${p} ${segment(packet.send)}`;
  if (plain) return html`<span>${text}</span>`;
  return html`<button type="button" class="link" onClick=${() => select(p)}>${text}</button>`;
}

/** CauseText says in words what made a connection take an edge. */
export function CauseText({ edge }) {
  const it = causeOf(run.value.line, edge);
  if (edge.p && (edge.cause ?? 'segment') === 'segment') return html`<span>${t('views.cause.segment')} <${PacketName} p=${edge.p} /></span>`;
  if (edge.cause === 'call' && it?.op) return html`<span>${t('views.cause.call')} <code>${it.op}</code></span>`;
  if (edge.cause === 'timer' && it?.slot) return html`<span>${t('views.cause.timer-of', { timer: t(`views.timer.${it.slot}`) })}</span>`;
  return edge.cause ? html`<span>${t(edge.cause === 'call' ? 'views.cause.program' : `views.cause.${edge.cause}`)}</span>` : null;
}

/** SeekTo is a button that moves the cursor to an item. */
export const SeekTo = ({ i, title, children, kind = 'link' }) =>
  html`<button type="button" class=${kind} title=${title} onClick=${() => seek(i)}>${children}</button>`;

/** stateAt is an end's state at the cursor with the way that led there. */
export function stateAt(end, at) {
  const path = pathOf(run.value.line, end.h, end.c, at);
  // Who has no connection yet, but listens, is in LISTEN.
  if (path.edges.length === 0 && path.state === 'CLOSED' && read(run.value.text, run.value.extra).listens.some((one) => one.host === end.name)) path.state = 'LISTEN';
  return { ...path, others: connections(run.value.line, end.h, at).filter((one) => one.c !== end.c) };
}

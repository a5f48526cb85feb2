// The graphs as numbers: columns over time, made from the items of a timeline. Pure.
//
// A graph has an x column, times in nanoseconds, and a column for each series, with null
// where nothing was told at that time. uPlot and the table read the same columns.

import { lastUpTo } from '../search.mjs';
import { endOf, has } from './facts.mjs';

/**
 * A Graph is one chart: its series in the order of its legend.
 * @typedef {object} Graph
 * @property {string} id
 * @property {string} unit    "octets" or "time"
 * @property {{id: string, kind: 'step'|'points'|'bars', colour: string, dash?: number[], mark?: string, fill?: string, strong?: boolean}[]} series
 * @property {number[][]} data  x, then a column for each of series
 * @property {number[]} items   the item of each row
 */

/**
 * senders are the connections that have sent something, the one with most data first.
 * @param {import('../fold.mjs').Timeline} line
 */
export function senders(line) {
  const by = new Map();
  for (const it of line.items) {
    if (it.k !== 'send' || it.c === 0 && it.len === 0) continue;
    const name = `${it.h}/${it.c}`;
    const one = by.get(name) ?? { h: it.h, c: it.c, d: it.d, octets: 0, segments: 0 };
    one.octets += it.len;
    one.segments++;
    by.set(name, one);
  }
  return [...by.values()].sort((a, b) => b.octets - a.octets || a.h - b.h || a.c - b.c);
}

// A Sheet collects rows, one for each time; what comes at the same time shares it.
class Sheet {
  constructor(columns) {
    this.x = [];
    this.items = [];
    this.columns = columns.map(() => []);
  }

  put(it, values) {
    const t = it.t;
    let row = this.x.length - 1;
    // A second point of one column at the same instant gets a row of its own.
    if (row < 0 || this.x[row] !== t || Object.keys(values).some((k) => this.columns[k][row] !== null && this.columns[k][row] !== values[k])) {
      this.x.push(t);
      this.items.push(it.i);
      for (const column of this.columns) column.push(null);
      row++;
    }
    for (const k in values) this.columns[k][row] = values[k];
    this.items[row] = it.i;
  }

  data() {
    return [this.x, ...this.columns];
  }
}

const sequenceSeries = [
  { id: 'right-edge', kind: 'step', colour: 'win', dash: [6, 4] },
  { id: 'sent', kind: 'points', colour: 'own', mark: 'dot' },
  { id: 'again', kind: 'points', colour: 'again', mark: 'ring' },
  { id: 'lost', kind: 'points', colour: 'bad', mark: 'cross' },
  { id: 'acked', kind: 'step', colour: 'peer' },
  { id: 'sack', kind: 'points', colour: 'sack', mark: 'bar' },
];

/** sequence is what one connection sends, over time: segments, ACKs that come back, windows, SACK. */
export function sequence(line, h, c) {
  const sheet = new Sheet(sequenceSeries);
  const lost = new Set();
  for (const it of line.items) {
    if (it.k === 'lose') lost.add(it.p);
  }
  let sends = 0;
  let isn;
  for (const it of line.items) {
    if (it.k === 'send' && it.h === h && it.c === c) {
      if (has(it, 'S')) isn = it.rseq;
      const end = endOf(it);
      if (end === it.seq) continue;
      sends++;
      sheet.put(it, lost.has(it.p) ? { 3: end } : it.again ? { 2: end } : { 1: end });
    } else if (it.k === 'arrive' && it.h === h && sends > 0) {
      const sent = line.packets.get(it.p)?.send;
      if (!sent || !has(sent, '.') || it.c && it.c !== c) continue;
      // Only what acknowledges numbers of this connection.
      if (isn !== undefined && sent.rack !== undefined && sent.rack !== ((isn + sent.ack) >>> 0)) continue;
      const values = { 4: sent.ack };
      if (!has(sent, 'R')) values[0] = sent.ack + (sent.wnd ?? sent.win ?? 0);
      sheet.put(it, values);
      for (const [, right] of sent.sack ?? []) sheet.put(it, { 5: right });
    }
  }
  return { id: 'sequence', unit: 'octets', series: sequenceSeries, data: sheet.data(), items: sheet.items };
}

const windowSeries = [
  { id: 'cwnd', kind: 'step', colour: 'own', strong: true },
  { id: 'ssthresh', kind: 'step', colour: 'sack', dash: [6, 4] },
  { id: 'peer-window', kind: 'step', colour: 'win' },
  { id: 'flight', kind: 'step', colour: 'line', fill: 'soft' },
  { id: 'loss', kind: 'points', colour: 'bad', mark: 'cross' },
];

// ssthresh begins "arbitrarily high" (RFC 5681 §3.1): at the largest window that there is
// (RFC 7323 §2.3). That is no point of a graph.
export const HIGH = 65535 * 2 ** 14;

/** windows is what bounds one connection's sending, over time. */
function windows(line, h, c) {
  const sheet = new Sheet(windowSeries);
  const now = {};
  for (const it of line.items) {
    if (it.h !== h || it.c !== c) continue;
    if (it.k === 'cwnd') {
      Object.assign(now, { 0: it.cwnd, 1: it.ssthresh < HIGH ? it.ssthresh : null, 3: it.flight });
      sheet.put(it, { ...now });
    } else if (it.k === 'tcb') {
      let told = false;
      for (const [name, k] of tcbColumns) {
        if (!(name in it.d)) continue;
        now[k] = name === 'ssthresh' && it.d[name] >= HIGH ? null : it.d[name];
        told = true;
      }
      if (told) sheet.put(it, { ...now });
    } else if (it.k === 'rexmit') {
      sheet.put(it, { ...now, 4: now[0] ?? 0 });
    }
  }
  return { id: 'windows', unit: 'octets', series: windowSeries, data: sheet.data(), items: sheet.items };
}
const tcbColumns = [['cwnd', 0], ['ssthresh', 1], ['SND.WND', 2], ['flight', 3]];

const timeSeries = [
  { id: 'sample', kind: 'points', colour: 'line', mark: 'dot' },
  { id: 'srtt', kind: 'step', colour: 'own', strong: true },
  { id: 'rttvar', kind: 'step', colour: 'sack', dash: [2, 4] },
  { id: 'rto', kind: 'step', colour: 'win', dash: [6, 4] },
];

/** times is the round trip as one connection measures it, in nanoseconds. */
function times(line, h, c) {
  const sheet = new Sheet(timeSeries);
  for (const it of line.items) {
    if (it.h !== h || it.c !== c) continue;
    if (it.k === 'rtt') sheet.put(it, { 0: it.sample, 1: it.srtt, 2: it.var, 3: it.rto });
    else if (it.k === 'tcb' && it.d.rto) sheet.put(it, { 3: it.d.rto });
  }
  return { id: 'times', unit: 'time', series: timeSeries, data: sheet.data(), items: sheet.items };
}

/** graphs are all three. */
export const graphs = (line, h, c) => [sequence(line, h, c), windows(line, h, c), times(line, h, c)];

/** rowAt is the last row of a graph that has happened at the cursor, -1 if none has. */
export const rowAt = (graph, at) => lastUpTo(graph.items.length, (row) => graph.items[row], at);

/** valueAt is the latest value of a series at a row or before. */
export function valueAt(graph, k, row) {
  const column = graph.data[k + 1];
  for (; row >= 0; row--) if (column[row] !== null && column[row] !== undefined) return column[row];
  return undefined;
}

/**
 * limit says what keeps a sender from sending more: it has "nothing" to send, the
 * "peer"'s window, which may be "closed", the "congestion" window; it is "over", or "unknown".
 * @param {object} tcb what is known of the connection, by name
 */
export function limit(tcb, state) {
  if (!tcb || tcb.cwnd === undefined || tcb['SND.WND'] === undefined) return 'unknown';
  if (!['ESTABLISHED', 'CLOSE-WAIT', 'FIN-WAIT-1', 'CLOSING', 'LAST-ACK'].includes(state)) return state.startsWith('SYN') ? 'unknown' : 'over';
  const peer = tcb['SND.WND'];
  if (!tcb.unsent) return 'nothing';
  if (peer === 0) return 'closed';
  return peer < tcb.cwnd ? 'peer' : 'congestion';
}

/** csv writes a graph's table for a spreadsheet, RFC 4180. */
export function csv(heads, rows) {
  const cell = (v) => (v === null || v === undefined ? '' : /[",\n\r]/.test(String(v)) ? `"${String(v).replaceAll('"', '""')}"` : String(v));
  return [heads, ...rows].map((row) => row.map(cell).join(',')).join('\r\n') + '\r\n';
}

/** long says whether a fold hides so much that it has to be shown. */
export const long = (axis, fold) => fold.to - fold.from > Math.max(20 * axis.idle, axis.length / 2);

/**
 * ticks are the places of round times on a folded axis, about so many: in each stretch
 * that is not folded, and where a fold ends.
 * @param {import('../axis.mjs').Axis} axis
 */
export function ticks(axis, low, high, most) {
  const apart = (high - low) / most;
  const ten = 10 ** Math.floor(Math.log10(Math.max(1, apart)));
  const step = [1, 2, 5, 10].map((k) => k * ten).find((s) => s >= apart) ?? apart;
  const places = [];
  const far = (pos) => places.every((place) => Math.abs(place - pos) >= apart * 0.8);
  const put = (time) => {
    const pos = axis.pos(time);
    if (pos >= low && pos <= high && far(pos)) places.push(pos);
  };
  const folds = axis.folds.filter((fold) => fold.at <= high && fold.at + axis.idle >= low);
  // A long stretch of silence is said by its end; short ones lie within the round times.
  for (const fold of folds) if (long(axis, fold)) put(fold.to);
  const hidden = (time) => folds.some((fold) => long(axis, fold) && time > fold.from && time < fold.to);
  for (let pos = low; pos <= high; pos += apart / 8) {
    const time = Math.round(axis.time(pos) / step) * step;
    if (!hidden(time)) put(time);
  }
  return places.sort((x, y) => x - y);
}

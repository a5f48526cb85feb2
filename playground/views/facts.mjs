// What a timeline tells beyond the state at one item: the edges taken so far, what
// each end has learnt, what was sent again and when, what is missing in a stream.
// Pure functions of a Timeline (fold.mjs) and the place of the cursor.
import { lastUpTo } from '../search.mjs';

/** @typedef {import('../fold.mjs').Timeline} Timeline */
/** @typedef {import('../fold.mjs').Item} Item */

/** after returns how many of the items of list stand at or before the cursor. */
const after = (list, at) => lastUpTo(list.length, (k) => list[k].i, at) + 1;

const known = new WeakMap();

/**
 * factsOf sorts the items of a timeline by what is asked for later. It looks at each
 * item once, also when the timeline has grown.
 * @param {Timeline} line
 */
export function factsOf(line) {
  let f = known.get(line);
  if (!f) {
    f = {
      seen: 0, mostHeld: 1, mostHalf: new Map(), states: [], knows: [], hosts: [], drops: [],
      sends: new Map(), tops: new Map(), heard: new Map(), windows: new Map(), chains: new Map(), isns: new Map(),
    };
    known.set(line, f);
  }
  for (; f.seen < line.items.length; f.seen++) take(f, line, line.items[f.seen]);
  return f;
}

function put(map, name, item) {
  const list = map.get(name);
  if (list) list.push(item); else map.set(name, [item]);
}

// conn names a connection of a host.
const conn = (h, c) => `${h}/${c}`;

function take(f, line, it) {
  switch (it.k) {
    case 'state': f.states.push(it); break;
    case 'know': f.knows.push(it); break;
    case 'host': f.hosts.push(it); break;
    case 'drop': f.drops.push(it); break;
    case 'mem':
      f.mostHeld = Math.max(f.mostHeld, it.held ?? 0);
      f.mostHalf.set(it.h, Math.max(f.mostHalf.get(it.h) ?? 0, it.half ?? 0));
      break;
    case 'tcb':
      takeWindows(f, it);
      confirmISN(f, line, it);
      break;
    case 'send':
      put(f.sends, conn(it.h, it.c), it);
      put(f.tops, conn(it.h, it.c), Math.max(f.tops.get(conn(it.h, it.c))?.at(-1) ?? 0, it.seq + it.len));
      if (has(it, 'S') && it.c) takeISN(f, it);
      takeChain(f, it);
      break;
    case 'arrive': {
      const sent = line.packets.get(it.p)?.send;
      if (!sent) break;
      put(f.heard, it.h, it);
      if (has(sent, 'S')) heardISN(f, it, sent);
      break;
    }
  }
}

/** has says whether a segment has the flag: S F R P . U. */
export const has = (sent, flag) => (sent.flags ?? '').includes(flag);

/** endOf is the sequence number behind the segment: SYN and FIN count. */
export const endOf = (sent) => sent.seq + sent.len + (has(sent, 'S') ? 1 : 0) + (has(sent, 'F') ? 1 : 0);

// ---- states ------------------------------------------------------------------

/**
 * pathOf gives the edges that connection c of host h has taken up to the cursor, in
 * order, and its state: before its first edge that is where the edge begins.
 */
export function pathOf(line, h, c, at) {
  const all = factsOf(line).states.filter((it) => it.h === h && it.c === c);
  const edges = all.slice(0, after(all, at));
  const state = edges.at(-1)?.to ?? all[0]?.from ?? 'CLOSED';
  return { edges, state, last: edges.at(-1), over: state === 'CLOSED' && edges.length > 0 };
}

/**
 * connections lists those of host h that there are at the cursor, with the one that
 * moved last first. A listener is the connection 0.
 */
export function connections(line, h, at) {
  const all = factsOf(line).states;
  const by = new Map();
  for (const it of all.slice(0, after(all, at))) {
    if (it.h !== h) continue;
    const was = by.get(it.c);
    by.set(it.c, { c: it.c, state: it.to, since: it.t, i: it.i, born: was?.born ?? it.t, rule: it.rule });
  }
  // What a crash takes away is gone without an edge.
  for (const it of factsOf(line).hosts) {
    if (it.i <= at && it.h === h && it.what === 'crash') {
      for (const one of by.values()) if (one.i < it.i) by.delete(one.c);
    }
  }
  return [...by.values()].sort((a, b) => b.i - a.i);
}

/** causeOf is the item that made an edge be taken: the packet, the call or the timer before it. */
export function causeOf(line, edge) {
  if (edge.p && (edge.cause ?? 'segment') === 'segment') return line.packets.get(edge.p)?.send;
  for (let i = edge.i - 1; i >= 0 && line.items[i].n === edge.n; i--) {
    const it = line.items[i];
    if (it.h === edge.h && (edge.cause === 'call' && it.k === 'call' || edge.cause === 'timer' && it.k === 'timer' && it.ev === 'fired')) return it;
  }
  return undefined;
}

// ---- who knows what ----------------------------------------------------------

/**
 * A fact of the knowledge table is a direction, 0 for "what user 0 sends reaches user
 * 1", seen by an end. knowledge gives for a flow the rows of its history: after which
 * packet which of the four facts was known, and by which item each came to be known.
 */
export function knowledge(line, flow, at) {
  const all = factsOf(line).knows;
  const rows = [];
  const cells = [[null, null], [null, null]]; // [who][direction]: the item by which it is known
  for (const it of all.slice(0, after(all, at))) {
    if (it.f !== flow) continue;
    const own = it.who;
    const facts = [];
    if (it.sendOK) facts.push(own);
    if (it.recvOK) facts.push(1 - own);
    let grown = false;
    for (const direction of [0, 1]) {
      const holds = facts.includes(direction);
      if (holds && !cells[own][direction]) {
        cells[own][direction] = it;
        grown = true;
      }
      if (!holds) cells[own][direction] = null; // it has crashed, and forgotten
    }
    const p = packetBefore(line, it);
    const row = rows.at(-1);
    const now = cells.map((two) => two.map((cell) => !!cell));
    if (row && row.n === it.n) Object.assign(row, { cells: now, i: it.i });
    else if (grown || rows.length) rows.push({ i: it.i, n: it.n, t: it.t, p, who: own, cells: now });
  }
  return { cells, rows };
}

// packetBefore is the packet whose arrival taught what it says.
function packetBefore(line, it) {
  if (it.p) return it.p;
  for (let i = it.i - 1; i >= 0 && line.items[i].n === it.n; i--) {
    if (line.items[i].k === 'arrive') return line.items[i].p;
  }
  return 0;
}

// The largest windows of a connection: bars that show less would jump.
function takeWindows(f, it) {
  const name = conn(it.h, it.c);
  const most = f.windows.get(name) ?? { 'SND.WND': 0, 'RCV.WND': 0 };
  for (const which in most) if (it.d[which] > most[which]) most[which] = it.d[which];
  f.windows.set(name, most);
}

function takeISN(f, sent) {
  const name = conn(sent.h, sent.c);
  if (!f.isns.has(name)) f.isns.set(name, { h: sent.h, c: sent.c, isn: sent.rseq, sent, heard: null, confirmed: null });
}

function heardISN(f, it, sent) {
  const one = f.isns.get(conn(sent.h, sent.c));
  if (one) one.heard ??= it;
}

// A number is confirmed when its sender has taken an ACK beyond it: SND.UNA moves. One
// that arrives and is dropped confirms nothing.
function confirmISN(f, line, it) {
  const one = f.isns.get(conn(it.h, it.c));
  if (one && !one.confirmed && it.d['SND.UNA'] >= 1) one.confirmed = { i: it.i, p: packetBefore(line, it) };
}

/** isns tells of each connection's initial sequence number at the cursor: "sent", "heard" or "confirmed". */
export function isns(line, at) {
  const all = [];
  for (const one of factsOf(line).isns.values()) {
    if (one.sent.i > at) continue;
    const stage = one.confirmed && one.confirmed.i <= at ? 'confirmed' : one.heard && one.heard.i <= at ? 'heard' : 'sent';
    all.push({ h: one.h, c: one.c, isn: one.isn, stage, by: stage === 'confirmed' ? one.confirmed.p : 0 });
  }
  return all;
}

// ---- what was sent again -----------------------------------------------------

// A chain is one thing that was sent again and again: a SYN, a segment, or the probes of
// an idle connection or of a closed window.
function takeChain(f, sent) {
  const what = sent.probe ? 'probe' : sent.seq;
  const name = `${conn(sent.h, sent.c)}/${what}`;
  if (sent.probe) {
    let chain = f.chains.get(name);
    if (!chain) {
      chain = { h: sent.h, c: sent.c, probe: true, sent, marks: [], from: f.sends.get(conn(sent.h, sent.c)).at(-2) ?? sent };
      f.chains.set(name, chain);
    }
    chain.marks.push({ i: sent.i, t: sent.t, p: sent.p });
    return;
  }
  if (endOf(sent) === sent.seq) return; // a bare ACK is not sent again
  const chain = f.chains.get(name);
  if (chain && sent.again) chain.marks.push({ i: sent.i, t: sent.t, p: sent.p });
  else f.chains.set(name, { h: sent.h, c: sent.c, probe: false, sent, from: sent, marks: [{ i: sent.i, t: sent.t, p: sent.p }] });
}

// The rules by which a connection is given up because nobody answered.
const givenUp = new Set(['syn-limit', 'syn-ack-limit', 'retransmit-limit', 'user-timeout', 'keepalive-dead', 'persist-dead']);

/**
 * schedules are the chains of at least two marks, the longest first, each with how it
 * ended: "given-up", "answered" or, while nothing is decided, nothing.
 */
export function schedules(line) {
  const f = factsOf(line);
  if (f.schedules?.seen === f.seen) return f.schedules.all;
  const all = [];
  for (const chain of f.chains.values()) {
    if (chain.marks.length < (chain.probe ? 1 : 2)) continue;
    const last = chain.marks.at(-1);
    const dead = f.states.find((it) => it.h === chain.h && it.c === chain.c && it.i > last.i && it.to === 'CLOSED' && givenUp.has(it.rule));
    const heard = answers(line, chain);
    const end = dead && !(heard.at(-1)?.i > last.i && heard.at(-1)?.i < dead.i && !chain.probe) ? { how: 'given-up', t: dead.t, i: dead.i, rule: dead.rule }
      : heard.length && heard.at(-1).i > last.i ? { how: 'answered', t: heard.at(-1).t, i: heard.at(-1).i } : null;
    const marks = chain.marks.map((m, k) => ({ ...m, answered: heard.some((a) => a.i > m.i && a.i < (chain.marks[k + 1]?.i ?? Infinity)) }));
    all.push({ ...chain, marks, end });
  }
  all.sort((a, b) => b.marks.length - a.marks.length || a.marks[0].i - b.marks[0].i);
  f.schedules = { seen: f.seen, all };
  return all;
}

// answers are the arrivals that answer a chain: an ACK beyond its segment, or any sign of
// life after a probe.
function answers(line, chain) {
  const got = [];
  const need = endOf(chain.sent);
  const heard = factsOf(line).heard.get(chain.h) ?? [];
  for (let k = after(heard, chain.marks[0].i); k < heard.length; k++) {
    const it = heard[k];
    const sent = line.packets.get(it.p).send;
    if (it.c && it.c !== chain.c) continue;
    if (chain.probe || has(sent, '.') && sent.ack >= need || has(sent, 'R')) {
      got.push(it);
      if (!chain.probe) break;
    }
  }
  return got;
}

// ---- streams -----------------------------------------------------------------

/**
 * ranges are the octets from connection `from` that have arrived at host h beyond
 * RCV.NXT: what lies between is missing. Both ends of a range are relative numbers.
 */
export function ranges(line, h, from, nxt, at) {
  const sends = factsOf(line).sends.get(from) ?? [];
  const tops = factsOf(line).tops.get(from) ?? [];
  const dropped = new Set();
  for (const it of factsOf(line).drops) if (it.i <= at && it.h === h && it.p) dropped.add(it.p);
  const parts = [];
  for (let k = lastUpTo(tops.length, (n) => tops[n], nxt) + 1; k < sends.length; k++) {
    const sent = sends[k];
    if (sent.i > at) break;
    if (sent.len === 0 || sent.seq + sent.len <= nxt || dropped.has(sent.p)) continue;
    if (!line.packets.get(sent.p)?.arrivals.some((a) => a.i <= at && a.h === h)) continue;
    parts.push([Math.max(sent.seq, nxt), sent.seq + sent.len]);
  }
  return merge(parts).filter(([left]) => left > nxt);
}

/** merge joins ranges that touch, and sorts them. */
export function merge(parts) {
  const sorted = parts.map((part) => [...part]).sort((a, b) => a[0] - b[0]);
  const joined = [];
  for (const part of sorted) {
    const before = joined.at(-1);
    if (before && part[0] <= before[1]) before[1] = Math.max(before[1], part[1]);
    else joined.push(part);
  }
  return joined;
}

/**
 * peerOf finds the connection at the other end: the host that the packets of h's
 * connection c go to, and the connection there that sends to h. Undefined where nobody
 * answers.
 */
export function peerOf(line, h, c) {
  const f = factsOf(line);
  const sent = f.sends.get(conn(h, c))?.find((it) => it.d >= 0);
  if (!sent) return undefined;
  // The peer's first segment that acknowledges one of ours, by the numbers on the wire.
  const isn = f.isns.get(conn(h, c))?.isn;
  for (const [name, list] of f.sends) {
    const [ph, pc] = name.split('/').map(Number);
    if (ph !== sent.d || pc === 0) continue;
    const match = list.find((it) => it.d === h && has(it, '.') && isn !== undefined && ((it.rack - isn) >>> 0) < 2 ** 30 && ((it.rack - isn) >>> 0) > 0);
    if (match) return { h: ph, c: pc };
  }
  return undefined;
}

/** name of a connection as the maps of factsOf have it. */
export const nameOf = conn;

/**
 * aloneAs names what the connections of a host are of which the other end knows nothing:
 * "ghosts" if a plugin made them without a third segment, otherwise "half-open", which is
 * what a crash of the other end leaves (RFC 9293 §3.5.1).
 */
export function aloneAs(host) {
  return Object.values(host.conns).some((conn) => conn.rule === 'lab' && conn.state === 'ESTABLISHED') ? 'ghosts' : 'half-open';
}

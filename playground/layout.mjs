// Where the things of a timeline stand on the ladder. Pure: items in, numbers out.
//
// Heights belong to items, not to instants: of what happens at one instant each
// thing that bears a label gets its own line, and long idle is folded, so the
// drawing is never a bare time axis. Between two items height is linear in time.
//
//   const packets = packetsOf(line);                  // line: a Timeline of fold.mjs
//   const plan = layout(line.items, packets, { hosts: 2, narrow: false, zoom: 1, fold: true });
//   plan.y[i], plan.yAt(t), plan.timeAt(y), plan.within(y1, y2)
import { flagNames } from './format.mjs';
import { lastUpTo } from './search.mjs';

const ROW = 18; // between two labels on one side, at zoom 1
const NOTE_ROW = 15;
const CLEAR = 25; // from the label of a segment, which slopes, to a note below it
const TURN = 12; // between an arrival and what the same host sends upon it
const ARRIVAL = 9; // between two arrivals at one host
const FLIGHT = 84; // height of the median flight
const LINEAR = 90; // a gap up to this height is in scale, more is folded
const TOP = 20;
const BOTTOM = 44;
const STUB = [26, 110]; // how far below where a lost packet was sent its cross may be
/** How much of its way a lost packet goes. */
export const PART = 0.6;
const NEAR = 4; // packets sent one after the other of which ways are looked at
const BUCKET = 800;
const UNFOLDED_MOST = 20000;

// The kinds of items that bear a note beside the lifeline.
const NOTED = new Set(['state', 'drop', 'timer', 'call', 'read', 'host', 'plugin', 'violation']);

// The kinds of items of which the time is written.
const TIMED = new Set(['send', 'arrive', 'state', 'timer', 'call', 'host']);

/** The timers that are drawn; the others would hide them. */
const TIMERS = ['retransmit', 'persist', 'keepalive', 'wait', 'user', 'delayed-ack', 'tlp', 'reorder'];

/** How many timers have room beside each other. */
export const TIMER_LANES = 3;

/**
 * packetsOf gathers what became of each packet, in the order of sending: its
 * arrivals, or why there is none, and whether it was late or overtook another.
 */
export function packetsOf(line) {
  const packets = [...line.packets.values()].map(({ p, send, arrivals, loss }, index) => ({
    p, index, item: send, sent: send.i, from: send.h, to: send.d, at: send.t, kind: kindOf(send),
    arrivals: arrivals.map((item) => ({ i: item.i, at: item.t, host: item.h, twice: Boolean(item.dup) })),
    lost: loss && { i: loss.i, at: loss.t, why: loss.why ?? '' },
  }));
  const usual = usualFlights(packets);
  for (const packet of packets) {
    packet.flight = packet.arrivals.length ? packet.arrivals[0].at - packet.at : 0;
    packet.late = packet.flight > 2 * usual.get(way(packet)) && packet.flight > 1e6;
  }
  overtake(packets);
  return packets;
}

const way = (packet) => packet.from * 64 + packet.to;

// usualFlights is the median of the flights in each direction.
function usualFlights(packets) {
  const flights = new Map();
  for (const packet of packets) {
    if (!flights.has(way(packet))) flights.set(way(packet), []);
    if (packet.arrivals.length) flights.get(way(packet)).push(packet.arrivals[0].at - packet.at);
  }
  const usual = new Map();
  for (const [key, list] of flights) usual.set(key, median(list));
  return usual;
}

function median(list) {
  if (list.length === 0) return 0;
  const sorted = Float64Array.from(list).sort();
  return sorted[(sorted.length - 1) >> 1];
}

// overtake marks the packets that arrive before one that was sent earlier the same way,
// and is not itself marked as late.
function overtake(packets) {
  const last = new Map();
  for (const packet of packets) {
    if (packet.arrivals.length === 0) continue;
    const at = packet.arrivals[0].at;
    const before = last.get(way(packet));
    packet.overtakes = before !== undefined && at < before;
    if (!packet.late && (before === undefined || at > before)) last.set(way(packet), at);
  }
}

/** kindOf tells segments apart for the eye: one word decides line and mark. */
export function kindOf(item) {
  const flags = item.flags ?? '';
  if (item.icmp) return 'icmp';
  if (flags.includes('R')) return 'reset';
  if (item.probe) return 'probe';
  if (item.again) return 'again';
  if (flags.includes('S')) return 'syn';
  if (flags.includes('F')) return 'fin';
  return item.len > 0 ? 'data' : 'ack';
}

/**
 * labelOf is the label of a segment in about room characters. Of a long one words
 * are left out, the least important first.
 */
export function labelOf(item, room) {
  if (item.icmp) return `ICMP ${item.icmp}`;
  const names = flagNames(item.flags);
  const said = names.join(' ') || '–';
  const short = (names.filter((name) => name !== 'PSH' && (name !== 'ACK' || names.includes('SYN'))).join(' ') || names.at(-1)) ?? '–';
  const seq = [`seq ${item.seq ?? 0}`];
  const ack = names.includes('ACK') ? [`ack ${item.ack ?? 0}`] : [];
  const len = item.len ? [`len ${item.len}`] : [];
  const sack = (item.sack ?? []).map(([from, upto]) => `sack ${from}–${upto}`);
  const one = item.len || /[SFR]/.test(item.flags ?? '') ? seq : ack;
  const forms = [
    [said, ...seq, ...ack, ...len, ...sack, `win ${item.win ?? 0}`],
    [said, ...seq, ...ack, ...len, ...sack],
    [said, ...seq, ...ack, ...len],
    [said, ...one, ...len],
    [short, ...one, ...len],
    [short, ...len],
    [short],
  ].map((form) => form.join(' '));
  return forms.find((text) => text.length <= room) ?? forms.at(-1);
}

/**
 * layout places the items. opt.hosts is how many lifelines there are, opt.narrow
 * whether notes stand inside (a phone), opt.zoom scales, opt.fold folds idle.
 */
export function layout(items, packets, opt = {}) {
  const { hosts = 2, narrow = false, zoom = 1, fold = true } = opt;
  const row = Math.max(4, ROW * zoom);
  const flight = median(packets.filter((packet) => packet.arrivals.length).map((packet) => packet.flight));
  const perNano = (FLIGHT * zoom) / Math.max(flight, 1e5);
  const y = new Float64Array(items.length);
  const folds = [];
  const notes = [];
  const times = [];
  const inside = (host) => narrow || (host > 0 && host < hosts - 1); // its notes have no margin
  const lastLabel = new Float64Array(hosts + 1).fill(-1e9); // of segments, by sending host
  const lastNote = new Float64Array(hosts + 1).fill(-1e9);
  const lastArrival = new Float64Array(hosts + 1).fill(-1e9);
  let at = 0;
  let height = TOP;
  for (let i = 0; i < items.length; i++) {
    const item = items[i];
    let here = height;
    if (item.t > at) {
      const gap = gapHeight((item.t - at) * perNano, fold);
      here += gap.height;
      if (gap.folded) folds.push({ y1: height, y2: here, from: at, to: item.t, i });
      at = item.t;
    }
    const host = sideOf(item, hosts);
    if (item.k === 'send') {
      here = Math.max(here, lastLabel[host] + row, lastArrival[host] + Math.min(TURN, row));
      if (inside(host)) here = Math.max(here, lastNote[host] + NOTE_ROW + 4);
      lastLabel[host] = here;
    } else if (item.k === 'arrive') {
      here = Math.max(here, lastArrival[host] + Math.min(ARRIVAL, row));
      lastArrival[host] = here;
    } else if (isNoted(item)) {
      const within = inside(host) && !(narrow && item.k === 'state');
      here = Math.max(here, lastNote[host] + NOTE_ROW);
      if (within) here = Math.max(here, lastLabel[host] + CLEAR);
      lastNote[host] = here;
      notes.push({ i, host, y1: here, y2: here, within });
    }
    if (TIMED.has(item.k) && item.t !== times.at(-1)?.t && !(here < times.at(-1)?.y1 + NOTE_ROW)) times.push({ y1: here, y2: here, t: item.t });
    y[i] = here;
    height = here;
  }
  const plan = {
    y, folds, notes, times, items, packets, row, perNano, hosts, narrow,
    height: height + BOTTOM,
    yAt: (t) => heightAt(items, y, t),
    timeAt: (h) => timeAt(items, y, h, perNano),
  };
  placeAll(packets, plan, flight);
  cross(packets);
  plan.bands = bandsOf(items, y, hosts, height + BOTTOM / 2);
  plan.timers = timersOf(items, y, plan);
  plan.says = items.flatMap((item, i) => (item.k === 'say' ? [{ i, id: item.id, y1: y[i], y2: y[i] }] : []));
  const buckets = intoBuckets(plan);
  plan.within = (y1, y2) => within(buckets, y1, y2);
  return plan;
}

// sideOf is the host of an item; what has none has a side of its own.
function sideOf(item, hosts) {
  const h = item.h ?? 0;
  return h < 0 || h >= hosts ? hosts : h;
}

/**
 * isNoted says whether an item bears a note. Of timers only those that ran out do: a
 * bar shows the others.
 */
function isNoted(item) {
  if (item.k === 'timer') return item.ev === 'fired' && TIMERS.includes(item.slot);
  if (item.k === 'plugin') return item.verdict !== 'pass';
  return NOTED.has(item.k);
}

/** gapHeight is in scale up to LINEAR; beyond it grows with the logarithm. */
export function gapHeight(scaled, fold) {
  if (scaled <= LINEAR) return { height: scaled, folded: false };
  if (!fold) return { height: Math.min(scaled, UNFOLDED_MOST), folded: scaled > UNFOLDED_MOST };
  return { height: LINEAR + 10 * Math.log2(scaled / LINEAR), folded: scaled > 2 * LINEAR };
}

// placeAll gives the packets their heights. A lost one goes a part of the way, as steep
// as the one before it.
function placeAll(packets, plan, flight) {
  const usual = usualFlights(packets);
  const before = new Map(); // by way, the last packet that arrived
  for (const packet of packets) {
    packet.y1 = plan.y[packet.sent];
    packet.y2 = packet.y1;
    packet.free = 1;
    for (const arrival of packet.arrivals) {
      arrival.y = plan.y[arrival.i];
      packet.y2 = Math.max(packet.y2, arrival.y);
    }
    const key = way(packet);
    if (packet.arrivals.length) {
      before.set(key, packet);
      continue;
    }
    const time = usual.get(key) || flight;
    const near = before.get(key);
    const fall = near && packet.at - near.at < time ? PART * (near.arrivals[0].y - near.y1) : plan.yAt(packet.at + PART * time) - packet.y1;
    packet.y2 = packet.y1 + Math.max(STUB[0], Math.min(STUB[1], fall));
  }
}

// cross finds the packets of which the ways cross, one sent soon after the other: free is
// the part of its way that the label of each has, so that two do not meet.
function cross(packets) {
  packets.forEach((packet, k) => {
    for (let n = k + 1; n < packets.length && n < k + NEAR && packets[n].y1 < packet.y2; n++) {
      const other = packets[n];
      if (other.from !== packet.to || other.to !== packet.from) continue;
      const at = (1 + (other.y1 - packet.y1) / (packet.y2 - packet.y1)) / 2;
      packet.free = Math.min(packet.free, at);
      if (at < 0.7) other.free = Math.min(other.free, 1 - at); // a longer label leaves it room
    }
  });
}

function heightAt(items, y, t) {
  const i = lastUpTo(items.length, (k) => items[k].t, t);
  if (i < 0) return TOP;
  if (i + 1 >= items.length) return y[i];
  const span = items[i + 1].t - items[i].t;
  return span > 0 ? y[i] + ((t - items[i].t) / span) * (y[i + 1] - y[i]) : y[i];
}

// timeAt is the instant at a height; below the last item time goes on in scale.
function timeAt(items, y, h, perNano) {
  const i = lastUpTo(items.length, (k) => y[k], h);
  if (i < 0) return 0;
  if (i + 1 >= items.length) return items[i].t + (h - y[i]) / perNano;
  const span = y[i + 1] - y[i];
  return span > 0 ? items[i].t + ((h - y[i]) / span) * (items[i + 1].t - items[i].t) : items[i].t;
}

// bandsOf gives each connection's states as bands along its host's lifeline, with the
// lane that keeps connections that live at once apart.
function bandsOf(items, y, hosts, end) {
  const bands = [];
  const open = new Map(); // host/conn -> its band
  const lanes = Array.from({ length: hosts }, () => []); // lane -> the connection in it
  items.forEach((item, i) => {
    if (item.k === 'host') {
      for (const [key, band] of open) if (band.host === (item.h ?? 0) && item.what !== 'shut') finish(key, band, y[i]);
      return;
    }
    if (item.k !== 'state') return;
    const host = item.h ?? 0;
    if (host < 0 || host >= hosts) return;
    const key = `${host}/${item.c ?? 0}`;
    const before = open.get(key);
    let lane = before?.lane;
    if (before) {
      before.y2 = y[i];
      open.delete(key);
    } else {
      lane = lanes[host].findIndex((taken) => taken === null);
      if (lane < 0) lane = lanes[host].length;
    }
    if (item.to === 'CLOSED') {
      lanes[host][lane] = null;
      return;
    }
    lanes[host][lane] = key;
    const band = { host, conn: item.c ?? 0, state: item.to, lane, i, y1: y[i], y2: end };
    bands.push(band);
    open.set(key, band);
  });
  function finish(key, band, at) {
    band.y2 = at;
    lanes[band.host][band.lane] = null;
    open.delete(key);
  }
  return [...listening(items, y, bands, hosts, end), ...bands];
}

// listening fills what is between the connections of a host that listens.
function listening(items, y, bands, hosts, end) {
  const found = [];
  for (let host = 0; host < hosts; host++) {
    if (!items.some((item) => item.k === 'state' && item.h === host && item.from === 'LISTEN')) continue;
    const taken = bands.filter((band) => band.host === host && band.lane === 0);
    items.forEach((item, i) => {
      if (item.k !== 'host' || item.h !== host || item.what === 'boot') return;
      const boot = items.findIndex((later, k) => k > i && later.k === 'host' && later.h === host && later.what === 'boot');
      taken.push({ y1: y[i], y2: boot < 0 ? end : y[boot] });
    });
    taken.sort((a, b) => a.y1 - b.y1);
    let at = 0;
    for (const { y1, y2 } of [...taken, { y1: end, y2: end }]) {
      if (y1 - at > 1) found.push({ host, conn: 0, state: 'LISTEN', lane: 0, i: -1 - found.length, y1: at, y2: y1 });
      at = Math.max(at, y2);
    }
  }
  return found;
}

// timersOf gives the spans in which a timer ran: from its arming to its end, or to when
// it is due where the timeline ends before.
function timersOf(items, y, plan) {
  const spans = [];
  const open = new Map();
  const close = (key, i, ended) => {
    const span = open.get(key);
    if (!span) return;
    open.delete(key);
    span.y2 = y[i];
    span.until = items[i].t;
    span.ended = ended;
  };
  const states = new Map();
  items.forEach((item, i) => {
    const conn = `${item.h ?? 0}/${item.c ?? 0}`;
    const key = `${conn}/${item.slot}`;
    if (item.k === 'state') {
      states.set(conn, item.to);
      const span = open.get(`${conn}/wait`); // it may be armed on the way into TIME-WAIT
      if (span && items[span.i].n === item.n) span.state = item.to;
    }
    if (item.k === 'state' && item.to === 'CLOSED') {
      for (const slot of TIMERS) close(`${conn}/${slot}`, i, 'stopped');
    }
    if (item.k !== 'timer' || !TIMERS.includes(item.slot)) return;
    if (item.ev === 'armed') {
      close(key, i, 'moved');
      const span = { host: item.h ?? 0, conn: item.c ?? 0, slot: item.slot, i, at: item.t, due: item.due, y1: y[i], y2: y[i], ended: '', state: states.get(conn) ?? '' };
      open.set(key, span);
      spans.push(span);
    } else {
      close(key, i, item.ev);
    }
  });
  for (const span of open.values()) {
    span.until = Math.min(span.due, items.at(-1).t);
    span.y2 = plan.yAt(span.until);
  }
  for (const span of spans) span.lane = TIMERS.indexOf(span.slot) % TIMER_LANES;
  return spans;
}

function intoBuckets(plan) {
  const kinds = ['packets', 'notes', 'bands', 'timers', 'folds', 'says', 'times'];
  const buckets = kinds.map((kind) => [kind, new Map()]);
  for (const [kind, map] of buckets) {
    for (const thing of plan[kind]) {
      const last = Math.floor(thing.y2 / BUCKET);
      for (let b = Math.floor(thing.y1 / BUCKET); b <= last; b++) {
        if (!map.has(b)) map.set(b, []);
        map.get(b).push(thing);
      }
    }
  }
  return buckets;
}

// within gives what touches a range of heights, each thing once, in its order.
function within(buckets, y1, y2) {
  const found = {};
  const last = Math.floor(y2 / BUCKET);
  for (const [kind, map] of buckets) {
    const set = new Set();
    for (let b = Math.floor(y1 / BUCKET); b <= last; b++) {
      for (const thing of map.get(b) ?? []) if (thing.y2 >= y1 && thing.y1 <= y2) set.add(thing);
    }
    found[kind] = [...set];
  }
  return found;
}

// The timeline of a run, folded to what holds at any of its items. Nothing here
// knows of the page: Node tests it.
import { lastUpTo } from './search.mjs';

/**
 * An Item is one thing that happened, as core/scenario writes it. A field that is
 * zero is left out there, and put back by Timeline.push.
 * @typedef {object} Item
 * @property {number} i    its place in the timeline
 * @property {number} n    the step of the run that it belongs to
 * @property {number} t    when, in nanoseconds
 * @property {string} k    send arrive lose state drop timer rtt cwnd phase rexmit tcb mem know call read host plugin violation say conn soft end
 * @property {number} [h]  the host, an index into header.hosts
 * @property {number} [d]  send: the host it goes to, -1 nobody
 * @property {number} [c]  the connection, a number within its host
 * @property {number} [p]  the packet
 * @property {string} [flags]  send: "S", "S.", ".", "F.", "P.", "R"
 * @property {number} [seq]    send, relative; rseq as on the wire
 * @property {number} [ack]    send, relative; rack as on the wire
 * @property {number} [len]    send: octets of data
 * @property {number} [win]    send: the field's value; wnd scaled
 * @property {boolean} [again] send: a retransmission
 * @property {boolean} [dup]   arrive: the second copy
 * @property {string} [from]   state, phase
 * @property {string} [to]     state, phase
 * @property {string} [rule]   the name of the rule that says so
 * @property {object} [d]      tcb: what changed, by name (send has a number here)
 */

/**
 * A Conn is what is known of one connection of a host.
 * @typedef {object} Conn
 * @property {number} c
 * @property {string} [local]    its end, "10.0.0.1:40000"
 * @property {string} [remote]   the other
 * @property {boolean} [passive] whether it was opened by a listener
 * @property {string} state      the RFC's name: "SYN-SENT"
 * @property {string} from       the state before, "" for none
 * @property {string} rule       the rule of the edge taken last
 * @property {number} edge       the item of that edge, -1 for none
 * @property {Object<string,number|string>} tcb  by name, "SND.NXT"
 * @property {Object<string,{armed:number,due:number}>} timers  those that run
 * @property {number} touched    the last item that told of it
 */

/**
 * A HostState is what is known of one host.
 * @typedef {object} HostState
 * @property {string} name
 * @property {string} addr
 * @property {boolean} up
 * @property {Object<number,Conn>} conns
 * @property {{held:number,conns:number,half:number,ghosts:number,timewaits:number,backlog:number}} mem
 */

/**
 * A State is what holds after an item. It is never changed: the next one shares
 * what stayed the same.
 * @typedef {object} State
 * @property {number} i          the item, -1 before the first
 * @property {number} t
 * @property {number} n
 * @property {HostState[]} hosts
 * @property {Object<number,Flow>} flows
 * @property {number} said       the item of the last "say", -1 for none
 * @property {number} wrong      how many invariants broke
 * @property {Spent} spent       what it has cost
 */

/**
 * @typedef {object} Spent
 * @property {number} packets
 * @property {number} octets     with their headers
 * @property {number} data       octets of data alone
 * @property {number} resent     segments
 * @property {number} lost
 * @property {number} resets
 * @property {number} opened     connections
 * @property {number} timewaits  connections that were in TIME-WAIT
 */

/**
 * @typedef {object} Flow
 * @property {{sendOK:boolean,recvOK:boolean}[]} know  what each end knows: that its octets arrive, that it hears the other
 * @property {number[]} read     octets read at each end
 * @property {boolean[]} wrong   whether they differ from what was written
 */

const noMem = { held: 0, conns: 0, half: 0, ghosts: 0, timewaits: 0, backlog: 0 };
const nothing = { packets: 0, octets: 0, data: 0, resent: 0, lost: 0, resets: 0, opened: 0, timewaits: 0 };
const noFlow = { know: [{ sendOK: false, recvOK: false }, { sendOK: false, recvOK: false }], read: [0, 0], wrong: [false, false] };

/** start is the state before anything happened. */
export function start(header) {
  const hosts = (header?.hosts ?? []).map((host) => ({ name: host.name, addr: host.addr ?? '', up: true, conns: {}, mem: noMem }));
  return { i: -1, t: 0, n: 0, hosts, flows: {}, said: -1, wrong: 0, spent: nothing };
}

/** apply returns the state after item. */
export function apply(state, item) {
  const next = { ...state, i: item.i, t: item.t, n: item.n };
  switch (item.k) {
    case 'send':
      next.spent = sent(state.spent, item);
      break;
    case 'lose':
      next.spent = { ...state.spent, lost: state.spent.lost + 1 };
      break;
    case 'conn':
      withConn(next, item, (conn) => { Object.assign(conn, { local: item.local, remote: item.remote, passive: !!item.passive, state: item.passive ? 'LISTEN' : 'CLOSED' }); });
      break;
    case 'state':
      withConn(next, item, (conn) => {
        Object.assign(conn, { from: item.from ?? conn.state, state: item.to, rule: item.rule ?? '', edge: item.i });
        if (item.to === 'CLOSED') conn.timers = {};
      });
      if (item.to === 'TIME-WAIT') next.spent = { ...state.spent, timewaits: state.spent.timewaits + 1 };
      break;
    case 'tcb':
      withConn(next, item, (conn) => {
        conn.tcb = { ...conn.tcb, ...item.d };
        if (typeof item.d.state === 'string') conn.state = item.d.state;
      });
      break;
    case 'cwnd':
      withConn(next, item, (conn) => { conn.tcb = { ...conn.tcb, cwnd: item.cwnd, ssthresh: item.ssthresh, flight: item.flight }; });
      break;
    case 'rtt':
      withConn(next, item, (conn) => { conn.tcb = { ...conn.tcb, srtt: item.srtt, rttvar: item.var, rto: item.rto }; });
      break;
    case 'phase':
      withConn(next, item, (conn) => { conn.tcb = { ...conn.tcb, phase: item.to }; });
      break;
    case 'timer':
      withConn(next, item, (conn) => {
        conn.timers = { ...conn.timers };
        if (item.ev === 'armed') conn.timers[item.slot] = { armed: item.t, due: item.due };
        else delete conn.timers[item.slot];
      });
      break;
    case 'mem':
      withHost(next, item.h, (host) => {
        host.mem = {};
        for (const name in noMem) host.mem[name] = item[name] ?? 0;
      });
      break;
    case 'host':
      withHost(next, item.h, (host) => {
        if (item.what === 'crash') Object.assign(host, { up: false, conns: {}, mem: noMem });
        if (item.what === 'boot') host.up = true;
      });
      break;
    case 'know':
      withFlow(next, item.f, (flow) => {
        flow.know = flow.know.with(item.who, { sendOK: !!item.sendOK, recvOK: !!item.recvOK });
      });
      break;
    case 'read':
      withFlow(next, item.f, (flow) => {
        const who = item.who ?? 0;
        flow.read = flow.read.with(who, flow.read[who] + (item.octets ?? 0));
        if (item.wrong) flow.wrong = flow.wrong.with(who, true);
      });
      break;
    case 'say':
      next.said = item.i;
      break;
    case 'violation':
      next.wrong++;
      break;
  }
  return next;
}

// sent adds a packet to what was spent.
function sent(spent, { flags = '', len, again, opts }) {
  const opens = flags.includes('S') && !flags.includes('.') && !again;
  return {
    ...spent, packets: spent.packets + 1, octets: spent.octets + len + headers(opts), data: spent.data + len,
    resent: spent.resent + (again ? 1 : 0), resets: spent.resets + (flags.includes('R') ? 1 : 0), opened: spent.opened + (opens ? 1 : 0),
  };
}

// headers counts the octets of those of a packet: IPv4, TCP, and its options with their padding.
function headers(opts) {
  if (!opts) return 40;
  const options = ('mss' in opts ? 4 : 0) + ('wscale' in opts ? 3 : 0) + (opts.sackok ? 2 : 0) + ('tsval' in opts ? 10 : 0)
    + (opts.sack ? 2 + 4 * opts.sack.length : 0);
  return 40 + Math.ceil(options / 4) * 4;
}

function withHost(state, h, change) {
  if (!state.hosts[h]) return;
  const host = { ...state.hosts[h] };
  change(host);
  state.hosts = state.hosts.with(h, host);
}

function withConn(state, item, change) {
  withHost(state, item.h, (host) => {
    const c = item.c ?? 0;
    const conn = { c, state: 'CLOSED', from: '', rule: '', edge: -1, tcb: {}, timers: {}, ...host.conns[c], touched: item.i };
    change(conn);
    host.conns = { ...host.conns, [c]: conn };
  });
}

function withFlow(state, f, change) {
  const flow = { ...(state.flows[f] ?? noFlow) };
  change(flow);
  state.flows = { ...state.flows, [f]: flow };
}

/**
 * A Packet is the way of one packet through the timeline.
 * @typedef {object} Packet
 * @property {number} p
 * @property {Item} send
 * @property {Item[]} arrivals
 * @property {Item|null} loss
 */

const every = 200; // items between two kept states
// which fields of which kinds may be left out because they are zero
const zeroes = {
  send: ['h', 'd', 'c', 'p', 'seq', 'ack', 'rseq', 'rack', 'len', 'win', 'wnd'],
  arrive: ['h', 'p'], lose: ['p'], conn: ['h', 'c'], state: ['h', 'c'], drop: ['h', 'c'], timer: ['h', 'c', 'due'], rtt: ['h', 'c', 'sample', 'srtt', 'var', 'rto'],
  cwnd: ['h', 'c', 'cwnd', 'ssthresh', 'flight'], phase: ['h', 'c'], rexmit: ['h', 'c', 'seq', 'len'], tcb: ['h', 'c'], mem: ['h'],
  know: ['f', 'who'], call: ['h', 'f'], read: ['h', 'f'], host: ['h'], plugin: ['h', 'c'], say: ['id'],
};

/**
 * A Timeline holds the items of a run as they come, and gives the state after any
 * of them: at most 200 are applied for that, from a state that was kept.
 */
export class Timeline {
  constructor(header) {
    this.header = header;
    /** @type {Item[]} */ this.items = [];
    /** @type {Map<number,Packet>} */ this.packets = new Map();
    this.segments = []; // the places of the send items
    this.states = []; // of the state items
    this.says = []; // of the say items
    this.plugins = []; // of what plugins said and did
    this.kept = [start(header)]; // kept[k] is the state after item k*every-1
    this.last = this.kept[0];
  }

  /** push appends items in their order. */
  push(items) {
    for (const item of items) {
      item.i = this.items.length;
      item.t ??= 0;
      item.n ??= 0;
      for (const field of zeroes[item.k] ?? []) item[field] ??= 0;
      this.items.push(item);
      if (item.k === 'send') {
        this.segments.push(item.i);
        this.packets.set(item.p, { p: item.p, send: item, arrivals: [], loss: null });
      } else if (item.k === 'arrive') {
        this.packets.get(item.p)?.arrivals.push(item);
      } else if (item.k === 'lose') {
        const packet = this.packets.get(item.p);
        if (packet) packet.loss = item;
      } else if (item.k === 'state') {
        this.states.push(item.i);
      } else if (item.k === 'say') {
        this.says.push(item.i);
      } else if (item.k === 'plugin') {
        this.plugins.push(item.i);
      }
      if (item.i % every === every - 1) {
        // in order, so each kept state is at most 200 items from the one before
        this.kept.push(this.#from(this.kept.at(-1), item.i));
      }
    }
  }

  #from(state, i) {
    for (let k = state.i + 1; k <= i; k++) state = apply(state, this.items[k]);
    return state;
  }

  /** at returns the state after item i; -1 is before the first. @returns {State} */
  at(i) {
    i = Math.max(-1, Math.min(i, this.items.length - 1));
    const kept = this.kept[Math.floor((i + 1) / every)];
    const near = this.last.i <= i && this.last.i >= kept.i ? this.last : kept;
    this.last = this.#from(near, i);
    return this.last;
  }

  /** upTo returns the last item that happened at t or before, -1 if none did. */
  upTo(t) {
    return lastUpTo(this.items.length, (i) => this.items[i].t, t);
  }

  /**
   * next returns the item that a step from i leads to: kind is "event" (all that
   * happens at one instant), "segment", "state" or "say"; dir is 1 or -1. Where
   * there is none it is the end, or -1.
   */
  next(i, kind, dir) {
    const list = { segment: this.segments, state: this.states, say: this.says }[kind];
    if (list) {
      const found = dir > 0 ? list.find((at) => at > i) : list.findLast((at) => at < i);
      return found ?? (dir > 0 ? this.items.length - 1 : -1);
    }
    if (dir > 0) {
      if (i + 1 >= this.items.length) return this.items.length - 1;
      return this.#endOf(i + 1);
    }
    const first = this.#startOf(i);
    return first - 1;
  }

  // items of one step of the run belong together
  #endOf(i) {
    while (i + 1 < this.items.length && this.items[i + 1].n === this.items[i].n && this.items[i + 1].t === this.items[i].t) i++;
    return i;
  }

  #startOf(i) {
    if (i < 0) return 0;
    while (i > 0 && this.items[i - 1].n === this.items[i].n && this.items[i - 1].t === this.items[i].t) i--;
    return i;
  }

  /** When the last item happened. */
  get end() {
    return this.items.at(-1)?.t ?? 0;
  }
}

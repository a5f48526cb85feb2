// What the page knows, as signals, and what can be done to it, as functions. Views
// read signals and call actions; nothing else changes them.
import { signal, computed, batch } from './lib/preact.mjs';
import { Axis } from './axis.mjs';
import { Timeline } from './fold.mjs';
import { catalogue, lang } from './words.mjs';
import { pluginsOf } from './scenario.mjs';
import { print } from './link.mjs';
import { itemOf } from './items.mjs';

/** @typedef {import('./fold.mjs').State} State */
/** @typedef {import('./fold.mjs').Conn} Conn */

/**
 * A Segment is what a view shows of a packet.
 * @typedef {import('./fold.mjs').Packet} Segment
 */

/**
 * A Run is one run of a scenario. Its fields change only with its version.
 * @typedef {object} Run
 * @property {number} key        its own, for as long as the page is open
 * @property {string} id         the scenario's id, as "H5-two-way"
 * @property {string} name       "A", "B", ...
 * @property {string} text       the scenario
 * @property {string[]} extra    the lines added to it
 * @property {object} header     hosts, links, seed, as core/scenario writes them; {hosts: []} until they have come
 * @property {Timeline} line     its items; line.items, line.packets, line.at(i)
 * @property {boolean} ended     whether the engine has come to the end
 * @property {string} hash       the trace hash, 16 hexadecimal digits, "" until it has ended
 * @property {object[]} checks   what was expected, held or not
 * @property {null|{kind:string, message:string, line?:number, column?:number, what?:string, do?:string}} error
 */

// ---- what the page is like -------------------------------------------------

/** "auto", "light" or "dark". */
export const theme = signal('auto');
/** Whether letters and signs are keys wherever the focus is. WCAG 2.2, 2.1.4: one can switch that off. */
export const letters = signal(true);
/** Whether the narration speaks plain words (the dialogue) instead of the RFC's. */
export const plain = signal(false);
/** Whether the window is too narrow for three columns. */
const narrow = signal(false);
/** Whether who looks wants little motion. */
const still = signal(false);
if (globalThis.matchMedia) {
  for (const [is, query] of [[narrow, '(max-width: 1180px)'], [still, '(prefers-reduced-motion: reduce)']]) {
    const media = matchMedia(query);
    is.value = media.matches;
    media.addEventListener('change', () => { is.value = media.matches; });
  }
}
/**
 * How far the engine is.
 * @type {{value: {phase: 'waiting'|'fetching'|'starting'|'ready'|'failed', done: number, total: number, message: string}}}
 */
export const engine = signal({ phase: 'waiting', done: 0, total: 0, message: '' });
/** What to tell the user: {id, kind, text, act?}, newest last. */
export const notices = signal([]);
/** The panels beside the ladder: what is at the cursor first, then what is done to a run. */
export const panels = ['states', 'segment', 'knowledge', 'held', 'gauges', 'graphs', 'table', 'network', 'plugins', 'compare', 'takeaway', 'explain'];
/** The one chosen. */
export const panel = signal('states');
/** The dialog that is open, "" for none. */
export const dialog = signal('');

// ---- runs ------------------------------------------------------------------

/** @type {{value: Run[]}} the runs kept, at most most */
export const runs = signal([]);
export const most = 4;
/** The key of the run on show. */
export const shown = signal(0);
/** The key of the run beside it, 0 for none. */
export const beside = signal(0);
/** Counts whenever a run got more items, an end, an error. */
export const version = signal(0);

/** The run on show, or null. @type {{value: Run|null}} */
export const run = computed(() => runs.value.find((r) => r.key === shown.value) ?? null);
/** The run beside it, or null. @type {{value: Run|null}} */
export const other = computed(() => (beside.value === shown.value ? null : runs.value.find((r) => r.key === beside.value) ?? null));

/** Whether the lessons are folded away: on a narrow page, and beside two ladders. */
export const tight = computed(() => narrow.value || other.value !== null);

// ---- the cursor ------------------------------------------------------------

/** The last item that has happened; -1 before the first. */
export const cursor = signal(-1);
/** The time, in nanoseconds; while playing it runs on between items. */
export const now = signal(0);
export const playing = signal(false);
/** 0.01 to 1000. Until the user has chosen one it is such that a segment's way takes a second or two. */
export const speed = signal(1);
/** What a step is: "event", "segment", "state" or "say". */
export const grain = signal('segment');
/** Whether idle stretches are short. */
export const folded = signal(true);
/** What is picked, or null: a packet of a run. @type {{value: null|{p: number, run: number}}} */
export const selection = signal(null);
/** The connection that panels show of each host, by host: set by picking one; see connOf. */
export const focus = signal({});

/** The state of the run on show at the cursor. @type {{value: State|null}} */
export const state = computed(() => {
  version.value;
  return run.value ? run.value.line.at(cursor.value) : null;
});
/** The cursor of the run beside, by time. */
export const otherCursor = computed(() => {
  version.value;
  return other.value ? other.value.line.upTo(now.value) : -1;
});
/** The state of the run beside. @type {{value: State|null}} */
export const otherState = computed(() => (other.value ? other.value.line.at(otherCursor.value) : null));
/** Where each time lies: the same for ladder, graphs, the scrub bar and a comparison. @type {{value: Axis}} */
export const axis = computed(() => {
  version.value;
  const times = run.value ? run.value.line.items.map((it) => it.t) : [];
  if (other.value) {
    for (const it of other.value.line.items) times.push(it.t);
    times.sort((a, b) => a - b);
  }
  return new Axis(times, folded.value);
});
/**
 * What the inspector shows: the packet picked, else the last one that was sent, while time
 * stands still. @type {{value: null|{p: number, run: number}}}
 */
export const inspected = computed(() => {
  version.value;
  if (selection.value || playing.value || !run.value) return selection.value;
  const { line, key } = run.value;
  const last = line.segments.findLast((i) => i <= cursor.value);
  return last === undefined ? null : { p: line.items[last].p, run: key };
});

/**
 * connOf returns the connection of host h to show: the one in focus if it lives, else the
 * one that something happened to last. @returns {Conn|null}
 */
export function connOf(st, h) {
  const conns = Object.values(st?.hosts[h]?.conns ?? {});
  const chosen = conns.find((conn) => conn.c === focus.value[h]);
  return chosen ?? conns.reduce((best, conn) => (best && best.touched >= conn.touched ? best : conn), null);
}

/** The side of a host, "a" or "b": its colour is var(--a) or var(--b). */
export function side(h) {
  return h % 2 === 0 ? 'a' : 'b';
}

/** The fragment of the address that shows this again, "" if it would be too long. */
export const fragment = computed(() => {
  version.value; // the lines added are no signal
  const r = run.value;
  if (!r) return '';
  return print({
    s: r.id, x: r.extra, i: cursor.value, b: other.value?.id, bx: other.value?.extra, lang: lang.value, plain: plain.value,
  });
});

// ---- the engine behind it --------------------------------------------------

// The engine is given by app.mjs, so that tests can give another.
let backend = null;

/** connect gives the store its engine: an Engine of engine.mjs, or what stands for it in a test. */
export function connect(engineLike) {
  backend = engineLike;
}

let keys = 0;

function newRun(id, text, extra) {
  const names = ['A', 'B', 'C', 'D'];
  const used = new Set(runs.value.map((r) => r.name));
  return {
    key: ++keys, id, name: names.find((name) => !used.has(name)) ?? '?', text, extra, header: { hosts: [] },
    line: new Timeline({ hosts: [] }), ended: false, hash: '', checks: [], error: null, before: null,
  };
}

// load has the engine run r, from its text. What there was stays on show until the
// first items of the new run have come.
function load(r) {
  Object.assign(r, { coming: null, ended: false, hash: '', checks: [], error: null });
  version.value++;
  backend?.open(r, files.value);
}

// arrive puts the run that was made again in the place of the one before.
function arrive(r) {
  if (!r.coming) return;
  Object.assign(r, { header: r.coming, line: new Timeline(r.coming), coming: null });
}

/** What the engine tells of a run; engine.mjs calls it. */
export const heard = {
  header(key, header) {
    change(key, (r) => { Object.assign(r, { coming: header, error: null }); });
  },
  items(key, items) {
    change(key, (r) => {
      arrive(r);
      const known = r.line.packets.size > 8;
      r.line.push(items.map((it) => itemOf(it, catalogue.value)));
      if (key === shown.value && !known) chooseSpeed(r.line);
    });
    if (key === shown.value && wanted !== null) settle(wanted, false);
  },
  ended(key, { hash, checks, steps }) {
    change(key, (r) => {
      arrive(r);
      Object.assign(r, { ended: true, hash, checks, steps });
    });
    if (key === shown.value && wanted !== null) settle(wanted, true);
  },
  failed(key, error) {
    change(key, (r) => { r.error = error; });
  },
  phase(how) {
    engine.value = how;
  },
  // The run before the last change comes back; without one, what came of it stays.
  hung(key) {
    const r = runs.value.find((candidate) => candidate.key === key);
    if (!r) {
      notice('info', { id: 'page.hung-idle' });
      return;
    }
    const plugins = pluginsOf(r.text, r.extra);
    const back = r.before?.pop();
    notice('wrong', { id: back ? 'page.hung-back' : 'page.hung', values: { run: r.name, id: r.id, plugins: plugins.join(', ') || '–' } });
    if (back) {
      r.extra = back;
      load(r);
    } else {
      change(key, () => { r.error = { kind: 'hung', message: '' }; });
    }
  },
};

function change(key, how) {
  const r = runs.value.find((candidate) => candidate.key === key);
  if (!r) return;
  how(r);
  version.value++;
}

// While a run is made again the cursor goes back to where it was as soon as the
// items reach there: wanted is that time or that item.
let wanted = null;

function settle(want, ended) {
  const line = run.value.line;
  if (want.i !== undefined) {
    if (want.i >= line.items.length && !ended) return;
    wanted = null;
    seek(want.i);
  } else {
    if (line.end <= want.t && !ended) return;
    wanted = null;
    seekTime(want.t);
  }
}

/** What the user uploaded: [{name, octets: Uint8Array}]. */
export const files = signal([]);

const shipped = new Map();

/** pluginFile returns the octets of a shipped plugin, null if there is none of the name. */
export async function pluginFile(name) {
  if (!catalogue.value?.plugins.some((one) => one.name === name)) return null;
  if (!shipped.has(name)) {
    const response = await fetch(`plugins/${name}.wasm`);
    if (!response.ok) return null;
    shipped.set(name, new Uint8Array(await response.arrayBuffer()));
  }
  return shipped.get(name);
}

// ---- actions ---------------------------------------------------------------

/**
 * open shows a scenario of the catalogue from its beginning, as the only run.
 * @param {string} id
 * @param {string[]} [extra] lines added to it
 * @param {{i?: number, play?: boolean}} [how]
 */
export function open(id, extra = [], how = {}) {
  const scenario = catalogue.value?.scenarios.find((s) => s.id === id);
  if (!scenario) return false;
  openText(id, scenario.text, extra, how);
  return true;
}

/** openText shows a scenario by its text. */
export function openText(id, text, extra = [], how = {}) {
  batch(() => {
    for (const r of runs.value) backend?.close(r.key);
    runs.value = [];
    const r = newRun(id, text, extra);
    runs.value = [r];
    shown.value = r.key;
    beside.value = 0;
    selection.value = null;
    focus.value = {};
    cursor.value = -1;
    now.value = 0;
    playing.value = !!how.play;
    wanted = how.i === undefined ? null : { i: how.i };
    load(r);
  });
}

/**
 * edit adds lines to the run on show and makes it again; the cursor stays at its time.
 * A line as "fault packet 5 lose" changes what happens from there on only.
 */
export function edit(lines) {
  if (run.value) setExtra([...run.value.extra, ...lines]);
}

/** setExtra replaces the lines added. */
export function setExtra(lines) {
  const r = run.value;
  if (!r) return;
  batch(() => {
    r.before = [...(r.before ?? []), r.extra].slice(-50);
    r.extra = lines;
    wanted = { t: now.value };
    selection.value = null;
    load(r);
  });
}

/** undo takes the last change of the run on show back. */
export function undo() {
  const r = run.value;
  if (!r?.before?.length) return;
  batch(() => {
    r.extra = r.before.pop();
    wanted = { t: now.value };
    load(r);
  });
}

/** branch keeps the run on show beside a copy of it, which is shown and takes the lines. */
export function branch(lines = []) {
  const from = run.value;
  if (!from || runs.value.length >= most) return false;
  batch(() => {
    const r = newRun(from.id, from.text, [...from.extra, ...lines]);
    runs.value = [...runs.value, r];
    wanted = { t: now.value };
    shown.value = r.key;
    beside.value = from.key;
    load(r);
  });
  return true;
}

/** compare puts a scenario beside the run on show. */
export function compare(id, extra = []) {
  const scenario = catalogue.value?.scenarios.find((s) => s.id === id);
  if (!scenario || !run.value) return false;
  batch(() => {
    if (runs.value.length >= most) drop(runs.value.find((r) => r.key !== shown.value).key);
    const r = newRun(id, scenario.text, extra);
    runs.value = [...runs.value, r];
    beside.value = r.key;
    load(r);
  });
  return true;
}

/** show puts a run that is kept on show; the one that was goes beside it. */
export function show(key) {
  if (key === shown.value || !runs.value.some((r) => r.key === key)) return;
  batch(() => {
    beside.value = shown.value;
    shown.value = key;
    selection.value = null;
    cursor.value = run.value.line.upTo(now.value);
  });
}

/** setBeside chooses the run beside; 0 for none. */
export function setBeside(key) {
  beside.value = key;
}

/** drop forgets a run; not the last one. */
export function drop(key) {
  if (runs.value.length < 2) return;
  batch(() => {
    backend?.close(key);
    runs.value = runs.value.filter((r) => r.key !== key);
    if (beside.value === key) beside.value = 0;
    if (shown.value === key) {
      shown.value = runs.value[0].key;
      if (beside.value === shown.value) beside.value = 0;
      cursor.value = run.value.line.upTo(now.value);
    }
  });
}

/** seek moves the cursor to an item. */
export function seek(i) {
  const line = run.value?.line;
  if (!line) return;
  goOn(i === Infinity && !run.value.ended);
  batch(() => {
    cursor.value = Math.max(-1, Math.min(i, line.items.length - 1));
    now.value = cursor.value < 0 ? 0 : line.items[cursor.value].t;
  });
}

/** seekTime moves the cursor to a time. */
export function seekTime(t) {
  const line = run.value?.line;
  if (!line) return;
  goOn(false);
  batch(() => {
    now.value = Math.max(0, Math.min(t, end()));
    cursor.value = t < 0 ? -1 : line.upTo(now.value);
  });
}

// goOn has the cursor go to the end when there is one, for who has asked for the end of
// a run that is still being made; or no longer.
function goOn(yes) {
  if (yes) wanted = { i: Infinity };
  else if (wanted?.i === Infinity) wanted = null;
}

/** end is when the last thing happens, in both runs. */
export function end() {
  return Math.max(run.value?.line.end ?? 0, other.value?.line.end ?? 0);
}

/**
 * step moves to the next (dir 1) or the one before (dir -1).
 * @param {'event'|'segment'|'state'|'say'} kind
 */
export function step(kind, dir) {
  const line = run.value?.line;
  if (!line) return;
  playing.value = false;
  selection.value = null;
  seek(line.next(cursor.value, kind, dir));
}

/** play starts, from the beginning if it stands at the end. */
export function play() {
  if (!run.value) return;
  if (run.value.ended && now.value >= end()) {
    cursor.value = -1;
    now.value = 0;
  }
  playing.value = true;
}

export function pause() {
  playing.value = false;
}

let speedChosen = false;

/** setSpeed is the user's choice. */
export function setSpeed(times) {
  speedChosen = true;
  speed.value = Math.max(0.01, Math.min(1000, times));
}

function chooseSpeed(line) {
  if (speedChosen) return;
  const ways = [...line.packets.values()].filter(({ arrivals }) => arrivals.length).map(({ send, arrivals }) => arrivals[0].t - send.t);
  if (!ways.length) return;
  const way = Math.max(1e6, Math.min(...ways)); // of the first few, so that one that was held up does not count
  const fits = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10];
  speed.value = fits.findLast((times) => way / times >= 1e9) ?? fits[0];
}

/** select picks a packet of a run (of the one on show), or nothing. */
export function select(p, key = shown.value) {
  selection.value = p === null || p === undefined ? null : { p, run: key };
  if (selection.value) panel.value = 'segment';
}

let noticeIds = 0;
/**
 * notice tells the user; kind is "info" or "wrong"; what it says stays until it is put away.
 * text is a text, or {id, values} of a word, which follows the language.
 */
export function notice(kind, text, act) {
  const id = ++noticeIds;
  notices.value = [...notices.value.slice(-3), { id, kind, text, act }];
  return id;
}

export function dismiss(id) {
  notices.value = notices.value.filter((n) => n.id !== id);
}

// around is when something happens last before a time, or at it, and next after it.
function around(t, lines) {
  let before = 0;
  let after = Infinity;
  for (const line of lines) {
    if (!line) continue;
    const at = line.upTo(t);
    if (at >= 0) before = Math.max(before, line.items[at].t);
    if (at + 1 < line.items.length) after = Math.min(after, line.items[at + 1].t);
  }
  return [before, after === Infinity ? t : after];
}

// With idle time folded nobody waits longer than so many nanoseconds for the next thing.
const longest = 1.3e9;

// How far the time has come while what is shown stands still between two things.
let passed = { shown: 0, t: 0 };

/**
 * tick lets dt nanoseconds of the wall's clock pass while it plays. Where little motion
 * is wanted nothing travels: each thing is there when its time has come.
 */
export function tick(dt) {
  const line = run.value?.line;
  if (!playing.value || !line) return;
  const lines = [line, other.value?.line];
  const from = passed.shown === now.value ? passed.t : now.value;
  let t = from + dt * speed.value;
  if (folded.value) {
    const [before, after] = around(from, lines);
    t = Math.max(t, Math.min(after, from + (after - before) * dt / longest));
  }
  const stop = end();
  passed = { t, shown: still.value ? around(t, lines)[0] : t };
  batch(() => {
    if (t >= stop) {
      if (run.value.ended) playing.value = false;
      passed = { t: stop, shown: stop };
    }
    now.value = passed.shown;
    cursor.value = line.upTo(passed.shown);
  });
}

/** The octets of a packet of a run, a Promise of a Uint8Array. */
export function octetsOf(p, key = shown.value) {
  return backend ? backend.packet(key, p) : Promise.reject(new Error('no engine'));
}

/** The engine, for what is asked of it once: pcapng, log, fingerprint, check. */
export function ask(what, ...args) {
  return backend ? backend[what](shown.value, ...args) : Promise.reject(new Error('no engine'));
}

// The wrapper of the module that package hosts/wasm builds; tcpkit.d.ts, beside it,
// says what everything is for. It needs nothing but plugins.mjs.
import { Plugins } from './plugins.mjs';

/** What the engine or a plugin's policy has against a call, in words. */
export class TcpkitError extends Error {
  name = 'TcpkitError';
  /** Whether the module has ended, so that it can do nothing any more. */
  ended = false;
}

/** What a call returns that can do nothing now and is no error: kit.Again. */
const AGAIN = -0x80000000;
/** clock.Never. */
const NEVER = 0x7fffffffffffffffn;

const READY = { readable: 1, writable: 2, connected: 4, closed: 8, softError: 16, urgent: 32, acceptable: 128 };
const SHUT = { read: 1, write: 2 };
const OPTIONS = [
  'no-delay', 'cork', 'keepalive', 'quick-ack', 'user-timeout', 'linger', 'send-buffer', 'receive-buffer', 'ttl', 'tos',
];
const EVENT_KINDS = [
  'none', 'transition', 'segment-in', 'segment-out', 'drop', 'timer-armed', 'timer-fired', 'rtt', 'congestion',
  'recovery', 'retransmit', 'soft-error', 'urgent', 'ready', 'window', 'accept', 'plugin',
];
const EVENT_SIZE = 56;
/** How many lines of its last words an error has when the module ends itself. */
const MOST_LINES = 12;

/** load makes an instance of the module. */
export async function load(source, options = {}) {
  const module = await compile(await source);
  const exported = WebAssembly.Module.exports(module).map(({ name }) => name);
  if (!['memory', '_initialize', 'tcpkit_buffer'].every((name) => exported.includes(name))) throw new TcpkitError("this is a WASM module, but not tcpkit's");
  const plugins = options.plugins === false ? undefined : new Plugins();
  const wasi = new Wasi(options.stderr ?? ((text) => console.error(text)));
  const instance = await WebAssembly.instantiate(module, {
    wasi_snapshot_preview1: wasi.imports,
    tcpkit: plugins?.imports ?? { plugin: () => -2n },
  });
  wasi.attach(instance.exports.memory);
  plugins?.attach(instance.exports);
  instance.exports._initialize();
  return new Kit(instance.exports, plugins);
}

async function compile(source) {
  if (source instanceof WebAssembly.Module) return source;
  if (source instanceof ArrayBuffer || ArrayBuffer.isView(source)) return WebAssembly.compile(source);
  if (typeof source === 'string' || source instanceof URL) return compile(await get(source));
  if (!source.ok) throw new TcpkitError(`get the module: ${source.status} ${source.statusText}`);
  if (source.headers.get('content-type')?.startsWith('application/wasm')) return WebAssembly.compileStreaming(source);
  return WebAssembly.compile(await source.arrayBuffer());
}

/** get also reads files in Node, of which fetch knows nothing. */
async function get(address) {
  const url = new URL(address, globalThis.location?.href ?? import.meta.url);
  if (url.protocol !== 'file:') return fetch(url);
  const { readFile } = await import('node:fs/promises');
  return readFile(url);
}

/** The ten calls of WASI that Go's runtime imports, with nothing behind them but a clock, randomness and a place for its last words. */
class Wasi {
  #memory;
  #said = '';
  #lines = []; // the last it said
  #say;

  constructor(say) {
    this.#say = say;
  }

  attach(memory) {
    this.#memory = memory;
  }

  get #data() {
    return new DataView(this.#memory.buffer);
  }

  #none(count, size) {
    this.#data.setUint32(count, 0, true);
    this.#data.setUint32(size, 0, true);
    return 0;
  }

  #write(stream, vectors, count, written) {
    const BADF = 8;
    if (stream !== 1 && stream !== 2) return BADF;
    const data = this.#data;
    let size = 0;
    for (let k = 0; k < count; k++) {
      const part = new Uint8Array(data.buffer, data.getUint32(vectors + 8 * k, true), data.getUint32(vectors + 8 * k + 4, true));
      this.#said += new TextDecoder().decode(part);
      size += part.length;
    }
    data.setUint32(written, size, true);
    const lines = this.#said.split('\n');
    this.#said = lines.pop();
    this.#lines = [...this.#lines, ...lines].slice(-MOST_LINES);
    lines.forEach((line) => this.#say(line));
    return 0;
  }

  /** #poll is asked to wait, which a page can not: all that is waited for has happened. */
  #poll(from, to, count, happened) {
    const data = this.#data;
    for (let k = 0; k < count; k++) {
      const [asked, answer] = [from + 48 * k, to + 32 * k];
      new Uint8Array(data.buffer, answer, 32).fill(0);
      data.setBigUint64(answer, data.getBigUint64(asked, true), true);
      data.setUint8(answer + 10, data.getUint8(asked + 8));
    }
    data.setUint32(happened, count, true);
    return 0;
  }

  #random(at, size) {
    const most = 65536; // of one call of getRandomValues
    for (let done = 0; done < size; done += most) {
      crypto.getRandomValues(new Uint8Array(this.#memory.buffer, at + done, Math.min(most, size - done)));
    }
    return 0;
  }

  imports = {
    sched_yield: () => 0,
    proc_exit: (code) => { throw Object.assign(new TcpkitError(`the module has ended with code ${code}: ${[...this.#lines, this.#said].join('\n')}`), { ended: true }); },
    args_get: () => 0,
    args_sizes_get: (count, size) => this.#none(count, size),
    environ_get: () => 0,
    environ_sizes_get: (count, size) => this.#none(count, size),
    clock_time_get: (clock, precision, at) => {
      this.#data.setBigInt64(at, BigInt(Math.round(performance.now() * 1e6)), true);
      return 0;
    },
    fd_write: (...a) => this.#write(...a),
    poll_oneoff: (...a) => this.#poll(...a),
    random_get: (at, size) => this.#random(at >>> 0, size >>> 0),
  };
}

/** An instant in nanoseconds as the module has it. */
function instant(now) {
  if (!Number.isSafeInteger(now) || now < 0) throw new TcpkitError(`${now} is no time; give nanoseconds as a whole number`);
  return BigInt(now);
}

function hex(octets) {
  return Array.from(octets, (b) => b.toString(16).padStart(2, '0')).join('');
}

/** A Kit is one instance of the module. */
export class Kit {
  /** The plugins that run beside it. */
  plugins;
  #exports;

  constructor(exports, plugins) {
    this.#exports = exports;
    this.plugins = plugins;
  }

  stack(options) {
    return Stack.make(this, options);
  }

  run(text, extra = '') {
    return Run.make(this, text, extra);
  }

  file(name, octets) {
    const [head, all] = join(name, octets);
    this.call('tcpkit_file', head, this.put(all));
  }

  transfer(octets, mtu = 1500) {
    return this.call('tcpkit_transfer', BigInt(octets), mtu);
  }

  /** put leaves octets or a text in the buffer and returns how many octets they are. */
  put(what) {
    const octets = typeof what === 'string' ? new TextEncoder().encode(what) : what;
    const at = this.#exports.tcpkit_buffer(octets.length) >>> 0;
    if (at === 0) throw new TcpkitError(`${octets.length} octets are more than the buffer holds`);
    new Uint8Array(this.#exports.memory.buffer).set(octets, at);
    return octets.length;
  }

  /** taken is a copy of what the last call has left in the buffer. */
  taken(size) {
    const at = this.#exports.tcpkit_buffer(0) >>> 0;
    return new Uint8Array(this.#exports.memory.buffer).slice(at, at + size);
  }

  /** call calls an export that returns a number, and throws what it has left if that is an error. */
  call(name, ...args) {
    const n = this.#exports[name](...args);
    if (n < 0 && n !== AGAIN) throw new TcpkitError(new TextDecoder().decode(this.taken(-n)));
    return n;
  }

  /** octets calls an export that leaves octets; text, one that leaves a text. */
  octets(name, ...args) {
    return this.taken(this.call(name, ...args));
  }

  text(name, ...args) {
    return new TextDecoder().decode(this.octets(name, ...args));
  }

  /** time calls an export that returns an instant. */
  time(name, ...args) {
    const at = this.#exports[name](...args);
    if (at < 0n) throw new TcpkitError('there is nothing behind this handle; it was freed');
    return at === NEVER ? Infinity : Number(at);
  }
}

/** join puts octets behind a text, and also tells how long that is. */
function join(text, octets) {
  const head = new TextEncoder().encode(text);
  const all = new Uint8Array(head.length + octets.length);
  all.set(head);
  all.set(octets, head.length);
  return [head.length, all];
}

/** A Stack is one host on one link. */
export class Stack {
  #kit;
  #handle;
  #connections = new Map();
  #listeners = new Map();

  constructor(kit, handle) {
    this.#kit = kit;
    this.#handle = handle;
  }

  static make(kit, { addresses, mtu = 1500, profile = 'linux', set = {}, plugins = [], secret }) {
    const word = (text) => (/^[^\s"#]+$/.test(text) ? text : `"${text}"`);
    const words = [
      ...addresses, 'mtu', String(mtu), 'profile', profile,
      ...Object.entries(set).flatMap(([name, value]) => ['set', `${name}=${value}`]),
      ...plugins.flatMap((spec) => ['plugin', spec]),
    ].map(word).join(' ');
    const key = secret ?? crypto.getRandomValues(new Uint8Array(16));
    if (key.length !== 16) throw new TcpkitError('a secret has 16 octets');
    const [, all] = join(words, key);
    return new Stack(kit, kit.call('tcpkit_stack_new', kit.put(all)));
  }

  /** call calls an export with this stack. */
  call(name, ...args) {
    return this.#kit.call(name, this.#handle, ...args);
  }

  /** put is the kit's. */
  put(what) {
    return this.#kit.put(what);
  }

  taken(size) {
    return this.#kit.taken(size);
  }

  input(now, packet) {
    this.call('tcpkit_stack_input', instant(now), this.put(packet));
  }

  output(now) {
    const size = this.call('tcpkit_stack_output', instant(now));
    return size === 0 ? undefined : this.taken(size);
  }

  * outputs(now) {
    for (let packet = this.output(now); packet; packet = this.output(now)) yield packet;
  }

  expire(now) {
    this.call('tcpkit_stack_expire', instant(now));
  }

  deadline() {
    return this.#kit.time('tcpkit_stack_deadline', this.#handle);
  }

  ready() {
    const size = this.call('tcpkit_stack_ready');
    if (size === 0) return undefined;
    const record = new DataView(this.taken(size).buffer);
    const [what, connection, listener] = [0, 4, 8].map((at) => record.getUint32(at, true));
    return {
      connection: connection ? this.#connection(connection) : undefined,
      listener: listener ? this.#listener(listener) : undefined,
      ...Object.fromEntries(Object.entries(READY).map(([name, bit]) => [name, (what & bit) !== 0])),
    };
  }

  * readies() {
    for (let ready = this.ready(); ready; ready = this.ready()) yield ready;
  }

  listen(now, local, { backlog = -1 } = {}) {
    const text = typeof local === 'number' ? `:${local}` : local;
    return this.#listener(this.call('tcpkit_listen', instant(now), backlog, this.put(text)));
  }

  dial(now, remote, local = '') {
    return this.#connection(this.call('tcpkit_dial', instant(now), this.put(local ? `${remote} ${local}` : remote)));
  }

  record(kinds = EVENT_KINDS.slice(1)) {
    const bits = kinds.map((kind) => {
      const bit = EVENT_KINDS.indexOf(kind);
      if (bit < 1) throw new TcpkitError(`there is no kind of event ${kind}`);
      return 1 << bit;
    });
    this.call('tcpkit_stack_record', bits.reduce((mask, bit) => mask | bit, 0));
  }

  events() {
    const all = [];
    for (let size = this.call('tcpkit_stack_events'); size > 0; size = this.call('tcpkit_stack_events')) {
      const records = new DataView(this.taken(size).buffer);
      for (let at = 0; at < size; at += EVENT_SIZE) all.push(readEvent(records, at));
    }
    return all;
  }

  hash() {
    return hex(this.taken(this.call('tcpkit_stack_hash')));
  }

  fingerprint(now) {
    return hex(this.taken(this.call('tcpkit_stack_fingerprint', instant(now))));
  }

  capture(most = 16e6) {
    this.call('tcpkit_stack_capture', most);
  }

  pcapng() {
    return this.taken(this.call('tcpkit_stack_pcapng'));
  }

  status(now) {
    return JSON.parse(this.#kit.text('tcpkit_stack_status', this.#handle, instant(now)));
  }

  plugin(now, spec) {
    this.call('tcpkit_stack_plugin', instant(now), this.put(spec));
  }

  pluginErrors() {
    const lines = this.#kit.text('tcpkit_stack_plugin_errors', this.#handle).split('\n').filter(Boolean);
    return lines.map((line) => {
      const [name, ...error] = line.split('\t');
      return { name, error: error.join('\t') };
    });
  }

  clone() {
    return new Stack(this.#kit, this.call('tcpkit_stack_clone'));
  }

  connection(of) {
    return this.#connection(of.id);
  }

  listener(of) {
    return this.#listener(of.id);
  }

  free() {
    this.call('tcpkit_stack_free');
  }

  /** forget is told by a connection or a listener that nobody holds any more. */
  forget(one) {
    (one instanceof Listener ? this.#listeners : this.#connections).delete(one.id);
  }

  #connection(id) {
    return once(this.#connections, id, () => new Connection(this, id));
  }

  #listener(id) {
    return once(this.#listeners, id, () => new Listener(this, id));
  }
}

/** once is what a map has under a key, made if it is not there. */
function once(map, key, make) {
  if (!map.has(key)) map.set(key, make());
  return map.get(key);
}

function readEvent(records, at) {
  const word = (k) => records.getBigUint64(at + 8 * k, true);
  const octet = (k) => records.getUint8(at + 16 + k);
  return {
    at: Number(records.getBigInt64(at, true)),
    connection: records.getUint32(at + 8, true),
    packet: records.getUint32(at + 12, true),
    rule: records.getUint16(at + 16, true),
    kind: EVENT_KINDS[octet(2)] ?? 'unknown',
    from: octet(3),
    to: octet(4),
    by: octet(5),
    a: word(3),
    b: word(4),
    c: word(5),
    d: word(6),
  };
}

/** A Listener is a port that is open. */
export class Listener {
  constructor(stack, id) {
    this.stack = stack;
    this.id = id;
  }

  accept(now) {
    const id = this.stack.call('tcpkit_accept', this.id, instant(now));
    return id === AGAIN ? undefined : this.stack.connection({ id });
  }

  close(now) {
    this.stack.call('tcpkit_unlisten', this.id, instant(now));
    this.stack.forget(this);
  }
}

/** A Connection is one end of a connection. */
export class Connection {
  constructor(stack, id) {
    this.stack = stack;
    this.id = id;
  }

  #call(name, now, ...args) {
    return this.stack.call(name, this.id, instant(now), ...args);
  }

  read(now, most = 65536) {
    const n = this.#call('tcpkit_read', now, most);
    return n === AGAIN ? undefined : this.stack.taken(n);
  }

  write(now, octets) {
    const n = this.#call('tcpkit_write', now, this.stack.put(octets));
    return n === AGAIN ? 0 : n;
  }

  shutdown(now, what) {
    this.#call('tcpkit_shutdown', now, SHUT[what] ?? 0);
  }

  close(now) {
    this.#call('tcpkit_close', now);
    this.stack.forget(this);
  }

  abort(now) {
    this.#call('tcpkit_abort', now);
    this.stack.forget(this);
  }

  set(now, option, value) {
    const number = OPTIONS.indexOf(option) + 1;
    this.#call('tcpkit_set', now, number, BigInt(value));
  }

  status(now) {
    return this.stack.status(now).find((row) => row.id === this.id);
  }

  error() {
    const size = this.stack.call('tcpkit_error', this.id);
    return size === 0 ? undefined : new TextDecoder().decode(this.stack.taken(size));
  }
}

/** A Run is one run of a scenario. */
export class Run {
  #kit;
  #handle;
  #hosts;

  constructor(kit, handle) {
    this.#kit = kit;
    this.#handle = handle;
  }

  static make(kit, text, extra) {
    const [head, all] = join(text, new TextEncoder().encode(extra));
    return new Run(kit, kit.call('tcpkit_run_new', head, kit.put(all)));
  }

  #call(name, ...args) {
    return this.#kit.call(name, this.#handle, ...args);
  }

  #octets(name, ...args) {
    return this.#kit.octets(name, this.#handle, ...args);
  }

  #json(name, ...args) {
    return JSON.parse(this.#kit.text(name, this.#handle, ...args));
  }

  /** #host is the number of a host that may be called by its name. */
  #host(host) {
    if (typeof host === 'number') return host;
    this.#hosts ??= this.head().hosts.map(({ name }) => name);
    const found = this.#hosts.indexOf(host);
    if (found < 0) throw new TcpkitError(`there is no host ${host}; the hosts are ${this.#hosts.join(', ')}`);
    return found;
  }

  step(n = 1) {
    return this.#call('tcpkit_run_step', n);
  }

  finish() {
    this.#call('tcpkit_run_finish');
  }

  seek(step) {
    this.#call('tcpkit_run_seek', step);
  }

  get at() {
    return this.#call('tcpkit_run_at');
  }

  get steps() {
    return this.#call('tcpkit_run_steps');
  }

  get ended() {
    return this.#call('tcpkit_run_ended') === 1;
  }

  get length() {
    return this.#call('tcpkit_run_length');
  }

  head() {
    return this.#json('tcpkit_run_head');
  }

  items(from = 0, upto = 0x7fffffff) {
    return JSON.parse(this.itemsText(from, upto));
  }

  itemsText(from = 0, upto = 0x7fffffff) {
    return this.#kit.text('tcpkit_run_items', this.#handle, from, upto);
  }

  itemsOctets(from = 0, upto = 0x7fffffff) {
    return this.#octets('tcpkit_run_items', from, upto);
  }

  view(host) {
    return this.#json('tcpkit_run_view', this.#host(host));
  }

  packet(id) {
    return this.#octets('tcpkit_run_packet', id);
  }

  pcapng(host) {
    return this.#octets('tcpkit_run_pcapng', this.#host(host));
  }

  check() {
    return this.#json('tcpkit_run_check');
  }

  hash() {
    return hex(this.#octets('tcpkit_run_hash'));
  }

  fingerprint() {
    return hex(this.#octets('tcpkit_run_fingerprint'));
  }

  clone() {
    return new Run(this.#kit, this.#call('tcpkit_run_clone'));
  }

  free() {
    this.#call('tcpkit_run_free');
  }
}

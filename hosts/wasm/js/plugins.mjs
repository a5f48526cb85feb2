// Plugins run beside the engine's module: the embedder's side of the protocol that
// the last chapter of package plugins/abi writes down.
//
//   const plugins = new Plugins();
//   const { instance } = await WebAssembly.instantiate(module, { tcpkit: plugins.imports, ... });
//   plugins.attach(instance.exports);
//
// All numbers below are those of plugins/abi/abi.go and plugins/abi/embed.go.

const HOOK_START = 0x106;
const HOOK_FETCH = 0x107;
const HOOK_CLOSE = 0x108;
const HOOK_INIT = 0x101;
const TRAPPED = -1n;

const FRAME_FUEL = 0;
const FRAME_TRAP = 8;
const FRAME_ARG = 12;
const FRAME_IMAGE = 16;
const FRAME_SIZE = 20;
const FRAME_NAMES = 24;
const FRAME_NAMES_SIZE = 28;
const FRAME_PARTS = 32;
const FRAME_PART = 36;

const TRAP_OTHER = 1;
const TRAP_UNREACHABLE = 2;
const TRAP_MEMORY = 3;
const TRAP_TABLE = 4;
const TRAP_DIVIDE = 5;
const TRAP_RANGE = 6;
const TRAP_STACK = 7;
const TRAP_FUEL = 8;
const TRAP_EXIT = 9;
const TRAP_EARLY = 10;
const TRAP_REFUSED = 11;

const ASK_LOG = 1;
const ASK_METRIC = 2;
const ASK_NOW = 3;
const ASK_RANDOM = 4;
const ASK_GET = 5;
const ASK_SET = 6;
const ASK_ARM = 7;
const ASK_INJECT = 8;
const ASK_CLOCK = 16;
const ASK_SLEEP = 17;
const ASK_WRITE = 18;
const ASK_REFUSED = 32;

const IMPORT_COST = 128n;
const LOG_SIZE = 1024;
const WASI_SIZE = 4096;

// What WASI's functions return.
const SUCCESS = 0;
const BADF = 8;
const INVAL = 28;

const MOST_VECTORS = 16;
const SUBSCRIPTION = { size: 48, tag: 8, timeout: 24, absolute: 40 };
const EVENT = { size: 32, error: 8, type: 10 };

// What engines say of traps: V8, SpiderMonkey, JavaScriptCore. The first that fits
// counts.
const SAID = [
  [/unreachable/i, TRAP_UNREACHABLE],
  [/call stack|recursion/i, TRAP_STACK],
  [/indirect|\btable\b|element segment|null function|signature/i, TRAP_TABLE],
  [/zero/i, TRAP_DIVIDE],
  [/overflow|unrepresentable|conversion|trunc/i, TRAP_RANGE],
  [/memory|data segment|index out of bounds/i, TRAP_MEMORY],
];

/** A Trap is thrown through a plugin to end it. */
class Trap extends Error {
  constructor(code) {
    super(`trap ${code}`);
    this.code = code;
  }
}

function trapOf(error) {
  if (error instanceof Trap) return error.code;
  const text = String(error?.message);
  return SAID.find(([said]) => said.test(text))?.[1] ?? TRAP_OTHER;
}

/** A View is the memory of an instance as it is now: it moves when it grows. */
class View {
  #memory;
  #data;
  #octets;

  constructor(memory) {
    this.#memory = memory;
  }

  #look() {
    const { buffer } = this.#memory;
    if (this.#data?.buffer !== buffer) {
      this.#data = new DataView(buffer);
      this.#octets = new Uint8Array(buffer);
    }
  }

  get data() {
    this.#look();
    return this.#data;
  }

  get octets() {
    this.#look();
    return this.#octets;
  }

  get size() {
    return this.#memory.buffer.byteLength;
  }
}

/** An Instance is a plugin that runs. */
class Instance {
  #plugins;
  #id;
  #instance;
  #names;
  #view; // undefined while the start function runs
  #buffer = 0;
  #size = 0;

  constructor(plugins, id, module, names) {
    this.#plugins = plugins;
    this.#id = id;
    this.#names = names;
    this.#instance = new WebAssembly.Instance(module, {
      tcpkit: this.#priced(this.#host()),
      wasi_snapshot_preview1: this.#priced(this.#wasi()),
    });
    if (this.exports.memory) this.#view = new View(this.exports.memory);
  }

  get exports() {
    return this.#instance.exports;
  }

  /** What of its budget a call has left. */
  get fuel() {
    return this.exports.tcpkit_fuel.value;
  }

  set fuel(value) {
    this.exports.tcpkit_fuel.value = value;
  }

  /** call does what a hook says with the frame at an address of the engine's memory. */
  call(hook, frame, engine) {
    if (hook === HOOK_FETCH) {
      this.#copy(frame, engine, false);
      return 0n;
    }
    const name = this.#names.get(hook);
    const call = this.exports[name];
    if (typeof call !== 'function') throw new Trap(TRAP_OTHER);
    const argument = engine.data.getUint32(frame + FRAME_ARG, true);
    if (!(hook >> 8 === 1 && (hook & 0xff) < 2)) {
      this.fuel = engine.data.getBigInt64(frame + FRAME_FUEL, true);
      this.#copy(frame, engine, true);
    }
    const result = call(argument | 0);
    if (hook === HOOK_INIT) {
      this.#buffer = result >>> 0;
      this.#size = argument;
      engine.data.setUint32(frame + FRAME_SIZE, this.#view.size, true);
    }
    return BigInt(typeof result === 'number' ? result >>> 0 : result);
  }

  /** #copy copies the parts of the frame between the image and the buffer. */
  #copy(frame, engine, into) {
    const { data, octets } = engine;
    const image = data.getUint32(frame + FRAME_IMAGE, true);
    const count = data.getUint32(frame + FRAME_PARTS, true);
    for (let k = 0; k < count; k++) {
      const at = data.getUint32(frame + FRAME_PART + 8 * k, true);
      const size = data.getUint32(frame + FRAME_PART + 8 * k + 4, true);
      if (at + size > this.#size) throw new Trap(TRAP_MEMORY);
      const here = this.#octets(this.#buffer + at, size);
      const there = octets.subarray(image + at, image + at + size);
      if (into) here.set(there);
      else there.set(here);
    }
  }

  /** #octets is a part of the plugin's memory, good until it runs again. */
  #octets(at, size) {
    if (at + size > this.#view.size) throw new Trap(TRAP_MEMORY);
    return this.#view.octets.subarray(at, at + size);
  }

  #ask(what, a, b) {
    return this.#plugins.ask(this.#id, what, a, b);
  }

  #tell(what, a, octets) {
    return this.#plugins.tell(this.#id, what, a, octets);
  }

  #pay(cost) {
    this.fuel -= BigInt(cost);
    if (this.fuel < 0n) throw new Trap(TRAP_FUEL);
  }

  /** #priced has each function pay before it does anything. */
  #priced(functions) {
    return Object.fromEntries(Object.entries(functions).map(([name, call]) => [name, (...args) => {
      if (!this.#view) throw new Trap(TRAP_EARLY);
      this.#pay(IMPORT_COST);
      return call(...args.map((a) => (typeof a === 'number' ? a >>> 0 : a)));
    }]));
  }

  /** #host has the functions of tcpkit. */
  #host() {
    return {
      log: (level, at, size) => {
        const text = this.#octets(at, size).subarray(0, LOG_SIZE);
        this.#pay(text.length);
        this.#tell(ASK_LOG, level, text);
      },
      metric: (id, value) => { this.#ask(ASK_METRIC, BigInt(id), value); },
      now: () => this.#ask(ASK_NOW),
      random: () => this.#ask(ASK_RANDOM),
      get: (key) => this.#ask(ASK_GET, key),
      set: (key, value) => Number(this.#ask(ASK_SET, key, value)),
      arm: (id, after) => { this.#ask(ASK_ARM, BigInt(id), after); },
      inject: (at, size) => {
        const record = this.#octets(at, size);
        this.#pay(record.length);
        return Number(this.#tell(ASK_INJECT, undefined, record));
      },
    };
  }

  /** #wasi has what Go's runtime imports. */
  #wasi() {
    const sizes = (count, size) => {
      this.#put32(count, 0);
      this.#put32(size, 0);
      return SUCCESS;
    };
    return {
      sched_yield: () => SUCCESS,
      proc_exit: (code) => { throw new Trap(TRAP_EXIT | (code << 8)); },
      args_get: () => SUCCESS,
      args_sizes_get: sizes,
      environ_get: () => SUCCESS,
      environ_sizes_get: sizes,
      clock_time_get: (clock, precision, at) => {
        this.#octets(at, 8);
        this.#view.data.setBigInt64(at, this.#ask(ASK_CLOCK), true);
        return SUCCESS;
      },
      fd_write: (stream, vectors, count, written) => this.#write(stream, vectors, count, written),
      random_get: (at, size) => this.#random(at, size),
      poll_oneoff: (from, to, count, happened) => this.#poll(from, to, count, happened),
    };
  }

  #put32(at, value) {
    this.#octets(at, 4);
    this.#view.data.setUint32(at, value, true);
  }

  #write(stream, vectors, count, written) {
    if (stream !== 1 && stream !== 2) return BADF;
    if (count > MOST_VECTORS) return INVAL;
    let total = 0;
    for (let k = 0; k < count; k++) {
      const vector = vectors + 8 * k;
      this.#octets(vector, 8);
      const { data } = this.#view;
      const text = this.#octets(data.getUint32(vector, true), data.getUint32(vector + 4, true)).subarray(0, WASI_SIZE - total);
      this.#pay(text.length);
      this.#tell(ASK_WRITE, stream, text);
      total += text.length;
    }
    this.#put32(written, total);
    return SUCCESS;
  }

  #random(at, size) {
    if (size > WASI_SIZE) return INVAL;
    this.#pay(size);
    const octets = this.#octets(at, size);
    const word = new DataView(new ArrayBuffer(8));
    for (let k = 0; k < size; k += 8) {
      word.setBigInt64(0, this.#ask(ASK_RANDOM), true);
      octets.set(new Uint8Array(word.buffer, 0, Math.min(8, size - k)), k);
    }
    return SUCCESS;
  }

  #poll(from, to, count, happened) {
    if (count === 0 || count > MOST_VECTORS) return INVAL;
    for (let k = 0; k < count; k++) {
      const subscription = this.#octets(from + k * SUBSCRIPTION.size, SUBSCRIPTION.size).slice();
      const data = new DataView(subscription.buffer);
      const event = new Uint8Array(EVENT.size);
      event.set(subscription.subarray(0, 8));
      event[EVENT.type] = subscription[SUBSCRIPTION.tag];
      if (subscription[SUBSCRIPTION.tag] === 0) {
        this.#ask(ASK_SLEEP, BigInt(subscription[SUBSCRIPTION.absolute] & 1), data.getBigInt64(SUBSCRIPTION.timeout, true));
      } else {
        event[EVENT.error] = BADF;
      }
      this.#octets(to + k * EVENT.size, EVENT.size).set(event);
    }
    this.#put32(happened, count);
    return SUCCESS;
  }
}

/** Plugins is the embedder of one engine's module. */
export class Plugins {
  #engine;
  #view;
  #instances = new Map();

  /** What the engine's module imports as tcpkit. */
  imports = { plugin: (id, hook, frame) => this.#plugin(id, hook, frame >>> 0) };

  /** attach tells of the exports of the engine's module, before it loads a plugin. */
  attach(exports) {
    this.#engine = exports;
    this.#view = new View(exports.memory);
  }

  /** How many plugins run. */
  get running() {
    return this.#instances.size;
  }

  /** ask asks the engine for what a plugin wants. */
  ask(id, what, a = 0n, b = 0n) {
    return this.#engine.tcpkit_plugin_import(id, what, a, b);
  }

  /** tell is ask with octets, of which the engine gets a copy. */
  tell(id, what, a, octets) {
    const room = this.#engine.tcpkit_plugin_room(id, octets.length) >>> 0;
    if (room === 0 && octets.length > 0) return 0n; // too much: the engine is not told
    this.#view.octets.set(octets, room);
    const size = BigInt(octets.length);
    return a === undefined ? this.ask(id, what, size) : this.ask(id, what, BigInt(a), size);
  }

  #plugin(id, hook, frame) {
    let instance;
    let trap = 0;
    let result = TRAPPED;
    try {
      if (hook === HOOK_CLOSE) {
        this.#instances.delete(id);
        result = 0n;
      } else if (hook === HOOK_START) {
        instance = this.#start(id, frame);
        result = 0n;
      } else {
        instance = this.#instances.get(id);
        if (!instance) throw new Trap(TRAP_OTHER);
        result = instance.call(hook, frame, this.#view);
      }
    } catch (error) {
      trap = trapOf(error);
    }
    instance = this.#instances.get(id);
    if (instance && hook !== HOOK_FETCH) {
      if (trap !== 0 && instance.fuel < 0n) trap = TRAP_FUEL;
      this.#view.data.setBigInt64(frame + FRAME_FUEL, instance.fuel, true);
    }
    this.#view.data.setUint32(frame + FRAME_TRAP, trap, true);
    return result;
  }

  #start(id, frame) {
    const { data, octets } = this.#view;
    const part = (at, size) => {
      const from = data.getUint32(frame + at, true);
      return octets.slice(from, from + data.getUint32(frame + size, true));
    };
    const names = readNames(part(FRAME_NAMES, FRAME_NAMES_SIZE));
    let instance;
    try {
      instance = new Instance(this, id, new WebAssembly.Module(part(FRAME_IMAGE, FRAME_SIZE)), names);
    } catch (error) {
      if (!(error instanceof WebAssembly.CompileError || error instanceof WebAssembly.LinkError)) throw error;
      this.tell(id, ASK_REFUSED, 0, new TextEncoder().encode(error.message));
      throw new Trap(TRAP_REFUSED);
    }
    this.#instances.set(id, instance);
    instance.fuel = this.#view.data.getBigInt64(frame + FRAME_FUEL, true);
    instance.exports._initialize?.();
    return instance;
  }
}

/** readNames reads which export is called for which hook. */
function readNames(octets) {
  const names = new Map();
  const text = new TextDecoder();
  for (let at = 0; at + 3 <= octets.length; at += 3 + octets[at + 2]) {
    names.set(octets[at] | (octets[at + 1] << 8), text.decode(octets.subarray(at + 3, at + 3 + octets[at + 2])));
  }
  return names;
}

// The page's side of the engine: it asks the Worker and waits for the answers, and
// watches it. A Worker that misses a heartbeat is killed, another is started with the
// compiled module at hand, and the runs that were not to blame are made again in it.
import { pluginsOf } from './scenario.mjs';

/**
 * What an Engine tells: phase({phase, done, total, message}), header(key, header),
 * items(key, items), ended(key, {hash, checks, steps}), failed(key, {kind, message}),
 * hung(key): the run that was being made when the Worker did not answer, 0 for none.
 * @typedef {object} Listener
 */

export class Engine {
  #worker = null;
  #module = null;
  #asked = new Map(); // requests by id: {resolve, reject, op}
  #ids = 0;
  #open = new Map(); // runs by key: {make, text, extra, files, ended}
  #makes = 0; // each making of a run has a number, so that what an earlier one still says is not heard
  #working = 0;
  #ping = null; // the ping that is not answered: {missed}
  #clock = null;
  #ready = null;

  /**
   * @param {Listener} listener
   * @param {{spawn?: () => Worker, address?: string, beat?: number, misses?: number, fetchPlugin?: (name: string) => Promise<Uint8Array|null>}} [how]
   *   beat is the time between two heartbeats in ms; so many misses in a row end the Worker.
   */
  constructor(listener, how = {}) {
    this.listener = listener;
    this.spawn = how.spawn ?? (() => new Worker(new URL('./worker.mjs', import.meta.url), { type: 'module' }));
    this.address = how.address ?? 'tcpkit.wasm';
    this.beat = how.beat ?? 1000;
    this.misses = how.misses ?? 2;
    this.fetchPlugin = how.fetchPlugin ?? (async () => null);
  }

  /** start fetches and starts the engine; it resolves once runs can be made. */
  start() {
    this.stop();
    const worker = this.spawn();
    this.#worker = worker;
    worker.onmessage = ({ data }) => worker === this.#worker && this.#heard(data);
    worker.onerror = (event) => {
      event.preventDefault?.();
      if (worker === this.#worker) this.#fail(event.message || 'the Worker could not be started');
    };
    this.#say('fetching', 0, 0);
    const address = new URL(this.address, globalThis.location?.href ?? 'http://localhost/').href;
    this.#ready = this.#ask('begin', { module: this.#module, address }).then(({ module }) => {
      this.#module = module;
      this.#say('ready', 1, 1);
    }, (error) => {
      if (!error.stopped) this.#fail(error.message);
      throw error;
    });
    this.#ready.catch(() => {});
    this.#clock = setInterval(() => this.#listen(), this.beat);
    return this.#ready;
  }

  /** stop ends the Worker; why is told to who still waits for an answer. */
  stop(why = 'the engine was stopped') {
    clearInterval(this.#clock);
    this.#worker?.terminate();
    this.#worker = null;
    for (const { reject } of this.#asked.values()) reject(Object.assign(new Error(why), { stopped: true }));
    this.#asked.clear();
    this.#ping = null;
    this.#working = 0;
  }

  /** open makes a run, and tells the listener of it as it goes. @param {{key:number,text:string,extra:string[]}} run */
  async open({ key, text, extra }, files = []) {
    const mine = { make: ++this.#makes, text, extra, files: [], ended: false };
    this.#open.set(key, mine);
    try {
      mine.files = await this.#plugins(text, extra, files);
      if (!await this.#ready.then(() => true, () => false)) return; // restart will make it
      if (this.#open.get(key) !== mine) return; // opened anew, or closed, meanwhile
      await this.#ask('open', { key, make: mine.make, text, extra, files: mine.files });
    } catch (error) {
      if (this.#open.get(key) === mine && !error.stopped) this.listener.failed(key, { kind: 'engine', message: error.message });
    }
  }

  close(key) {
    this.#open.delete(key);
    this.#ready?.then(() => this.#ask('close', { key })).catch(() => {});
  }

  packet(key, p) { return this.#askOf(key, 'packet', p); }
  pcapng(key, host) { return this.#askOf(key, 'pcapng', host); }
  record(key) { return this.#askOf(key, 'record'); }
  /** seek has the engine itself go to a step: {step, ms, fingerprint, hash}. */
  seek(key, step) { return this.#askOf(key, 'seek', step); }

  // The plugins that a text names, with their octets: uploaded ones first.
  async #plugins(text, extra, uploaded) {
    const found = [];
    for (const name of pluginsOf(text, extra)) {
      const octets = uploaded.find((file) => file.name === name)?.octets ?? await this.fetchPlugin(name).catch((error) => {
        throw new Error(`fetch plugin ${name}: ${error.message}`);
      });
      if (octets) found.push({ name, octets });
    }
    return found;
  }

  // A question about a run waits until the runs are made in a Worker that was just started.
  async #askOf(key, op, ...args) {
    await this.#ready;
    return this.#ask(op, { key, args });
  }

  #ask(op, rest) {
    if (!this.#worker) return Promise.reject(new Error('the engine is not running'));
    const id = ++this.#ids;
    return new Promise((resolve, reject) => {
      this.#asked.set(id, { resolve, reject, op, key: rest.key ?? 0 });
      this.#worker.postMessage({ op, id, ...rest });
    });
  }

  #heard(data) {
    const open = this.#open.get(data.key);
    const mine = open?.make === data.make ? open : undefined;
    switch (data.say) {
      case 'answer': {
        const asked = this.#asked.get(data.id);
        this.#asked.delete(data.id);
        if (asked?.op === 'ping') this.#ping = null;
        if (data.error) asked?.reject(Object.assign(new Error(data.error.message), data.error));
        else asked?.resolve(data.value);
        if (data.error?.dead) this.#without(asked?.op === 'open' ? asked.key : 0, data.error.message);
        break;
      }
      case 'working':
        this.#working = data.key;
        break;
      case 'fetching':
        this.#say('fetching', data.done, data.total);
        break;
      case 'starting':
        this.#say('starting', 1, 1);
        break;
      case 'header':
        if (mine && !data.quiet) this.listener.header(data.key, data.header);
        break;
      case 'items':
        if (mine) this.listener.items(data.key, JSON.parse(new TextDecoder().decode(data.json)));
        break;
      case 'ended':
        if (!mine) break;
        mine.ended = true;
        if (!data.quiet) this.listener.ended(data.key, data);
        break;
      case 'failed':
        if (mine) this.listener.failed(data.key, { kind: data.error.dead ? 'trap' : 'engine', message: data.error.message });
        if (data.error.dead) this.#without(data.key, data.error.message);
        break;
    }
  }

  // listen asks for a sign of life while the Worker has something to do.
  #listen() {
    if (this.#ping) {
      if (++this.#ping.missed >= this.misses) this.#hung();
      return;
    }
    this.#ping = { missed: 0 };
    this.#ask('ping', {}).catch(() => {});
  }

  #hung() {
    // what it was at: the run that it said, or the oldest question about one
    const oldest = [...this.#asked.values()].find((asked) => asked.key);
    const key = this.#working || oldest?.key || 0;
    this.#without(key, 'it did not answer');
    this.listener.hung(key);
  }

  // without starts another Worker, and makes in it all runs but the one that is to blame.
  #without(key, why) {
    this.#open.delete(key);
    this.stop(`the engine was stopped: ${why}`);
    this.restart();
  }

  /** restart starts another Worker and makes all runs in it again; those that had ended say nothing of it. */
  restart() {
    const runs = [...this.#open];
    this.start().then(() => {
      for (const [key, run] of runs) {
        if (this.#open.get(key) === run) this.#ask('open', { key, make: run.make, text: run.text, extra: run.extra, files: run.files, quiet: run.ended }).catch(() => {});
      }
    }, () => {});
  }

  #fail(message) {
    clearInterval(this.#clock); // who is not there does not answer
    this.listener.phase({ phase: 'failed', done: 0, total: 0, message });
  }

  #say(phase, done, total) {
    this.listener.phase({ phase, done, total, message: '' });
  }
}

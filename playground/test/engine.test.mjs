import test from 'node:test';
import assert from 'node:assert/strict';
import { Engine } from '../engine.mjs';

// A Fake stands for the Worker: it answers at once, until it is told to hang.
class Fake {
  static all = [];
  static hangOn = null; // the text of the run that never ends
  static diesOn = null; // of one at which the module ends itself
  static broken = false; // whether there is no module
  constructor() {
    Fake.all.push(this);
    this.got = [];
  }

  postMessage(message) {
    this.got.push(message);
    queueMicrotask(() => this.work(message));
  }

  say(data) {
    if (!this.dead && !this.hangs) this.onmessage({ data });
  }

  work({ op, id, key, make, text, quiet }) {
    if (op === 'begin') {
      if (Fake.broken) this.say({ say: 'answer', id, error: { message: 'no module' } });
      else this.say({ say: 'answer', id, value: { module: 'compiled' } });
    } else if (op === 'open') {
      this.say({ say: 'answer', id });
      this.say({ say: 'working', key });
      if (text === Fake.hangOn) {
        this.hangs = true;
        return;
      }
      if (text === Fake.diesOn) {
        this.say({ say: 'failed', key, make, error: { message: 'unreachable', dead: true } });
        return;
      }
      this.say({ say: 'header', key, make, quiet, header: {} });
      if (!quiet) this.say({ say: 'items', key, make, json: new TextEncoder().encode('[{"k":"send"}]') });
      this.say({ say: 'ended', key, make, quiet, hash: 'h', checks: [], steps: 1 });
      this.say({ say: 'working', key: 0 });
    } else this.say({ say: 'answer', id, value: op });
  }

  terminate() {
    this.dead = true;
  }
}

function engineFor(t) {
  Fake.all = [];
  Object.assign(Fake, { hangOn: null, diesOn: null, broken: false });
  const told = [];
  let hung;
  const wait = new Promise((resolve) => { hung = resolve; });
  const listener = {
    phase: ({ phase }) => told.push(phase), header: (key) => told.push(`header ${key}`), items: (key) => told.push(`items ${key}`), ended: (key) => told.push(`ended ${key}`),
    failed: (key, error) => told.push(`failed ${key} ${error.message}`), hung: (key) => { told.push(`hung ${key}`); hung(); },
  };
  const engine = new Engine(listener, { spawn: () => new Fake(), beat: 5, misses: 2 });
  t.after(() => engine.stop());
  return { engine, told, wait };
}

test('a run is told as it is made', async (t) => {
  const { engine, told } = engineFor(t);
  await engine.start();
  await engine.open({ key: 1, text: 'scenario H1', extra: [] });
  assert.deepEqual(told, ['fetching', 'ready', 'header 1', 'items 1', 'ended 1']);
  assert.equal(await engine.packet(1, 4), 'packet');
});

test('a Worker that does not answer is killed, and the other runs live on in another', async (t) => {
  const { engine, told, wait } = engineFor(t);
  await engine.start();
  await engine.open({ key: 1, text: 'good', extra: ['seed 3'] });
  Fake.hangOn = 'bad';
  engine.open({ key: 2, text: 'bad', extra: [] });
  await wait;
  assert.ok(told.includes('hung 2'), told.join());
  assert.equal(Fake.all.length, 2);
  assert.ok(Fake.all[0].dead);
  assert.equal(await engine.packet(1, 4), 'packet');
  const [begin, open] = Fake.all[1].got;
  assert.equal(begin.module, 'compiled', 'nothing is fetched again');
  assert.deepEqual([open.key, open.text, open.extra, open.quiet], [1, 'good', ['seed 3'], true]);
  assert.ok(!Fake.all[1].got.some((message) => message.key === 2));
});

test('a question that is never answered is refused when the Worker is killed', async (t) => {
  const { engine, wait } = engineFor(t);
  await engine.start();
  await engine.open({ key: 1, text: 'good', extra: [] });
  Fake.all[0].hangs = true;
  await assert.rejects(engine.pcapng(1, 0), /did not answer/);
  await wait;
});

test('what a Worker still says of a run before its last change is not heard', async (t) => {
  const { engine, told } = engineFor(t);
  await engine.start();
  await engine.open({ key: 1, text: 'long', extra: [] });
  const { make } = Fake.all[0].got.find(({ op }) => op === 'open');
  told.length = 0;
  const again = engine.open({ key: 1, text: 'long', extra: ['seed 2'] });
  Fake.all[0].say({ say: 'items', key: 1, make, json: new TextEncoder().encode('[]') });
  Fake.all[0].say({ say: 'ended', key: 1, make, hash: 'old', checks: [], steps: 1 });
  assert.deepEqual(told, []);
  await again;
  assert.deepEqual(told, ['header 1', 'items 1', 'ended 1']);
});

test('a module that ends itself is started anew, with the other runs', async (t) => {
  const { engine, told } = engineFor(t);
  await engine.start();
  await engine.open({ key: 1, text: 'good', extra: [] });
  Fake.diesOn = 'bad';
  await engine.open({ key: 2, text: 'bad', extra: [] });
  assert.ok(told.includes('failed 2 unreachable'), told.join());
  assert.equal(await engine.packet(1, 4), 'packet');
  assert.deepEqual(Fake.all[1].got.filter(({ op }) => op === 'open').map(({ key }) => key), [1]);
});

test('an engine that could not be started is said once, and makes the runs when it is there', async (t) => {
  const { engine, told } = engineFor(t);
  Fake.broken = true;
  await assert.rejects(engine.start(), /no module/);
  await engine.open({ key: 1, text: 'good', extra: [] });
  assert.deepEqual(told, ['fetching', 'failed']);
  await new Promise((resolve) => { setTimeout(resolve, 40); });
  assert.equal(Fake.all.length, 1, 'who is not there is not asked for signs of life');
  Fake.broken = false;
  engine.restart();
  assert.equal(await engine.packet(1, 4), 'packet');
  assert.deepEqual(told.slice(2), ['fetching', 'ready', 'header 1', 'items 1', 'ended 1']);
  assert.ok(Fake.all[0].dead);
});

test('a Worker that answers late once is let live', async (t) => {
  const { engine } = engineFor(t);
  await engine.start();
  await new Promise((resolve) => { setTimeout(resolve, 60); });
  assert.equal(Fake.all.length, 1);
});

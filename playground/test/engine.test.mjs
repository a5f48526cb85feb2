import test from 'node:test';
import assert from 'node:assert/strict';
import { Engine, pluginsOf } from '../engine.mjs';

// A Fake stands for the Worker: it answers at once, until it is told to hang.
class Fake {
  static all = [];
  static hangOn = null; // the text of the run that never ends
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

  work({ op, id, key, text, quiet }) {
    if (op === 'begin') this.say({ say: 'answer', id, value: { module: 'compiled' } });
    else if (op === 'open') {
      this.say({ say: 'answer', id });
      this.say({ say: 'working', key });
      if (text === Fake.hangOn) {
        this.hangs = true;
        return;
      }
      if (!quiet) this.say({ say: 'items', key, json: new TextEncoder().encode('[{"k":"send"}]') });
      this.say({ say: 'ended', key, hash: 'h', checks: [], steps: 1, quiet });
      this.say({ say: 'working', key: 0 });
    } else this.say({ say: 'answer', id, value: op });
  }

  terminate() {
    this.dead = true;
  }
}

function engineFor(t) {
  Fake.all = [];
  Fake.hangOn = null;
  const told = [];
  let hung;
  const wait = new Promise((resolve) => { hung = resolve; });
  const listener = {
    phase: ({ phase }) => told.push(phase), header: () => {}, items: (key) => told.push(`items ${key}`), ended: (key) => told.push(`ended ${key}`),
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
  assert.deepEqual(told, ['fetching', 'ready', 'items 1', 'ended 1']);
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

test('a Worker that answers late once is let live', async (t) => {
  const { engine } = engineFor(t);
  await engine.start();
  await new Promise((resolve) => { setTimeout(resolve, 60); });
  assert.equal(Fake.all.length, 1);
});

test('plugins are found in the text', () => {
  assert.deepEqual(pluginsOf('host server 10.0.0.2 profile linux plugin two-way,allow=lab plugin logger'), ['two-way', 'logger']);
  assert.deepEqual(pluginsOf('plugin client mine.wasm,a=1 # plugin x y'), ['mine.wasm']);
  assert.deepEqual(pluginsOf('plugin client off'), []);
  assert.deepEqual(pluginsOf('# plugin client x'), []);
});

import test from 'node:test';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { Axis } from '../axis.mjs';
import { Timeline, start, apply } from '../fold.mjs';

const fixture = JSON.parse(readFileSync(new URL('fixture-h1.json', import.meta.url)));
const fresh = () => structuredClone(fixture);

function timeline() {
  const { header, items } = fresh();
  const line = new Timeline(header);
  line.push(items);
  return line;
}

test('the states of both ends follow the items', () => {
  const line = timeline();
  const at = (i) => line.at(i).hosts.map((host) => host.conns[1]?.state ?? 'none');
  assert.deepEqual(at(-1), ['none', 'none']);
  const seen = line.states.map((i) => at(i).join(' '));
  assert.deepEqual(seen, ['SYN-SENT none', 'SYN-SENT SYN-RECEIVED', 'ESTABLISHED SYN-RECEIVED', 'ESTABLISHED ESTABLISHED']);
});

test('any order of seeking gives the same state', () => {
  const line = timeline();
  const straight = [];
  let state = start(line.header);
  for (const item of line.items) straight.push(state = apply(state, item));
  let k = 7;
  for (let n = 0; n < 500; n++) {
    k = (k * 48271 + 11) % line.items.length;
    assert.deepEqual(line.at(k), straight[k]);
  }
});

test('a state that was given out is never changed', () => {
  const line = timeline();
  const early = line.at(10);
  const copy = structuredClone(early);
  line.at(line.items.length - 1);
  assert.deepEqual(early, copy);
});

test('items that come in pieces make the same timeline', () => {
  const whole = timeline();
  const { header, items } = fresh();
  const line = new Timeline(header);
  for (const item of items) line.push([item]);
  assert.deepEqual(line.at(items.length), whole.at(items.length));
  assert.deepEqual(line.items, whole.items);
});

test('fields that were left out as zero are back', () => {
  const line = new Timeline({ hosts: [{ name: 'x' }] });
  line.push([{ k: 'send', flags: 'S', p: 1, d: 1 }]);
  assert.deepEqual(line.items[0], { i: 0, n: 0, t: 0, k: 'send', flags: 'S', h: 0, d: 1, c: 0, p: 1, seq: 0, ack: 0, rseq: 0, rack: 0, len: 0, win: 0, wnd: 0 });
});

test('packets arrive or are lost', () => {
  const line = timeline();
  assert.equal(line.packets.get(6).loss.why, 'planned');
  assert.deepEqual(line.packets.get(6).arrivals, []);
  assert.equal(line.packets.get(1).arrivals[0].t, 50e6);
});

test('what a run costs is counted up to the cursor', () => {
  const line = timeline();
  assert.equal(line.at(-1).spent.packets, 0);
  const { spent } = line.at(line.items.length);
  assert.equal(spent.packets, line.segments.length);
  assert.equal(spent.opened, 1);
  assert.equal(spent.lost, 1);
  assert.equal(spent.data, line.items.filter((it) => it.k === 'send').reduce((sum, it) => sum + it.len, 0));
});

test('timers run from being armed to being stopped or fired', () => {
  const line = timeline();
  const timers = (i) => line.at(i).hosts[0].conns[1].timers;
  assert.deepEqual(timers(5), { retransmit: { armed: 0, due: 1e9 } });
  assert.deepEqual(timers(line.states[3]), { retransmit: { armed: 100e6, due: 400e6 } });
  assert.deepEqual(timers(line.items.length - 1), {});
});

test('what each end knows grows with the segments', () => {
  const line = timeline();
  const know = (i) => line.at(i).flows[0]?.know.map((k) => `${+k.sendOK}${+k.recvOK}`).join(' ');
  const all = line.items.filter((item) => item.k === 'know').map((item) => know(item.i));
  assert.deepEqual(all, ['00 01', '11 01', '11 11']);
});

test('steps forwards and backwards: instants, segments, states, what is said', () => {
  const line = timeline();
  for (const kind of ['event', 'segment', 'state', 'say']) {
    const there = [];
    for (let i = -1; ;) {
      const next = line.next(i, kind, 1);
      if (next === i) break;
      there.push(i = next);
    }
    assert.ok(there.length > 3, kind);
    assert.equal(there.at(-1), line.items.length - 1, kind);
    const back = [];
    for (let i = line.items.length - 1; i >= 0;) back.unshift(i = line.next(i, kind, -1));
    assert.equal(back[0], -1, kind);
    assert.deepEqual(back.slice(1), there.slice(0, -1), kind);
  }
});

test('upTo is the last item at a time or before', () => {
  const line = timeline();
  assert.equal(line.upTo(-1), -1);
  assert.equal(line.items[line.upTo(49e6)].t, 0);
  assert.equal(line.items[line.upTo(50e6)].t, 50e6);
  assert.equal(line.items[line.upTo(50e6) + 1].t, 100e6);
  assert.equal(line.upTo(1e18), line.items.length - 1);
});

test('an axis shortens what is idle, and is a bijection', () => {
  const line = timeline();
  const axis = new Axis(line.items.map((item) => item.t));
  assert.ok(axis.folds.length === 2, JSON.stringify(axis.folds));
  assert.ok(axis.length < 2e9, String(axis.length));
  let before = -1;
  for (let t = 0; t <= axis.end; t += axis.end / 997) {
    const pos = axis.pos(t);
    assert.ok(pos > before);
    assert.ok(Math.abs(axis.time(pos) - t) < 1e3, `${t} ${axis.time(pos)}`);
    before = pos;
  }
  assert.equal(axis.pos(50e6), 50e6);
  const flat = new Axis(line.items.map((item) => item.t), false);
  assert.equal(flat.pos(7e12), 7e12);
});

test('a seek in 10,000 items takes less than 5 ms', () => {
  const line = new Timeline({ hosts: [{ name: 'x' }, { name: 'y' }] });
  const items = [];
  for (let k = 0; k < 10000; k++) items.push({ k: k % 3 ? 'tcb' : 'send', t: k * 1e6, n: k, h: k % 2, c: k % 40, p: k, d: k % 3 ? { 'SND.NXT': k } : 1 });
  line.push(items);
  const from = performance.now();
  for (let n = 0; n < 100; n++) line.at((n * 7919) % 10000);
  assert.ok((performance.now() - from) / 100 < 5);
});

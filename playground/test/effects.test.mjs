import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { isMarked, upon } from '../effects.mjs';
import { Timeline } from '../fold.mjs';

const made = JSON.parse(readFileSync(new URL('fixture-h1.json', import.meta.url), 'utf8'));
const line = new Timeline(made.header);
line.push(made.items);
const arrival = (p) => line.packets.get(p).arrivals[0];

test('an arrival has its rule, the new state, what changed and what was sent upon it', () => {
  const found = upon(line, arrival(2));
  assert.deepEqual(found.rules, ['syn-sent-syn-ack']);
  assert.deepEqual(found.states.map((it) => [it.from, it.to]), [['SYN-SENT', 'ESTABLISHED']]);
  const una = found.changes.find((entry) => entry.name === 'SND.UNA');
  assert.deepEqual([una.from, una.to], [0, 1]);
  assert.equal(found.changes.find((entry) => entry.name === 'SND.NXT'), undefined, 'what stayed the same is not a change');
  assert.deepEqual(found.sent.map((it) => it.p), [3]);
  assert.deepEqual(found.timers.map((it) => [it.slot, it.ev]), [['retransmit', 'stopped']]);
});

test('the other host has no part in it', () => {
  assert.ok(upon(line, arrival(1)).changes.every((entry) => entry.name !== 'rto'));
  assert.deepEqual(upon(line, arrival(1)).states.map((it) => it.to), ['SYN-RECEIVED']);
});

test('a sending has what it came of', () => {
  const found = upon(line, line.packets.get(6).send);
  assert.deepEqual(found.timers.map((it) => [it.slot, it.ev]), [['keepalive', 'fired']]);
  assert.equal(upon(line, line.packets.get(3).send).cause, 2);
  assert.deepEqual(upon(line, line.packets.get(1).send).calls.map((it) => it.op), ['connect']);
});

test('two arrivals of one step are told apart', () => {
  const two = new Timeline({ hosts: [{ name: 'a' }, { name: 'b' }] });
  two.push([
    { n: 1, k: 'send', p: 1, d: 1 }, { n: 1, k: 'send', p: 2, d: 1 },
    { n: 2, k: 'arrive', p: 1, h: 1 }, { n: 2, k: 'tcb', h: 1, c: 1, d: { 'RCV.NXT': 2 } },
    { n: 2, k: 'arrive', p: 2, h: 1 }, { n: 2, k: 'tcb', h: 1, c: 1, d: { 'RCV.NXT': 3 } },
  ]);
  assert.deepEqual(upon(two, two.items[2]).changes.map((entry) => entry.to), [2]);
  assert.deepEqual(upon(two, two.items[4]).changes.map((entry) => [entry.from, entry.to]), [[2, 3]]);
});

test('marks of a scenario', () => {
  assert.ok(isMarked({ id: 'tcp.seq' }, ['seq']));
  assert.ok(isMarked({ id: 'flag.syn', flag: true }, ['flags']));
  assert.ok(isMarked({ id: 'tcp.source' }, ['ports']));
  assert.ok(!isMarked({ id: 'tcp.ack' }, ['seq', 'ports']));
});

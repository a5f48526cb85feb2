import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Timeline } from '../fold.mjs';
import { gapHeight, kindOf, labelOf, layout, packetsOf } from '../layout.mjs';

const ms = 1e6;
const s = 1e9;

function send(p, h, t, more = {}) {
  return { k: 'send', p, h, d: 1 - h, t, flags: '.', seq: 1, ack: 1, len: 0, ...more };
}
const arrive = (p, h, t, more = {}) => ({ k: 'arrive', p, h, t, ...more });

function lineOf(items) {
  const line = new Timeline({ hosts: [{ name: 'client' }, { name: 'server' }] });
  line.push(items);
  return line;
}
const plan = (items, more) => layout(items, packetsOf(lineOf(items)), { hosts: 2, ...more });

test('a packet has its flight, its double and what lost it', () => {
  const packets = packetsOf(lineOf([
    send(1, 0, 0, { flags: 'S' }), arrive(1, 1, 50 * ms), send(2, 1, 50 * ms), send(3, 1, 51 * ms),
    { k: 'lose', p: 2, t: 51 * ms, why: 'planned' }, arrive(1, 1, 60 * ms, { dup: true }), arrive(3, 0, 101 * ms),
  ]));
  assert.equal(packets.length, 3);
  assert.equal(packets[0].flight, 50 * ms);
  assert.deepEqual(packets[0].arrivals.map((a) => a.twice), [false, true]);
  assert.equal(packets[1].lost.why, 'planned');
  assert.equal(packets[1].arrivals.length, 0);
});

test('a late packet is told, and one that is a little ahead of another', () => {
  const items = [0, 1, 2, 3, 4].flatMap((n) => [send(n + 1, 0, n * ms)]);
  const at = [50, 51, 2000, 53, 54];
  const order = [0, 1, 3, 4, 2];
  const packets = packetsOf(lineOf([...items, ...order.map((n) => arrive(n + 1, 1, at[n] * ms))]));
  assert.deepEqual(packets.map((p) => p.late), [false, false, true, false, false]);
  assert.deepEqual(packets.map((p) => Boolean(p.overtakes)), [false, false, false, false, false], 'the late one says it');
  const ahead = packetsOf(lineOf([send(1, 0, 0), send(2, 0, ms), arrive(2, 1, 51 * ms), arrive(1, 1, 60 * ms)]));
  assert.deepEqual(ahead.map((p) => p.overtakes), [false, true]);
});

test('what is sent at one instant gets a line of its own', () => {
  const items = [1, 2, 3].map((p) => send(p, 0, 0)).concat([1, 2, 3].map((p) => arrive(p, 1, 50 * ms)));
  const { y } = plan(items);
  assert.ok(y[1] - y[0] >= 17 && y[2] - y[1] >= 17, 'labels do not overlap');
  for (let i = 1; i < y.length; i++) assert.ok(y[i] >= y[i - 1], 'heights never go back');
});

test('arrows slope by their time, and a late one more', () => {
  const items = [
    send(1, 0, 0), send(2, 0, 20 * ms), arrive(2, 1, 70 * ms), send(3, 0, 80 * ms), arrive(1, 1, 100 * ms), arrive(3, 1, 130 * ms),
  ];
  const { packets } = plan(items);
  const slope = (k) => packets[k].y2 - packets[k].y1;
  assert.ok(slope(0) > 1.5 * slope(1));
  assert.ok(packets[0].y1 < packets[1].y1 && packets[0].y2 > packets[1].y2, 'the arrows cross');
  assert.ok(Math.abs(slope(1) - slope(2)) < 1, 'equal flights, equal slopes');
});

test('long idle is folded, and its height still grows', () => {
  const until = (t) => plan([send(1, 0, 0), arrive(1, 1, 50 * ms), send(2, 0, t), arrive(2, 1, t + 50 * ms)]);
  const minute = until(60 * s);
  const hours = until(7200 * s);
  assert.equal(minute.folds.length, 1);
  assert.ok(minute.height < 600);
  assert.ok(hours.height > minute.height && hours.height < 700);
  assert.equal(gapHeight(60, true).height, 60);
  assert.ok(until(100 * ms).folds.length === 0);
});

test("time and height are each other's reverse", () => {
  const p = plan([send(1, 0, 0), arrive(1, 1, 50 * ms), send(2, 0, 60 * s), arrive(2, 1, 60.05 * s)]);
  for (const t of [0, 10 * ms, 50 * ms, 30 * s, 60 * s, 60.02 * s]) assert.ok(Math.abs(p.timeAt(p.yAt(t)) - t) < 1e3, String(t));
});

test('states become bands; connections that live at once have lanes', () => {
  const state = (t, h, c, to) => ({ k: 'state', t, h, c, to });
  const { bands } = plan([
    state(0, 0, 1, 'SYN-SENT'), state(50 * ms, 0, 1, 'ESTABLISHED'), state(60 * ms, 0, 2, 'SYN-SENT'),
    state(90 * ms, 0, 1, 'CLOSED'), state(95 * ms, 0, 3, 'SYN-SENT'),
  ]);
  assert.deepEqual(bands.map((b) => [b.conn, b.state, b.lane]), [[1, 'SYN-SENT', 0], [1, 'ESTABLISHED', 0], [2, 'SYN-SENT', 1], [3, 'SYN-SENT', 0]]);
  assert.equal(bands[0].y2, bands[1].y1);
});

test('a crash ends the bands of its host', () => {
  const p = plan([{ k: 'state', t: 0, h: 1, c: 1, to: 'ESTABLISHED' }, { k: 'host', t: s, h: 1, what: 'crash' }, send(1, 0, 2 * s)]);
  assert.equal(p.bands[0].y2, p.y[1]);
});

test("a timer's bar ends where it is moved, stopped or fires", () => {
  const timer = (t, ev, due) => ({ k: 'timer', t, h: 0, c: 1, slot: 'retransmit', ev, due });
  const { timers, y } = plan([timer(0, 'armed', s), timer(100 * ms, 'armed', 1.1 * s), timer(1.1 * s, 'fired'), timer(1.2 * s, 'armed', 3 * s), timer(2 * s, 'stopped')]);
  assert.deepEqual(timers.map((b) => b.ended), ['moved', 'fired', 'stopped']);
  assert.deepEqual(timers.map((b) => [b.y1, b.y2]), [[y[0], y[1]], [y[1], y[2]], [y[3], y[4]]]);
});

test('a timer that outlives the timeline is drawn to its end', () => {
  const p = plan([{ k: 'timer', t: 0, h: 0, c: 1, slot: 'wait', ev: 'armed', due: 60 * s }, send(1, 0, s)]);
  assert.equal(p.timers[0].until, s);
});

test('only what touches the window is given', () => {
  const items = [];
  for (let n = 0; n < 5000; n++) items.push(send(n + 1, 0, n * ms));
  items.push(arrive(1, 1, 5 * s));
  for (let n = 1; n < 5000; n++) items.push(arrive(n + 1, 1, 5 * s + n * ms));
  const p = plan(items);
  const seen = p.within(40000, 40600).packets;
  assert.ok(seen.length > 20);
  assert.ok(seen.every((packet) => packet.y2 >= 40000 && packet.y1 <= 40600));
});

test('a wait in FIN-WAIT-2 is not one of TIME-WAIT', () => {
  const wait = (t, ev, due) => ({ k: 'timer', t, h: 0, c: 1, slot: 'wait', ev, due });
  const p = plan([{ k: 'state', t: 0, h: 0, c: 1, to: 'FIN-WAIT-2' }, wait(0, 'armed', 60 * s), { n: 1, k: 'state', t: s, h: 0, c: 1, to: 'TIME-WAIT' }, { n: 1, ...wait(s, 'armed', 61 * s) }]);
  assert.deepEqual(p.timers.map((span) => span.state), ['FIN-WAIT-2', 'TIME-WAIT']);
  const sudden = plan([{ n: 1, ...wait(0, 'armed', 60 * s) }, { n: 1, k: 'state', t: 0, h: 0, c: 1, to: 'TIME-WAIT' }]);
  assert.equal(sudden.timers[0].state, 'TIME-WAIT');
});

test('a lost packet is as steep as the one before it', () => {
  const { packets } = plan([send(1, 0, 0), send(2, 0, 0), { k: 'lose', p: 2, t: 0, why: 'planned' }, send(3, 0, 0), arrive(1, 1, 50 * ms), arrive(3, 1, 50 * ms)]);
  assert.ok(Math.abs((packets[1].y2 - packets[1].y1) - 0.6 * (packets[0].y2 - packets[0].y1)) < 1);
});

test('kinds, flags and labels', () => {
  assert.equal(kindOf({ flags: 'R.' }), 'reset');
  assert.equal(kindOf({ flags: 'S', again: true }), 'again');
  assert.equal(kindOf({ flags: '.', probe: true }), 'probe');
  assert.equal(kindOf({ flags: 'P.', len: 10 }), 'data');
  const item = { flags: 'P.', seq: 1, ack: 7, len: 1000, win: 65535 };
  assert.equal(labelOf(item, 60), 'PSH ACK seq 1 ack 7 len 1000 win 65535');
  assert.equal(labelOf(item, 30), 'PSH ACK seq 1 ack 7 len 1000');
  assert.equal(labelOf(item, 23), 'PSH ACK seq 1 len 1000');
  assert.equal(labelOf(item, 18), 'ACK seq 1 len 1000');
  assert.equal(labelOf({ flags: 'S', seq: 0, win: 5 }, 12), 'SYN seq 0');
  for (let room = 3; room < 60; room++) assert.match(labelOf({ flags: 'S.', seq: 0, ack: 1, win: 5 }, room), /^SYN ACK/, 'what makes it another segment is not left out');
  for (let room = 4; room < 60; room++) assert.ok(labelOf(item, room).length <= Math.max(room, 3));
});

test('a host that listens is in LISTEN while it has no connection and is up', () => {
  const p = plan([
    { k: 'state', t: 50 * ms, h: 1, c: 1, from: 'LISTEN', to: 'SYN-RECEIVED' }, { k: 'state', t: 100 * ms, h: 1, c: 1, from: 'SYN-RECEIVED', to: 'CLOSED' },
    { k: 'host', t: 200 * ms, h: 1, what: 'crash' }, { k: 'host', t: 300 * ms, h: 1, what: 'boot' }, send(1, 0, 400 * ms),
  ]);
  const listen = p.bands.filter((band) => band.state === 'LISTEN');
  assert.deepEqual(listen.map((band) => [band.y1, band.y2]), [[0, p.y[0]], [p.y[1], p.y[2]], [p.y[3], p.bands[0].y2 === p.y[0] ? listen[2].y2 : 0]]);
});

test('labels of two segments that cross keep out of each other\'s way', () => {
  const { packets: [there, back, alone] } = plan([send(1, 0, 0), send(2, 1, 0), arrive(2, 0, 50 * ms), arrive(1, 1, 50 * ms), send(3, 0, 200 * ms), arrive(3, 1, 250 * ms)]);
  assert.ok(there.free + back.free <= 1 && back.free > 0.3, `${there.free} and ${back.free}`);
  assert.equal(alone.free, 1);
});

test('of a short label the ACK of a SYN is not left out', () => {
  assert.equal(labelOf({ flags: 'S.', seq: 0, ack: 1, win: 5 }, 9), 'SYN ACK');
  assert.equal(labelOf({ flags: 'F.', seq: 0, ack: 1, win: 5 }, 9), 'FIN seq 0');
});

import test from 'node:test';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { Timeline } from '../fold.mjs';
import { aloneAs, causeOf, connections, endOf, isns, knowledge, merge, pathOf, peerOf, ranges, schedules } from '../views/facts.mjs';
import { ring, strip } from '../views/strip.mjs';

const fixture = JSON.parse(readFileSync(new URL('fixture-h1.json', import.meta.url)));
const ms = 1e6;
const s = 1e9;

function timeline(items, hosts = fixture.header.hosts) {
  const line = new Timeline({ hosts });
  line.push(structuredClone(items));
  return line;
}
const handshake = () => timeline(fixture.items);
const sent = (t, p, h, more) => ({ k: 'send', t, n: p, p, h, d: 1 - h, c: 1, ...more });
const came = (t, p, h) => ({ k: 'arrive', t, n: 100 + p, p, h });

test('a path has the edges so far, and begins where its first edge does', () => {
  const line = handshake();
  const first = line.states[0];
  assert.equal(pathOf(line, 0, 1, first - 1).state, 'CLOSED');
  assert.equal(pathOf(line, 1, 1, first).state, 'LISTEN', 'the server waits from the beginning');
  const whole = pathOf(line, 0, 1, line.items.length);
  assert.deepEqual(whole.edges.map((edge) => edge.to), ['SYN-SENT', 'ESTABLISHED']);
  assert.equal(causeOf(line, whole.last).flags, 'S.');
  assert.equal(whole.over, false);
});

test('connections are those that live, and a crash takes them away', () => {
  const line = timeline([
    { k: 'state', t: 0, n: 1, h: 1, c: 1, from: 'LISTEN', to: 'SYN-RECEIVED' },
    { k: 'state', t: s, n: 2, h: 1, c: 2, from: 'LISTEN', to: 'SYN-RECEIVED' },
    { k: 'state', t: 2 * s, n: 3, h: 1, c: 1, from: 'SYN-RECEIVED', to: 'ESTABLISHED' },
    { k: 'host', t: 3 * s, n: 4, h: 1, what: 'crash' },
    { k: 'state', t: 4 * s, n: 5, h: 1, c: 3, from: 'LISTEN', to: 'SYN-RECEIVED' },
  ]);
  assert.deepEqual(connections(line, 1, 2).map((one) => [one.c, one.state, one.born]), [[1, 'ESTABLISHED', 0], [2, 'SYN-RECEIVED', s]]);
  assert.deepEqual(connections(line, 1, 4).map((one) => one.c), [3]);
  assert.deepEqual(connections(line, 0, 4), []);
});

test('knowledge grows with each segment of the handshake, and the ISNs are confirmed', () => {
  const line = handshake();
  const whole = knowledge(line, 0, line.items.length);
  const count = (row) => row.cells.flat().filter(Boolean).length;
  assert.deepEqual(whole.rows.map((row) => [row.p, count(row)]), [[1, 1], [2, 3], [3, 4]]);
  // After the SYN it is the server that knows, and of the client's direction.
  assert.deepEqual(whole.rows[0].cells, [[false, false], [true, false]]);
  const synArrived = whole.rows[0].i;
  assert.deepEqual(isns(line, synArrived).map((one) => one.stage), ['heard']);
  assert.deepEqual(isns(line, line.items.length).map((one) => [one.h, one.stage]), [[0, 'confirmed'], [1, 'confirmed']]);
});

test('what two ways confirm is the ISN of the client alone', () => {
  const line = timeline([
    sent(0, 1, 0, { flags: 'S', rseq: 4294967295 }), came(50 * ms, 1, 1),
    sent(50 * ms, 2, 1, { flags: 'S.', rseq: 7, ack: 1, rack: 0 }), came(100 * ms, 2, 0),
    { k: 'tcb', t: 100 * ms, n: 102, h: 0, c: 1, d: { 'SND.UNA': 1 } },
  ]);
  assert.deepEqual(isns(line, 99).map((one) => [one.stage, one.by]), [['confirmed', 2], ['heard', 0]]);
  assert.deepEqual(isns(line, 3).map((one) => one.stage), ['heard', 'heard'], 'an ACK that was not taken confirms nothing');
});

test('a schedule has each time the same thing went, and how it ended', () => {
  const times = [0, 1, 3, 7, 15, 31];
  const items = times.map((t, k) => sent(t * s, k + 1, 0, { flags: 'S', rseq: 9, again: k > 0 }));
  items.push({ k: 'state', t: 63 * s, n: 99, c: 1, from: 'SYN-SENT', to: 'CLOSED', rule: 'syn-limit', cause: 'timer' });
  const [chain, ...rest] = schedules(timeline(items));
  assert.equal(rest.length, 0);
  assert.deepEqual(chain.marks.map((m) => m.t / s), times);
  assert.deepEqual([chain.end.how, chain.end.t / s], ['given-up', 63]);
  const view = strip(chain, 1000);
  assert.ok(view.marks.every((m, k) => k === 0 || m.x > view.marks[k - 1].x));
  assert.ok(view.end.x > view.marks.at(-1).x && view.end.x <= 1000);
  assert.equal(view.marks[5].gap, '+16 s');
});

test('a probe that is answered says so, and the silence before it is folded', () => {
  const items = [sent(0, 1, 0, { flags: '.', seq: 1, len: 10, rseq: 1 })];
  for (const [k, t] of [7200, 7275, 7350].entries()) items.push(sent(t * s, k + 2, 0, { flags: '.', seq: 10, rseq: 10, probe: true }));
  items.splice(2, 0, sent(7200.1 * s, 9, 1, { flags: '.', ack: 11, rack: 11, rseq: 1 }), came(7200.2 * s, 9, 0));
  const chain = schedules(timeline(items)).find((one) => one.probe);
  assert.deepEqual(chain.marks.map((m) => m.answered), [true, false, false]);
  const view = strip(chain, 600);
  assert.ok(view.fold > 0 && view.marks[0].x < 200);
});

test('holes are what lies between RCV.NXT and what has arrived', () => {
  const items = [];
  for (let k = 0; k < 5; k++) items.push(sent(k * ms, k + 1, 0, { flags: '.', seq: 1 + 100 * k, len: 100, rseq: 1 + 100 * k }));
  for (const p of [1, 3, 5]) items.push(came(50 * ms, p, 1));
  const line = timeline(items);
  assert.deepEqual(ranges(line, 1, '0/1', 101, 99), [[201, 301], [401, 501]]);
  assert.deepEqual(ranges(line, 1, '0/1', 101, 5), [], 'not yet');
  assert.deepEqual(merge([[5, 7], [1, 3], [3, 4]]), [[1, 4], [5, 7]]);
});

test('the other end of a connection is who acknowledges its numbers', () => {
  const line = handshake();
  assert.deepEqual(peerOf(line, 0, 1), { h: 1, c: 1 });
  assert.deepEqual(peerOf(line, 1, 1), { h: 0, c: 1 });
  assert.equal(peerOf(line, 0, 7), undefined);
});

test('a segment ends behind its data, its SYN and its FIN', () => {
  assert.equal(endOf({ flags: 'S', seq: 0, len: 0 }), 1);
  assert.equal(endOf({ flags: 'F.', seq: 10, len: 5 }), 16);
});

test('a ring is empty at nothing and nearly closed at all', () => {
  assert.equal(ring(20, 20, 16, 0), '');
  assert.match(ring(20, 20, 16, 0.25), /A16 16 0 0 1 36\.00 20\.00$/);
  assert.match(ring(20, 20, 16, 1), / 1 1 /);
});

test('who alone believes in a connection has a ghost of the lab, or is half-open', () => {
  const host = (...conns) => ({ conns: Object.fromEntries(conns.map((conn, c) => [c, conn])) });
  assert.equal(aloneAs(host({ state: 'ESTABLISHED', rule: 'lab' })), 'ghosts');
  assert.equal(aloneAs(host({ state: 'ESTABLISHED', rule: 'ack-establishes' })), 'half-open');
  assert.equal(aloneAs(host({ state: 'CLOSED', rule: 'lab' }, { state: 'FIN-WAIT-2', rule: 'ack-of-fin' })), 'half-open');
});

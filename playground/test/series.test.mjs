import test from 'node:test';
import assert from 'node:assert/strict';
import { Axis } from '../axis.mjs';
import { Timeline } from '../fold.mjs';
import { at, receiveBar, sendBar, span, ticks as barTicks } from '../views/bars.mjs';
import { csv, graphs, limit, rowAt, senders, sequence, ticks, valueAt } from '../views/series.mjs';

const ms = 1e6;
const hosts = [{ name: 'client' }, { name: 'server' }];

// transfer is a run in which the client sends so many segments, each acknowledged.
function transfer(segments) {
  const line = new Timeline({ hosts });
  const items = [{ k: 'send', t: 0, n: 0, p: 1, h: 0, d: 1, c: 1, flags: 'S', rseq: 500 }];
  let p = 1;
  for (let k = 0; k < segments; k++) {
    const t = (k + 1) * ms;
    const seq = 1 + 1000 * k;
    items.push({ k: 'send', t, n: k, p: ++p, h: 0, d: 1, c: 1, flags: '.', seq, rseq: 500 + seq, len: 1000, again: k === 5 });
    items.push({ k: 'tcb', t, n: k, h: 0, c: 1, d: { 'SND.WND': 65535, flight: 1000, unsent: 1 } });
    if (k === 3) { items.push({ k: 'lose', t, n: k, p }); continue; }
    items.push({ k: 'send', t: t + 1, n: k, p: ++p, h: 1, d: 0, c: 1, flags: '.', ack: seq + 1000, rack: 1500 + seq, wnd: 65535, sack: k === 4 ? [[4001, 5001]] : undefined });
    items.push({ k: 'arrive', t: t + 2, n: k, p, h: 0 });
    items.push({ k: 'cwnd', t: t + 2, n: k, h: 0, c: 1, cwnd: 10000 + k, ssthresh: 65535 * 2 ** 14, flight: 0 });
    items.push({ k: 'rtt', t: t + 2, n: k, h: 0, c: 1, sample: 5, srtt: 4, var: 1, rto: 200 });
  }
  line.push(items);
  return line;
}

test('the sender with most data comes first', () => {
  const [first, second] = senders(transfer(8));
  assert.deepEqual([first.h, first.octets], [0, 8000]);
  assert.deepEqual([second.h, second.octets], [1, 0]);
});

test('the sequence graph has segments, losses, retransmissions, ACKs and SACK', () => {
  const graph = sequence(transfer(8), 0, 1);
  const column = (id) => graph.data[1 + graph.series.findIndex((one) => one.id === id)].filter((v) => v !== null);
  assert.deepEqual(column('lost'), [4001]);
  assert.deepEqual(column('again'), [6001]);
  assert.equal(column('sent').length, 7, 'six segments and the SYN');
  assert.equal(column('acked').at(-1), 8001);
  assert.equal(column('right-edge').at(-1), 8001 + 65535);
  assert.deepEqual(column('sack'), [5001]);
});

test('every column of every graph is as long as its times, which ascend', () => {
  for (const graph of graphs(transfer(20), 0, 1)) {
    for (const column of graph.data) assert.equal(column.length, graph.items.length, graph.id);
    assert.equal(graph.data.length, graph.series.length + 1);
    for (let k = 1; k < graph.data[0].length; k++) assert.ok(graph.data[0][k] >= graph.data[0][k - 1]);
  }
});

test('an ssthresh that is arbitrarily high is no point', () => {
  const windows = graphs(transfer(5), 0, 1)[1];
  assert.ok(windows.data[2].every((v) => v === null));
});

test('the row at the cursor, and the latest value there', () => {
  const line = transfer(5);
  const graph = sequence(line, 0, 1);
  assert.equal(rowAt(graph, -1), -1);
  assert.equal(rowAt(graph, line.items.length), graph.items.length - 1);
  assert.equal(valueAt(graph, 4, rowAt(graph, line.items.length)), 5001);
  assert.equal(valueAt(graph, 4, 0), undefined);
});

test('what limits a sender, in a word', () => {
  const tcb = { cwnd: 10000, 'SND.WND': 65535, unsent: 1 };
  assert.equal(limit(tcb, 'ESTABLISHED'), 'congestion');
  assert.equal(limit({ ...tcb, 'SND.WND': 5000 }, 'ESTABLISHED'), 'peer');
  assert.equal(limit({ ...tcb, 'SND.WND': 0 }, 'ESTABLISHED'), 'closed');
  assert.equal(limit({ ...tcb, unsent: 0 }, 'ESTABLISHED'), 'nothing');
  assert.equal(limit(tcb, 'SYN-SENT'), 'unknown');
  assert.equal(limit(tcb, 'TIME-WAIT'), 'over');
  assert.equal(limit(undefined, 'ESTABLISHED'), 'unknown');
});

test('a long run is made into graphs in little time', () => {
  const line = transfer(2500);
  assert.ok(line.items.length > 10000);
  const begun = process.cpuUsage(); // whatever else the machine does
  graphs(line, 0, 1);
  const { user, system } = process.cpuUsage(begun);
  assert.ok(user + system < 500_000, `${user + system} µs`);
});

test('CSV quotes what needs it', () => {
  assert.equal(csv(['a', 'b,c'], [[1, null], ['x"y', 2]]), 'a,"b,c"\r\n1,\r\n"x""y",2\r\n');
});

test('ticks of a folded axis are round times, and a fold is said by its end', () => {
  const axis = new Axis([0, 50 * ms, 100 * ms, 150 * ms, 7200e9, 7200e9 + 50 * ms, 7200e9 + 100 * ms], true);
  const places = ticks(axis, 0, axis.length, 6);
  const times = places.map((pos) => Math.round(axis.time(pos)));
  assert.ok(times.includes(0));
  assert.ok(times.some((t) => Math.abs(t - 7200e9) <= 1), String(times));
  assert.ok(!times.some((t) => t > 200 * ms && t < 7199e9), 'no time within the fold');
  for (let k = 1; k < places.length; k++) assert.ok(places[k] - places[k - 1] >= axis.length / 6 * 0.79);
  const plain = new Axis([0, 5e9, 10e9], false);
  assert.deepEqual(ticks(plain, 0, plain.length, 5).map((pos) => plain.time(pos) / 1e9), [0, 2, 4, 6, 8, 10]);
});

test('a window slides over an axis that stands still, and turns the page', () => {
  const here = span(1000, 1000, 5000);
  assert.deepEqual(span(1500, 1000, 5000), here);
  assert.ok(span(2500, 1000, 5000).lo > here.lo);
  assert.ok(at(here, 1500) > at(here, 1000));
  assert.deepEqual(span(1, 65535, 500), { lo: 0, hi: 625, cut: true }, 'a small exchange is not lost in a large window');
});

test('the send bar has what is acknowledged, in flight, may go, and waits', () => {
  const bar = sendBar({ 'SND.UNA': 1000, 'SND.NXT': 3000, 'SND.WND': 2000, unsent: 500 });
  assert.deepEqual(bar.parts.map((part) => [part.kind, part.from, part.to]), [['acked', 0, 1000], ['flight', 1000, 3000], ['waiting', 3000, 3500]]);
  assert.ok(bar.full, 'it stands at the right edge');
  assert.ok(!sendBar({ 'SND.UNA': 1000, 'SND.NXT': 2000, 'SND.WND': 2000, unsent: 500 }).full);
});

test('the receive bar shows the holes', () => {
  const bar = receiveBar({ 'RCV.NXT': 1001, 'RCV.WND': 3000, unread: 200 }, [[2001, 3001]]);
  assert.deepEqual(bar.holes, [[1001, 2001]]);
  assert.deepEqual(bar.parts.map((part) => part.kind), ['read', 'unread', 'window', 'hole', 'beyond']);
});

test('ticks of a bar are few and round', () => {
  assert.deepEqual(barTicks({ lo: 0, hi: 625 }), [0, 200, 400, 600]);
});

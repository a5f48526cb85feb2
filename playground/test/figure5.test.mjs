import test from 'node:test';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { BOX, HEIGHT, PLACES, STATES, WIDTH, boxes, endOf, litBox, wayOf } from '../views/figure5.mjs';

// The engine's own table, as core/tcp/state.go has it.
const source = readFileSync(new URL('../../core/tcp/state.go', import.meta.url), 'utf8');
const constants = source.match(/Closed State = iota\n([\s\S]*?)\tstates/)[1].trim().split(/\s+/);
const names = source.match(/stateNames = \[states\]string\{([\s\S]*?)\n\}/)[1].match(/"[^"]+"/g).map((s) => s.slice(1, -1));
const nameOf = Object.fromEntries(['Closed', ...constants].map((constant, k) => [constant, names[k]]));
const edges = [...source.matchAll(/^\t\{(\w+), (\w+), rule\.\w+\}/gm)].map((m) => [nameOf[m[1]], nameOf[m[2]]]);

test('each state of the engine has its place, and no other has', () => {
  assert.equal(names.length, 11);
  assert.deepEqual([...STATES].sort(), [...names].sort());
});

test('each edge of the engine has its way, or a stub to CLOSED', () => {
  assert.ok(edges.length >= 28);
  for (const [from, to] of edges) {
    const way = wayOf(from, to);
    assert.ok(!way.unknown, `${from} to ${to} has no way: draw one in figure5.mjs`);
    if (way.stub) assert.ok(endOf(way.d), `${from} to ${to}: a stub is one straight line`);
  }
  assert.ok(wayOf('LISTEN', 'TIME-WAIT').unknown, 'an edge that is not in the figure');
});

test('a way begins and ends at the borders of its boxes', () => {
  const off = ([x, y], [cx, cy]) => Math.max(Math.abs(x - cx) - BOX.w / 2, Math.abs(y - cy) - BOX.h / 2);
  for (const [from, to] of edges) {
    const way = wayOf(from, to);
    const numbers = way.d.match(/-?\d+/g).map(Number);
    const start = numbers.slice(0, 2);
    assert.ok(Math.abs(off(start, PLACES[from])) <= 1, `${from} to ${to} begins at ${start}`);
    if (way.stub) continue;
    // The last command is an H or a V: the other coordinate is the one before.
    const last = way.d.match(/([HV])(\d+)$/);
    let [x, y] = [0, 0];
    for (const [, kind, args] of way.d.matchAll(/([MHVQ])([\d\s-]+)/g)) {
      const n = args.trim().split(/\s+/).map(Number);
      if (kind === 'H') x = n[0]; else if (kind === 'V') y = n[0]; else [x, y] = n.slice(-2);
    }
    assert.ok(last, way.d);
    const place = way.end ? PLACES[litBox('CLOSED', true)] : PLACES[to];
    assert.ok(Math.abs(off([x, y], place)) <= 1, `${from} to ${to} ends at ${x} ${y}`);
  }
});

test('boxes stay within the drawing and do not touch', () => {
  const all = boxes();
  assert.equal(all.length, 12);
  for (const box of all) {
    assert.ok(box.x >= 0 && box.x + BOX.w <= WIDTH && box.y >= 0 && box.y + BOX.h <= HEIGHT, box.id);
    for (const other of all) {
      assert.ok(box === other || Math.abs(box.cx - other.cx) > BOX.w || Math.abs(box.cy - other.cy) > BOX.h, `${box.id} and ${other.id}`);
    }
  }
});

test('CLOSED is lit at the top before a connection and at the end after it', () => {
  assert.equal(litBox('CLOSED', false), 'CLOSED');
  assert.notEqual(litBox('CLOSED', true), 'CLOSED');
  assert.equal(litBox('LISTEN', true), 'LISTEN');
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { durationWord, faultLines, faultOf } from '../faults.mjs';

test("a change to a packet replaces its own line and the later packets'", () => {
  const lines = ['seed 4', 'fault packet 3 lose', 'fault packet 7 delay 2s', 'fault packet 9 double 1s'];
  assert.deepEqual(faultLines(lines, 7, 'lose'), ['seed 4', 'fault packet 3 lose', 'fault packet 7 lose']);
  assert.deepEqual(faultLines(lines, 7, null), ['seed 4', 'fault packet 3 lose']);
  assert.equal(faultOf(lines, 9), 'double 1s');
  assert.equal(faultOf(lines, 1), '');
  assert.equal(durationWord(2.3456e9), '2346ms');
  assert.equal(durationWord(10), '1ms');
});

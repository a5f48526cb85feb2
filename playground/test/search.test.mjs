import test from 'node:test';
import assert from 'node:assert/strict';
import { lastUpTo } from '../search.mjs';

test('the last value up to a bound is found, also among equal ones', () => {
  const list = [1, 4, 4, 9];
  assert.deepEqual([0, 1, 3, 4, 8, 9, 20].map((bound) => lastUpTo(list.length, (k) => list[k], bound)), [-1, 0, 0, 2, 2, 3, 3]);
  assert.equal(lastUpTo(0, () => 0, 5), -1);
});

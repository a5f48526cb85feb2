import test from 'node:test';
import assert from 'node:assert/strict';
import { itemOf } from '../items.mjs';

const rules = [{ name: 'first' }, { name: 'second' }];

test('rules, sentences, reads and plugins have the page\'s names', () => {
  assert.equal(itemOf({ k: 'state', rule: 2 }, rules).rule, 'second');
  assert.equal(itemOf({ k: 'state', rule: 9 }, rules).rule, '');
  assert.deepEqual(itemOf({ k: 'say', say: 3, id: 'H1.ack' }, rules), { k: 'say', say: 3, id: 3, words: 'H1.ack' });
  assert.equal(itemOf({ k: 'read', len: 7 }, rules).octets, 7);
  assert.deepEqual(itemOf({ k: 'plugin', verdict: 11, step: 0 }, rules), { k: 'plugin', verdict: 'go to', step: 'transition' });
});

test('the edges of SACK blocks come in pairs', () => {
  assert.deepEqual(itemOf({ k: 'send', opts: { sack: [1, 5, 9, 12] } }, rules).sack, [[1, 5], [9, 12]]);
});

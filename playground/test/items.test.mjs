import test from 'node:test';
import assert from 'node:assert/strict';
import { itemOf } from '../items.mjs';

const tables = { rules: [{ name: 'first' }, { name: 'second' }], verdicts: ['pass', 'mutated'], hooks: ['transition', 'moving'], whys: ['verdict', 'trap'] };

test('rules, sentences, reads and plugins have the page\'s names', () => {
  assert.equal(itemOf({ k: 'state', rule: 2 }, tables).rule, 'second');
  assert.equal(itemOf({ k: 'state', rule: 9 }, tables).rule, '');
  assert.deepEqual(itemOf({ k: 'say', say: 3, id: 'H1.ack' }, tables), { k: 'say', say: 3, id: 3, words: 'H1.ack' });
  assert.equal(itemOf({ k: 'read', len: 7 }, tables).octets, 7);
  assert.deepEqual(itemOf({ k: 'plugin', verdict: 1, step: 0 }, tables), { k: 'plugin', verdict: 'mutated', step: 'transition', text: '' });
  assert.deepEqual(itemOf({ k: 'plugin', verdict: 0, step: 9, why: 1 }, tables), { k: 'plugin', verdict: 'pass', step: '', why: 1, text: 'trap' });
});

test('the edges of SACK blocks come in pairs', () => {
  assert.deepEqual(itemOf({ k: 'send', opts: { sack: [1, 5, 9, 12] } }, tables).sack, [[1, 5], [9, 12]]);
});

import { test } from 'node:test';
import assert from 'node:assert/strict';
import { topics, search, byKey } from '../topics.mjs';

const catalogue = {
  scenarios: [{ id: 'F2' }],
  also: { 'state.SYN-RECEIVED': ['SYN_RCVD'] },
  rules: [{ name: 'land', rfc: 9293, section: '3.9.2.3', words: { en: 'a segment from nowhere is ignored', zh: '忽略' } }],
  words: {
    en: { 'state.SYN-RECEIVED': 'Both SYNs are there.', 'state.SYN-RECEIVED.name': 'SYN received', 'term.half-close': 'One direction is closed.', 'term.half-close.name': 'half-close',
      'F2.title': 'Half-close', 'F2.question': 'Can we still receive?', 'C7.claim': 'It resends.', 'C7.precise': 'It does not.' },
    zh: { 'state.SYN-RECEIVED': '两个 SYN 都到了。', 'state.SYN-RECEIVED.name': '同步已收到', 'term.half-close': '一个方向已关闭。', 'term.half-close.name': '半关闭', 'F2.title': '半关闭' },
  },
};

const ids = (word, lang = 'en') => search(topics(catalogue, lang), byKey(topics(catalogue, lang === 'en' ? 'zh' : 'en')), word).map((topic) => topic.id);

test('what is so called comes first', () => {
  assert.deepEqual(ids('half-close'), ['half-close', 'F2']);
  assert.deepEqual(ids('half'), ['half-close', 'F2']);
  assert.deepEqual(ids('RESENDS'), ['C7']);
});

test('the other language and old names find it too', () => {
  assert.deepEqual(ids('半关闭'), ['half-close', 'F2']);
  assert.deepEqual(ids('syn_rcvd'), ['SYN-RECEIVED']);
  assert.deepEqual(ids('同步已收到', 'zh'), ['SYN-RECEIVED']);
});

test('nothing finds nothing', () => {
  assert.deepEqual(ids(''), []);
  assert.deepEqual(ids('xyzzy'), []);
});

test('rules and claims are there with what they rest on', () => {
  const all = topics(catalogue, 'en');
  assert.equal(all.find((topic) => topic.kind === 'rule').cite, 'RFC 9293 §3.9.2.3');
  assert.equal(all.find((topic) => topic.kind === 'claim').text, 'It does not.');
});

import test from 'node:test';
import assert from 'node:assert/strict';
import { parse, print, bounds } from '../link.mjs';

test('links go there and back', () => {
  const links = [
    { s: 'H1', x: [] },
    { s: 'K2a', x: ['seed 7', 'link client server loss 1% delay 20ms'], i: 0, lang: 'zh' },
    { s: 'H5-two-way', x: ['fault packet 5 delay 30s # 慢 + "x" & = #'], i: 12, b: 'H5', bx: ['seed 2'], lang: 'en', plain: true },
  ];
  for (const link of links) assert.deepEqual(parse('#' + print(link)), { link });
});

test('an empty fragment is no link', () => {
  assert.deepEqual(parse(''), {});
  assert.deepEqual(parse('#'), {});
});

test('what is not written so is refused', () => {
  const bad = ['H1', 's', 's=', '=H1', 's=h1', 's=H1&s=H1', 's=H1&y=1', 's=H1&i=-1', 's=H1&i=01', 's=H1&i=1e3', 's=H1&i=99999999', 's=H1&x=', 's=H1&x=a%0A',
    's=H1&x=a%0A%0Ab', 's=H1&x=%', 's=H1&x=%FF', 's=H1&x=%00', 's=H1&x=a%0Db', 's=H1&lang=fr', 's=H1&lang=__proto__', 's=H1&plain=0', 's=H1&b=', 's=H1&bx=seed+1', 's=../x', 's=H1&',
    's=__proto__', 's=H1-', 's=H1--a', 's=H1&x=%E2%80%A8', 's=' + 'H1'.padEnd(50, '-a'), 's=H1&x=' + 'a'.repeat(bounds.line + 1), 's=H1&x=' + 'a%0A'.repeat(bounds.lines) + 'a'];
  for (const text of bad) assert.deepEqual(parse(text), { error: 'page.link-odd' }, text);
  assert.deepEqual(parse('s=H1&x=' + 'a'.repeat(bounds.fragment)), { error: 'page.link-long' });
});

test('what does not fit is not printed', () => {
  assert.equal(print({ s: 'H1', x: Array(100).fill('慢'.repeat(100)) }), '');
  assert.equal(print({ s: 'H1', x: ['a\nb'] }), '');
});

// 10^5 strings, 10^7 where a release is made: nothing is thrown, and what is read is
// read the same again after it was written.
test('any string is read or refused', () => {
  let seed = 1;
  const random = (n) => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return Math.floor(seed / 2 ** 32 * n);
  };
  const pieces = ['s=', 'H1', 'K2b', '-two-way', '&', '=', 'x=', 'bx=', 'b=', 'i=', 'lang=', 'zh', 'plain=1', '%', '%0A', '%20', '+', '%E6%85%A2', '%ff', '12', '0', '#', '\u0000', 'seed 1', '__proto__', '慢', '\ud800'];
  const times = process.env.TCPKIT_RELEASE ? 1e7 : 1e5;
  let read = 0;
  for (let n = 0; n < times; n++) {
    let text = random(2) ? 's=H1' : '';
    for (let k = random(9); k > 0; k--) text += random(8) ? pieces[random(pieces.length)] : String.fromCharCode(random(0x300));
    const { link } = parse(text);
    if (!link) continue;
    read++;
    assert.deepEqual(parse(print(link)).link, link, text);
  }
  assert.ok(read > times / 1000, String(read));
});

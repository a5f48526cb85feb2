import test from 'node:test';
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { keys } from '../keys.mjs';

const here = new URL('..', import.meta.url);

function catalogue(lang) {
  const folder = new URL(`../core/scenario/catalogue/words/${lang}/`, here);
  const found = new Set();
  for (const name of readdirSync(folder)) {
    for (const [, id] of readFileSync(new URL(name, folder), 'utf8').matchAll(/^([^\s#:][^:\n]*):/gm)) found.add(id);
  }
  return found;
}

// Ids are written out where they are used, or end in what a value stands for.
function used() {
  const all = new Map();
  for (const folder of ['', 'views/']) {
    for (const name of readdirSync(new URL(folder || '.', here)).filter((file) => file.endsWith('.mjs'))) {
      const text = readFileSync(new URL(folder + name, here), 'utf8');
      for (const [, id, more] of text.matchAll(/\bt\('([a-z]+\.[\w.-]+)'( \+)?/g)) all.set(id, more ? 'begins' : 'is');
    }
  }
  return all;
}

test('every word that a view asks for is there, in both languages', () => {
  for (const lang of ['en', 'zh']) {
    const words = catalogue(lang);
    assert.ok(words.size > 100);
    for (const [id, how] of used()) {
      const there = how === 'is' ? words.has(id) : [...words].some((word) => word.startsWith(id));
      assert.ok(there, `${lang}: ${id}`);
    }
    for (const { does } of keys) assert.ok(words.has('page.does-' + does), `${lang}: page.does-${does}`);
  }
});

test('no key does two things', () => {
  const on = keys.flatMap((key) => key.on);
  assert.equal(new Set(on).size, on.length);
});

import test from 'node:test';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { catalogue } from '../words.mjs';

// Somebody who wants little motion.
globalThis.matchMedia = (query) => ({ matches: query.includes('reduced-motion'), addEventListener() {} });
const store = await import('../store.mjs');
const fixture = JSON.parse(readFileSync(new URL('fixture-h1.json', import.meta.url)));

test('where little motion is wanted nothing travels, and playing takes as long', () => {
  store.connect({ open: () => {}, close: () => {} });
  catalogue.value = { scenarios: [{ id: 'H1', text: fixture.text }], words: { en: {}, zh: {} }, rules: [], plugins: [] };
  assert.ok(store.open('H1'));
  store.heard.header(store.shown.value, fixture.header);
  store.heard.items(store.shown.value, structuredClone(fixture.items));
  store.heard.ended(store.shown.value, { hash: fixture.hash, checks: [], steps: fixture.steps });
  store.folded.value = false;
  store.setSpeed(1000);
  store.play();
  const times = new Set(store.run.value.line.items.map((item) => item.t));
  let ticks = 0;
  for (; store.playing.value && ticks < 1000; ticks++) {
    store.tick(10e6);
    assert.ok(times.has(store.now.value), `${store.now.value} is no time at which something happens`);
  }
  assert.equal(ticks, Math.ceil(store.end() / 10e9));
});

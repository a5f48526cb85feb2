import test from 'node:test';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import * as store from '../store.mjs';
import { catalogue } from '../words.mjs';

const fixture = JSON.parse(readFileSync(new URL('fixture-h1.json', import.meta.url)));
const asked = [];

store.connect({ open: (run) => asked.push(run), close: () => {} });
catalogue.value = { scenarios: [{ id: 'H1', text: fixture.text }, { id: 'H1-two-way', text: fixture.text, compare: 'H1' }], words: { en: {}, zh: {} }, rules: [], plugins: [] };

// made has the engine make a run, in two pieces.
function made(key = store.shown.value, items = fixture.items) {
  const copy = structuredClone(items);
  store.heard.header(key, fixture.header);
  store.heard.items(key, copy.slice(0, 20));
  store.heard.items(key, copy.slice(20));
  store.heard.ended(key, { hash: fixture.hash, checks: [], steps: fixture.steps });
}

function opened() {
  assert.ok(store.open('H1'));
  made();
}

test('a scenario opens before its first item, and steps go there and back', () => {
  opened();
  assert.equal(store.cursor.value, -1);
  for (const kind of ['segment', 'state', 'event']) {
    store.seek(-1);
    store.step(kind, 1);
    const first = store.cursor.value;
    store.step(kind, 1);
    store.step(kind, -1);
    assert.equal(store.cursor.value, first, kind);
  }
  assert.equal(store.open('no-such'), false);
});

test('an edit makes the run again, and the cursor goes back to its time', () => {
  opened();
  store.seekTime(100e6);
  const at = store.cursor.value;
  const before = store.run.value.line;
  store.edit(['fault packet 6 lose']);
  assert.deepEqual(asked.at(-1).extra, ['fault packet 6 lose']);
  assert.equal(store.run.value.line, before, 'what there was is on show until there is something new');
  made();
  assert.notEqual(store.run.value.line, before);
  assert.equal(store.cursor.value, at);
  store.undo();
  assert.deepEqual(store.run.value.extra, []);
  made();
});

test('a branch keeps both runs, beside each other, and edits change only the copy', () => {
  opened();
  const first = store.shown.value;
  assert.ok(store.branch(['seed 7']));
  made();
  assert.equal(store.runs.value.length, 2);
  assert.equal(store.other.value.key, first);
  assert.deepEqual(store.other.value.extra, []);
  assert.deepEqual(store.run.value.extra, ['seed 7']);
  assert.deepEqual(store.runs.value.map((run) => run.name), ['A', 'B']);
  while (store.branch());
  assert.equal(store.runs.value.length, store.most);
  for (const run of store.runs.value) store.drop(run.key);
  assert.equal(store.runs.value.length, 1);
});

test('a comparison stands at the same time', () => {
  opened();
  store.compare('H1-two-way');
  made(store.beside.value);
  store.seekTime(150e6);
  assert.equal(store.otherState.value.t, store.state.value.t);
});

test('playing takes time forwards; nobody waits long for the next thing', () => {
  opened();
  store.setSpeed(1);
  store.play();
  store.tick(50e6);
  assert.equal(store.now.value, 50e6);
  assert.equal(store.state.value.hosts[1].conns[1].state, 'SYN-RECEIVED');
  let seconds = 0;
  for (; store.playing.value; seconds += 0.05) store.tick(50e6);
  assert.ok(seconds < 8, `${seconds} s for two hours`);
  assert.equal(store.cursor.value, store.run.value.line.items.length - 1);
});

test('a run that hangs is said, and the one before its change comes back', () => {
  opened();
  store.edit(['plugin client bad']);
  store.heard.hung(store.shown.value);
  assert.deepEqual(store.run.value.extra, []);
  const { text } = store.notices.value.at(-1);
  assert.equal(text.id, 'page.hung-back');
  assert.equal(text.values.plugins, 'bad');
  made();
  store.heard.hung(store.shown.value);
  assert.equal(store.run.value.error.kind, 'hung');
});

test('the address follows a change that leaves the cursor where it is', () => {
  opened();
  store.seek(7);
  assert.equal(store.fragment.value, 's=H1&i=7&lang=en');
  store.setExtra(['seed 7']);
  made();
  assert.equal(store.fragment.value, 's=H1&x=seed+7&i=7&lang=en');
  store.setExtra([]);
  made();
  assert.equal(store.fragment.value, 's=H1&i=7&lang=en');
});

test('the end of a run that is still being made is its end when it has one', () => {
  for (const stays of [false, true]) {
    store.open('H1');
    const key = store.shown.value;
    store.heard.header(key, fixture.header);
    store.heard.items(key, structuredClone(fixture.items.slice(0, 20)));
    store.seek(Infinity);
    assert.equal(store.cursor.value, 19);
    if (stays) store.seek(3);
    store.heard.items(key, structuredClone(fixture.items.slice(20)));
    store.heard.ended(key, { hash: fixture.hash, checks: [], steps: fixture.steps });
    assert.equal(store.cursor.value, stays ? 3 : fixture.items.length - 1);
  }
});

test('the fragment of the address says what is shown', () => {
  opened();
  store.edit(['seed 3']);
  made();
  store.seek(4);
  assert.equal(store.fragment.value, 's=H1&x=seed+3&i=4&lang=en');
});

import { test } from 'node:test';
import assert from 'node:assert/strict';
import { tidy, turn, sow, profile, plug, unplug } from '../knobs.mjs';

test('a knob writes one line, and takes it back', () => {
  let extra = ['fault packet 3 lose'];
  extra = turn(extra, 'client', 'server', 'delay', '10ms');
  extra = turn(extra, 'client', 'server', 'loss', '2%');
  extra = turn(extra, 'client', 'server', 'delay', '20ms');
  assert.deepEqual(extra, ['fault packet 3 lose', 'link client server loss 2%', 'link client server delay 20ms']);
  extra = turn(extra, 'client', 'server', 'loss', '');
  extra = sow(sow(extra, '5'), '6');
  extra = profile(extra, 'client', 'linux');
  assert.deepEqual(extra, ['fault packet 3 lose', 'link client server delay 20ms', 'seed 6', 'host client profile linux']);
  assert.deepEqual(profile(sow(extra, ''), 'client', ''), ['fault packet 3 lose', 'link client server delay 20ms']);
});

test('plugins go on and off', () => {
  const extra = [plug('client', 'logger'), plug('server', 'a,b=c d')];
  assert.deepEqual(extra, ['plugin client logger', 'plugin server "a,b=c d"']);
  assert.deepEqual(unplug(extra, 'client', false), ['plugin server "a,b=c d"']);
  assert.deepEqual(unplug(extra, 'server', true), ['plugin client logger', 'plugin server off']);
});

test('what is typed is made a value, or refused', () => {
  for (const [kind, typed, want] of [
    ['time', '5', '5ms'], ['time', ' 1.5 s ', '1.5s'], ['time', '5h', null], ['time', '-1ms', null], ['chance', '3', '3%'], ['chance', '101', null],
    ['chance', '0.01%', '0.01%'], ['size', '1.25M', '1.25M'], ['size', 'x', null], ['octets', '1500', '1500'], ['octets', '1', null], ['time', '5ms\nseed 1', null],
  ]) assert.equal(tidy(kind, typed), want, `${kind} ${typed}`);
});

import { test } from 'node:test';
import assert from 'node:assert/strict';
import { read, tidy, turn, sow, profile, plug, unplug, words } from '../knobs.mjs';

const text = `scenario H1   # the first
seed 4
host client 10.0.0.1 profile rfc9293
host server 10.0.0.2 plugin two-way,allow=lab
link client server delay 50ms loss 1%
link server -> client loss 5%
flow web client server:80
  client write 5
`;

test('what a scenario says is found, the last word counting', () => {
  const found = read(text, ['seed 9', 'link server client rate 1M', 'plugin client "logger,to=a b"']);
  assert.equal(found.seed, '9');
  assert.deepEqual(found.links, [{ a: 'client', b: 'server', fields: { delay: '50ms', loss: '', rate: '1M' } }]);
  assert.deepEqual(found.hosts, [
    { name: 'client', profile: 'rfc9293', plugins: ['logger,to=a b'] },
    { name: 'server', profile: 'linux', plugins: ['two-way,allow=lab'] },
  ]);
  assert.deepEqual(read(text, ['plugin server off']).hosts[1].plugins, []);
});

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
  const extra = plug(plug([], 'client', 'logger'), 'server', 'a,b=c d');
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

test('words are those of the language', () => {
  assert.deepEqual(words('say x on start filter "tcp.flags == 2" # why'), ['say', 'x', 'on', 'start', 'filter', '"tcp.flags == 2"']);
});

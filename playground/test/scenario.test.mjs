import test from 'node:test';
import assert from 'node:assert/strict';
import { pluginsOf, read, words } from '../scenario.mjs';

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
    { name: 'client', profile: 'rfc9293', set: {}, plugins: ['logger,to=a b'] },
    { name: 'server', profile: 'linux', set: {}, plugins: ['two-way,allow=lab'] },
  ]);
  assert.deepEqual(read(text, ['plugin server off']).hosts[1].plugins, []);
});

test('settings are read from the scenario, of the system and of sockets', () => {
  const found = read(`scenario K3 # a comment
host client 10.0.0.1 profile linux
host server 10.0.0.2 profile linux set keepalive-idle=2h set time-wait=60s
listen server 80 backlog 8
listen server 81
flow web client server:80 at 0s
  server set-keepalive 10s 2s 3
  client set-user-timeout 30s
`);
  assert.deepEqual(found.hosts[1], { name: 'server', profile: 'linux', plugins: [], set: { 'keepalive-idle': '2h', 'time-wait': '60s' } });
  assert.deepEqual(found.listens, [{ host: 'server', port: 80, backlog: 8 }, { host: 'server', port: 81, backlog: 0 }]);
  assert.deepEqual(found.sockets.map((one) => [one.host, one.name, one.value]), [
    ['server', 'keepalive-idle', '10s'], ['server', 'keepalive-interval', '2s'], ['server', 'keepalive-count', '3'], ['server', 'keepalive', 'true'],
    ['client', 'user-timeout', '30s'],
  ]);
});

test('the narration is found, and where each sentence points', () => {
  const { says } = read('say H1.syn on segment 1 filter "tcp.flags == 2" rows 1\n', ['say H1.end on end at server']);
  assert.deepEqual(says, [{ id: 'H1.syn', filter: 'tcp.flags == 2', rows: '1', at: '' }, { id: 'H1.end', filter: '', rows: '', at: 'server' }]);
});

test('plugins are found in the text', () => {
  const hosts = 'host client 10.0.0.1\nhost server 10.0.0.2 profile linux plugin two-way,allow=lab plugin logger\n';
  assert.deepEqual(pluginsOf(hosts), ['two-way', 'logger']);
  assert.deepEqual(pluginsOf(hosts, ['plugin client mine.wasm,a=1 # plugin x y', 'plugin client logger']), ['mine.wasm', 'logger', 'two-way']);
  assert.deepEqual(pluginsOf(hosts, ['plugin server off', '# plugin client x']), []);
});

test('a line that is wrong is read as well as it can be', () => {
  for (const line of ['host', 'link', 'link a', 'link a ->', 'plugin', 'plugin client', 'listen', 'say', 'seed', 'flow', '  client set-keepalive', 'host a set', '__proto__ x', 'constructor', '"', 'host a plugin']) {
    assert.ok(read(line), line);
  }
});

test('words are those of the language', () => {
  assert.deepEqual(words('say x on start filter "tcp.flags == 2" # why'), ['say', 'x', 'on', 'start', 'filter', '"tcp.flags == 2"']);
});

// Each thing that the wrapper offers, done once and looked at, in the module that is
// the first argument; the second is a file of the plugin logger. It prints nothing.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { load, TcpkitError } from '../js/tcpkit.mjs';

const [module, plugin] = process.argv.slice(2).map((file) => readFileSync(file));
const kit = await load(module);
kit.file('logger', plugin);
const octets = (text) => new TextEncoder().encode(text);
const text = (b) => new TextDecoder().decode(b);
const throws = (call, words) => assert.throws(call, (error) => error instanceof TcpkitError && words.test(error.message));

// What is no module of ours says so, and not what a JavaScript engine makes of it.
await assert.rejects(load(plugin), (error) => error instanceof TcpkitError && error.message === "this is a WASM module, but not tcpkit's");

// settle hands over what the two have for each other, without delay.
function settle(now, a, b) {
  for (let moved = true; moved;) {
    moved = false;
    for (const [from, to] of [[a, b], [b, a]]) {
      for (const packet of from.outputs(now)) {
        to.input(now, packet);
        moved = true;
      }
    }
  }
}

function pair() {
  const secret = new Uint8Array(16);
  const client = kit.stack({ addresses: ['10.0.0.1', 'fd00::1'], secret, plugins: ['logger'] });
  const server = kit.stack({ addresses: ['10.0.0.2', 'fd00::2'], secret, profile: 'rfc9293', set: { 'time-wait': '1s' } });
  client.record();
  return { client, server };
}

// Stacks: open and accept, in both families; events, readiness, captures.
const { client, server } = pair();
client.capture();
const listener = server.listen(1, '[fd00::2]:7', { backlog: 3 });
const all = server.listen(1, 80);
const dialed = client.dial(1, '[fd00::2]:7', '[fd00::1]:4000');
settle(1, client, server);
assert.deepEqual([...client.readies()].map(({ connected, writable }) => ({ connected, writable })), [{ connected: true, writable: true }]);
assert.equal([...server.readies()].find(({ acceptable }) => acceptable).listener, listener);
assert.equal(all.accept(1), undefined);
const accepted = listener.accept(1);
assert.equal(accepted.status(1).remote, '[fd00::1]:4000');
const kinds = new Set(client.events().map(({ kind }) => kind));
for (const kind of ['transition', 'segment-in', 'segment-out', 'rtt']) assert.ok(kinds.has(kind), kind);
assert.deepEqual(client.events(), []);

// Read and write, options, half closes.
assert.equal(dialed.read(2), undefined);
dialed.set(2, 'no-delay', true);
throws(() => dialed.set(2, 'ttl', 256), /invalid/);
throws(() => dialed.set(2, 'none', 1), /no such option/);
assert.equal(dialed.write(2, octets('hello')), 5);
dialed.shutdown(2, 'write');
settle(2, client, server);

// A clone has the same past and a future of its own.
const copy = server.clone();
assert.equal(copy.fingerprint(2), server.fingerprint(2));
assert.equal(text(copy.connection(accepted).read(2)), 'hello');
assert.notEqual(copy.fingerprint(2), server.fingerprint(2));
assert.equal(copy.listener(listener).accept(2), undefined);
assert.equal(text(accepted.read(2, 2)), 'he');
assert.equal(text(accepted.read(2)), 'llo');
assert.equal(accepted.read(2).length, 0);
copy.free();
throws(() => copy.status(2), /nothing behind this handle/);

// Time goes on to what is due: the end of TIME-WAIT.
accepted.close(3);
settle(3, client, server);
dialed.close(4);
throws(() => dialed.read(4), /not exist|no such|connection/);
assert.equal(client.status(4)[0].state, 'TIME-WAIT');
let due = 4;
while (client.deadline() < Infinity) {
  due = client.deadline();
  client.expire(due);
}
assert.ok(due > 59e9 && due < 61e9);
assert.deepEqual([...client.outputs(due), ...client.readies()], []);
assert.equal(client.status(due).length, 0);
throws(() => client.expire(4), /backwards/);
throws(() => client.expire(0.5), /no time/);

// What an abort does, and why it was.
const second = client.dial(due, '10.0.0.2:80');
settle(due, client, server);
const other = all.accept(due);
other.abort(due);
settle(due, client, server);
assert.match(second.error(), /reset/);
all.close(due);
throws(() => all.accept(due), /nothing behind this handle/);

// The capture has all of it; the hash is that of the same calls made again.
const capture = client.pcapng();
assert.deepEqual([...capture.subarray(0, 4)], [0x0a, 0x0d, 0x0d, 0x0a]);
assert.equal(server.pcapng().length, 0);
assert.match(client.hash(), /^[0-9a-f]{16}$/);
const again = pair();
again.server.listen(1, '[fd00::2]:7', { backlog: 3 });
again.client.dial(1, '[fd00::2]:7', '[fd00::1]:4000');
settle(1, again.client, again.server);
const third = pair();
third.server.listen(1, '[fd00::2]:7', { backlog: 3 });
third.client.dial(1, '[fd00::2]:7', '[fd00::1]:4000');
settle(1, third.client, third.server);
assert.equal(again.client.hash(), third.client.hash());
assert.equal(again.client.fingerprint(1), third.client.fingerprint(1));

// Plugins: from the start and later on; what is wrong is told in words.
assert.deepEqual(client.pluginErrors(), []);
server.plugin(due, 'logger');
throws(() => server.plugin(due, 'none'), /no file "none"/);
assert.ok(kit.plugins.running >= 4);

// Runs: there and back again, copies, hosts, packets.
const handshake = `scenario handshake
host client 10.0.0.1
host server 10.0.0.2
link client server delay 50ms
listen server 80
flow web client server:80 port 40000
  client write 500
  client close
  server await-eof
  server close
expect read server 500
expect read server 501
`;
const run = kit.run(handshake);
const start = run.fingerprint();
assert.equal(run.step(), 1);
const first = run.fingerprint();
run.finish();
const [end, hash] = [run.fingerprint(), run.hash()];
assert.ok(run.ended && run.at === run.steps && run.steps > 5);
run.seek(1);
assert.equal(run.fingerprint(), first);
run.seek(0);
assert.equal(run.fingerprint(), start);
const branch = run.clone();
branch.seek(branch.steps);
assert.equal(branch.fingerprint(), end);
assert.equal(run.at, 0);
branch.free();
run.seek(run.steps);
assert.equal(run.hash(), hash);
assert.equal(run.head().hosts[1].name, 'server');
assert.equal(run.items().length, run.length);
assert.deepEqual(JSON.parse(text(run.itemsOctets(2, 5))), run.items(2, 5));
assert.equal(run.items(2, 5)[0].i, 2);
const { p, flags } = run.items().find(({ k }) => k === 'send');
assert.equal(flags, 'S');
assert.equal(run.packet(p)[0] >> 4, 4);
throws(() => run.packet(1e6), /no such packet/);
run.seek(1);
assert.deepEqual(run.view('client').map(({ state }) => state), ['SYN-SENT']);
throws(() => run.view('nobody'), /the hosts are client, server/);
assert.ok(run.pcapng('server').length > 500);
run.finish();
assert.deepEqual(run.check().map(({ line, held, found }) => ({ line, held, found })), [{ line: 11, held: true, found: 500 }, { line: 12, held: false, found: 500 }]);
const lossy = kit.run(handshake, 'fault client -> server SYN 1 lose');
lossy.finish();
assert.notEqual(lossy.hash(), hash);
throws(() => kit.run(handshake, 'nonsense'), /nonsense/);
run.free();
throws(() => run.step(), /nothing behind this handle/);

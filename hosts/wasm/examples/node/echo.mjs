// Two stacks on a wire that is an array: a handshake, an echo, and a close.
//
//   go run ./hosts/wasm tcpkit.wasm
//   node hosts/wasm/examples/node/echo.mjs tcpkit.wasm
import { pathToFileURL } from 'node:url';
import { load } from '../../js/tcpkit.mjs';

const kit = await load(pathToFileURL(process.argv[2] ?? 'tcpkit.wasm'));
const client = kit.stack({ addresses: ['10.0.0.1'] });
const server = kit.stack({ addresses: ['10.0.0.2'], set: { 'time-wait': '2s' } });
const ends = [[client, server], [server, client]];
const delay = 10e6; // of the wire, 10 ms in nanoseconds
const wire = [];
let now = 1e9;

// step lets time go on to what happens next: a packet arrives, or a timer is due.
function step() {
  for (const [from, to] of ends) {
    for (const packet of from.outputs(now)) wire.push({ at: now + delay, to, packet });
  }
  const next = Math.min(wire[0]?.at ?? Infinity, client.deadline(), server.deadline());
  if (next === Infinity) return false;
  now = Math.max(now, next);
  while (wire[0]?.at <= now) {
    const { to, packet } = wire.shift();
    to.input(now, packet);
  }
  ends.forEach(([stack]) => stack.expire(now));
  return true;
}

const text = (octets) => new TextDecoder().decode(octets);
const listener = server.listen(now, 80);
const call = client.dial(now, '10.0.0.2:80');
let answer;
do {
  for (const { connection, connected, readable } of client.readies()) {
    if (connected) connection.write(now, new TextEncoder().encode('hello'));
    if (readable && !answer) {
      answer = text(connection.read(now));
      console.log(`the client reads "${answer}" after ${(now - 1e9) / 1e6} ms, in ${call.status(now).state}`);
      connection.close(now);
    }
  }
  for (const { connection, acceptable, readable } of server.readies()) {
    const accepted = acceptable ? listener.accept(now) : connection;
    if (!readable && !acceptable) continue;
    const octets = accepted.read(now);
    if (octets?.length === 0) accepted.close(now);
    else if (octets) accepted.write(now, octets);
  }
} while (step());
console.log(`${client.status(now).length} connections are left after ${((now - 1e9) / 1e9).toFixed(2)} s`);

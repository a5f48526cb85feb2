import { load } from '../../js/tcpkit.mjs';

const said = document.getElementById('said');
const say = (line) => { said.textContent += `${line}\n`; };

// In the page: two stacks, whose packets are handed over at once.
const kit = await load('../../tcpkit.wasm');
const [client, server] = [1, 2].map((n) => kit.stack({ addresses: [`10.0.0.${n}`] }));
const now = 1e9;

function settle() {
  for (let moved = true; moved;) {
    moved = false;
    for (const [from, to] of [[client, server], [server, client]]) {
      for (const packet of from.outputs(now)) {
        to.input(now, packet);
        moved = true;
      }
    }
  }
}

const listener = server.listen(now, 80);
const one = client.dial(now, '10.0.0.2:80');
settle();
const other = listener.accept(now);
one.write(now, new TextEncoder().encode('hello'));
settle();
other.write(now, other.read(now));
settle();
say(`echo: ${new TextDecoder().decode(one.read(now))}`);

// In a worker: a scenario, so that the page stays awake however long it is.
const worker = new Worker('worker.mjs', { type: 'module' });
worker.onmessage = ({ data }) => {
  say(data);
  worker.terminate();
  document.title = 'done';
};
worker.onerror = (error) => { say(error.message); };
worker.postMessage(new URL('../../tcpkit.wasm', location.href).href);

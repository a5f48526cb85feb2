// How fast the engine is here: both ends in the module, everything on, no delay.
//
//   node hosts/wasm/examples/node/speed.mjs tcpkit.wasm [MTU [OCTETS]]
import { readFileSync } from 'node:fs';
import { load } from '../../js/tcpkit.mjs';

const mtu = Number(process.argv[3] ?? 1500);
const kit = await load(readFileSync(process.argv[2] ?? 'tcpkit.wasm'));
const octets = Number(process.argv[4] ?? 256e6);
const rates = [];
for (let run = 0; run <= 5; run++) {
  const from = performance.now();
  kit.transfer(octets, mtu);
  rates.push(octets / (performance.now() - from) / 1e3);
}
rates.shift(); // while the code was being compiled
rates.sort((a, b) => a - b);
console.log(`tcpkit, both ends, MTU ${mtu}: median ${rates[2].toFixed(0)} MB/s, best ${rates[4].toFixed(0)}`);

// A scenario with a plugin in it, and a capture of it for Wireshark.
//
//   node hosts/wasm/examples/node/run.mjs tcpkit.wasm two-way.wasm H5-two-way.scenario client.pcapng
import { readFileSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { load } from '../../js/tcpkit.mjs';

const [module, plugin, scenario, capture] = process.argv.slice(2);
const kit = await load(readFileSync(module));
kit.file(basename(plugin, '.wasm'), readFileSync(plugin));
const run = kit.run(readFileSync(scenario, 'utf8'));
run.finish();
for (const { t, k, h, from, to } of run.items()) {
  if (k === 'state') console.log(`${(t / 1e6).toFixed(0).padStart(6)} ms  ${run.head().hosts[h].name}: ${from} -> ${to}`);
}
console.log(run.check().every(({ held }) => held) ? 'all is as it was expected' : 'something else was expected');
console.log(run.hash());
writeFileSync(capture, run.pcapng('client'));

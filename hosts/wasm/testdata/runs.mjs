// Runs scenarios in the module that is the first argument: of each line of the standard
// input, a JSON text. It prints a line for each: hash, fingerprint, items, failed
// expectations. The further arguments are files of plugins.
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { load } from '../js/tcpkit.mjs';

const [module, ...plugins] = process.argv.slice(2);
const kit = await load(readFileSync(module));
for (const file of plugins) kit.file(basename(file, '.wasm'), readFileSync(file));
for (const line of readFileSync(0, 'utf8').split('\n').filter(Boolean)) {
  const run = kit.run(JSON.parse(line));
  run.finish();
  const end = run.fingerprint();
  const failed = run.check().filter(({ held }) => !held).length;
  console.log(run.hash(), end, run.length, failed);
  run.seek(run.steps >> 1);
  run.seek(run.steps);
  if (run.fingerprint() !== end) console.log('back and forth again it is another state');
  run.free();
  if (kit.plugins.running !== 0) console.log('plugins run on');
}

// Runs the driver, which stands at the first argument, with the embedder, at the
// second. Standard input and output are the driver's own.
import { readFileSync } from 'node:fs';
import { WASI } from 'node:wasi';

const [file, embedder] = process.argv.slice(2);
const { Plugins } = await import(embedder);
const wasi = new WASI({ version: 'preview1' });
const plugins = new Plugins();
const { instance } = await WebAssembly.instantiate(readFileSync(file), {
  wasi_snapshot_preview1: wasi.wasiImport,
  tcpkit: plugins.imports,
});
plugins.attach(instance.exports);
wasi.initialize(instance);
instance.exports.run();
if (plugins.running !== 0) throw new Error(`${plugins.running} plugins still run`);

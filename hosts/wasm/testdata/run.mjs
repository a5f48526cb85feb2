// Runs the module (first argument) with each plugin (further arguments) and with the
// options that stand, in hexadecimal digits, in OPTIONS, separated by commas. It
// prints an array, with for each plugin what was said of it and the results.
import { readFileSync } from 'node:fs';
import { WASI } from 'node:wasi';
import { Plugins } from '../js/plugins.mjs';

const [file, ...files] = process.argv.slice(2);
const module = new WebAssembly.Module(readFileSync(file));
const options = process.env.OPTIONS.split(',').map((text) => Buffer.from(text, 'hex'));

class Tab {
  constructor() {
    const wasi = new WASI({ version: 'preview1' });
    this.plugins = new Plugins();
    const instance = new WebAssembly.Instance(module, { wasi_snapshot_preview1: wasi.wasiImport, tcpkit: this.plugins.imports });
    this.exports = instance.exports;
    this.plugins.attach(this.exports);
    wasi.initialize(instance);
  }

  // call calls an export with octets in the buffer, and returns what it left there.
  call(name, octets, ...args) {
    const put = octets ?? Buffer.alloc(0);
    const at = this.exports.tcpkit_buffer(put.length) >>> 0;
    Buffer.from(this.exports.memory.buffer).set(put, at);
    const n = octets ? this.exports[name](...args, put.length) : this.exports[name]();
    const left = this.exports.tcpkit_buffer(0) >>> 0;
    const b = Buffer.from(this.exports.memory.buffer.slice(left, left + Math.abs(n)));
    return n < 0 ? { error: b.toString() } : { octets: b.toString('hex') };
  }
}

console.log(JSON.stringify(files.map((name) => {
  const tab = new Tab();
  const loaded = tab.call('tcpkit_plugin', readFileSync(name), 1);
  const results = options.map((o) => tab.call('tcpkit_transfer', o).octets);
  return {
    loaded: loaded.error ?? '',
    results,
    failed: tab.call('tcpkit_plugin_error').error ?? '',
    running: tab.plugins.running,
  };
})));

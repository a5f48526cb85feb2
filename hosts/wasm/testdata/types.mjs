// Compares what the types declare with what the modules have: exports, and the methods
// and properties of real instances. The first argument is the engine's module. It prints
// what differs, and nothing if all fits.
import { readFileSync } from 'node:fs';
import * as tcpkit from '../js/tcpkit.mjs';
import * as plugins from '../js/plugins.mjs';

const kit = await tcpkit.load(readFileSync(process.argv[2]));
const stack = kit.stack({ addresses: ['10.0.0.1'] });
const instances = {
  Kit: kit,
  Stack: stack,
  Listener: stack.listen(1, 80),
  Connection: stack.dial(1, '10.0.0.2:80'),
  Run: kit.run('scenario x\nhost a 10.0.0.1\n'),
  Plugins: kit.plugins,
  TcpkitError: new tcpkit.TcpkitError('words'),
};
// What the parts of a wrapper call of each other, and nobody else should.
const internal = {
  Kit: ['call', 'octets', 'put', 'taken', 'text', 'time'],
  Stack: ['call', 'forget', 'put', 'taken'],
  Plugins: ['ask', 'tell'],
  TcpkitError: ['name'], // which every Error has
};

function compare(what, declared, made) {
  for (const name of made) if (!declared.includes(name)) console.log(`${what}${name} has no type`);
  for (const name of declared) if (!made.includes(name)) console.log(`${what}${name} is a type of nothing`);
}

for (const [file, module] of Object.entries({ tcpkit, plugins })) {
  const types = readFileSync(new URL(`../js/${file}.d.ts`, import.meta.url), 'utf8');
  compare('', [...types.matchAll(/^export declare (?:class|function|const) (\w+)/gm)].map((m) => m[1]), Object.keys(module));
  for (const [, name, body] of types.matchAll(/^export declare class (\w+)[^{]*\{([\s\S]*?)\}$/gm)) {
    const one = instances[name];
    if (!one) {
      console.log(`there is no ${name} to look at`);
      continue;
    }
    const declared = [...body.matchAll(/^  (?:readonly )?(\w+)\??[(:]/gm)].map((m) => m[1]);
    const made = [...Object.keys(one), ...Object.getOwnPropertyNames(Object.getPrototypeOf(one))];
    compare(`${name}.`, declared, made.filter((n) => n !== 'constructor' && !internal[name]?.includes(n)));
  }
}

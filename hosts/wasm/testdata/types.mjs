// Compares the names that the types declare with those that the module has. It prints
// what differs, and nothing if all fits.
import { readFileSync } from 'node:fs';
import * as tcpkit from '../js/tcpkit.mjs';

const types = readFileSync(new URL('../js/tcpkit.d.ts', import.meta.url), 'utf8');
const internal = new Set(['call', 'octets', 'text', 'time', 'put', 'taken', 'forget', 'make']);

const declared = [...types.matchAll(/^export declare (?:class|function) (\w+)/gm)].map((m) => m[1]).sort();
const exported = Object.keys(tcpkit).sort();
if (String(declared) !== String(exported)) console.log(`declared ${declared}, exported ${exported}`);

for (const [, name, body] of types.matchAll(/^export declare class (\w+)[^{]*\{\n([\s\S]*?)^\}/gm)) {
  const methods = [...body.matchAll(/^  (\w+)\(/gm)].map((m) => m[1]);
  const prototype = tcpkit[name].prototype;
  const made = Object.getOwnPropertyNames(prototype).filter((n) => n !== 'constructor' && !internal.has(n) && typeof Object.getOwnPropertyDescriptor(prototype, n).value === 'function');
  for (const method of new Set([...methods, ...made])) {
    if (!methods.includes(method)) console.log(`${name}.${method} has no type`);
    if (!made.includes(method)) console.log(`${name}.${method} is a type of nothing`);
  }
}

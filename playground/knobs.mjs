// What the network panel turns: the lines that its knobs write. scenario.mjs reads them.
// A knob is a line of the scenario language behind the text, so that the command, a
// link and the page mean the same.
import { pair, words } from './scenario.mjs';

/** The fields of a link that have a knob, with their unit and what they may be. */
export const fields = [
  { name: 'delay', kind: 'time' },
  { name: 'jitter', kind: 'time' },
  { name: 'loss', kind: 'chance' },
  { name: 'reorder', kind: 'chance' },
  { name: 'hold', kind: 'time' },
  { name: 'duplicate', kind: 'chance' },
  { name: 'corrupt', kind: 'chance' },
  { name: 'rate', kind: 'size' },
  { name: 'queue', kind: 'size' },
  { name: 'mtu', kind: 'octets' },
];

const forms = {
  time: /^\d{1,6}(\.\d{1,3})?(us|ms|s)$/,
  chance: /^\d{1,3}(\.\d{1,4})?%$/,
  size: /^\d{1,9}(\.\d{1,3})?[kMG]?$/,
  octets: /^\d{2,5}$/,
};

/** tidy makes of what somebody typed the value of a knob, or null: "5" for a time is 5 ms. */
export function tidy(kind, typed) {
  let text = typed.trim().replace(/\s+/g, '');
  if (kind === 'time' && /^\d+(\.\d+)?$/.test(text)) text += 'ms';
  if (kind === 'chance' && /^\d+(\.\d+)?$/.test(text)) text += '%';
  if (kind === 'chance' && parseFloat(text) > 100) return null;
  return forms[kind].test(text) ? text : null;
}

/** turn gives the lines with a link's field set anew; "" takes the knob's line away. */
export function turn(extra, a, b, field, value) {
  return replaced(extra, (w) => w[0] === 'link' && w[2] !== '->' && pair(w[1], w[2]) === pair(a, b) && w.length === 5 && w[3] === field,
    value === '' ? '' : `link ${a} ${b} ${field} ${value}`);
}

/** sow sets the seed anew. */
export function sow(extra, seed) {
  return replaced(extra, (w) => w[0] === 'seed', seed === '' ? '' : `seed ${seed}`);
}

/** profile gives a host another set of defaults. */
export function profile(extra, host, name) {
  return replaced(extra, (w) => w[0] === 'host' && w[1] === host && w[2] === 'profile' && w.length === 4, name === '' ? '' : `host ${host} profile ${name}`);
}

/** plug is the line that switches a plugin on at a host. */
export function plug(host, spec) {
  return `plugin ${host} ${/[\s#]/.test(spec) ? `"${spec}"` : spec}`;
}

/** unplug takes all plugins of a host away: those of the scenario with a line, those that were added by taking theirs back. */
export function unplug(extra, host, ofScenario) {
  const rest = extra.filter((line) => !(words(line)[0] === 'plugin' && words(line)[1] === host));
  return ofScenario ? [...rest, `plugin ${host} off`] : rest;
}

function replaced(extra, is, line) {
  const rest = extra.filter((candidate) => !is(words(candidate)));
  return line === '' ? rest : [...rest, line];
}

// What the page reads of a scenario's text: narration, hosts, links, what is set. The
// text is judged by the engine alone: here a line that is wrong is read as well as it
// can be. Pure.

/** words splits a line as the language does, without its comment. */
export function words(line) {
  return [...line.matchAll(/"[^"]*"|#.*|\S+/g)].map(([word]) => word).filter((word) => !word.startsWith('#'));
}

const bare = (word) => (word ?? '').replace(/^"|"$/g, '');

/** pair names two hosts that are joined, in whatever order. */
export const pair = (a, b) => [a, b].sort().join(' ');

/**
 * A Reading is what a scenario says, the last word counting.
 * @typedef {object} Reading
 * @property {string} seed
 * @property {{a: string, b: string, fields: Object<string,string>}[]} links
 * @property {{name: string, profile: string, set: Object<string,string>, plugins: string[]}[]} hosts  set is of the system; plugins as they are called
 * @property {{host: string, port: number, backlog: number}[]} listens
 * @property {{host: string, flow: string, name: string, value: string}[]} sockets  what programs set for one
 * @property {{id: string, filter: string, rows: string, at: string}[]} says  the id of a "say" item is the place in it
 */

const known = new WeakMap(); // by the lines added, which are never changed

/**
 * read reads a scenario and the lines added to it.
 * @param {string} text
 * @param {string[]} [extra]
 * @returns {Reading}
 */
export function read(text, extra = []) {
  const before = known.get(extra);
  if (before?.text === text) return before.found;
  const found = { seed: '0', links: [], hosts: [], listens: [], sockets: [], says: [] };
  let flow = '';
  for (const line of [...text.split('\n'), ...extra]) {
    const w = words(line);
    if (w.length === 0) continue;
    if (/^\s/.test(line)) socket(found, flow, w);
    else if (w[0] === 'flow') flow = w[1];
    else if (Object.hasOwn(lines, w[0])) lines[w[0]](found, w);
  }
  known.set(extra, { text, found });
  return found;
}

// What lines say, by their first word.
const lines = {
  seed(found, w) {
    found.seed = w[1];
  },
  host(found, w) {
    const host = found.hosts.find((one) => one.name === w[1]) ?? { name: w[1], profile: 'linux', set: {}, plugins: [] };
    if (!found.hosts.includes(host)) found.hosts.push(host);
    for (let k = 2; k < w.length; k++) {
      if (w[k] === 'profile') host.profile = w[++k] ?? '';
      else if (w[k] === 'plugin') host.plugins.push(bare(w[++k]));
      else if (w[k] === 'set') {
        const [name, value] = (w[++k] ?? '').split('=');
        if (value !== undefined) host.set[name] = value;
      }
    }
  },
  plugin(found, w) {
    const host = found.hosts.find((one) => one.name === w[1]);
    if (!host) return;
    if (w[2] === 'off') host.plugins = [];
    else host.plugins.push(bare(w[2]));
  },
  // A field that is not the same both ways has no value.
  link(found, w) {
    const oneWay = w[2] === '->';
    const [a, b, rest] = oneWay ? [w[1], w[3], w.slice(4)] : [w[1], w[2], w.slice(3)];
    const link = found.links.find((one) => pair(one.a, one.b) === pair(a, b)) ?? { a, b, fields: {} };
    if (!found.links.includes(link)) found.links.push(link);
    for (let k = 0; k < rest.length; k++) {
      if (rest[k] === 'silent') continue;
      const before = link.fields[rest[k]];
      const value = rest[k + 1];
      link.fields[rest[k++]] = oneWay && before !== undefined && before !== value ? '' : value;
    }
  },
  listen(found, w) {
    const at = w.indexOf('backlog', 3);
    found.listens.push({ host: w[1], port: Number(w[2]), backlog: at < 0 ? 0 : Number(w[at + 1]) || 0 });
  },
  say(found, w) {
    const after = (name) => (w.includes(name, 3) ? bare(w[w.indexOf(name, 3) + 1]) : '');
    found.says.push({ id: w[1], filter: after('filter'), rows: after('rows'), at: after('at') });
  },
};

// What programs set for a socket, by the step, in the order of its values.
const socketSteps = {
  'set-keepalive': ['keepalive-idle', 'keepalive-interval', 'keepalive-count'],
  'set-user-timeout': ['user-timeout'],
  'set-linger': ['linger-time'],
  'set-no-delay': ['no-delay'],
};

function socket(found, flow, w) {
  if (!Object.hasOwn(socketSteps, w[1])) return;
  const names = socketSteps[w[1]];
  names.forEach((name, k) => {
    const value = w[k + 2];
    if (value !== undefined || names.length === 1) found.sockets.push({ host: w[0], flow, name, value: value ?? 'true' });
  });
  if (w[1] === 'set-keepalive') found.sockets.push({ host: w[0], flow, name: 'keepalive', value: w[2] === 'off' ? 'false' : 'true' });
}

/** pluginsOf names the plugins of a scenario, each once, without what is set for them. */
export function pluginsOf(text, extra) {
  return [...new Set(read(text, extra).hosts.flatMap((host) => host.plugins.map((spec) => spec.split(',')[0])))];
}

/** plainID is the id of the same sentence in plain words: "H5.plain.ghost" for "H5.ghost". */
export function plainID(id) {
  return id.replace('.', '.plain.');
}

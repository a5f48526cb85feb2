// What a segment did: the items of the timeline that belong to its sending and to its
// arrival, and what changed in the TCB by them. Pure.

/**
 * upon gathers what happened at a host in the step of an item: at an arrival what came
 * of it, at a sending what it came of.
 * @param {import('./fold.mjs').Timeline} line
 * @param {import('./fold.mjs').Item} item  an arrive or a send
 */
export function upon(line, item) {
  const { items } = line;
  const found = { rules: [], changes: [], timers: [], states: [], drops: [], plugins: [], reads: [], sent: [], calls: [], cause: 0 };
  const host = item.h;
  let from = item.i; // an arrival begins what came of it; a sending comes of what was before it
  if (item.k === 'send') while (from > 0 && items[from].k !== 'arrive' && items[from - 1].n === item.n) from--;
  const before = line.at(from - 1); // an RTT sample may tell of srtt before the TCB does
  for (let i = from; i < items.length && items[i].n === item.n; i++) {
    const it = items[i];
    if (i > item.i && it.k === 'arrive') break; // what another segment did
    if (it.k === 'arrive' && item.k === 'send' && it.h === host) found.cause = it.p;
    if (it.h !== host) continue;
    if (it.rule && !found.rules.includes(it.rule)) found.rules.push(it.rule);
    const kept = { timer: 'timers', state: 'states', drop: 'drops', plugin: 'plugins', read: 'reads', call: 'calls' }[it.k];
    if (kept) found[kept].push(it);
    if (it.k === 'send' && it !== item) found.sent.push(it);
    if (it.k === 'tcb') changes(before, it, found.changes);
  }
  found.changes = found.changes.filter(({ from: was, to }) => was !== to && !(was === undefined && to === 0));
  return found;
}

// changes adds what a tcb item changed: one entry a variable, from before to after.
function changes(state, it, list) {
  const before = state.hosts[it.h]?.conns[it.c]?.tcb ?? {};
  for (const [name, to] of Object.entries(it.d)) {
    const known = list.find((entry) => entry.name === name && entry.c === it.c);
    if (known) known.to = to;
    else list.push({ name, c: it.c, from: before[name], to });
  }
}

/** isMarked says whether a field of header.mjs is what a mark calls so. */
export function isMarked(field, marks) {
  return marks.some((mark) => {
    switch (mark) {
      case 'flags': return Boolean(field.flag);
      case 'ports': return field.id === 'tcp.source' || field.id === 'tcp.destination';
      case 'options': return field.group === 'options';
      default: return field.id === mark || field.id === `tcp.${mark}` || field.id === `opt.${mark}` || field.id === `flag.${mark.toLowerCase()}`;
    }
  });
}

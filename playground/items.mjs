// What the engine writes of a run, made into what the page works with: numbers that
// stand for names become names, edges of SACK blocks pairs.

const verdicts = ['pass', 'mutated', 'drop', 'delay', 'duplicate', 'inject', 'reset', 'cookie', 'hold', 'release', 'detach', 'go to', 'now'];
const steps = [
  'transition', 'moving', 'moved', 'arriving', 'arrived', 'leaving', 'left', 'rejected', 'syn', 'new', 'established', 'closed', 'timer armed', 'timer fired',
  'rtt', 'lost', 'retransmit', 'phase', 'spurious', 'ack', 'isn', 'port', 'write', 'read', 'ingress', 'egress', 'parse', 'reserve', 'options',
];

/**
 * itemOf makes an Item of what the engine wrote.
 * @param {object} item   it is changed
 * @param {{name: string}[]} rules  the rule table, from the rule with the number 1 on
 * @returns {import('./fold.mjs').Item}
 */
export function itemOf(item, rules) {
  if (typeof item.rule === 'number') item.rule = rules[item.rule - 1]?.name ?? '';
  switch (item.k) {
    case 'send':
      if (item.opts?.sack) item.sack = pairs(item.opts.sack);
      break;
    case 'say': // the id of the words, and the place among the sentences
      if (typeof item.id === 'string') Object.assign(item, { words: item.id, id: item.say ?? 0 });
      break;
    case 'read':
      item.octets ??= item.len;
      break;
    case 'plugin':
      if (typeof item.verdict === 'number') item.verdict = verdicts[item.verdict] ?? String(item.verdict);
      if (typeof item.step === 'number') item.step = steps[item.step] ?? String(item.step);
      break;
  }
  return item;
}

function pairs(edges) {
  const blocks = [];
  for (let k = 0; k + 1 < edges.length; k += 2) blocks.push([edges[k], edges[k + 1]]);
  return blocks;
}

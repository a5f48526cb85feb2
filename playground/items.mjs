// What the engine writes of a run, made into what the page works with: numbers that
// stand for names become names, edges of SACK blocks pairs.

/**
 * itemOf makes an Item of what the engine wrote.
 * @param {object} item   it is changed
 * @param {{rules: {name: string}[], verdicts: string[], hooks: string[], whys: string[]}} tables  of the catalogue; the rules begin with the number 1
 * @returns {import('./fold.mjs').Item}
 */
export function itemOf(item, { rules, verdicts, hooks, whys }) {
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
      Object.assign(item, { verdict: verdicts[item.verdict], step: hooks[item.step] ?? '', text: item.why ? whys[item.why] : '' });
      break;
  }
  return item;
}

function pairs(edges) {
  const blocks = [];
  for (let k = 0; k + 1 < edges.length; k += 2) blocks.push([edges[k], edges[k + 1]]);
  return blocks;
}

// What can be explained: the glossary, states, flags, options, timers, reasons of drops,
// popular statements, rules and scenarios, found by words in either language.

/**
 * @typedef {object} Topic
 * @property {string} id    what the command's "explain" takes
 * @property {string} kind  term, state, flag, option, timer, drop, claim, rule, scenario
 * @property {string} name  in the language asked for
 * @property {string[]} [also]  other spellings
 * @property {string} text
 * @property {string} [cite]
 */

const kinds = ['state', 'flag', 'option', 'term', 'timer', 'drop'];

/** topics lists all there is, in a language. @returns {Topic[]} */
export function topics(catalogue, lang) {
  const words = catalogue.words[lang];
  const all = [];
  for (const kind of kinds) {
    for (const id of Object.keys(words)) {
      const match = id.match(new RegExp(`^${kind}\\.([^.]+)$`));
      if (match) all.push({ id: match[1], kind, name: words[id + '.name'] ?? '', also: catalogue.also[id], text: words[id] });
    }
  }
  for (const scenario of catalogue.scenarios) {
    const id = scenario.id;
    all.push({ id, kind: 'scenario', name: words[id + '.title'] ?? '', text: [words[id + '.question'], words[id + '.summary']].filter(Boolean).join(' ') });
  }
  for (const id of Object.keys(words)) {
    const match = id.match(/^(C\d+)\.claim$/);
    if (match) all.push({ id: match[1], kind: 'claim', name: words[id], text: words[match[1] + '.precise'] ?? '' });
  }
  for (const rule of catalogue.rules) {
    all.push({ id: rule.name, kind: 'rule', name: '', text: rule.words[lang] ?? rule.words.en, cite: `RFC ${rule.rfc} §${rule.section}` });
  }
  return all;
}

/** plain is a word as it is compared: small, with one kind of dash. */
function plain(word) {
  return word.trim().toLowerCase().replace(/[\s_–—]+/g, '-');
}

/**
 * search finds topics by a word: those so called first, then those whose name has it,
 * then those that speak of it. at most `most`.
 */
export function search(all, others, word, most = 40) {
  const want = plain(word);
  if (want === '') return [];
  const rank = (topic) => {
    const names = [topic.id, topic.name, others.get(topic.kind + ' ' + topic.id)?.name ?? '', ...(topic.also ?? [])].map(plain);
    if (names.includes(want)) return 0;
    if (names.some((name) => name.startsWith(want))) return 1;
    if (names.some((name) => name.includes(want))) return 2;
    return plain(topic.text).includes(want) ? 3 : 4;
  };
  return all.map((topic) => [rank(topic), topic]).filter(([r]) => r < 4).sort(([a], [b]) => a - b).slice(0, most).map(([, topic]) => topic);
}

/** byKey finds the same topics in another language. */
export function byKey(all) {
  return new Map(all.map((topic) => [topic.kind + ' ' + topic.id, topic]));
}

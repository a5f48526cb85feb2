// What the page reads of the narration in a scenario's text. The text itself is parsed
// by the engine alone.
import { words } from './knobs.mjs';

/**
 * says are the sentences of the narration, in their order: the id of a "say" item is
 * the place in it.
 * @returns {{id: string, filter: string, rows: string, at: string}[]}
 */
export function says(text, extra = []) {
  return [...text.split('\n'), ...extra].map(words).filter(([first]) => first === 'say').map((line) => {
    const after = (name) => (line.includes(name, 3) ? line[line.indexOf(name, 3) + 1] ?? '' : '').replaceAll('"', '');
    return { id: line[1], filter: after('filter'), rows: after('rows'), at: after('at') };
  });
}

/** plainID is the id of the same sentence in plain words: "H5.plain.ghost" for "H5.ghost". */
export function plainID(id) {
  return id.replace('.', '.plain.');
}

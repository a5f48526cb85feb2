// A link holds a whole run: the scenario, the lines added to it, the place of the
// cursor, and how the page looks. What stands in one comes from anybody, so it is read
// strictly, and has bounds.

/**
 * @typedef {object} Link
 * @property {string} s        the scenario's id
 * @property {string[]} x      the lines added
 * @property {number} [i]      the item at the cursor
 * @property {string} [b]      the id of the scenario beside it
 * @property {string[]} [bx]   the lines added to that
 * @property {'en'|'zh'} [lang]
 * @property {boolean} [plain]
 */

export const bounds = { fragment: 16384, lines: 200, line: 400, item: 10_000_000 };

const idForm = /^[A-Z][0-9]{1,2}[a-z]?(-[a-z0-9]+(?:-[a-z0-9]+)*)?$/;
const known = ['s', 'x', 'i', 'b', 'bx', 'lang', 'plain'];

/** isID says whether a text can be the id of a scenario. */
function isID(text) {
  return text.length <= 48 && idForm.test(text);
}

/**
 * parse reads the fragment of an address, with or without its "#". It returns
 * {link}, {} for an empty fragment, or {error}: a word id of the page's words.
 * @returns {{link?: Link, error?: string}}
 */
export function parse(fragment) {
  const text = fragment.startsWith('#') ? fragment.slice(1) : fragment;
  if (text === '') return {};
  if (text.length > bounds.fragment) return { error: 'page.link-long' };
  const fields = new Map();
  for (const pair of text.split('&')) {
    const at = pair.indexOf('=');
    const name = pair.slice(0, at);
    if (at < 1 || !known.includes(name) || fields.has(name)) return { error: 'page.link-odd' };
    const value = decoded(pair.slice(at + 1));
    if (value === null) return { error: 'page.link-odd' };
    fields.set(name, value);
  }
  const link = { s: fields.get('s') ?? '', x: [] };
  if (!isID(link.s)) return { error: 'page.link-odd' };
  for (const name of ['x', 'bx']) {
    if (!fields.has(name)) continue;
    link[name] = fields.get(name).split('\n');
    if (!areLines(link[name])) return { error: 'page.link-odd' };
  }
  if (fields.has('b')) {
    link.b = fields.get('b');
    if (!isID(link.b)) return { error: 'page.link-odd' };
  } else if (link.bx) return { error: 'page.link-odd' };
  if (fields.has('i')) {
    if (!/^(0|[1-9][0-9]{0,7})$/.test(fields.get('i')) || Number(fields.get('i')) > bounds.item) return { error: 'page.link-odd' };
    link.i = Number(fields.get('i'));
  }
  if (fields.has('lang')) {
    link.lang = fields.get('lang');
    if (link.lang !== 'en' && link.lang !== 'zh') return { error: 'page.link-odd' };
  }
  if (fields.has('plain')) {
    if (fields.get('plain') !== '1') return { error: 'page.link-odd' };
    link.plain = true;
  }
  return { link };
}

/** print writes a link as a fragment, without "#"; "" if it is too long for one. @param {Link} link */
export function print(link) {
  const fields = [['s', link.s]];
  if (link.x?.length) fields.push(['x', link.x.join('\n')]);
  if (link.i >= 0) fields.push(['i', String(link.i)]);
  if (link.b) fields.push(['b', link.b]);
  if (link.b && link.bx?.length) fields.push(['bx', link.bx.join('\n')]);
  if (link.lang) fields.push(['lang', link.lang]);
  if (link.plain) fields.push(['plain', '1']);
  const text = fields.map(([name, value]) => `${name}=${encodeURIComponent(value).replaceAll('%20', '+')}`).join('&');
  return text.length <= bounds.fragment && areLines(link.x ?? []) && areLines(link.bx ?? []) ? text : '';
}

function decoded(text) {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return null; // not UTF-8
  }
}

// Lines are text: no control character, no half of a surrogate pair.
function areLines(lines) {
  return lines.length <= bounds.lines && lines.every((line) => line.length > 0 && line.length <= bounds.line && !/[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]/u.test(line));
}

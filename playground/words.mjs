// The words of the page: every text comes from the catalogue, by id and language.
import { signal, computed } from './lib/preact.mjs';

/** The language, "en" or "zh". Setting it also sets the document's. */
export const lang = signal('en');

/**
 * What GET /catalogue.json gave, or null until it has come.
 * @type {{value: null | {
 *   chapters: string[],
 *   scenarios: {id:string, text:string, rows:string[], chapter?:string, place?:number, corrects?:string[], compare?:string}[],
 *   also: Object<string,string[]>,
 *   words: {en: Object<string,string>, zh: Object<string,string>},
 *   rules: {name:string, rfc:number, section:string, requirement?:string, words:{en:string, zh:string}}[],
 *   edges: {from:string, to:string, rule:string}[], profiles: Object<string,Object<string,string>>,
 *   plugins: {name:string, allow?:string}[], hooks: string[], verdicts: string[], whys: string[]}}}
 */
export const catalogue = signal(null);

const rules = computed(() => new Map((catalogue.value?.rules ?? []).map((rule) => [rule.name, rule])));

/** has says whether there is a text of this id. */
export function has(id) {
  const words = catalogue.value?.words;
  return !!(words?.[lang.value]?.[id] ?? words?.en?.[id]);
}

/**
 * t is the text of id in the language of the page, with {name} replaced by
 * values.name. An id without a text shows its last word, so that it is seen.
 * @param {string} id
 * @param {Object<string,string|number>} [values]
 */
export function t(id, values) {
  const words = catalogue.value?.words;
  const text = words?.[lang.value]?.[id] ?? words?.en?.[id] ?? id.slice(id.lastIndexOf('.') + 1).replaceAll('-', ' ');
  return values ? text.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole) : text;
}

/** rule is the row of the rule table of this name, with its words; null if there is none. */
export function rule(name) {
  const row = rules.value.get(name);
  return row ? { ...row, text: row.words[lang.value] ?? row.words.en } : null;
}

/** section writes where a rule stands: "RFC 9293 §3.5". */
export function section(row) {
  return `RFC ${row.rfc} §${row.section}${row.requirement ? ' ' + row.requirement : ''}`;
}

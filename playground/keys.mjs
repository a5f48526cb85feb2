// The keys: each action has one, and the help dialog lists them from here.
import * as store from './store.mjs';
import { lang } from './words.mjs';

const faster = (times) => store.setSpeed(store.speed.value * times);
const panelKeys = ['1', '2', '3', '4', '5', 'g', '6', '7', '8', '9', '0', '\''];

/** keys lists what is pressed, how that is shown, the word of what it does, what each does if they differ, and what is done. */
export const keys = [
  { on: [' ', 'k'], shown: ['space', 'K'], does: 'play', act: () => (store.playing.value ? store.pause() : store.play()) },
  { on: ['ArrowRight', 'l'], shown: ['→', 'L'], does: 'on', act: () => store.step(store.grain.value, 1) },
  { on: ['ArrowLeft', 'j'], shown: ['←', 'J'], does: 'back', act: () => store.step(store.grain.value, -1) },
  { on: ['.'], shown: ['.'], does: 'event-on', act: () => store.step('event', 1) },
  { on: [','], shown: [','], does: 'event-back', act: () => store.step('event', -1) },
  { on: ['>'], shown: ['>'], does: 'state-on', act: () => store.step('state', 1) },
  { on: ['<'], shown: ['<'], does: 'state-back', act: () => store.step('state', -1) },
  { on: [']', 'n'], shown: [']', 'N'], does: 'say-on', act: () => store.step('say', 1) },
  { on: ['[', 'N'], shown: ['['], does: 'say-back', act: () => store.step('say', -1) },
  { on: ['Home'], shown: ['Home'], does: 'start', act: () => { store.pause(); store.seek(-1); } },
  { on: ['End'], shown: ['End'], does: 'end', act: () => { store.pause(); store.seek(Infinity); } },
  { on: ['+', '='], shown: ['+'], does: 'faster', act: () => faster(2) },
  { on: ['-'], shown: ['−'], does: 'slower', act: () => faster(0.5) },
  { on: ['f'], shown: ['F'], does: 'fold', act: () => { store.folded.value = !store.folded.value; } },
  { on: ['p'], shown: ['P'], does: 'plain', act: () => { store.plain.value = !store.plain.value; } },
  { on: ['b'], shown: ['B'], does: 'branch', act: () => store.branch() },
  { on: ['u'], shown: ['U'], does: 'undo', act: () => store.undo() },
  { on: ['s'], shown: ['S'], does: 'swap', act: () => { if (store.other.value) store.show(store.other.value.key); } },
  { on: panelKeys, shown: ['1', '…', '0', 'G', '\''], does: 'panels', each: store.panels.map((name, k) => [panelKeys[k].toUpperCase(), name]), act: (key) => { store.panel.value = store.panels[panelKeys.indexOf(key)]; } },
  { on: ['z'], shown: ['Z'], does: 'language', act: () => { lang.value = lang.value === 'zh' ? 'en' : 'zh'; } },
  { on: ['t'], shown: ['T'], does: 'theme', act: () => { store.theme.value = store.theme.value === 'dark' ? 'light' : 'dark'; } },
  { on: ['?'], shown: ['?'], does: 'help', act: () => { store.dialog.value = 'help'; } },
];

/** press does what a key is for, unless what has the focus wants it itself. */
export function press(event) {
  if (event.defaultPrevented || event.ctrlKey || event.altKey || event.metaKey || store.dialog.value) return;
  if (!store.letters.value && event.key.length === 1 && event.key !== ' ') return;
  const { target } = event;
  if (target.matches?.('textarea, select, input:not([type="checkbox"])') || target.isContentEditable) return;
  if (event.key === ' ' && target.matches?.('button, summary, a, input, [role="button"]')) return;
  const found = keys.find(({ on }) => on.includes(event.key));
  if (!found) return;
  event.preventDefault();
  found.act(event.key);
}

// What can be done to a segment on its way: lose it, deliver it later or twice, spoil
// it. Each writes one line of the scenario language, and the run is made again.
import { html, useEffect, useLayoutEffect, useRef } from '../lib/preact.mjs';
import { t } from '../words.mjs';
import { duration } from '../format.mjs';
import { durationWord, faultLines, faultOf } from '../faults.mjs';
import * as store from '../store.mjs';

/** change writes what becomes of a packet and has the run made again; null restores it. */
export function change(packet, what) {
  const { extra } = store.run.value;
  // what the scenario itself plans for the packet is undone by delivering it on time
  const line = what === null && !faultOf(extra, packet.p) && odd(packet) ? 'delay 0s' : what;
  store.setExtra(faultLines(extra, packet.p, line));
  store.select(packet.p);
}

const odd = (packet) => Boolean(packet.lost) || packet.late || packet.arrivals.length !== 1;

/** restorable says whether something was done to a packet. */
export const restorable = (packet, extra) => faultOf(extra, packet.p) !== '' || odd(packet);

/** later delivers a packet so much later than it came without any delay asked for before. */
export function later(packet, ns, extra) {
  const m = /^delay (\d+)ms$/.exec(faultOf(extra, packet.p));
  change(packet, `delay ${durationWord(ns + (m ? Number(m[1]) * 1e6 : 0))}`);
}

/** Menu lists what can be done to a packet. It closes with Escape or when it loses the focus. */
export function Menu({ packet, x, y, within, onClose, onInspect }) {
  const box = useRef(null);
  const { extra } = store.run.value;
  // It stays within what is in sight of the ladder, as far as that has room.
  useLayoutEffect(() => {
    const { scrollTop, clientHeight, clientWidth } = within.current;
    const { style, offsetWidth, offsetHeight } = box.current;
    style.left = `${Math.max(4, Math.min(x, clientWidth - offsetWidth - 4))}px`;
    style.top = `${Math.max(scrollTop + 4, Math.min(y, scrollTop + clientHeight - offsetHeight - 4))}px`;
  }, [x, y]);
  useEffect(() => box.current?.querySelector('[role=menuitem]')?.focus({ preventScroll: true }), [packet.p]);
  const flight = packet.flight || 50e6;
  const entries = [
    ['inspect', 'Enter', onInspect],
    ['seek', 'S', () => store.seek(packet.sent)],
    ['lose', 'Del', () => change(packet, 'lose'), packet.lost],
    ...[flight, 1e9, 10e9].map((ns, n) => [`later`, n === 0 ? 'L' : '', () => later(packet, ns, extra), packet.arrivals.length === 0, { time: duration(ns) }]),
    ['double', '2', () => change(packet, 'double')],
    ['spoil', 'X', () => change(packet, 'spoil')],
    ['restore', 'R', () => change(packet, null), !restorable(packet, extra)],
  ].filter(([, , , hidden]) => !hidden);
  const move = (event) => {
    const items = [...box.current.querySelectorAll('[role=menuitem]')];
    const at = items.indexOf(document.activeElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: items.length - 1 }[event.key];
    if (event.key === 'Escape' || event.key === 'Tab') onClose(true);
    else if (to === undefined) return;
    else items[(to + items.length) % items.length].focus();
    event.preventDefault();
    event.stopPropagation();
  };
  const leave = (event) => {
    if (!box.current?.contains(event.relatedTarget)) onClose(false);
  };
  return html`<div class="seg-menu" role="menu" ref=${box} aria-label=${t('ladder.menu')} onKeyDown=${move} onFocusOut=${leave}>
    ${entries.map(([name, key, act, , values]) => html`<button role="menuitem" tabindex="-1" class="plain" onClick=${() => { onClose(true); act(); }}>
      <span>${t(`ladder.do.${name}`, values)}</span>${key && html`<kbd aria-hidden="true">${key}</kbd>`}</button>`)}
  </div>`;
}

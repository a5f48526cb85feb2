// The ladder: lifelines with their states, segments on their way, and what happens at
// the ends. Only the part that is in sight is drawn.
import { html, useEffect, useLayoutEffect, useMemo, useRef, useState, signal } from '../lib/preact.mjs';
import * as store from '../store.mjs';
import { t } from '../words.mjs';
import { duration, clock, segment } from '../format.mjs';
import { layout, packetsOf } from '../layout.mjs';
import { wholeMS } from '../faults.mjs';
import { Arrow, Bands, Folds, Glow, Grip, Notes, Says, Timers, Times, frame, inWords, wayOf } from './ladder-draw.mjs';
import { aloneAs } from './facts.mjs';
import { Icon } from './transport.mjs';
import { Menu, change, later, restorable } from './ladder-menu.mjs';

const NARROW = 560;
const WIDE = 620; // from which on the drawing grows with its room
const LARGEST = 1.6;
const CHUNK = 600; // the drawing is renewed when so much has been scrolled
const DRAG_FROM = 5; // pixels before a press is a drag
const BELOW = 7; // the cursor's line is below what has happened
const READING = 3000; // ms for which a user who has scrolled is left alone
const CROWD = 3; // of more segments on their way at once each is a dot
const FULL = 7; // of more segments beside each other the lines are thin
const LISTED = 25; // segments on each side of the chosen one that the list in words has

const zoom = signal(1);
const ahead = signal(true); // whether what comes after the cursor shows faintly
const zooms = [0.25, 0.4, 0.6, 0.8, 1, 1.3, 1.7, 2.2, 3];

export function Ladder() {
  const run = store.run.value;
  const other = store.other.value;
  return html`<section class="sheet ladder" aria-labelledby="h-ladder">
    <h2 id="h-ladder" class="sr">${t('page.ladder')}</h2>
    <${Tools}/>
    <div class=${other ? 'ladder-pair' : ''}>
      ${run && html`<${Drawing} key=${run.key} run=${run} titled=${Boolean(other)}/>`}
      ${other && html`<${Drawing} key=${other.key} run=${other} titled=${true} aside=${true}/>`}
    </div>
  </section>`;
}

function Tools() {
  const at = zooms.indexOf(zoom.value);
  const by = (d) => { zoom.value = zooms[Math.max(0, Math.min(zooms.length - 1, at + d))]; };
  return html`<div class="row ladder-tools" role="group" aria-label=${t('page.ladder')}>
    <button class="plain" aria-pressed=${ahead.value} onClick=${() => { ahead.value = !ahead.value; }} aria-label=${t('ladder.ahead')} title=${t('ladder.ahead')}><${Icon} name=${ahead.value ? 'seen' : 'unseen'}/></button>
    <button class="plain" aria-label=${t('ladder.smaller')} title=${t('ladder.smaller')} disabled=${at === 0} onClick=${() => by(-1)}>−</button>
    <button class="plain" aria-label=${t('ladder.larger')} title=${t('ladder.larger')} disabled=${at === zooms.length - 1} onClick=${() => by(1)}>+</button>
  </div>`;
}

// cursorHeight is where the cursor's line is: at its item, or between two while time runs.
function cursorHeight(plan, cursor, now) {
  if (cursor < 0 || plan.items.length === 0) return now > 0 ? plan.yAt(now) : 2;
  const i = Math.min(cursor, plan.items.length - 1);
  return now > plan.items[i].t ? plan.yAt(now) : plan.y[i];
}

// unitOf is how many pixels a unit of the drawing is: its type is as large as there is
// room for, and as the user's own.
function unitOf(width) {
  const type = Number.parseFloat(getComputedStyle(document.documentElement).fontSize) / 16 || 1;
  return type * Math.max(1, Math.min(LARGEST, width / type / WIDE));
}

function Drawing({ run, titled, aside = false }) {
  const scroller = useRef(null);
  const list = useRef(null);
  const [width, setWidth] = useState(0);
  const [top, setTop] = useState(0); // of the part that is drawn, in CHUNKs
  const [tall, setTall] = useState(600);
  const [menu, setMenu] = useState(null);
  const [drag, setDrag] = useState(null);
  const [said, setSaid] = useState('');
  const scrolled = useRef(-READING);
  const at = useRef(0); // how far it is scrolled: to ask the box would lay out the page in each frame
  const length = (store.version.value, run.line.items.length);
  const unit = unitOf(width);
  const narrow = width / unit < NARROW;
  const hosts = Math.max(2, run.header.hosts.length);
  const plan = useMemo(() => layout(run.line.items, packetsOf(run.line), { hosts, narrow, zoom: zoom.value, fold: store.folded.value }),
    [run.line, length, hosts, narrow, zoom.value, store.folded.value]);
  const fr = frame(width / unit, hosts, narrow);
  const picked = store.selection.value?.run === run.key ? plan.packets.find((packet) => packet.p === store.selection.value.p) : undefined;

  useLayoutEffect(() => {
    const box = scroller.current;
    const seen = new ResizeObserver(() => {
      setWidth(box.clientWidth);
      setTall(box.clientHeight);
    });
    seen.observe(box);
    return () => seen.disconnect();
  }, []);

  const onScroll = (event) => {
    at.current = event.target.scrollTop;
    setTop(Math.floor(at.current / unit / CHUNK));
  };
  const byHand = () => { scrolled.current = performance.now(); };
  const from = Math.max(0, (top - 1) * CHUNK);
  const upto = Math.min(plan.height, (top + 1) * CHUNK + tall / unit + CHUNK);

  // bring keeps a height in sight, without fighting a user who scrolls.
  const bring = (y, always) => {
    if (!scroller.current || (!always && performance.now() - scrolled.current < READING)) return;
    const here = y * unit;
    if (here >= at.current + 40 && here <= at.current + tall - 70) return;
    at.current = Math.max(0, Math.min(here - tall * 0.35, plan.height * unit - tall));
    scroller.current.scrollTop = at.current;
  };

  // A packet picked elsewhere comes into sight.
  useEffect(() => {
    const box = scroller.current;
    if (picked && (picked.y2 * unit < box.scrollTop || picked.y1 * unit > box.scrollTop + box.clientHeight)) bring(picked.y1, true);
  }, [store.selection.value, unit]);

  const pick = (packet) => {
    store.select(packet.p, run.key);
    list.current?.focus({ preventScroll: true });
  };
  const openMenu = (packet) => {
    const way = wayOf(packet, fr);
    store.select(packet.p, run.key);
    bring(packet.y1, true);
    setMenu({ p: packet.p, x: (way.x1 + way.x2) / 2 * unit - 100, y: (way.y1 + 14) * unit });
  };
  const closeMenu = (back) => {
    setMenu(null);
    if (back) list.current?.focus({ preventScroll: true });
  };
  const does = (packet, what, act) => {
    act();
    setSaid(t(`ladder.did.${what}`, { p: packet.p }));
  };
  const onKey = (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const at = picked ? picked.index : near(plan.packets, aside ? store.otherCursor.value : store.cursor.value);
    const go = (k) => {
      const packet = plan.packets[Math.max(0, Math.min(plan.packets.length - 1, k))];
      if (!packet) return;
      pick(packet);
      bring(packet.y1, true);
    };
    const acts = {
      ArrowDown: () => go(picked ? at + 1 : at), ArrowUp: () => go(at - 1), PageDown: () => go(at + 10), PageUp: () => go(at - 10),
      Home: () => go(0), End: () => go(plan.packets.length - 1),
      ...(picked && {
        Enter: inspect, ' ': inspect, s: () => store.seek(picked.sent),
        Escape: () => store.select(null),
      }),
      ...(picked && !aside && {
        m: () => openMenu(picked), ContextMenu: () => openMenu(picked), F10: () => openMenu(picked),
        Delete: () => does(picked, 'lose', () => change(picked, 'lose')), Backspace: () => does(picked, 'lose', () => change(picked, 'lose')),
        2: () => does(picked, 'double', () => change(picked, 'double')), x: () => does(picked, 'spoil', () => change(picked, 'spoil')),
        l: () => picked.arrivals.length && does(picked, 'later', () => later(picked, picked.flight || 50e6, run.extra)),
        r: () => restorable(picked, run.extra) && does(picked, 'restore', () => change(picked, null)),
      }),
    };
    const act = acts[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!act) return;
    act();
    event.preventDefault();
    event.stopPropagation();
  };

  // A drag moves the arrival of a segment down: it is delivered so much later.
  const packetAt = (event) => {
    const g = event.target.closest?.('[data-p]');
    return g && plan.packets.find((packet) => packet.p === Number(g.dataset.p));
  };
  const onPointerDown = (event) => {
    const packet = packetAt(event);
    if (!packet || event.button !== 0) return;
    const grip = event.target.classList.contains('grip');
    if (event.pointerType !== 'mouse' && !grip) return;
    if (aside || packet.arrivals.length === 0) return;
    const begin = { packet, y: event.clientY, id: event.pointerId, moved: false, arrival: packet.arrivals[0].y, to: packet.arrivals[0].y };
    setDrag(begin);
  };
  // touch-action is not heeded on what is inside an SVG
  const onTouchStart = (event) => {
    if (event.target.classList.contains('grip')) event.preventDefault();
  };
  const onPointerMove = (event) => {
    if (!drag || event.pointerId !== drag.id) return;
    const by = event.clientY - drag.y;
    if (!drag.moved && Math.abs(by) < DRAG_FROM) return;
    scroller.current.setPointerCapture(drag.id); // not before: a click goes to what captures
    setDrag({ ...drag, moved: true, to: Math.max(drag.arrival, drag.arrival + by / unit) });
  };
  const onPointerUp = (event) => {
    if (!drag || event.pointerId !== drag.id) return;
    setDrag(null);
    if (!drag.moved) return;
    if (drag.to > drag.arrival) does(drag.packet, 'later', () => later(drag.packet, laterBy(drag, plan), run.extra));
  };
  const onClick = (event) => {
    if (drag) return;
    const packet = packetAt(event);
    if (packet) pick(packet);
    else if (event.target.closest('.drawing') && !event.target.closest('.note, .say') && !aside) {
      store.seekTime(plan.timeAt((event.clientY - scroller.current.getBoundingClientRect().top + scroller.current.scrollTop) / unit));
    }
  };
  const onMenu = (event) => {
    const packet = packetAt(event);
    if (!packet || aside) return;
    event.preventDefault();
    openMenu(packet);
  };
  const onDouble = (event) => {
    const packet = packetAt(event);
    if (!packet || aside) return;
    if (packet.lost) does(packet, 'restore', () => change(packet, null));
    else does(packet, 'lose', () => change(packet, 'lose'));
  };

  const seen = plan.within(from, upto);
  const load = seen.packets.reduce((sum, packet) => sum + Math.min(packet.y2, upto) - Math.max(packet.y1, from), 0) / Math.max(1, upto - from);
  const labelled = plan.row >= 11;
  const seek = (i) => { if (!aside) store.seek(i); };
  const picture = useMemo(() => html`<g class=${load > FULL ? 'full' : ''}>
    <${Times} times=${seen.times} fr=${fr}/>
    ${fr.xs.map((x, h) => html`<line class=${`life ${store.side(h)}`} x1=${x} x2=${x} y1=${from} y2=${upto}/>`)}
    <${Bands} bands=${seen.bands} folds=${seen.folds} fr=${fr} from=${from} upto=${upto}/>
    <${Timers} timers=${seen.timers} bands=${seen.bands} fr=${fr} plan=${plan}/>
    <${Folds} folds=${seen.folds} fr=${fr}/>
    ${picked && html`<${Glow} packet=${picked} fr=${fr}/>`}
    ${seen.packets.map((packet) => packet !== picked && html`<${Arrow} key=${packet.p} packet=${packet} fr=${fr} labelled=${labelled}/>`)}
    <${Notes} notes=${seen.notes} bands=${seen.bands} fr=${fr} plan=${plan} onPick=${seek}/>
    <${Says} says=${seen.says} fr=${fr} onPick=${seek}/>
  </g>`, [plan, width, from, upto, picked, t('page.ladder')]);

  const grips = useMemo(() => (aside ? null : html`<g>${seen.packets.map((packet) => html`<${Grip} key=${packet.p} packet=${packet} fr=${fr} picked=${packet === picked}/>`)}</g>`), [plan, width, from, upto, picked]);

  return html`<div class=${`ladder-box${narrow ? ' narrow' : ''}`}>
    ${titled && html`<p class="ladder-title"><b>${run.name}</b> ${run.id}${run.extra.length ? ` + ${run.extra.length}` : ''}</p>`}
    <${Heads} run=${run} fr=${fr} unit=${unit} aside=${aside}/>
    <div class="ladder-scroll" ref=${scroller} onScroll=${onScroll} onWheel=${byHand} onTouchMove=${byHand} onTouchStart=${onTouchStart}
      onPointerDown=${onPointerDown} onPointerMove=${onPointerMove} onPointerUp=${onPointerUp} onPointerCancel=${() => setDrag(null)}
      onClick=${onClick} onContextMenu=${onMenu} onDblClick=${onDouble}>
      <${List} box=${list} plan=${plan} picked=${picked} run=${run} aside=${aside} onKey=${onKey}/>
      <div class="ladder-tall" style=${{ height: `${plan.height * unit}px` }}>
        ${width > 0 && html`<${Layer} kind="drawing" fr=${fr} unit=${unit} from=${from} upto=${upto}>${picture}<//>
        <${Layer} kind="drawing over" fr=${fr} unit=${unit} from=${from} upto=${upto}>
          <${Cursor} plan=${plan} fr=${fr} aside=${aside} bring=${bring} size=${`${width} ${tall}`} from=${from} upto=${upto}/>
          ${picked && html`<${Arrow} packet=${picked} fr=${fr} picked=${true} labelled=${true}/>`}
          ${grips}
          ${drag?.to > drag?.arrival && html`<${Ghost} drag=${drag} fr=${fr} plan=${plan}/>`}
        <//>`}
        ${menu && picked && html`<${Menu} packet=${picked} x=${menu.x} y=${menu.y} within=${scroller} onClose=${closeMenu} onInspect=${inspect}/>`}
      </div>
    </div>
    ${!aside && html`<${Begin}/>`}
    <p class="sr" role="status">${said}</p>
  </div>`;
}

// Begin is what a newcomer presses first.
function Begin() {
  store.version.value;
  if (store.cursor.value >= 0 || store.playing.value || store.now.value > 0 || !store.run.value?.line.items.length) return null;
  return html`<button class="strong begin" tabindex="-1" onClick=${store.play}><${Icon} name="play"/>${t('page.play')}</button>`;
}

// A Layer is a part of the drawing, from a height to another. What moves with time has
// one of its own, so that the rest is not painted again in each frame.
function Layer({ kind, fr, unit, from, upto, children }) {
  const tall = Math.max(1, upto - from);
  return html`<svg class=${kind} aria-hidden="true" width=${fr.width * unit} height=${tall * unit} viewBox=${`0 ${from} ${fr.width} ${tall}`} style=${{ top: `${from * unit}px` }}>${children}</svg>`;
}

// inspect takes the focus to the segment's panel.
function inspect() {
  store.panel.value = 'segment';
  requestAnimationFrame(() => document.getElementById('h-inspector')?.focus());
}

// near is the packet that was sent last at a cursor.
function near(packets, cursor) {
  let k = 0;
  while (k + 1 < packets.length && packets[k + 1].sent <= cursor) k++;
  return k;
}

// Heads are the hosts above their lifelines, with the state and the timers at the cursor.
function Heads({ run, fr, unit, aside }) {
  const state = aside ? store.otherState.value : store.state.value;
  const now = store.now.value;
  return html`<div class="ladder-heads" aria-hidden="true">
    ${run.header.hosts.map((host, h) => {
      const st = state?.hosts[h];
      const conn = store.connOf(state, h);
      const timers = Object.entries(conn?.timers ?? {}).filter(([, timer]) => timer.due > now).slice(0, fr.narrow ? 2 : 3);
      return html`<div class=${`ladder-head ${store.side(h)}`} style=${{ left: `${(fr.xs[h] ?? 0) * unit}px`, width: `${(fr.narrow ? 150 : Math.max(90, fr.width / fr.hosts - 12)) * unit}px` }}
        data-edge=${h === 0 ? 'first' : h === fr.hosts - 1 ? 'last' : ''}>
        <p><b>${host.name}</b> <span class="addr">${host.addr}</span></p>
        <p class="state">${st && !st.up ? t('ladder.down') : conn?.state ?? ''}${st?.mem?.ghosts > 0 && html` <span class="is-wrong">${t(`ladder.${aloneAs(st)}`)}</span>`}</p>
        <p class="ladder-now">${timers.map(([slot, timer]) => html`<${Ring} key=${slot} slot=${slot} timer=${timer} now=${now}/>`)}</p>
      </div>`;
    })}
  </div>`;
}

// Ring is a timer that runs: what is left of it, as a ring and in words.
function Ring({ slot, timer, now }) {
  const whole = Math.max(1, timer.due - timer.armed);
  const left = Math.max(0, Math.min(1, (timer.due - now) / whole));
  const round = 2 * Math.PI * 6;
  return html`<span class="ring" title=${t(`timer.${slot}.name`)}>
    <svg width="16" height="16" viewBox="0 0 16 16"><circle cx="8" cy="8" r="6" class="track"/><circle cx="8" cy="8" r="6" class="left" stroke-dasharray=${`${left * round} ${round}`} transform="rotate(-90 8 8)"/></svg>
    <span>${t(`ladder.timer.${slot}`)} <span class="num">${duration(roundTo(timer.due - now))}</span></span></span>`;
}

const roundTo = (ns) => (ns > 1e10 ? Math.round(ns / 1e9) * 1e9 : ns > 1e9 ? Math.round(ns / 1e8) * 1e8 : Math.round(ns / 1e6) * 1e6);

// Cursor is the line of now, what is yet to come behind a veil, and what is on its way.
function Cursor({ plan, fr, aside, bring, size, from, upto }) {
  const now = store.now.value;
  const cursor = aside ? store.otherCursor.value : store.cursor.value;
  const y = cursorHeight(plan, cursor, now) + BELOW;
  useEffect(() => bring(y, false), [y, size]);
  if (plan.items.length === 0) return null;
  const moving = plan.within(y - 1, y + 1).packets.filter((packet) => packet.sent <= cursor);
  return html`<g class="cursor">
    <rect class=${ahead.value ? 'veil' : 'veil full'} x="0" y=${Math.max(y, from)} width=${fr.width} height=${Math.max(0, upto - Math.max(y, from))}/>
    <line x1="0" x2=${fr.width} y1=${y} y2=${y}/>
    <g transform=${`translate(0 ${y})`}>${!fr.narrow && html`<rect class="under" x="0" y="-13" width="62" height="29"/>`}<rect class="chip" x="0" y="-8" width=${8 + 6.1 * clock(now).length} height="16" rx="3"/><text x="4" y="4">${clock(now)}</text></g>
    ${moving.flatMap((packet) => waysOf(packet, fr).filter((way) => way.y1 <= y && y < way.y2).map((way) => {
      const part = (y - way.y1) / (way.y2 - way.y1);
      if (moving.length > CROWD) return html`<circle class=${`mover ${packet.from < 0 ? 'alien' : store.side(packet.from)}`} cx=${way.x1 + (way.x2 - way.x1) * part} cy=${y} r="4"/>`;
      const words = segment(packet.item) || 'ICMP';
      const wide = words.length * 6.8 + 12;
      return html`<g class=${`mover ${packet.from < 0 ? 'alien' : store.side(packet.from)}`} transform=${`translate(${way.x1 + (way.x2 - way.x1) * part} ${y})`}>
        <rect x=${-wide / 2} y="-9" width=${wide} height="18" rx="9"/><text y="4" text-anchor="middle">${words}</text></g>`;
    }))}
  </g>`;
}

const waysOf = (packet, fr) => (packet.arrivals.length ? packet.arrivals.map((arrival) => wayOf(packet, fr, arrival)) : [wayOf(packet, fr)]);

// laterBy is how much later a segment that is dragged would arrive: what lies below its
// arrival at the same instant is passed in a millisecond.
const laterBy = (drag, plan) => wholeMS(plan.timeAt(drag.to) - drag.packet.arrivals[0].at);

// Ghost is where a segment that is dragged would arrive.
function Ghost({ drag, fr, plan }) {
  const way = wayOf(drag.packet, fr);
  return html`<g class="ghost"><line x1=${way.x1} y1=${way.y1} x2=${way.x2} y2=${drag.to}/><circle cx=${way.x2} cy=${drag.to} r="6"/>
    <text x=${way.x2 - way.dir * 14} y=${drag.to + 18} text-anchor=${way.dir > 0 ? 'end' : 'start'}>${t('ladder.later-by', { time: duration(laterBy(drag, plan)) })}</text></g>`;
}

// List says the segments in words, for the keyboard and for those who do not see the
// drawing. It has those around the chosen one, and tells which of how many each is.
function List({ box, plan, picked, run, aside, onKey }) {
  const id = (packet) => `seg-${run.key}-${packet.p}`;
  const middle = picked ? picked.index : near(plan.packets, untracked(aside));
  const from = Math.max(0, middle - LISTED);
  const names = run.header.hosts.map((host) => host.name);
  return html`<ol class="ladder-list sr" role="listbox" tabindex="0" ref=${box} aria-label=${t('ladder.list', { run: run.name })} onKeyDown=${onKey}
    aria-activedescendant=${picked ? id(picked) : undefined}>
    ${plan.packets.slice(from, middle + LISTED + 1).map((packet) => html`<li key=${packet.p} id=${id(packet)} role="option" aria-selected=${packet === picked}
      aria-posinset=${packet.index + 1} aria-setsize=${plan.packets.length}>${inWords(packet, names)}</li>`)}
  </ol>`;
}

const untracked = (aside) => (aside ? store.otherCursor : store.cursor).peek();

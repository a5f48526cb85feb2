// What the ladder draws: SVG for a window of a plan of layout.mjs. Nothing here
// depends on the cursor, so that playing does not draw it anew.
import { html } from '../lib/preact.mjs';
import { flagNames, duration, clock } from '../format.mjs';
import { labelOf, PART, TIMER_LANES } from '../layout.mjs';
import { has, t, lang } from '../words.mjs';
import { side } from '../store.mjs';

const BAND = 14; // width of the band of a state
const LANE = BAND - 3; // from one band to the next where connections live at once
const TIMER = 5;
const CHAR = 6.5; // width of a character of a label
const SMALL = 6.6; // of a note
const STEEPEST = 36; // degrees by which a label is turned at most
const STEEPEST_NARROW = 22; // there notes stand below the labels
const MOST_LANES = 4;

const SHORT = {
  'SYN-SENT': 'SYN-S', 'SYN-RECEIVED': 'SYN-R', ESTABLISHED: 'ESTAB', 'FIN-WAIT-1': 'FIN-1', 'FIN-WAIT-2': 'FIN-2',
  'CLOSE-WAIT': 'CL-WT', 'LAST-ACK': 'LAST', 'TIME-WAIT': 'TIME', CLOSED: 'CLOSED', LISTEN: 'LISTEN', CLOSING: 'CLSNG',
};
const PHASE = {
  LISTEN: 'still', 'SYN-SENT': 'opening', 'SYN-RECEIVED': 'opening', ESTABLISHED: 'open', 'FIN-WAIT-1': 'closing', 'FIN-WAIT-2': 'closing',
  'CLOSE-WAIT': 'closing', CLOSING: 'closing', 'LAST-ACK': 'closing', 'TIME-WAIT': 'waiting',
};

/** frame says where the lifelines are in a drawing of some width. */
export function frame(width, hosts, narrow) {
  const margin = narrow ? 52 : Math.min(190, Math.max(126, width * 0.2));
  const left = narrow ? margin : margin + 46; // the times stand there
  const step = hosts > 1 ? (width - left - margin) / (hosts - 1) : 0;
  const xs = Array.from({ length: hosts }, (_, h) => left + h * step);
  return { width, hosts, narrow, xs, outward: (h) => (h === hosts - 1 && hosts > 1 ? 1 : -1) };
}

/** wayOf is where a packet's arrow begins and ends, left to right, and how far down. */
export function wayOf(packet, fr, arrival = packet.arrivals[0]) {
  const { xs, hosts } = fr;
  const far = (h) => (h >= 0 && h < hosts ? xs[h] : undefined);
  let x1 = far(packet.from);
  let x2 = far(packet.to);
  const span = hosts > 1 ? xs[1] - xs[0] : 200;
  if (x1 === undefined) x1 = (x2 ?? xs[0]) + (x2 > xs[0] ? -0.5 : 0.5) * span; // from nowhere
  if (x2 === undefined) x2 = x1 + (x1 > xs[0] ? -0.5 : 0.5) * span; // to nobody
  const dir = Math.sign(x2 - x1) || 1;
  if (packet.from >= 0) x1 += dir * (BAND / 2 + 1);
  let { y2 } = packet;
  if (arrival) {
    x2 -= dir * (BAND / 2 + 1);
    y2 = arrival.y;
  } else {
    x2 = x1 + (x2 - x1) * PART;
  }
  return { x1, y1: packet.y1, x2, y2, dir };
}

const fit = (text, room) => (text.length <= room ? text : text.slice(0, Math.max(1, room - 1)) + '…');

/** Arrow draws one packet: its line, head or cross, doubles, label. */
export function Arrow({ packet, fr, picked, labelled }) {
  const { item } = packet;
  const way = wayOf(packet, fr);
  const { x1, y1, x2, y2, dir } = way;
  const turn = Math.atan2(y2 - y1, x2 - x1) * 180 / Math.PI;
  const length = Math.hypot(x2 - x1, y2 - y1);
  const upright = dir > 0 ? turn : turn - 180 * Math.sign(turn || 1);
  const lean = Math.abs(upright) > (fr.narrow ? STEEPEST_NARROW : STEEPEST) ? 0 : upright; // of steep ones the label lies flat
  const room = Math.floor((lean ? length * packet.free : Math.abs(x2 - x1)) / CHAR) - 4;
  const label = labelled || picked ? fullLabel(packet, room) : '';
  const lost = packet.arrivals.length === 0 && packet.lost;
  const flying = packet.arrivals.length === 0 && !packet.lost;
  return html`<g class=${`seg ${packet.from < 0 ? 'alien' : side(packet.from)} ${packet.kind}${lost ? ' lost' : ''}${flying ? ' flying' : ''}${picked ? ' picked' : ''}`} data-p=${packet.p}>
    ${packet.arrivals.slice(1).map((arrival) => {
      const twin = wayOf(packet, fr, arrival);
      return html`<g class="twin"><line class="line" x1=${twin.x1} y1=${twin.y1} x2=${twin.x2} y2=${twin.y2}/><${Head} ...${twin} kind=${packet.kind}/>
        <text class="aside" x=${twin.x2 - dir * 12} y=${twin.y2 - 5} text-anchor=${dir > 0 ? 'end' : 'start'}>×2</text></g>`;
    })}
    <line class="line" x1=${x1} y1=${y1} x2=${x2} y2=${y2}/>
    ${packet.kind === 'again' && html`<path class="tail" d=${`M${x1 + dir * 3} ${y1 - 4}v8`}/>`}
    ${packet.kind === 'probe' && html`<path class="tail hollow" d=${`M${x1 + dir * 5} ${y1 - 4}l4 4l-4 4l-4 -4z`}/>`}
    ${lost && html`<path class="cross" d=${`M${x2 - 5} ${y2 - 5}l10 10m0 -10l-10 10`}/>
      <${Why} text=${whyOf(packet)} x=${x2} y=${y2} dir=${dir} room=${Math.abs(x2 - x1) * (1 / PART - 1)}/>`}
    ${packet.arrivals.length > 0 && html`<${Head} ...${way} kind=${packet.kind}/>`}
    ${label && html`<text class="label" transform=${`translate(${x1 + dir * 13} ${y1 + 13 * Math.abs(Math.tan(lean * Math.PI / 180)) - 5.5}) rotate(${lean})`}
      text-anchor=${dir > 0 ? 'start' : 'end'}>${label}</text>`}
    <line class="hit" x1=${x1} y1=${y1} x2=${x2} y2=${y2}/>
  </g>`;
}

// fullLabel is what a segment says, and what is not usual about it; where two cross, the
// latter only if there is room: the line tells it too.
function fullLabel(packet, room) {
  const marked = marksOf(packet).join(' ');
  const label = [labelOf(packet.item, Math.max(3, room - marked.length - 1)), marked].filter(Boolean).join(' ');
  return packet.free < 1 && label.length > room ? labelOf(packet.item, room) : label;
}

/** Grip is where a packet is taken hold of to deliver it later: above all arrows. */
export function Grip({ packet, fr, picked }) {
  if (packet.arrivals.length === 0) return null;
  const { x2, y2, dir } = wayOf(packet, fr);
  return html`<circle class=${`grip ${packet.from < 0 ? 'alien' : side(packet.from)}${picked ? ' picked' : ''}`} data-p=${packet.p} cx=${x2 - dir * 6} cy=${y2} r=${picked ? 7 : 11}/>`;
}

// Why says beyond the cross why a packet was lost; below it where there is no room.
function Why({ text, x, y, dir, room }) {
  if (text.length * CHAR * (text.charCodeAt(0) > 0x2e80 ? 1.7 : 1) + 24 > room) return html`<text class="why" x=${x} y=${y + 18} text-anchor="middle">${text}</text>`;
  return html`<text class="why" x=${x + dir * 9} y=${y + 4} text-anchor=${dir > 0 ? 'start' : 'end'}>${text}</text>`;
}

/** Glow marks the packet that is picked, beneath the others. */
export function Glow({ packet, fr }) {
  const { x1, y1, x2, y2 } = wayOf(packet, fr);
  return html`<line class="glow" x1=${x1} y1=${y1} x2=${x2} y2=${y2}/>`;
}

function Head({ x1, y1, x2, y2, kind }) {
  const turn = Math.atan2(y2 - y1, x2 - x1) * 180 / Math.PI;
  const shape = kind === 'reset' ? 'M0 -6V6M-6 -6V6' : kind === 'ack' ? 'M-8 -4L0 0L-8 4' : 'M0 0L-10 -4.5V4.5z';
  return html`<path class=${kind === 'reset' || kind === 'ack' ? 'head open' : 'head'} d=${shape} transform=${`translate(${x2} ${y2}) rotate(${turn})`}/>`;
}

/** marksOf are the words behind a label that tell what is not usual. */
function marksOf(packet) {
  const marks = [];
  if (packet.kind === 'again') marks.push(t('ladder.again'));
  if (packet.kind === 'probe') marks.push(t('ladder.probe'));
  if (packet.late) marks.push(t('ladder.late', { time: duration(packet.flight) }));
  if (packet.overtakes) marks.push(t('ladder.overtakes'));
  return marks.map((word) => `· ${word}`);
}

const whyOf = (packet) => t(`ladder.why.${packet.lost?.why || 'loss'}`);

/** inWords says all of a packet in a sentence, for those who do not see the drawing. */
export function inWords(packet, names) {
  const { item } = packet;
  const flags = flagNames(item.flags);
  const parts = [t('ladder.says.head', { time: duration(packet.at), from: names[packet.from] ?? t('ladder.nowhere'), to: names[packet.to] ?? t('ladder.nobody'), flags: item.icmp ? 'ICMP' : flags.join(' ') || '–' })];
  if (!item.icmp) parts.push(`seq ${item.seq ?? 0}`);
  if (flags.includes('ACK')) parts.push(`ack ${item.ack ?? 0}`);
  if (item.len) parts.push(t('ladder.says.len', { n: item.len }));
  if (packet.kind === 'again') parts.push(t('ladder.again'));
  if (packet.kind === 'probe') parts.push(t('ladder.probe'));
  if (packet.arrivals.length === 0) parts.push(packet.lost ? t('ladder.says.lost', { why: whyOf(packet) }) : t('ladder.says.flying'));
  else parts.push(t('ladder.says.arrives', { time: duration(packet.flight) }));
  if (packet.late) parts.push(t('ladder.says.late'));
  if (packet.arrivals.length > 1) parts.push(t('ladder.says.twice'));
  return parts.join(lang.value === 'zh' ? '，' : ', ');
}

/** Bands draws the states of each end along its lifeline. */
export function Bands({ bands, folds, fr, from, upto }) {
  const most = fr.narrow ? 2 : MOST_LANES;
  return bands.filter((band) => band.lane < most).map((band) => {
    const x = fr.xs[band.host] + fr.outward(band.host) * band.lane * LANE - BAND / 2;
    const y1 = Math.max(band.y1, from);
    const y2 = Math.min(band.y2, upto);
    const high = y2 - y1;
    const name = high > band.state.length * 6.4 + 10 ? band.state : '';
    const middle = clear((y1 + y2) / 2, band.state.length * 3.2 + 4, y1, y2, folds);
    const phase = PHASE[band.state] ?? 'still';
    return html`<g key=${`b${band.i}`} class=${`band ${side(band.host)} ${phase}`}>
      <rect x=${x} y=${y1} width=${band.lane ? BAND - 4 : BAND} height=${Math.max(1, high)} rx="2"><title>${band.state}</title></rect>
      ${name && band.lane === 0 && html`<text transform=${`translate(${x + BAND / 2 + 3.5} ${middle}) rotate(-90)`} text-anchor="middle">${name}</text>`}
    </g>`;
  });
}

// foldAt is where a fold is marked.
const foldAt = (fold) => fold.y1 + 0.64 * (fold.y2 - fold.y1);

// clear moves the middle of a text so that it stands off the mark of a fold.
function clear(middle, half, y1, y2, folds) {
  const fold = folds.map(foldAt).find((y) => Math.abs(y - middle) < half + 10);
  if (fold === undefined) return middle;
  const above = fold - half - 12;
  const below = fold + half + 12;
  return above - half > y1 ? above : below + half < y2 ? below : middle;
}

// lanesOf is how many lanes of bands each host needs in a window.
function lanesOf(bands, fr) {
  const lanes = new Array(fr.hosts).fill(1);
  for (const band of bands) lanes[band.host] = Math.min(fr.narrow ? 2 : MOST_LANES, Math.max(lanes[band.host], band.lane + 1));
  return lanes;
}

const DASH = { retransmit: '', persist: '2 2', keepalive: '6 3', wait: '', user: '1 3', 'delayed-ack': '1 2', tlp: '4 2', reorder: '3 1' };

/** Timers draws a bar for each span in which a timer runs, outside of the bands. */
export function Timers({ timers, bands, fr, plan }) {
  const lanes = lanesOf(bands, fr);
  return timers.filter((span) => span.y2 - span.y1 > 3 && span.host >= 0 && span.host < fr.hosts).map((span) => {
    const out = fr.outward(span.host);
    const x = fr.xs[span.host] + out * (BAND / 2 + (lanes[span.host] - 1) * LANE + 4 + span.lane * TIMER);
    const name = t(`timer.${span.slot}.name`);
    const title = html`<title>${t('ladder.timer-title', { name, time: duration(span.due - span.at) })}</title>`;
    if (span.slot === 'wait' && span.state === 'TIME-WAIT') {
      return html`<${Wait} key=${`t${span.i}`} span=${span} x=${x} out=${out} plan=${plan}/>`;
    }
    return html`<g key=${`t${span.i}`} class=${`timer ${side(span.host)} ${span.ended}`}>${title}
      <line x1=${x} y1=${span.y1 + 2} x2=${x} y2=${span.y2 - 2} stroke-dasharray=${DASH[span.slot] || undefined}/>
      <line x1=${x - 2} y1=${span.y1 + 2} x2=${x + 2} y2=${span.y1 + 2}/>
      ${span.ended === 'fired' && html`<circle cx=${x} cy=${span.y2 - 3} r="2.6"/>`}
    </g>`;
  });
}

// Wait draws 2MSL as what it is made of: one MSL for the last ACK to die, one for the
// FIN that is sent again for want of it.
function Wait({ span, x, out, plan }) {
  const middle = span.at + (span.due - span.at) / 2;
  const halves = [[span.at, middle], [middle, span.due]];
  return html`<g class=${`wait ${side(span.host)}`}><title>${t('ladder.wait-title', { time: duration(span.due - span.at) })}</title>
    ${halves.map(([from, upto], n) => {
      if (from >= span.until) return null;
      const y1 = n === 0 ? span.y1 : plan.yAt(from);
      const y2 = upto >= span.until ? span.y2 : plan.yAt(upto);
      if (y2 - y1 < 2) return null;
      return html`<rect x=${x + (out > 0 ? -2 : -10)} y=${y1 + 1} width="12" height=${Math.max(1, y2 - y1 - 2)} class=${n ? 'second' : ''}/>
        ${y2 - y1 > 24 && html`<text transform=${`translate(${x + (out > 0 ? 7.5 : -0.5)} ${(y1 + y2) / 2}) rotate(-90)`} text-anchor="middle">${y2 - y1 > 110 ? t(n ? 'ladder.msl.fin' : 'ladder.msl.ack') : 'MSL'}</text>`}`;
    })}
  </g>`;
}

/** Notes draws what happens at an end, beside its lifeline. */
export function Notes({ notes, bands, fr, plan, onPick }) {
  const lanes = lanesOf(bands, fr);
  return notes.map((note) => {
    const item = plan.items[note.i];
    if (note.host >= fr.hosts) return null;
    const out = note.within ? -fr.outward(note.host) : fr.outward(note.host);
    const gap = note.within ? BAND / 2 + 8 : BAND / 2 + (lanes[note.host] - 1) * LANE + 8 + (fr.narrow ? 4 : TIMER_LANES * TIMER);
    const x = fr.xs[note.host] + out * gap;
    const edge = out < 0 ? x - (fr.narrow ? 2 : 62) : fr.width - x - 12;
    const room = note.within ? 40 : fr.narrow ? 6 : Math.floor(edge / SMALL);
    const { text, kind, title } = noteOf(item, fr.narrow && !note.within);
    return html`<g key=${`n${note.i}`} class=${`note ${kind} ${side(note.host)}`} data-i=${note.i} onClick=${() => onPick(note.i)}>
      <title>${title ?? text}</title>
      ${!fr.narrow && !note.within && html`<line x1=${fr.xs[note.host] + out * (BAND / 2)} y1=${note.y1} x2=${x - out * 3} y2=${note.y1}/>`}
      <text x=${x} y=${note.y1 + 4} text-anchor=${out < 0 ? 'end' : 'start'}>${fit(item.error && text.length > room ? item.error : text, room)}</text>
    </g>`;
  });
}

/** noteOf is the text of an item beside the lifeline, and what it is to the eye. */
function noteOf(item, short = false) {
  switch (item.k) {
    case 'state':
      return { text: short ? SHORT[item.to] ?? item.to : item.to, kind: 'state', title: `${item.from ?? ''} → ${item.to}` };
    case 'call': {
      const said = callOf(item);
      return { text: item.error ? `${said}: ${item.error}` : said, kind: item.error && item.error !== 'EOF' ? 'call wrong' : 'call' };
    }
    case 'read':
      return { text: t(item.wrong ? 'ladder.read-wrong' : 'ladder.read', { n: item.octets ?? 0 }), kind: item.wrong ? 'read wrong' : 'read' };
    case 'drop':
      return { text: `✕ ${item.reason}`, kind: 'drop', title: t(`drop.${item.reason}`) };
    case 'timer':
      return { text: `◷ ${t(`ladder.timer.${item.slot}`)}`, kind: 'fired', title: t(`timer.${item.slot}.name`) };
    case 'host':
      return { text: t(`ladder.host.${item.what}`), kind: item.what === 'boot' ? 'host' : 'host wrong' };
    case 'plugin':
      return { text: `${item.name}: ${[item.verdict, item.text].filter(Boolean).join(' ')}`, kind: 'plugin' };
    case 'violation':
      return { text: `! ${broken(item.what)}`, kind: 'violation wrong', title: item.what };
    default:
      return { text: item.k, kind: '' };
  }
}

/** broken says which invariant is broken: in words of its own where there are some. */
function broken(what) {
  const id = `ladder.violation.${what?.replaceAll(' ', '-')}`;
  return has(id) ? t(id) : what ?? t('ladder.violation');
}

/** callOf writes a program's call: "write 500", "set-keepalive 2 h". */
export function callOf(item) {
  if (!item.arg || item.op === 'set-no-delay') return item.op;
  return `${item.op} ${/^(write|read|pace)/.test(item.op) || typeof item.arg !== 'number' ? item.arg : duration(item.arg)}`;
}

/** Folds marks the stretches of idle that are not in scale. */
export function Folds({ folds, fr }) {
  return folds.map((fold) => {
    const y = foldAt(fold);
    return html`<g key=${`f${fold.i}`} class="fold">
      ${fr.xs.map((x) => html`<path class="gap" d=${`M${x - 12} ${y + 3}l6 -6l6 6l6 -6l6 6`}/><path d=${`M${x - 12} ${y + 3}l6 -6l6 6l6 -6l6 6`}/>`)}
      <text x=${(fr.xs[0] + fr.xs.at(-1)) / 2} y=${y + 4} text-anchor="middle">${t('ladder.idle', { time: duration(fold.to - fold.from) })}</text>
    </g>`;
  });
}

/** Times writes when things happen, at the left edge. */
export function Times({ times, fr }) {
  if (fr.narrow) return null;
  return times.map((mark) => html`<text key=${`c${mark.y1}`} class="time" x="2" y=${mark.y1 + 4}>${clock(mark.t)}</text>`);
}

/** Says marks where the narration speaks. */
export function Says({ says, fr, onPick }) {
  return says.map((say) => html`<path key=${`s${say.i}`} class="say" d=${`M${fr.width - 11} ${say.y1 - (fr.narrow ? 9 : 0)}l5 -5l5 5l-5 5z`} onClick=${() => onPick(say.i)}><title>${t('ladder.say')}</title></path>`);
}

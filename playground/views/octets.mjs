// The octets of a packet, as the figures of the RFCs and as a hex dump: what is
// pointed at in one lights in the other.
import { html, useState } from '../lib/preact.mjs';
import { t, has } from '../words.mjs';
import { fieldAt } from '../header.mjs';
import { isMarked } from '../effects.mjs';

const ROW = 8; // octets in a line of the dump
const FIRST = 96; // octets shown until all are asked for

/** Figure draws the headers: 32 bits a line, one button a field. */
export function Figure({ fields, lit, light, marks, texts }) {
  const groups = ['ipv4', 'ipv6', 'tcp', 'icmp', 'options', 'payload'].filter((group) => fields.some((f) => f.group === group));
  const move = (event) => {
    const buttons = [...event.currentTarget.querySelectorAll('.field')];
    const at = buttons.indexOf(document.activeElement);
    const to = { ArrowRight: at + 1, ArrowDown: at + 1, ArrowLeft: at - 1, ArrowUp: at - 1, Home: 0, End: buttons.length - 1 }[event.key];
    if (to === undefined || at < 0) return;
    buttons[Math.max(0, Math.min(buttons.length - 1, to))].focus();
    event.preventDefault();
    event.stopPropagation();
  };
  return html`<div class="figures" onKeyDown=${move} onMouseLeave=${() => light(null)}>
    ${groups.map((group) => html`<${Group} key=${group} group=${group} fields=${fields.filter((f) => f.group === group)} lit=${lit} light=${light} marks=${marks} texts=${texts}/>`)}
  </div>`;
}

function Group({ group, fields, lit, light, marks, texts }) {
  const [open, setOpen] = useState(group !== 'ipv4' && group !== 'ipv6');
  const start = fields[0].at;
  const end = Math.max(...fields.map((f) => f.at + f.size));
  const flat = group === 'options' || group === 'payload';
  return html`<div class=${`octet-group ${group}`}>
    <button class="plain group-head" aria-expanded=${open} onClick=${() => setOpen(!open)}><span>${open ? '▾' : '▸'} ${t(`inspector.group.${group}`)}</span>
      <span class="faint">${t('inspector.octets', { from: start, to: end - 1, n: end - start })}</span></button>
    ${open && html`<div class=${flat ? 'flat' : 'bits'}>
      ${fields.map((f) => html`<${Cell} key=${f.id + f.at} field=${f} base=${start} flat=${flat} lit=${lit} light=${light} marked=${isMarked(f, marks)} text=${texts[f.id] ?? f.text}/>`)}
    </div>`}
  </div>`;
}

function Cell({ field, base, flat, lit, light, marked, text }) {
  const first = ((field.at - base) * 8 + (field.bit ?? 0)) % 32;
  const bits = field.bits ?? field.size * 8;
  const wide = Math.min(32, bits);
  const one = bits === 1;
  const style = flat ? undefined : { gridColumn: `${first + 1} / span ${wide}`, gridRow: `span ${Math.ceil(bits / 32)}` };
  const kind = ['field', one && 'one', one && field.value && 'on', lit === field && 'lit', marked && 'marked', field.warn && 'warns', field.flag && 'flag'].filter(Boolean).join(' ');
  const label = one ? `${shortOf(field)}: ${t(field.value ? 'inspector.set' : 'inspector.clear')}` : undefined;
  return html`<button class=${kind} style=${style} aria-label=${label} title=${label} onFocus=${() => light(field)} onMouseEnter=${() => light(field)} onClick=${() => light(field)}>
    <span class="name">${one ? [...shortOf(field)].map((c) => html`<i>${c}</i>`) : nameOf(field)}</span>${!one && html`<span class="value"><span class="sr">: </span>${text ?? ''}</span>`}
    ${marked && html`<span class="sr"> · ${t('inspector.marked')}</span>`}
  </button>`;
}

const shortOf = (field) => field.name.slice(0, 3);

/** nameOf is the name of a field in the language of the page, as the RFCs call it. */
export function nameOf(field) {
  return has(`field.${field.id}.name`) ? t(`field.${field.id}.name`) : field.name;
}

/** Dump writes the octets, eight a line, with what they are as text. */
export function Dump({ octets, fields, lit, light }) {
  const [all, setAll] = useState(false);
  const shown = all ? octets.length : Math.min(octets.length, FIRST);
  const lines = [];
  for (let at = 0; at < shown; at += ROW) lines.push(at);
  const isLit = (k) => lit && k >= lit.at && k < lit.at + lit.size;
  const point = (event) => {
    const at = event.target.dataset?.at;
    if (at === undefined) return;
    const here = fields.filter((f) => Number(at) >= f.at && Number(at) < f.at + f.size);
    light(here.find((f) => f.flag && f.value) ?? here[0] ?? null);
  };
  return html`<div class="dump" aria-label=${t('inspector.dump')} role="group" onMouseOver=${point} onClick=${point} onMouseLeave=${() => light(null)}>
    ${lines.map((from) => html`<div class="dump-line" key=${from}><span class="at">${from.toString(16).padStart(4, '0')}</span>
      <span class="hex">${slice(octets, from, shown).map((b, k) => html`<span class=${`${groupAt(fields, from + k)}${isLit(from + k) ? ' lit' : ''}`} data-at=${from + k}>${b.toString(16).padStart(2, '0')}</span>`)}</span>
      <span class="text" aria-hidden="true">${slice(octets, from, shown).map((b, k) => html`<span class=${isLit(from + k) ? 'lit' : ''} data-at=${from + k}>${b >= 0x20 && b < 0x7f ? String.fromCharCode(b) : '·'}</span>`)}</span></div>`)}
    ${shown < octets.length && html`<button onClick=${() => setAll(true)}>${t('inspector.all-octets', { n: octets.length })}</button>`}
  </div>`;
}

const slice = (octets, from, upto) => [...octets.subarray(from, Math.min(from + ROW, upto))];

const groupAt = (fields, at) => fields[fieldAt(fields, at)]?.group ?? '';

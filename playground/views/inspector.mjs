// The segment that is picked: its octets field by field, the rule that was applied to
// it, what changed by it, and how to find it in Wireshark.
import { html, useEffect, useMemo, useState } from '../lib/preact.mjs';
import * as store from '../store.mjs';
import { t, has, rule, section } from '../words.mjs';
import { duration, flagNames } from '../format.mjs';
import { fieldsOf, filterOf } from '../header.mjs';
import { upon } from '../effects.mjs';
import { packetsOf } from '../layout.mjs';
import { Copy } from './copy.mjs';
import { useFocusKept } from './focus.mjs';
import { HIGH } from './series.mjs';
import { callOf, inWords } from './ladder-draw.mjs';
import { change, later, restorable } from './ladder-menu.mjs';
import { Dump, Figure, nameOf } from './octets.mjs';

// The explanations of flags and options are those of the glossary.
const GLOSSARY = {
  'opt.mss': 'option.mss', 'opt.wscale': 'option.window-scale', 'opt.sackok': 'option.sack-permitted', 'opt.sack': 'option.sack', 'opt.timestamps': 'option.timestamps',
  'opt.fastopen': 'option.fast-open', 'opt.user': 'option.user-timeout', 'opt.nop': 'option.nop', 'opt.end': 'option.end',
};
const SPANS = new Set(['srtt', 'rto', 'rttvar']);

export function Inspector() {
  store.version.value;
  const at = store.inspected.value;
  const run = at && store.runs.value.find((r) => r.key === at.run);
  const length = run?.line.items.length ?? 0;
  const packets = useMemo(() => (run ? packetsOf(run.line) : []), [run?.line, length]);
  const packet = packets.find((one) => one.p === at?.p);
  const section = useFocusKept();
  return html`<section ref=${section} class="sheet inspector" aria-labelledby="h-inspector">
    <h2 id="h-inspector" tabindex="-1">${packet ? t('inspector.title', { p: packet.p, flags: packet.item.icmp ? 'ICMP' : flagNames(packet.item.flags).join(' ') || '–' }) : t('page.inspector')}</h2>
    ${packet ? html`<${Segment} run=${run} packet=${packet}/>` : html`<p class="quiet">${t('inspector.none')}</p>`}
  </section>`;
}

function Segment({ run, packet }) {
  const names = run.header.hosts.map((host) => host.name);
  return html`<div class="stack">
    <p>${inWords(packet, names)}</p>
    <${Actions} run=${run} packet=${packet}/>
    <${Octets} key=${`${run.key}/${packet.p}/${run.extra.join()}`} run=${run} packet=${packet}/>
    ${packet.arrivals.map((arrival) => html`<${Effects} key=${arrival.i} run=${run} item=${run.line.items[arrival.i]} title=${t(arrival.twice ? 'inspector.upon-double' : 'inspector.upon', { host: names[arrival.host] ?? '', time: duration(arrival.at) })}/>`)}
    <${Effects} run=${run} item=${packet.item} title=${t('inspector.sending', { host: names[packet.from] ?? t('ladder.nowhere'), time: duration(packet.at) })} quiet=${true}/>
  </div>`;
}

function Actions({ run, packet }) {
  const mine = run.key === store.shown.value;
  const all = run.line.segments;
  const step = (by) => {
    const to = run.line.items[all[packet.index + by]];
    if (to) store.select(to.p, run.key);
  };
  return html`<div class="row inspector-actions">
    <button aria-label=${t('inspector.before')} title=${t('inspector.before')} disabled=${packet.index === 0} onClick=${() => step(-1)}>↑</button>
    <button aria-label=${t('inspector.after')} title=${t('inspector.after')} disabled=${packet.index + 1 >= all.length} onClick=${() => step(1)}>↓</button>
    ${mine && html`
      <button onClick=${() => store.seek(packet.sent)}>${t('ladder.do.seek')}</button>
      ${!packet.lost && html`<button onClick=${() => change(packet, 'lose')}>${t('ladder.do.lose')}</button>`}
      ${packet.arrivals.length > 0 && html`<button onClick=${() => later(packet, packet.flight || 50e6, run.extra)}>${t('ladder.do.later', { time: duration(packet.flight || 50e6) })}</button>`}
      ${packet.arrivals.length === 1 && html`<button onClick=${() => change(packet, 'double')}>${t('ladder.do.double')}</button>`}
      ${restorable(packet, run.extra) && html`<button onClick=${() => change(packet, null)}>${t('ladder.do.restore')}</button>`}`}
  </div>`;
}

// Octets fetches the octets of the packet and shows them.
function Octets({ run, packet }) {
  const [octets, setOctets] = useState(null);
  const [wrong, setWrong] = useState('');
  const [lit, light] = useState(null);
  useEffect(() => {
    let gone = false;
    store.octetsOf(packet.p, run.key).then((b) => !gone && setOctets(b), (error) => !gone && setWrong(error.message));
    return () => { gone = true; };
  }, []);
  const fields = useMemo(() => (octets ? fieldsOf(octets) : []), [octets]);
  if (wrong) return html`<p class="is-wrong">${t('inspector.no-octets', { why: wrong })}</p>`;
  if (!octets) return html`<p class="quiet">${t('inspector.fetching')}</p>`;
  const marks = (run.header.marks ?? []).filter((mark) => mark.p === packet.p).map((mark) => mark.field);
  const texts = textsOf(packet.item, fields);
  return html`<div class="stack">
    <${Warnings} fields=${fields} packet=${packet} run=${run}/>
    <${Figure} fields=${fields} lit=${lit} light=${light} marks=${marks} texts=${texts}/>
    <${Meaning} field=${lit} texts=${texts}/>
    <details open><summary>${t('inspector.dump')}</summary><${Dump} octets=${octets} fields=${fields} lit=${lit} light=${light}/></details>
    <${Filter} text=${filterOf(fields)}/>
  </div>`;
}

// textsOf are the values that say more with what the timeline knows: relative numbers, the scaled window.
function textsOf(item, fields) {
  const value = (id) => fields.find((f) => f.id === id)?.value;
  const texts = {};
  if (value('tcp.seq') !== undefined) texts['tcp.seq'] = t('inspector.relative', { relative: item.seq ?? 0, absolute: value('tcp.seq') });
  if (value('tcp.ack') !== undefined) texts['tcp.ack'] = value('flag.ack') ? t('inspector.relative', { relative: item.ack ?? 0, absolute: value('tcp.ack') }) : String(value('tcp.ack'));
  if (item.wnd > item.win && item.win > 0) texts['tcp.window'] = t('inspector.scaled', { field: item.win, by: Math.round(item.wnd / item.win), window: item.wnd });
  return texts;
}

// Warnings says what a reader of this segment may get wrong, and what is wrong with it.
function Warnings({ fields, packet, run }) {
  const { item } = packet;
  const said = fields.filter((f) => f.warn && f.warn !== 'no-ack').map((f) => ({ wrong: true, text: `${nameOf(f)}: ${t(`inspector.warn.${f.warn}`)}` }));
  if (fields.some((f) => f.warn === 'no-ack')) said.unshift({ text: t('inspector.warn.no-ack') });
  if (item.probe) said.push({ text: t(item.len ? 'inspector.probe-octet' : 'inspector.probe') });
  if (item.again) said.push({ text: t('inspector.again') });
  if ((item.flags ?? '').includes('S') && packet.from >= 0) {
    const state = run.key === store.shown.value ? store.state.value : store.otherState.value;
    const conn = state?.hosts[packet.from]?.conns[item.c];
    if (conn && packet.sent <= state.i && conn.tcb['SND.UNA'] === 0 && conn.state !== 'CLOSED') said.push({ wrong: true, text: t('inspector.isn-open') });
  }
  if (said.length === 0) return null;
  return html`<ul class="warnings">${said.map(({ wrong, text }) => html`<li class=${wrong ? 'is-wrong' : ''}>${wrong ? '✕ ' : '⚠ '}${text}</li>`)}</ul>`;
}

// Meaning explains the field that is pointed at.
function Meaning({ field, texts }) {
  if (!field) return html`<div class="meaning" role="status"><p class="quiet">${t('inspector.point')}</p></div>`;
  const key = field.flag ? `flag.${field.name}` : GLOSSARY[field.id] ?? `field.${field.id}`;
  return html`<div class="meaning" role="status">
    <p><b>${nameOf(field)}</b>${field.flag && has(`${key}.name`) ? ` · ${t(`${key}.name`)}` : ''} <span class="mono">${field.flag ? (field.value ? '1' : '0') : texts[field.id] ?? field.text ?? ''}</span></p>
    <p>${has(key) ? t(key) : ''}</p>
    ${field.warn && html`<p class="is-wrong">${t(`inspector.warn.${field.warn}`)}</p>`}
    <p class="faint">${field.rfc ? `RFC ${field.rfc}${field.section ? ` §${field.section}` : ''} · ` : ''}${field.bits ? t('inspector.bits', { bit: field.bit, n: field.bits, at: field.at }) : t('inspector.octets', { from: field.at, to: field.at + field.size - 1, n: field.size })}</p>
  </div>`;
}

// Filter is Wireshark's display filter for this segment.
function Filter({ text }) {
  if (!text) return null;
  return html`<div class="seg-filter"><p class="row"><span class="faint">${t('inspector.filter')}</span><${Copy} text=${text}/></p><code>${text}</code></div>`;
}

// Effects is what happened with a segment at one end: rules, state, TCB, timers.
function Effects({ run, item, title, quiet = false }) {
  const found = useMemo(() => upon(run.line, item), [run.line, item.i, run.line.items.length]);
  const empty = !Object.values(found).some((list) => list.length || list > 0);
  if (empty && quiet) return null;
  const many = new Set(found.changes.map((entry) => entry.c)).size > 1;
  return html`<details class="effects" open=${!quiet}><summary>${title}</summary>
    ${empty && html`<p class="quiet">${t('inspector.nothing')}</p>`}
    ${found.cause > 0 && html`<p>${t('inspector.cause')} <button class="link" onClick=${() => store.select(found.cause, run.key)}>#${found.cause}</button></p>`}
    ${found.states.map((it) => html`<p key=${it.i}><b class=${`of-${store.side(it.h)}`}>${it.from || '–'} → ${it.to}</b></p>`)}
    ${found.drops.map((it) => html`<p key=${it.i} class="is-wrong">✕ ${t('inspector.dropped', { reason: it.reason })} ${has(`drop.${it.reason}`) ? t(`drop.${it.reason}`) : ''}</p>`)}
    ${found.calls.map((it) => html`<p key=${it.i}><span class="mono">${callOf(it)}</span>${it.error ? html` <span class="is-wrong">${it.error}</span>` : ''}</p>`)}
    ${found.rules.map((name) => html`<${Rule} key=${name} name=${name}/>`)}
    ${found.changes.length > 0 && html`<table><caption class="sr">${t('inspector.changes')}</caption><thead><tr>${many && html`<th>#</th>`}<th>${t('inspector.variable')}</th><th class="num">${t('inspector.old')}</th><th class="num">${t('inspector.new')}</th></tr></thead>
      <tbody>${found.changes.map((entry) => html`<tr key=${entry.name + entry.c}>${many && html`<td>${entry.c}</td>`}<td class="mono">${entry.name}</td><td class="num mono">${show(entry.name, entry.from)}</td><td class="num mono"><b>${show(entry.name, entry.to)}</b></td></tr>`)}</tbody></table>`}
    ${found.timers.map((it) => html`<p key=${it.i}>${t(`inspector.timer.${it.ev}`, { name: t(`timer.${it.slot}.name`), time: duration((it.due ?? 0) - it.t) })}</p>`)}
    ${found.reads.map((it) => html`<p key=${it.i} class=${it.wrong ? 'is-wrong' : ''}>${t(it.wrong ? 'ladder.read-wrong' : 'ladder.read', { n: it.octets ?? 0 })}</p>`)}
    ${found.plugins.map((it) => html`<p key=${it.i}><span class="chip">${it.name}</span> <span class="mono">${[it.step, it.verdict, it.text].filter(Boolean).join(' · ')}</span></p>`)}
    ${found.sent.length > 0 && html`<p class="row">${t('inspector.answers')} ${found.sent.map((it) => html`<button key=${it.p} class="link" onClick=${() => store.select(it.p, run.key)}>${flagNames(it.flags).join(' ') || 'ICMP'} #${it.p}</button>`)}</p>`}
  </details>`;
}

function Rule({ name }) {
  const row = rule(name);
  if (!row) return html`<p class="mono">${name}</p>`;
  return html`<div class="rule-said"><p>${row.text}</p><p class="faint"><span class="mono">${row.name}</span> · ${section(row)}</p></div>`;
}

function show(name, value) {
  if (value === undefined) return '–';
  if (SPANS.has(name)) return duration(value);
  if (name === 'ssthresh' && value >= HIGH) return '∞';
  return String(value);
}

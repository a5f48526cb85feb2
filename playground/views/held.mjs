// What each end holds: which record it keeps of a connection and how many octets that
// is, its buffers with the window that slides over them, its queues and connections.
import { html } from '../lib/preact.mjs';
import { run, cursor, version, focus, now, state } from '../store.mjs';
import { has, t } from '../words.mjs';
import { duration, octets } from '../format.mjs';
import { read } from '../scenario.mjs';
import { EndName, endsOf } from './ends.mjs';
import { at, receiveBar, sendBar, ticks } from './bars.mjs';
import { aloneAs, connections, factsOf, nameOf, peerOf, ranges } from './facts.mjs';

const listed = 12;

/** Held is the panel. */
export function Held() {
  version.value;
  const ends = endsOf();
  return html`<section class="sheet instrument held" aria-labelledby="h-held"><h2 id="h-held">${t('page.held')}</h2>
    ${ends.length === 0 && html`<p class="quiet">${t('views.nothing-yet')}</p>`}
    <div class="ends">${ends.map((end) => html`<article key=${end.h} class="card ${end.side}">
      <h3><${EndName} end=${end} /></h3>
      <${Record} end=${end} />
      <${Buffers} end=${end} />
      <${Queues} end=${end} />
      <${Connections} end=${end} />
    </article>`)}</div>
  </section>`;
}

/** recordOf names what an end keeps: "nothing", "half-open", "tcb", "time-wait" or "down". */
function recordOf(host, conn) {
  if (!host.up) return 'down';
  switch (conn?.state) {
    case undefined: case 'CLOSED': case 'LISTEN': // what others it has
      return host.mem.half > 0 ? 'half-open' : host.mem.conns > 0 ? 'tcb' : host.mem.timewaits > 0 ? 'time-wait' : 'nothing';
    case 'SYN-RECEIVED': return 'half-open';
    case 'TIME-WAIT': return 'time-wait';
    default: return 'tcb';
  }
}

function Record({ end }) {
  const { host, conn } = end;
  const record = recordOf(host, conn);
  const mem = host.mem;
  const most = factsOf(run.value.line).mostHeld; // of all hosts, so that the ends compare
  return html`<div class="record">
    <p><b class="kind ${record}">${t(`views.record.${record}`)}</b>
      ${conn?.tcb.held > 0 && !['CLOSED', 'TIME-WAIT'].includes(conn.state) && html` <span>${octets(conn.tcb.held)}</span>`}</p>
    <div class="meter"><div class="fill" style=${{ width: `${mem.held / most * 100}%` }}></div></div>
    <p class="figure">${t('views.held.octets', { n: octets(mem.held) })}${' · '}${t('views.held.conns', { n: mem.conns })}
      ${mem.ghosts > 0 && html` · <span class="wrong">✗ ${t(`views.held.${aloneAs(host)}`, { n: mem.ghosts })}</span>`}
      ${mem.timewaits > 0 && html` · ${t('views.held.timewaits', { n: mem.timewaits })}`}</p>
  </div>`;
}

function Buffers({ end }) {
  const tcb = end.conn?.tcb;
  if (!tcb || tcb.ISS === undefined || ['CLOSED', 'TIME-WAIT'].includes(end.conn.state)) return null;
  const line = run.value.line;
  const peer = peerOf(line, end.h, end.c);
  const missing = peer ? ranges(line, end.h, nameOf(peer.h, peer.c), tcb['RCV.NXT'] ?? 0, cursor.value) : [];
  const most = factsOf(line).windows.get(nameOf(end.h, end.c)) ?? {};
  const send = sendBar(tcb, most['SND.WND']);
  const receive = receiveBar(tcb, missing, most['RCV.WND']);
  return html`<${Bar} kind="send" title=${t('views.bar.send')} bar=${send} marks=${[['SND.UNA', send.una], ['SND.NXT', send.nxt], ['+ SND.WND', send.right]]}
      said=${t('views.bar.send.text', { una: send.una, nxt: send.nxt, flight: send.nxt - send.una, wnd: send.right - send.una, waiting: tcb.unsent ?? 0 })}
      note=${tcb['SND.WND'] === 0 ? t('views.bar.closed') : send.full ? t('views.bar.full') : ''} />
    <${Bar} kind="receive" title=${t('views.bar.receive')} bar=${receive} marks=${[['RCV.NXT', receive.nxt], ['+ RCV.WND', receive.right]]}
      said=${t('views.bar.receive.text', { nxt: receive.nxt, unread: receive.unread, wnd: receive.right - receive.nxt })}
      note=${missingText(receive.holes)} />`;
}

function missingText(holes) {
  const said = holes.slice(0, 3).map(([from, to]) => t('views.bar.hole', { from, to: to - 1 }));
  if (holes.length > 3) said.push(t('views.more', { n: holes.length - 3 }));
  return said.join(' ');
}

// A Bar is a picture of what its sentence says.
function Bar({ kind, title, bar, marks, said, note }) {
  const kinds = [...new Set(bar.parts.map((part) => part.kind))];
  return html`<div class="bar ${kind}">
    <h4>${title}</h4>
    <div class="track" aria-hidden="true">
      ${bar.parts.map((part) => html`<span key=${part.kind + part.from} class="part ${part.kind}" style=${{ left: `${part.left}%`, width: `${part.width}%` }}></span>`)}
      ${marks.filter(([, n]) => n >= bar.view.lo && n <= bar.view.hi).map(([name, n]) => html`<span key=${name} class="edge" style=${{ left: `${at(bar.view, n)}%` }} title=${`${name} ${n}`}></span>`)}
    </div>
    <div class="axis" aria-hidden="true">${ticks(bar.view).map((n) => html`<span key=${n} class=${at(bar.view, n) > 94 ? 'late' : ''} style=${{ left: `${at(bar.view, n)}%` }}>${n}</span>`)}${bar.view.cut && html`<span class="cut">→</span>`}</div>
    <p class="legend" aria-hidden="true">${kinds.map((name) => html`<span key=${name}><i class="part ${name}"></i>${t(`views.part.${name}`)}</span>`)}</p>
    <p class="said">${said} ${note && html`<strong>${note}</strong>`}</p>
  </div>`;
}

// Queues is the backlog gauge: half-open connections beside the room for them.
function Queues({ end }) {
  const mem = end.host.mem;
  const most = factsOf(run.value.line).mostHalf.get(end.h) ?? 0;
  if (most < 2 && mem.half === 0) return null; // a handshake that goes on is no queue
  const room = roomFor(read(run.value.text, run.value.extra), end.name);
  const places = Math.max(room, most);
  const full = room > 0 && mem.half >= room;
  return html`<div class="bar queue"><h4>${t('views.queue.title')}</h4>
    <div class="cells" aria-hidden="true">${places <= 64
      ? Array.from({ length: places }, (_, k) => html`<i key=${k} class=${k < mem.half ? 'used' : ''}></i>`)
      : html`<div class="meter"><div class="fill" style=${{ width: `${mem.half / places * 100}%` }}></div></div>`}</div>
    <p class="said">${room ? t('views.queue.of', { n: mem.half, room }) : t('views.queue.half', { n: mem.half })} ${full && html`<strong>${t('views.queue.full')}</strong>`}</p>
  </div>`;
}

/**
 * roomFor is how many half-open connections a host's listeners keep: one more than the
 * backlog, as Linux has it, and no more than syn-backlog. 0: the scenario does not say.
 */
function roomFor({ hosts, listens }, name) {
  const most = Number(hosts.find((host) => host.name === name)?.set['syn-backlog'] ?? Infinity);
  return listens.filter((one) => one.host === name && one.backlog > 0).reduce((sum, one) => sum + Math.min(one.backlog + 1, most), 0);
}

// Connections is the list of sockets with their ages, and what a learner should see in it.
function Connections({ end }) {
  const all = connections(run.value.line, end.h, cursor.value).filter((one) => one.state !== 'CLOSED' && one.c !== 0);
  if (all.length < 1) return null;
  const conns = state.value.hosts[end.h].conns;
  const among = { many: all.length, ghosts: end.host.mem.ghosts > 0 };
  const hints = new Set(all.map((one) => hintOf(one, conns[one.c], among)).filter(Boolean));
  const shown = [...all].sort((x, y) => x.since - y.since).slice(0, listed);
  return html`<div class="sockets"><table>
    <caption>${t('views.sockets.title', { n: all.length })}</caption>
    <thead><tr><th scope="col">${t('views.sockets.conn')}</th><th scope="col">${t('views.sockets.state')}</th><th scope="col">${t('views.sockets.age')}</th><th scope="col">${t('views.sockets.held')}</th></tr></thead>
    <tbody>${shown.map((one) => html`<tr key=${one.c} class=${one.c === end.c ? 'latest' : ''}>
      <th scope="row"><button type="button" class="link" aria-pressed=${one.c === end.c} onClick=${() => { focus.value = { ...focus.value, [end.h]: one.c }; }}>${one.c}</button></th>
      <td><span class="state">${one.state}</span></td><td>${duration(Math.max(0, now.value - one.since))}</td><td>${heldBy(one, conns[one.c], end.host.mem)}</td></tr>`)}</tbody>
  </table>
  ${all.length > shown.length && html`<p class="quiet">${t('views.more', { n: all.length - shown.length })}</p>`}
  ${[...hints].map((hint) => has(`views.hint.${hint}`) && html`<p key=${hint} class="hint"><span aria-hidden="true">☞</span> ${t(`views.hint.${hint}`)}</p>`)}</div>`;
}

// heldBy is what one connection holds; of what is left of it in TIME-WAIT its host knows the sum.
function heldBy(one, conn, mem) {
  const held = one.state !== 'TIME-WAIT' ? conn?.tcb.held : mem.conns === 0 && mem.timewaits > 0 ? mem.held / mem.timewaits : 0;
  return held ? octets(held) : '–';
}

const minute = 60e9;

/**
 * hintOf names what is odd about a connection: it is in its state for long, or among many
 * such, or open without a timer while the other end has vanished.
 */
function hintOf(one, conn, { many, ghosts }, t0 = now.value) {
  const age = t0 - one.since;
  if (one.state === 'CLOSE-WAIT' && age >= 10e9) return 'close-wait';
  if (one.state === 'FIN-WAIT-2' && age >= 10e9) return 'fin-wait-2';
  if (one.state === 'SYN-RECEIVED' && many >= 4) return 'syn-received';
  const idle = Object.keys(conn?.timers ?? {}).length === 0;
  if (one.state === 'ESTABLISHED' && idle && (ghosts || age >= 10 * minute)) return 'no-keepalive';
  return '';
}

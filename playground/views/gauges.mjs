// Gauges: timers that run out, the schedule of what is sent again, 2 MSL as two lives,
// settings of the system beside those of a socket, and what a run costs.
import { html } from '../lib/preact.mjs';
import { run, other, cursor, now, version, state, otherState, select } from '../store.mjs';
import { catalogue, has, t } from '../words.mjs';
import { duration, octets, segment } from '../format.mjs';
import { read } from '../scenario.mjs';
import { EndName, RuleText, SeekTo, endsOf, useWidth } from './ends.mjs';
import { schedules } from './facts.mjs';
import { ring, strip } from './strip.mjs';

const shownRings = 6;
const shownSchedules = 3;

/** Gauges is the panel. */
export function Gauges() {
  version.value;
  const [ref, width] = useWidth();
  const ends = endsOf();
  return html`<section class="sheet instrument gauges" ref=${ref} aria-labelledby="h-gauges"><h2 id="h-gauges">${t('page.gauges')}</h2>
    ${ends.length === 0 && html`<p class="quiet">${t('views.nothing-yet')}</p>`}
    <${Rings} />
    <${Lives} ends=${ends} />
    <${Schedules} width=${width} />
    <${Settings} />
    <${Cost} />
  </section>`;
}

/** running lists the timers that run at a state, the one that ends first at the front. */
function running(st) {
  const all = [];
  st?.hosts.forEach((host, h) => {
    for (const conn of Object.values(host.conns)) {
      for (const slot in conn.timers) {
        const { armed, due } = conn.timers[slot];
        if (slot !== 'pace' && due > armed) all.push({ h, c: conn.c, state: conn.state, slot, armed, due });
      }
    }
  });
  return all.sort((x, y) => x.due - y.due);
}

// Rings run out clockwise; a timer that is armed again jumps back to full.
function Rings() {
  const all = running(state.value);
  const ends = endsOf();
  return html`<div class="rings"><h3>${t('views.rings.title')}</h3>
    ${all.length === 0 && html`<p class="quiet">${t('views.rings.none')}</p>`}
    <ul>${all.slice(0, shownRings).map((timer) => {
      const left = Math.max(0, timer.due - now.value);
      const end = ends.find((one) => one.h === timer.h);
      return html`<li key=${`${timer.h}/${timer.c}/${timer.slot}`} class=${end?.side ?? ''}>
        <svg viewBox="0 0 40 40" aria-hidden="true"><circle class="whole" cx="20" cy="20" r="16" />
          <path class="left" d=${ring(20, 20, 16, left / (timer.due - timer.armed))} /></svg>
        <span>${end && html`<${EndName} end=${end} />`} <b>${timer.slot === 'wait' ? timer.state : t(`views.timer.${timer.slot}`)}</b>
          <small>${t('views.rings.left', { left: duration(left), whole: duration(timer.due - timer.armed) })}</small></span>
      </li>`;
    })}</ul>
    ${all.length > shownRings && html`<p class="quiet">${t('views.more', { n: all.length - shownRings })}</p>`}
  </div>`;
}

// Lives shows why it is two: one MSL for the last ACK, one for the FIN that comes when it
// was lost.
function Lives({ ends }) {
  const waits = running(state.value).filter((timer) => timer.slot === 'wait' && timer.state === 'TIME-WAIT');
  return waits.slice(0, 1).map((timer) => {
    const whole = timer.due - timer.armed;
    const gone = Math.min(1, Math.max(0, (now.value - timer.armed) / whole));
    const end = ends.find((one) => one.h === timer.h);
    const half = (k) => Math.max(0, Math.min(1, gone * 2 - k)) * 100;
    return html`<div class="lives" key=${`${timer.h}/${timer.c}`}><h3>${end && html`<${EndName} end=${end} />`} ${t('views.lives.title', { whole: duration(whole) })}</h3>
      <div class="two">${[0, 1].map((k) => html`<div key=${k} class="life"><div class="meter"><div class="fill" style=${{ width: `${half(k)}%` }}></div></div>
        <small>${t(k === 0 ? 'views.lives.ack' : 'views.lives.fin', { msl: duration(whole / 2) })}</small></div>`)}</div>
      <p class="said">${t('views.lives.text', { left: duration(Math.max(0, timer.due - now.value)) })}</p></div>`;
  });
}

// Schedules draws when one thing was sent again and again, and how that ended.
function Schedules({ width }) {
  const line = run.value?.line;
  if (!line) return null;
  const all = schedules(line).filter((chain) => chain.marks[0].i <= cursor.value || chain.marks.length > 2);
  if (all.length === 0) return null;
  all.sort((x, y) => (y.marks[0].i <= cursor.value) - (x.marks[0].i <= cursor.value)); // those that have begun
  const ends = endsOf();
  return html`<div class="schedules"><h3>${t('views.schedule.title')}</h3>
    ${all.slice(0, shownSchedules).map((chain) => {
      const end = ends.find((one) => one.h === chain.h);
      const view = strip(chain, Math.max(260, width - 24));
      const seen = chain.marks.filter((m) => m.i <= cursor.value).length;
      return html`<figure key=${`${chain.h}/${chain.c}/${chain.sent.i}`} class=${`schedule ${end?.side ?? ''}`}>
        <figcaption>${end && html`<${EndName} end=${end} />`} ${chain.probe ? t('views.schedule.probes') : t('views.schedule.again', { what: segment(chain.sent), seq: chain.sent.seq })}</figcaption>
        <svg viewBox=${`0 0 ${view.width} 62`} width=${view.width} height="62" aria-hidden="true">
          <path class="base" d=${`M${view.marks[0].x} 30 H${view.end?.x ?? view.marks.at(-1).x}`} />
          ${view.fold && html`<path class="fold" d=${`M${view.fold - 4} 36 l4 -12 M${view.fold + 2} 36 l4 -12`} />`}
          ${view.marks.map((m, k) => html`<g key=${k} class=${`mark ${chain.marks[k].i <= cursor.value ? '' : 'later'} ${m.answered ? 'answered' : ''}`} onClick=${() => m.p && select(m.p)}>
            <path d=${`M${m.x} 18 V42`} /><circle cx=${m.x} cy="30" r="4" />
            ${m.gap && html`<text class="gap" x=${m.gapX} y="22">${m.gap}</text>`}
            ${m.label && html`<text x=${m.x} y="56" text-anchor=${m.anchor}>${m.label}</text>`}</g>`)}
          ${view.end && html`<g class=${`end ${view.end.how} ${chain.end.i <= cursor.value ? '' : 'later'}`}>
            <path d=${view.end.how === 'given-up' ? `M${view.end.x - 6} 24 l12 12 m0 -12 l-12 12` : `M${view.end.x - 6} 30 l4 6 l8 -12`} />
            <text x=${view.end.x} y="56" text-anchor="end">${view.end.label}</text></g>`}
        </svg>
        <p class="said">${t('views.schedule.seen', { n: seen, all: chain.marks.length })}
          ${chain.end && html` <${SeekTo} i=${chain.end.i}>${t(`views.schedule.${chain.end.how}`, { t: duration(chain.end.t - chain.from.t) })}<//>`}
          ${chain.end?.rule && html` <${RuleText} name=${chain.end.rule} />`}</p>
        <details><summary>${t('views.schedule.table')}</summary><table><thead><tr><th scope="col">#</th><th scope="col">${t('views.schedule.at')}</th><th scope="col">${t('views.schedule.gap')}</th></tr></thead>
          <tbody>${chain.marks.map((m, k) => html`<tr key=${m.i}><th scope="row"><${SeekTo} i=${m.i}>#${m.p}<//></th><td>${duration(m.t - chain.from.t)}</td><td>${k ? duration(m.t - chain.marks[k - 1].t) : duration(m.t - chain.from.t)}</td></tr>`)}</tbody></table></details>
      </figure>`;
    })}
    ${all.length > shownSchedules && html`<p class="quiet">${t('views.more', { n: all.length - shownSchedules })}</p>`}
  </div>`;
}

// What the settings' table tells of: keepalive and its kin, the timeouts of TIME-WAIT.
const told = ['keepalive', 'keepalive-idle', 'keepalive-interval', 'keepalive-count', 'user-timeout', 'syn-retries', 'r2', 'time-wait', 'fin-wait2', 'syn-cookies', 'syn-backlog'];

/**
 * settingRows are the rows of the table: for each host, and for each flow in which its
 * program sets something, the settings that the scenario speaks of; of keepalive all.
 */
function settingRows({ hosts, sockets }, defaults) {
  const rows = [];
  for (const host of hosts) {
    const own = sockets.filter((one) => one.host === host.name);
    const flows = [...new Set(own.map((one) => one.flow))];
    for (const flow of flows.length ? flows : ['']) {
      const here = own.filter((one) => one.flow === flow);
      const named = new Set([...Object.keys(host.set), ...here.map((one) => one.name)]);
      if ([...named].some((name) => name.startsWith('keepalive'))) told.slice(0, 4).forEach((name) => named.add(name));
      for (const name of [...told.filter((one) => named.has(one)), ...[...named].filter((one) => !told.includes(one))]) {
        rows.push({
          host: host.name, flow, profile: host.profile, name,
          system: host.set[name] ?? defaults?.[host.profile]?.[name], socket: here.findLast((one) => one.name === name)?.value,
        });
      }
    }
  }
  return rows;
}

// valueOf is a setting's value as it is shown.
const valueOf = (value) => ['true', 'false'].includes(String(value)) ? t(`views.settings.${value}`) : value;

function Settings() {
  const r = run.value;
  if (!r) return null;
  const rows = settingRows(read(r.text, r.extra), catalogue.value?.profiles);
  if (rows.length === 0) return null;
  const ends = endsOf();
  return html`<div class="settings"><table><caption>${t('views.settings.title')}</caption>
    <thead><tr><th scope="col">${t('views.settings.name')}</th><th scope="col">${t('views.settings.system')}</th><th scope="col">${t('views.settings.socket')}</th><th scope="col">${t('views.settings.effective')}</th></tr></thead>
    <tbody>${rows.map((row) => {
      const end = ends.find((one) => one.name === row.host);
      const system = valueOf(row.system) ?? t('views.settings.profile', { profile: row.profile });
      const socket = valueOf(row.socket);
      return html`<tr key=${row.host + row.flow + row.name}><th scope="row">${end ? html`<${EndName} end=${end} />` : row.host}${row.flow && ` · ${row.flow}`} <code>${row.name}</code>${has(`views.setting.${row.name}`) && html` <small>${t(`views.setting.${row.name}`)}</small>`}</th>
        <td class=${row.socket === undefined ? 'rules' : ''}>${system}</td><td class=${row.socket === undefined ? '' : 'rules'}>${socket ?? '–'}</td><td><b>${socket ?? system}</b></td></tr>`;
    })}</tbody></table></div>`;
}

const costs = ['packets', 'octets', 'data', 'resent', 'lost', 'resets', 'opened', 'timewaits', 'time'];

const costOf = (st) => ({ ...st.spent, time: st.t });

// Cost is what was spent so far, beside that of the other run where there is one.
function Cost() {
  const r = run.value;
  if (!r || r.line.items.length === 0) return null;
  const columns = [{ run: r, sum: costOf(state.value) }];
  if (other.value) columns.push({ run: other.value, sum: costOf(otherState.value) });
  const show = (name, n) => (name === 'time' ? duration(n) : name === 'octets' || name === 'data' ? octets(n) : String(n));
  return html`<div class="cost"><table><caption>${t('views.cost.title')}</caption>
    <thead><tr><td></td>${columns.map((column) => html`<th scope="col" key=${column.run.key}>${column.run.name}: ${column.run.id}</th>`)}</tr></thead>
    <tbody>${costs.filter((name) => columns.some((column) => column.sum[name]) || name === 'packets').map((name) => html`<tr key=${name}><th scope="row">${t(`views.cost.${name}`)}</th>
      ${columns.map((column) => html`<td key=${column.run.key}>${show(name, column.sum[name])}</td>`)}</tr>`)}</tbody></table></div>`;
}

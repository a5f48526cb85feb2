// Who knows what: after each segment, whether an end knows that what one side sends
// reaches the other, and which initial sequence numbers nobody has confirmed.
import { html, useState } from '../lib/preact.mjs';
import { run, cursor, playing, version, select } from '../store.mjs';
import { t } from '../words.mjs';
import { EndName, PacketName, SeekTo, endsOf } from './ends.mjs';
import { factsOf, isns, knowledge } from './facts.mjs';

const shownISNs = 8;
const shownRows = 12;

/** Knowledge is the panel. */
export function Knowledge() {
  const [chosen, choose] = useState(0);
  version.value;
  const line = run.value?.line;
  const ends = endsOf();
  if (!line || ends.length < 2) return html`<section class="sheet instrument knowledge" aria-labelledby="h-knowledge"><h2 id="h-knowledge">${t('page.knowledge')}</h2><p class="quiet">${t('views.nothing-yet')}</p></section>`;
  const flows = [...new Set(factsOf(line).knows.map((it) => it.f))];
  const flow = flows.includes(chosen) ? chosen : flows[0] ?? 0;
  const { cells, rows } = knowledge(line, flow, cursor.value);
  const users = usersOf(flow, ends);
  const count = cells.flat().filter(Boolean).length;
  return html`<section class="sheet instrument knowledge" aria-labelledby="h-knowledge"><h2 id="h-knowledge">${t('page.knowledge')}</h2>
    ${flows.length > 1 && html`<label>${t('views.flow')} <select value=${flow} onChange=${(e) => choose(Number(e.currentTarget.value))}>
      ${flows.map((f) => html`<option key=${f} value=${f}>${nameOf(f)}</option>`)}</select></label>`}
    <div class="scroll-x"><table class="grid">
      <caption>${t('views.know.caption')}</caption>
      <thead><tr><td></td>${users.map((end) => html`<th scope="col"><${EndName} end=${end} /> ${t('views.know.knows')}</th>`)}</tr></thead>
      <tbody>${[0, 1].map((direction) => html`<tr key=${direction}>
        <th scope="row"><span class="way">${users[direction].name} → ${users[1 - direction].name}</span>
          <small>${t('views.know.can', { from: users[direction].name, to: users[1 - direction].name })}</small></th>
        ${[0, 1].map((who) => html`<${Cell} key=${who} it=${cells[who][direction]} line=${line} />`)}
      </tr>`)}</tbody>
    </table></div>
    <p class="summary" aria-live=${playing.value ? 'off' : 'polite'}>${t(count === 4 ? 'views.know.all' : 'views.know.some', { n: count })}</p>
    <${History} rows=${rows} users=${users} />
    <${Numbers} line=${line} />
    <details class="note"><summary>${t('views.know.generals')}</summary><p>${t('views.know.generals.text')}</p></details>
  </section>`;
}

// usersOf finds the hosts of a flow's users 0 and 1.
function usersOf(flow, ends) {
  const told = run.value.header.flows?.[flow];
  const hosts = told?.hosts ?? [0, 1];
  return hosts.map((h, who) => ends.find((end) => end.h === h) ?? ends[who]);
}

const nameOf = (flow) => run.value.header.flows?.[flow]?.name ?? String(flow + 1);

function Cell({ it, line }) {
  if (!it) return html`<td class="no"><span class="tick" aria-hidden="true">–</span> ${t('views.know.not')}</td>`;
  const packet = knowledgePacket(line, it);
  return html`<td class="yes"><span class="tick" aria-hidden="true">✓</span> ${packet ? html`${t('views.know.by')} <${PacketName} p=${packet} />` : t('views.know.yes')}</td>`;
}

function knowledgePacket(line, it) {
  for (let i = it.i; i >= 0 && line.items[i].n === it.n; i--) if (line.items[i].p && line.items[i].k === 'arrive') return line.items[i].p;
  return it.p ?? 0;
}

function History({ rows, users }) {
  if (rows.length === 0) return null;
  return html`<div class="scroll" tabindex="0" role="region" aria-label=${t('views.know.history')}><table class="history">
    <caption>${t('views.know.history')}</caption>
    <thead><tr><th scope="col">${t('views.know.after')}</th>
      ${users.map((end) => [0, 1].map((direction) => html`<th scope="col"><${EndName} end=${end} />: ${users[direction].name} → ${users[1 - direction].name}</th>`))}</tr></thead>
    <tbody>${rows.slice(-shownRows).map((row) => html`<tr key=${row.i} class=${row.i === rows.at(-1).i ? 'latest' : ''}>
      <th scope="row">${row.p ? html`<${PacketName} p=${row.p} />` : html`<${SeekTo} i=${row.i}>${t('views.know.start')}<//>`}</th>
      ${row.cells.map((two, who) => two.map((holds, direction) => html`<td key=${`${who}${direction}`} class=${holds ? 'yes' : 'no'}>${holds ? '✓' : '–'}<span class="sr">${t(holds ? 'views.know.yes' : 'views.know.not')}</span></td>`))}
    </tr>`)}</tbody>
  </table></div>`;
}

// Numbers are the initial sequence numbers: what is not confirmed is red, and says so.
function Numbers({ line }) {
  const all = isns(line, cursor.value);
  if (all.length === 0) return null;
  const hosts = endsOf();
  const shown = [...all.filter((one) => one.stage !== 'confirmed'), ...all.filter((one) => one.stage === 'confirmed')].slice(0, shownISNs);
  return html`<div class="isns"><h3>${t('views.isn.title')}</h3><ul>${shown.sort((x, y) => x.h - y.h || x.c - y.c).map((one) => {
    const end = hosts.find((candidate) => candidate.h === one.h);
    return html`<li key=${`${one.h}/${one.c}`} class=${one.stage === 'confirmed' ? 'ok' : 'unconfirmed'}>
      ${end ? html`<${EndName} end=${end} />` : run.value.header.hosts[one.h]?.name}
      <code>${one.isn}</code>
      <span class="stage">${one.stage === 'confirmed' ? '✓ ' : '✗ '}${t(`views.isn.${one.stage}`)}
        ${one.by ? html` <button type="button" class="link" onClick=${() => select(one.by)}>#${one.by}</button>` : null}</span>
    </li>`;
  })}</ul>${all.length > shown.length && html`<p class="quiet">${t('views.more', { n: all.length - shown.length })}</p>`}</div>`;
}

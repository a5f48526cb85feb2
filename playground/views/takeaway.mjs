// What can be taken home: the run as a link, a script, a capture, a log; its hash.
import { html, useState } from '../lib/preact.mjs';
import * as store from '../store.mjs';
import { t } from '../words.mjs';
import { Copy, download } from './copy.mjs';
import { pluginsOf, read } from '../scenario.mjs';

/** linkOf writes the address of what is shown now; "" if it does not fit. */
function address() {
  const fragment = store.fragment.value;
  return fragment && location.href.split('#')[0] + '#' + fragment;
}

/** script is the whole scenario, as "tcpkit sim run FILE" reads it. */
function script(run) {
  return run.extra.length ? `${run.text.trimEnd()}\n\n# ${t('page.added')}\n${run.extra.join('\n')}\n` : run.text;
}

export function TakeAway() {
  const run = store.run.value;
  store.version.value;
  const [wrong, setWrong] = useState('');
  if (!run) return null;
  const filters = read(run.text, run.extra).says.filter((said) => said.filter);
  const name = run.extra.length ? run.id + '-changed' : run.id;
  const fetched = (what, save) => async () => {
    try {
      setWrong('');
      save(await what());
    } catch (error) {
      setWrong(t('page.take-failed', { why: error.message }));
    }
  };
  const link = address();
  const uploaded = pluginsOf(run.text, run.extra).filter((plugin) => store.files.value.some((file) => file.name === plugin));
  const ready = run.ended && store.engine.value.phase === 'ready';
  return html`<section class="sheet takeaway" aria-labelledby="h-takeaway"><h2 id="h-takeaway">${t('page.takeaway')}</h2>
    <dl class="take">
      <div><dt>${t('page.hash')}</dt><dd><code class="hash" data-hash=${run.hash}>${run.hash || t('page.still-running')}</code> ${run.hash && html`<${Copy} text=${run.hash}/>`}
        <p class="faint">${t('page.hash-why')} <code>tcpkit sim run ${run.extra.length ? name + '.scenario' : run.id}</code></p></dd></div>
      <div><dt>${t('page.link')}</dt><dd>${link ? html`<div class="row"><input type="text" readonly value=${link} aria-label=${t('page.link')} onFocus=${(e) => e.target.select()}/><${Copy} text=${link}/></div>` : html`<p class="is-wrong">${t('page.link-too-long')}</p>`}
        ${uploaded.length > 0 && html`<p class="quiet">${t('page.link-uploaded', { names: uploaded.join(', ') })}</p>`}</dd></div>
      <div><dt>pcapng</dt><dd><div class="row">${run.header.hosts.map((host, h) => html`<button key=${host.name} class=${'of-' + store.side(h)} disabled=${!ready}
          onClick=${fetched(() => store.ask('pcapng', h), (octets) => download(`${name}-${host.name}.pcapng`, 'application/octet-stream', octets))}>${t('page.seen-at', { host: host.name })}</button>`)}</div>
        <p class="faint">${t('page.pcapng-why')}</p>
        ${filters.length > 0 && html`<details><summary>${t('page.filters')}</summary><ul>${filters.map((said, k) => html`<li key=${k} class="filter"><code>${said.filter}</code><${Copy} text=${said.filter}/>${said.rows && html`<span class="faint">${t('page.rows', { rows: said.rows })}</span>`}${said.at && html` <span class="faint">${t('page.seen-at', { host: said.at })}</span>`}</li>`)}</ul></details>`}</dd></div>
      <div><dt>${t('page.log')}</dt><dd><button disabled=${!ready} onClick=${fetched(() => store.ask('record'), (text) => download(`${name}.trace`, 'application/json', text))}>${t('page.log-save')}</button>
        <p class="faint">${t('page.log-why')} <code>tcpkit trace replay ${name}.trace</code></p></dd></div>
      <div><dt>${t('page.script')}</dt><dd><div class="row"><button onClick=${() => download(`${name}.scenario`, 'text/plain', script(run))}>${t('page.script-save')}</button><${Copy} text=${script(run)}/></div>
        <p class="faint">${t('page.script-why')}</p></dd></div>
    </dl>
    ${wrong && html`<p class="is-wrong" role="alert">${wrong}</p>`}
    <${Checks} run=${run}/>
  </section>`;
}

// Checks are the expectations of the scenario, held or not.
function Checks({ run }) {
  if (!run.checks.length) return null;
  const lines = [...run.text.split('\n'), ...run.extra];
  const held = run.checks.filter((check) => check.held).length;
  return html`<details class="checks" open=${held < run.checks.length}><summary>${t('page.checks', { held, all: run.checks.length })}</summary>
    <ul>${run.checks.map((check, k) => html`<li key=${k}><span class=${check.held ? 'is-good' : 'is-wrong'}>${check.held ? '✓' : '✕'}</span> <code>${lines[check.line - 1]?.trim() ?? check.line}</code>
      ${!check.held && check.found !== undefined ? html` <span class="is-wrong">${t('page.found', { what: check.found })}</span>` : ''}</li>`)}</ul></details>`;
}

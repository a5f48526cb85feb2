// Plugins: the shipped ones, and what the user has uploaded, switched on at a host; and
// what they said and did in this run.
import { html, useState } from '../lib/preact.mjs';
import { run, cursor, version, files, edit, setExtra, seek } from '../store.mjs';
import { t, has, catalogue } from '../words.mjs';
import { read } from '../scenario.mjs';
import { plug, unplug } from '../knobs.mjs';
import { clock } from '../format.mjs';
import { lastUpTo } from '../search.mjs';
import { useFocusKept } from './focus.mjs';

const largest = 4 << 20;
const shownRows = 200;

export function Plugins() {
  version.value;
  const section = useFocusKept();
  const r = run.value;
  const [name, choose] = useState('');
  const [host, chooseHost] = useState('');
  const [options, setOptions] = useState('');
  const [error, setError] = useState('');
  if (!r) return html`<section class="sheet plugins" aria-labelledby="h-plugins"><h2 id="h-plugins">${t('page.plugins')}</h2><p class="quiet">${t('views.nothing-yet')}</p></section>`;
  const { hosts } = read(r.text, r.extra);
  const own = read(r.text, []).hosts;
  const shipped = catalogue.value.plugins;
  const uploaded = files.value.map((file) => file.name).filter((one) => !shipped.some((other) => other.name === one));
  const allow = shipped.find((one) => one.name === name)?.allow ?? ''; // what its user has to allow
  const at = hosts.some((one) => one.name === host) ? host : hosts[0]?.name ?? '';
  const add = () => {
    if (!/^[^\s"#]*$/.test(options)) return setError(t('panels.plugins.bad-options'));
    setError('');
    const settings = options.split(',').filter(Boolean);
    if (allow && !settings.some((one) => one.startsWith('allow='))) settings.push(`allow=${allow}`);
    edit([plug(at, [name, ...settings].join(','))]);
  };
  const upload = async (input) => {
    const [file] = input.files;
    input.value = '';
    if (!file) return;
    const given = file.name.replace(/\.wasm$/, '').replace(/[^A-Za-z0-9._-]/g, '-').replace(/^[._-]+/, '').slice(0, 40) || 'mine';
    const octets = new Uint8Array(await file.slice(0, largest + 1).arrayBuffer());
    if (octets.length > largest) return setError(t('panels.plugins.large', { name: file.name }));
    if (octets[0] !== 0 || octets[1] !== 0x61 || octets[2] !== 0x73 || octets[3] !== 0x6d) return setError(t('panels.plugins.no-module', { name: file.name }));
    setError('');
    files.value = [...files.value.filter((other) => other.name !== given), { name: given, octets }];
    choose(given);
  };
  return html`<section ref=${section} tabindex="-1" class="sheet plugins" aria-labelledby="h-plugins"><h2 id="h-plugins">${t('page.plugins')}</h2>
    <ul class="plugin-hosts">${hosts.map((one) => html`<li key=${one.name} class="row"><strong>${one.name}</strong>
      ${one.plugins.length === 0 ? html`<span class="faint">${t('panels.plugins.none')}</span>` : one.plugins.map((spec) => html`<code key=${spec} class="chip">${spec}</code>`)}
      ${one.plugins.length > 0 && html`<button onClick=${() => setExtra(unplug(r.extra, one.name, own.find((h) => h.name === one.name)?.plugins.length > 0))}>${t('panels.plugins.off')}</button>`}</li>`)}</ul>
    <div class="row">
      <label>${t('panels.plugins.plugin')} <select id="plugin-name" value=${name} onChange=${(e) => choose(e.currentTarget.value)}>
        <option value="">–</option>
        ${uploaded.length > 0 && html`<optgroup label=${t('panels.plugins.uploaded')}>${uploaded.map((one) => html`<option key=${one} value=${one}>${one}</option>`)}</optgroup>`}
        <optgroup label=${t('panels.plugins.shipped')}>${shipped.map((one) => html`<option key=${one.name} value=${one.name}>${one.name}</option>`)}</optgroup></select></label>
      <label>${t('panels.plugins.host')} <select value=${at} onChange=${(e) => chooseHost(e.currentTarget.value)}>${hosts.map((one) => html`<option key=${one.name} value=${one.name}>${one.name}</option>`)}</select></label>
      <label>${t('panels.plugins.options')} <input type="text" size="14" placeholder="n=7" maxlength="200" autocomplete="off" spellcheck="false" value=${options} onInput=${(e) => setOptions(e.currentTarget.value)} onKeyDown=${(e) => e.stopPropagation()} /></label>
      <button id="plugin-on" class="strong" disabled=${name === ''} onClick=${add}>${t('panels.plugins.on')}</button>
    </div>
    ${name !== '' && has('plugin.' + name) && html`<p class="quiet">${t('plugin.' + name)}${/\blab\b/.test(allow) ? ' ' + t('panels.plugins.lab') : ''}</p>`}
    <p class="row"><label class="button">${t('panels.plugins.upload')} <input id="plugin-file" class="sr" type="file" accept=".wasm,application/wasm" onChange=${(e) => upload(e.currentTarget)} /></label>
      <span class="faint">${t('panels.plugins.stays')}</span></p>
    ${error && html`<p class="is-wrong" role="alert">${error}</p>`}
    <${Told} line=${r.line} />
  </section>`;
}

// Told is what plugins said and did up to the cursor.
function Told({ line }) {
  const upto = lastUpTo(line.plugins.length, (k) => line.plugins[k], cursor.value) + 1;
  const rows = line.plugins.slice(Math.max(0, upto - shownRows), upto).map((i) => line.items[i]);
  if (rows.length === 0) return html`<p class="faint">${t('panels.plugins.silent')}</p>`;
  const hosts = run.value.header.hosts;
  return html`<div class="scroll-x" tabindex="0" role="region" aria-label=${t('panels.plugins.log')}><table class="deeds">
    <caption class="sheet-title">${t('panels.plugins.log')}</caption>
    <thead><tr>${['time', 'plugin', 'verdict', 'fuel'].map((word) => html`<th key=${word} scope="col">${t('panels.plugins.' + word)}</th>`)}</tr></thead>
    ${rows.map((it) => html`<tbody key=${it.i}><tr><td><button class="link num" onClick=${() => seek(it.i)}>${clock(it.t)}</button></td>
      <td>${it.name} <span class="faint">${hosts[it.h ?? 0]?.name ?? ''}</span></td>
      <td><span class="faint">${it.step}</span> ${it.step ? [it.verdict, it.text].filter(Boolean).join(': ') : it.text}</td>
      <td class="num">${fuelOf(it)}</td></tr>
      ${(it.changes || it.said) && html`<tr class="came"><td colspan="4">
        ${it.changes && html`<div class="faint">${t('panels.plugins.change')}</div>`}
        ${it.changes?.map((one) => html`<div key=${one.field} class="change"><code>${one.field}</code> <del>${one.was}</del> → <ins>${one.is}</ins></div>`)}
        ${it.said && html`<div class="faint">${t('panels.plugins.said')}</div><div class="said">${it.said}</div>`}</td></tr>`}</tbody>`)}</table></div>`;
}

// fuelOf says what a call has used; at the end, what all have.
function fuelOf(it) {
  if (it.used) return it.used;
  return it.calls === undefined ? '' : t('panels.plugins.sum', { fuel: it.fuel, calls: it.calls });
}

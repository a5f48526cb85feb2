// The network: knobs for links, hosts and chance. Each writes a line of the scenario
// language behind the text, and the run is made again.
import { html, useEffect, useRef, useState } from '../lib/preact.mjs';
import { run, setExtra, version } from '../store.mjs';
import { t, catalogue } from '../words.mjs';
import { read } from '../scenario.mjs';
import { useFocusKept } from './focus.mjs';
import { fields, profile, sow, tidy, turn } from '../knobs.mjs';

export function Network() {
  version.value;
  const section = useFocusKept();
  const r = run.value;
  if (!r) return html`<section class="sheet network" aria-labelledby="h-network"><h2 id="h-network">${t('page.network')}</h2><p class="quiet">${t('views.nothing-yet')}</p></section>`;
  const own = read(r.text, []);
  const now = read(r.text, r.extra);
  return html`<section ref=${section} tabindex="-1" class="sheet network" aria-labelledby="h-network"><h2 id="h-network">${t('page.network')}</h2>
    ${now.links.map((link) => html`<fieldset key=${link.a + link.b} class="knobs"><legend>${t('panels.network.link', { a: link.a, b: link.b })}</legend>
      ${fields.map((field) => html`<${Knob} key=${field.name} id=${`knob-${link.a}-${link.b}-${field.name}`} label=${t('panels.network.' + field.name)}
        kind=${field.kind} value=${link.fields[field.name]} own=${fieldOf(own, link, field.name)} turned=${(value) => setExtra(turn(r.extra, link.a, link.b, field.name, value))} />`)}
    </fieldset>`)}
    <fieldset class="knobs"><legend>${t('panels.network.hosts')}</legend>
      ${now.hosts.map((host) => html`<label key=${host.name} class="knob">${t('panels.network.profile', { host: host.name })}
        <select value=${host.profile} onChange=${(e) => setExtra(profile(r.extra, host.name, e.currentTarget.value === own.hosts.find((h) => h.name === host.name)?.profile ? '' : e.currentTarget.value))}>
          ${Object.keys(catalogue.value.profiles).map((name) => html`<option key=${name} value=${name}>${name}</option>`)}</select></label>`)}
    </fieldset>
    <fieldset class="knobs"><legend>${t('panels.network.chance')}</legend>
      <${Knob} id="knob-seed" label=${t('panels.network.seed')} kind="seed" value=${now.seed} own=${own.seed} turned=${(value) => setExtra(sow(r.extra, value))} />
      <button onClick=${() => setExtra(sow(r.extra, String(Number(now.seed) + 1)))}>${t('panels.network.next-seed')}</button>
    </fieldset>
    <${Lines} lines=${r.extra} />
  </section>`;
}

const fieldOf = (said, link, name) => said.links.find((other) => other.a === link.a && other.b === link.b)?.fields[name];

// Knob is one value. What is typed counts when the field is left or Enter is pressed; an
// empty field gives the scenario's own value back.
function Knob({ id, label, kind, value, own, turned }) {
  const [wrong, setWrong] = useState(false);
  const field = useRef(null);
  const changed = value !== own;
  useEffect(() => { field.current.value = value ?? ''; }, [value]);
  const commit = (typed) => {
    if (typed.trim() === (value ?? '')) return setWrong(false);
    const tidied = typed.trim() === '' ? own ?? '' : kind === 'seed' ? (/^\d{1,15}$/.test(typed.trim()) ? typed.trim() : null) : tidy(kind, typed);
    setWrong(tidied === null);
    if (tidied === null) return;
    field.current.value = tidied;
    if (tidied !== (value ?? '')) turned(tidied === own ? '' : tidied);
  };
  return html`<div class="knob">
    <label for=${id}>${label}${changed && html` <span class="chip" title=${t('panels.network.was', { value: own ?? '–' })}>${t('panels.network.changed')}</span>`}</label>
    <input ref=${field} id=${id} type="text" class="num" size="8" autocomplete="off" spellcheck="false" placeholder="–" aria-invalid=${wrong} aria-describedby=${id + '-hint'}
      onBlur=${(e) => commit(e.currentTarget.value)} onKeyDown=${(e) => { e.stopPropagation(); if (e.key === 'Enter') commit(e.currentTarget.value); }} />
    <small id=${id + '-hint'} class=${wrong ? 'is-wrong' : 'faint'}>${t((wrong ? 'panels.wrong.' : 'panels.hint.') + kind)}</small>
  </div>`;
}

// Lines are what was added to the scenario, each to be taken back.
function Lines({ lines }) {
  return html`<section class="lines" aria-labelledby="h-lines"><h3 id="h-lines" class="sheet-title">${t('panels.lines')}</h3>
    ${lines.length === 0 && html`<p class="faint">${t('panels.lines.none')}</p>`}
    <ul>${lines.map((line, i) => html`<li key=${i + line} class="row"><code>${line}</code>
      <button class="plain" aria-label=${t('panels.lines.take-back', { line })} onClick=${() => setExtra(lines.filter((_, k) => k !== i))}>✕</button></li>`)}</ul>
    ${lines.length > 1 && html`<button onClick=${() => setExtra([])}>${t('panels.lines.all')}</button>`}
  </section>`;
}

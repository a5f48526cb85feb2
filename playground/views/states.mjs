// Figure 5 of RFC 9293 for both ends: where each is, the edge that it has just taken
// and why, and those it took before.
import { html, useState } from '../lib/preact.mjs';
import { cursor, playing } from '../store.mjs';
import { catalogue, has, rule, t } from '../words.mjs';
import { BOX, HEIGHT, STATES, WIDTH, boxes, endOf, key, litBox, wayOf } from './figure5.mjs';
import { CauseText, EndName, RuleText, SeekTo, endsOf, stateAt, useWidth } from './ends.mjs';

const wide = 640; // pixels from which there is room for two drawings

/** States is the panel. */
export function States() {
  const [ref, width] = useWidth();
  const [asked, setAsked] = useState('');
  const at = cursor.value;
  const ends = endsOf().map((end) => ({ ...end, ...stateAt(end, at) }));
  const drawings = width >= wide ? ends.map((end) => [end]) : [ends];
  return html`<section class="sheet instrument states" ref=${ref} aria-labelledby="h-states"><h2 id="h-states">${t('page.states')}</h2>
    ${ends.length === 0 && html`<p class="quiet">${t('views.nothing-yet')}</p>`}
    <div class="drawings">
      ${drawings.filter((some) => some.length).map((some) => html`<figure key=${some.map((end) => end.h).join()}>
        <figcaption>${some.map((end) => html`<span class="now"><${EndName} end=${end} /> <b class="state">${end.state}</b>${' '}
          ${has(`state.${end.state}.name`) && html`<small>${t(`state.${end.state}.name`)}</small>`}</span>`)}</figcaption>
        <${Drawing} ends=${some} asked=${asked} ask=${setAsked} />
      </figure>`)}
    </div>
    <${Told} ends=${ends} />
    <${Asked} asked=${asked} ask=${setAsked} />
    <${Ways} ends=${ends} />
  </section>`;
}

function Drawing({ ends, asked, ask }) {
  const edges = catalogue.value?.edges ?? [];
  const label = ends.map((end) => t('views.states.is-in', { end: end.name, state: end.state })).join(' ');
  const taken = new Map(); // edge -> the ends that took it
  const fresh = new Map(); // edge -> the end that took it last
  for (const end of ends) {
    for (const one of end.edges) taken.set(key(one.from ?? 'CLOSED', one.to), end);
    if (!end.last) continue;
    const name = key(end.last.from ?? 'CLOSED', end.last.to);
    fresh.set(name, fresh.has(name) ? { side: 'both' } : end); // opens or closes that cross take the same edge
  }
  const id = `figure5-${ends.map((end) => end.h).join('')}`;
  return html`<svg class="figure5" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label=${`${t('views.states.figure')}. ${label}`}>
    <defs>${['quiet', 'taken', 'a', 'b', 'both'].map((kind) => html`<marker key=${kind} id="${id}-${kind}" class="head ${kind}" viewBox="0 0 8 8" refX="7" refY="4"
      markerWidth="8" markerHeight="8" markerUnits="userSpaceOnUse" orient="auto"><path d="M0 0L8 4L0 8z" /></marker>`)}</defs>
    ${sorted(edges, fresh, taken).map((edge) => {
      const name = key(edge.from, edge.to);
      const now = fresh.get(name);
      const kind = now ? `fresh ${now.side}` : taken.has(name) ? 'taken' : 'quiet';
      const way = wayOf(edge.from, edge.to);
      const head = now ? now.side : taken.has(name) ? 'taken' : 'quiet';
      const picked = asked === name ? 'picked' : '';
      return html`<g key=${name} data-edge=${name} class="edge ${kind} ${way.rare ? 'rare' : ''} ${picked}" onClick=${() => ask(asked === name ? '' : name)}>
        <path class="reach" d=${way.d} />
        <path class="line" d=${way.d} marker-end=${way.stub ? undefined : `url(#${id}-${head})`} />
        ${way.stub && html`<${Cross} d=${way.d} />`}
        ${!way.stub && html`<${Label} way=${way} rule=${edge.rule} />`}
      </g>`;
    })}
    ${boxes().map((box) => {
      const here = ends.filter((end) => litBox(end.state, end.over) === box.id);
      const kind = here.length === 2 ? 'both' : here.length ? here[0].side : ends.some((end) => been(end, box)) ? 'been' : 'quiet';
      return html`<g key=${box.id} class="box ${kind} ${asked === box.name ? 'picked' : ''}" onClick=${() => ask(asked === box.name ? '' : box.name)}>
        <rect x=${box.x} y=${box.y} width=${BOX.w} height=${BOX.h} rx="6" />
        <text x=${box.cx} y=${box.cy + 4}>${box.name}</text>
        ${here.map((end) => html`<text key=${end.h} class="token ${end.side}" x=${end.side === 'a' ? box.x + 2 : box.x + BOX.w - 2} y=${box.y + 3}>${end.sign}</text>`)}
      </g>`;
    })}
  </svg>`;
}

// The edges that matter are drawn last, above the rest.
function sorted(edges, fresh, taken) {
  const weight = (edge) => (fresh.has(key(edge.from, edge.to)) ? 2 : taken.has(key(edge.from, edge.to)) ? 1 : 0);
  return [...edges].sort((x, y) => weight(x) - weight(y));
}

const been = (end, box) => !box.last && end.edges.some((one) => (one.from ?? 'CLOSED') === box.name || one.to === box.name);

function Cross({ d }) {
  const { x, y } = endOf(d);
  return html`<path class="line" d=${`M${x - 4} ${y - 4} L${x + 4} ${y + 4} M${x - 4} ${y + 4} L${x + 4} ${y - 4}`} />`;
}

// A label is the figure's own shorthand: what comes, and under it what is done.
function Label({ way, rule: name }) {
  const id = `views.edge.${name}`;
  if (!has(id)) return null;
  return t(id).split(' / ').map((text, k) => html`<text key=${k} class="label" x=${way.x} y=${way.y + 11 * k} text-anchor=${way.anchor}>${text}</text>`);
}

// Told says in words what was the last change at each end.
function Told({ ends }) {
  return html`<div class="told" aria-live=${playing.value ? 'off' : 'polite'}>${ends.map((end) => html`<p key=${end.h} class="card ${end.side}">
    <${EndName} end=${end} />${' '}
    ${end.last ? html`<b>${end.last.from ?? 'CLOSED'} → ${end.last.to}</b> <${CauseText} edge=${end.last} /> <${RuleText} name=${end.last.rule} />`
    : html`<span>${t('views.states.no-edge', { state: end.state })}</span>`}
    ${end.others.length > 0 && html`<small class="quiet"> ${t('views.states.others', { n: end.others.length })}</small>`}
  </p>`)}</div>`;
}

// Asked explains a state or an edge: by a click on the drawing, or from the list, which
// the keyboard reaches.
function Asked({ asked, ask }) {
  const edges = catalogue.value?.edges ?? [];
  const edge = edges.find((one) => key(one.from, one.to) === asked);
  return html`<div class="asked">
    <label>${t('views.states.explain')}
      <select value=${asked} onChange=${(e) => ask(e.currentTarget.value)}>
        <option value="">–</option>
        <optgroup label=${t('views.states.states')}>${STATES.map((name) => html`<option key=${name} value=${name}>${name}</option>`)}</optgroup>
        <optgroup label=${t('views.states.edges')}>${edges.map((one) => html`<option key=${key(one.from, one.to)} value=${key(one.from, one.to)}>${one.from} → ${one.to}</option>`)}</optgroup>
      </select>
    </label>
    ${asked && html`<p class="card" role="status">${edge
      ? html`<b>${edge.from} → ${edge.to}</b> ${edge.cause && t(`views.cause.${edge.cause}`)}${' '}<${RuleText} name=${edge.rule} />
        ${edge.to === 'CLOSED' && rule(edge.rule)?.name === 'reset-exact' && html` ${t('views.states.note3')}`}`
      : html`<b>${asked}</b> ${t(`state.${asked}`)}`}</p>`}
  </div>`;
}

// Ways is the same as text: the states that each end went through, in order.
function Ways({ ends }) {
  return html`<details class="ways"><summary>${t('views.states.as-text')}</summary>
    ${ends.map((end) => html`<div key=${end.h}><h3><${EndName} end=${end} /></h3>
      <ol>${end.edges.slice(-50).map((edge) => html`<li key=${edge.i}><${SeekTo} i=${edge.i}>${edge.from ?? 'CLOSED'} → ${edge.to}<//>
        <${CauseText} edge=${edge} /> <${RuleText} name=${edge.rule} /></li>`)}</ol>
      ${end.edges.length === 0 && html`<p>${t('views.states.no-edge', { state: end.state })}</p>`}
    </div>`)}
  </details>`;
}

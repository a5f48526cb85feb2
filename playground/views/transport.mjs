// Time: play, steps, speed, and the bar on which all of the run lies.
import { html, useMemo } from '../lib/preact.mjs';
import * as store from '../store.mjs';
import { t } from '../words.mjs';
import { clock, duration } from '../format.mjs';

const grains = ['event', 'segment', 'state', 'say'];

export function Transport() {
  const run = store.run.value;
  const at = store.cursor.value;
  const version = store.version.value;
  const line = run?.line;
  const length = line?.items.length ?? 0;
  const playing = store.playing.value;
  return html`<div class="time" role="group" aria-label=${t('page.transport')}>
    <${Scrub} run=${run} version=${version}/>
    <div class="time-row">
      <div class="row time-buttons">
        <button class="plain" title=${t('page.to-start')} aria-label=${t('page.to-start')} aria-keyshortcuts="Home" disabled=${at < 0} onClick=${() => { store.pause(); store.seek(-1); }}><${Icon} name="start"/></button>
        <button title=${t('page.back-one')} aria-label=${t('page.back-one')} aria-keyshortcuts="ArrowLeft" disabled=${at < 0} onClick=${() => store.step(store.grain.value, -1)}><${Icon} name="back"/></button>
        <button class="strong play" title=${t(playing ? 'page.pause' : 'page.play')} aria-keyshortcuts="Space" disabled=${!length} onClick=${() => (playing ? store.pause() : store.play())}>
          <${Icon} name=${playing ? 'pause' : 'play'}/><span class="play-word">${t(playing ? 'page.pause' : 'page.play')}</span></button>
        <button title=${t('page.on-one')} aria-label=${t('page.on-one')} aria-keyshortcuts="ArrowRight" disabled=${at >= length - 1} onClick=${() => store.step(store.grain.value, 1)}><${Icon} name="on"/></button>
        <label class="grain"><span class="sr">${t('page.step-by')}</span>
          <select value=${store.grain.value} onChange=${(e) => { store.grain.value = e.target.value; }}>
            ${grains.map((grain) => html`<option key=${grain} value=${grain}>${t('page.by-' + grain)}</option>`)}
          </select></label>
      </div>
      <span class="clock num" role="timer" aria-label=${t('page.time-now')}>${clock(store.now.value)}<span class="faint"> / ${duration(store.end())}${run?.ended ? '' : '…'}</span></span>
      <label class="speed"><span class="faint">${t('page.speed')}</span>
        <input type="range" min="-2" max="3" step="0.05" value=${Math.log10(store.speed.value)} aria-valuetext=${times(store.speed.value)}
          onInput=${(e) => store.setSpeed(10 ** Number(e.target.value))}/>
        <span class="num speed-value">${times(store.speed.value)}</span></label>
      <label class="fold-idle"><input type="checkbox" checked=${store.folded.value} onChange=${(e) => { store.folded.value = e.target.checked; }}/>${t('page.fold-idle')}</label>
      <button class="plain branch" title=${t('page.branch-why')} aria-label=${t('page.branch')} aria-keyshortcuts="b" disabled=${!length || store.runs.value.length >= store.most} onClick=${() => store.branch()}><${Icon} name="branch"/><span class="branch-word">${t('page.branch')}</span></button>
    </div>
  </div>`;
}

/** times writes a speed: "0.05×". */
function times(speed) {
  return `${Number(speed.toPrecision(2))}×`;
}

// Scrub is the bar. Its marks lie where the axis of the ladder and the graphs has them.
function Scrub({ run, version }) {
  const axis = store.axis.value;
  const length = axis.length;
  const pos = axis.pos(store.now.value);
  const end = axis.pos(store.end());
  const marks = useMemo(() => (run ? marksOf(run, axis) : ''), [run, version, axis]);
  return html`<div class="scrub">
    <svg viewBox="0 0 1000 24" preserveAspectRatio="none" aria-hidden="true">
      ${marks && html`<path class="tick a" d=${marks.a}/><path class="tick b" d=${marks.b}/><path class="tick lost" d=${marks.lost}/><path class="tick said" d=${marks.said}/>`}
      ${axis.folds.slice(0, 200).map((fold) => html`<rect class="idle" x=${fold.at / length * 1000} width=${axis.idle / length * 1000} y="10" height="4"><title>${duration(fold.to - fold.from)}</title></rect>`)}
      <rect class="track" x="0" y="11" width="1000" height="2"/>
      <rect class="gone" x="0" y="11" height="2" width=${pos / length * 1000}/>
    </svg>
    <i class="needle" style=${{ left: `${pos / length * 100}%` }}></i>
    <input type="range" min="0" max="1000" step="any" value=${end ? pos / end * 1000 : 0} aria-label=${t('page.scrub')} aria-valuetext=${clock(store.now.value)}
      onInput=${(e) => { store.pause(); store.seekTime(axis.time(Number(e.target.value) / 1000 * end)); }}/>
  </div>`;
}

// More marks than pixels tell nothing: of those on one place one is drawn.
function marksOf({ line }, axis) {
  const marks = { a: '', b: '', lost: '', said: '' };
  const seen = new Set();
  const put = (kind, t, from, to) => {
    const x = Math.round(axis.pos(t) / axis.length * 1000 * 2) / 2;
    if (seen.has(kind + x)) return;
    seen.add(kind + x);
    marks[kind] += `M${x} ${from}V${to}`;
  };
  for (const i of line.segments) {
    const item = line.items[i];
    if (line.packets.get(item.p)?.loss) put('lost', item.t, 5, 20);
    else if (store.side(item.h) === 'a') put('a', item.t, 5, 12);
    else put('b', item.t, 12, 20);
  }
  for (const i of line.says) put('said', line.items[i].t, 0, 3);
  return marks;
}

const icons = {
  play: 'M4 2l10 6-10 6z', pause: 'M4 2h3v12H4zM9 2h3v12H9z', start: 'M2 2h2v12H2zM14 2v12L5 8z', back: 'M12 2v12L4 8z', on: 'M4 2v12l8-6z',
  seen: 'M8 3C4 3 1.5 6 0.5 8c1 2 3.5 5 7.5 5s6.5-3 7.5-5C14.5 6 12 3 8 3zM8 11.300a3.3 3.3 0 1 1 0-6.600a3.3 3.3 0 0 1 0 6.600zM8 6.200a1.8 1.8 0 1 0 0 3.600a1.8 1.8 0 0 0 0-3.600z',
  unseen: 'M.5 7.500c1.5 2.5 4 4.5 7.5 4.500s6-2 7.5-4.500l-1.3-.7C13 9 11 10.5 8 10.500S3 9 1.8 6.800zM7.25 11h1.500v3h-1.500zM3 9.800l1.2.8l-1.6 2.400l-1.2-.8zM13 9.800l-1.2.8l1.6 2.400l1.2-.8z',
  branch: 'M3 1h2v14H3zM4 9c4 0 5-1 5-4h2c0 4-2 6-7 6zM10 1l3 4H7z',
};

export function Icon({ name }) {
  return html`<svg class="icon" viewBox="0 0 16 16" width="14" height="14" aria-hidden="true"><path d=${icons[name]}/></svg>`;
}

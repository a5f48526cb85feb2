// One chart on a canvas, by uPlot. It knows places on the folded axis (store.axis), not
// times, so that all charts and the ladder line up.
import uPlot from '../lib/uplot.mjs';
import { duration, octets } from '../format.mjs';
import { long, ticks } from './series.mjs';

/** write is a value of a graph as people read it. */
export function write(unit, v) {
  if (v === null || v === undefined) return '–';
  return unit === 'time' ? duration(v) : String(v);
}

const second = 1e9;
const binary = Array.from({ length: 40 }, (_, k) => 2 ** k);
const label = (ns) => (ns === 0 ? '0' : duration(Math.round(ns)));
// What bounds the rest may be far away from it, and must not press it flat.
const bounds = ['right-edge', 'peer-window'];
const sync = uPlot.sync('tcpkit');

// type is how large the user's type is, to 16 pixels.
const type = () => Number.parseFloat(getComputedStyle(document.documentElement).fontSize) / 16;

/** The colour tokens of the page, as they are now. */
function tokens(node, side) {
  const style = getComputedStyle(node);
  const of = (name) => style.getPropertyValue(name).trim();
  return { own: of(`--${side}`), line: of(`--${side}-line`), soft: of(`--${side}-soft`), peer: of(side === 'a' ? '--b' : '--a'), win: of('--mark'), again: of('--mark'), sack: of('--ink-3'), bad: of('--wrong'), text: of('--ink-3'), rule: of('--rule'), sheet: of('--sheet'), sunk: of('--sunk'), font: `${11 * type()}px ${of('--sans')}` };
}

/** A Chart draws a graph of series.mjs into a node. */
export class Chart {
  /**
   * @param {HTMLElement} node
   * @param {import('./series.mjs').Graph} graph
   * @param {import('../axis.mjs').Axis} axis
   * @param {{side: 'a'|'b', width: number, height: number, seek: (pos: number) => void, zoom: (range: number[]|null) => void, hover: (row: number|null) => void}} how
   */
  constructor(node, graph, axis, how) {
    this.axis = axis;
    this.graph = graph;
    this.how = how;
    this.colours = tokens(node, how.side);
    this.line = document.createElement('div');
    this.line.className = 'cursor-line';
    this.plot = new uPlot(this.#options(graph), this.#data(), node);
    this.plot.over.append(this.line);
    this.plot.over.addEventListener('click', (e) => {
      if (this.dragged) return;
      how.seek(this.plot.posToVal(e.clientX - this.plot.over.getBoundingClientRect().left, 'x') * second);
    });
    this.plot.over.addEventListener('dblclick', () => how.zoom(null));
  }

  // The columns of the graph, and a last row: what was told last holds until the end.
  #data() {
    const { data: [times, ...columns], series } = this.graph;
    const last = columns.map((column, k) => (series[k].kind === 'step' ? column.findLast((v) => v !== null) ?? null : null));
    this.rows = times.length;
    this.top = Math.max(1, ...columns.filter((_, k) => !bounds.includes(series[k].id)).map((column) => column.reduce((most, v) => Math.max(most, v ?? 0), 0)));
    return [[...times.map((t) => this.axis.pos(t) / second), this.axis.length / second], ...columns.map((column, k) => [...column, last[k]])];
  }

  #options(graph) {
    const c = this.colours;
    const side = { stroke: c.text, font: c.font, grid: { stroke: c.rule, width: 1 }, ticks: { stroke: c.rule, width: 1, size: 4 } };
    return {
      width: this.how.width, height: this.how.height, legend: { show: false }, pxAlign: 0,
      cursor: { sync: { key: sync.key, scales: ['x', null] }, drag: { x: true, y: false, setScale: false }, points: { show: false }, y: false },
      scales: { x: { time: false, auto: false, range: () => this.span ?? [0, Math.max(1e-9, this.axis.length / second)] }, y: { range: (_, low, high) => this.#height(low ?? 0, high ?? 1) } },
      axes: [
        { ...side, size: 28 * type(), gap: 3, splits: (u, _, low, high) => this.#splits(low, high, u.bbox.width / (devicePixelRatio || 1)), values: (_, all) => all.map((v) => label(this.axis.time(v * second))) },
        { ...side, size: 58 * type(), gap: 3, incrs: graph.unit === 'time' ? undefined : binary, values: (_, all) => all.map((v) => (graph.unit === 'time' ? label(v) : octets(v))) },
      ],
      series: [{}, ...graph.series.map((series) => ({
        stroke: c[series.colour], fill: c[series.fill], width: series.kind !== 'step' ? 0 : series.strong ? 2.2 : 1.4, dash: series.dash, spanGaps: true, points: { show: false },
        paths: series.kind === 'step' ? uPlot.paths.stepped({ align: 1 }) : () => null,
      }))],
      hooks: {
        drawClear: [(u) => this.#folds(u)],
        draw: [(u) => this.#marks(u)],
        setSize: [() => this.#place()],
        setScale: [(u, key) => key === 'x' && this.#place()],
        setCursor: [(u) => u.cursor.event && this.how.hover(u.cursor.idx === null || u.cursor.idx === undefined ? null : Math.min(u.cursor.idx, this.rows - 1))],
        setSelect: [(u) => {
          if (u.select.width < 4) return;
          this.dragged = true; // the click that ends a drag is none
          setTimeout(() => { this.dragged = false; });
          this.how.zoom([u.posToVal(u.select.left, 'x') * second, u.posToVal(u.select.left + u.select.width, 'x') * second]);
          u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
        }],
      },
    };
  }

  // A part of a stream does not begin at zero; everything else does. A bound
  // far above the rest is left out of sight.
  #height(low, high) {
    if (high > this.top * 1.8) high = this.top * 1.3;
    const least = this.graph.id === 'sequence' && this.zoomed ? low - (high - low) * 0.06 : 0;
    return [least, Math.max(least + 1, high + (high - least) * 0.06)];
  }

  #splits(low, high, width) {
    return ticks(this.axis, low * second, high * second, Math.max(2, Math.floor(width / 80 / type()))).map((pos) => pos / second);
  }

  // Long stretches in which time is folded are shaded.
  #folds(u) {
    const { ctx, bbox } = u;
    ctx.save();
    ctx.fillStyle = this.colours.sunk;
    for (const fold of this.axis.folds) {
      if (!long(this.axis, fold)) continue;
      const left = Math.max(bbox.left, u.valToPos(fold.at / second, 'x', true));
      const right = Math.min(bbox.left + bbox.width, u.valToPos((fold.at + this.axis.idle) / second, 'x', true));
      if (right > left) ctx.fillRect(left, bbox.top, right - left, bbox.height);
    }
    ctx.restore();
  }

  // Marks are the series of points: a dot, a ring, a cross or a bar, by hand.
  #marks(u) {
    const { ctx, bbox } = u;
    const ratio = devicePixelRatio || 1;
    const xs = u.data[0];
    const [from, to] = u.series[0].idxs ?? [0, xs.length - 1];
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left - 4, bbox.top - 4, bbox.width + 8, bbox.height + 8);
    ctx.clip();
    this.graph.series.forEach((series, k) => {
      if (series.kind !== 'points' || !u.series[k + 1].show) return;
      const column = u.data[k + 1];
      ctx.strokeStyle = ctx.fillStyle = this.colours[series.colour];
      ctx.lineWidth = 1.5 * ratio;
      ctx.beginPath();
      for (let row = from; row <= to; row++) {
        if (column[row] === null || column[row] === undefined) continue;
        mark[series.mark](ctx, u.valToPos(xs[row], 'x', true), u.valToPos(column[row], 'y', true), ratio);
      }
      if (series.mark === 'dot') ctx.fill(); else ctx.stroke();
    });
    ctx.restore();
  }

  #place() {
    if (!this.plot || this.at === undefined) return;
    const left = this.plot.valToPos(this.at / second, 'x');
    this.line.hidden = !(left >= 0 && left <= this.plot.bbox.width / (devicePixelRatio || 1));
    this.line.style.transform = `translateX(${left}px)`;
  }

  /** move puts the line of the cursor at a place of the axis. */
  move(pos) {
    this.at = pos;
    this.#place();
  }

  /** range shows a part of the axis. */
  range([from, to]) {
    this.zoomed = to - from < this.axis.length * 0.999;
    this.span = [from / second, Math.max(to, from + 1) / second];
    this.plot.setScale('x', { min: this.span[0], max: this.span[1] });
  }

  /** show takes another graph of the same series, or the same on another axis. */
  show(graph, axis) {
    this.graph = graph;
    this.axis = axis;
    this.plot.setData(this.#data(), false);
    this.plot.redraw(true, true);
  }

  resize(width) {
    this.plot.setSize({ width, height: this.how.height });
  }

  /** hide leaves out the series of these places, and shows the rest. */
  hide(hidden) {
    this.graph.series.forEach((_, k) => {
      if (this.plot.series[k + 1].show === hidden.includes(k)) this.plot.setSeries(k + 1, { show: !hidden.includes(k) });
    });
  }

  destroy() {
    this.plot.destroy();
  }
}

const mark = {
  dot(ctx, x, y, ratio) {
    ctx.moveTo(x, y);
    ctx.rect(x - 1.5 * ratio, y - 1.5 * ratio, 3 * ratio, 3 * ratio);
  },
  ring(ctx, x, y, ratio) {
    ctx.moveTo(x + 3 * ratio, y);
    ctx.arc(x, y, 3 * ratio, 0, 2 * Math.PI);
  },
  cross(ctx, x, y, ratio) {
    const r = 3 * ratio;
    ctx.moveTo(x - r, y - r);
    ctx.lineTo(x + r, y + r);
    ctx.moveTo(x - r, y + r);
    ctx.lineTo(x + r, y - r);
  },
  bar(ctx, x, y, ratio) {
    ctx.moveTo(x, y - 3 * ratio);
    ctx.lineTo(x, y + 3 * ratio);
  },
};

// Geometry of the gauges. Pure.
import { duration } from '../format.mjs';

/** ring is the path of an arc from twelve o'clock that is `part` of a circle, 0 to 1. */
export function ring(cx, cy, r, part) {
  const p = Math.max(0, Math.min(0.9999, part));
  if (p === 0) return '';
  const angle = 2 * Math.PI * p;
  const x = cx + r * Math.sin(angle);
  const y = cy - r * Math.cos(angle);
  return `M${cx} ${cy - r} A${r} ${r} 0 ${p > 0.5 ? 1 : 0} 1 ${x.toFixed(2)} ${y.toFixed(2)}`;
}

const margin = 14;
const room = 46; // pixels that a label needs

/**
 * strip lays the marks of a chain (facts.mjs) out on a line of so many pixels: x of each,
 * labels where there is room, the gaps between. A first gap that is much longer than the
 * rest, as before a keepalive probe, is folded.
 */
export function strip(chain, width) {
  const start = chain.from.t;
  const times = chain.marks.map((m) => m.t - start);
  const end = chain.end ? chain.end.t - start : times.at(-1);
  const first = times[0];
  const rest = Math.max(1, end - first);
  const folded = first > 1.5 * rest;
  const shrunk = folded ? rest * 0.25 : first;
  const scale = (width - 2 * margin) / Math.max(1, rest + shrunk);
  const x = (t) => margin + (t <= first ? t / Math.max(1, first) * shrunk : shrunk + (t - first)) * scale;
  let free = -Infinity;
  const endX = chain.end ? x(end) : Infinity;
  const marks = chain.marks.map((m, k) => {
    const at = x(times[k]);
    const left = k ? x(times[k - 1]) : x(0);
    const fits = at - free >= room && endX - at >= room * 1.6;
    if (fits) free = at;
    const wide = at - left >= room && (k > 0 || times[0] > 0);
    return {
      ...m, x: at, label: fits ? duration(times[k]) : '', anchor: at < room / 2 + margin / 2 ? 'start' : 'middle',
      gap: wide ? `+${duration(k ? times[k] - times[k - 1] : times[0])}` : '', gapX: (at + left) / 2,
    };
  });
  return {
    width, marks, fold: folded ? (x(0) + x(first)) / 2 : 0,
    end: chain.end ? { ...chain.end, x: endX, label: duration(end) } : null,
  };
}

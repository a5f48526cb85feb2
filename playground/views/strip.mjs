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
// pixels that a label needs
const room = (text) => text.length * 6.8 + 8;
const label = (ns) => (ns === 0 ? '0' : duration(ns));

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
  const last = chain.end ? endX + margin - room(label(end)) : width; // where the label of the end begins
  const marks = chain.marks.map((m, k) => {
    const at = x(times[k]);
    const left = k ? x(times[k - 1]) : x(0);
    const text = label(times[k]);
    const anchor = at < room(text) / 2 ? 'start' : 'middle';
    const from = anchor === 'start' ? at : at - room(text) / 2;
    const fits = from >= free && from + room(text) <= last;
    if (fits) free = from + room(text);
    const gap = `+${duration(k ? times[k] - times[k - 1] : times[0])}`;
    const wide = at - left >= room(gap) && (k > 0 || times[0] > 0);
    return { ...m, x: at, label: fits ? text : '', anchor, gap: wide ? gap : '', gapX: (at + left) / 2 };
  });
  return {
    width, marks, fold: folded ? (x(0) + x(first)) / 2 : 0,
    end: chain.end ? { ...chain.end, x: endX, label: label(end) } : null,
  };
}

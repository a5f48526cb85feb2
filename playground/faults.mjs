// What dragging, dropping and doubling a segment writes: lines of the scenario language.
import { words } from './scenario.mjs';

/**
 * faultLines are the extra lines after a change to one packet: what was asked of it
 * before goes, and so does what was asked of later ones, since in the run that
 * follows those numbers belong to other packets. A null change restores the packet.
 */
export function faultLines(lines, p, change) {
  const kept = lines.filter((line) => !(asked(line)?.p >= p));
  return change === null ? kept : [...kept, `fault packet ${p} ${change}`];
}

/** faultOf is what the extra lines ask of a packet: "lose", "delay 2s", ... or "". */
export function faultOf(lines, p) {
  return lines.map(asked).find((fault) => fault?.p === p)?.what ?? '';
}

function asked(line) {
  const [first, what, p, ...how] = words(line);
  return first === 'fault' && what === 'packet' ? { p: Number(p), what: how.join(' ') } : null;
}

/** wholeMS makes a span what a line can say of it: whole milliseconds, at least one. */
export function wholeMS(ns) {
  return Math.max(1, Math.round(ns / 1e6)) * 1e6;
}

/** durationWord writes a span as the language reads it. */
export function durationWord(ns) {
  return `${wholeMS(ns) / 1e6}ms`;
}

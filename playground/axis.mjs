// The axis of time that ladder, graphs and the scrub bar share. Pure.
import { lastUpTo } from './search.mjs';

/**
 * An Axis maps time to a length on which the idle stretches are short: a ladder, a
 * scrub bar and a graph with the same axis line up. Its unit is the nanosecond of
 * a stretch that is not folded.
 */
export class Axis {
  /**
   * @param {number[]} times  when something happened, ascending
   * @param {boolean} folded  whether idle stretches are folded
   * @param {number} idle     the longest stretch that is not
   */
  constructor(times, folded = true, idle = usualIdle(times)) {
    this.idle = idle;
    /** @type {{from:number,to:number,at:number}[]} the stretches folded; at is their place, idle their length */
    this.folds = [];
    let gone = 0; // what earlier folds took away
    let before = 0;
    for (const t of times) {
      if (folded && t - before > idle) {
        this.folds.push({ from: before, to: t, at: before - gone, gone });
        gone += t - before - idle;
      }
      before = Math.max(before, t);
    }
    this.length = Math.max(1, before - gone);
    this.end = before;
    this.gone = gone;
  }

  /** pos returns the place of time t. */
  pos(t) {
    const fold = this.folds[lastUpTo(this.folds.length, (k) => this.folds[k].from, t)];
    if (!fold) return t;
    if (t >= fold.to) return t - fold.gone - (fold.to - fold.from - this.idle);
    return fold.at + (t - fold.from) / (fold.to - fold.from) * this.idle;
  }

  /** time is the inverse of pos. */
  time(pos) {
    const fold = this.folds[lastUpTo(this.folds.length, (k) => this.folds[k].at, pos)];
    if (!fold) return pos;
    const into = pos - fold.at;
    if (into > this.idle) return fold.to + (into - this.idle);
    return fold.from + into / this.idle * (fold.to - fold.from);
  }
}

/** usualIdle is four times the median of the stretches in which nothing happens. */
function usualIdle(times) {
  const gaps = [];
  for (let k = 1; k < times.length; k++) if (times[k] > times[k - 1]) gaps.push(times[k] - times[k - 1]);
  if (gaps.length === 0) return 1e8;
  gaps.sort((a, b) => a - b);
  return Math.max(1e6, 4 * gaps[gaps.length >> 1]);
}

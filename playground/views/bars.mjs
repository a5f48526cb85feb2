// The bars of a stream: where SND.UNA, SND.NXT and the window stand, what is missing at
// the receiver. Pure: numbers in, parts of a bar out.

const least = 100; // numbers that a bar shows at least

/**
 * span chooses the numbers that a bar shows, so that the axis stands still while the
 * window slides over it, and turns a page when the window leaves it.
 * @param {number} una   the left edge of the window
 * @param {number} wnd   its length, the largest that it has had
 * @param {number} top   the highest number in use so far
 */
export function span(una, wnd, top) {
  const used = Math.max(least, top);
  if (used * 3 < wnd) return { lo: 0, hi: Math.ceil(used * 1.25), cut: true }; // a small exchange in a large window
  const page = Math.max(1, wnd) * 2;
  const lo = Math.floor(una / page) * page;
  return { lo: Math.max(0, lo - page / 4), hi: lo + page + Math.max(1, wnd), cut: false }; // with some of what lies behind
}

/** at gives the place of a number on a bar, 0 to 100, held within it. */
export const at = ({ lo, hi }, n) => Math.max(0, Math.min(100, (n - lo) / (hi - lo) * 100));

// part is a piece of a bar, left out where it is not visible.
function part(view, kind, from, to) {
  const left = at(view, from);
  const right = at(view, to);
  return right > left ? [{ kind, from, to, left, width: right - left }] : [];
}

/**
 * sendBar gives the parts of a send bar: acknowledged, in flight, what may go still, and
 * what the program has written that may not go yet.
 * @param {Object<string,number>} tcb relative numbers by the RFC's names, and unsent
 * @param {number} most the largest window so far
 */
export function sendBar(tcb, most = 0) {
  const una = tcb['SND.UNA'] ?? 0;
  const nxt = Math.max(una, tcb['SND.NXT'] ?? una);
  const wnd = tcb['SND.WND'] ?? 0;
  const written = nxt + (tcb.unsent ?? 0);
  const view = span(una, Math.max(wnd, most), Math.max(written, nxt));
  const right = una + wnd;
  return {
    view, una, nxt, right, written,
    parts: [
      ...part(view, 'acked', 0, una), ...part(view, 'flight', una, nxt),
      ...part(view, 'usable', Math.max(nxt, una), right),
      ...part(view, 'waiting', nxt, written),
    ],
    full: nxt >= right && right > 0 && written > nxt,
  };
}

/**
 * receiveBar gives the parts of a receive bar: read, unread, holes, what came beyond
 * them, and the window.
 * @param {Object<string,number>} tcb
 * @param {number[][]} ranges what has arrived beyond RCV.NXT
 * @param {number} most the largest window so far
 */
export function receiveBar(tcb, ranges, most = 0) {
  const nxt = tcb['RCV.NXT'] ?? 0;
  const wnd = tcb['RCV.WND'] ?? 0;
  const unread = tcb.unread ?? 0;
  const top = ranges.at(-1)?.[1] ?? nxt;
  const view = span(nxt, Math.max(wnd, most), top);
  const parts = [...part(view, 'read', 0, nxt - unread), ...part(view, 'unread', nxt - unread, nxt), ...part(view, 'window', nxt, nxt + wnd)];
  const holes = [];
  let from = nxt;
  for (const [left, right] of ranges) {
    holes.push([from, left]);
    parts.push(...part(view, 'hole', from, left), ...part(view, 'beyond', left, right));
    from = right;
  }
  return { view, nxt, right: nxt + wnd, unread, parts, holes };
}

/** ticks are a few round numbers of an axis. */
export function ticks({ lo, hi }, most = 5) {
  const rough = (hi - lo) / most;
  const ten = 10 ** Math.floor(Math.log10(Math.max(1, rough)));
  const step = [1, 2, 5, 10].map((k) => k * ten).find((s) => s >= rough) ?? rough;
  const all = [];
  for (let n = Math.ceil(lo / step) * step; n <= hi; n += step) all.push(n);
  return all;
}

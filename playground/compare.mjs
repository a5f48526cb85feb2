// Where two runs part: their segments side by side, as far as they are alike.

/** alike says whether two segments are the same but for their time. */
function alike(a, b) {
  return a.h === b.h && a.flags === b.flags && a.len === b.len && a.seq === b.seq && a.ack === b.ack && !!a.again === !!b.again;
}

/** differs names what differs between two segments that are alike: "time", "lost" or "same". */
function differs(lineA, a, lineB, b) {
  const lostA = !!lineA.packets.get(a.p)?.loss;
  const lostB = !!lineB.packets.get(b.p)?.loss;
  if (lostA !== lostB) return 'lost';
  return a.t === b.t ? 'same' : 'time';
}

const most = 600; // segments of each that are laid side by side

/**
 * differences lays the segments of two timelines side by side, by the longest common
 * subsequence of those that are alike. kind is "same", "time", "lost", "only-a" or "only-b".
 * @returns {{a: object|null, b: object|null, kind: string}[]}
 */
export function differences(lineA, lineB) {
  const a = lineA.segments.slice(0, most).map((i) => lineA.items[i]);
  const b = lineB.segments.slice(0, most).map((i) => lineB.items[i]);
  const width = b.length + 1;
  const common = new Uint16Array((a.length + 1) * width);
  for (let i = a.length - 1; i >= 0; i--) {
    for (let k = b.length - 1; k >= 0; k--) {
      common[i * width + k] = alike(a[i], b[k]) ? common[(i + 1) * width + k + 1] + 1 : Math.max(common[(i + 1) * width + k], common[i * width + k + 1]);
    }
  }
  const found = [];
  let i = 0;
  let k = 0;
  while (i < a.length || k < b.length) {
    if (i < a.length && k < b.length && alike(a[i], b[k])) {
      found.push({ a: a[i], b: b[k], kind: differs(lineA, a[i], lineB, b[k]) });
      i++;
      k++;
    } else if (k === b.length || (i < a.length && common[(i + 1) * width + k] >= common[i * width + k + 1])) {
      found.push({ a: a[i++], b: null, kind: 'only-a' });
    } else {
      found.push({ a: null, b: b[k++], kind: 'only-b' });
    }
  }
  return found;
}

/** summary counts what a timeline came to. */
export function summary(line) {
  const last = line.at(line.items.length - 1);
  const { packets, lost, resent, data } = last.spent;
  const sum = { segments: packets, lost, again: resent, octets: data, ghosts: 0, violations: last.wrong, end: line.end, states: [] };
  for (const host of last.hosts) {
    sum.ghosts += host.mem.ghosts;
    sum.states.push(Object.values(host.conns).map((conn) => conn.state).slice(-3).join(' '));
  }
  return sum;
}

// How numbers are written, the same in both languages.

/** duration writes nanoseconds as people say them: "75 ms", "2 h 11 min 15 s". */
export function duration(ns) {
  if (!Number.isFinite(ns)) return '–';
  if (ns < 0) return '−' + duration(-ns);
  if (ns === 0) return '0 s';
  if (ns < 1e3) return `${Math.round(ns)} ns`;
  if (ns < 1e6) return `${short(ns / 1e3)} µs`;
  if (ns < 1e9) return `${short(ns / 1e6)} ms`;
  let s = ns / 1e9;
  if (s < 120) return `${short(s)} s`;
  const h = Math.floor(s / 3600);
  const min = Math.floor(s % 3600 / 60);
  s = s % 60;
  const parts = [h && `${h} h`, min && `${min} min`, s >= 0.0005 && `${short(s)} s`];
  return parts.filter(Boolean).join(' ');
}

/** clock writes a point in time with a fixed number of places, so that it stands still while it runs. */
export function clock(ns) {
  const ms = Math.max(0, ns) / 1e6;
  const two = (n) => String(Math.floor(n)).padStart(2, '0');
  const s = ms / 1000;
  const rest = two(s % 60) + '.' + String(Math.floor(ms % 1000)).padStart(3, '0');
  return s < 3600 ? `${two(s / 60)}:${rest}` : `${Math.floor(s / 3600)}:${two(s % 3600 / 60)}:${rest}`;
}

/** octets writes a number of octets: "512 B", "64 KiB". */
export function octets(n) {
  if (n < 1024) return `${n} B`;
  if (n < 1024 * 1024) return `${short(n / 1024)} KiB`;
  return `${short(n / 1024 / 1024)} MiB`;
}

function short(x) {
  return String(Number(x.toPrecision(x >= 1000 ? 4 : 3)));
}

const names = { S: 'SYN', F: 'FIN', R: 'RST', P: 'PSH', '.': 'ACK', U: 'URG', E: 'ECE', C: 'CWR', W: 'CWR' };
const order = ['SYN', 'FIN', 'RST', 'PSH', 'URG', 'ECE', 'CWR', 'ACK'];

/** flagNames spells flags out: "S." is ["SYN", "ACK"]. */
export function flagNames(flags) {
  const set = new Set([...(flags ?? '')].map((c) => names[c]).filter(Boolean));
  return order.filter((name) => set.has(name));
}

/** segment names a segment as people do: "SYN+ACK", "ACK 100 B". */
export function segment(item) {
  let said = flagNames(item.flags).filter((name) => name !== 'PSH' || item.len > 0);
  if (item.len > 0) said = said.filter((name) => name !== 'PSH' && name !== 'ACK');
  const what = said.join('+');
  return item.len > 0 ? [what, octets(item.len)].filter(Boolean).join(' ') : what;
}

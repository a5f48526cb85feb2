// The fields of a packet: octets in, a flat list of fields out. Pure.
//
// A field is { id, group, name, at, size, bit, bits, value, text, rfc, warn }:
// at and size say which octets it is in; bit and bits, where it is smaller, which
// bits of those, from the most significant. id names its explanation in the words:
// "field." + id.

const FLAGS = [
  ['cwr', 'CWR', 0x80], ['ece', 'ECE', 0x40], ['urg', 'URG', 0x20], ['ack', 'ACK', 0x10],
  ['psh', 'PSH', 0x08], ['rst', 'RST', 0x04], ['syn', 'SYN', 0x02], ['fin', 'FIN', 0x01],
];

const PROTOCOLS = { 1: 'ICMP', 6: 'TCP', 17: 'UDP', 58: 'ICMPv6' };

// fieldsOf gives the fields of an IPv4 or IPv6 packet with TCP or ICMP in it. What is cut
// short is said as a field "short".
export function fieldsOf(octets) {
  const out = new Fields(octets);
  if (octets.length === 0) return out.list;
  const version = octets[0] >> 4;
  let next = null;
  if (version === 4) next = ipv4(out, octets);
  else if (version === 6) next = ipv6(out, octets);
  if (!next) return out.rest(0);
  if (next.protocol === 6) tcp(out, octets, next);
  else if (next.protocol === 1 || next.protocol === 58) icmp(out, octets, next);
  else out.add('payload', 'payload', 'payload', next.at, octets.length - next.at, {});
  return out.list;
}

class Fields {
  constructor(octets) {
    this.octets = octets;
    this.list = [];
  }

  add(group, id, name, at, size, more) {
    this.list.push({ group, id, name, at, size, ...more });
  }

  number(group, id, name, at, size, more = {}) {
    const value = big(this.octets, at, size);
    this.add(group, id, name, at, size, { value, text: String(value), ...more });
    return value;
  }

  part(group, id, name, at, size, bit, bits, more = {}) {
    const value = Math.floor(big(this.octets, at, size) / 2 ** (size * 8 - bit - bits)) % 2 ** bits;
    this.add(group, id, name, at, size, { bit, bits, value, text: String(value), ...more });
    return value;
  }

  rest(at) {
    if (at < this.octets.length) this.add('payload', 'short', 'short', at, this.octets.length - at, { warn: 'short' });
    return this.list;
  }
}

const big = (octets, at, size) => {
  let v = 0;
  for (let i = 0; i < size; i++) v = v * 256 + (octets[at + i] ?? 0);
  return v;
};

const hex = (v, digits) => '0x' + v.toString(16).padStart(digits, '0');

function ipv4(out, o) {
  if (o.length < 20) return null;
  const g = 'ipv4';
  const rfc = (s) => ({ rfc: '791', section: s });
  out.part(g, 'ipv4.version', 'Version', 0, 1, 0, 4, rfc('3.1'));
  const ihl = out.part(g, 'ipv4.ihl', 'IHL', 0, 1, 4, 4, rfc('3.1'));
  out.part(g, 'ipv4.dscp', 'DSCP', 1, 1, 0, 6, { rfc: '2474', section: '3' });
  const ecn = out.part(g, 'ipv4.ecn', 'ECN', 1, 1, 6, 2, { rfc: '3168', section: '5' });
  out.list.at(-1).text = ['Not-ECT', 'ECT(1)', 'ECT(0)', 'CE'][ecn];
  const total = out.number(g, 'ipv4.length', 'Total length', 2, 2, rfc('3.1'));
  out.number(g, 'ipv4.id', 'Identification', 4, 2, { ...rfc('3.1'), text: hex(big(o, 4, 2), 4) });
  out.part(g, 'ipv4.df', 'DF', 6, 2, 1, 1, rfc('3.1'));
  out.part(g, 'ipv4.mf', 'MF', 6, 2, 2, 1, rfc('3.1'));
  out.part(g, 'ipv4.offset', 'Fragment offset', 6, 2, 3, 13, rfc('3.1'));
  out.number(g, 'ipv4.ttl', 'TTL', 8, 1, rfc('3.1'));
  const protocol = out.number(g, 'ipv4.protocol', 'Protocol', 9, 1, { ...rfc('3.1'), text: `${o[9]} ${PROTOCOLS[o[9]] ?? ''}`.trim() });
  const header = ihl * 4;
  const good = ihl >= 5 && o.length >= header && sum(o, 0, header, 0) === 0xffff;
  out.number(g, 'ipv4.checksum', 'Header checksum', 10, 2, { ...rfc('3.1'), text: hex(big(o, 10, 2), 4), good, warn: good ? undefined : 'checksum' });
  out.add(g, 'ipv4.source', 'Source', 12, 4, { text: dotted(o, 12), ...rfc('3.1') });
  out.add(g, 'ipv4.destination', 'Destination', 16, 4, { text: dotted(o, 16), ...rfc('3.1') });
  if (ihl < 5 || o.length < header) return null;
  if (header > 20) out.add(g, 'ipv4.options', 'Options', 20, header - 20, rfc('3.1'));
  return { protocol, at: header, size: Math.min(total, o.length) - header, pseudo: sumOf(o, 12, 8) };
}

function ipv6(out, o) {
  if (o.length < 40) return null;
  const g = 'ipv6';
  const rfc = { rfc: '8200', section: '3' };
  out.part(g, 'ipv6.version', 'Version', 0, 1, 0, 4, rfc);
  out.part(g, 'ipv6.class', 'Traffic class', 0, 2, 4, 8, rfc);
  out.part(g, 'ipv6.flow', 'Flow label', 0, 4, 12, 20, rfc);
  out.list.at(-1).text = hex(out.list.at(-1).value, 5);
  const length = out.number(g, 'ipv6.length', 'Payload length', 4, 2, rfc);
  const protocol = out.number(g, 'ipv6.next', 'Next header', 6, 1, { ...rfc, text: `${o[6]} ${PROTOCOLS[o[6]] ?? ''}`.trim() });
  out.number(g, 'ipv6.hops', 'Hop limit', 7, 1, rfc);
  out.add(g, 'ipv6.source', 'Source', 8, 16, { text: colons(o, 8), ...rfc });
  out.add(g, 'ipv6.destination', 'Destination', 24, 16, { text: colons(o, 24), ...rfc });
  return { protocol, at: 40, size: Math.min(length, o.length - 40), pseudo: sumOf(o, 8, 32) };
}

function tcp(out, o, { at, size, pseudo }) {
  if (size < 20) return out.rest(at);
  const g = 'tcp';
  const rfc = { rfc: '9293', section: '3.1' };
  out.number(g, 'tcp.source', 'Source port', at, 2, rfc);
  out.number(g, 'tcp.destination', 'Destination port', at + 2, 2, rfc);
  out.number(g, 'tcp.seq', 'Sequence number', at + 4, 4, { rfc: '9293', section: '3.4' });
  const flags = o[at + 13];
  out.number(g, 'tcp.ack', 'Acknowledgment number', at + 8, 4, { rfc: '9293', section: '3.4', warn: flags & 0x10 ? undefined : 'no-ack' });
  const offset = out.part(g, 'tcp.offset', 'Data offset', at + 12, 1, 0, 4, rfc);
  const reserved = out.part(g, 'tcp.reserved', 'Reserved', at + 12, 1, 4, 4, rfc);
  if (reserved) out.list.at(-1).warn = 'reserved';
  FLAGS.forEach(([id, name], bit) => {
    const more = id === 'cwr' || id === 'ece' ? { rfc: '3168', section: '6.1' } : id === 'urg' ? { rfc: '6093', section: '2' } : rfc;
    out.part(g, `flag.${id}`, name, at + 13, 1, bit, 1, { ...more, flag: true });
  });
  out.number(g, 'tcp.window', 'Window', at + 14, 2, { rfc: '9293', section: '3.8.6' });
  const good = sum(o, at, size, pseudo + 6 + size) === 0xffff;
  out.number(g, 'tcp.checksum', 'Checksum', at + 16, 2, { rfc: '9293', section: '3.1', text: hex(big(o, at + 16, 2), 4), good, warn: good ? undefined : 'checksum' });
  out.number(g, 'tcp.urgent', 'Urgent pointer', at + 18, 2, { rfc: '9293', section: '3.8.5', warn: !(flags & 0x20) && big(o, at + 18, 2) ? 'no-urg' : undefined });
  const header = offset * 4;
  if (header < 20 || header > size) return out.rest(at + 20);
  options(out, o, at + 20, at + header);
  if (size > header) out.add('payload', 'payload', 'Payload', at + header, size - header, { text: printable(o, at + header, size - header) });
  return out.list;
}

const OPTIONS = {
  2: ['opt.mss', 'MSS', 4, '9293', '3.7.1'],
  3: ['opt.wscale', 'Window scale', 3, '7323', '2'],
  4: ['opt.sackok', 'SACK permitted', 2, '2018', '2'],
  5: ['opt.sack', 'SACK', 0, '2018', '3'],
  8: ['opt.timestamps', 'Timestamps', 10, '7323', '3'],
  19: ['opt.md5', 'MD5 signature', 18, '2385', '3'],
  28: ['opt.user', 'User timeout', 4, '5482', '3'],
  34: ['opt.fastopen', 'Fast Open', 0, '7413', '4.1.1'],
};

function options(out, o, from, upto) {
  const g = 'options';
  for (let at = from; at < upto; ) {
    const kind = o[at];
    if (kind === 0) {
      out.add(g, 'opt.end', 'End of options', at, upto - at, { rfc: '9293', section: '3.2' });
      return;
    }
    if (kind === 1) {
      out.add(g, 'opt.nop', 'No-operation', at, 1, { rfc: '9293', section: '3.2' });
      at++;
      continue;
    }
    const size = o[at + 1] ?? 0;
    if (size < 2 || at + size > upto) {
      out.add(g, 'opt.bad', '?', at, upto - at, { warn: 'option' });
      return;
    }
    const [id, name, want, rfc, section] = OPTIONS[kind] ?? ['opt.unknown', `Kind ${kind}`, 0, '9293', '3.2'];
    out.add(g, id, name, at, size, { rfc, section, text: optionText(kind, o, at, size), warn: want && want !== size ? 'option' : undefined });
    at += size;
  }
}

function optionText(kind, o, at, size) {
  switch (kind) {
    case 2: return String(big(o, at + 2, 2));
    case 3: return `${o[at + 2]}: × ${2 ** Math.min(o[at + 2], 14)}`;
    case 5: {
      const blocks = [];
      for (let b = at + 2; b + 8 <= at + size; b += 8) blocks.push(`${big(o, b, 4)}–${big(o, b + 4, 4)}`);
      return blocks.join(', ');
    }
    case 8: return `TSval ${big(o, at + 2, 4)}, TSecr ${big(o, at + 6, 4)}`;
    default: return '';
  }
}

function icmp(out, o, { at, size, protocol }) {
  if (size < 8) return out.rest(at);
  const rfc = protocol === 1 ? { rfc: '792', section: '' } : { rfc: '4443', section: '2.1' };
  out.number('icmp', 'icmp.type', 'Type', at, 1, rfc);
  out.number('icmp', 'icmp.code', 'Code', at + 1, 1, rfc);
  out.number('icmp', 'icmp.checksum', 'Checksum', at + 2, 2, { ...rfc, text: hex(big(o, at + 2, 2), 4) });
  out.number('icmp', 'icmp.rest', 'Rest of header', at + 4, 4, rfc);
  if (size > 8) out.add('icmp', 'icmp.quote', 'Quoted packet', at + 8, size - 8, rfc);
  return out.list;
}

// sumOf adds 16-bit words; sum folds the carries, and gives 0xffff where the checksum is right.
function sumOf(o, at, size) {
  let s = 0;
  for (let i = 0; i < size; i += 2) s += (o[at + i] << 8) | (i + 1 < size ? o[at + i + 1] : 0);
  return s;
}

function sum(o, at, size, start) {
  let s = start + sumOf(o, at, size);
  while (s > 0xffff) s = (s & 0xffff) + (s >>> 16);
  return s;
}

const dotted = (o, at) => Array.from(o.subarray(at, at + 4)).join('.');

// colons writes an IPv6 address as RFC 5952 §4 does.
function colons(o, at) {
  const words = Array.from({ length: 8 }, (_, i) => big(o, at + 2 * i, 2));
  let best = { from: -1, size: 1 };
  for (let i = 0; i < 8; ) {
    let j = i;
    while (j < 8 && words[j] === 0) j++;
    if (j - i > best.size) best = { from: i, size: j - i };
    i = Math.max(j, i + 1);
  }
  const text = (list) => list.map((w) => w.toString(16)).join(':');
  if (best.from < 0) return text(words);
  return `${text(words.slice(0, best.from))}::${text(words.slice(best.from + best.size))}`;
}

// printable shows octets as text, a dot for what is none.
export function printable(o, at = 0, size = o.length) {
  let s = '';
  for (const b of o.subarray(at, at + Math.min(size, 64))) s += b >= 0x20 && b < 0x7f ? String.fromCharCode(b) : '·';
  return size > 64 ? `${s}…` : s;
}

// fieldAt is the index of the field that an octet belongs to, the first of those that
// share it; -1 without one.
export function fieldAt(fields, octet) {
  return fields.findIndex((f) => octet >= f.at && octet < f.at + f.size);
}

// filterOf is the Wireshark display filter that shows just this segment, or its copies.
export function filterOf(fields) {
  const get = (id) => fields.find((f) => f.id === id);
  const parts = [];
  const eq = (field, id, show = (f) => f.text) => {
    const f = get(id);
    if (f) parts.push(`${field} == ${show(f)}`);
  };
  eq('ip.src', 'ipv4.source');
  eq('ip.dst', 'ipv4.destination');
  eq('ipv6.src', 'ipv6.source');
  eq('ipv6.dst', 'ipv6.destination');
  if (get('icmp.type')) {
    const name = get('ipv6.source') ? 'icmpv6' : 'icmp';
    eq(`${name}.type`, 'icmp.type');
    eq(`${name}.code`, 'icmp.code');
  }
  eq('tcp.srcport', 'tcp.source');
  eq('tcp.dstport', 'tcp.destination');
  if (get('tcp.seq')) {
    parts.push(`tcp.flags == ${hex(flagsOf(fields), 4)}`);
    eq('tcp.seq_raw', 'tcp.seq');
    if (flagsOf(fields) & 0x10) eq('tcp.ack_raw', 'tcp.ack');
    parts.push(`tcp.len == ${get('payload')?.size ?? 0}`);
  }
  return parts.join(' && ');
}

// flagsOf is the octet of the TCP flags.
export function flagsOf(fields) {
  let v = 0;
  for (const [id, , mask] of FLAGS) if (fields.find((f) => f.id === `flag.${id}`)?.value) v |= mask;
  return v;
}

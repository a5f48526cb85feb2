import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fieldAt, fieldsOf, filterOf, flagsOf, printable } from '../header.mjs';

const octets = (text) => Uint8Array.from(text.replace(/\s/g, '').match(/../g), (x) => parseInt(x, 16));

// A SYN with MSS 1460, SACK permitted, timestamps, NOP and window scale 7, checksums right.
const syn = checked(octets(`
  45000034 00014000 40060000 0a000001 0a000002
  9c400050 12345678 deadbeef 80020000 00000000
  020405b4 04020103 03070000`));
const get = (fields, id) => fields.find((f) => f.id === id);

// checked puts the right checksums into a packet.
function checked(o) {
  const fold = (s) => { while (s > 0xffff) s = (s & 0xffff) + (s >>> 16); return ~s & 0xffff; };
  const add = (at, size) => { let s = 0; for (let i = at; i < at + size; i += 2) s += (o[i] << 8) | (i + 1 < at + size ? o[i + 1] : 0); return s; };
  const put = (at, v) => { o[at] = v >> 8; o[at + 1] = v & 255; };
  put(2, o.length);
  put(10, fold(add(0, 20)));
  put(36, fold(add(12, 8) + 6 + o.length - 20 + add(20, o.length - 20)));
  return o;
}

test('an IPv4 SYN with its options', () => {
  const fields = fieldsOf(syn);
  assert.equal(get(fields, 'ipv4.source').text, '10.0.0.1');
  assert.equal(get(fields, 'tcp.source').value, 40000);
  assert.equal(get(fields, 'tcp.seq').value, 0x12345678);
  assert.equal(get(fields, 'tcp.offset').value, 8);
  assert.equal(get(fields, 'flag.syn').value, 1);
  assert.equal(get(fields, 'tcp.ack').warn, 'no-ack', 'the field means nothing without the flag');
  assert.equal(get(fields, 'opt.mss').text, '1460');
  assert.equal(get(fields, 'opt.wscale').text, '7: × 128');
  assert.ok(get(fields, 'ipv4.checksum').good && get(fields, 'tcp.checksum').good);
  assert.equal(flagsOf(fields), 2);
});

test('the flag ACK and the field have different names', () => {
  const ids = fieldsOf(syn).map((f) => f.id);
  assert.deepEqual(ids.filter((id, i) => ids.indexOf(id) !== i), []);
});

test('each octet belongs to a field, and no field leaves the packet', () => {
  const fields = fieldsOf(syn);
  for (let i = 0; i < syn.length; i++) assert.ok(fieldAt(fields, i) >= 0, `octet ${i}`);
  for (const f of fields) assert.ok(f.at >= 0 && f.at + f.size <= syn.length, f.id);
});

test('a wrong checksum is said', () => {
  const bad = syn.slice();
  bad[39] ^= 1;
  assert.equal(get(fieldsOf(bad), 'tcp.checksum').warn, 'checksum');
});

test('whatever the octets, nothing is thrown and no field leaves them', () => {
  let x = 1;
  const next = () => (x = (Math.imul(x, 1103515245) + 12345) >>> 0) >>> 16;
  for (let n = 0; n < 3000; n++) {
    const o = n % 2 ? syn.slice(0, next() % (syn.length + 1)) : new Uint8Array(next() % 90);
    for (let k = 0; k < 4; k++) if (o.length) o[next() % o.length] = next();
    if (n % 3 === 0 && o.length) o[0] = n % 2 ? 0x45 : 0x60;
    for (const f of fieldsOf(o)) assert.ok(f.size >= 0 && f.at + f.size <= o.length, `${f.id} of ${o.length}`);
  }
});

test('an IPv6 segment with octets', () => {
  const o = octets(`60012345 00180640 20010db8000000000000000000000001 20010db8000000000001000000000002
    9c400050 00000001 00000002 50180000 00000000 61620a63`);
  const fields = fieldsOf(o);
  assert.equal(get(fields, 'ipv6.source').text, '2001:db8::1');
  assert.equal(get(fields, 'ipv6.destination').text, '2001:db8::1:0:0:2');
  assert.equal(get(fields, 'ipv6.flow').text, '0x12345');
  assert.equal(get(fields, 'payload').text, 'ab·c');
  assert.equal(get(fields, 'payload').size, 4);
});

test('the display filter names this segment', () => {
  assert.equal(filterOf(fieldsOf(syn)),
    'ip.src == 10.0.0.1 && ip.dst == 10.0.0.2 && tcp.srcport == 40000 && tcp.dstport == 80 && tcp.flags == 0x0002 && tcp.seq_raw == 305419896 && tcp.len == 0');
});

test('payload is shown as text only', () => {
  assert.equal(printable(octets('3c623e00ff')), '<b>··');
});

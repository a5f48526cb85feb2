// tcpkit.ts is what a plugin that is written in AssemblyScript imports. A plugin
// is one file beside it, whose hooks are exported functions. This one marks the
// segments that leave:
//
//	import { record, mutate, FIELD_TOS } from "./tcpkit";
//	export { tcpkit_abi, tcpkit_init } from "./tcpkit";
//
//	export function tcpkit_segment_leaving(): i64 {
//		record.tos = 0x20;
//		return mutate(FIELD_TOS);
//	}
//
// tcpkit plugin build builds it, without AssemblyScript's runtime:
//
//	asc plugin.ts --runtime stub --use abort= -O2 -o plugin.wasm
//
// Before a hook the host fills in record, or control for congestion control; what
// a hook changes there counts if its result names it.

// BEGIN plugins/abi: written by go test ./plugins/guest -update

// The version of this package.
// @ts-ignore: decorator
@inline export const VERSION: u32 = 0x10000;

// What a call of an import costs beside the instruction, in fuel, and how much of a text is kept.
// @ts-ignore: decorator
@inline export const LOG_SIZE: u32 = 0x400;
// @ts-ignore: decorator
@inline export const WASI_SIZE: u32 = 0x1000;

// The hooks.
// @ts-ignore: decorator
@inline export const HOOK_ABI: u32 = 0x100;
// @ts-ignore: decorator
@inline export const HOOK_INIT: u32 = 0x101;
// @ts-ignore: decorator
@inline export const HOOK_CONFIG: u32 = 0x102;
// @ts-ignore: decorator
@inline export const HOOK_TICK: u32 = 0x103;
// @ts-ignore: decorator
@inline export const HOOK_DRAIN: u32 = 0x104;
// @ts-ignore: decorator
@inline export const HOOK_BATCH: u32 = 0x105;
// @ts-ignore: decorator
@inline export const HOOK_START: u32 = 0x106;
// @ts-ignore: decorator
@inline export const HOOK_FETCH: u32 = 0x107;
// @ts-ignore: decorator
@inline export const HOOK_CLOSE: u32 = 0x108;
// @ts-ignore: decorator
@inline export const HOOK_CONN_NEW: u32 = 0x200;
// @ts-ignore: decorator
@inline export const HOOK_CONN_ESTABLISHED: u32 = 0x201;
// @ts-ignore: decorator
@inline export const HOOK_CONN_CLOSED: u32 = 0x202;
// @ts-ignore: decorator
@inline export const HOOK_SYN: u32 = 0x300;
// @ts-ignore: decorator
@inline export const HOOK_TRANSITION: u32 = 0x400;
// @ts-ignore: decorator
@inline export const HOOK_TRANSITION_ARRIVING: u32 = 0x401;
// @ts-ignore: decorator
@inline export const HOOK_TRANSITION_LEAVING: u32 = 0x402;
// @ts-ignore: decorator
@inline export const HOOK_ARRIVING: u32 = 0x500;
// @ts-ignore: decorator
@inline export const HOOK_LEAVING: u32 = 0x501;
// @ts-ignore: decorator
@inline export const HOOK_REJECTED: u32 = 0x502;
// @ts-ignore: decorator
@inline export const HOOK_ARRIVED: u32 = 0x503;
// @ts-ignore: decorator
@inline export const HOOK_LEFT: u32 = 0x504;
// @ts-ignore: decorator
@inline export const HOOK_OPTIONS_PARSE: u32 = 0x600;
// @ts-ignore: decorator
@inline export const HOOK_OPTIONS_RESERVE: u32 = 0x601;
// @ts-ignore: decorator
@inline export const HOOK_OPTIONS_WRITE: u32 = 0x602;
// @ts-ignore: decorator
@inline export const HOOK_TIMER_ARMED: u32 = 0x700;
// @ts-ignore: decorator
@inline export const HOOK_TIMER_FIRED: u32 = 0x701;
// @ts-ignore: decorator
@inline export const HOOK_RTT: u32 = 0x800;
// @ts-ignore: decorator
@inline export const HOOK_LOST: u32 = 0x801;
// @ts-ignore: decorator
@inline export const HOOK_RETRANSMIT: u32 = 0x802;
// @ts-ignore: decorator
@inline export const HOOK_PHASE: u32 = 0x803;
// @ts-ignore: decorator
@inline export const HOOK_SPURIOUS: u32 = 0x804;
// @ts-ignore: decorator
@inline export const HOOK_ACK: u32 = 0x900;
// @ts-ignore: decorator
@inline export const HOOK_ISN: u32 = 0xa00;
// @ts-ignore: decorator
@inline export const HOOK_PORT: u32 = 0xa01;
// @ts-ignore: decorator
@inline export const HOOK_WRITE: u32 = 0xb00;
// @ts-ignore: decorator
@inline export const HOOK_READ: u32 = 0xb01;
// @ts-ignore: decorator
@inline export const HOOK_INGRESS: u32 = 0xc00;
// @ts-ignore: decorator
@inline export const HOOK_EGRESS: u32 = 0xc01;
// @ts-ignore: decorator
@inline export const HOOK_CC_INIT: u32 = 0xd00;
// @ts-ignore: decorator
@inline export const HOOK_CC_ACK: u32 = 0xd01;
// @ts-ignore: decorator
@inline export const HOOK_CC_LOSS: u32 = 0xd02;
// @ts-ignore: decorator
@inline export const HOOK_CC_ECN: u32 = 0xd03;
// @ts-ignore: decorator
@inline export const HOOK_CC_RTO: u32 = 0xd04;
// @ts-ignore: decorator
@inline export const HOOK_CC_SENT: u32 = 0xd05;
// @ts-ignore: decorator
@inline export const HOOK_CC_RECOVERY_EXIT: u32 = 0xd06;
// @ts-ignore: decorator
@inline export const HOOK_CC_UNDO: u32 = 0xd07;
// @ts-ignore: decorator
@inline export const HOOK_CC_REPORT: u32 = 0xd08;
// @ts-ignore: decorator
@inline export const HOOK_CC_RELEASE: u32 = 0xd09;
// @ts-ignore: decorator
@inline export const HOOK_CC_TIMER: u32 = 0xd0a;
// @ts-ignore: decorator
@inline export const HOOK_CC_IDLE: u32 = 0xd0b;

// The verdicts, with their arguments.
// @ts-ignore: decorator
@inline export const PASS: i64 = 0x0;
// @ts-ignore: decorator
@inline export const MUTATED: i64 = 0x1;
// @ts-ignore: decorator
@inline export const DROP: i64 = 0x2;
// @ts-ignore: decorator
@inline export const DELAY: i64 = 0x3;
// @ts-ignore: decorator
@inline export const DUPLICATE: i64 = 0x4;
// @ts-ignore: decorator
@inline export const INJECT: i64 = 0x5;
// @ts-ignore: decorator
@inline export const RESET: i64 = 0x6;
// @ts-ignore: decorator
@inline export const COOKIE: i64 = 0x7;
// @ts-ignore: decorator
@inline export const HOLD: i64 = 0x8;
// @ts-ignore: decorator
@inline export const RELEASE: i64 = 0x9;
// @ts-ignore: decorator
@inline export const DETACH: i64 = 0xa;
// @ts-ignore: decorator
@inline export const GO_TO: i64 = 0xb;
// @ts-ignore: decorator
@inline export const NOW: i64 = 0xc;

// The fields that a verdict can name as changed: bits of Mutated's argument.
// @ts-ignore: decorator
@inline export const FIELD_SEQ: i64 = 0x1;
// @ts-ignore: decorator
@inline export const FIELD_ACK: i64 = 0x2;
// @ts-ignore: decorator
@inline export const FIELD_FLAGS: i64 = 0x4;
// @ts-ignore: decorator
@inline export const FIELD_WINDOW: i64 = 0x8;
// @ts-ignore: decorator
@inline export const FIELD_URGENT: i64 = 0x10;
// @ts-ignore: decorator
@inline export const FIELD_OPTIONS: i64 = 0x20;
// @ts-ignore: decorator
@inline export const FIELD_RAW_OPTIONS: i64 = 0x40;
// @ts-ignore: decorator
@inline export const FIELD_PAYLOAD: i64 = 0x80;
// @ts-ignore: decorator
@inline export const FIELD_TOS: i64 = 0x100;
// @ts-ignore: decorator
@inline export const FIELD_TTL: i64 = 0x200;
// @ts-ignore: decorator
@inline export const FIELD_PORTS: i64 = 0x400;
// @ts-ignore: decorator
@inline export const FIELD_ADDRESSES: i64 = 0x800;
// @ts-ignore: decorator
@inline export const FIELD_LENGTH: i64 = 0x1000;
// @ts-ignore: decorator
@inline export const FIELD_STATE: i64 = 0x2000;
// @ts-ignore: decorator
@inline export const FIELD_ARGS: i64 = 0x4000;

// A record: 128 octets that each has, and sections behind them at places that are fixed, of which only those are written that the plugin may see and has asked for.
// @ts-ignore: decorator
@inline export const RECORD_SIZE: u32 = 0x80;

// Sections of a record, bits of OffsetSections.
// @ts-ignore: decorator
@inline export const SECTION_SEGMENT: u32 = 0x1;
// @ts-ignore: decorator
@inline export const SECTION_ARGS: u32 = 0x2;
// @ts-ignore: decorator
@inline export const SECTION_ADDRESS: u32 = 0x4;
// @ts-ignore: decorator
@inline export const SECTION_STATE: u32 = 0x8;
// @ts-ignore: decorator
@inline export const SECTION_OPTIONS: u32 = 0x10;
// @ts-ignore: decorator
@inline export const SECTION_PAYLOAD: u32 = 0x20;

// Bits of OffsetBits.
// @ts-ignore: decorator
@inline export const BIT_LEAVING: u32 = 0x1;
// @ts-ignore: decorator
@inline export const BIT_AGAIN: u32 = 0x2;
// @ts-ignore: decorator
@inline export const BIT_PASSIVE: u32 = 0x4;
// @ts-ignore: decorator
@inline export const BIT_OURS: u32 = 0x8;

// Bits of SegmentFlags.
// @ts-ignore: decorator
@inline export const FLAG_FIN: u32 = 0x1;
// @ts-ignore: decorator
@inline export const FLAG_SYN: u32 = 0x2;
// @ts-ignore: decorator
@inline export const FLAG_RST: u32 = 0x4;
// @ts-ignore: decorator
@inline export const FLAG_PSH: u32 = 0x8;
// @ts-ignore: decorator
@inline export const FLAG_ACK: u32 = 0x10;
// @ts-ignore: decorator
@inline export const FLAG_URG: u32 = 0x20;
// @ts-ignore: decorator
@inline export const FLAG_ECE: u32 = 0x40;
// @ts-ignore: decorator
@inline export const FLAG_CWR: u32 = 0x80;
// @ts-ignore: decorator
@inline export const FLAG_AE: u32 = 0x100;

// Bits of SegmentHas.
// @ts-ignore: decorator
@inline export const OPTION_HAS_MSS: u32 = 0x1;
// @ts-ignore: decorator
@inline export const OPTION_HAS_WINDOW_SCALE: u32 = 0x2;
// @ts-ignore: decorator
@inline export const OPTION_HAS_SACK_PERMITTED: u32 = 0x4;
// @ts-ignore: decorator
@inline export const OPTION_HAS_TIMESTAMPS: u32 = 0x8;
// @ts-ignore: decorator
@inline export const OPTION_HAS_SACK: u32 = 0x10;
// @ts-ignore: decorator
@inline export const OPTION_HAS_FAST_OPEN: u32 = 0x20;
// @ts-ignore: decorator
@inline export const OPTION_HAS_USER_TIMEOUT: u32 = 0x40;
// @ts-ignore: decorator
@inline export const OPTION_HAS_UNKNOWN: u32 = 0x80;
// @ts-ignore: decorator
@inline export const OPTION_HAS_MALFORMED: u32 = 0x100;

// What a congestion controller is told and says, in place of the segment and the arguments.
// @ts-ignore: decorator
@inline export const CC_FLAGS: u32 = 0x58;

// Bits of CCFlags.
// @ts-ignore: decorator
@inline export const CC_FLAG_ECE: u32 = 0x1;
// @ts-ignore: decorator
@inline export const CC_FLAG_APP_LIMITED: u32 = 0x2;
// @ts-ignore: decorator
@inline export const CC_FLAG_IN_RECOVERY: u32 = 0x4;
// @ts-ignore: decorator
@inline export const CC_FLAG_CWND_LIMITED: u32 = 0x8;
// @ts-ignore: decorator
@inline export const CC_FLAG_ROUND: u32 = 0x10;
// @ts-ignore: decorator
@inline export const CC_FLAG_AGAIN: u32 = 0x20;

// The states, RFC 9293 §3.3.2.
// @ts-ignore: decorator
@inline export const STATE_CLOSED: u32 = 0x0;
// @ts-ignore: decorator
@inline export const STATE_LISTEN: u32 = 0x1;
// @ts-ignore: decorator
@inline export const STATE_SYN_SENT: u32 = 0x2;
// @ts-ignore: decorator
@inline export const STATE_SYN_RECEIVED: u32 = 0x3;
// @ts-ignore: decorator
@inline export const STATE_ESTABLISHED: u32 = 0x4;
// @ts-ignore: decorator
@inline export const STATE_FIN_WAIT_1: u32 = 0x5;
// @ts-ignore: decorator
@inline export const STATE_FIN_WAIT_2: u32 = 0x6;
// @ts-ignore: decorator
@inline export const STATE_CLOSE_WAIT: u32 = 0x7;
// @ts-ignore: decorator
@inline export const STATE_CLOSING: u32 = 0x8;
// @ts-ignore: decorator
@inline export const STATE_LAST_ACK: u32 = 0x9;
// @ts-ignore: decorator
@inline export const STATE_TIME_WAIT: u32 = 0xa;

// What changes a state.
// @ts-ignore: decorator
@inline export const CAUSE_SEGMENT: u32 = 0x1;
// @ts-ignore: decorator
@inline export const CAUSE_CALL: u32 = 0x2;
// @ts-ignore: decorator
@inline export const CAUSE_TIMER: u32 = 0x3;
// @ts-ignore: decorator
@inline export const CAUSE_ICMP: u32 = 0x4;
// @ts-ignore: decorator
@inline export const CAUSE_PLUGIN: u32 = 0x5;

// Where the sections stand, and where the octets of options begin.
// @ts-ignore: decorator
@inline export const ARGS_AT: u32 = 0x80;
// @ts-ignore: decorator
@inline export const ADDRESS_AT: u32 = 0xc0;
// @ts-ignore: decorator
@inline export const STATE_AT: u32 = 0x100;
// @ts-ignore: decorator
@inline export const OPTIONS_AT: u32 = 0x200;
// @ts-ignore: decorator
@inline export const PAYLOAD_AT: u32 = 0x240;
// @ts-ignore: decorator
@inline export const CONTROL_AT: u32 = 64;
// @ts-ignore: decorator
@inline export const BUFFER_SIZE: u32 = 66112;

// A record and its arguments. Sections behind them are reached by octet().
@unmanaged export class Record {
  size: u16; // 0: RecordSize
  hook: u16; // 2: the Hook
  sections: u32; // 4: which sections are there, Section...
  now: i64; // 8: nanoseconds
  conn: u32; // 16: id of the connection, 0 if there is none
  packet: u32; // 20: ordinal of the packet that is being handled, 0 if none is
  from: u8; // 24: the old state, or the state
  to: u8; // 25: the new state, or the state
  cause: u8; // 26: what changed the state, see the Cause...
  family: u8; // 27: 4 or 6
  rule: u16; // 28: id of the rule that wants it, 0 if none does
  reason: u8; // 30: why a segment was refused
  bits: u8; // 31: Bit...
  localPort: u16; // 32
  remotePort: u16; // 34
  sndUna: u32; // 36: the variables of RFC 9293 §3.3.1
  sndNxt: u32; // 40
  sndWnd: u32; // 44
  rcvNxt: u32; // 48
  rcvWnd: u32; // 52
  iss: u32; // 56
  irs: u32; // 60
  seq: u32; // 64: SEG.SEQ
  ack: u32; // 68: SEG.ACK
  flags: u16; // 72: Flag...
  window: u16; // 74: as it stands in the header, not scaled
  urgent: u16; // 76: urgent pointer
  has: u16; // 78: which options are there
  payloadSize: u32; // 80: octets of payload
  tsVal: u32; // 84
  tsEcr: u32; // 88
  mss: u16; // 92
  scale: u8; // 94: window scale
  sacks: u8; // 95: how many SACK blocks there are, of which three are shown
  sack0: u32; // 96
  sack1: u32; // 100
  sack2: u32; // 104
  sack3: u32; // 108
  sack4: u32; // 112
  sack5: u32; // 116
  tos: u8; // 120: DSCP and ECN
  ttl: u8; // 121
  private _122: u8;
  private _123: u8;
  private _124: u8;
  private _125: u8;
  private _126: u8;
  private _127: u8;
  arg0: u64; // 128
  arg1: u64; // 136
  arg2: u64; // 144
  arg3: u64; // 152
  arg4: u64; // 160
  arg5: u64; // 168
  arg6: u64; // 176
  arg7: u64; // 184
}

// What a hook of congestion control has in place of the segment and the arguments.
@unmanaged export class Control {
  cwnd: u32; // 64: octets; may be set
  ssthresh: u32; // 68: octets; may be set
  mss: u32; // 72: octets
  inFlight: u32; // 76: octets
  acked: u32; // 80: octets newly acknowledged; of sent: octets sent
  losses: u32; // 84: octets lost since the last ACK
  flags: u32; // 88: CCFlag...
  quantum: u32; // 92: octets that may be sent in one go; may be set, 0: the engine's choice
  pacing: u64; // 96: octets a second, 0: not paced; may be set
  delivered: u64; // 104: octets delivered in the interval of the sample
  interval: i64; // 112: nanoseconds
  rtt: i64; // 120: nanoseconds, 0: no sample
  srtt: i64; // 128: nanoseconds
  minRtt: i64; // 136: nanoseconds
  timerAt: i64; // 144: when to call tcpkit_cc_timer, 0: not at all; may be set
  idle: i64; // 152: nanoseconds without a segment; of tcpkit_cc_idle
  rto: i64; // 160: nanoseconds
  buffer: u32; // 168: octets that the send buffer may hold, the most that cwnd may be
  limit: u32; // 172: L of RFC 3465 §2.2, most growth by one ACK in slow start, octets; 0: no limit
  total: u64; // 176: octets delivered since the connection began
  since: i64; // 184: of a report: when the first of its ACKs came
  maxRtt: i64; // 192: nanoseconds; of a report, as CCMinRTT then is
  acks: u32; // 200: of a report: how many ACKs are in it
  marked: u32; // 204: and how many of them had ECN-Echo
}

// END

// The buffer that plugin and host share: its address, and what stands in it.
export const buffer: usize = memory.data(BUFFER_SIZE, 16);
// @ts-ignore: decorator
@inline export const record: Record = changetype<Record>(buffer);
// @ts-ignore: decorator
@inline export const control: Control = changetype<Control>(buffer + CONTROL_AT);

// The host's functions, which a plugin may call from a hook.
@external("tcpkit", "log") declare function logAt(level: u32, text: usize, size: u32): void;
@external("tcpkit", "metric") export declare function metric(id: u32, value: i64): void;
@external("tcpkit", "now") export declare function now(): i64;
@external("tcpkit", "random") export declare function random(): u64;
@external("tcpkit", "get") export declare function get(key: i64): i64;
@external("tcpkit", "set") export declare function set(key: i64, value: i64): u32;
@external("tcpkit", "arm") export declare function arm(id: u32, nanoseconds: i64): void;
@external("tcpkit", "inject") declare function injectAt(at: usize, size: u32): u32;

// Levels of log.
// @ts-ignore: decorator
@inline export const LEVEL_DEBUG: u32 = 0;
// @ts-ignore: decorator
@inline export const LEVEL_INFO: u32 = 1;
// @ts-ignore: decorator
@inline export const LEVEL_WARN: u32 = 2;
// @ts-ignore: decorator
@inline export const LEVEL_ERROR: u32 = 3;

// log writes a line, of ASCII, into the host's log.
export function log(level: u32, text: string): void {
  const size = min(text.length, 256);
  for (let i = 0; i < size; i++) store<u8>(line + i, load<u8>(changetype<usize>(text) + (i << 1)));
  logAt(level, line, size);
}
const line: usize = memory.data(256);

// inject sends the first size octets of the record, as they are now, beside what
// is being done. It is false if there is no room.
// @ts-ignore: decorator
@inline export function inject(size: u32): bool { return injectAt(buffer, size) != 0; }

// reply is the result of a hook: a verdict and its argument.
// @ts-ignore: decorator
@inline export function reply(verdict: i64, argument: i64): i64 { return verdict | (argument << 8); }

// mutate is the result of a hook that has changed the fields named.
// @ts-ignore: decorator
@inline export function mutate(fields: i64): i64 { return reply(MUTATED, fields); }

// octet reads, and setOctet writes, what has no name of its own: state,
// addresses, options, payload.
// @ts-ignore: decorator
@inline export function octet(at: usize): u8 { return load<u8>(buffer + at); }
// @ts-ignore: decorator
@inline export function setOctet(at: usize, value: u8): void { store<u8>(buffer + at, value); }

export function tcpkit_abi(): u32 { return VERSION; }

export function tcpkit_init(size: u32): usize { return size <= BUFFER_SIZE ? buffer : 0; }

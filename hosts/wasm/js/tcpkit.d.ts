/**
 * tcpkit.mjs is the wrapper of the module that package hosts/wasm builds: the TCP
 * engine in a browser's page, in a worker, or in Node, without any other dependency.
 *
 *     const kit = await load('/tcpkit.wasm');
 *     const run = kit.run(text);
 *     run.finish();
 *     console.log(run.hash());
 *
 * Times are nanoseconds, as numbers: exact for the first 104 days. "Never" is
 * Infinity. Hashes and fingerprints, which have 64 bits, are 16 hexadecimal digits.
 *
 * What goes wrong is thrown as a TcpkitError with the engine's words. The module
 * does not wait and knows no clock: each call does what it says and returns.
 */

import { Plugins } from './plugins.mjs';

/** Where the module comes from: an address, an answer of fetch, its octets, or itself. */
export type Source = string | URL | Response | Promise<Response> | ArrayBuffer | Uint8Array | WebAssembly.Module;

export interface LoadOptions {
  /** Whether plugins can run beside the module; true if it is left out. */
  plugins?: boolean;
  /** What the module writes to its standard output and error, which is a panic's trace alone. */
  stderr?: (text: string) => void;
}

/** load makes an instance of the module. In Node an address may be a file: URL too. */
export declare function load(source: Source, options?: LoadOptions): Promise<Kit>;

/** What the engine or a plugin's policy has against a call, in words. */
export declare class TcpkitError extends Error {
  /** Whether the module has ended, so that it can do nothing any more. */
  ended: boolean;
}

/** Nanoseconds. */
export type Time = number;

/** A Kit is one instance of the module. All that is made by it shares its memory. */
export declare class Kit {
  /** The plugins that run beside it; undefined if they can not. */
  readonly plugins: Plugins | undefined;
  /** stack makes a host on a link, without connections. */
  stack(options: StackOptions): Stack;
  /**
   * run makes a run of a scenario, before its first step. extra is more lines of the
   * same language, which count as if they stood at the end.
   */
  run(text: string, extra?: string): Run;
  /** file gives a plugin's file the name by which scenarios and plugin() call it. */
  file(name: string, octets: Uint8Array): void;
  /**
   * transfer sends octets from one stack to another, inside the module, without
   * delay and without recording, in packets of at most mtu octets. It returns how
   * many packets it took. It is there to measure how fast the engine is here.
   */
  transfer(octets: number, mtu?: number): number;
}

export interface StackOptions {
  /** Addresses with the length of the link's prefix: '10.0.0.1/24', 'fd00::1/64'. */
  addresses: string[];
  /** The largest packet of the link; 1500 if it is left out. */
  mtu?: number;
  /** The set of defaults: 'linux' (if it is left out), 'rfc9293', 'embedded', 'lab', 'explore'. */
  profile?: string;
  /**
   * 16 octets, of which initial sequence numbers, ports and cookies are made: a run
   * is repeated with the same. Left out, they are random.
   */
  secret?: Uint8Array;
  /** Settings by name, as a scenario's host line has them: { 'time-wait': '2s' }. */
  set?: Record<string, string | number | boolean>;
  /** Plugins from the start, as plugin() takes them. */
  plugins?: string[];
}

/** Where a connection begins or ends: '10.0.0.2:80', '[fd00::2]:80'. */
export type Endpoint = string;

/**
 * A Stack is one host on one link. It does no I/O and has no clock:
 *
 *     stack.input(now, packet)                     // for each packet that arrived
 *     stack.expire(now)                            // with nothing due this does nothing
 *     for (const packet of stack.outputs(now)) send(packet)
 *     for (const ready of stack.readies()) ...     // what became possible
 *     // sleep until stack.deadline()
 *
 * After any call into it, of its connections too, take what it has to send.
 */
export declare class Stack {
  /** input brings a packet, beginning with its IP header. */
  input(now: Time, packet: Uint8Array): void;
  /** output takes the next packet that the stack has to send; undefined if there is none. */
  output(now: Time): Uint8Array | undefined;
  /** outputs takes all of them. */
  outputs(now: Time): Generator<Uint8Array>;
  /** expire does what is due: retransmissions, delayed acknowledgements, the end of TIME-WAIT. */
  expire(now: Time): void;
  /** deadline is when expire has something to do next; Infinity: never. */
  deadline(): Time;
  /** ready is what became possible next; undefined if nothing has. */
  ready(): Ready | undefined;
  /** readies takes all of them. */
  readies(): Generator<Ready>;
  /** listen opens a port passively; without an address, on all of them. */
  listen(now: Time, local: number | Endpoint, options?: { backlog?: number }): Listener;
  /** dial opens a connection actively; without a local end the stack chooses one. */
  dial(now: Time, remote: Endpoint, local?: Endpoint): Connection;
  /** record collects events of these kinds from now on; all of them if none is named. */
  record(kinds?: EventKind[]): void;
  /** events takes those that have come since it was called last. */
  events(): EngineEvent[];
  /** hash covers all events recorded so far: 16 hexadecimal digits. */
  hash(): string;
  /** fingerprint covers all that decides the stack's future: 16 hexadecimal digits. */
  fingerprint(now: Time): string;
  /**
   * capture begins a capture of the packets from now on, of at most so many octets as a
   * file: 16 MB if it is left out. 0 ends it.
   */
  capture(most?: number): void;
  /** pcapng is that capture, for Wireshark: empty if none was begun. Times are those that the calls have. */
  pcapng(): Uint8Array;
  /** status has all connections, those in TIME-WAIT too. */
  status(now: Time): Status[];
  /**
   * plugin adds a plugin by the name that file() gave it, and its options as the
   * command line has them: 'logger', 'two-way,allow=lab'.
   */
  plugin(now: Time, spec: string): void;
  /** pluginErrors are those of plugins that are not called any more, by what was said to plugin(). */
  pluginErrors(): { name: string; error: string }[];
  /**
   * clone is a stack with the same past and a future of its own. Of a connection or
   * a listener of this stack, connection() and listener() find the copy.
   */
  clone(): Stack;
  connection(of: Connection): Connection;
  listener(of: Listener): Listener;
  /** free gives back its memory. Nothing of it can be used after that, its listeners and connections neither. */
  free(): void;
}

export interface Ready {
  connection?: Connection;
  listener?: Listener;
  readable: boolean;
  writable: boolean;
  /** The open has succeeded. */
  connected: boolean;
  /** The connection has ended; its error() says how. */
  closed: boolean;
  /** The network has said something of the connection that does not end it, RFC 9293 §3.9.2.2. */
  softError: boolean;
  /** Urgent data was announced, RFC 9293 §3.8.5. */
  urgent: boolean;
  /** accept will find a connection. */
  acceptable: boolean;
}

export declare class Listener {
  readonly stack: Stack;
  readonly id: number;
  /** accept takes the next connection; undefined if none waits. */
  accept(now: Time): Connection | undefined;
  close(now: Time): void;
}

/** A Connection is held by its user until close() or abort(), and not used after that. */
export declare class Connection {
  readonly stack: Stack;
  /** The number by which events and status call it. */
  readonly id: number;
  /**
   * read takes at most so many octets; undefined if there are none yet, and none
   * at the end of the stream.
   */
  read(now: Time, most?: number): Uint8Array | undefined;
  /** write returns how many octets were taken: 0 if there is no room now. */
  write(now: Time, octets: Uint8Array): number;
  /** shutdown ends one direction: 'write' sends a FIN, 'read' takes no more. */
  shutdown(now: Time, what: 'read' | 'write'): void;
  close(now: Time): void;
  /** abort sends a reset. */
  abort(now: Time): void;
  /** set changes an option of this connection. */
  set(now: Time, option: Option, value: boolean | number): void;
  status(now: Time): Status;
  /** error is why the connection has ended, undefined if it has not or nothing was wrong. */
  error(): string | undefined;
}

/** Booleans, octets, or nanoseconds. */
export type Option = 'no-delay' | 'cork' | 'keepalive' | 'quick-ack' | 'user-timeout' | 'linger' | 'send-buffer' | 'receive-buffer' | 'ttl' | 'tos';

/**
 * A Status is a listener, whose id is 0, a connection, or what is left of one in
 * TIME-WAIT.
 */
export interface Status {
  id: number;
  state: string;
  local: Endpoint;
  remote?: Endpoint;
  /** Of a listener: connections to be accepted, those in SYN-RECEIVED, how many may wait. */
  waiting?: number;
  halfOpen?: number;
  backlog?: number;
  /** How long it is until the next timer. */
  due?: Time;
  passive?: boolean;
  /** Octets: to be read, written and not yet sent, sent and not yet acknowledged. */
  unread?: number;
  unsent?: number;
  unacked?: number;
  /** What the send and the receive sequence space have: RFC 9293 §3.3.1. */
  'SND.UNA'?: number; 'SND.NXT'?: number; 'SND.WND'?: number; ISS?: number;
  'RCV.NXT'?: number; 'RCV.WND'?: number; IRS?: number;
  mss?: number;
  cwnd?: number;
  ssthresh?: number;
  flight?: number;
  srtt?: Time;
  rto?: Time;
  /** Segments that were sent again. */
  resent?: number;
  /** The congestion controller. */
  congestion?: string;
}

export type EventKind =
  | 'transition' | 'segment-in' | 'segment-out' | 'drop' | 'timer-armed' | 'timer-fired' | 'rtt' | 'congestion'
  | 'recovery' | 'retransmit' | 'soft-error' | 'urgent' | 'ready' | 'window' | 'accept' | 'plugin';

/** An EngineEvent is a record of package core/event, which says what its numbers mean. */
export interface EngineEvent {
  at: Time;
  connection: number;
  packet: number;
  rule: number;
  kind: EventKind;
  from: number;
  to: number;
  by: number;
  a: bigint;
  b: bigint;
  c: bigint;
  d: bigint;
}

/**
 * A Run is one run of a scenario. What happens is recorded once, at its furthest
 * front; seek goes back to any step and forth again, with the same fingerprints.
 */
export declare class Run {
  /** step makes the next n things happen, 1 if it is left out. It returns how many did. */
  step(n?: number): number;
  /** finish makes all happen that is left to. */
  finish(): void;
  /** seek goes to the state after so many steps; steps that were not made yet are made. */
  seek(step: number): void;
  /** Where the run is, and how many steps were made so far. */
  readonly at: number;
  readonly steps: number;
  /** Whether nothing is left to happen. */
  readonly ended: boolean;
  /** head is what the timeline begins with. */
  head(): RunHead;
  /** How many items the timeline has so far. */
  readonly length: number;
  /** items are those of the timeline from one on, and up to another, which is left out. */
  items(from?: number, upto?: number): Item[];
  /** itemsText is items as the JSON that the module writes. */
  itemsText(from?: number, upto?: number): string;
  /** itemsOctets is that text in UTF-8, which a worker can transfer for its page to parse. */
  itemsOctets(from?: number, upto?: number): Uint8Array;
  /** view is a host as it is at this step, with its connections. */
  view(host: number | string): Status[];
  /** packet has the octets of a packet, by the p of an item. */
  packet(id: number): Uint8Array;
  /** pcapng is a capture of what a host has sent and received so far. */
  pcapng(host: number | string): Uint8Array;
  /** check has each expectation of the scenario, and whether it holds so far. */
  check(): Result[];
  /** hash covers all events so far, at the step where the run is: 16 hexadecimal digits. */
  hash(): string;
  /** fingerprint covers all that decides the future: 16 hexadecimal digits. */
  fingerprint(): string;
  /** clone is a run with the same past and a future of its own. */
  clone(): Run;
  /** free gives back its memory. It can not be used after that. */
  free(): void;
}

/** What the timeline of a run begins with: AppendJSON of package core/scenario. */
export interface RunHead {
  scenario: string;
  seed: number;
  /** When the run is over at the latest. */
  end: Time;
  hosts: { name: string; addr: string; profile: string; plugins?: string[] }[];
  /** One for each way. Chances are parts of a million. */
  links: {
    from: number; to: number; delay?: Time; jitter?: Time; rate?: number; queue?: number; mtu?: number;
    loss?: number; duplicate?: number; reorder?: number; corrupt?: number; hold?: Time;
  }[];
  flows: { name: string; hosts: number[]; from: Endpoint; to: Endpoint }[];
  says: { id: string; filter?: string; rows?: number }[];
  marks?: { p: number; field: string }[];
  steps: number;
  at: number;
  ended?: boolean;
  hash: string;
  fingerprint: string;
  /** How many items there are so far. */
  count: number;
  items: Item[];
}

/**
 * An Item is one thing that happened, at step n and time t. Fields that are zero or
 * empty are left out; which there are depends on k. Package core/scenario says what
 * they are.
 */
export interface Item {
  i: number;
  n: number;
  t: Time;
  k: string;
  [field: string]: unknown;
}

/** A Result is how it went with one expectation. */
export interface Result {
  /** Where it stands: a line of the text, or of the extra lines if extra is there. */
  line: number;
  extra?: number;
  held: boolean;
  /** What was found in place of it; left out if there was nothing. */
  found?: number | string;
  at?: Time;
}

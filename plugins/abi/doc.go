// Package abi is the boundary between tcpkit and a plugin: the names that a
// plugin exports, the records that it is shown, and what it may answer. It is
// the one text that the host in Go, the host in JavaScript and the kits for
// authors are held to; it has constants and prose, and imports nothing.
//
// # A plugin
//
// A plugin is one core WASM module. It exports
//
//	memory                             its memory
//	tcpkit_abi   () -> i32             the Version that it was written for; called first
//	tcpkit_init  (size i32) -> i32     the address of a buffer of size octets, or 0: it cannot run
//	tcpkit_...   () -> i64             a hook, for each that it wants; see Export...
//	tcpkit_batch (n i32) -> i64        if it wants records in batches
//	_initialize  () -> ()              of a module built as a WASI reactor; called before all else
//
// A hook that is not exported costs its plugin nothing. The names that begin
// with "tcpkit_" belong to this package: one that is not known here is refused,
// since it is most likely misspelt.
//
// The host asks for its buffer at init, once. For each event it writes a record
// at that address and calls one export; what the plugin changes, it changes in
// the record, and its verdict is the result. There is nothing else that it has
// to do, and no other pointer is ever followed but those that it gives to imports.
//
// The life of a plugin: tcpkit_abi, tcpkit_init and, if it is exported,
// tcpkit_config with its options; then hooks; tcpkit_drain before it makes room
// for another module. After a trap the instance is gone, and a fresh one begins
// from the start: with nothing in its memory, its store, and its connections.
//
// # Versions
//
// Version is Major<<16 | Minor. A plugin runs if its Major is that of the host
// and its Minor not above: a host knows all that hosts of lower Minor knew.
// Numbers that stand here are never used for something else, records only grow
// at their end, and each begins with its size; a plugin reads what it knows
// and leaves the rest. A test holds every number to a table that only grows.
//
// # Records
//
// Numbers are little-endian and stand at multiples of their own size. Octets
// of addresses stand in network order; an IPv4 address stands in its mapped
// form ::ffff:a.b.c.d, and the family says which it is. Octets without a name
// are zero, and reserved. Times are nanoseconds of the engine's clock, which
// has no epoch.
//
// A record has RecordSize octets: what all have in common, see Offset..., and,
// if SectionSegment is there, a segment, see Segment.... Sections stand behind
// it at places that do not change, so that a plugin needs no arithmetic. Of
// those only what OffsetSections names is there; the rest of the buffer is what
// it was before. A section is there if the hook has something for it, the
// plugin has the grant, and its manifest has not left it out:
//
//	args      8 numbers, see Arguments
//	address   the two addresses                           grant observe
//	state     what the plugin keeps of the connection     manifest: state OCTETS
//	options   options as they stand in the header         grant options
//	payload   octets of data; of ingress, egress: packet  grant payload; link
//
// Without the grant observe the fields from OffsetLocalPort on are zero too. Of
// a payload that is longer than the buffer the first octets are there;
// SegmentPayload always has its length. A record of a congestion controller is
// laid out otherwise from offset 64 on: see CC....
//
// A segment that arrives is shown as it came; the one that leaves as it will
// leave: the window as it stands in the header, the options that are in it.
//
// # Arguments
//
//	syn                     0 half-open connections, 1 the bound of these, 2 waiting for accept,
//	                        3 the bound of these, 4 in TIME-WAIT, 5 connections
//	connection_new, connection_established
//	                        0 cwnd, 1 least RTO, 2 most RTO, 3 send buffer, 4 receive buffer,
//	                        5 user timeout, 6 keepalive after, 7 congestion controller: the first plugin
//	                        that is one, the second, ...; 0: as it is
//	connection_closed       0 why: the number of the error
//	timer_armed             0 which timer, 1 when
//	timer_fired             0 which timer, 1 how often in a row
//	rtt                     0 sample, 1 SRTT, 2 RTTVAR, 3 RTO
//	lost, retransmit        0 first sequence number, 1 the one behind the last, 2 how often (retransmit)
//	phase                   0 old, 1 new, 2 cwnd, 3 ssthresh
//	spurious                0 cwnd, 1 ssthresh
//	ack                     0 segments not acknowledged, 1 octets, 2 what is to be done: 1 now, 2 later
//	isn                     0 the number
//	port                    0 the port, 1 lowest, 2 highest
//	options_reserve         0 octets of options that every segment has beside the usual
//	tick                    0 id of the timer; 1<<32: the manifest's interval
//	config                  the first eight options that are numbers
//
// Windows, buffers: octets. Times: nanoseconds, those of timers as instants.
//
// # Verdicts
//
// A hook returns Verdict | argument<<8; the highest bit stays zero, since
// negative results are the engine's: Trapped, NoPlugin. What may be answered where,
// and with which grant:
//
//	Pass       everywhere
//	Mutated    segment_arriving, segment_leaving, transition_arriving, transition_leaving: by field
//	           (Seq, Ack, Flags, Window, Urgent, TOS, TTL: header; SYN, FIN, RST among the flags:
//	           control; Options, RawOptions: options; Payload: payload; Length: resize; Ports,
//	           Addresses: rewrite-tuple)
//	           options_parse, options_write: RawOptions, with options
//	           ingress, egress: Payload and Length, with link
//	           connection_new, connection_established: Args, with cc (0, 7), timers (1, 2, 5, 6),
//	           admission (3, 4)
//	           timer_armed: argument 1, ack: argument 2, with timers
//	           rtt: argument 0, phase: arguments 2 and 3, with cc
//	           isn: argument 0, with lab; port: argument 0, with rewrite-tuple
//	           options_reserve: argument 0, with options
//	           cc_...: what may be set of it
//	Drop, Delay, Duplicate
//	           of segments, with header; of packets, with link; Drop of syn, with admission
//	Reset      of segments and of transition, with control; of syn, with admission
//	Cookie     of syn, with admission
//	Inject     everywhere but cc_..., with inject
//	Hold, Release
//	           of segments, with lab; Hold of timer_armed and timer_fired, with lab
//	GoTo       of transition, with lab; Now of timer_armed, with lab
//	Detach     everywhere
//
// With Pass and Mutated, FieldState says that the section of state has changed;
// without it the change is forgotten. Of a batch only Pass and Detach count.
//
// Of several plugins each sees what the one before has made of the segment. Drop,
// Delay, Duplicate, Reset, Cookie, Hold, GoTo and Now are final: the plugins behind
// are not asked. A verdict that is not allowed, or a change that cannot be, is a
// strike, and counts as if the plugin had not been there: in mode open the record
// goes on as it was, in mode guard the segment is dropped. So do a trap and running
// out of fuel. Three strikes within 60 s, or ten in all, end a plugin.
//
// # Validation
//
// All of a change is taken, or nothing. A segment must then be one that can be:
// no flag but the nine; ACK set, unless SYN or RST is (lab: or not); the sequence
// number within the window that it is for, or one before; no acknowledgement of
// what has not come (lab: or so); TTL not 0; MSS, window scale and SACK permitted
// only with SYN (lab: or where one was), and each option once and of its length; at most 40
// octets of options; payload not beyond the MSS, and the packet not beyond the MTU, unless
// it was before; addresses of one host each, of the same family. Lengths and
// checksums are the host's. What has left otherwise than it stands in the send
// buffer leaves in the same way when it is sent again.
//
// # Imports
//
// All are optional, from the module "tcpkit": see Import.... They ask; what they
// ask for is done when the hook is over, and not at all if it traps.
//
//	log     text, of at most LogSize octets; 32 messages at once and 16 a second are kept
//	metric  adds value to what is counted under id, 0 to 15: how many, sum, least, most
//	now     the engine's clock, as in the record
//	random  a draw that depends on the host's key, the plugin's name and the ordinal of its call
//	get, set  a store of 64 keys; 0 is the value of a key that is not there
//	arm     a timer id, of 16; after at least 1 ms it calls tcpkit_tick; negative: disarms it
//	inject  a record with its sections, size octets from at on, as a segment beside: BitLeaving says
//	        whether it is sent or taken in, argument 0 (with SectionArgs) after how long. 8 in a call.
//
// The verdict Inject takes the record in the buffer for that segment, and its
// argument for the time. A segment that is injected must be valid as one that was
// changed, and belong to the connection at hand, unless rewrite-tuple is granted.
//
// A guest compiled from Go may import the ten functions of wasi_snapshot_preview1
// that its runtime calls: sched_yield, proc_exit, args_get, args_sizes_get,
// clock_time_get, environ_get, environ_sizes_get, fd_write, random_get,
// poll_oneoff. They give it the engine's clock, random, and log; and no more.
//
// # Congestion control
//
// A controller exports cc_ack, cc_loss and cc_rto at least, and has the grant cc.
// What it may set counts with Mutated and FieldArgs, within bounds: cwnd from one
// segment to what the send buffer may hold, ssthresh from two, a timer at least a
// millisecond away. Mutated without fields leaves all as it is. To answer Pass to
// cc_loss, cc_rto or cc_ecn is to have no answer: as after a trap, fuel that is used
// up, a strike and Detach, the connection goes on with CUBIC, from the window that it
// has. Who does not export cc_ecn is called at cc_loss for a mark. An ACK for which
// the fuel of the instant does not suffice is not told.
//
// Of a controller that is replaced the new one gets the connections: with their
// state if it keeps as many octets and wants the same, and else with cc_init, whose
// cwnd and ssthresh are then taken for those of a connection that begins, and not
// for this one's.
//
// # Fuel
//
// Each call has a budget of fuel, about an instruction each, and traps when it
// is used up. A call of an import costs ImportCost and its octets beside. All
// calls at one instant of the engine's clock have five million together; beyond
// that the plugin is not called, which is counted, until the clock goes on.
//
// # Manifest
//
// The custom section "tcpkit.manifest" has lines of a key, a space and a value;
// # begins a comment. All keys but filter, budget and option stand once. What is
// left out has the value in brackets.
//
//	name NAME              letters, digits, - _ . [plugin]
//	version TEXT
//	description TEXT
//	hooks HOOK...          those that it is called for [all that it exports], without "tcpkit_"; those that
//	                       it does not export come in batches
//	grants GRANT...        observe header payload control inject options timers cc admission link
//	                       rewrite-tuple resize lab [observe]
//	filter HOOKS COND...   HOOKS: names with commas between, or *; all conditions must hold, and of several
//	                       filters for a hook one
//	budget CLASS           small, medium, large, go [medium]
//	budget init N          fuel of the start, at most 50000000
//	budget hook N          fuel of a call, at most 1000000
//	memory PAGES           of 64 KiB, at most 256 [16]
//	state OCTETS           kept of each connection, at most 256 [0]
//	mode open|guard        [open]
//	priority N             -1000 to 1000, the lowest first, then in the order of loading [0]
//	batch N                2 to 256 records at once
//	tick DURATION          calls tcpkit_tick; at least 1ms
//	sections SECTION...    args address state options payload, or none [all that the grants allow]
//	wants WHAT...          of a congestion controller: samples, of each ACK; window, its answer to loss is its own
//	option NAME DEFAULT [int|bool|duration|string] [TEXT]
//
// Conditions, of which those about a segment hold where there is none:
//
//	port=80,8000-8080      of either end; local-port=, remote-port=: of one
//	state=ESTABLISHED,...  the state, or the old one; to=: the new one
//	flags=SYN/SYN+ACK      those that are set, and behind the stroke those that are looked at
//	direction=in|out
//	payload=1-1000         octets; 1- and -1000 are open
//
// The grants payload, inject, rewrite-tuple, link and lab a plugin has only if its
// user says so. header comes with control and rewrite-tuple, payload with resize,
// observe with each but timers, cc and lab. Classes have this much fuel:
//
//	small   1000000 to start, 10000 for a call
//	medium  1000000 to start, 100000 for a call
//	large   10000000 to start, 1000000 for a call
//	go      50000000 to start, 1000000 for a call
//
// # Options
//
// tcpkit_config finds the values of the options in the section of payload, as
// lines "name=value\n" of SegmentPayload octets, all of them; and the first eight
// that are numbers among the arguments, in the order of the manifest: whole numbers,
// durations in nanoseconds, bools as 0 and 1. Anything but Pass says that the plugin
// cannot run with them.
//
// # Batches
//
// tcpkit_batch finds n records in the buffer, BatchSize octets each: the record
// and its arguments, no other sections. They come when there are as many as the
// manifest says, and 100 ms after the first at the latest.
//
// # The embedder of the browser's module
//
// In a browser tab the engine itself is a WASM module (hosts/wasm), and plugins
// run beside it. The module has the policy and does the checking and rewriting;
// the embedder only makes instances and calls them. It is reached by one import,
//
//	tcpkit.plugin (id i32, hook i32, frame i32) -> i64
//
// where id is the number of an instance, which the module has chosen, and frame
// the address of a frame in the module's memory: see the constants Frame....
// What the embedder does is by hook:
//
//	HookStart  make the instance id of the rewritten module that stands at FrameImage, with
//	           the imports below; set its global tcpkit_fuel to FrameFuel and call _initialize
//	           if it exports that. FrameNames has the names of the exports that are called
//	           later: for each u16 hook, u8 size, octets.
//	HookABI    call the export
//	HookInit   call it with FrameArg; the result is the address of the buffer. FrameSize is then
//	           the size of the plugin's memory.
//	HookFetch  copy the parts of the buffer to the image
//	HookClose  forget the instance
//	others     copy the parts of the image to the buffer, set tcpkit_fuel, call the export with
//	           FrameArg if it takes an argument, and return its result
//
// After a call FrameFuel is what tcpkit_fuel is then, and FrameTrap says how it
// ended: 0, or one of Trap.... If the fuel is below zero that is TrapFuel. What an
// embedder returns with a trap is not looked at. An embedder without plugins
// returns NoPlugin always, and leaves the frame as it is.
//
// What a plugin imports the embedder asks the module for, during the call, by
//
//	tcpkit_plugin_import (id i32, what i32, a i64, b i64) -> i64
//
// see the constants Ask.... Octets that go along are copied to the room, whose
// address tcpkit_plugin_room (id i32, size i32) -> i32 returns. The module's memory
// may grow then. The embedder itself sees to
//
//   - the cost: each import takes ImportCost from tcpkit_fuel, and then 1 for each
//     octet of a text, of a record, of fd_write and of random_get; below zero it
//     traps with TrapFuel
//   - bounds: octets that are not within the plugin's memory trap with TrapMemory; of
//     a text the first LogSize are paid and handed over
//   - the start function: while it runs, imports trap with TrapEarly
//   - the functions of WASI, of which there are ten: sched_yield, args_get and environ_get
//     do nothing, args_sizes_get and environ_sizes_get give zeros, proc_exit traps with
//     TrapExit, clock_time_get is AskClock, random_get draws eight octets at a time, fd_write
//     to streams 1 and 2 is AskWrite for each vector, poll_oneoff sleeps by AskSleep and
//     returns an event for each subscription, with error badf for one that is no clock.
//     random_get of more than WASISize octets and more than 16 vectors or subscriptions, or
//     no subscription, return inval; fd_write takes WASISize octets at most.
package abi

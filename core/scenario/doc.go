// Package scenario reads small texts that say what happens on a network (hosts,
// links, what programs do, planned faults, what is expected) and runs them on the
// engine, on a virtual clock.
//
//	s, err := scenario.Parse(text, extra...) // err: line, column, what, and what to do
//	text = s.AppendText(nil)                 // the canonical form: parsed again it is s
//	r, err := scenario.New(s, load)          // load: who loads plugins, nil: nobody
//	r.Finish()                               // or Step, or Seek(step), back and forth
//	r.Items(0)                               // the timeline: see Kind
//	r.Check()                                // what was expected, and what was found
//
// A run is decided by its text alone. What is changed (another seed, a packet dragged
// away, a plugin switched on) is more lines of the same language behind it. Run.Hash
// covers every event of every stack; it and AppendJSON are the same on every machine
// (proof/same). Texts may come from strangers. What a text may say is bounded, as parse.go
// has it: 256 KiB, 8 hosts, 256 connections, 64 MiB that programs write, 1024 faults,
// 1000h. So is a run: 200,000 steps, 400,000 items, 64 MiB of packets; one that reaches
// a bound ends there, with an Ended item that says which.
//
// Where to find what: scenario.go (what a text says), parse*.go, words.go, values.go,
// settings.go, print.go; build.go (the world of a scenario), run.go, seek.go;
// record*.go (the observer that makes the timeline), item.go, narrate.go; check.go;
// json.go, capture.go.
//
// Limits: plugins that keep what counts in their own memory, and not in the state that
// tcpkit keeps for them, make each way back begin at the beginning; and a Clone of a
// run shares that memory.
//
// # The language
//
// Lines of words. # begins a comment. "Quotes" keep words together; nothing stands
// for a quote within them. NAMES are letters, digits, and . - _ within. TIMES are
// 200ms, 1.5s, 2m, 2h, with ns and us too; 0s is the beginning of the run. SIZES are
// 500, 64k, 1.25M, 1G, where k is 1024. CHANCES are 1% or 0.05%. [x] may be left out,
// x|y is one of them, ... is more of the same.
//
//	scenario ID                     the first line
//	row ID ...                      rows of the catalogue that it shows; else its id
//	compare ID                      the real TCP beside which this what-if is shown
//	lesson CHAPTER PLACE            its place in the lessons
//	corrects ID ...                 popular errors that are shown beside it
//	seed NUMBER                     0 without it
//	end TIME                        the run is over then at the latest; else 24h
//	tolerate                        what breaks an invariant is told, and the run goes on
//
//	host NAME ADDRESS ... [profile PROFILE] [mtu N] [set KEY=VALUE] ... [plugin SPEC] ...
//	plugin HOST SPEC                one plugin more; SPEC is for the loader: NAME,key=value
//	plugin HOST off                 none of those above
//	link A B|A -> B [delay TIME] [jitter TIME] [rate OCTETS/S] [queue OCTETS] [mtu N] [silent]
//	     [loss CHANCE] [duplicate CHANCE] [reorder CHANCE] [hold TIME] [corrupt CHANCE]
//	listen HOST PORT [backlog N] [deaf]   backlog 8; deaf: nobody accepts
//
// Profiles are those of core.Profile, KEYs are those of "tcpkit listen --set help". A
// host or a link that is named again has what is said then overridden; a listener is
// replaced. Behind mtu a router says what is too large, unless silent. reorder holds
// packets back for up to hold, 20ms without it.
//
//	flow NAME CLIENT SERVER:PORT [at TIME] [port N] [meet] [skew TIME] [ipv6] [times N] [every TIME]
//	  HOST write N [chunk N] [every TIME]
//	  HOST write-urgent N
//	  HOST wait TIME | await-connected | await-read N | await-eof
//	  HOST close-write | close-read | close | abort | hold
//	  HOST pace N TIME | never-read | read-on
//	  HOST set-keepalive IDLE [INTERVAL [COUNT]] | set-user-timeout TIME | set-no-delay | set-linger TIME
//
// One connection, which CLIENT opens at a time from a port, or which both open (meet,
// the other skew later); or so many of them, called NAME.1, NAME.2 and so on. The
// indented lines are what the programs at both ends do, one step after the other, from
// when the connection is open (unless CLIENT begins with wait, hold, close or abort);
// reading goes on beside it: all at once, N octets each TIME, or never. After the last
// step a program closes, and at once if it has none. A wait of any kind ends when the
// connection has. A flow that is named again needs no hosts: its fields are
// overridden, and what a host does is replaced if lines of that host follow. A program
// on a host that was crashed or shut does nothing more.
//
//	fault A -> B [KIND] N|all FATE [from TIME] [until TIME]
//	fault packet ID FATE            a packet by its place in the order of sending, from 1
//	cut A B|A -> B [from TIME] [until TIME] [unreachable]
//	crash HOST at TIME              all that it knows is gone, and it is silent
//	boot HOST at TIME               a new stack with the same addresses, which listens again
//	shut HOST at TIME               its programs exit: what they held is closed for them
//	flood HOST:PORT [at TIME] [count N] [every TIME] [flags FLAGS]   SYNs from nowhere
//
// FATE is lose, delay TIME, double [TIME] or spoil. KIND is ANY, DATA, or flags such as
// SYN, SYN+ACK, ACK, FIN, RST, FIN+DATA: what is named is set in the segment; where SYN,
// FIN, RST or ACK is named, no other of the first three is set; SYN alone has no ACK,
// ACK alone no data. N counts those of the kind in the time from .. until. Of two
// faults for one packet the later line counts. unreachable: a router says so to who
// has sent what the cut stops. The segments of a flood have ids too, and come from
// addresses that nobody has.
//
//	expect path HOST STATE ...      the states that its end of the flow passes, from the first change on
//	expect state HOST STATE
//	expect segment ID A -> B KIND [seq N] [ack N] [len N] [win N] [with OPTIONS] [without OPTIONS] [rule RULE]
//	expect segments [CMP] N         that hosts have sent
//	expect count A -> B KIND [CMP] N     that were sent
//	expect lost A -> B KIND [CMP] N
//	expect edge HOST STATE STATE [rule RULE]
//	expect error HOST [soft] ERROR  what the program is told at last: none, ECONNRESET, ETIMEDOUT ...;
//	                                soft: what it may know and the connection survives
//	expect read HOST [CMP] N        octets
//	expect stream HOST whole|part|wrong  what it reads: all that was written, less, or something else
//	expect ghosts HOST [CMP] N      connections of which the other end knows nothing
//	expect half-open HOST [CMP] N   connections in SYN-RECEIVED
//	expect conns HOST [CMP] N       connections, TIME-WAIT records not counted
//	expect time-waits HOST [CMP] N  TIME-WAIT records
//	expect held HOST [CMP] N        octets of memory
//	expect drop HOST REASON [CMP] N segments that were dropped for it
//	expect timer HOST TIMER armed|fired [CMP] N
//	expect retransmits HOST [CMP] N
//	expect tcb HOST VARIABLE [CMP] N|TIME
//	expect know HOST nothing|receive|send|both
//	expect silence [from TIME] [until TIME]   no segment is sent
//	expect violation [CMP] N        invariants that were broken
//	expect quiet-at TIME            nothing happens after it
//
// CMP is =, <= or >=, and = without it. Behind state, segment, edge, error, read,
// ghosts, half-open, conns, time-waits, held, tcb and know may stand "at TIME [within
// TIME]": of an edge, a segment or an error, when it happens; of the others, the value
// at that time, else the last. Of a state, one that it had at that instant. Behind
// what is about one connection may stand "flow NAME", else it is the first that the
// host has a part in. Sequence numbers are relative: they count from the initial ones
// of the connection that has sent the segment, or that it is for. OPTIONS of a header
// are mss, window-scale, sack-permitted, sack, timestamps, fast-open, user-timeout, with
// commas between; a number may follow as in mss=1460, of sack it is that of the blocks.
// A RULE is one of core/rule by its name: that which has taken an edge, or by which a
// segment has left.
//
//	say ID on start | segment N | arrive N | lose N | time TIME | end
//	say ID on state HOST STATE [N] | timer HOST TIMER [N] | drop HOST REASON [N] | error HOST
//	         [filter "DISPLAY FILTER"] [rows N] [at HOST]
//	mark segment N FIELD
//
// A sentence of the narration by the id of its message, and what it is tied to: a
// packet by its id, or the Nth time that something happens. The filter is Wireshark's,
// and rows how many lines it shows of what HOST has seen, without it the first host. A mark highlights a field of a header.
package scenario

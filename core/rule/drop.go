package rule

// A Drop is why a packet or a segment went nowhere. Each has a counter. Zero
// is "not dropped".
type Drop uint8

// The reasons. Ids are stable; new ones go to the end of their block's room.
const (
	NotDropped Drop = iota

	// Packets that cannot be read; found by core/wire.
	DropIPTruncated
	DropIPVersion
	DropIPHeader
	DropIPChecksum
	DropIPFragment
	DropIPExtension
	DropSourceRoute
	DropTCPTruncated
	DropTCPOffset
	DropTCPChecksum
	DropICMPTruncated
	DropICMPChecksum
	DropICMPQuote

	// Packets that are not for us; found by core.
	DropNotOurs
	DropProtocol
	DropBroadcast
	DropBadSource
	DropICMPType
	DropICMPSequence
	DropNoConnection
	DropReplyQueueFull

	// Segments that the state machine refuses; found by core and core/tcp.
	DropListenReset
	DropListenNoSyn
	DropBacklogFull
	DropAcceptQueueFull
	DropSmallMSS
	DropCookie
	DropResources
	DropSynSentAck
	DropSynSentReset
	DropSynSentNothing
	DropSequence
	DropPAWS
	DropReset
	DropSyn
	DropNoAck
	DropAckOld
	DropAckUnsent
	DropAckSynReceived
	DropAfterFin
	DropOldData
	DropOutOfWindow
	DropReceiveFull
	DropClosed
	DropTimeWait
	DropHook
	DropMemory
	DropNoTimestamp
	DropPeerFull
	DropHeldFull

	DropCount // how many there are
)

var drops = [DropCount]struct {
	name string
	rule ID
}{
	NotDropped:         {"none", None},
	DropIPTruncated:    {"ip-truncated", None},
	DropIPVersion:      {"ip-version", None},
	DropIPHeader:       {"ip-header", None},
	DropIPChecksum:     {"ip-checksum", None},
	DropIPFragment:     {"ip-fragment", None},
	DropIPExtension:    {"ip-extension", None},
	DropSourceRoute:    {"ip-source-route", None},
	DropTCPTruncated:   {"tcp-truncated", None},
	DropTCPOffset:      {"tcp-offset", None},
	DropTCPChecksum:    {"tcp-checksum", None},
	DropICMPTruncated:  {"icmp-truncated", None},
	DropICMPChecksum:   {"icmp-checksum", None},
	DropICMPQuote:      {"icmp-quote", None},
	DropNotOurs:        {"not-our-address", None},
	DropProtocol:       {"protocol", None},
	DropBroadcast:      {"broadcast", Landing},
	DropBadSource:      {"bad-source", Landing},
	DropICMPType:       {"icmp-type", None},
	DropICMPSequence:   {"icmp-sequence", ICMPSoft},
	DropNoConnection:   {"no-connection", ClosedReset},
	DropReplyQueueFull: {"reply-queue-full", None},

	DropListenReset:     {"listen-reset", ListenReset},
	DropListenNoSyn:     {"listen-no-syn", ListenAckGetsRst},
	DropBacklogFull:     {"backlog-full", BacklogFull},
	DropAcceptQueueFull: {"accept-queue-full", AcceptQueueFull},
	DropSmallMSS:        {"small-mss", None},
	DropCookie:          {"bad-cookie", SynCookie},
	DropResources:       {"no-resources", MemoryPressure},
	DropSynSentAck:      {"syn-sent-bad-ack", SynSentBadAck},
	DropSynSentReset:    {"syn-sent-reset", SynSentReset},
	DropSynSentNothing:  {"syn-sent-no-syn", SynSentNothing},
	DropSequence:        {"sequence", SequenceChallenge},
	DropPAWS:            {"paws", PAWS},
	DropReset:           {"reset", ResetChallenge},
	DropSyn:             {"syn", SynChallenge},
	DropNoAck:           {"no-ack", AckMissing},
	DropAckOld:          {"ack-old", AckOutside},
	DropAckUnsent:       {"ack-unsent", AckUnsent},
	DropAckSynReceived:  {"ack-syn-received", AckBadInSynReceived},
	DropAfterFin:        {"after-fin", TextAfterFin},
	DropOldData:         {"old-data", SequenceChallenge},
	DropOutOfWindow:     {"out-of-window", SequenceChallenge},
	DropReceiveFull:     {"receive-full", SequenceChallenge},
	DropClosed:          {"closed", ClosedReset},
	DropTimeWait:        {"time-wait", TimeWaitOldSyn},
	DropHook:            {"hook", None},
	DropMemory:          {"memory", MemoryPressure},
	DropNoTimestamp:     {"no-timestamp", TimestampMissing},
	DropPeerFull:        {"peer-full", None},
	DropHeldFull:        {"held-full", None},
}

// String is the counter's name, "tcp-checksum".
func (d Drop) String() string {
	if d >= DropCount {
		return "unknown"
	}
	return drops[d].name
}

// Rule is the rule that wants the drop, or None where there is only bad input.
func (d Drop) Rule() ID {
	if d >= DropCount {
		return None
	}
	return drops[d].rule
}

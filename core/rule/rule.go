package rule

import "strconv"

// An ID names a row of the table. None is no rule.
type ID uint16

// A Row is one rule.
type Row struct {
	ID          ID
	RFC         uint16 // number of the RFC
	Section     string // "3.10.7.4"
	Requirement string // the id in the list of RFC 9293's requirements ("MUST-13"), or empty
	Name        string // a short name, [a-z0-9-], also the id of its text in the catalogues
	Text        string // the rule in one line of our own words, in English
}

// The rules that the engine names. New rows go to the end.
const (
	None ID = iota

	// User calls, §3.10.1 to §3.10.6.
	OpenPassive
	OpenActive
	SendInListen
	CloseListen
	CloseSynSent
	CloseSendsFin
	CloseAfterPeer
	AbortReset
	AbortSilent

	// Segments, §3.10.7.
	ClosedReset
	ListenReset
	ListenAckGetsRst
	ListenSyn
	SynSentBadAck
	SynSentReset
	SynSentSynAck
	SynSentSyn
	SequenceAcceptable
	SequenceChallenge
	ResetExact
	ResetChallenge
	ResetOutside
	ResetSynReceived
	SynChallenge
	SynReceivedSyn
	AckMissing
	AckEstablishes
	AckBadInSynReceived
	AckOfFin
	AckClosing
	AckLastAck
	AckOutside
	AckUnsent
	WindowUpdate
	UrgentAdvance
	TextAfterFin
	TextInOrder
	TextOutOfOrder
	FinEstablished
	FinBoth
	FinClosing
	FinInFinWait2
	FinRestartsTimeWait
	TimeWaitReuse
	TimeWaitOldSyn

	// Timers, §3.10.8.
	UserTimeout
	Retransmit
	RetransmitLimit
	SynLimit
	SynAckLimit
	TimeWaitOver
	FinWait2Timeout
	LingerOver
	KeepaliveProbe
	KeepaliveDead
	PersistProbe
	PersistDead
	DelayedAck
	SillyWindowOverride

	// Other RFCs.
	PAWS
	FastRetransmit
	SackRecovery
	PartialAck
	SynCookie
	BacklogFull
	AcceptQueueFull
	ICMPHard
	ICMPSoft
	PathMTU
	PortUnreachable
	EchoReply
	MemoryPressure
	HostAborts
	Landing
	TimestampMissing
	ECNReaction
	FastOpenRefused
	Lab
	SynSentNothing
	TailLossProbe
	SynAgain
	UnreadReset
	last
)

// Lookup returns the row of an id. An id that is not in the table gives the
// row of None and false.
func Lookup(id ID) (Row, bool) {
	if id == None || int(id) >= len(rows) {
		return Row{}, false
	}
	return rows[id], true
}

// Rows returns the whole table, in the order of the ids. The first row is None.
func Rows() []Row {
	all := make([]Row, len(rows))
	copy(all, rows[:])
	return all
}

// String gives the rule as it is cited: "RFC 9293 §3.10.7.4".
func (id ID) String() string {
	r, ok := Lookup(id)
	if !ok {
		return "no rule"
	}
	return "RFC " + strconv.Itoa(int(r.RFC)) + " §" + r.Section
}

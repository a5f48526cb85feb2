package model

// A deviation is something that the engine does otherwise than the text of RFC
// 9293 §3.10 taken word by word.
type deviation int

const (
	synTextDropped deviation = iota
	synSentRefused
	synAgain
	synTaken
	unopenedReset
	coversWindow
	finAtEdge
	ackOfEarly
	falseFIN
	falseText
	secondFIN
	finRestarts
	waitForgets
	waitFirstOctet
	finWait2Ends
	urgentAgain
	ackInWindow
	receiveAfterFIN
	lastAckAtOnce
	secondClose
	abortBeforeFIN
	resetWithACK
	deviationCount
)

// deviations is the table of them, with the step that they depart from and the
// reason. It is reviewed: nothing is added to it to make a test pass.
var deviations = [deviationCount]struct{ name, step, reason string }{
	synTextDropped: {
		"text and FIN on a SYN are not kept", "§3.10.7.2 third, §3.10.7.3 fourth",
		"a peer that has proved nothing is owed no memory; only the SYN is acknowledged, so the rest comes again",
	},
	synSentRefused: {
		"a reset in SYN-SENT is \"connection refused\"", "§3.10.7.3 second: \"error: connection reset\"",
		"the words of SYN-RECEIVED after an active OPEN, and of every sockets API (ECONNREFUSED)",
	},
	synAgain: {
		"the same SYN in SYN-RECEIVED gets the SYN-ACK again, not an ACK", "§3.10.7.4 first",
		"the peer is in SYN-SENT, where an ACK without a SYN tells it nothing (§3.10.7.3 fifth)",
	},
	synTaken: {
		"in SYN-RECEIVED the SYN,ACK of crossing SYNs establishes the connection", "§3.10.7.4 first: its SYN lies before the window",
		"Figure 7 of §3.5, line 6, has it so, and MUST-10 wants simultaneous opens to work",
	},
	unopenedReset: {
		"in SYN-RECEIVED a bad ACK gets a reset, however far off it is", "§3.10.7.4 fifth: outside RFC 5961's range an ACK",
		"§3.5.2, group 2: a reset, where the connection is not synchronized; half-open connections end by it (Figure 9)",
	},
	coversWindow: {
		"a segment that begins before the window and ends behind it is acceptable", "§3.10.7.4 first, Table 6",
		"it brings all that the window can take; refused it would be sent again as it is for ever",
	},
	finAtEdge: {
		"a FIN at the right edge is taken", "§3.10.7.4 first: \"trimming off any portions that lie outside the window (including SYN and FIN)\"",
		"it needs no room, and the peer has no other way to learn that it need not wait for a window",
	},
	ackOfEarly: {
		"ACK, window and URG of a segment beyond a gap count at once; only text and FIN are held", "§3.10.7.4 first: \"held for later processing\" (SHLD-31)",
		"RFC 5681 §3.2 needs the ACKs of such segments, and MUST-66 their URG; an ACK that is true now is true later",
	},
	falseFIN: {
		"a FIN before text that has come, or elsewhere than the FIN that is held, is acknowledged and forgotten", "§3.10.7.4 eighth",
		"one of the two is forged; what came first stands, as with text",
	},
	falseText: {
		"text beyond a FIN that is held is acknowledged and forgotten", "§3.10.7.4 seventh",
		"likewise",
	},
	secondFIN: {
		"a FIN beyond the peer's FIN is acknowledged, but RCV.NXT does not go over it", "§3.10.7.4 eighth: \"advance RCV.NXT over the FIN\"",
		"there is nothing beyond a FIN (§3.4); counting it would acknowledge what the peer has never sent",
	},
	finRestarts: {
		"the peer's FIN that comes again restarts the 2 MSL timeout", "§3.10.7.4 first: it lies before the window, so it is only acknowledged",
		"the fifth step means it to: \"Acknowledge it, and restart the 2 MSL timeout\" (MUST-13)",
	},
	waitForgets: {
		"in TIME-WAIT no acknowledgment is too old", "§3.10.7.4 fifth: RFC 5961's SND.UNA - MAX.SND.WND",
		"the record that is kept of such a connection has no windows; nothing that the ACK of a segment could do is left",
	},
	waitFirstOctet: {
		"in TIME-WAIT a segment that begins before the window is not acceptable, wherever it ends", "§3.10.7.4 first, Table 6",
		"the FIN was the last octet, so nothing in the window can be meant; it is acknowledged, as Linux has it, instead of ignored",
	},
	finWait2Ends: {
		"FIN-WAIT-2 ends by itself a minute after the user has closed both ways", "§3.10.8 knows no such timeout",
		"nobody would notice a peer that is gone, and §3.6.1 allows a half-duplex close; every system has this timeout",
	},
	urgentAgain: {
		"the user is told whenever the urgent pointer advances", "§3.10.7.4 sixth: \"do not signal the user again\"",
		"§3.8.5 MUST-32 wants it \"whenever the Urgent Pointer advances in the data stream\"",
	},
	ackInWindow: {
		"an ACK does not lie beyond a window that the peer has taken back", "§3.10.7.4: <SEQ=SND.NXT>",
		"the peer would not accept it (first step) and answer it in turn, A.2; the last number that it would is as good",
	},
	receiveAfterFIN: {
		"what has arrived can be received in CLOSING, LAST-ACK and TIME-WAIT", "§3.10.3: \"error: connection closing\"",
		"§3.6: users may RECEIVE what came before the peer's FIN; CLOSE of the other direction takes nothing of it away",
	},
	lastAckAtOnce: {
		"CLOSE in CLOSE-WAIT enters LAST-ACK before the queued text is sent", "§3.10.4: \"then send a FIN segment, enter LAST-ACK\"",
		"as ESTABLISHED does, \"in any case\"; nothing that arrives is treated otherwise in the two states until the FIN is out",
	},
	secondClose: {
		"a second CLOSE is ok in every state", "§3.10.4: in CLOSING, LAST-ACK and TIME-WAIT \"error: connection closing\"",
		"as in FIN-WAIT-1, where \"an 'ok' response would be acceptable, too, as long as a second FIN is not emitted\"",
	},
	abortBeforeFIN: {
		"ABORT in CLOSING and LAST-ACK sends a reset while the FIN has not been sent", "§3.10.5: \"delete the TCB\"",
		"it follows from entering LAST-ACK at once: the peer still waits for text",
	},
	resetWithACK: {
		"the reset of ABORT has an acknowledgment", "§3.10.5: <SEQ=SND.NXT><CTL=RST>",
		"a peer in SYN-SENT believes no reset without one (§3.5.3); elsewhere its ACK field is not read",
	},
}

// A book notes which deviations the model has come by, and lets it go by the letter
// instead.
type book struct {
	asked   [deviationCount]bool
	literal [deviationCount]bool
	used    [deviationCount]int // steps in which the letter would have differed
}

// departs reports whether the model follows the engine here rather than the
// letter.
func (m *tcb) departs(d deviation) bool {
	m.book.asked[d] = true
	return !m.book.literal[d]
}

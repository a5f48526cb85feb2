// Package model is a second TCP: a plain transcription of RFC 9293 §3.10 in test
// code, without queues, timers or speed, against which the engine runs in
// lock-step. It was written from the text of the RFC, not from the engine.
//
// Where to find what: tcb_test.go has the variables of §3.3.1; calls_test.go
// has §3.10.1 to §3.10.6, arrives_test.go §3.10.7 and timeouts_test.go §3.10.8,
// each step with its words. deviations_test.go is the table of what the engine
// does otherwise, and why; a row that no run needs any more fails the tests.
// lockstep_test.go drives both and compares what they send, the state, the
// sequence variables and what the user learns. grid_test.go tries every state
// with every set of flags and classes of SEQ, ACK and LEN; random_test.go draws
// whole exchanges.
//
// The model knows what the RFC fixes. What it leaves to the sender (when to send
// data, how much, when to send it again) the model is told by what the engine
// sends, and only checks that it may be sent.
package model

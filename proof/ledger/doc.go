// Package ledger holds the books of the proof: each requirement of RFC 9293, each
// section of another RFC that the README claims, each row of the threat model, each
// fact about Linux that the linux profile follows and each situation that other
// stacks' suites check, with the tests that show it or the reason why tcpkit departs
// from it.
//
// A test says what it proves, in a comment of its own:
//
//	// Proves: MUST-13, S16, RFC 6191 §2
//	func TestTimeWait(t *testing.T) {
//
// and a script says so in its head:
//
//	// Requirement: MUST-13, RFC 9293 §3.6.1
//
// What is to be proven stands in the tables beside this file, and what is not done
// in deviations.tsv, a reason for each id. The package's test collects the comments of the whole tree. It fails when a row has neither a
// proof nor a deviation, when a comment or a deviation names what does not exist,
// and when LEDGER.md, the table that people read, is not what comes of it:
//
//	go test ./proof/ledger -update
package ledger

// Package need is how a test says what it needs of the machine. Where that is
// missing, the test is skipped with one line that says what mends it; with
// TCPKIT_REQUIRE_ALL=1, as in CI, it fails instead, so that no check is lost
// unseen.
//
//	tshark := need.Tool(t, "tshark", "tshark")
package need

// Package release says how much a test does. Each row of the threat model asks for
// 10^4 to 10^7 of something: `go test` does so many that it stays quick, and
//
//	TCPKIT_RELEASE=1 go test -timeout 60m ./core/... ./plugins/... ./hosts/native ./cmd/tcpkit ./playground
//
// as many as are written there.
package release

import "os"

// Variable is the environment variable that asks for whole sizes.
const Variable = "TCPKIT_RELEASE"

// Whole reports whether the tests run at whole size.
func Whole() bool { return os.Getenv(Variable) == "1" }

// Count returns written where the tests run at whole size, else small.
func Count(small, written int) int {
	if Whole() {
		return written
	}
	return small
}

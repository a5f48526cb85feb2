package model

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

// The engine does what §3.10 of RFC 9293 says, but for the deviations in the table,
// each of which is needed somewhere. TCPKIT_MODEL_LONG=1 has the long grid and many
// more exchanges.
//
// Proves: S24
func TestEngineIsTheModel(t *testing.T) {
	long := os.Getenv("TCPKIT_MODEL_LONG") != ""
	runs := 4000
	switch {
	case long:
		runs = 50000
	case testing.Short():
		runs = 500
	}
	b := new(book)
	t.Run("grid", func(t *testing.T) {
		t.Logf("%d cells", grid(t, b, long))
	})
	t.Run("exchanges", func(t *testing.T) {
		t.Logf("%d exchanges, %d events", runs, exchanges(t, b, runs))
	})
	for d, row := range deviations {
		require.NotEmpty(t, row.name)
		require.NotEmpty(t, row.step)
		require.NotEmpty(t, row.reason)
		t.Logf("%7d times: %s\n\t%s\n\t%s", b.used[d], row.name, row.step, row.reason)
		if b.used[d] == 0 && !testing.Short() {
			t.Errorf("no cell and no exchange needs this any more: %s", row.name)
		}
	}
}

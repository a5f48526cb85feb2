package rule

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTableIsIndexedByID(t *testing.T) {
	names := map[string]ID{}
	for i, r := range Rows()[1:] {
		require.Equal(t, ID(i+1), r.ID, "row %d", i+1)
		require.NotZero(t, r.RFC, "%v", r)
		require.NotEmpty(t, r.Section, "%v", r)
		require.NotEmpty(t, r.Text, "%v", r)
		require.NotContains(t, names, r.Name, "two rows of one name")
		names[r.Name] = r.ID
	}
	require.Equal(t, "RFC 9293 §3.10.7.4", AckEstablishes.String())
	_, ok := Lookup(last)
	require.False(t, ok, "an id past the table is not in it")
}

func TestEveryDropHasAName(t *testing.T) {
	names := map[string]bool{}
	for d := range DropCount {
		require.NotEmpty(t, d.String(), "drop %d", d)
		require.False(t, names[d.String()], "two drops are called %s", d)
		names[d.String()] = true
	}
	require.Equal(t, "unknown", Drop(255).String())
}

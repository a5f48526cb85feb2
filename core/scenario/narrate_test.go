package scenario

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// A sentence tied to a time long after all that happens is told, and the run ends no
// earlier.
func TestSayWhereNothingHappens(t *testing.T) {
	s, err := Parse(`scenario x
host client 10.0.0.1
host server 10.0.0.2
link client server delay 50ms
listen server 80
flow web client server:80
  client hold
  server hold
end 3h
say late on time 2h
say end on end
`)
	require.NoError(t, err)
	r, err := New(s, nil)
	require.NoError(t, err)
	r.Finish()
	said := 0
	last := r.Items(0)[0].At
	for _, i := range r.Items(0) {
		require.GreaterOrEqual(t, i.At, last, "time goes on: %s", i.Kind)
		last = i.At
		if i.Kind == Said {
			said++
		}
	}
	require.Equal(t, 2, said)
}

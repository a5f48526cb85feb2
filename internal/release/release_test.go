package release_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/internal/release"
)

func TestCount(t *testing.T) {
	for value, want := range map[string]int{"": 10, "0": 10, "1": 1000} {
		t.Setenv(release.Variable, value)
		require.Equal(t, want, release.Count(10, 1000))
		require.Equal(t, want == 1000, release.Whole())
	}
}

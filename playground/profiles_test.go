package playground

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The page's table of settings names Linux's values as its manuals do.
func TestProfiles(t *testing.T) {
	all, err := profiles()
	require.NoError(t, err)
	require.Equal(t, "2h", all["linux"]["keepalive-idle"], "tcp_keepalive_time")
	require.Equal(t, "75s", all["linux"]["keepalive-interval"])
	require.Equal(t, "9", all["linux"]["keepalive-count"])
	require.Equal(t, "false", all["linux"]["keepalive"], "it is off by default, RFC 9293 §3.8.4 MUST-25")
	require.Equal(t, "15", all["linux"]["r2"])
	require.Equal(t, "240s", all["rfc9293"]["time-wait"])
	require.Equal(t, "1.5s", short(1500*time.Millisecond))
	require.Equal(t, "0s", short(0))
}

package native

import (
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// A name that the kernel was to number is nobody's name, and is not said.
func TestOpenErrorNames(t *testing.T) {
	require.ErrorContains(t, openError("tun7", syscall.EPERM), "open TUN tun7: needs CAP_NET_ADMIN")
	require.ErrorContains(t, openError("tcpkit%d", syscall.EPERM), "open TUN: needs CAP_NET_ADMIN")
}

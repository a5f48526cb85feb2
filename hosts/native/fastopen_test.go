package native_test

import (
	"context"
	"io"
	"net"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/hosts/native"
)

// The first connection learns a cookie, the second carries its request in the SYN;
// what does not fit follows. Programs see no difference.
//
// Proves: RFC 7413 §4.2
func TestFastOpen(t *testing.T) {
	a, b := pair(t)
	l, err := b.ListenWith(context.Background(), native.ListenConfig{FastOpen: 8}, "tcp", ":80")
	require.NoError(t, err)
	go func() { // an echo that ends when the listener does
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				_, _ = io.Copy(c, c)
				_ = c.Close()
			}()
		}
	}()
	defer l.Close()
	d := native.Dialer{Host: a}
	for i, size := range []int{100, 100, 50_000, 0} {
		request := make([]byte, size)
		for j := range request {
			request[j] = byte(i + j)
		}
		var c net.Conn
		c, err = d.DialFastOpen(context.Background(), "tcp", "10.8.0.2:80", request)
		require.NoError(t, err)
		require.NoError(t, c.(*native.Conn).CloseWrite())
		answer, err := io.ReadAll(c)
		require.NoError(t, err)
		require.Equal(t, request, answer)
		fast := c.(*native.Conn).Info().Options&tcp.OptSynData != 0
		require.Equal(t, i > 0 && size > 0, fast, "connection %d", i)
		require.NoError(t, c.Close())
	}
}

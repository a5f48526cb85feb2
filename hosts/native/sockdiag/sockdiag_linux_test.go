package sockdiag_test

import (
	"net"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/hosts/native/netns/netnstest"
	"github.com/tcpkit/tcpkit/hosts/native/sockdiag"
	"github.com/tcpkit/tcpkit/internal/need"
)

func TestMain(m *testing.M) { netnstest.Run(m) }

func addr(a net.Addr) netip.AddrPort {
	ap := a.(*net.TCPAddr).AddrPort()
	return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())
}

// The kernel's own loopback goes through open, half-close and TIME-WAIT.
func TestLookupFollowsAConnection(t *testing.T) {
	for _, address := range []string{"127.0.0.1:0", "[::1]:0"} {
		t.Run(address, func(t *testing.T) {
			d, err := sockdiag.Open()
			require.NoError(t, err)
			defer d.Close()
			l, err := net.Listen("tcp", address)
			if err != nil {
				need.Missing(t, "no such family here: "+err.Error())
			}
			defer l.Close()
			c, err := net.Dial("tcp", l.Addr().String())
			require.NoError(t, err)
			defer c.Close()
			s, err := l.Accept()
			require.NoError(t, err)
			defer s.Close()
			client, server := addr(c.LocalAddr()), addr(l.Addr())

			state := func(local, remote netip.AddrPort) sockdiag.State {
				s, err := d.Lookup(local, remote)
				require.NoError(t, err)
				require.Equal(t, local, s.Local)
				require.Equal(t, remote, s.Remote)
				return s.State
			}
			require.Equal(t, sockdiag.Established, state(client, server))
			require.Equal(t, sockdiag.Established, state(server, client))
			got, err := d.Lookup(client, server)
			require.NoError(t, err)
			require.NotZero(t, got.Info.SendMSS)
			require.NotZero(t, got.Info.RTO)

			_, err = c.Write([]byte("abc"))
			require.NoError(t, err)
			got, err = d.Lookup(server, client)
			require.NoError(t, err)
			require.EqualValues(t, 3, got.ReadQueue)
			s.Read(make([]byte, 3))

			require.NoError(t, c.(*net.TCPConn).CloseWrite())
			// FIN-WAIT-1 lasts until the delayed ACK.
			require.Contains(t, []sockdiag.State{sockdiag.FinWait1, sockdiag.FinWait2}, state(client, server))
			require.Equal(t, sockdiag.CloseWait, state(server, client))
			require.NoError(t, s.Close())
			require.Equal(t, sockdiag.TimeWait, state(client, server))
			_, err = d.Lookup(server, client)
			require.ErrorIs(t, err, sockdiag.ErrNotFound, "LAST-ACK is over and the listener is no answer")

			all, err := d.List()
			require.NoError(t, err)
			var states []sockdiag.State
			for _, s := range all {
				if s.Local.Port() == server.Port() || s.Remote.Port() == server.Port() {
					states = append(states, s.State)
				}
			}
			require.ElementsMatch(t, []sockdiag.State{sockdiag.Listen, sockdiag.TimeWait}, states)
		})
	}
}

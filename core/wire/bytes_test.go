package wire_test

import (
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/tcpkit/tcpkit/core/wire"
)

func TestLoadsAndStores(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := rapid.Uint64().Draw(t, "v")
		var b, want [8]byte
		binary.BigEndian.PutUint64(want[:], v)
		wire.PutBe64(b[:], v)
		require.Equal(t, want, b)
		require.Equal(t, v, wire.Be64(b[:]))
		require.Equal(t, uint32(v>>32), wire.Be32(b[:]))
		require.Equal(t, uint16(v>>48), wire.Be16(b[:]))
		wire.PutBe32(b[4:], uint32(v>>32))
		wire.PutBe16(b[2:], uint16(v>>48))
		require.Equal(t, []byte{want[0], want[1], want[0], want[1], want[0], want[1], want[2], want[3]}, b[:])

		binary.LittleEndian.PutUint64(want[:], v)
		wire.PutLe64(b[:], v)
		require.Equal(t, want, b)
		require.Equal(t, v, wire.Le64(b[:]))
		require.Equal(t, uint32(v), wire.Le32(b[:]))
		require.Equal(t, uint16(v), wire.Le16(b[:]))
		wire.PutLe32(b[4:], uint32(v))
		wire.PutLe16(b[2:], uint16(v))
		require.Equal(t, []byte{want[0], want[1], want[0], want[1], want[0], want[1], want[2], want[3]}, b[:])
	})
}

func TestErrorsAndFamiliesHaveWords(t *testing.T) {
	require.EqualError(t, wire.ErrAddr, "not an IP address")
	require.EqualError(t, wire.ErrPrefix, "not an IP address and prefix length")
	require.EqualError(t, wire.Error(99), "unknown error")
	require.Equal(t, "IPv4 IPv6 no family", wire.IPv4.String()+" "+wire.IPv6.String()+" "+wire.None.String())
}

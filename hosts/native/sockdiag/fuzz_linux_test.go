package sockdiag

import (
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/require"
)

// FuzzParse: what comes from a netlink socket is read within its bounds, whatever
// lengths it gives of itself.
//
// Proves: S37
func FuzzParse(f *testing.F) {
	message := make([]byte, messageLen)
	message[0], message[1] = 2, 1 // IPv4, ESTABLISHED
	f.Add(message)
	info := make([]byte, 4+100)
	binary.NativeEndian.PutUint16(info, uint16(len(info)))
	binary.NativeEndian.PutUint16(info[2:], attrInfo)
	f.Add(append(message, info...))
	f.Add(append(message, 3, 0, 2, 0))
	f.Fuzz(func(t *testing.T, b []byte) {
		var s Socket
		require.False(t, parse(b, &s) && len(b) < messageLen)
	})
}

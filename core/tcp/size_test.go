package tcp

import (
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"
)

// An idle connection is its TCB alone; DESIGN.md wants it well under 1 KiB, and
// a record in TIME-WAIT within 128 octets.
func TestSizes(t *testing.T) {
	t.Logf("TCB %d octets, TIME-WAIT record %d", unsafe.Sizeof(TCB{}), unsafe.Sizeof(TimeWaitRecord{}))
	// With what a stack adds and the allocator's header this just fits 768 octets; the
	// next size that there is takes an idle connection beyond 900.
	require.LessOrEqual(t, unsafe.Sizeof(TCB{}), uintptr(696))
	require.LessOrEqual(t, unsafe.Sizeof(TimeWaitRecord{}), uintptr(128))
}

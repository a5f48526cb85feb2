package native_test

import (
	"os"
	"strconv"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/hosts/native"
)

// bulkSize is how many octets TestBulkOverABadLink moves in all.
func bulkSize(t *testing.T) int {
	text := os.Getenv("TCPKIT_BULK_MIB")
	if text == "" {
		return 16 << 20
	}
	n, err := strconv.Atoi(text)
	require.NoError(t, err, "TCPKIT_BULK_MIB")
	return n << 20
}

// 64 connections opened by each end move data both ways through loss,
// reordering, duplication, corruption and delay, and all of it arrives. The
// release runs it with TCPKIT_BULK_MIB=1024.
func TestBulkOverABadLink(t *testing.T) {
	const conns = 64
	cfg, err := native.ParseImpair("loss=2%,reorder=1%,dup=0.5%,corrupt=0.5%,delay=10ms")
	require.NoError(t, err)
	h := newHost(t, native.Impair(openTUN(t), cfg, 1), stackLocal)
	kernel, stack := kernelAndStack(h)
	each := bulkSize(t) / (2 * conns) / 2
	var all sync.WaitGroup
	for i := range conns {
		for _, ends := range [][2]network{{kernel, stack}, {stack, kernel}} {
			all.Add(1)
			go func() {
				defer all.Done()
				c, s, err := open(ends[0], ends[1], 4+2*(i%2))
				if err != nil {
					t.Error(err)
					return
				}
				defer s.Close()
				defer c.Close()
				exchange(t, c, s, each)
			}()
		}
	}
	all.Wait()
	stats := h.Stats()
	t.Logf("%d segments out, %d sent again, %d timeouts", stats.SegmentsOut, stats.Retransmits, stats.Timeouts)
}

package sim

import (
	"os"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const flowsEach = 20

func repeatCommand(seed uint64) string {
	return "TCPKIT_SIM_SEED=" + strconv.FormatUint(seed, 10) + " go test ./core/sim -run '^TestRandom$' -v"
}

func connections(t *testing.T) int {
	if s := os.Getenv("TCPKIT_SIM_CONNS"); s != "" {
		n, err := strconv.Atoi(s)
		require.NoError(t, err, "TCPKIT_SIM_CONNS is a number of connections")
		return n
	}
	if testing.Short() {
		return 200
	}
	return 2000
}

func randomWorld(seed uint64) (*World, error) {
	cfg := Random(seed, flowsEach)
	cfg.Repeat = repeatCommand(seed)
	return New(&cfg)
}

func runRandom(t *testing.T, seed uint64) *World {
	defer func() {
		if p := recover(); p != nil {
			t.Errorf("seed %d: panic: %v\nrepeat it: %s", seed, p, repeatCommand(seed))
			panic(p)
		}
	}()
	w, err := randomWorld(seed)
	if err != nil {
		t.Errorf("seed %d: %v", seed, err)
		return nil
	}
	if err := w.Finish(); err != nil {
		t.Error(err)
		return nil
	}
	return w
}

func TestRandom(t *testing.T) {
	if s := os.Getenv("TCPKIT_SIM_SEED"); s != "" {
		seed, err := strconv.ParseUint(s, 10, 64)
		require.NoError(t, err)
		if w := runRandom(t, seed); w != nil {
			t.Logf("%+v", w.Count())
		}
		return
	}
	began := time.Now()
	n := connections(t)
	var next, failed atomic.Int64
	var mu sync.Mutex
	var edges Edges
	var sum Count
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for {
				seed := next.Add(1) - 1
				if seed >= int64(n/flowsEach) || failed.Load() > 5 {
					return
				}
				w := runRandom(t, uint64(seed))
				if w == nil {
					failed.Add(1)
					continue
				}
				e, c := w.Edges(), w.Count()
				mu.Lock()
				edges.Add(&e)
				sum.add(&c)
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	t.Logf("%d connections in %v: %+v", n, time.Since(began), sum)
	require.Zero(t, failed.Load())
	if n >= 20_000 { // the rarest edge is taken by one connection in about 1,700
		requireEdges(t, &edges, true)
	}
}

func (c *Count) add(o *Count) {
	c.Events += o.Events
	c.Packets += o.Packets
	c.Lost += o.Lost
	c.Unroutable += o.Unroutable
	c.TooBig += o.TooBig
	c.Overflowed += o.Overflowed
	c.HeldBack += o.HeldBack
	c.Doubled += o.Doubled
	c.Spoiled += o.Spoiled
	c.Written += o.Written
	c.Read += o.Read
	c.Strangers += o.Strangers
}

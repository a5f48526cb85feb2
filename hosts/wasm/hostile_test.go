//go:build !wasip1

package main

import (
	"encoding/hex"
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/tetratelabs/wazero/api"

	"github.com/tcpkit/tcpkit/hosts/wasm/kit"
)

// checkHostile calls every export that the module has with all that a caller can get
// wrong: handles of nothing, of something else and of what was freed, sizes that the
// buffer does not have, times that run backwards. None traps, what is an error has
// words, and the module works on afterwards.
func checkHostile(t *testing.T, h *host) {
	const text = "scenario x\nhost a 10.0.0.1\nhost b 10.0.0.2\nlink a b delay 1ms\nlisten b 80\nflow f a b:80\n  a write 9\nend 1s\n"
	run := func() uint64 {
		handle, why := h.call("tcpkit_run_new", h.put([]byte(text)), uint64(len(text)))
		require.Positive(t, handle, "%s", why)
		n, _ := h.call("tcpkit_run_finish", uint64(handle))
		require.Zero(t, n)
		return uint64(handle)
	}
	hash := func(run uint64) string {
		_, octets := h.call("tcpkit_run_hash", run)
		return hex.EncodeToString(octets)
	}
	var kept uint64 // whose handle is none of those below
	for kept < 9 {
		kept = run()
	}
	k := nativeKit(t)
	good := hex.EncodeToString(taken(k, k.RunHash(finish(t, k, text))))
	require.Equal(t, good, hash(kept))

	module := caller{T: t, call: h.call, put: h.put}
	for _, name := range exports(h) {
		stack, why := module.stack("10.0.0.1", 1)
		require.Positive(t, stack, "%s", why)
		of := uint64(stack)
		listener, _ := h.call("tcpkit_listen", of, 100, 1, h.put([]byte(":80")))
		conn, _ := h.call("tcpkit_dial", of, 100, h.put([]byte("10.0.0.2:80")))
		require.Positive(t, min(listener, conn))
		gone := run()
		_, _ = h.call("tcpkit_run_free", gone)
		words := []uint64{0, of, uint64(listener), uint64(conn), gone, 20, 1 << 16, 64<<20 + 1, math.MaxInt32, 1 << 31, math.MaxUint32}
		times := []uint64{0, 99, 100, math.MaxInt64, 1 << 63, math.MaxUint64}
		h.put(slices.Repeat([]byte("10.0.0.2:80 \x00\xff"), 100))
		for args := range wrong(h.compiled.ExportedFunctions()[name].ParamTypes(), words, times) {
			checkCall(t, h, name, args)
		}
		_, _ = h.call("tcpkit_stack_free", of)
	}
	require.Equal(t, good, hash(kept), "what was there is what it was")
	require.Equal(t, good, hash(run()), "the module works on")
}

// exports are the names of those that a caller calls, but for the start.
func exports(h *host) (names []string) {
	for name := range h.compiled.ExportedFunctions() {
		if name != "_initialize" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// wrong yields arguments of these types, each with each.
func wrong(types []api.ValueType, words, times []uint64) func(yield func([]uint64) bool) {
	return func(yield func([]uint64) bool) {
		args := make([]uint64, len(types))
		var next func(k int) bool
		next = func(k int) bool {
			if k == len(types) {
				return yield(args)
			}
			values := words
			if types[k] == api.ValueTypeI64 {
				values = times
			}
			for _, v := range values {
				if args[k] = v; !next(k + 1) {
					return false
				}
			}
			return true
		}
		next(0)
	}
}

// checkCall calls an export that must not trap.
func checkCall(t *testing.T, h *host, name string, args []uint64) {
	results, err := h.module.ExportedFunction(name).Call(t.Context(), args...)
	require.NoError(t, err, "%s%d", name, args)
	n := int32(results[0])
	if h.compiled.ExportedFunctions()[name].ResultTypes()[0] == api.ValueTypeI64 || n >= 0 || n == kit.Again {
		return
	}
	why, ok := h.module.Memory().Read(h.buffer(0), uint32(-n))
	require.True(t, ok, "%s%d", name, args)
	require.Regexp(t, "[a-z]+ [a-z]+", string(why[:min(len(why), 1000)]), "%s%d", name, args)
}

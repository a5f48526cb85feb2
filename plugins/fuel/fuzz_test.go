package fuel

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/tetratelabs/wazero"
)

// Whatever the octets, Rewrite returns; what it lets through is valid exactly if
// the original was.
func FuzzRewrite(f *testing.F) {
	for _, p := range programs() {
		f.Add(p.source.bytes())
	}
	for i, o := range opcodes() {
		if i%7 == 0 {
			f.Add(hosting(o).bytes())
		}
	}
	for seed := range uint64(10) {
		f.Add(randomProgram(seed).bytes())
	}
	named := one(nil, nil, nil)
	named.extra = code(byte(sectionCustom), sized(code(sized([]byte("name")), 1, sized(code(1, 0, sized([]byte("first")))))))
	f.Add(named.bytes())
	f.Add(code("\x00asm\x01\x00\x00\x00", byte(sectionCustom), sized(sized([]byte("nothing")))))
	f.Fuzz(func(t *testing.T, wasm []byte) {
		l := DefaultLimits()
		l.Work, l.Code = 100_000, 1<<20 // for speed
		out, err := Rewrite(wasm, l)
		if err != nil {
			var e *Error
			require.ErrorAs(t, err, &e)
			require.NotZero(t, e.Problem)
			require.LessOrEqual(t, e.Offset, len(wasm))
			return
		}
		require.LessOrEqual(t, len(out), l.Code+2*len(wasm)+1000)
		ctx := context.Background()
		rt := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfigCompiler().WithCoreFeatures(features).WithMemoryLimitPages(65536))
		defer rt.Close(ctx)
		_, before := rt.CompileModule(ctx, wasm)
		if before != nil && (strings.Contains(before.Error(), "section custom") || strings.Contains(before.Error(), "custom section")) {
			return // which the rewritten module does not have; wazero refuses some that are well-formed
		}
		_, after := rt.CompileModule(ctx, out)
		require.Equal(t, before == nil, after == nil, "the original: %v; the rewritten: %v", before, after)
	})
}

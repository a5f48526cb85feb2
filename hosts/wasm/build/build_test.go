package build

import (
	"bytes"
	"context"
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/require"
)

// part is one section of a module.
func part(id byte, body ...byte) []byte {
	return append(binary.AppendUvarint([]byte{id}, uint64(len(body))), body...)
}

const moduleHeader = "\x00asm\x01\x00\x00\x00"

func module(sections ...[]byte) []byte {
	return append([]byte(moduleHeader), bytes.Join(sections, nil)...)
}

// segment is an active data segment.
func segment(at int, octets ...byte) []byte {
	b := append(appendSigned([]byte{0, opConst}, int64(at)), opEnd)
	return append(binary.AppendUvarint(b, uint64(len(octets))), octets...)
}

func TestPackJoins(t *testing.T) {
	data := bytes.Join([][]byte{{3}, segment(3000, 7), segment(100, 1, 2), segment(110, 3)}, nil)
	packed, err := Pack(module(part(customSection, 1, 'x', 9), part(3, 0), part(dataSection, data...)))
	require.NoError(t, err)
	want := bytes.Join([][]byte{{2}, segment(100, 1, 2, 0, 0, 0, 0, 0, 0, 0, 0, 3), segment(3000, 7)}, nil)
	require.Equal(t, module(part(3, 0), part(dataSection, want...)), packed)
}

func TestPackRefuses(t *testing.T) {
	good := module(part(dataSection, append([]byte{1}, segment(100, 1, 2)...)...))
	for n := range len(good) - 1 {
		if n != len(moduleHeader) { // a module without sections is one too
			_, err := Pack(good[:n])
			require.ErrorIs(t, err, errDamaged, "%d octets", n)
		}
	}
	_, err := Pack(module(part(dataSection, append([]byte{2}, append(segment(100, 1, 2), segment(101, 3)...)...)...)))
	require.ErrorIs(t, err, errDamaged, "segments overlap")
}

// TestLines holds that the tables of lines are found in what this toolchain
// writes: without that the module would be larger, and nobody would know why.
func TestLines(t *testing.T) {
	wasm, err := Module(context.Background(), "")
	require.NoError(t, err)
	start := bytes.Index(wasm, []byte(tableMagic))
	require.Positive(t, start)
	table := wasm[start:]
	word := func(at int) int { return int(binary.LittleEndian.Uint32(table[at:])) }
	list := word(recordsAt)
	for k := range word(functions) {
		record := list + word(list+8*k+4)
		require.Zero(t, word(record+recordFile))
		require.Zero(t, word(record+recordLine))
		require.Less(t, word(record+recordStack), list-word(programsAt))
	}
}

func FuzzPack(f *testing.F) {
	f.Add(module(part(dataSection, append([]byte{1}, segment(100, 1, 2)...)...)))
	f.Add(module(part(dataSection, append([]byte{1}, segment(100, append([]byte(tableMagic), make([]byte, 100)...)...)...)...)))
	f.Fuzz(func(t *testing.T, wasm []byte) {
		packed, err := Pack(wasm)
		if err != nil {
			return
		}
		again, err := Pack(packed)
		require.NoError(t, err)
		require.Equal(t, packed, again, "what is packed stays as it is")
	})
}

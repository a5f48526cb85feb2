package build

import (
	"bytes"
	"context"
	"encoding/binary"
	"os"
	"os/exec"
	"regexp"
	"strings"
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
	f.Add(module(part(codeSection, append([]byte{1, byte(len(access()))}, access()...)...)))
	f.Add(module(part(dataSection, append([]byte{1}, segment(100, append([]byte(tableMagic), make([]byte, 100)...)...)...)...)))
	f.Add(module(part(codeSection, 1, 5, 0xf0, 0xff, 0xff, 0x57, 0))) // says that it has 184,549,360 groups of locals
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

// floats are what of package strconv is left out.
var floats = regexp.MustCompile(`\b(FormatFloat|AppendFloat|ParseFloat|FormatComplex|ParseComplex)\b`)

// TestNoFloats holds that nothing of ours in the module calls what Pack leaves out.
func TestNoFloats(t *testing.T) {
	cmd := exec.Command("go", "list", "-deps", "-f", "{{$d := .Dir}}{{if not .Standard}}{{range .GoFiles}}{{$d}}/{{.}}\n{{end}}{{end}}", Package)
	cmd.Env = append(os.Environ(), env...)
	out, err := cmd.Output()
	require.NoError(t, err)
	files := strings.Fields(string(out))
	require.Greater(t, len(files), 100)
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		require.NotRegexp(t, floats, string(text), file)
	}
}

func TestUnused(t *testing.T) {
	require.True(t, isUnused("runtime.traceAdvance"))
	require.True(t, isUnused("internal/strconv.ParseFloat"))
	for _, name := range []string{"runtime.traceAcquire", "runtime.traceback2", "internal/strconv.FormatInt", "runtime.mallocgc"} {
		require.False(t, isUnused(name), name)
	}
}

// access is a function that reads from 100 octets above its local 0, and then what
// follows.
func access(between ...byte) []byte {
	f := []byte{1, 1, 0x7f, opLocalGet, 0, opExtend, opConst64, 0xe4, 0, opAdd64, opWrap}
	return append(append(f, between...), opLoad+1, 3, 8, opDrop, opEnd)
}

func TestFoldAddresses(t *testing.T) {
	require.Equal(t, []byte{1, 1, 0x7f, opLocalGet, 0, opLoad + 1, 3, 108, opDrop, opEnd}, foldAddresses(access()))
	stays := access(opLocalTee, 1)
	require.Equal(t, stays, foldAddresses(stays), "the sum itself is wanted")
	stays = access(opBlock, 0x40, opEnd)
	require.Equal(t, stays, foldAddresses(stays), "what a block does is not looked at")
	stays = append(access(), 0xfd, 0)
	require.Equal(t, stays, foldAddresses(stays), "an instruction that is not known")

	store := []byte{0, opLocalGet, 0, opExtend, opConst64, 8, opAdd64, opWrap, opConst64, 0x7f, opConst64, 1, opAdd64, opStore + 1, 3, 0, opEnd}
	require.Equal(t, []byte{0, opLocalGet, 0, opConst64, 0x7f, opConst64, 1, opAdd64, opStore + 1, 3, 8, opEnd}, foldAddresses(store),
		"the value stands between the address and the store")
}

package guest_test

import (
	"bytes"
	"flag"
	"fmt"
	"go/ast"
	"go/constant"
	"go/format"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/plugins/abi"
	kit "github.com/tcpkit/tcpkit/plugins/guest/go"
)

var update = flag.Bool("update", false, "write anew what the kits have from plugins/abi")

// A field of the record: a constant of plugins/abi says where it stands.
type field struct {
	at    string // the constant
	kind  string // u8, u16, u32, u64, i64
	count int    // of an array; 0: it is none
	name  string // in Go; "": the constant's without its first word
}

// record is the buffer of a plugin, from its first octet on.
var record = []field{
	{at: "OffsetSize", kind: "u16"},
	{at: "OffsetHook", kind: "u16"},
	{at: "OffsetSections", kind: "u32"},
	{at: "OffsetNow", kind: "i64"},
	{at: "OffsetConn", kind: "u32"},
	{at: "OffsetPacket", kind: "u32"},
	{at: "OffsetFrom", kind: "u8"},
	{at: "OffsetTo", kind: "u8"},
	{at: "OffsetCause", kind: "u8"},
	{at: "OffsetFamily", kind: "u8"},
	{at: "OffsetRule", kind: "u16"},
	{at: "OffsetReason", kind: "u8"},
	{at: "OffsetBits", kind: "u8"},
	{at: "OffsetLocalPort", kind: "u16"},
	{at: "OffsetRemotePort", kind: "u16"},
	{at: "OffsetSndUNA", kind: "u32"},
	{at: "OffsetSndNXT", kind: "u32"},
	{at: "OffsetSndWND", kind: "u32"},
	{at: "OffsetRcvNXT", kind: "u32"},
	{at: "OffsetRcvWND", kind: "u32"},
	{at: "OffsetISS", kind: "u32"},
	{at: "OffsetIRS", kind: "u32"},
	{at: "SegmentSeq", kind: "u32"},
	{at: "SegmentAck", kind: "u32"},
	{at: "SegmentFlags", kind: "u16"},
	{at: "SegmentWindow", kind: "u16"},
	{at: "SegmentUrgent", kind: "u16"},
	{at: "SegmentHas", kind: "u16"},
	{at: "SegmentPayload", kind: "u32", name: "PayloadSize"},
	{at: "SegmentTSVal", kind: "u32"},
	{at: "SegmentTSEcr", kind: "u32"},
	{at: "SegmentMSS", kind: "u16"},
	{at: "SegmentScale", kind: "u8"},
	{at: "SegmentSACKs", kind: "u8"},
	{at: "SegmentSACK", kind: "u32", count: 6},
	{at: "SegmentTOS", kind: "u8"},
	{at: "SegmentTTL", kind: "u8"},
	{at: "ArgsAt", kind: "u64", count: 8, name: "Args"},
	{at: "AddressAt", kind: "u8", count: 32, name: "Address"},
	{at: "StateAt", kind: "u8", count: abi.StateEnd - abi.StateAt, name: "State"},
	{at: "OptionsAt", kind: "u32", name: "OptionsSize"},
	{at: "OptionsAt+4", kind: "u8", count: abi.OptionsEnd - abi.OptionsAt - 4, name: "Options"},
	{at: "PayloadAt", kind: "u8", count: 65536, name: "Payload"},
}

// control is what stands from the segment on for congestion control.
var control = []field{
	{at: "CCCwnd", kind: "u32"},
	{at: "CCSsthresh", kind: "u32"},
	{at: "CCMSS", kind: "u32"},
	{at: "CCInFlight", kind: "u32"},
	{at: "CCAcked", kind: "u32"},
	{at: "CCLosses", kind: "u32"},
	{at: "CCFlags", kind: "u32"},
	{at: "CCQuantum", kind: "u32"},
	{at: "CCPacing", kind: "u64"},
	{at: "CCDelivered", kind: "u64"},
	{at: "CCInterval", kind: "i64"},
	{at: "CCRTT", kind: "i64"},
	{at: "CCSRTT", kind: "i64"},
	{at: "CCMinRTT", kind: "i64"},
	{at: "CCTimerAt", kind: "i64"},
	{at: "CCIdle", kind: "i64"},
	{at: "CCRTO", kind: "i64"},
	{at: "CCBuffer", kind: "u32"},
	{at: "CCLimit", kind: "u32"},
	{at: "CCTotal", kind: "u64"},
	{at: "CCSince", kind: "i64"},
	{at: "CCMaxRTT", kind: "i64"},
	{at: "CCAcks", kind: "u32"},
	{at: "CCMarked", kind: "u32"},
}

// places are the constants that say where something stands.
var places = regexp.MustCompile(`^(Offset|Segment|CC[A-Z])|At$`)

// notForGuests are constants that concern the host, or that the layout says.
var notForGuests = regexp.MustCompile(`^(Offset|Segment|CC([A-EG-Z]|F[^l])|Export|Import)|(At|End)$|^(Trapped|NoPlugin|ManifestSection|BatchSize|Major|Minor)$`)

// A group is a declaration of constants, with its comment.
type group struct {
	text  string
	names []string
}

// source is plugins/abi, read.
type source struct {
	groups []group
	values map[string]int64
	texts  map[string]string // what stands behind a constant, without its type
}

// typed is how a comment on a place begins.
var typed = regexp.MustCompile(`^[ui](8|16|32|64)(: |$)`)

func readABI(t *testing.T) source {
	t.Helper()
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, "../abi/abi.go", nil, parser.ParseComments)
	require.NoError(t, err)
	pkg, err := (&types.Config{Importer: importer.Default()}).Check("abi", fset, []*ast.File{file}, nil)
	require.NoError(t, err)
	s := source{values: map[string]int64{}, texts: map[string]string{}}
	for _, d := range file.Decls {
		decl, ok := d.(*ast.GenDecl)
		if !ok || decl.Tok != token.CONST {
			continue
		}
		g := group{text: strings.Join(strings.Fields(decl.Doc.Text()), " ")}
		for _, spec := range decl.Specs {
			for _, name := range spec.(*ast.ValueSpec).Names {
				if v, exact := constant.Int64Val(constant.ToInt(pkg.Scope().Lookup(name.Name).(*types.Const).Val())); exact {
					s.values[name.Name] = v
					s.texts[name.Name] = typed.ReplaceAllString(strings.TrimSpace(spec.(*ast.ValueSpec).Comment.Text()), "")
					g.names = append(g.names, name.Name)
				}
			}
		}
		s.groups = append(s.groups, g)
	}
	return s
}

// at is where a field stands.
func (s *source) at(t *testing.T, f field) int64 {
	t.Helper()
	name, more := f.at, int64(0)
	if cut, ok := strings.CutSuffix(name, "+4"); ok {
		name, more = cut, 4
	}
	v, ok := s.values[name]
	require.True(t, ok, "plugins/abi has no %s", name)
	return v + more
}

// A line of a language's structure, or a gap in it.
type line struct {
	field
	at   int64
	gap  int    // octets of nothing, if this is a gap
	text string // where it stands, and what it is
}

// layout sets gaps between fields. It fails where fields overlap, or stand at no
// multiple of their size.
func (s *source) layout(t *testing.T, fields []field, from int64) (lines []line, size int64) {
	t.Helper()
	cursor, most := from, int64(0)
	for _, f := range fields {
		at, width := s.at(t, f), widths[f.kind]
		require.GreaterOrEqual(t, at, cursor, f.at)
		require.Zero(t, at%width, "%s is not aligned", f.at)
		if at > cursor {
			lines = append(lines, line{at: cursor, gap: int(at - cursor)})
		}
		if f.name == "" {
			f.name = regexp.MustCompile(`^(Offset|Segment|CC)`).ReplaceAllString(f.at, "")
		}
		text := strconv.FormatInt(at, 10)
		if what := s.texts[f.at]; what != "" {
			text += ": " + what
		}
		lines = append(lines, line{field: f, at: at, text: text})
		cursor, most = at+width*int64(max(1, f.count)), max(most, width)
	}
	if odd := cursor % most; odd != 0 {
		lines = append(lines, line{at: cursor, gap: int(most - odd)})
		cursor += most - odd
	}
	return lines, cursor
}

var widths = map[string]int64{"u8": 1, "u16": 2, "u32": 4, "u64": 8, "i64": 8}

// guestGroups are the constants that a guest needs.
func (s *source) guestGroups() (groups []group) {
	for _, g := range s.groups {
		g.names = slices.DeleteFunc(slices.Clone(g.names), notForGuests.MatchString)
		if len(g.names) > 0 {
			groups = append(groups, g)
		}
	}
	return groups
}

// words separates the words of a name in Go by _, in lower case.
func words(name string) string {
	name = strings.ReplaceAll(name, "SACKs", "Sacks")
	if rest, ok := strings.CutPrefix(name, "HookCC"); ok {
		return "hook_cc_" + words(rest)
	}
	var b strings.Builder
	r := []rune(name)
	for i, c := range r {
		begins := unicode.IsUpper(c) && i > 0 && (!unicode.IsUpper(r[i-1]) || i+1 < len(r) && unicode.IsLower(r[i+1]))
		if begins || unicode.IsDigit(c) && i > 0 {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToLower(c))
	}
	return b.String()
}

func camel(name string) string {
	var b strings.Builder
	for i, w := range strings.Split(words(name), "_") {
		if i > 0 {
			w = strings.ToUpper(w[:1]) + w[1:]
		}
		b.WriteString(w)
	}
	return b.String()
}

func (s *source) goKit(t *testing.T) string {
	var b bytes.Buffer
	b.WriteString("// Code generated from plugins/abi by go test ./plugins/guest -update. DO NOT EDIT.\n\npackage guest\n")
	for _, g := range s.guestGroups() {
		fmt.Fprintf(&b, "\n// %s\nconst (\n", g.text)
		for _, name := range g.names {
			fmt.Fprintf(&b, "%s = %#x\n", name, s.values[name])
		}
		b.WriteString(")\n")
	}
	kinds := map[string]string{"u8": "uint8", "u16": "uint16", "u32": "uint32", "u64": "uint64", "i64": "int64"}
	write := func(doc, name string, fields []field, from int64) {
		lines, _ := s.layout(t, fields, from)
		fmt.Fprintf(&b, "\n// %s\ntype %s struct {\n", doc, name)
		for _, l := range lines {
			switch kind := kinds[l.kind]; {
			case l.gap > 0:
				fmt.Fprintf(&b, "_ [%d]byte\n", l.gap)
			case l.count > 0:
				fmt.Fprintf(&b, "%s [%d]%s // %s\n", l.name, l.count, kind, l.text)
			default:
				fmt.Fprintf(&b, "%s %s // %s\n", l.name, kind, l.text)
			}
		}
		b.WriteString("}\n")
	}
	write("A Buffer is a record and its sections.", "Buffer", record, 0)
	write("A Controller is what a hook of congestion control is told and says.", "Controller", control, s.values["CCCwnd"])
	out, err := format.Source(b.Bytes())
	require.NoError(t, err)
	return string(out)
}

func (s *source) cKit(t *testing.T) string {
	var b strings.Builder
	for _, g := range s.guestGroups() {
		fmt.Fprintf(&b, "\n/* %s */\n", g.text)
		for _, name := range g.names {
			fmt.Fprintf(&b, "#define TCPKIT_%s %#x\n", strings.ToUpper(words(name)), s.values[name])
		}
	}
	write := func(name string, fields []field, from int64, indent string) (gaps int) {
		lines, size := s.layout(t, fields, from)
		for _, l := range lines {
			kind := map[bool]string{true: "int64_t", false: "uint" + strings.TrimLeft(l.kind, "ui") + "_t"}[l.kind == "i64"]
			switch {
			case l.gap > 0:
				fmt.Fprintf(&b, "%suint8_t gap_%d[%d];\n", indent, l.at, l.gap)
			case l.count > 0:
				fmt.Fprintf(&b, "%s%s %s[%d]; /* %s */\n", indent, kind, words(l.name), l.count, l.text)
			default:
				fmt.Fprintf(&b, "%s%s %s; /* %s */\n", indent, kind, words(l.name), l.text)
			}
		}
		return int(size)
	}
	b.WriteString("\n/* What a hook of congestion control has in place of the segment and the arguments. */\nstruct tcpkit_controller {\n")
	write("controller", control, s.values["CCCwnd"], "\t")
	b.WriteString("};\n\n/* A record and its sections. */\nstruct tcpkit_record {\n")
	split := slices.IndexFunc(record, func(f field) bool { return f.at == "SegmentSeq" })
	write("record", record[:split], 0, "\t")
	b.WriteString("\tunion {\n\t\tstruct {\n")
	size := write("record", record[split:], s.values["SegmentSeq"], "\t\t\t")
	b.WriteString("\t\t};\n\t\tstruct tcpkit_controller cc;\n\t};\n};\n\n")
	fmt.Fprintf(&b, "_Static_assert(sizeof(struct tcpkit_record) == %d, \"the record's layout\");\n\n", size)
	return b.String()
}

func (s *source) asKit(t *testing.T) string {
	var b strings.Builder
	_, size := s.layout(t, record, 0)
	constants := func(names []string) {
		for _, name := range names {
			kind := "u32"
			if strings.HasPrefix(name, "Field") || slices.Contains(s.verdicts(), name) {
				kind = "i64"
			}
			fmt.Fprintf(&b, "// @ts-ignore: decorator\n@inline export const %s: %s = %#x;\n", strings.ToUpper(words(name)), kind, s.values[name])
		}
	}
	for _, g := range s.guestGroups() {
		fmt.Fprintf(&b, "\n// %s\n", g.text)
		constants(g.names)
	}
	b.WriteString("\n// Where the sections stand, and where the octets of options begin.\n")
	constants([]string{"ArgsAt", "AddressAt", "StateAt", "OptionsAt", "PayloadAt"})
	fmt.Fprintf(&b, "// @ts-ignore: decorator\n@inline export const CONTROL_AT: u32 = %d;\n// @ts-ignore: decorator\n@inline export const BUFFER_SIZE: u32 = %d;\n",
		s.values["CCCwnd"], size)
	write := func(doc, name string, fields []field, from int64) {
		lines, _ := s.layout(t, fields, from)
		fmt.Fprintf(&b, "\n// %s\n@unmanaged export class %s {\n", doc, name)
		for _, l := range lines {
			for gap := 0; gap < l.gap; gap++ {
				fmt.Fprintf(&b, "  private _%d: u8;\n", int(l.at)+gap)
			}
			if l.gap > 0 {
				continue
			}
			if l.count == 0 {
				fmt.Fprintf(&b, "  %s: %s; // %s\n", camel(l.name), l.kind, l.text)
			}
			for i := range l.count {
				fmt.Fprintf(&b, "  %s%d: %s; // %d\n", strings.TrimSuffix(camel(l.name), "s"), i, l.kind, l.at+int64(i)*widths[l.kind])
			}
		}
		b.WriteString("}\n")
	}
	last := slices.IndexFunc(record, func(f field) bool { return f.at == "AddressAt" })
	write("A record and its arguments. Sections behind them are reached by octet().", "Record", record[:last], 0)
	write("What a hook of congestion control has in place of the segment and the arguments.", "Control", control, s.values["CCCwnd"])
	b.WriteByte('\n')
	return b.String()
}

// verdicts are the names of the verdicts.
func (s *source) verdicts() []string {
	i := slices.IndexFunc(s.groups, func(g group) bool { return slices.Contains(g.names, "Mutated") })
	return s.groups[i].names
}

func (s *source) watKit(t *testing.T) string {
	var b strings.Builder
	write := func(doc string, fields []field, from int64) {
		lines, _ := s.layout(t, fields, from)
		fmt.Fprintf(&b, ";;\n;; %s\n", doc)
		for _, l := range lines {
			kind := l.kind
			if l.count > 0 {
				kind = fmt.Sprintf("%d times %s", l.count, kind)
			}
			if l.gap == 0 {
				fmt.Fprintf(&b, ";; %5d %s %s\n", l.at, kind, words(l.name))
			}
		}
	}
	write("The record.", record, 0)
	write("For congestion control, in place of the segment and the arguments.", control, s.values["CCCwnd"])
	for _, g := range s.guestGroups() {
		fmt.Fprintf(&b, ";;\n;; %s\n", g.text)
		for _, name := range g.names {
			fmt.Fprintf(&b, ";; %#7x %s\n", s.values[name], words(name))
		}
	}
	return b.String()
}

// TestKits holds what is generated in the kits to plugins/abi.
func TestKits(t *testing.T) {
	s := readABI(t)
	for path, text := range map[string]string{
		"go/abi.go":       s.goKit(t),
		"c/tcpkit.h":      s.cKit(t),
		"as/tcpkit.ts":    s.asKit(t),
		"wat/prelude.wat": s.watKit(t),
	} {
		if *update && path == "go/abi.go" {
			require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
		}
		file, err := os.ReadFile(path)
		require.NoError(t, err)
		got, want := string(file), text
		if path != "go/abi.go" {
			head, rest, ok := strings.Cut(got, "BEGIN plugins/abi")
			require.True(t, ok, path)
			first, rest, ok := strings.Cut(rest, "\n")
			require.True(t, ok, path)
			end := regexp.MustCompile(`(?m)^.. END`).FindStringIndex(rest)
			require.NotNil(t, end, path)
			want = head + "BEGIN plugins/abi" + first + "\n" + text + rest[end[0]:]
			if *update {
				require.NoError(t, os.WriteFile(path, []byte(want), 0o644))
				got = want
			}
		}
		require.Equal(t, want, got, "%s is not what plugins/abi says: go test ./plugins/guest -update", path)
	}
}

// TestEveryPlace: the layouts above leave nothing out.
func TestEveryPlace(t *testing.T) {
	s := readABI(t)
	named := map[string]bool{}
	for _, f := range slices.Concat(record, control) {
		named[f.at] = true
	}
	for name := range s.values {
		if places.MatchString(name) && !strings.HasSuffix(name, "End") && !strings.HasPrefix(name, "CCFlag") || name == "CCFlags" {
			require.True(t, named[name], "%s has no field in the kits", name)
		}
	}
}

// TestLayout: the compiler puts the fields of the Go kit where they belong. That
// of C checks its own, by the size in the header.
func TestLayout(t *testing.T) {
	s := readABI(t)
	check := func(of reflect.Type, fields []field, from int64) {
		lines, size := s.layout(t, fields, from)
		for _, l := range lines {
			if l.gap == 0 {
				f, ok := of.FieldByName(l.name)
				require.True(t, ok, l.name)
				require.Equal(t, l.at, from+int64(f.Offset), l.name)
			}
		}
		require.Equal(t, size, from+int64(of.Size()))
	}
	check(reflect.TypeFor[kit.Buffer](), record, 0)
	check(reflect.TypeFor[kit.Controller](), control, s.values["CCCwnd"])
}

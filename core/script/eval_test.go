package script

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func runCode(t *testing.T, src string) (string, *failure) {
	t.Helper()
	prog, err := parseProgram(src, Pos{1, 1})
	if err != nil {
		t.Fatal(err)
	}
	s := scope{vars: map[string]value{"tcpi_rtt": intValue(100000), "TCP_CLOSE": intValue(7)}}
	f := s.run(prog)
	return string(s.output), f
}

func TestEval(t *testing.T) {
	for _, c := range []struct{ src, want string }{
		{"print(1 + 2 * 3, (1 + 2) * 3, 2 ** 3 ** 2, -2 ** 2, 7 // 2, -7 // 2, -7 % 3, 7 % -3)", "7 9 512 -4 3 -4 2 -2"},
		{"print(1 / 2, 4 / 2, 1 / 3, -1 / 4, 0.5 + 0.25, 0.5 * 4, 0.5 == 1 / 2, 7.5 // 2)", "0.5 2.0 0.333333 -0.25 0.75 2.0 True 3.0"},
		{"print(0x10, 0o17, 0b11, 0x10 | 1, 6 & 3, 6 ^ 3, 1 << 4, 256 >> 4, ~0)", "16 15 3 17 2 5 16 16 -1"},
		{"print(1 < 2 < 3, 1 < 3 < 2, 1 == 1 != 2, 98000 <= tcpi_rtt <= 110000)", "True False True True"},
		{"print(True and 5, 0 or 'x', not 1, not 0 == 1, True == 1)", "5 x False True True"},
		{"print('a' 'b', 'a' + \"b\", 'x' < 'y', 'x' == 1, None == None)", "ab ab True False True"},
		{"print('%d %s %r %x %5.2f|%-4d|%04d%%' % (5, 'a', 'b', 255, 2 / 3, 7, 42))", "5 a \"b\" ff  0.66|7   |0042%"},
		{"print('%d' % 5, '%s' % ((1, 2),))", "5 (1, 2)"},
		{"print(abs(-5), min(3, 1, 2), max((3, 9)), int(7 / 2), int('12'), str(5) + 'x', len('abc'), round(2.5), round(3.5), round(-2.5), round(2.4), bool(3), float(2))", "5 1 9 3 12 5x 3 2 4 -2 2 True 2.0"},
		{"x = 5; x += 2\nx -= 1\nx *= 4; x //= 5; x <<= 2; x |= 1; print(x)", "17"},
		{"x = 1, 2\nprint(x, 1 in x, 3 not in x, 1 if x else 2)", "(1, 2) True True 1"},
		{"print 1, 2", "1 2"},
		{"print(1, # not the end\n  2)\npass", "1 2"},
		{"assert TCP_CLOSE == 7; assert 1 \\\n == 1", ""},
	} {
		got, f := runCode(t, c.src)
		require.Nil(t, f, c.src)
		if c.want != "" {
			c.want += "\n"
		}
		require.Equal(t, c.want, got, c.src)
	}
}

func TestEvalFailures(t *testing.T) {
	for _, c := range []struct{ src, want string }{
		{"assert tcpi_rtt == 5, 'rtt %d' % tcpi_rtt", "assert tcpi_rtt == 5 does not hold with tcpi_rtt = 100000: rtt 100000"},
		{"x = 1; assert x > 1 and x > 1", "assert x > 1 and x > 1 does not hold with x = 1"},
		{"assert False", "assert False does not hold"},
		{"y", "the name y is not known here"},
		{"1 / 0", "a division by zero"},
		{"1 // 0", "a division by zero"},
		{"9223372036854775807 + 1", tooLarge},
		{"-9223372036854775807 - 2", tooLarge},
		{"4611686018427387904 * 2", tooLarge},
		{"10 ** 19", tooLarge},
		{"1 << 63", tooLarge},
		{"1 << 100000000000", tooLarge},
		{"'a' + 1", "expected numbers around the +"},
		{"'a' < 1", "expected two values that can be ordered around the <"},
		{"'%d' % 'x'", "expected a number for %d"},
		{"'%d %d' % 5", "more % in the format than arguments"},
		{"'%d' % (5, 6)", "fewer % in the format than arguments"},
		{"'%'  % 5", "a format that ends in %"},
		{"abs('x')", "an argument that abs cannot take"},
		{"x = 'aaaaaaaaaaaaaaaa'" + repeat("; x += x", 30), "a string that is too long"},
		{"x = 1" + repeat("; x = x, x", 30), "a tuple that is too large"},
	} {
		_, f := runCode(t, c.src)
		require.NotNil(t, f, c.src)
		require.Equal(t, c.want, f.msg, c.src)
		require.False(t, f.unsupported)
	}
	_, f := runCode(t, "assert tcpi_no_such_field == 1")
	require.True(t, f.unsupported, "a field that the runner does not have is no failure of the stack")
}

func repeat(s string, n int) string {
	r := ""
	for range n {
		r += s
	}
	return r
}

package narrate

import "strings"

// wide are the characters that take two columns: those of East Asian Width W and
// F that words and signs are written with (Unicode, UAX #11). Characters whose width
// is ambiguous, the lines and arrows of drawings among them, take one.
var wide = [...][2]rune{
	{0x1100, 0x115f}, {0x2e80, 0x303e}, {0x3041, 0x33ff}, {0x3400, 0x4dbf}, {0x4e00, 0x9fff},
	{0xa000, 0xa4cf}, {0xa960, 0xa97f}, {0xac00, 0xd7a3}, {0xf900, 0xfaff}, {0xfe30, 0xfe6f},
	{0xff01, 0xff60}, {0xffe0, 0xffe6}, {0x1f300, 0x1faff}, {0x20000, 0x3fffd},
}

// Width is how many columns of a terminal s takes.
func Width(s string) int {
	n := 0
	for _, r := range s {
		n += widthOf(r)
	}
	return n
}

func widthOf(r rune) int {
	switch {
	case r < 0x20 || r >= 0x7f && r < 0xa0:
		return 0
	case r >= 0x300 && r <= 0x36f || r >= 0x200b && r <= 0x200f || r >= 0xfe00 && r <= 0xfe0f:
		return 0 // combining, or of no width
	}
	for _, w := range wide {
		if r >= w[0] && r <= w[1] {
			return 2
		}
	}
	return 1
}

// Pad fills s with spaces on its right up to a width.
func Pad(s string, width int) string { return s + strings.Repeat(" ", max(0, width-Width(s))) }

// PadLeft fills s with spaces on its left up to a width.
func PadLeft(s string, width int) string { return strings.Repeat(" ", max(0, width-Width(s))) + s }

// Wrap cuts s into lines of at most width columns, between words, or between
// Chinese characters, of which none that closes begins a line and none that opens
// ends one. A single word that is wider has a line for itself.
func Wrap(s string, width int) []string {
	var lines []string
	line, used := "", 0
	for _, piece := range pieces(s) {
		n := Width(piece)
		if trimmed := Width(strings.TrimRight(piece, " ")); used > 0 && used+trimmed > width {
			lines = append(lines, strings.TrimRight(line, " "))
			line, used = "", 0
		}
		line += piece
		used += n
	}
	if line != "" {
		lines = append(lines, strings.TrimRight(line, " "))
	}
	return lines
}

const (
	closers = "，。；：、！？）》」』】,.;:!?)]}"
	openers = "（《「『【([{"
)

// pieces cuts s where a line may end. Spaces belong to the piece before them.
func pieces(s string) []string {
	var all []string
	var last rune
	start := 0
	for i, r := range s {
		cut := last == ' ' && r != ' ' ||
			last != 0 && r != ' ' && (widthOf(r) == 2 || widthOf(last) == 2)
		if strings.ContainsRune(closers, r) || strings.ContainsRune(openers, last) {
			cut = false
		}
		if cut {
			all = append(all, s[start:i])
			start = i
		}
		last = r
	}
	return append(all, s[start:])
}

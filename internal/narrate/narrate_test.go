package narrate

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/core/rule"
)

func Example() {
	fmt.Println(English.Say(Syn, "from", "the kernel"))
	fmt.Println(Chinese.Say(Syn, "from", "tcpkit"))
	fmt.Println(Chinese.Rule(rule.AckEstablishes))
	// Output:
	// The kernel asks to connect and names its first sequence number.
	// tcpkit 请求建立连接，并告知自己的初始序号。
	// 我方的 SYN 得到确认，连接建立
}

// Every id has words in every language, which name the same things.
func TestEverythingHasWords(t *testing.T) {
	braces := regexp.MustCompile(`\{(\w+)\}`)
	names := func(s string) map[string]bool {
		all := map[string]bool{}
		for _, m := range braces.FindAllStringSubmatch(s, -1) {
			all[strings.ToLower(m[1])] = true
		}
		return all
	}
	for id := Nothing + 1; id < texts_; id++ {
		w := texts[id].words
		require.NotEmpty(t, w[English], "%d", id)
		require.NotEmpty(t, w[Chinese], w[English])
		require.Equal(t, names(w[English]), names(w[Chinese]), w[English])
		require.Regexp(t, `^3(\.\d+)+$`, id.Section(), w[English])
	}
	for _, r := range rule.Rows()[1:] {
		require.NotEmpty(t, rulesZH[r.ID], "the Chinese text of %s: %s", r.Name, r.Text)
		require.Equal(t, r.Text, English.Rule(r.ID))
	}
	require.Len(t, rulesZH, len(rule.Rows())-1)
	require.Empty(t, Chinese.Rule(rule.None))
}

// What is Chinese is set as Chinese is: its own signs, and a space between it
// and Latin letters.
func TestChineseIsSetWell(t *testing.T) {
	check := func(s string) {
		t.Helper()
		s = braced.ReplaceAllString(s, "内核")
		require.NotRegexp(t, `\p{Han}[,.;:!?()]|[,.;:!?()]\p{Han}`, s, "a sign of Latin script beside Chinese")
		require.NotRegexp(t, `\p{Han}[A-Za-z0-9]|[A-Za-z0-9]\p{Han}`, spaced(s), "no space between the scripts")
		require.NotContains(t, s, "  ")
		require.NotRegexp(t, ` [，。；：、（）]|[，。；：、（）] `, s, "a space beside a wide sign")
	}
	for id := Nothing + 1; id < texts_; id++ {
		check(texts[id].words[Chinese])
	}
	for _, s := range rulesZH {
		check(s)
	}
}

var braced = regexp.MustCompile(`\{\w+\}`)

func TestParseLang(t *testing.T) {
	for s, want := range map[string]Lang{"en": English, "EN": English, "en_GB.UTF-8": English, "C.UTF-8": English,
		"zh": Chinese, "zh_CN.UTF-8": Chinese, "zh-Hans": Chinese, "中文": Chinese} {
		got, ok := ParseLang(s)
		require.True(t, ok, s)
		require.Equal(t, want, got, s)
	}
	for _, s := range []string{"", "fr", "zhx"} {
		_, ok := ParseLang(s)
		require.False(t, ok, s)
	}
	require.Equal(t, "en", English.String())
	require.Equal(t, "zh", Chinese.String())
}

func TestWidth(t *testing.T) {
	for s, want := range map[string]int{"": 0, "abc": 3, "中文": 4, "（）": 4, "─►": 2, "é": 1, "e\u0301": 1, "한": 2, "。": 2, "\x1b": 0, "😀": 2, "·": 1} {
		require.Equal(t, want, Width(s), s)
	}
	require.Equal(t, "中  ", Pad("中", 4))
	require.Equal(t, "  中", PadLeft("中", 4))
	require.Equal(t, "中文", Pad("中文", 3))
}

func TestWrap(t *testing.T) {
	require.Equal(t, []string{"the quick", "brown fox"}, Wrap("the quick brown fox", 9))
	require.Equal(t, []string{"a", "muchtoolong", "word"}, Wrap("a muchtoolong word", 5))
	require.Equal(t, []string{"三次握", "手，四", "次挥手"}, Wrap("三次握手，四次挥手", 6))
	require.Equal(t, []string{"三次握", "手（四", "次）挥", "手"}, Wrap("三次握手（四次）挥手", 7))
	require.Equal(t, []string{"确认 SYN", "之后"}, Wrap("确认 SYN 之后", 8))
	require.Empty(t, Wrap("", 8))
	for width := 8; width < 40; width++ {
		for id := Nothing + 1; id < texts_; id++ {
			for _, words := range texts[id].words {
				lines := Wrap(words, width)
				for _, line := range lines {
					if strings.ContainsRune(line, ' ') { // more than one piece
						require.LessOrEqual(t, Width(line), width+2, line)
					}
					first, _ := firstRune(line)
					require.False(t, strings.ContainsRune(closers, first), "%q begins a line", line)
				}
				require.Equal(t, strings.ReplaceAll(words, " ", ""), strings.ReplaceAll(strings.Join(lines, ""), " ", ""))
			}
		}
	}
}

func firstRune(s string) (rune, bool) {
	for _, r := range s {
		return r, true
	}
	return 0, false
}

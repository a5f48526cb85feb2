package catalogue

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/core/rule"
	"github.com/tcpkit/tcpkit/core/tcp"
)

func Example() {
	c := Shipped()
	s, _ := c.Scenario("h1")
	title, _ := c.Word("zh", s.ID+".title")
	fmt.Println(s.ID, s.Chapter, s.Place, title)
	// Output: H1 handshake 1 三次握手
}

// rows are the behaviours that the catalogue has to show.
var rows = strings.Fields(`
	H1 H2 H3 H4 H5 H6 H7 H8 H9 H10 H11 H12 H13 H14
	D1 D2 D3 D4 D5 D6 D7 D8
	F1 F2 F3 F4 F5 F6 F7
	W1 W2 W3 W4 W5 W6 W7
	K1 K2a K2b K2c K2d K3 K4 K5
	U1 U2 U3 U4 L1 X1 X2`)

// claims is how many popular statements there are, C1 to C29.
const claims = 29

func TestShippedLoads(t *testing.T) {
	_, err := Load(files)
	require.NoError(t, err)
}

func TestBothLanguagesHaveTheSameIDs(t *testing.T) {
	c := Shipped()
	en, zh := c.IDs("en"), c.IDs("zh")
	for _, id := range en {
		require.Contains(t, zh, id, "words/zh lacks it")
	}
	for _, id := range zh {
		require.Contains(t, en, id, "words/en lacks it")
	}
}

func TestEveryRowHasItsScenario(t *testing.T) {
	c := Shipped()
	shown := map[string]bool{}
	for _, s := range c.Scenarios() {
		for _, row := range s.Rows {
			if s.Compare != "" && row == s.ID && !slices.Contains(rows, row) {
				continue // a what-if that names no row belongs to the one that it is compared with
			}
			require.Contains(t, rows, row, "%s shows a row that the table hasn't", s.ID)
			shown[row] = true
		}
	}
	for _, row := range rows {
		_, named := c.Scenario(row)
		require.True(t, shown[row] && named, "row %s: shown %v, a scenario of that name %v", row, shown[row], named)
	}
}

func TestEveryClaimIsPutRightSomewhere(t *testing.T) {
	c := Shipped()
	attached := map[string]bool{}
	for _, s := range c.Scenarios() {
		for _, id := range s.Corrects {
			n, err := strconv.Atoi(strings.TrimPrefix(id, "C"))
			require.True(t, err == nil && n >= 1 && n <= claims, "%s corrects %s, and there are C1 to C%d", s.ID, id, claims)
			attached[id] = true
		}
	}
	for n := 1; n <= claims; n++ {
		id := fmt.Sprint("C", n)
		missing := ""
		if !attached[id] {
			missing = "no scenario corrects it"
		}
		for _, lang := range Languages {
			for _, part := range []string{".claim", ".precise"} {
				if _, ok := c.Word(lang, id+part); !ok {
					missing = lang + " lacks " + id + part
				}
			}
		}
		require.Empty(t, missing, id)
	}
}

// What a scenario needs words for has them.
func TestEveryScenarioHasItsWords(t *testing.T) {
	c := Shipped()
	place := map[string]string{}
	for _, s := range c.Scenarios() {
		need := []string{s.ID + ".title", s.ID + ".question", s.ID + ".summary"}
		for _, m := range regexp.MustCompile(`(?m)^say (\S+)`).FindAllStringSubmatch(s.Text, -1) {
			need = append(need, m[1])
		}
		for _, lang := range Languages {
			for _, id := range need {
				_, ok := c.Word(lang, id)
				require.True(t, ok, "%s needs the words of %s in words/%s", s.ID, id, lang)
			}
		}
		if s.Compare != "" {
			_, ok := c.Scenario(s.Compare)
			require.True(t, ok, "%s compares with %s, which is not there", s.ID, s.Compare)
		} else {
			require.NotEmpty(t, s.Chapter, "%s has no line \"lesson CHAPTER PLACE\"", s.ID)
		}
		if s.Chapter != "" {
			at := fmt.Sprint(s.Chapter, s.Place)
			require.Empty(t, place[at], "%s has that place in the lessons too: %s %d", s.ID, s.Chapter, s.Place)
			place[at] = s.ID
		}
	}
	for _, chapter := range Chapters {
		for _, lang := range Languages {
			_, ok := c.Word(lang, "chapter."+chapter)
			require.True(t, ok, chapter)
		}
	}
}

// Everything that the engine names is explained, and nothing else.
func TestEverythingIsExplained(t *testing.T) {
	c := Shipped()
	want := map[string]bool{}
	for s := tcp.Closed; s <= tcp.TimeWait; s++ {
		want["state."+s.String()] = true
	}
	for d := rule.NotDropped + 1; d < rule.DropCount; d++ {
		want["drop."+d.String()] = true
	}
	for slot := uint8(0); tcp.TimerName(slot) != "unknown"; slot++ {
		want["timer."+tcp.TimerName(slot)] = true
	}
	for id := range want {
		_, ok := c.Word("en", id)
		require.True(t, ok, id)
	}
	for _, id := range c.IDs("en") {
		kind, _, _ := strings.Cut(id, ".")
		if (kind == "state" || kind == "drop" || kind == "timer") && !strings.HasSuffix(id, ".name") {
			require.True(t, want[id], "the engine has no %s", id)
		}
		switch kind {
		case "state", "flag", "option", "timer", "term":
			_, ok := c.Word("en", strings.TrimSuffix(id, ".name")+".name")
			require.True(t, ok, "%s lacks its name", id)
		}
	}
}

// The index speaks of what there is.
func TestIndex(t *testing.T) {
	c := Shipped()
	known := func(id string) bool {
		_, ok := c.Word("en", id)
		return ok || slices.Contains(rows, id) || regexp.MustCompile(`^C([1-9]|1\d|2\d)$`).MatchString(id)
	}
	for id := range c.index {
		of, found := strings.CutSuffix(id, ".also")
		if !found {
			of, found = strings.CutSuffix(id, ".see")
			for _, to := range c.See(of) {
				require.True(t, known(to), "%s: no %s", id, to)
			}
		}
		require.True(t, found && known(of), id)
	}
	require.Contains(t, c.Also("state.SYN-RECEIVED"), "SYN_RCVD")
	require.Empty(t, c.Also("state.NONE"))
}

// Chinese is set as Chinese is: its own signs, and a space between it and Latin
// letters; narrate's words are held to the same.
func TestChineseIsSetWell(t *testing.T) {
	for id, s := range Shipped().Words("zh") {
		require.NotRegexp(t, `\p{Han}[,.;:!?()]|[,;:!?()]\p{Han}`, s, "%s: a sign of Latin script beside Chinese", id)
		require.NotRegexp(t, `\p{Han}[A-Za-z0-9]|[A-Za-z0-9]\p{Han}`, s, "%s: no space between the scripts", id)
		require.NotRegexp(t, ` [，。；：、（）]|[，。；：、（）] |  `, s, "%s: a space beside a wide sign", id)
		if strings.HasPrefix(id, "term.") || strings.HasSuffix(id, ".claim") || id == "C13.precise" || id == "C26.precise" {
			continue // these speak of other spellings
		}
		require.NotRegexp(t, `SYN_SENT|SYN_RCVD|SYN-RCVD|CLOSED-WAIT|TIME_WAIT|CLOSE_WAIT|FIN_WAIT|LAST_ACK`, s, "%s: states have the RFC's names", id)
	}
}

// One thing has one name in Chinese. What is often said wrongly may use another.
func TestOneChineseWordForOneThing(t *testing.T) {
	instead := map[string]string{
		"重发": "重传", "序列号": "序号", "坚持定时器": "持续定时器", "计时器": "定时器", "数据包": "分组", "对端": "对方",
		"空洞": "缺口", "失序": "乱序", "不变量": "不变式", "两将军": "两军问题", "到期": "超时", "重置": "复位", "侦听": "监听",
		"同步收到": "同步已接收", "慢开始": "慢启动", "窗口缩放": "窗口扩大", "报头": "首部", "这条连接": "这个连接", "通俗": "大白话",
	}
	for id, s := range Shipped().Words("zh") {
		for word, want := range instead {
			if !strings.HasSuffix(id, ".claim") {
				require.NotContains(t, strings.ReplaceAll(s, "一对端口", ""), word, "%s: say %s", id, want)
			}
		}
	}
}

// Where the sentences of a scenario first name a state, its Chinese name stands behind
// it, as long as the summary has not had it.
func TestStatesAreExplainedInChinese(t *testing.T) {
	c := Shipped()
	for _, s := range c.Scenarios() {
		summary, _ := c.Word("zh", s.ID+".summary")
		told := ""
		for _, m := range regexp.MustCompile(`(?m)^say (\S+)`).FindAllStringSubmatch(s.Text, -1) {
			words, _ := c.Word("zh", m[1])
			told += words + "\n"
		}
		for state := tcp.Closed; state <= tcp.TimeWait; state++ {
			name, _ := c.Word("zh", "state."+state.String()+".name")
			full := state.String() + "（" + name + "）"
			first := regexp.MustCompile(state.String() + `(（\p{Han}[^）]*）)?`).FindString(told)
			if !strings.Contains(summary, full) && (first != "" || strings.Contains(summary, state.String())) {
				require.Contains(t, []string{full, ""}, first, "%s: %s is named before it is explained", s.ID, state)
				require.Contains(t, told, full, "%s: %s is named and not explained", s.ID, state)
			}
		}
	}
}

func TestParseWords(t *testing.T) {
	words, err := ParseWords("x.txt", "# c\na.b: one\n  two\n\nz-1: 三次\n  握手 SYN\n  加\nq:\n  said \"a: b\"\n")
	require.NoError(t, err)
	require.Equal(t, map[string]string{"a.b": "one two", "z-1": "三次握手 SYN加", "q": `said "a: b"`}, words)
	for text, says := range map[string]string{
		"a: b\nno colon\n":  `x.txt:2: no colon after an id; write "id: words"`,
		"  lost\n":          "x.txt:1: an indented line that continues nothing; begin it with an id",
		"a: b\n\n  lost\n":  "x.txt:3: an indented line",
		"a: b\na: c\n":      "x.txt:2: a has words already, on line 1; keep one",
		"a b: c\n":          `x.txt:1: "a b" is no id; give letters`,
		".a: c\n":           "is no id",
		"中: c\n":            "is no id",
		"a:\n":              "x.txt:1: a has no words; write them",
		"a: b\nc:   \nd: e": "x.txt:2: c has no words",
	} {
		_, err := ParseWords("x.txt", text)
		require.ErrorContains(t, err, says)
	}
}

func FuzzParseWords(f *testing.F) {
	f.Add("a.b: one\n  two\n")
	f.Fuzz(func(t *testing.T, text string) {
		words, err := ParseWords("x", text)
		if err != nil {
			return
		}
		again := ""
		for id, s := range words {
			require.NotEmpty(t, s)
			again += id + ":" + s + "\n"
		}
		if !strings.ContainsAny(text, "\r\v\f\u0085\u00a0") {
			w, err := ParseWords("y", again)
			require.NoError(t, err)
			require.Equal(t, words, w)
		}
	})
}

const aHost = "host client 10.0.0.1\n"

func TestLoadRefuses(t *testing.T) {
	for says, files := range map[string]map[string]string{
		`scenarios/A.scenario:1: the scenario calls itself "B"; begin it with "scenario A"`: {"scenarios/A.scenario": "scenario B\n" + aHost},
		`scenarios/A.scenario: no chapter "end"; give one of handshake, data`:               {"scenarios/A.scenario": "scenario A\n" + aHost + "lesson end 1\n"},
		`scenarios/A.scenario:2: the line ends too soon; give the place in the chapter`:     {"scenarios/A.scenario": "scenario A\nlesson close\n"},
		`words/en/b.txt: x has words in words/en/a.txt too; keep one`:                       {"words/en/a.txt": "x: 1", "words/en/b.txt": "x: 2"},
		`words/zh/a.txt:1: no colon`: {"words/zh/a.txt": "x"},
	} {
		fsys := fstest.MapFS{}
		for name, text := range files {
			fsys[name] = &fstest.MapFile{Data: []byte(text)}
		}
		_, err := Load(fsys)
		require.ErrorContains(t, err, says)
	}
}

func TestOrderOfLessons(t *testing.T) {
	fsys := fstest.MapFS{}
	for id, lesson := range map[string]string{"A": "lesson data 2", "B": "lesson data 1", "C": "lesson handshake 9", "D": "", "E-if": "compare A"} {
		fsys["scenarios/"+id+".scenario"] = &fstest.MapFile{Data: []byte("scenario " + id + "\n" + aHost + lesson + "\n")}
	}
	c, err := Load(fsys)
	require.NoError(t, err)
	var ids []string
	for _, s := range c.Scenarios() {
		ids = append(ids, s.ID)
	}
	require.Equal(t, []string{"C", "B", "A", "D", "E-if"}, ids)
	require.Equal(t, "E-if", c.WhatIfs("A")[0].ID)
	_, ok := c.Scenario("e-IF")
	require.True(t, ok)
	_, ok = c.Scenario("Z")
	require.False(t, ok)
}

package ladder

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/core/scenario/catalogue"
	"github.com/tcpkit/tcpkit/internal/narrate"
)

var update = flag.Bool("update", false, "write the golden files anew")

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(got), 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err, "go test ./internal/ladder -update writes it")
	require.Equal(t, string(want), got, "go test ./internal/ladder -update writes it anew")
}

// A run with all that a ladder knows: a SYN that is lost, one that comes late and
// twice, a state without a segment, a crash, a long silence, narration.
const everything = `{"scenario":"T","seed":7,"hash":"00112233","hosts":[{"name":"client","addr":"10.0.0.1"},{"name":"server","addr":"10.0.0.2"}],"items":[
{"i":0,"n":1,"t":0,"k":"state","f":0,"h":1,"c":1,"from":"CLOSED","to":"LISTEN","rule":1,"cause":"call"},
{"i":1,"n":2,"t":0,"k":"state","f":0,"h":0,"c":1,"from":"CLOSED","to":"SYN-SENT","rule":2,"cause":"call"},
{"i":2,"n":2,"t":0,"k":"send","f":0,"p":1,"h":0,"d":1,"c":1,"flags":"S"},
{"i":3,"n":2,"t":0,"k":"lose","p":1,"why":"planned"},
{"i":4,"n":2,"t":0,"k":"say","id":"H1.syn","p":1},
{"i":5,"n":3,"t":1000000000,"k":"timer","h":0,"c":1,"slot":"retransmit","ev":"fired"},
{"i":6,"n":3,"t":1000000000,"k":"send","f":0,"p":2,"h":0,"d":1,"c":1,"flags":"S","again":true},
{"i":7,"n":4,"t":3000000000,"k":"send","f":0,"p":3,"h":0,"d":1,"c":1,"flags":"S","again":true},
{"i":8,"n":5,"t":3050000000,"k":"arrive","p":3,"h":1},
{"i":9,"n":5,"t":3050000000,"k":"state","f":0,"h":1,"c":2,"from":"LISTEN","to":"SYN-RECEIVED","rule":13,"cause":"segment","p":3},
{"i":10,"n":5,"t":3050000000,"k":"send","f":0,"p":4,"h":1,"d":0,"c":2,"flags":"S.","ack":1},
{"i":11,"n":6,"t":3100000000,"k":"arrive","p":4,"h":0},
{"i":12,"n":6,"t":3100000000,"k":"state","f":0,"h":0,"c":1,"from":"SYN-SENT","to":"ESTABLISHED","rule":16,"cause":"segment","p":4},
{"i":13,"n":6,"t":3100000000,"k":"send","f":0,"p":5,"h":0,"d":1,"c":1,"flags":".","seq":1,"ack":1},
{"i":14,"n":7,"t":3150000000,"k":"arrive","p":5,"h":1},
{"i":15,"n":7,"t":3150000000,"k":"state","f":0,"h":1,"c":2,"from":"SYN-RECEIVED","to":"ESTABLISHED","rule":27,"cause":"segment","p":5},
{"i":16,"n":8,"t":31000000000,"k":"arrive","p":2,"h":1},
{"i":17,"n":8,"t":31000000000,"k":"drop","f":0,"h":1,"c":2,"p":2,"reason":"syn"},
{"i":18,"n":9,"t":40000000000,"k":"host","h":0,"what":"crash"},
{"i":19,"n":10,"t":7200000000000,"k":"state","f":0,"h":1,"c":2,"from":"ESTABLISHED","to":"CLOSED","rule":55,"cause":"timer"},
{"i":20,"n":10,"t":7200000000000,"k":"call","f":0,"h":1,"op":"read","error":"ETIMEDOUT"}
]}`

func everythingRows(t *testing.T, lang narrate.Lang) (*Timeline, []Row, *Words) {
	t.Helper()
	line := &Timeline{}
	require.NoError(t, json.Unmarshal([]byte(everything), line))
	w := &Words{Lang: lang, Files: catalogue.Shipped()}
	return line, Rows(line, w), w
}

func TestDraw(t *testing.T) {
	for _, lang := range []narrate.Lang{narrate.English, narrate.Chinese} {
		for _, columns := range []string{"80", "120"} {
			t.Setenv("COLUMNS", columns)
			line, rows, w := everythingRows(t, lang)
			var out bytes.Buffer
			p := NewPen(&out, lang)
			p.Draw(line, rows, w)
			require.NoError(t, p.Err())
			for s := range strings.Lines(out.String()) {
				require.LessOrEqual(t, narrate.Width(strings.TrimSuffix(s, "\n")), p.Width, s)
			}
			golden(t, "everything-"+lang.String()+"-"+columns+".txt", out.String())
		}
	}
}

// The page asks nothing of anybody: no script, no address, no file beside it.
func TestPage(t *testing.T) {
	for _, lang := range []narrate.Lang{narrate.English, narrate.Chinese} {
		line, rows, w := everythingRows(t, lang)
		run := PageRun{
			ID: "T", Title: "A <title>", Question: "Why?", Summary: "Because.", Timeline: line, Rows: rows, Text: "scenario T\n",
			Checks: []Check{{Held: true, Line: "expect segments = 5"}, {Line: "expect lost 2", Found: "1"}},
			Claims: []Claim{{"C1", "SYN=1", "SYN=0"}},
		}
		var out bytes.Buffer
		page := &Page{Words: w, Title: "A <title>", Runs: []PageRun{run}}
		require.NoError(t, page.Write(&out))
		html := out.String()
		require.NotRegexp(t, `(?i)<script|src=|href=|url\(|@import|https?:|\son\w+=`, html)
		require.Contains(t, html, "A &lt;title&gt;")
		require.Contains(t, html, `<html lang="`+lang.String()+`">`)
		require.Contains(t, html, "00112233")
		require.Equal(t, 6, strings.Count(html, "<line "), "an arrow for each segment, and one for what comes late")
		golden(t, "everything-"+lang.String()+".html", html)
		page.Runs = append(page.Runs, run)
		out.Reset()
		require.NoError(t, page.Write(&out))
		require.Contains(t, out.String(), `class="runs two"`)
	}
}

func rowsOf(t *testing.T, text string) []Row {
	t.Helper()
	line := &Timeline{}
	require.NoError(t, json.Unmarshal([]byte(text), line))
	return Rows(line, &Words{Files: catalogue.Shipped()})
}

// A segment from nowhere comes from the other side, and of who has sent it nothing is
// known; of a listener it is known that it listens.
func TestStrangers(t *testing.T) {
	rows := rowsOf(t, `{"hosts":[{"name":"client"},{"name":"server"}],"listens":[{"h":1,"port":80}],"flows":[{"name":"a","hosts":[0,1],"to":"10.0.0.2:80"},{"name":"b","hosts":[0,1],"to":"10.0.0.2:81"}],"items":[
{"i":0,"n":1,"t":0,"k":"send","p":1,"h":-1,"d":1,"flags":"S"},
{"i":1,"n":2,"t":0,"k":"arrive","p":1,"h":1},
{"i":2,"n":2,"t":0,"k":"state","h":1,"c":7,"from":"LISTEN","to":"SYN-RECEIVED","cause":"segment","p":1},
{"i":3,"n":2,"t":0,"k":"send","p":2,"h":1,"d":-1,"c":7,"flags":"S.","ack":1},
{"i":4,"n":2,"t":0,"k":"lose","p":2,"why":"nobody"},
{"i":5,"n":3,"t":1,"k":"send","p":3,"h":0,"d":1,"c":8,"f":0,"flags":"S"},
{"i":6,"n":4,"t":2,"k":"send","p":4,"h":0,"d":1,"c":9,"f":1,"flags":"S"}]}`)
	require.Len(t, rows, 4)
	require.Equal(t, 0, rows[0].from(), "from the left, where the client is")
	require.Equal(t, [2]string{"", "SYN-RECEIVED"}, rows[0].States)
	require.Equal(t, "SYN (stranger)", rows[0].Label)
	require.Equal(t, [2]string{"", "SYN-RECEIVED"}, rows[1].States)
	require.Equal(t, "nobody", rows[1].Lost)
	require.Equal(t, [2]string{"CLOSED", "LISTEN"}, rows[2].States)
	require.Equal(t, "SYN · a", rows[2].Label, "of which flow, since there are two")
	require.Equal(t, [2]string{"CLOSED", "CLOSED"}, rows[3].States, "nobody listens on port 81")
}

// A receiver's state is that at the arrival, though the row stands at the sending.
func TestStatesAtArrival(t *testing.T) {
	rows := rowsOf(t, `{"hosts":[{"name":"client"},{"name":"server"}],"flows":[{"name":"a","hosts":[0,1]}],"items":[
{"i":0,"n":1,"t":0,"k":"send","p":1,"h":0,"d":1,"c":1,"f":0,"flags":"."},
{"i":1,"n":1,"t":0,"k":"send","p":2,"h":0,"d":1,"c":1,"f":0,"flags":"P.","len":10},
{"i":2,"n":2,"t":5,"k":"arrive","p":1,"h":1,"c":2,"f":0},
{"i":3,"n":2,"t":5,"k":"state","h":1,"c":2,"f":0,"from":"SYN-RECEIVED","to":"ESTABLISHED","cause":"segment","p":1},
{"i":4,"n":3,"t":5,"k":"arrive","p":2,"h":1,"c":2,"f":0}]}`)
	require.Len(t, rows, 2)
	require.Equal(t, [2]bool{false, true}, rows[0].Changed)
	require.Equal(t, "ESTABLISHED", rows[1].States[1])
	require.False(t, rows[1].Changed[1])
}

// What arrives long after it was sent stands where it arrives, if something else has
// come between.
func TestLate(t *testing.T) {
	rows := rowsOf(t, `{"hosts":[{"name":"client"},{"name":"server"}],"flows":[{"name":"a","hosts":[0,1]}],"items":[
{"i":0,"n":1,"t":0,"k":"send","p":1,"h":0,"d":1,"c":1,"f":0,"flags":"."},
{"i":1,"n":2,"t":1000000000,"k":"send","p":2,"h":1,"d":0,"c":2,"f":0,"flags":"F."},
{"i":2,"n":3,"t":2000000000,"k":"arrive","p":1,"h":1,"c":2,"f":0},
{"i":3,"n":4,"t":9000000000,"k":"arrive","p":2,"h":0,"c":1,"f":0}]}`)
	kinds := []int{}
	for _, r := range rows {
		if r.Packet > 0 {
			kinds = append(kinds, r.Packet)
		}
	}
	require.Equal(t, []int{1, 2, 1, 2}, kinds)
}

func TestShorten(t *testing.T) {
	var rows []Row
	for range 30 {
		rows = append(rows, Row{Kind: Segment})
	}
	require.Len(t, Shorten(rows[:23]), 23)
	short := Shorten(rows)
	require.Len(t, short, 17)
	require.Equal(t, Folded, short[8].Kind)
	require.Equal(t, "14", short[8].Label)
	rows[12].Notes = []Note{{Saying, "look"}}
	require.Len(t, Shorten(rows), 30, "what is told of is shown")
}

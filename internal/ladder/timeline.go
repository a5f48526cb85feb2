package ladder

import (
	"encoding/json"
	"strconv"
	"strings"

	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/rule"
)

// A Timeline is what happened in a run, as core/scenario writes it in JSON and as
// the page reads it too. Fields that are zero are left out there.
type Timeline struct {
	Scenario string   `json:"scenario"`
	Seed     uint64   `json:"seed"`
	Hosts    []Host   `json:"hosts"`
	Flows    []Flow   `json:"flows"`
	Listens  []Listen `json:"listens"`
	Says     []Say    `json:"says"`
	Hash     string   `json:"hash"`
	Steps    int      `json:"steps"`
	Ended    bool     `json:"ended"`
	Items    []Item   `json:"items"`

	NoStates bool `json:"-"` // of a capture: nothing is known of them
}

// A Host is one stack of a run.
type Host struct {
	Name string `json:"name"`
	Addr string `json:"addr"`
}

// A Flow is one connection between two programs.
type Flow struct {
	Name  string `json:"name"`
	Hosts [2]int `json:"hosts"`
	To    string `json:"to"` // address and port
}

// A Listen is a port that a host has open from the start.
type Listen struct {
	Host int `json:"h"`
	Port int `json:"port"`
}

// A Say is a sentence of the narration, and what Wireshark shows there.
type Say struct {
	ID     string `json:"id"`
	Filter string `json:"filter"` // a display filter
	Rows   int    `json:"rows"`   // that it shows
}

// An Item is one thing that happened. Kind says which fields count.
type Item struct {
	Index  int           `json:"i"`
	Step   int           `json:"n"`
	At     clock.Instant `json:"t"`
	Kind   string        `json:"k"`
	Packet int           `json:"p"`
	Host   int           `json:"h"`
	Dest   int           `json:"-"` // of what is sent, "d": -1 is nobody
	Conn   int           `json:"c"`

	Flags string `json:"flags"`
	Seq   int64  `json:"seq"` // relative to the ISN, as is Ack
	Ack   int64  `json:"ack"`
	Len   int    `json:"len"`
	Again bool   `json:"again"`
	Probe bool   `json:"probe"`
	Dup   bool   `json:"dup"`
	Why   string `json:"why"`

	From   string        `json:"from"`
	To     string        `json:"to"`
	Rule   rule.ID       `json:"rule"`
	Cause  string        `json:"cause"`
	Reason string        `json:"reason"`
	Slot   string        `json:"slot"`
	Event  string        `json:"ev"`
	Due    clock.Instant `json:"due"`

	Flow  int    `json:"f"` // -1: of none
	ICMP  bool   `json:"icmp"`
	Op    string `json:"op"`
	Error string `json:"error"`
	What  string `json:"what"`
	Name  string `json:"name"`
	Text  string `json:"-"` // of a comment
	Wrong bool   `json:"wrong"`
	ID    string `json:"id"`
	Say   int    `json:"say"` // index of the sentence

	Memory
}

// A Memory is what a host holds.
type Memory struct {
	Held   int `json:"held"` // octets
	Conns  int `json:"conns"`
	Half   int `json:"half"`
	Ghosts int `json:"ghosts"`
	Waits  int `json:"timewaits"`
}

// UnmarshalJSON knows what it means that a host or a flow is left out.
func (i *Item) UnmarshalJSON(b []byte) error {
	type plain Item
	p := struct {
		plain
		Dest json.RawMessage `json:"d"` // a number if something is sent
	}{plain: plain{Host: -1, Flow: -1}}
	if err := json.Unmarshal(b, &p); err != nil {
		return err
	}
	*i = Item(p.plain)
	if i.Kind == "send" {
		return json.Unmarshal(p.Dest, &i.Dest)
	}
	return nil
}

// side is the column of a host: the first is on the left, all others on the right.
func side(host int) int {
	if host == 0 {
		return 0
	}
	return 1
}

// from is the column that a row's segment comes from: strangers are on the other side
// of the one that they talk to.
func (r *Row) from() int {
	if r.From < 0 && r.To >= 0 {
		return 1 - side(r.To)
	}
	return side(r.From)
}

// stranger reports whether one end of a segment is no host of the run.
func (r *Row) stranger() bool { return r.From < 0 || r.To < 0 }

// A RowKind is what a row shows.
type RowKind uint8

// The kinds.
const (
	Moment  RowKind = iota // states, and words between them
	Segment                // a segment as it is sent, and its arrival if nothing overtakes it
	Arrival                // of a segment that was overtaken
	Idle                   // a long time in which nothing happens
	Folded                 // rows that are left out, Label of them
)

// A Row is one line of a ladder, and the words below it.
type Row struct {
	Kind    RowKind
	At      clock.Instant
	From    int // host that has sent the segment
	To      int
	Label   string
	Seq     string
	Ack     string
	Len     string
	Lost    string // why
	Late    bool   // arrives in a row of its own
	Packet  int
	Flow    int
	States  [2]string
	Changed [2]bool
	For     clock.Duration // of Idle
	Notes   []Note
}

// A NoteKind says how a note is to be read.
type NoteKind uint8

// The kinds.
const (
	Saying  NoteKind = iota // narration
	Aside                   // timers, drops
	Problem                 // what fails or is wrong
	Lawful                  // the rule behind a change of state
)

// A Note is words below a row.
type Note struct {
	Kind NoteKind
	Text string
}

// nobodys is the line of what belongs to no connection.
const nobodys = -1

// line is what an item belongs to: its flow; a stranger's connection, which is of no
// flow, as a negative number; or nobody's.
func (i *Item) line() int {
	if i.Flow < 0 && i.Conn > 0 {
		return nobodys - i.Conn
	}
	return i.Flow
}

// An end is a host's part in a flow.
type end struct{ host, line int }

// A builder makes rows of items.
type builder struct {
	t      *Timeline
	words  *Words
	rows   []Row
	sent   map[int]int    // by packet: its row
	states map[end]string // of the latest connection there
	flow   int            // that the row to come is of
	right  int            // the host in the column on the right
	now    clock.Instant
	step   int
	taken  int     // the packet that is being taken in at this step
	told   int     // the row that what comes next speaks of, -1: the next one
	stated rule.ID // of the latest change of state

	// What the next row takes along.
	changed [2]bool
	between string
	notes   []Note
}

// idleFrom is from when on a time without anything is folded.
const idleFrom = 10 * clock.Second

// Rows makes the rows of a ladder.
func Rows(t *Timeline, w *Words) []Row {
	b := &builder{t: t, words: w, sent: map[int]int{}, states: map[end]string{}, right: 1, told: -1}
	for _, l := range t.Listens {
		for f := range t.Flows {
			if t.Flows[f].Hosts[1] == l.Host && strings.HasSuffix(t.Flows[f].To, ":"+strconv.Itoa(l.Port)) {
				b.states[end{l.Host, f}] = "LISTEN"
			}
		}
	}
	for i := range t.Items { // how each end begins
		if e := &t.Items[i]; e.Kind == "state" {
			if at := (end{e.Host, e.line()}); b.states[at] == "" {
				b.states[at] = e.From
			}
		}
	}
	late := overtaken(t)
	for i := range t.Items {
		e := &t.Items[i]
		if e.At != b.now {
			b.flush()
			b.now, b.told = e.At, -1
		}
		b.item(e, late)
	}
	b.flush()
	return fold(b.rows)
}

// overtaken are the packets that arrive after something that was sent later on
// the same way has arrived, or long after they were sent and something else came
// between.
func overtaken(t *Timeline) map[int]bool {
	type way struct{ from, to int }
	sent := map[int]*Item{}
	latest := map[way]int{}
	late := map[int]bool{}
	last := clock.Instant(0) // of what was sent or has arrived
	for i := range t.Items {
		switch e := &t.Items[i]; e.Kind {
		case "send":
			sent[e.Packet] = e
			last = e.At
		case "arrive":
			s := sent[e.Packet]
			if s == nil || e.Dup {
				continue
			}
			w := way{s.Host, e.Host}
			if e.Packet < latest[w] || e.At.Sub(s.At) > clock.Second && last.After(s.At) {
				late[e.Packet] = true
			}
			latest[w] = max(latest[w], e.Packet)
			last = e.At
		}
	}
	return late
}

func (b *builder) item(e *Item, late map[int]bool) {
	if e.Step != b.step {
		b.step, b.taken = e.Step, 0
	}
	switch e.Kind {
	case "send":
		b.send(e, late[e.Packet])
	case "arrive":
		b.arrive(e, late[e.Packet])
	case "lose":
		if i, ok := b.sent[e.Packet]; ok {
			b.rows[i].Lost = e.Why
			b.rows[i].Late = false
			b.told = i
		}
	case "state":
		b.state(e)
	case "drop":
		b.note(Aside, b.words.drop(b.t.host(e.Host), e.Reason))
	case "timer":
		if e.Event == "fired" {
			b.begin(e)
			b.notes = append(b.notes, Note{Aside, b.words.timer(b.t.host(e.Host), e.Slot)})
		}
	case "host":
		b.turned(e)
	case "call":
		b.failed(e)
	case "read":
		if e.Wrong {
			b.note(Problem, b.words.wrong(b.t.host(e.Host)))
		}
	case "violation":
		b.note(Problem, b.words.violation(e.What))
	case "comment":
		b.note(Lawful, e.Text)
	case "say":
		b.note(Saying, b.words.Of(e.ID))
		if e.Say >= 0 && e.Say < len(b.t.Says) && b.words.Filters {
			b.note(Lawful, b.words.filter(&b.t.Says[e.Say]))
		}
	}
}

// failed tells what a program is told, once.
func (b *builder) failed(e *Item) {
	if e.Error == "" || e.Error == "EOF" {
		return
	}
	text := b.words.failed(b.t.host(e.Host), e.Op, e.Error)
	here := b.notes
	if b.told >= 0 {
		here = b.rows[b.told].Notes
	}
	for i := range here {
		if here[i].Kind == Problem && strings.HasSuffix(here[i].Text, e.Error) && strings.HasPrefix(here[i].Text, b.t.host(e.Host)) {
			return
		}
	}
	b.note(Problem, text)
}

// begin lets what comes belong to a row to come, of the item's flow.
func (b *builder) begin(e *Item) {
	if (b.changed != [2]bool{} || b.between != "") && b.flow != e.line() {
		b.flush()
	}
	b.told = -1
	b.look(e)
}

// look turns to the flow and the host of an item.
func (b *builder) look(e *Item) {
	if at := e.line(); at != nobodys || e.Kind == "send" {
		b.flow = at
	}
	if e.Host > 0 {
		b.right = e.Host
	}
}

// turned tells that a host crashes, comes back, or lets its programs exit.
func (b *builder) turned(e *Item) {
	if b.changed != [2]bool{} || b.between != "" {
		b.flush()
	}
	b.begin(e)
	b.between = b.words.turn(b.t.host(e.Host), e.What)
	b.changed[side(e.Host)] = true
	if e.What == "crash" {
		for at := range b.states {
			if at.host == e.Host {
				b.states[at] = "CLOSED"
			}
		}
	}
}

// note puts words below the row that they speak of.
func (b *builder) note(kind NoteKind, text string) {
	if text == "" {
		return
	}
	if b.told >= 0 {
		b.rows[b.told].Notes = append(b.rows[b.told].Notes, Note{kind, text})
		return
	}
	b.notes = append(b.notes, Note{kind, text})
}

func (b *builder) stateOf(host int) string {
	if b.t.NoStates {
		return ""
	}
	if s := b.states[end{host, b.flow}]; s != "" {
		return s
	}
	if b.flow < 0 {
		return "" // of a stranger nothing is known
	}
	return "CLOSED"
}

func (b *builder) both() [2]string { return [2]string{b.stateOf(0), b.stateOf(b.right)} }

// add ends what belongs to the next row, and adds it.
func (b *builder) add(r Row) int {
	r.At, r.Flow = b.now, b.flow
	r.Notes = append(r.Notes, b.notes...)
	b.notes, b.changed, b.between = nil, [2]bool{}, ""
	b.rows = append(b.rows, r)
	b.told = len(b.rows) - 1
	return b.told
}

// flush gives what no segment has taken along a row of its own.
func (b *builder) flush() {
	if b.changed != [2]bool{} || b.between != "" || len(b.notes) > 0 {
		b.add(Row{Kind: Moment, States: b.both(), Changed: b.changed, Label: b.between})
	}
}

func (b *builder) send(e *Item, late bool) {
	if b.changed[1-side(e.Host)] || b.between != "" || b.changed != [2]bool{} && b.flow != e.line() {
		b.flush()
	}
	b.look(e)
	if e.Dest > 0 {
		b.right = e.Dest
	}
	r := Row{
		Kind: Segment, From: e.Host, To: e.Dest, Packet: e.Packet, Late: late, Label: b.label(e), States: b.both(), Changed: b.changed,
		Seq: signed(e.Seq), Ack: "-", Len: signed(int64(e.Len)),
	}
	if hasFlag(e.Flags, '.') {
		r.Ack = signed(e.Ack)
	}
	if e.Rule != b.stated {
		b.law(e, &b.notes)
	}
	b.sent[e.Packet] = b.add(r)
}

// label says what a segment is, and of which flow if there are several.
func (b *builder) label(e *Item) string {
	label := b.words.label(e)
	if e.Host < 0 {
		label += b.words.say(sayStranger)
	}
	if len(b.t.Flows) > 1 && e.Flow >= 0 && e.Flow < len(b.t.Flows) {
		label += " · " + b.t.Flows[e.Flow].Name
	}
	return label
}

func (b *builder) arrive(e *Item, late bool) {
	b.taken = e.Packet
	i, ok := b.sent[e.Packet]
	if !ok {
		return
	}
	if late || e.Dup {
		b.flush()
		r := b.rows[i]
		b.flow = r.Flow
		if e.Host > 0 {
			b.right = e.Host
		}
		i = b.add(Row{
			Kind: Arrival, From: r.From, To: e.Host, Packet: e.Packet, Label: r.Label, States: b.both(), Seq: r.Seq, Ack: r.Ack, Len: r.Len,
		})
		b.sent[e.Packet] = i
	} else if b.rows[i].Flow == e.line() && e.Host >= 0 {
		b.flow = e.line()
		b.rows[i].States[side(e.Host)] = b.stateOf(e.Host)
	}
	b.told = i
}

// state is a change of state: in the row of the segment that caused it, or else in
// the next one.
func (b *builder) state(e *Item) {
	at := side(e.Host)
	b.stated = e.Rule
	i, ok := b.sent[b.taken]
	if e.Cause == "segment" && ok && b.taken != 0 {
		b.states[end{e.Host, e.line()}] = e.To
		r := &b.rows[i]
		r.States[at], r.Changed[at], r.Flow = e.To, true, e.line()
		b.told = i
		b.law(e, &r.Notes)
		return
	}
	b.begin(e)
	b.states[end{e.Host, e.line()}] = e.To
	if e.To == "LISTEN" && e.Cause == "call" {
		return // how a run begins
	}
	b.changed[at] = true
	if e.Cause == "timer" || e.Cause == "icmp" || e.Cause == "plugin" {
		b.between = b.words.Lang.Rule(e.Rule)
	}
	b.law(e, &b.notes)
}

func (b *builder) law(e *Item, notes *[]Note) {
	if text := b.words.law(b.t.host(e.Host), e.From, e.To, e.Rule); text != "" {
		*notes = append(*notes, Note{Lawful, text})
	}
}

func (t *Timeline) host(i int) string {
	if i < 0 || i >= len(t.Hosts) {
		return "?"
	}
	return t.Hosts[i].Name
}

// fold puts a row between rows that are far apart.
func fold(rows []Row) []Row {
	var all []Row
	for i := range rows {
		if i > 0 {
			if gap := rows[i].At.Sub(rows[i-1].At); gap >= idleFrom {
				all = append(all, Row{Kind: Idle, At: rows[i-1].At, For: gap})
			}
		}
		all = append(all, rows[i])
	}
	return all
}

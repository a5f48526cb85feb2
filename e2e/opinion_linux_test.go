package e2e

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/hosts/native/netns/netnstest"
)

// A bout is a situation that the kernel plays with itself, and tcpkit with it in
// either role.
type bout struct {
	name     string
	settings settings
	faults   func() []*fault // that make the situation
	impaired func() []*fault // that come on top
	script   func(*run)
}

// A cast is who plays in a run.
type cast struct {
	tcpkit   role // or nobody
	family   int
	impaired bool
}

const nobody role = -1

func (c cast) String() string {
	s := fmt.Sprintf("v%d", c.family)
	if c.impaired {
		return s + " impaired"
	}
	return s + " clean"
}

// How many runs go at once, and how often a difference has to show. What shows once
// is the machine's: a timer was late.
const (
	runsAtOnce = 64
	attempts   = 8
)

// tcpkit is asked for a second opinion of each situation, which is the kernel's: as a
// client and as a server it has to send the same segments and end its calls in the
// same way as the kernel does in its place, over IPv4 and IPv6, with faults on the
// line and without. What may differ stands in testdata/differences.txt.
//
// Proves: MUST-10, MUST-12, MUST-13, MUST-16, MUST-17, MUST-24, MUST-26, MUST-30, MUST-36
// Proves: SHLD-3, SHLD-7, SHLD-18, SHLD-31, RFC 2018 §4, RFC 9937 §6
func TestSecondOpinion(t *testing.T) {
	netnstest.Need(t)
	book := readDifferences(t)
	worlds := &worlds{all: map[settings]*world{}}
	t.Cleanup(worlds.close)
	seats := make(chan struct{}, runsAtOnce)
	var equal, allowed, again atomic.Int32
	var table sync.Map
	var played atomic.Int32
	t.Run("all", func(t *testing.T) {
		for i := range bouts {
			b := &bouts[i]
			t.Run(b.name, func(t *testing.T) {
				t.Parallel()
				played.Add(1)
				w, err := worlds.get(b.settings)
				require.NoError(t, err)
				var row [8]string
				var wg sync.WaitGroup
				for n := range 4 {
					c := cast{family: 4 + n&1*2, impaired: n&2 != 0}
					wg.Add(1)
					go func() {
						defer wg.Done()
						for who, verdict := range b.judge(t, w, seats, c, book, &again) {
							row[2*n+who] = verdict
							switch verdict {
							case "equal":
								equal.Add(1)
							case "allowed":
								allowed.Add(1)
							}
						}
					}()
				}
				wg.Wait()
				table.Store(b.name, row)
			})
		}
	})
	head := fmt.Sprintf("%-44s %-17s %-17s %-17s %-17s\n%-44s", "", "v4 clean", "v6 clean", "v4 impaired", "v6 impaired", "")
	text := head + strings.Repeat(" client   server  ", 4) + "\n"
	for i := range bouts {
		if row, ok := table.Load(bouts[i].name); ok {
			text += fmt.Sprintf("%-44s", bouts[i].name)
			for _, v := range row.([8]string) {
				text += fmt.Sprintf(" %-8s", v)
			}
			text += "\n"
		}
	}
	t.Logf("\n%s%d situations x 2 roles x 2 families x clean and impaired: %d equal, %d with allowed differences, %d not; %d runs were repeated",
		text, played.Load(), equal.Load(), allowed.Load(), 8*played.Load()-equal.Load()-allowed.Load(), again.Load())
	if int(played.Load()) == len(bouts) && !t.Failed() {
		book.allUsed(t)
	}
}

// worlds are those of the settings that came so far.
type worlds struct {
	mu  sync.Mutex
	all map[settings]*world
}

func (ws *worlds) get(s settings) (*world, error) {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	if w := ws.all[s]; w != nil {
		return w, nil
	}
	w, err := newWorld(s)
	if err == nil {
		ws.all[s] = w
	}
	return w, err
}

func (ws *worlds) close() {
	for _, w := range ws.all {
		w.close()
	}
}

// judge plays a situation under one condition, with the kernel in both roles and with
// tcpkit in each, and compares.
func (b *bout) judge(t *testing.T, w *world, seats chan struct{}, c cast, book *differences, repeated *atomic.Int32) (verdicts [2]string) {
	all := map[role][]played{}
	open := []role{client, server}
	var shown [2]string
	for attempt := 0; attempt < attempts && len(open) > 0; attempt++ {
		var wg sync.WaitGroup
		var mu sync.Mutex
		for _, who := range append([]role{nobody}, open...) {
			one := c
			one.tcpkit = who
			wg.Add(1)
			go func() {
				defer wg.Done()
				seats <- struct{}{}
				defer func() { <-seats }()
				p := b.play(w, one, runs.Add(1))
				mu.Lock()
				defer mu.Unlock()
				all[who] = append(all[who], p)
			}()
		}
		wg.Wait()
		if attempt > 0 {
			repeated.Add(int32(len(open)) + 1)
		}
		open = slices.DeleteFunc(open, func(who role) bool {
			for _, want := range all[nobody] {
				for _, got := range all[who] {
					verdict, unexplained := book.compare(b.name, who, c, want, got)
					if verdicts[who] = verdict; unexplained == "" {
						return true
					}
					shown[who] = unexplained
				}
			}
			return false
		})
	}
	for _, who := range open {
		t.Errorf("%v: tcpkit as the %v (+) is not as the kernel (-):\n%s", c, who, shown[who])
	}
	if os.Getenv("TCPKIT_TRACES") == "1" {
		t.Logf("%v, the kernel with itself:\n%s", c, strings.Join(all[nobody][0].lines, "\n"))
	}
	return verdicts
}

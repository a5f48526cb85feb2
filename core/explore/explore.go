package explore

import (
	"slices"

	"github.com/tcpkit/tcpkit/core"
	"github.com/tcpkit/tcpkit/core/event"
	"github.com/tcpkit/tcpkit/core/packet"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/core/wire"
)

// Options bound a search.
type Options struct {
	Depth  int         // steps from the beginning; 0: until no state is left
	States int         // states; 0: no bound
	Stop   func() bool // asked now and then; true ends the search
}

// A Result is what a search has seen.
type Result struct {
	World    string  `json:"world"`
	States   int     `json:"states"`   // different ones
	Merged   int     `json:"merged"`   // arrivals at one that was known
	Depth    int     `json:"depth"`    // all states up to here have been seen
	Complete bool    `json:"complete"` // there are no more
	Breach   *Breach `json:"breach,omitempty"`
}

// An Explorer searches one world. What it has learned about the ends is kept from
// one step to the next: they meet the same packet in the same state again and
// again.
type Explorer struct {
	world World
	cfg   core.Config
	names [2]wire.AddrPort
	edges [16][16]bool

	nodes  []node
	seen   map[uint64]struct{}
	memo   map[[2]uint64]effect
	ends   map[uint64]*end
	good   map[uint64]bool
	passed []uint64
	failed string // the past has a breach already
	audit  bool   // do again what is known, and compare
	exact  bool   // do all again: ends with one fingerprint have clocks of their own
	result Result

	// Room that is used again.
	packet packet.Packet
	room   [64]byte
	events []event.Event
	status []core.Status
	hashes []uint64
}

// A node is how a state was reached first, which is in as few steps as can be.
type node struct {
	parent int32
	by     choice
}

// New prepares the search of a world.
func New(w World) (*Explorer, error) {
	cfg, err := config(&w)
	if err != nil {
		return nil, err
	}
	x := &Explorer{
		world: w, cfg: cfg, names: [2]wire.AddrPort{port(0), port(1)},
		seen: map[uint64]struct{}{}, memo: map[[2]uint64]effect{}, ends: map[uint64]*end{}, good: map[uint64]bool{},
		result: Result{World: w.Name},
	}
	for _, e := range tcp.Edges() {
		x.edges[e.From][e.To] = true
	}
	return x, nil
}

// place is a state of the depth that is being searched.
type place struct {
	state
	node int32
}

// Run searches breadth first, so that the first breach is one of the shortest.
func (x *Explorer) Run(o Options) (Result, error) {
	first, err := x.begin(nil)
	if err != nil {
		return Result{}, err
	}
	x.result.States = 1
	breach := x.failed
	if breach == "" {
		breach = x.settle(first, nil)
	}
	if breach != "" {
		x.result.Breach, err = tell(x.world, nil, breach)
		return x.result, err
	}
	now := []place{{first, x.remember(0, choice{})}}
	x.seen[x.fingerprint(&first)] = struct{}{}
	var next []place
	var list []choice
	for len(now) > 0 && (o.Depth == 0 || x.result.Depth < o.Depth) {
		next = next[:0]
		for i := range now {
			p := &now[i]
			if o.States > 0 && x.result.States >= o.States || o.Stop != nil && i%256 == 0 && o.Stop() {
				return x.result, nil
			}
			list = p.choices(list[:0])
			for _, c := range list {
				t, breach := x.step(&p.state, c)
				if breach == "" {
					h := x.fingerprint(&t)
					if _, known := x.seen[h]; known {
						x.result.Merged++
						continue
					}
					x.seen[h] = struct{}{}
				}
				n := x.remember(p.node, c)
				x.result.States++
				if breach == "" {
					breach = x.settle(t, nil)
				}
				if breach != "" {
					x.result.Depth++
					x.result.Breach, err = tell(x.world, x.path(n), breach)
					return x.result, err
				}
				next = append(next, place{t, n})
			}
		}
		x.result.Depth++
		now, next = next, now
	}
	x.result.Complete = len(now) == 0
	return x.result, nil
}

func (x *Explorer) remember(parent int32, by choice) int32 {
	x.nodes = append(x.nodes, node{parent, by})
	return int32(len(x.nodes) - 1)
}

// path is the choices that lead to a node.
func (x *Explorer) path(n int32) (list []choice) {
	for ; n != 0; n = x.nodes[n].parent {
		list = append(list, x.nodes[n].by)
	}
	slices.Reverse(list)
	return list
}

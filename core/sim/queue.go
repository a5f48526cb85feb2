package sim

import "github.com/tcpkit/tcpkit/core/clock"

// A kind is what an occasion is.
type kind uint8

const (
	arrival  kind = iota // of packet n
	opening              // of flow n/2 by user n%2
	waking               // of user n
	flooding             // by flood n
	ending               // of all programs
	turning              // turn n
)

// An occasion is what happens at a time; of those at one time the first that was
// planned comes first.
type occasion struct {
	at    clock.Instant
	order uint64
	kind  kind
	n     int32
}

func (e *occasion) before(o *occasion) bool { return e.at < o.at || e.at == o.at && e.order < o.order }

// An agenda is a heap of occasions.
type agenda []occasion

func (h *agenda) push(e occasion) {
	a := append(*h, e)
	i := len(a) - 1
	for i > 0 {
		up := (i - 1) / 2
		if !e.before(&a[up]) {
			break
		}
		a[i] = a[up]
		i = up
	}
	a[i] = e
	*h = a
}

func (h *agenda) pop() occasion {
	a := *h
	first := a[0]
	n := len(a) - 1
	e := a[n]
	a = a[:n]
	*h = a
	if n == 0 {
		return first
	}
	i := 0
	for {
		child := 2*i + 1
		if child >= n {
			break
		}
		if child+1 < n && a[child+1].before(&a[child]) {
			child++
		}
		if e.before(&a[child]) {
			break
		}
		a[i] = a[child]
		i = child
	}
	a[i] = e
	return first
}

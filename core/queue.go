package core

// A queue is a list of connections through the connections themselves, by slot:
// each operation takes the same few steps however long it is. A connection is in
// a queue of each kind at most once.
type queue struct {
	head, tail int32 // slot+1; 0: none
	n          int32
}

// The kinds of queues.
const (
	queueOutput   = iota // has something to send, or may have
	queueReady           // its user has to be told something
	queueListener        // half-open, or not accepted yet
	queueAge             // all, the oldest first
	queueKinds
)

// places is where a connection stands in the queues.
type places struct {
	after, before [queueKinds]int32 // slot+1; 0: none
	in            uint8             // a bit for each kind of queue that it is in
}

func (s *Stack) push(q *queue, kind int, c *Conn) {
	if c.in>>kind&1 != 0 {
		return
	}
	c.in |= 1 << kind
	c.before[kind], c.after[kind] = q.tail, 0
	if q.tail != 0 {
		s.conns[q.tail-1].after[kind] = c.slot + 1
	} else {
		q.head = c.slot + 1
	}
	q.tail = c.slot + 1
	q.n++
}

func (s *Stack) remove(q *queue, kind int, c *Conn) {
	if c.in>>kind&1 == 0 {
		return
	}
	c.in &^= 1 << kind
	next, prev := c.after[kind], c.before[kind]
	if next != 0 {
		s.conns[next-1].before[kind] = prev
	} else {
		q.tail = prev
	}
	if prev != 0 {
		s.conns[prev-1].after[kind] = next
	} else {
		q.head = next
	}
	q.n--
}

// first returns the connection at the head of q, nil when q is empty.
func (s *Stack) first(q *queue) *Conn {
	if q.head == 0 {
		return nil
	}
	return s.conns[q.head-1]
}

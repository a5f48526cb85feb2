package tcp

// spares keeps the records that idle connections have given back.
type spares struct {
	flights spare[flight]
	losses  spare[losses]
	holds   spare[reassembly]
}

// A spare is records of one kind, each as good as new.
type spare[T any] []*T

const sparesMax = 1024

// take returns a record, nil if there is none.
func (s *spare[T]) take() *T {
	n := len(*s)
	if n == 0 {
		return nil
	}
	r := (*s)[n-1]
	*s = (*s)[:n-1]
	return r
}

// give keeps r for another connection, unless there are enough.
func (s *spare[T]) give(r *T) {
	if len(*s) < sparesMax {
		*s = append(*s, r)
	}
}

func (e *Env) takeFlight() *flight {
	f := e.spare.flights.take()
	if f == nil {
		f = &flight{list: make([]sent, 0, 4)}
	}
	f.watched = e.Hooks.Has(StepLost)
	return f
}

func (e *Env) giveFlight(f *flight) {
	f.reset()
	e.spare.flights.give(f)
}

func (e *Env) takeLosses() *losses {
	if l := e.spare.losses.take(); l != nil {
		return l
	}
	return &losses{}
}

func (e *Env) giveLosses(l *losses) {
	*l = losses{}
	e.spare.losses.give(l)
}

func (e *Env) takeReassembly() *reassembly {
	if r := e.spare.holds.take(); r != nil {
		return r
	}
	return &reassembly{}
}

func (e *Env) giveReassembly(r *reassembly) {
	*r = reassembly{}
	e.spare.holds.give(r)
}

// Clone copies what the environment holds by itself, and what its hook remembers.
func (e *Env) Clone() Env {
	c := *e
	c.Beside, c.Held, c.shown = e.Beside.clone(), e.Held.clone(), shown{}
	c.record, c.hand, c.moved, c.stage = Record{}, hand{}, nil, nil
	if e.Hook != nil {
		c.Hook = e.Hook.Clone()
	}
	c.Log, c.Pool, c.spare = e.Log.Clone(), e.Pool.Clone(), spares{}
	return c
}

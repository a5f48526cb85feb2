package tcp

// spares keeps the records that idle connections have given back.
type spares struct {
	flights []*flight
	losses  []*losses
	holds   []*reassembly
}

const sparesMax = 1024

func (e *Env) takeFlight() *flight {
	if n := len(e.spare.flights); n > 0 {
		f := e.spare.flights[n-1]
		e.spare.flights = e.spare.flights[:n-1]
		return f
	}
	return &flight{list: make([]sent, 0, 4)}
}

func (e *Env) giveFlight(f *flight) {
	f.reset()
	if len(e.spare.flights) < sparesMax {
		e.spare.flights = append(e.spare.flights, f)
	}
}

func (e *Env) takeLosses() *losses {
	if n := len(e.spare.losses); n > 0 {
		l := e.spare.losses[n-1]
		e.spare.losses = e.spare.losses[:n-1]
		return l
	}
	return &losses{}
}

func (e *Env) giveLosses(l *losses) {
	if len(e.spare.losses) < sparesMax {
		e.spare.losses = append(e.spare.losses, l)
	}
}

func (e *Env) takeReassembly() *reassembly {
	if n := len(e.spare.holds); n > 0 {
		r := e.spare.holds[n-1]
		e.spare.holds = e.spare.holds[:n-1]
		return r
	}
	return &reassembly{}
}

func (e *Env) giveReassembly(r *reassembly) {
	*r = reassembly{}
	if len(e.spare.holds) < sparesMax {
		e.spare.holds = append(e.spare.holds, r)
	}
}

// Clone copies what the environment holds by itself. Its hook stays the same.
func (e *Env) Clone() Env {
	c := *e
	c.Log, c.Pool, c.spare = e.Log.Clone(), e.Pool.Clone(), spares{}
	return c
}

package e2e

import "slices"

// The situations.
var bouts = slices.Concat(openBouts, optionBouts, closeBouts, dataBouts, lossBouts, strangeBouts)

// some are faults, anew for each run.
func some(faults ...*fault) func() []*fault {
	return func() (all []*fault) {
		for _, f := range faults {
			one := *f
			all = append(all, &one)
		}
		return all
	}
}

// hello opens, asks, answers and closes.
func hello(r *run) {
	r.open()
	r.ask()
	r.finish()
}

func (r *run) ask() {
	r.write(client, 100)
	r.receive(server, 100)
	r.settle()
	r.write(server, 1000)
	r.receive(client, 1000)
	r.settle()
}

func (r *run) finish() {
	r.close(client)
	r.ends(server)
	r.settle()
	r.close(server)
	r.settle()
	r.states("TIME-WAIT", "CLOSED")
}

// bulk is hello with so many octets each way.
func bulk(c, s int) func(*run) {
	return func(r *run) {
		r.open()
		r.transfer([2]int{c, s})
		r.settle()
		r.finish()
	}
}

package plugins

import (
	"strconv"

	"github.com/tcpkit/tcpkit/plugins/abi"
)

// Stats count what a plugin did.
type Stats struct {
	Calls   uint64
	Fuel    uint64 // used by all calls
	Most    uint64 // used by one
	Strikes uint64
	Skipped uint64       // calls that were not made, since its fuel for the instant was used up
	Whys    [whys]uint64 // events, by reason; WhyVerdict are those of verdicts other than a plain pass
}

// Stats are the plugin's.
func (p *Plugin) Stats() Stats { return p.stats }

// Out says whether the plugin is called no more.
func (p *Plugin) Out() Out { return p.life.out }

// Err is what the plugin got its last strike for, nil if it has none.
func (p *Plugin) Err() error {
	f := &p.life.fault
	name := Export(f.hook)
	switch f.why {
	case WhyVerdict:
		return nil
	case WhyFuel:
		return &Failure{Doing: name, Name: p.name, Err: f.err, mend: "do less there, or ask for more with a line budget in the manifest"}
	case WhyTrap:
		return &Failure{Doing: name, Name: p.name, Err: f.err}
	case WhyMutation:
		return &Failure{Doing: name, Name: p.name, Err: f.change(p)}
	default:
		return &Failure{Doing: name, Name: p.name, Err: Error("it returned " + strconv.FormatInt(f.result, 10) +
			", which is no verdict that this tcpkit obeys there; return 0 to pass")}
	}
}

// change says what is wrong with a change, or with a segment that was to be sent.
func (f *fault) change(p *Plugin) error {
	verdict, fields := abi.Verdict(f.result), uint32(f.result>>8)
	h := find(f.hook)
	if h != nil && f.result >= 0 {
		if missing := needs(h, verdict, fields) &^ p.grants; missing != 0 {
			return Error("it returned " + strconv.FormatInt(f.result, 10) + " without the grant " + missing.String() +
				"; ask for it in the manifest: grants " + (p.grants | missing).String())
		}
	}
	return Error("what it has made of the segment cannot be, or is not its to change; check it against the validation rules of the package abi")
}

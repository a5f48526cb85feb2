package plugins

import "github.com/tcpkit/tcpkit/plugins/abi"

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
		return &Failure{Doing: name, Name: p.name, Err: f.err, mend: "find the place by logging: what a call has logged is kept when it traps"}
	case WhyMutation:
		return &Failure{Doing: name, Name: p.name, Err: f.change(p)}
	default:
		return &Failure{Doing: name, Name: p.name, Err: f.answer()}
	}
}

// answer says what is wrong with a result that the hook may not give, and what it may.
func (f *fault) answer() error {
	text := "it returned " + resultText(f.result) + ", which is no verdict that this tcpkit obeys there"
	h := find(f.hook)
	if h == nil {
		return Error(text + "; return 0 to pass")
	}
	text += "; there may be " + verdictNames[abi.Pass]
	for v := range verdictNames {
		if h.may.has(abi.Verdict(v)) {
			text += ", " + verdictNames[v]
			if abi.Verdict(v) == abi.Mutated {
				text += fieldText(uint64(h.fields))
			}
		}
	}
	return Error(text)
}

// change says what is wrong with a change, or with a segment that was to be sent.
func (f *fault) change(p *Plugin) error {
	verdict, fields := abi.Verdict(f.result), uint32(f.result>>8)
	h := find(f.hook)
	if h != nil && f.result >= 0 {
		if missing := needs(h, verdict, fields) &^ p.grants; missing != 0 {
			return Error("it returned " + resultText(f.result) + " without the grant " + missing.String() +
				"; ask for it in the manifest: grants " + (p.grants | missing).String())
		}
	}
	return Error("what it has made of the segment cannot be, or is not its to change; check it against the validation rules of the package abi")
}

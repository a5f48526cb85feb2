package kit

import (
	"github.com/tcpkit/tcpkit/core/scenario"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/plugins"
)

// A run is a scenario.Run and the plugins that were started for it.
type run struct {
	*scenario.Run
	scenario *scenario.Scenario
	keeper   *keeper
}

// A keeper remembers what an engine has started, so that all of it can be ended.
type keeper struct {
	plugins.Engine
	started []plugins.Instance
}

// Start is plugins.Engine.
func (e *keeper) Start(module []byte, host plugins.Imports, fuel int64) (plugins.Instance, error) {
	i, err := e.Engine.Start(module, host, fuel)
	if err == nil {
		e.started = append(e.started, i)
	}
	return i, err
}

func (e *keeper) close() {
	for _, i := range e.started {
		_ = i.Close() // some have been closed already
	}
	e.started = nil
}

// runsMost is how many runs there can be at once, stepsMost how many steps one call
// makes.
const (
	runsMost  = 256
	stepsMost = 1 << 20
)

// RunNew makes a run of the scenario in the buffer, whose first octets are the text
// and whose rest, if there is any, is extra lines.
func (k *Kit) RunNew(textSize, size uint32) int32 {
	text, err := k.text(size)
	if err == nil && textSize > size {
		err = errNotGiven
	}
	if err != nil {
		return k.fail(err)
	}
	texts := []string{text[textSize:]}
	if texts[0] == "" {
		texts = nil
	}
	s, err := scenario.Parse(text[:textSize], texts...)
	if err != nil {
		return k.fail(err)
	}
	return k.begin(s)
}

// begin makes a run of a scenario.
func (k *Kit) begin(s *scenario.Scenario) int32 {
	r := &run{scenario: s, keeper: &keeper{Engine: k.Engine}}
	made, err := scenario.New(s, func(o *scenario.Order) (tcp.Hook, tcp.HookMask, error) { return k.hook(r.keeper, o) })
	if err != nil {
		r.keeper.close()
		return k.fail(err)
	}
	r.Run = made
	handle := k.runs.add(r, runsMost)
	if handle == 0 {
		r.keeper.close()
		return k.fail(plugins.Error("there are too many runs; free some"))
	}
	return handle
}

// hook makes the plugins of a host.
func (k *Kit) hook(e *keeper, o *scenario.Order) (tcp.Hook, tcp.HookMask, error) {
	set := plugins.NewSet()
	for _, spec := range o.Specs {
		p, err := k.load(e, spec, plugins.Options{Key: o.Key, MTU: o.MTU})
		if err != nil {
			return nil, 0, err
		}
		set.Add(p)
	}
	return set, set.Mask(), nil
}

// withRun finds a run and calls f with it.
func (k *Kit) withRun(handle int32, f func(r *run) int32) int32 {
	s := k.runs.find(handle)
	if s == nil {
		return k.fail(errHandle)
	}
	return f(s.value)
}

// RunFree forgets a run and ends its plugins.
func (k *Kit) RunFree(handle int32) int32 {
	return k.withRun(handle, func(r *run) int32 {
		k.runs.remove(handle)
		r.keeper.close()
		return 0
	})
}

// RunClone makes a run with the same past and a future of its own: it is made once
// more, which comes to the same.
func (k *Kit) RunClone(handle int32) int32 {
	return k.withRun(handle, func(r *run) int32 {
		made := k.begin(r.scenario)
		if s := k.runs.find(made); s != nil {
			s.value.Seek(r.Steps())
			s.value.Seek(r.At())
		}
		return made
	})
}

// RunStep makes n steps, or as many as there are, and returns how many.
func (k *Kit) RunStep(handle int32, n uint32) int32 {
	return k.withRun(handle, func(r *run) int32 {
		made := int32(0)
		for made < int32(min(n, stepsMost)) && r.Step() {
			made++
		}
		return made
	})
}

// RunFinish makes all steps that there are.
func (k *Kit) RunFinish(handle int32) int32 {
	return k.withRun(handle, func(r *run) int32 {
		r.Finish()
		return 0
	})
}

// RunSeek goes to where so many steps were made, and returns where it is: at the end
// if there are not so many.
func (k *Kit) RunSeek(handle int32, step uint32) int32 {
	return k.withRun(handle, func(r *run) int32 { return int32(r.Seek(int(min(step, 1<<31-1)))) })
}

// RunAt returns the step at which the run stands, RunSteps how many were made so
// far, RunLength how many items its timeline has.
func (k *Kit) RunAt(handle int32) int32 {
	return k.withRun(handle, func(r *run) int32 { return int32(r.At()) })
}

// RunSteps returns how many steps were made so far.
func (k *Kit) RunSteps(handle int32) int32 {
	return k.withRun(handle, func(r *run) int32 { return int32(r.Steps()) })
}

// RunLength returns how many items the timeline has so far.
func (k *Kit) RunLength(handle int32) int32 {
	return k.withRun(handle, func(r *run) int32 { return int32(len(r.Items(0))) })
}

// RunEnded returns 1 if nothing is left to happen, else 0.
func (k *Kit) RunEnded(handle int32) int32 {
	return k.withRun(handle, func(r *run) int32 {
		if r.Ended() {
			return 1
		}
		return 0
	})
}

// RunHead leaves what the run is in the buffer, as JSON.
func (k *Kit) RunHead(handle int32) int32 {
	return k.withRun(handle, func(r *run) int32 { return k.give(r.AppendJSON(nil, 0, 0)) })
}

// RunItems leaves the items of the timeline from one on and before another, as JSON.
func (k *Kit) RunItems(handle int32, from, upto uint32) int32 {
	const most = 1<<31 - 1
	return k.withRun(handle, func(r *run) int32 {
		return k.write(func(b []byte) []byte { return r.AppendItems(b, int(min(from, most)), int(min(upto, most))) })
	})
}

// errHost is a host that the scenario does not have.
const errHost plugins.Error = "there is no such host in this scenario"

// withHost is withRun for one of its hosts.
func (k *Kit) withHost(handle int32, host uint32, f func(r *run) int32) int32 {
	return k.withRun(handle, func(r *run) int32 {
		if uint64(host) >= uint64(len(r.scenario.Hosts)) {
			return k.fail(errHost)
		}
		return f(r)
	})
}

// RunView leaves what a host has at this step, as Status does.
func (k *Kit) RunView(handle int32, host uint32) int32 {
	return k.withHost(handle, host, func(r *run) int32 {
		stack, now := r.Stack(int(host))
		return k.give(appendStatus(nil, stack, now))
	})
}

// RunPacket leaves the octets of a packet.
func (k *Kit) RunPacket(handle int32, id uint32) int32 {
	return k.withRun(handle, func(r *run) int32 {
		b := r.Packet(id)
		if b == nil {
			return k.fail(plugins.Error("there is no such packet in this run"))
		}
		return k.give(b)
	})
}

// RunPcapng leaves a capture of what a host has sent and received.
func (k *Kit) RunPcapng(handle int32, host uint32) int32 {
	return k.withHost(handle, host, func(r *run) int32 { return k.write(func(b []byte) []byte { return r.AppendPcapng(b, int(host)) }) })
}

// RunCheck leaves each expectation and how it went with it, as JSON.
func (k *Kit) RunCheck(handle int32) int32 {
	return k.withRun(handle, func(r *run) int32 { return k.write(r.AppendCheck) })
}

// RunHash covers all that has happened up to this step, left as Hash's.
func (k *Kit) RunHash(handle int32) int32 {
	return k.withRun(handle, func(r *run) int32 { return k.give64(r.Hash()) })
}

// RunFingerprint covers what decides the future, left as Hash's.
func (k *Kit) RunFingerprint(handle int32) int32 {
	return k.withRun(handle, func(r *run) int32 { return k.give64(r.Fingerprint()) })
}

package plugins

import (
	"errors"
	"strconv"

	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/event"
	"github.com/tcpkit/tcpkit/core/siphash"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/plugins/abi"
)

// A Plugin is a module that runs, as the engine sees it.
type Plugin struct {
	name     string
	instance Instance
	mask     tcp.HookMask
	record   []byte // room for one
	calls    uint64
	err      error // why it is not called any more
}

// ErrDetached is why a plugin that asked for it is not called any more.
const ErrDetached Error = "the plugin has detached itself"

// Load checks a module, starts it and agrees with it on the version of the
// boundary. name is what errors call it.
func Load(e Engine, name string, wasm []byte) (*Plugin, error) {
	p, err := load(e, wasm)
	if err != nil {
		return nil, &Failure{"load", name, err}
	}
	p.name = name
	return p, nil
}

func load(e Engine, wasm []byte) (*Plugin, error) {
	m, err := Inspect(wasm)
	if err != nil {
		return nil, err
	}
	if err := m.checkStart(); err != nil {
		return nil, err
	}
	instance, err := e.Start(wasm, nil, 0)
	if err != nil {
		return nil, err
	}
	p := &Plugin{instance: instance, record: make([]byte, abi.RecordSize)}
	if err := p.agree(&m); err != nil {
		return nil, errors.Join(err, instance.Close())
	}
	return p, nil
}

// agree compares versions, and only then what depends on them.
func (p *Plugin) agree(m *Module) error {
	version, err := p.instance.ABI()
	if err != nil {
		return err
	}
	if err := checkVersion(version); err != nil {
		return err
	}
	if p.mask, err = m.checkHooks(); err != nil {
		return err
	}
	return p.instance.Init(abi.PayloadAt)
}

// A Failure says which plugin failed, and at what.
type Failure struct {
	Doing string // "load", or the export that was called
	Name  string
	Err   error
}

func (f *Failure) Error() string { return f.Doing + " plugin " + f.Name + ": " + f.Err.Error() }

// Unwrap returns the reason.
func (f *Failure) Unwrap() error { return f.Err }

// Name is what errors call the plugin.
func (p *Plugin) Name() string { return p.name }

// Mask has the hooks that the plugin exports; none once it has failed.
func (p *Plugin) Mask() tcp.HookMask {
	if p.err != nil {
		return 0
	}
	return p.mask
}

// Calls is how often the plugin has been called.
func (p *Plugin) Calls() uint64 { return p.calls }

// Err is why the plugin is called no more, nil while it is.
func (p *Plugin) Err() error { return p.err }

// Close gives back what the plugin holds. It is not called after that.
func (p *Plugin) Close() error {
	if p.err == nil {
		p.err = ErrDetached
	}
	return p.instance.Close()
}

// At is tcp.Hook.
func (p *Plugin) At(r *tcp.Record) tcp.Verdict {
	hook, ok := p.wants(r.Step)
	if !ok {
		return tcp.Pass
	}
	putRecord(p.record, hook, r)
	return p.call(hook, r.Step == tcp.StepArriving || r.Step == tcp.StepLeaving)
}

// Deadline, Expire and Fingerprint: it has no timers, and what it remembers is in
// its own memory.
func (p *Plugin) Deadline() clock.Instant                       { return clock.Never }
func (p *Plugin) Expire(clock.Instant, *tcp.Beside, *event.Log) {}
func (p *Plugin) Fingerprint(*siphash.Hash, clock.Instant)      {}

// Clone is the same plugin.
func (p *Plugin) Clone() tcp.Hook { return p }

func (p *Plugin) wants(step tcp.Step) (abi.Hook, bool) {
	if !p.Mask().Has(step) {
		return 0, false
	}
	for i := range hooks {
		if hooks[i].step == step {
			return hooks[i].hook, true
		}
	}
	return 0, false
}

var whole = [...]Part{{0, abi.RecordSize}}

// call calls one export with the record. What fails passes: a plugin that is
// gone has no say (THREATS P14).
func (p *Plugin) call(h abi.Hook, mayDrop bool) tcp.Verdict {
	p.calls++
	result, err := p.instance.Call(h, 0, p.record, whole[:], nil)
	if err != nil {
		p.err = &Failure{Export(h), p.name, err}
		return tcp.Pass
	}
	switch verdict := abi.Verdict(result); {
	case result < 0:
	case verdict == abi.Pass:
		return tcp.Pass
	case verdict == abi.Drop && mayDrop:
		return tcp.DropIt
	case verdict == abi.Detach:
		p.err = ErrDetached
		return tcp.Pass
	}
	p.err = &Failure{Export(h), p.name, Error("it returned " + strconv.FormatInt(result, 10) +
		", which is no verdict that this tcpkit obeys there; return 0 to pass")}
	return tcp.Pass
}

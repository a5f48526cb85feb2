package plugins

import (
	"errors"
	"strconv"

	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/siphash"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/plugins/abi"
)

// Options say how a plugin is loaded. The zero value is good.
type Options struct {
	Name  string        // what it is called; "": what its manifest says
	Set   []string      // its options, each "name=value"
	Allow Grants        // of those that a plugin has only if its user says so
	Key   siphash.Key   // of its random numbers
	Now   clock.Instant // when it is loaded
	MTU   int           // of the link; 0: 1500
}

const defaultMTU = 1500

// A program is what a plugin is made of: what does not change while it runs. The
// copies of a plugin share it.
type program struct {
	engine   Engine
	code     []byte // checked and rewritten
	manifest *Manifest
	exports  hookSet // which it is called for
	batched  hookSet // which it is told of in batches
	grants   Grants
	shown    sections
	settings settings
	filters  [tcp.Steps][]filter
	size     uint32 // of the buffer
	mtu      uint32
	initFuel int64
	hookFuel int64
	draws    bool // it imports random numbers
}

// A Plugin is a module that runs. It belongs to one Set, or to nobody yet.
type Plugin struct {
	*program
	name  string
	index int    // in the Set
	turn  uint64 // how many have had the place before it

	guest *guest // nil while there is none
	life  life
	now   clock.Instant // of the call at hand, or of the one before

	commands commands
	timers   timers
	states   states
	batch    batch
	stats    Stats
}

// Load checks a module, starts it, agrees with it on the version of the boundary
// and gives it its options.
func Load(e Engine, wasm []byte, o Options) (*Plugin, error) {
	p, err := load(e, wasm, o)
	if err != nil {
		return nil, &Failure{Doing: "load", Name: p.name, Err: err}
	}
	return p, nil
}

func load(e Engine, wasm []byte, o Options) (*Plugin, error) {
	p := &Plugin{name: o.Name}
	if p.name == "" {
		p.name = "plugin"
	}
	c := prepare(e, wasm, o)
	if c.program == nil {
		return p, errors.Join(c.problems...)
	}
	if o.Name == "" && c.manifest.Name != "" {
		p.name = c.manifest.Name
	}
	if err := joined(c.problems); err != nil {
		return p, err
	}
	p.program = c.program
	p.now = o.Now
	p.commands.key = o.Key
	p.commands.named(p.name)
	if p.manifest.Tick > 0 {
		p.timers.tickAt = o.Now.Add(p.manifest.Tick)
	}
	g, err := p.start(c.late)
	if err != nil {
		return p, err
	}
	p.guest = g
	p.batch.room(&p.batched, p.manifest.Batch)
	return p, nil
}

// joined is nil, the one error, or all of them.
func joined(problems []error) error {
	if len(problems) == 1 {
		return problems[0]
	}
	return errors.Join(problems...)
}

// start makes an instance. late are problems that count only once the versions
// agree: a newer plugin may export what is not known here.
func (p *Plugin) start(late []error) (*guest, error) {
	g := &guest{user: p, sharers: 1}
	p.commands.begin()
	instance, err := p.engine.Start(p.code, g, p.initFuel)
	if err != nil {
		return nil, startFailed(err)
	}
	g.instance = instance
	if err := p.agree(instance, late); err != nil {
		return nil, errors.Join(err, instance.Close())
	}
	return g, nil
}

func (p *Plugin) agree(i Instance, late []error) error {
	version, err := i.ABI()
	if err != nil {
		return startFailed(err)
	}
	if err := checkVersion(version); err != nil {
		return err
	}
	if err := joined(late); err != nil {
		return err
	}
	if err := i.Init(p.size); err != nil {
		return startFailed(err)
	}
	if p.exports.has(find(abi.HookConfig)) {
		return p.configure(i)
	}
	return nil
}

// configure tells a plugin of its options. It has the fuel of its start.
func (p *Plugin) configure(i Instance) error {
	image := make([]byte, p.size)
	r := tcp.Record{Now: p.now}
	putRecord(image, abi.HookConfig, &r, true)
	for k, v := range p.settings.numbers {
		putArg(image, k, v)
	}
	text := p.settings.text
	putSections(image, abi.SectionArgs|abi.SectionPayload, uint32(len(text)))
	copy(image[abi.PayloadAt:], text)
	parts := []Part{{0, abi.ArgsEnd}, {abi.PayloadAt, uint32(len(text))}}
	fuel := p.initFuel
	result, err := i.Call(abi.HookConfig, 0, image, parts, &fuel)
	if err != nil {
		return startFailed(&Failure{Doing: abi.ExportConfig, Err: err})
	}
	if result != int64(abi.Pass) {
		return Error(abi.ExportConfig + " returned " + strconv.FormatInt(result, 10) +
			", which says that it cannot run with these options; change them, or return 0")
	}
	return nil
}

// startFailed adds what mends a start that took too long.
func startFailed(err error) error {
	if errors.Is(err, ErrFuel) {
		return &Failure{Doing: "start", Err: err, mend: "do less there, or ask for more with a line budget init in the manifest"}
	}
	return err
}

// A Failure says which plugin failed, and at what.
type Failure struct {
	Doing string // "load", or the export that was called
	Name  string // "" where another Failure around this one has it
	Err   error
	mend  string
}

func (f *Failure) Error() string {
	text := f.Doing
	switch {
	case f.Name != "" && reserved(f.Doing):
		text = "plugin " + f.Name + " at " + f.Doing
	case f.Name != "":
		text += " plugin " + f.Name
	}
	text += ": " + f.Err.Error()
	if f.mend != "" {
		text += "; " + f.mend
	}
	return text
}

// Unwrap returns the reason.
func (f *Failure) Unwrap() error { return f.Err }

// Name is what the plugin is called.
func (p *Plugin) Name() string { return p.name }

// Manifest is what the plugin says of itself.
func (p *Plugin) Manifest() *Manifest { return p.manifest }

// Grants are what it may see and do.
func (p *Plugin) Grants() Grants { return p.grants }

// Exports reports whether the plugin is to be called for a hook.
func (p *Plugin) Exports(h abi.Hook) bool {
	info := find(h)
	return info != nil && p.exports.has(info)
}

// Close gives back what the plugin holds. It is not called after that.
func (p *Plugin) Close() error {
	if p.life.out == NotOut {
		p.life.out = OutClosed
	}
	return p.release()
}

// release parts from the instance, which ends with the last that shares it.
func (p *Plugin) release() error {
	g := p.guest
	p.guest = nil
	if g == nil {
		return nil
	}
	if g.sharers--; g.sharers > 0 || g.dead {
		return nil
	}
	return g.instance.Close()
}

// clone is a copy with a future of its own, but for the instance.
func (p *Plugin) clone() *Plugin {
	c := new(Plugin)
	*c = *p
	if c.guest != nil {
		c.guest.sharers++
	}
	c.commands = p.commands.clone()
	c.states = p.states.clone()
	c.batch = p.batch.clone()
	return c
}

// A guest is an instance, and what answers its imports. The copies of a plugin
// share it: whose call it is, is user.
type guest struct {
	instance Instance
	user     *Plugin
	sharers  int
	busy     bool // a call is being made
	dead     bool // it has failed, and is closed
}

// call calls an export that has a record. why says whether it could.
// It allocates nothing.
func (p *Plugin) call(now clock.Instant, h abi.Hook, n uint32, image []byte, parts []Part) (result int64, why Why) {
	g := p.guest
	p.now = now
	p.stats.Calls++
	p.commands.begin()
	p.life.fuel = p.hookFuel
	g.user, g.busy = p, true
	result, err := g.instance.Call(h, n, image, parts, &p.life.fuel)
	g.busy = false
	used := p.hookFuel
	if err == nil {
		used -= max(p.life.fuel, 0)
	}
	p.stats.Fuel += uint64(used)
	p.stats.Most = max(p.stats.Most, uint64(used))
	p.life.pollLeft -= used
	if err == nil {
		return result, WhyVerdict
	}
	// What is left after a trap is not the same in every engine: it pays for all.
	p.life.fault.err = err
	g.dead = true
	_ = g.instance.Close() // it has failed already: there is no more to say
	if errors.Is(err, ErrFuel) {
		return 0, WhyFuel
	}
	return 0, WhyTrap
}

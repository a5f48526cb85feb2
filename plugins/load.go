package plugins

import (
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/plugins/abi"
	"github.com/tcpkit/tcpkit/plugins/fuel"
)

// A checked is a module that has been looked at, and not started yet.
type checked struct {
	*program // nil if the file is no module
	problems []error
	late     []error // those that count only if the plugin is no newer than we are
}

// prepare does all that can be done with a module before it runs.
func prepare(e Engine, wasm []byte, o Options) (c checked) {
	m, err := Inspect(wasm)
	if err != nil {
		c.problems = append(c.problems, err)
		return c
	}
	p := &program{engine: e, mtu: uint32(o.MTU)}
	if o.MTU <= 0 {
		p.mtu = defaultMTU
	}
	c.program = p
	add := func(problems ...error) {
		for _, err := range problems {
			if err != nil {
				c.problems = append(c.problems, err)
			}
		}
	}
	var problems []error
	p.manifest, problems = ParseManifest(m.Manifest)
	add(problems...)
	add(m.checkStart()...)
	add(m.checkImports()...)
	p.settings, problems = p.manifest.values(o.Set)
	add(problems...)
	add(checkAllowed(p.manifest.Grants, o.Allow))
	p.grants = p.manifest.Grants.all()
	if m.imports(abi.ImportInject) && !p.grants.Has(GrantInject) {
		add(Error("it imports " + abi.ImportModule + "." + abi.ImportInject + " without the grant inject; ask for it in the manifest: grants inject"))
	}
	p.draws = m.imports(abi.ImportRandom)
	exports, batch, late := m.checkHooks()
	c.late = append(c.late, late...)
	c.late = append(c.late, p.chooseHooks(exports, batch, len(late) > 0)...)
	c.late = append(c.late, p.checkCC()...)
	p.initFuel, p.hookFuel = p.manifest.budgets()
	p.chooseSections()
	p.chooseFilters()
	p.code, err = p.rewrite(wasm)
	add(err)
	return c
}

// rewrite makes the module pay for what it does, and refuses what plugins may not
// have. THREATS P02 to P04.
func (p *program) rewrite(wasm []byte) ([]byte, error) {
	limits := fuel.DefaultLimits()
	limits.Pages, limits.StartFuel = p.manifest.Pages, p.initFuel
	rewrite := fuel.Rewrite
	if r, ok := p.engine.(Rewriter); ok {
		rewrite = r.Rewrite
	}
	code, err := rewrite(wasm, limits)
	if f, ok := err.(*fuel.Error); ok && f.Problem == fuel.TooLarge && f.Section == "memory" && limits.Pages < maxPages {
		f.Mend += "; ask for more with a line memory in the manifest"
	}
	return code, err
}

// chooseHooks decides which hooks are called, and which are told of in batches.
// misnamed says that there are exports which may have been meant for some.
func (p *program) chooseHooks(exports hookSet, batch, misnamed bool) (problems []error) {
	m := p.manifest
	p.exports = exports
	if m.hooks != 0 {
		life := find(abi.HookConfig).bit() | find(abi.HookTick).bit() | find(abi.HookDrain).bit()
		p.exports = exports & (m.hooks | life)
		p.batched = m.hooks &^ exports &^ life
	}
	for i := range hooks {
		if h := &hooks[i]; p.batched.has(h) && (!batch || h.step == noStep) {
			problems = append(problems, Error("its manifest asks for the hook "+h.name+", which it does not export; add the export "+h.export()+" "+typeHook+", or leave the hook out"))
		}
	}
	switch {
	case batch && m.Batch == 0:
		problems = append(problems, Error("it exports "+abi.ExportBatch+", but its manifest does not say how many records at once; add a line batch 32"))
	case m.Batch > 0 && !batch:
		problems = append(problems, Error("its manifest asks for batches, but it exports no "+abi.ExportBatch+"; add the export, of type "+typeBatch))
	case m.Batch > 0 && p.batched == 0:
		problems = append(problems, Error("its manifest asks for batches, but of no hook; name those in its line hooks, and don't export them one by one"))
	}
	if m.Tick > 0 && !p.exports.has(find(abi.HookTick)) {
		problems = append(problems, Error("its manifest asks for a tick, but it exports no "+abi.ExportTick+"; add the export, of type "+typeHook))
	}
	if len(m.Options) > 0 && !p.exports.has(find(abi.HookConfig)) {
		problems = append(problems, Error("its manifest has options, but it exports no "+abi.ExportConfig+", which would tell it of them; add the export, of type "+typeHook))
	}
	if exports == 0 && !batch && !misnamed {
		problems = append(problems, Error("it exports no hook, so that it would never be called; export one, such as "+abi.ExportTransition+" "+typeHook))
	}
	return problems
}

// chooseSections decides what a plugin is shown beside the record, and how large
// its buffer has to be for that.
func (p *program) chooseSections() {
	for _, s := range [...]struct {
		is     sections
		grants Grants
		end    uint32
	}{
		{abi.SectionArgs, 0, abi.ArgsEnd},
		{abi.SectionAddress, GrantObserve, abi.AddressEnd},
		{abi.SectionOptions, GrantOptions, abi.OptionsEnd},
		{abi.SectionPayload, GrantPayload | GrantLink, abi.PayloadAt + p.mtu},
	} {
		if p.manifest.sections&s.is != 0 && (s.grants == 0 || p.grants&s.grants != 0) {
			p.shown |= s.is
			p.size = max(p.size, s.end)
		}
	}
	p.size = max(p.size, abi.RecordSize)
	if p.manifest.State > 0 {
		p.shown |= abi.SectionState
		p.size = max(p.size, abi.StateAt+p.manifest.State)
	}
	if p.grants.Has(GrantInject) {
		p.size = max(p.size, abi.PayloadAt+p.mtu)
	}
	if p.exports.has(find(abi.HookConfig)) {
		p.size = max(p.size, abi.PayloadAt+uint32(len(p.settings.text)))
	}
	p.size = max(p.size, p.manifest.Batch*abi.BatchSize)
	for i := range hooks {
		// A congestion controller is told with sections beside each other.
		if hooks[i].isCC() && p.exports.has(&hooks[i]) || hooks[i].hook == abi.HookTick && p.exports.has(&hooks[i]) {
			p.size = max(p.size, abi.CCEnd)
		}
	}
}

func (p *program) chooseFilters() {
	for step := range tcp.Steps {
		for _, f := range p.manifest.filters {
			if f.hooks.has(hookAt(step)) {
				p.filters[step] = append(p.filters[step], f)
			}
		}
	}
}

// wants reports whether the filters let a record through.
func (p *program) wants(r *tcp.Record) bool {
	filters := p.filters[r.Step]
	for i := range filters {
		if filters[i].matches(r) {
			return true
		}
	}
	return len(filters) == 0
}

// Check returns everything for which a module would be refused. With an engine it
// is started, and ended again.
func Check(e Engine, wasm []byte, o Options) []error {
	c := prepare(e, wasm, o)
	if e == nil || len(c.problems) > 0 {
		return append(c.problems, c.late...)
	}
	p, err := load(e, wasm, o)
	if err == nil {
		err = p.Close()
	}
	if err == nil {
		return nil
	}
	if many, ok := err.(interface{ Unwrap() []error }); ok {
		return many.Unwrap()
	}
	return []error{err}
}

// A Description is what `inspect` shows of a module.
type Description struct {
	Manifest *Manifest
	Octets   int
	Hooks    []abi.Hook // it is called for
	Batched  []abi.Hook // it is told of in batches
	Grants   Grants
	Allow    Grants // of these, which its user has to allow
	Buffer   uint32 // octets
	InitFuel int64
	HookFuel int64
	Lines    []string // of the manifest, as they stand
}

// Describe says what a module is, also if it would be refused.
func Describe(wasm []byte, o Options) (Description, error) {
	o.Allow = ^Grants(0)
	c := prepare(nil, wasm, o)
	if c.program == nil {
		return Description{}, joined(c.problems)
	}
	d := Description{
		Manifest: c.manifest, Octets: len(wasm), Grants: c.grants, Allow: c.grants & onlyIfSaid,
		Buffer: c.size, InitFuel: c.initFuel, HookFuel: c.hookFuel,
	}
	for i := range hooks {
		if c.exports.has(&hooks[i]) {
			d.Hooks = append(d.Hooks, hooks[i].hook)
		}
		if c.batched.has(&hooks[i]) {
			d.Batched = append(d.Batched, hooks[i].hook)
		}
	}
	return d, nil
}

package main

import "github.com/tcpkit/tcpkit/core/script"

// checkPlugins loads the plugins once, so that what stands against one is said once.
func (p *scriptPlan) checkPlugins() error {
	if len(p.plugins) > 0 && p.kernel {
		return usagef("--plugin and --kernel exclude each other: the kernel takes no plugins")
	}
	var cfg script.Config
	done, err := p.plug(&cfg)
	if err == nil {
		done()
	}
	return err
}

// plug gives a run plugins of its own, so that runs share nothing. done ends them.
func (p *scriptPlan) plug(cfg *script.Config) (done func(), err error) {
	if len(p.plugins) == 0 {
		return func() {}, nil
	}
	set, done, err := pluginSet(p.plugins)
	if err == nil {
		cfg.Hook, cfg.Hooks = set, set.Mask()
	}
	return done, err
}

package main

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/siphash"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/hosts/native"
	"github.com/tcpkit/tcpkit/plugins"
	"github.com/tcpkit/tcpkit/plugins/wazero"
)

// sessionPlugins are the plugins of a command on a TUN, from their flags to the
// last of their messages.
type sessionPlugins struct {
	specs  []pluginSpec
	mtu    int
	log    *slog.Logger
	engine *wazero.Engine
	host   *native.Host // nil until attach

	// The set belongs to the stack's lock once it is attached: see locked.
	set   *plugins.Set
	names []string // by index
	key   siphash.Key

	strikes map[string]uint64 // that were told, by name
	stop    chan struct{}
	done    sync.WaitGroup
}

// parsePlugins reads the --plugin flags.
func parsePlugins(flags []string) (specs []pluginSpec, err error) {
	for _, text := range flags {
		s, err := parsePlugin(text)
		if err != nil {
			return nil, err
		}
		specs = append(specs, s)
	}
	return specs, nil
}

// startPlugins loads the plugins, so that whatever is wrong with one is said before
// anything is opened. key is what their random numbers come from.
func startPlugins(specs []pluginSpec, mtu int, key siphash.Key, log *slog.Logger) (*sessionPlugins, error) {
	engine, err := pluginEngine()
	if err != nil {
		return nil, err
	}
	s := &sessionPlugins{specs: specs, mtu: mtu, log: log, engine: engine, set: plugins.NewSet(), key: key, strikes: make(map[string]uint64), stop: make(chan struct{})}
	for i := range specs {
		p, err := s.load(&specs[i], 0)
		if err != nil {
			return nil, errors.Join(err, s.set.Close(), engine.Close())
		}
		s.set.Add(p)
	}
	s.names = s.set.Names()
	return s, nil
}

func (s *sessionPlugins) load(spec *pluginSpec, now clock.Instant) (*plugins.Plugin, error) {
	o := *spec
	o.options.Key, o.options.MTU, o.options.Now = s.key, s.mtu, now
	return loadPlugin(s.engine, &o)
}

// attach gives the stacks of the host the plugins, and begins to pass on what they
// say.
func (s *sessionPlugins) attach(h *native.Host) {
	s.host = h
	s.locked(func(clock.Instant) {})
	if s.set.Lab() {
		s.log.Warn("a plugin has the grant lab: what this TCP does is not what RFC 9293 says")
	}
	for i, p := range s.set.Plugins() {
		s.log.Info("plugin", "name", p.Name(), "place", i+1, "grants", p.Grants().String())
	}
	s.done.Add(1)
	go s.watch()
}

// locked calls f under the lock of the stack, and gives that the mask that the set
// has after it.
func (s *sessionPlugins) locked(f func(now clock.Instant)) {
	s.host.ChangeHook(func(now clock.Instant, _ tcp.Hook) (tcp.Hook, tcp.HookMask) {
		f(now)
		return s.set, s.set.Mask()
	})
}

// sayEvery is how often messages of plugins are passed on.
const sayEvery = 250 * time.Millisecond

// watch passes on messages, and loads the plugins again at a SIGHUP.
func (s *sessionPlugins) watch() {
	defer s.done.Done()
	hups := make(chan os.Signal, 1)
	stop := notifyReload(hups)
	defer stop()
	tick := time.NewTicker(sayEvery)
	defer tick.Stop()
	for {
		select {
		case <-hups:
			s.reload()
		case <-tick.C:
			s.say()
		case <-s.stop:
			return
		}
	}
}

// A pluginWord is a message of a plugin, taken under the lock and written without it.
type pluginWord struct {
	plugin string
	plugins.Message
}

// A pluginFault is what a plugin has got a strike for.
type pluginFault struct {
	err     error
	strikes uint64 // so far
	out     bool   // that was the last
}

// say writes what the plugins have logged.
func (s *sessionPlugins) say() {
	var all []pluginWord
	var lost uint64
	var faults []pluginFault
	s.locked(func(clock.Instant) {
		for _, p := range s.set.Plugins() {
			messages, n := p.Messages()
			for _, m := range messages {
				all = append(all, pluginWord{p.Name(), m})
			}
			lost += n
			if n := p.Stats().Strikes; n != s.strikes[p.Name()] {
				s.strikes[p.Name()] = n
				faults = append(faults, pluginFault{p.Err(), n, p.Out() == plugins.OutStruck})
			}
		}
	})
	for _, m := range all {
		s.log.Log(context.Background(), levelOf(m.Level), m.Text, "plugin", m.plugin)
	}
	if lost > 0 {
		s.log.Warn("plugins log more than is passed on", "messages_lost", lost)
	}
	for _, f := range faults {
		if f.out {
			s.log.Warn("struck out, the plugin is called no more: "+f.err.Error(), "strikes", f.strikes)
		} else {
			s.log.Warn("a strike: "+f.err.Error(), "strikes", f.strikes)
		}
	}
}

// levelOf is the logger's level for a plugin's: 0 is for debugging, 1 information, 2
// a warning, 3 an error.
func levelOf(level uint32) slog.Level {
	return slog.LevelDebug + slog.Level(4*min(level, 3))
}

// reload puts each plugin's file, as it is now, into the place of the plugin. One
// that is refused leaves the old one at work.
func (s *sessionPlugins) reload() {
	s.say()
	var at clock.Instant
	s.locked(func(now clock.Instant) { at = now })
	for i := range s.specs {
		spec := &s.specs[i]
		name := s.names[i]
		fresh, err := s.load(spec, at)
		if err != nil {
			s.log.Error("the plugin is not replaced: "+err.Error(), "plugin", name)
			continue
		}
		s.locked(func(now clock.Instant) { err = s.set.Replace(name, fresh, now, nil) })
		if err != nil {
			s.log.Error("the plugin is not replaced: "+err.Error(), "plugin", name)
			continue
		}
		delete(s.strikes, name)
		s.log.Info("the plugin is replaced", "plugin", name, "file", spec.file)
	}
}

// close ends the plugins, once no stack calls them any more.
func (s *sessionPlugins) close() error {
	if s.host != nil {
		close(s.stop)
		s.done.Wait()
		s.say()
	}
	return errors.Join(s.set.Close(), s.engine.Close())
}

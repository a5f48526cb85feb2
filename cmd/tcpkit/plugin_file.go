package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/tcpkit/tcpkit/plugins"
	"github.com/tcpkit/tcpkit/plugins/examples"
	"github.com/tcpkit/tcpkit/plugins/wazero"
)

// pluginf is an error of a plugin, or of how it was named.
func pluginf(format string, a ...any) error {
	return &exitError{exitPlugin, fmt.Errorf(format, a...)}
}

// A pluginSpec is a plugin as the user has named it: FILE[,KEY=VALUE].
type pluginSpec struct {
	text    string // all of it
	file    string // a file, or the name of a plugin that tcpkit comes with
	options plugins.Options
}

// parsePlugin reads a name with its options. Nothing is opened.
func parsePlugin(text string) (s pluginSpec, err error) {
	s.text = text
	s.file, s.options, err = plugins.ParseSpec(text)
	if err == nil && s.file == "" {
		err = errors.New("no file; give one like drop-nth.wasm,n=7")
	}
	if err != nil {
		return s, usagef("bad plugin %q: %v", text, err)
	}
	return s, nil
}

// mostPlugin is more than any module may have: what is larger is not read.
const mostPlugin = 8 << 20

// read returns the module. A name without a slash and a suffix is that of a shipped
// plugin, if there is no such file.
func (s *pluginSpec) read() ([]byte, error) {
	f, err := os.Open(s.file)
	switch {
	case err == nil:
	case errors.Is(err, fs.ErrNotExist):
		if wasm, ok := examples.Module(strings.TrimSuffix(s.file, ".wasm")); ok {
			return wasm, nil
		}
		return nil, pluginf("plugin %s: there is no such file, and tcpkit comes with none of that name; see 'tcpkit plugin list', or make one with 'tcpkit plugin new'", s.file)
	default:
		return nil, pluginf("plugin: %w", err)
	}
	defer f.Close()
	if st, err := f.Stat(); err == nil && st.IsDir() {
		return nil, pluginf("plugin %s is a folder; build what is in it with 'tcpkit plugin build %s' and give the .wasm", s.file, s.file)
	}
	wasm, err := io.ReadAll(io.LimitReader(f, mostPlugin))
	if err != nil {
		return nil, pluginf("plugin: %w", err)
	}
	return wasm, nil
}

// name is what the plugin is called where its manifest says nothing.
func (s *pluginSpec) name() string {
	if s.options.Name != "" {
		return s.options.Name
	}
	return strings.TrimSuffix(filepath.Base(s.file), ".wasm")
}

// pluginEngine is the engine that runs plugins here. What it has compiled is kept
// for the next time, where there is a place for that.
func pluginEngine() (*wazero.Engine, error) {
	cache, err := wazero.DefaultCache()
	if err != nil {
		cache = ""
	}
	e, err := wazero.New(wazero.Config{Cache: cache})
	if err != nil {
		return nil, pluginf("plugins: %w", err)
	}
	return e, nil
}

// loadPlugin reads a plugin and starts it.
func loadPlugin(e plugins.Engine, s *pluginSpec) (*plugins.Plugin, error) {
	wasm, err := s.read()
	if err != nil {
		return nil, err
	}
	o := s.options
	if d, err := plugins.Describe(wasm, o); o.Name == "" && (err != nil || d.Manifest.Name == "") {
		o.Name = s.name()
	}
	p, err := plugins.Load(e, wasm, o)
	if err != nil {
		return nil, pluginf("%w; 'tcpkit plugin check %s' lists all that stands against it", err, s.text)
	}
	return p, nil
}

// pluginSet makes a Set of plugins with an engine of their own, so that it shares
// nothing with another. done ends them.
func pluginSet(texts []string) (set *plugins.Set, done func(), err error) {
	engine, err := pluginEngine()
	if err != nil {
		return nil, nil, err
	}
	set = plugins.NewSet()
	for _, text := range texts {
		spec, err := parsePlugin(text)
		if err != nil {
			engine.Close()
			return nil, nil, err
		}
		one, err := loadPlugin(engine, &spec)
		if err != nil {
			engine.Close()
			return nil, nil, err
		}
		set.Add(one)
	}
	return set, func() { engine.Close() }, nil
}

// shippedNames completes the names of shipped plugins.
func shippedNames() []string {
	names := examples.Names()
	slices.Sort(names)
	return names
}

package main

import (
	"errors"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/tcpkit/tcpkit/core/cc"
	"github.com/tcpkit/tcpkit/plugins"
	"github.com/tcpkit/tcpkit/plugins/abi"
	"github.com/tcpkit/tcpkit/plugins/examples"
)

// controllers are the names of the built-in congestion controllers.
func controllers() string { return strings.Join(cc.Names(), ", ") }

// defaultControllers are those that a comparison has where none is named.
var defaultControllers = []string{"cubic", "newreno", "aimd", "bbr-lite"}

// A controllerSpec is a congestion controller as the user has named it: one that is
// built in, or a plugin.
type controllerSpec struct {
	text   string
	built  cc.Controller // nil: it is the plugin
	plugin pluginSpec
}

// parseController reads a name. A plugin is looked at, and not started.
func parseController(text string) (s controllerSpec, err error) {
	s.text = text
	if c, ok := cc.ByName(text); ok {
		s.built = c
		return s, nil
	}
	if s.plugin, err = parsePlugin(text); err != nil {
		return s, err
	}
	wasm, err := s.plugin.read()
	if err != nil {
		if _, missing := os.Stat(s.plugin.file); errors.Is(missing, fs.ErrNotExist) {
			return s, usagef("no congestion controller %q: built in are %s, tcpkit comes with the plugins %s, and a file can be given",
				s.plugin.file, controllers(), strings.Join(shippedControllers(), ", "))
		}
		return s, err
	}
	if d, err := plugins.Describe(wasm, s.plugin.options); err == nil && !isController(&d) {
		return s, pluginf("%s is a plugin, but no congestion controller: it exports no tcpkit_cc_ack; built in are %s, plugins %s",
			text, controllers(), strings.Join(shippedControllers(), ", "))
	}
	return s, nil
}

func isController(d *plugins.Description) bool { return slices.Contains(d.Hooks, abi.HookCCAck) }

// shippedControllers are the plugins that tcpkit comes with and that are congestion
// controllers.
func shippedControllers() (names []string) {
	for _, name := range shippedNames() {
		wasm, _ := examples.Module(name)
		if d, err := plugins.Describe(wasm, plugins.Options{}); err == nil && isController(&d) {
			names = append(names, name)
		}
	}
	return names
}

// parseControllers reads a list with commas, in which KEY=VALUE is an option of the
// plugin before it.
func parseControllers(list string) (all []controllerSpec, err error) {
	var texts []string
	for _, part := range strings.Split(list, ",") {
		if last := len(texts) - 1; last >= 0 && strings.Contains(part, "=") {
			texts[last] += "," + part
		} else {
			texts = append(texts, part)
		}
	}
	for _, text := range texts {
		s, err := parseController(text)
		if err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	return all, nil
}

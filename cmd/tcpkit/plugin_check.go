package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/tcpkit/tcpkit/plugins"
	"github.com/tcpkit/tcpkit/plugins/abi"
)

func newPluginCheck(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "check FILE[,KEY=VALUE]...",
		Short: "Say everything for which a plugin would be refused, and why",
		Example: `  tcpkit plugin check mine.wasm
  tcpkit plugin check mine.wasm,n=7,allow=payload`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error { return a.checkPlugins(args) },
	}
}

// A pluginVerdict is what check says of one file.
type pluginVerdict struct {
	File    string   `json:"file"`
	Refused []string `json:"refused"`
}

func (a *app) checkPlugins(args []string) error {
	engine, err := pluginEngine()
	if err != nil {
		return err
	}
	defer engine.Close()
	bad := false
	verdicts := []pluginVerdict{}
	for _, arg := range args {
		spec, err := parsePlugin(arg)
		if err != nil {
			return err
		}
		wasm, err := spec.read()
		if err != nil {
			return err
		}
		v := pluginVerdict{File: spec.file, Refused: []string{}}
		for _, problem := range plugins.Check(engine, wasm, spec.options) {
			v.Refused = append(v.Refused, problem.Error())
		}
		bad = bad || len(v.Refused) > 0
		verdicts = append(verdicts, v)
	}
	if err := a.printVerdicts(verdicts); err != nil {
		return err
	}
	if bad {
		return &silentError{exitPlugin}
	}
	return nil
}

func (a *app) printVerdicts(verdicts []pluginVerdict) error {
	if a.json {
		return a.printJSON(verdicts)
	}
	for _, v := range verdicts {
		word := "ok"
		if len(v.Refused) > 0 {
			word = "refused"
		}
		if _, err := fmt.Fprintf(a.out, "%s: %s\n", v.File, word); err != nil {
			return fmt.Errorf("%w: %w", errStdout, err)
		}
		for _, why := range v.Refused {
			fmt.Fprintf(a.out, "  - %s\n", why)
		}
	}
	return nil
}

func (a *app) printJSON(v any) error {
	e := json.NewEncoder(a.out)
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil {
		return fmt.Errorf("%w: %w", errStdout, err)
	}
	return nil
}

func newPluginInspect(a *app) *cobra.Command {
	return &cobra.Command{
		Use:     "inspect FILE",
		Short:   "Show a plugin's manifest, hooks, imports and size",
		Example: "  tcpkit plugin inspect drop-nth",
		Args:    cobra.ExactArgs(1),
		RunE:    func(_ *cobra.Command, args []string) error { return a.inspectPlugin(args[0]) },
	}
}

// A pluginSheet is what inspect shows.
type pluginSheet struct {
	File        string           `json:"file"`
	Octets      int              `json:"octets"`
	Name        string           `json:"name"`
	Version     string           `json:"version,omitempty"`
	Description string           `json:"description,omitempty"`
	Hooks       []string         `json:"hooks"`
	Batched     []string         `json:"batched,omitempty"`
	Imports     []string         `json:"imports"`
	Grants      []string         `json:"grants"`
	Allow       []string         `json:"allow"` // of these, which its user has to give
	State       uint32           `json:"state"`
	Buffer      uint32           `json:"buffer"`
	Fuel        map[string]int64 `json:"fuel"`
	Guard       bool             `json:"guard"`
	Priority    int              `json:"priority"`
	Options     []pluginOption   `json:"options"`
}

type pluginOption struct {
	Name    string `json:"name"`
	Type    string `json:"type"`
	Default string `json:"default"`
	Text    string `json:"text,omitempty"`
}

func (a *app) inspectPlugin(arg string) error {
	spec, err := parsePlugin(arg)
	if err != nil {
		return err
	}
	wasm, err := spec.read()
	if err != nil {
		return err
	}
	d, err := plugins.Describe(wasm, spec.options)
	if err != nil {
		return pluginf("%s: %w", spec.file, err)
	}
	module, err := plugins.Inspect(wasm)
	if err != nil {
		return pluginf("%s: %w", spec.file, err)
	}
	sheet := newSheet(&spec, &d, &module)
	if a.json {
		return a.printJSON(sheet)
	}
	return a.printSheet(sheet)
}

func newSheet(spec *pluginSpec, d *plugins.Description, module *plugins.Module) *pluginSheet {
	s := &pluginSheet{
		File: spec.file, Octets: d.Octets, Name: spec.name(),
		Hooks: hookNames(d.Hooks), Batched: hookNames(d.Batched), Imports: []string{},
		Grants: strings.Fields(d.Grants.String()), Allow: strings.Fields(d.Allow.String()), Buffer: d.Buffer,
		Fuel: map[string]int64{"init": d.InitFuel, "hook": d.HookFuel}, Options: []pluginOption{},
	}
	if m := d.Manifest; m != nil {
		if m.Name != "" {
			s.Name = m.Name
		}
		s.Version, s.Description, s.State, s.Guard, s.Priority = m.Version, m.Description, m.State, m.Guard, m.Priority
		for _, o := range m.Options {
			s.Options = append(s.Options, pluginOption{o.Name, o.Type.String(), o.Default, o.Text})
		}
	}
	for _, f := range module.Imports {
		s.Imports = append(s.Imports, f.Module+"."+f.Name+" "+f.Type)
	}
	return s
}

func hookNames(hooks []abi.Hook) []string {
	names := []string{}
	for _, h := range hooks {
		names = append(names, strings.TrimPrefix(plugins.Export(h), abi.ExportPrefix))
	}
	return names
}

func (a *app) printSheet(s *pluginSheet) error {
	w := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0)
	line := func(key, value string) {
		if value != "" {
			fmt.Fprintf(w, "%s\t%s\n", key, value)
		}
	}
	line("name", strings.TrimSpace(s.Name+" "+s.Version))
	line("for", s.Description)
	line("file", fmt.Sprintf("%s, %d octets", s.File, s.Octets))
	line("hooks", strings.Join(s.Hooks, " "))
	line("in batches", strings.Join(s.Batched, " "))
	line("imports", strings.Join(s.Imports, "\n\t"))
	line("grants", strings.Join(s.Grants, " "))
	if len(s.Allow) > 0 {
		line("to allow", "allow="+strings.Join(s.Allow, "+"))
	}
	line("fuel", fmt.Sprintf("%d to start, %d for a hook", s.Fuel["init"], s.Fuel["hook"]))
	line("memory", fmt.Sprintf("%d octets of buffer, %d for each connection", s.Buffer, s.State))
	if s.Guard {
		line("if it fails", "segments are dropped (mode guard)")
	} else {
		line("if it fails", "segments go on unchanged")
	}
	for i, o := range s.Options {
		key := ""
		if i == 0 {
			key = "options"
		}
		fmt.Fprintf(w, "%s\t%s=%s\t%s\t%s\n", key, o.Name, o.Default, o.Type, o.Text)
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("%w: %w", errStdout, err)
	}
	return nil
}

func newPluginList(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "Name the plugins that tcpkit comes with",
		Args:  cobra.NoArgs,
		RunE:  func(*cobra.Command, []string) error { return a.listPlugins() },
	}
}

func (a *app) listPlugins() error {
	var sheets []*pluginSheet
	for _, name := range shippedNames() {
		spec := pluginSpec{file: name}
		wasm, err := spec.read()
		if err != nil {
			return err
		}
		d, err := plugins.Describe(wasm, spec.options)
		if err != nil {
			return pluginf("%s: %w", name, err)
		}
		module, err := plugins.Inspect(wasm)
		if err != nil {
			return pluginf("%s: %w", name, err)
		}
		sheets = append(sheets, newSheet(&spec, &d, &module))
	}
	if a.json {
		return a.printJSON(sheets)
	}
	w := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0)
	for _, s := range sheets {
		var options []string
		for _, o := range s.Options {
			options = append(options, o.Name+"="+o.Default)
		}
		name := s.File
		if len(options) > 0 {
			name += "," + strings.Join(options, ",")
		}
		if len(s.Allow) > 0 {
			name += ",allow=" + strings.Join(s.Allow, "+")
		}
		fmt.Fprintf(w, "%s\t%d\t%s\n", name, s.Octets, s.Description)
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("%w: %w", errStdout, err)
	}
	return nil
}

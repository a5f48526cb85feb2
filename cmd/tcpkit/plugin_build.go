package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/tcpkit/tcpkit/plugins/guest/project"
)

const pluginBuildLong = `Build the plugin in a folder, this one unless given. Its source says which compiler
runs: go for a main package of Go, wat2wasm for a .wat file, clang with lld for a
.c file, asc for a .ts file. The file manifest is added to the module, which is
then written beside the source as NAME.wasm.

The exit code is 1 if the compiler is not here, and 8 if it does not take the source.`

func newPluginBuild(a *app) *cobra.Command {
	var out string
	cmd := &cobra.Command{
		Use:   "build [flags] [DIR]",
		Short: "Build the plugin in a folder",
		Long:  pluginBuildLong,
		Example: `  tcpkit plugin build hello
  tcpkit plugin build -o /tmp/hello.wasm hello`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			dir := "."
			if len(args) == 1 {
				dir = args[0]
			}
			ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt)
			defer stop()
			return a.buildPlugin(ctx, dir, out)
		},
	}
	cmd.Flags().StringVarP(&out, "output", "o", "", "the module's `FILE`")
	return cmd
}

func (a *app) buildPlugin(ctx context.Context, dir, out string) error {
	s, err := project.Find(dir)
	if err != nil {
		return fmt.Errorf("build a plugin: %w", err)
	}
	a.log.Debug("in " + s.Dir + ": " + s.Line())
	module, err := s.Build(ctx)
	if err != nil {
		var failed *project.FailedError
		if errors.As(err, &failed) {
			return &exitError{exitPlugin, err}
		}
		return err
	}
	if s.Manifest == nil {
		a.log.Warn("there is no file manifest beside the source: the plugin may observe, and has no options")
	}
	if out == "" {
		out = filepath.Join(dir, s.Name+".wasm")
	}
	if err := os.WriteFile(out, module, 0o666); err != nil {
		return err
	}
	if a.json {
		err = json.NewEncoder(a.out).Encode(struct {
			File   string `json:"file"`
			Octets int    `json:"octets"`
		}{out, len(module)})
	} else {
		_, err = fmt.Fprintf(a.out, "%s: %d octets\n", out, len(module))
	}
	if err != nil {
		return fmt.Errorf("%w: %w", errStdout, err)
	}
	return nil
}

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tcpkit/tcpkit/plugins/guest/project"
)

const pluginNewLong = `Write the folder of a new plugin: its source, a manifest of what it asks for, the
kit of its language, a test, and a README with the line that builds it. What is
written works at once: it marks the segments that leave, and tells of connections.

go needs nothing but Go, and makes modules of 2 MB; wat, c and as make some of 500
octets, and need wabt, clang with lld, or npm. A folder that is there is left alone.`

func newPluginNew(a *app) *cobra.Command {
	var lang string
	cmd := &cobra.Command{
		Use:   "new [flags] NAME",
		Short: "Write the folder of a new plugin",
		Long:  pluginNewLong,
		Example: `  tcpkit plugin new hello
  tcpkit plugin new --lang c mark && tcpkit plugin build mark`,
		Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			l, err := project.ParseLanguage(lang)
			if err != nil {
				return usagef("%w", err)
			}
			if err := project.CheckName(args[0]); err != nil {
				return usagef("%w", err)
			}
			return a.newPlugin(args[0], l)
		},
	}
	cmd.Flags().StringVar(&lang, "lang", project.Go.String(), "what to write it in: "+strings.Join(project.Names(), ", "))
	_ = cmd.RegisterFlagCompletionFunc("lang", cobra.FixedCompletions(project.Names(), cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

func (a *app) newPlugin(name string, l project.Language) error {
	if err := project.New(".", name, l); err != nil {
		if errors.Is(err, fs.ErrExist) {
			return fmt.Errorf("%w: take another name, or remove it", err)
		}
		return err
	}
	var err error
	if a.json {
		err = json.NewEncoder(a.out).Encode(struct {
			Dir      string `json:"dir"`
			Language string `json:"language"`
		}{name, l.String()})
	} else {
		_, err = fmt.Fprintf(a.out, "%s: a source, its manifest, its test and a README; build it by\n  tcpkit plugin build %s\n", name, name)
	}
	if err != nil {
		return fmt.Errorf("%w: %w", errStdout, err)
	}
	return nil
}

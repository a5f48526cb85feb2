package main

import (
	"strings"

	"github.com/spf13/cobra"
)

const pluginLong = `Plugins are small WASM modules that watch or change what the engine does at each
of its steps. Commands on a TUN take them by --plugin FILE[,key=value].`

func newPlugin(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "plugin COMMAND",
		Short: "Write, build and try plugins",
		Long:  pluginLong,
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var names []string
			for _, c := range cmd.Commands() {
				names = append(names, c.Name())
			}
			return usagef("plugin needs one of: %s", strings.Join(names, ", "))
		},
	}
	cmd.AddCommand(newPluginNew(a), newPluginBuild(a), newPluginCheck(a), newPluginInspect(a), newPluginRun(a), newPluginBench(a), newPluginList(a))
	return cmd
}

package main

import (
	"errors"
	"io"
	"log/slog"
	"os"

	"github.com/spf13/cobra"
)

func main() {
	os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// An app is what every subcommand shares: the three streams and how to speak.
type app struct {
	in       io.Reader
	out, err io.Writer
	log      *slog.Logger
	json     bool // tables and messages as JSON
	verbose  bool
	began    bool // a command's own code runs: the command line was right
}

// run is the whole program but for os.Exit.
func run(args []string, in io.Reader, out, errs io.Writer) int {
	a := &app{in: in, out: out, err: errs}
	a.setLog()
	root := newRoot(a)
	root.SetArgs(args)
	root.SetIn(in)
	root.SetOut(out)
	root.SetErr(errs)
	cmd, err := root.ExecuteC()
	if err == nil {
		return exitOK
	}
	code := codeOf(err)
	if !a.began {
		code = exitUsage
	}
	var quiet *silentError
	if !errors.As(err, &quiet) {
		a.log.Error(err.Error())
		if code == exitUsage {
			a.log.Info("see '" + cmd.CommandPath() + " --help'")
		}
	}
	return code
}

const rootLong = `tcpkit is a TCP in user space. On a TUN device it is a host of its own, one hop
from this machine's kernel: programs here reach it, and it reaches them.

Exit codes:
  0 ok                  4 connection refused   8 plugin
  1 runtime error       5 timed out            130 interrupted (SIGINT)
  2 wrong command line  6 connection reset     141 stdout closed (SIGPIPE)
  3 expectation failed  7 no permission        143 terminated (SIGTERM)`

func newRoot(a *app) *cobra.Command {
	root := &cobra.Command{
		Use:           "tcpkit",
		Short:         "TCP in user space: listen, dial, measure, explain",
		Long:          rootLong,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.NoArgs,
		PersistentPreRun: func(*cobra.Command, []string) {
			a.began = true
			a.setLog()
		},
		RunE: func(cmd *cobra.Command, _ []string) error {
			a.began = false // help is for who gave no command, and that is a mistake in a script
			cmd.SetOut(a.err)
			if err := cmd.Help(); err != nil {
				return err
			}
			return &silentError{exit: exitUsage}
		},
	}
	root.PersistentFlags().BoolVar(&a.json, "json", false, "tables on stdout and messages on stderr as JSON")
	root.PersistentFlags().BoolVarP(&a.verbose, "verbose", "v", false, "say more on stderr")
	root.AddCommand(
		newDemo(a),
		newListen(a),
		newDial(a),
		newPerf(a),
		newStat(a),
		newScript(a),
		newExplore(a),
		newExplain(a),
		newPlugin(a),
		newSim(a),
		newTrace(a),
		newPlayground(a),
		newDoctor(a),
		newVersion(a),
		newProbe(),
	)
	speakPlainly(root)
	return root
}

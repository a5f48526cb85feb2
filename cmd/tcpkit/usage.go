package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// speakPlainly lets a command and those below it say in words of the command line,
// and not in those of a parser, what is wrong with one.
func speakPlainly(cmd *cobra.Command) {
	cmd.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return flagError(err) })
	if check := cmd.Args; check != nil && !cmd.HasSubCommands() {
		cmd.Args = func(c *cobra.Command, args []string) error {
			if check(c, args) == nil {
				return nil
			}
			return argsError(c, check, args)
		}
	}
	for _, c := range cmd.Commands() {
		speakPlainly(c)
	}
}

// argsError tells of words that are missing, or of the first that is one too many.
func argsError(c *cobra.Command, check cobra.PositionalArgs, args []string) error {
	for n := len(args) - 1; n >= 0; n-- {
		if check(c, args[:n]) == nil {
			return usagef("%q is one word too many: the form is '%s'", args[n], usageLine(c))
		}
	}
	says := fmt.Sprintf("something is missing: the form is '%s'", usageLine(c))
	if example, _, _ := strings.Cut(strings.TrimSpace(c.Example), "\n"); example != "" {
		says += ", for example: " + example
	}
	return usagef("%s", says)
}

// usageLine is the form of a command line, without what all of them have.
func usageLine(c *cobra.Command) string { return strings.Replace(c.UseLine(), " [flags]", "", 1) }

// kindsOfFlags says what a value has to be, by the type of the flag.
var kindsOfFlags = map[string]string{
	"bool":     "true or false",
	"int":      "a whole number",
	"uint64":   "a whole number from 0 to 18446744073709551615",
	"float64":  "a number such as 0.5",
	"duration": "a time such as 200ms, 1.5s or 2h",
}

func flagError(err error) error {
	var bad *pflag.InvalidValueError
	if errors.As(err, &bad) {
		if kind := kindsOfFlags[bad.GetFlag().Value.Type()]; kind != "" {
			return usagef("bad --%s %q: give %s", bad.GetFlag().Name, bad.GetValue(), kind)
		}
	}
	return err
}

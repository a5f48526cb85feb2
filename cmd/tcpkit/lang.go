package main

import (
	"os"

	"github.com/spf13/cobra"

	"github.com/tcpkit/tcpkit/internal/narrate"
)

// addLang adds --lang to a command.
func addLang(cmd *cobra.Command, language *string) {
	cmd.Flags().StringVar(language, "lang", "", "`LANGUAGE` of the sentences: en or zh (default that of the locale)")
	cmd.RegisterFlagCompletionFunc("lang", cobra.FixedCompletions([]string{"en", "zh"}, cobra.ShellCompDirectiveNoFileComp))
}

// pickLang is the language that was given, or that of the locale.
func pickLang(given string) (narrate.Lang, error) {
	if given == "" {
		for _, name := range []string{"LC_ALL", "LC_MESSAGES", "LANG"} {
			if s := os.Getenv(name); s != "" {
				lang, _ := narrate.ParseLang(s)
				return lang, nil
			}
		}
		return narrate.English, nil
	}
	lang, ok := narrate.ParseLang(given)
	if !ok {
		return lang, usagef("bad --lang %q: give en or zh", given)
	}
	return lang, nil
}

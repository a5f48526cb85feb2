package playground_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/core/scenario/catalogue"
)

// What the page's modules ask for by name has words in each language; of a name that is
// put together while the page runs, something begins as it does.
func TestTheWordsOfThePage(t *testing.T) {
	asked := regexp.MustCompile("\\bt\\((?:'([^'$]+)'|`([^`$]+)\\$\\{)")
	modules, err := filepath.Glob("*.mjs")
	require.NoError(t, err)
	views, err := filepath.Glob("views/*.mjs")
	require.NoError(t, err)
	for _, lang := range catalogue.Languages {
		words := catalogue.Shipped().Words(lang)
		count := 0
		for _, name := range append(modules, views...) {
			source, err := os.ReadFile(name)
			require.NoError(t, err)
			for _, m := range asked.FindAllStringSubmatch(string(source), -1) {
				count++
				if m[1] != "" && !strings.HasSuffix(m[1], ".") && !strings.HasSuffix(m[1], "-") {
					require.NotEmpty(t, words[m[1]], "%s asks in %s for %s", name, lang, m[1])
					continue
				}
				begins := false
				for id := range words {
					begins = begins || strings.HasPrefix(id, m[1]+m[2])
				}
				require.True(t, begins, "%s asks in %s for what begins with %s", name, lang, m[1]+m[2])
			}
		}
		require.Greater(t, count, 200)
	}
}

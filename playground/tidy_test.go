package playground_test

import (
	"fmt"
	"math"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/core/scenario/catalogue"
)

// sources reads what some patterns find, by path from this folder.
func sources(t *testing.T, patterns ...string) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, pattern := range patterns {
		names, err := filepath.Glob(pattern)
		require.NoError(t, err)
		require.NotEmpty(t, names, pattern)
		for _, name := range names {
			text, err := os.ReadFile(name)
			require.NoError(t, err)
			all[filepath.ToSlash(name)] = string(text)
		}
	}
	return all
}

// modules are the page's own.
func modules(t *testing.T) map[string]string { return sources(t, "*.mjs", "views/*.mjs") }

var (
	imported = regexp.MustCompile(`(?m)^import (?:(\w+)|\{([^}]*)\}|\* as (\w+)) from '([^']+)'`)
	exported = regexp.MustCompile(`(?m)^export (?:async )?(?:function\*?|const|let|class) (\w+)`)
	declared = regexp.MustCompile(`(?m)^(?:async )?(?:function\*?|const|let|class) (\w+)`)
	remarks  = regexp.MustCompile(`(?s:/\*.*?\*/)|(?m:(?:^|\s)//\s.*$)`)
)

// mentions counts a name in a text, as a word of its own.
func mentions(text, name string) int {
	return len(regexp.MustCompile(`\b`+regexp.QuoteMeta(name)+`\b`).FindAllString(text, -1))
}

// imports calls with each module that a module imports, what it takes of it, and under
// which name it has all of it.
func imports(name, text string, found func(from string, names []string, all string)) {
	for _, m := range imported.FindAllStringSubmatch(text, -1) {
		var names []string
		for one := range strings.SplitSeq(m[2], ",") {
			if one = strings.TrimSpace(one); one != "" {
				names = append(names, one)
			}
		}
		found(path.Join(path.Dir(name), m[4]), names, m[1]+m[3])
	}
}

// Everything that a module exports is wanted by another one or by a test, everything
// that it imports or declares is used.
func TestNoModuleHasMoreThanIsUsed(t *testing.T) {
	page := modules(t)
	wanted := map[string]bool{} // module and name
	want := func(name, text string) {
		imports(name, text, func(from string, names []string, all string) {
			for _, one := range names {
				one, _, _ = strings.Cut(one, " as ")
				wanted[from+" "+one] = true
			}
			if all != "" {
				for _, m := range regexp.MustCompile(`\b`+all+`\.(\w+)`).FindAllStringSubmatch(text, -1) {
					wanted[from+" "+m[1]] = true
				}
			}
		})
	}
	for name, text := range page {
		want(name, text)
	}
	for name, text := range sources(t, "test/*.mjs") {
		want(name, text)
	}
	for _, text := range sources(t, "*_test.go") {
		for _, m := range regexp.MustCompile(`\b(?:s|store)\.(\w+)`).FindAllStringSubmatch(text, -1) {
			wanted["store.mjs "+m[1]] = true
		}
	}
	var wrong []string
	for name, text := range page {
		code := remarks.ReplaceAllString(text, "")
		for _, m := range exported.FindAllStringSubmatch(text, -1) {
			if !wanted[name+" "+m[1]] {
				wrong = append(wrong, name+" exports "+m[1]+", which nobody imports")
			}
		}
		for _, m := range declared.FindAllStringSubmatch(text, -1) {
			if mentions(code, m[1]) < 2 {
				wrong = append(wrong, name+" declares "+m[1]+", and does not use it")
			}
		}
		imports(name, text, func(from string, names []string, all string) {
			for _, one := range append(names, all) {
				if _, as, ok := strings.Cut(one, " as "); ok {
					one = as
				}
				if one != "" && mentions(code, one) < 2 {
					wrong = append(wrong, name+" imports "+one+" of "+from+", and does not use it")
				}
			}
		})
	}
	slices.Sort(wrong)
	require.Empty(t, wrong)
}

// Modules need each other one way only: views the store, the store the engine.
func TestModulesNeedEachOtherOneWay(t *testing.T) {
	needs := map[string][]string{}
	for name, text := range modules(t) {
		imports(name, text, func(from string, _ []string, _ string) { needs[name] = append(needs[name], from) })
		for _, from := range needs[name] {
			require.False(t, strings.HasPrefix(from, "views/") && !strings.HasPrefix(name, "views/") && name != "app.mjs", "%s needs %s, which is a view", name, from)
		}
	}
	done := map[string]bool{}
	var follow func(name string, way []string)
	follow = func(name string, way []string) {
		require.NotContains(t, way, name, "a circle of imports")
		if done[name] {
			return
		}
		for _, from := range needs[name] {
			follow(from, append(slices.Clone(way), name))
		}
		done[name] = true
	}
	for name := range needs {
		follow(name, nil)
	}
}

// What the page and its Worker say to each other, the other one hears.
func TestMessagesAreHeard(t *testing.T) {
	page := modules(t)
	all := func(name, pattern string) []string {
		var found []string
		for _, m := range regexp.MustCompile(pattern).FindAllStringSubmatch(page[name], -1) {
			found = append(found, m[1])
		}
		require.NotEmpty(t, found, "%s: %s", name, pattern)
		slices.Sort(found)
		return slices.Compact(found)
	}
	require.Equal(t, all("worker.mjs", `\bsay: '([\w-]+)'`), all("engine.mjs", `case '([\w-]+)':`))
	require.Equal(t, all("worker.mjs", `(?m)^  (?:async )?(\w+)(?:\(.*\) \{|: \()`), all("engine.mjs", `#ask(?:Of)?\((?:key, )?'([\w-]+)'`))
	var who strings.Builder
	for _, text := range page {
		who.WriteString(text)
	}
	for _, text := range sources(t, "*_test.go") {
		who.WriteString(text)
	}
	for _, name := range all("engine.mjs", `(?m)^  (?:async )?(\w+)\(.*\{`) {
		require.Regexp(t, `\b(backend\??|engine)\.`+name+`\(|\bask\('`+name+`'|this\.`+name+`\(|constructor`, who.String(), "nobody has the engine do %s", name)
	}
}

// Every class that a style sheet speaks of is put on something, every variable is both
// given and used, and the dark has a value for each colour.
func TestStylesAreUsed(t *testing.T) {
	var script strings.Builder
	for _, text := range sources(t, "index.html", "*.js", "*.mjs", "views/*.mjs", "lib/uplot.mjs") {
		script.WriteString(text)
	}
	words := map[string]bool{}
	for _, word := range regexp.MustCompile(`[A-Za-z][\w-]*`).FindAllString(script.String(), -1) {
		words[word] = true
	}
	var wrong []string
	var style strings.Builder
	sheets := sources(t, "*.css")
	blocks := regexp.MustCompile(`\{[^{}]*\}`)
	for name, text := range sheets {
		text = regexp.MustCompile(`(?s)/\*.*?\*/`).ReplaceAllString(text, "")
		style.WriteString(text)
		for _, m := range regexp.MustCompile(`\.([a-zA-Z][\w-]*)`).FindAllStringSubmatch(blocks.ReplaceAllString(text, ""), -1) {
			// A side completes some: of-${side}.
			if !words[m[1]] && !words[strings.TrimRight(m[1], "ab")] {
				wrong = append(wrong, name+" has a style for ."+m[1]+", which nothing has")
			}
		}
	}
	given := map[string]bool{}
	for _, m := range regexp.MustCompile(`(--[\w-]+)\s*:`).FindAllStringSubmatch(style.String(), -1) {
		given[m[1]] = true
		// chart.mjs reads tokens by their names
		if !strings.Contains(style.String(), "var("+m[1]+")") && !strings.Contains(script.String(), m[1]) {
			wrong = append(wrong, "nobody uses "+m[1])
		}
	}
	for _, m := range regexp.MustCompile(`var\((--[\w-]+)`).FindAllStringSubmatch(style.String()+script.String(), -1) {
		if !given[m[1]] {
			wrong = append(wrong, "nobody gives "+m[1])
		}
	}
	require.Empty(t, wrong)
	light, dark := colours(t, sheets["app.css"]), colours(t, sheets["dark.css"])
	for name := range light {
		require.Contains(t, dark, name, "dark.css has no %s", name)
	}
	for name, text := range sheets {
		if name != "app.css" && name != "dark.css" {
			require.NotRegexp(t, `: [^;]*(#[0-9a-f]{3,8}\b|rgb\()`, text, "%s has a colour of its own", name)
		}
	}
}

// colours are the tokens of a sheet that are colours, by name.
func colours(t *testing.T, sheet string) map[string][3]float64 {
	t.Helper()
	all := map[string][3]float64{}
	for _, m := range regexp.MustCompile(`--([\w-]+): #([0-9a-f]{3,6});`).FindAllStringSubmatch(sheet, -1) {
		digits := m[2]
		if len(digits) == 3 {
			digits = string([]byte{digits[0], digits[0], digits[1], digits[1], digits[2], digits[2]})
		}
		var rgb [3]float64
		for k := range rgb {
			n, err := strconv.ParseUint(digits[2*k:2*k+2], 16, 8)
			require.NoError(t, err)
			rgb[k] = float64(n) / 255
		}
		all[m[1]] = rgb
	}
	require.Greater(t, len(all), 20)
	return all
}

// contrast is that of WCAG 2.2.
func contrast(a, b [3]float64) float64 {
	light := func(rgb [3]float64) float64 {
		for k, v := range rgb {
			if v <= 0.04045 {
				rgb[k] = v / 12.92
			} else {
				rgb[k] = math.Pow((v+0.055)/1.055, 2.4)
			}
		}
		return 0.2126*rgb[0] + 0.7152*rgb[1] + 0.0722*rgb[2]
	}
	x, y := light(a), light(b)
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

// Text can be read in the light and in the dark: WCAG 2.2, 1.4.3 and 1.4.11.
func TestContrast(t *testing.T) {
	var poor []string
	inks := []string{"ink", "ink-2", "ink-3", "a", "b", "mark", "wrong", "good"}
	for _, sheet := range []string{"app.css", "dark.css"} {
		c := colours(t, sources(t, sheet)[sheet])
		check := func(least float64, ink string, grounds ...string) {
			for _, ground := range grounds {
				if got := contrast(c[ink], c[ground]); got < least {
					poor = append(poor, fmt.Sprintf("%s: %s on %s has %.2f:1, and needs %v:1", sheet, ink, ground, got, least))
				}
			}
		}
		for _, ink := range inks {
			check(4.5, ink, "paper", "sheet", "sunk")
		}
		for _, ink := range inks[3:] {
			check(4.5, ink, ink+"-soft")
		}
		check(7, "ink", "paper", "sheet", "mark-soft", "wrong-soft")
		check(4.5, "ink-3", "mark-soft")
		check(4.5, "paper", "ink")
		check(4.5, "on-strong", "a", "b", "mark")
		for _, line := range []string{"a-line", "b-line", "focus"} {
			check(3, line, "paper", "sheet")
		}
	}
	require.Empty(t, poor)
}

// Every word that stands in the page's files is asked for by a module.
func TestWordsAreAskedFor(t *testing.T) {
	var script strings.Builder
	for _, text := range modules(t) {
		script.WriteString(text)
	}
	quoted := map[string]bool{}
	for _, m := range regexp.MustCompile(`'([\w.-]+)'`).FindAllStringSubmatch(script.String(), -1) {
		quoted[m[1]] = true
	}
	var begins []string // of names that are completed while the page runs: 'page.by-' + grain, `views.edge.${name}`
	for _, m := range regexp.MustCompile("'([a-z][\\w.-]*[.-])'|`([a-z][\\w.-]*[.-])\\$\\{").FindAllStringSubmatch(script.String(), -1) {
		begins = append(begins, m[1]+m[2])
	}
	var left []string
	for _, file := range []string{"page", "panels", "views", "ladder", "inspector"} {
		for _, lang := range catalogue.Languages {
			name := "../core/scenario/catalogue/words/" + lang + "/" + file + ".txt"
			words, err := catalogue.ParseWords(name, sources(t, name)[name])
			require.NoError(t, err)
			for id := range words {
				// The names of panels are quoted without their beginning.
				asked := quoted[id] || quoted[strings.TrimPrefix(id, "page.")] ||
					slices.ContainsFunc(begins, func(begin string) bool { return begin != "page." && strings.HasPrefix(id, begin) })
				if !asked {
					left = append(left, lang+" "+id)
				}
			}
		}
	}
	require.Empty(t, left, "nobody asks for them")
}

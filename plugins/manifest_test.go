package plugins_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/plugins"
	"github.com/tcpkit/tcpkit/plugins/abi"
)

// whole is a manifest with every key.
const whole = `# A plugin that has everything.
name        all-1.0
version     1.0-rc1
description it does all
hooks       tcpkit_transition, segment_arriving
grants      control resize
filter      * port=80 state=ESTABLISHED
filter      segment_arriving flags=SYN/SYN+ACK direction=in payload=0
budget      small
budget      init 5000
memory      4
state       32
mode        guard
priority    -7
batch       16
tick        250ms
sections    address payload
option      n 7 how many
option      wait 2s duration how long
option      to "" string whom to greet
`

func TestManifest(t *testing.T) {
	m, problems := plugins.ParseManifest([]byte(whole))
	require.Empty(t, problems)
	require.Equal(t, "all-1.0", m.Name)
	require.Equal(t, "1.0-rc1", m.Version)
	require.Equal(t, "it does all", m.Description)
	require.Equal(t, plugins.GrantControl|plugins.GrantHeader|plugins.GrantObserve|plugins.GrantResize|plugins.GrantPayload, m.Grants)
	require.Equal(t, "observe header payload control resize", m.Grants.String())
	require.Equal(t, plugins.Small, m.Class)
	require.Equal(t, int64(5000), m.InitFuel)
	require.Equal(t, uint32(4), m.Pages)
	require.Equal(t, uint32(32), m.State)
	require.True(t, m.Guard)
	require.Equal(t, -7, m.Priority)
	require.Equal(t, uint32(16), m.Batch)
	require.Equal(t, 250*clock.Millisecond, m.Tick)
	require.Equal(t, []plugins.Option{
		{Name: "n", Type: plugins.OptionInt, Default: "7", Text: "how many"},
		{Name: "wait", Type: plugins.OptionDuration, Default: "2s", Text: "how long"},
		{Name: "to", Type: plugins.OptionString, Default: "", Text: "whom to greet"},
	}, m.Options)

	again, problems := plugins.ParseManifest([]byte(strings.ReplaceAll(whole, "\n", "\r\n")))
	require.Empty(t, problems, "an editor of another system does no harm")
	require.Equal(t, m, again)

	empty, problems := plugins.ParseManifest(nil)
	require.Empty(t, problems)
	require.Equal(t, plugins.GrantObserve, empty.Grants)
	require.Equal(t, plugins.Medium, empty.Class)
	require.Equal(t, uint32(16), empty.Pages)
}

func TestManifestSlips(t *testing.T) {
	for text, says := range map[string]string{
		"name":                            `line 1 of the manifest: "name" has no value; write it behind the key, with a space between`,
		"\n\nname a\nname b":              `line 4 of the manifest: "name" stands in line 3 already; keep one of them`,
		"name a,b":                        `line 1 of the manifest: the name "a,b" may have letters, digits and the signs - _ . only`,
		"name " + strings.Repeat("a", 65): `line 1 of the manifest: the name has 65 octets; at most 64 are taken`,
		"description " + strings.Repeat("a", 512): `line 1 of the manifest: it has 524 octets; at most 512 are taken`,
		"description a\x00b":                      `line 1 of the manifest: there is a control character in it; write text`,
		"priority 1001":                           `line 1 of the manifest: the priority "1001" is no number from -1000 to 1000`,
		"batch 1":                                 `line 1 of the manifest: "1" is no number from 2 to 256, of records`,
		"tick 10":                                 `line 1 of the manifest: "10" is no time; write one as 250ms or 2s, with ns, us, ms, s, m or h`,
		"tick 10us":                               `line 1 of the manifest: the tick "10us" is less than 1ms; take a longer one`,
		"tick 99999999999999999999s":              `line 1 of the manifest: "99999999999999999999s" is no time; write one as 250ms or 2s, with ns, us, ms, s, m or h`,
		"tick -1s":                                `line 1 of the manifest: "-1s" is no time; write one as 250ms or 2s, with ns, us, ms, s, m or h`,
		"budget hook 1000001":                     `line 1 of the manifest: the budget "1000001" is no number from 1 to 1000000`,
		"budget init":                             `line 1 of the manifest: the budget "" is no number from 1 to 50000000`,
		"budget small 7":                          `line 1 of the manifest: there is "7" behind the class; write budget init and budget hook for figures`,
		"option n seven int":                      `line 1 of the manifest: the option "n" is a whole number, such as 7, and not "seven"`,
		"option n 1\noption n 2":                  `line 2 of the manifest: there is an option "n" already; rename one of them`,
		"option allow lab":                        `line 1 of the manifest: the option name "allow" is taken; choose another one`,
		`option n "x`:                             `line 1 of the manifest: the default of the option "n" has no end; close its quotation mark`,
		"option a=b 1":                            `line 1 of the manifest: the name "a=b" may have letters, digits and the signs - _ . only`,
		"hook transition":                         `line 1 of the manifest: there is no key "hook"; is hooks meant?`,
	} {
		_, problems := plugins.ParseManifest([]byte(text))
		require.Len(t, problems, 1, text)
		require.EqualError(t, problems[0], says)
	}
	_, problems := plugins.ParseManifest(make([]byte, 1<<20))
	require.Len(t, problems, 1)
	_, problems = plugins.ParseManifest([]byte(strings.Repeat("option a 1\nfilter * port=1\n", 500)))
	require.NotEmpty(t, problems)
}

// FuzzManifest reads anything: it ends, with bounded results, and says of each
// problem in which line it is.
func FuzzManifest(f *testing.F) {
	f.Add(whole)
	f.Add("option x 1.5h\nfilter * flags=0/SYN port=1-,-9")
	f.Fuzz(func(t *testing.T, text string) {
		m, problems := plugins.ParseManifest([]byte(text))
		for _, err := range problems {
			require.Contains(t, err.Error(), "the manifest")
		}
		require.LessOrEqual(t, len(m.Options), 32)
		require.LessOrEqual(t, m.State, uint32(abi.StateEnd-abi.StateAt))
		require.LessOrEqual(t, m.Batch, uint32(256))
		require.True(t, m.Pages >= 1 && m.Pages <= 256)
		require.True(t, m.Tick == 0 || m.Tick >= clock.Millisecond || problems != nil)
	})
}

// FuzzSpec reads what a user may write.
func FuzzSpec(f *testing.F) {
	f.Add("x.wasm,n=7,allow=lab+payload,name=y")
	f.Fuzz(func(t *testing.T, text string) {
		file, o, err := plugins.ParseSpec(text)
		if err == nil {
			require.True(t, strings.HasPrefix(text, file))
			require.NotContains(t, file, ",")
			require.LessOrEqual(t, len(o.Name), 64)
		}
	})
}

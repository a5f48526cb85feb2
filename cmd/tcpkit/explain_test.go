package main

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/internal/narrate"
)

// What learners type finds what they mean, in both languages and in the spellings
// that are about.
func TestExplain(t *testing.T) {
	for _, c := range []struct{ word, begins, says string }{
		{"TIME-WAIT", "TIME-WAIT (", "2MSL"},
		{"time_wait", "TIME-WAIT (", ""},
		{"SYN_RCVD", "SYN-RECEIVED (", "SYN_RCVD is another name of it; RFC 9293 calls the state SYN-RECEIVED."},
		{"syn-rcvd", "SYN-RECEIVED (", "another name"},
		{"CLOSED-WAIT", "CLOSE-WAIT (", "RFC 9293 calls the state CLOSE-WAIT"},
		{"SYN_SEND", "SYN-SENT (", "RFC 9293 calls the state SYN-SENT"},
		{"同步已发送", "SYN-SENT（同步已发送）", "RFC 9293 把这个状态称为 SYN-SENT"},
		{"半关闭", "half-close（半关闭）", "shutdown(SHUT_WR)"},
		{"保活", "keepalive（保活）", "75 秒"},
		{"half open", "half-open  term", "RFC 9293 §3.5.1"},
		{"wscale", "window-scale (", "RFC 7323"},
		{"cwnd", "congestion-window (", ""},
		{"MUST-13", "fin-in-fin-wait-2  rule", "RFC 9293 §3.10.8 MUST-13"},
		{"h1", "H1 (", "tcpkit sim run H1"},
		{"h5", "H5 (", "see H5-two-way, C10"},
		{"reset-exact", "reset-exact  rule", "see F4, W5, K2c"},
		{"persist-probe", "persist-probe  rule", "see D6"},
		{"drop paws", "paws  reason for a drop", "see W4-timestamps"},
		{"SYN+ACK", "syn-ack (SYN with ACK)  term", "see H1, H6, SYN"},
		{"两次握手", "H5（", "tcpkit sim run H5"},
		{"connection refused", "H13 (", "tcpkit sim run H13"},
		{"c1", "C1  popular statement", "precisely: "},
		{"SYN", "SYN (synchronize", "reason for a drop"},
		{"drop syn", "syn  reason for a drop", "challenge ACK"},
		{"states", "CLOSED  ", "TIME-WAIT  "},
		{"", "tcpkit explain WORD", "glossary"},
	} {
		code, out, errs := try(append([]string{"explain"}, strings.Fields(c.word)...)...)
		require.Equal(t, exitOK, code, errs)
		require.True(t, strings.HasPrefix(out, c.begins), "%s: %s", c.word, out)
		require.Contains(t, strings.Join(strings.Fields(out), " "), strings.Join(strings.Fields(c.says), " "), c.word)
	}
	for word, says := range map[string]string{
		"TIMEWAT":    "did you mean TIME-WAIT? 'tcpkit explain' lists the kinds",
		"keepalife":  "keepalive",
		"半关":         "half-close",
		"Wireshark":  "it stands in ",
		"xyzzyqwert": `nothing here is called "xyzzyqwert"; 'tcpkit explain'`,
		"state warp": `nothing here is called "warp"`,
	} {
		code, out, errs := try(append([]string{"explain"}, strings.Fields(word)...)...)
		require.Equal(t, exitUsage, code)
		require.Empty(t, out)
		require.Contains(t, errs, says)
	}
}

// Every topic is found by its id, has words, and what it refers to is there too.
func TestEveryTopicIsExplained(t *testing.T) {
	c := shipped()
	for _, lang := range []narrate.Lang{narrate.English, narrate.Chinese} {
		all := topics(c, lang)
		for _, one := range all {
			require.NotEmpty(t, one.Text, "%s %s", one.Kind, one.ID)
			found := find(all, one.ID)
			require.NotEmpty(t, found, one.ID)
			for _, spelling := range one.Also {
				require.NotEmpty(t, find(all, spelling), spelling)
			}
		}
		for _, k := range explainKinds {
			code, out, _ := try("explain", k.kind+"s", "--lang", lang.String())
			require.Equal(t, exitOK, code)
			require.NotEmpty(t, out, k.kind)
		}
	}
	code, out, _ := try("explain", "TIME-WAIT", "--json")
	require.Equal(t, exitOK, code)
	var found []topic
	require.NoError(t, json.Unmarshal([]byte(out), &found))
	require.Equal(t, "TIME-WAIT", found[0].ID)
	require.NotEmpty(t, found[0].Edges)
}

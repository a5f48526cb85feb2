package playground_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/internal/chrome"
)

// foreign finds what a page in Chinese says in another language, to the eye or to a
// screen reader. Names stay as they are: of hosts, flows, scenarios, plugins and their
// steps, variables of the RFCs, programs, units. What programs call and what the
// ladder's arrows say are names, too.
const foreign = `(() => {
	const names = /tcpkit|\btcp\b|\bkit\b|English|client|server|\b[A-Z]\d+[a-z]?(-[a-z0-9-]+)?|SYN cookie|cwnd|ssthresh|Wireshark|\bmin\b|pcapng|\blinux(-2\.6)?\b|rfc9293|· (web|other)|two-way|transition|go to|TS(val|ecr)|tcp_\w+|[0-9a-f]{16}/g;
	const found = [];
	const look = (where, s) => {
		if (!/\p{Script=Han}/u.test(s) && /[a-z]{3}/.test(s.replace(names, ''))) found.push(where + ': ' + s);
	};
	const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
	for (let n = texts.nextNode(); n; n = texts.nextNode()) {
		if (n.parentElement.checkVisibility() && !n.parentElement.closest('code, kbd, svg, option, .mono')) look(n.parentElement.tagName, n.textContent.trim());
	}
	for (const e of document.querySelectorAll('[aria-label], [title], [placeholder], [aria-valuetext], [aria-roledescription]')) {
		if (e.closest('.ladder-window, .filter')) continue;
		for (const name of ['aria-label', 'title', 'placeholder', 'aria-valuetext', 'aria-roledescription']) look(name, e.getAttribute(name) ?? '');
	}
	for (const e of document.querySelectorAll('.field .name')) if (e.scrollWidth > e.clientWidth + 1) found.push('clipped: ' + e.textContent);
	return [...new Set(found)];
})()`

// All of a page in Chinese is Chinese, in each of its panels.
func TestChinese(t *testing.T) {
	fragments := []string{"#s=H5-two-way&b=H5&lang=zh", "#s=K3&lang=zh", "#s=D7&lang=zh"}
	if testing.Short() {
		fragments = fragments[:1]
	}
	for _, fragment := range fragments {
		tab := open(t, fragment, 1400, 1000)
		require.Equal(t, "zh-Hans", chrome.Eval[string](tab, `document.documentElement.lang`))
		require.Regexp(t, `\p{Han}`, chrome.Eval[string](tab, `document.title`))
		store[bool](tab, `(s.seekTime(s.end() / 2), s.select(1), true)`)
		for _, panel := range store[[]string](tab, `s.panels`) {
			store[bool](tab, `(s.panel.value = '`+panel+`', true)`)
			tab.Wait(`document.getElementById('panel-` + panel + `') !== null`)
			require.Empty(t, chrome.Eval[[]string](tab, foreign), "%s: %s", fragment, panel)
		}
	}
}

package scenario

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// FuzzRun: no text makes a run panic, or go on for ever; what it has recorded is JSON,
// and going back finds what was.
func FuzzRun(f *testing.F) {
	for _, base := range []string{threeWay, everything + "plugin server off\ntolerate\n", "scenario X\n" + net} {
		f.Add(base, "")
		for _, line := range strings.Split(everything, "\n") {
			if !strings.HasPrefix(line, " ") && !strings.HasPrefix(line, "scenario") {
				f.Add(base, line)
			}
		}
	}
	f.Add(threeWay, "host client set rto-min=0s set rto-initial=0s\nfault client -> server all lose")
	f.Add(threeWay, "host server set keepalive-interval=0s set keepalive-idle=0s set keepalive=true\ncrash client at 1ms")
	f.Add(threeWay, "host server set receive-buffer=1 set send-buffer=1\ncrash server at 0s\nboot server at 0s")
	f.Fuzz(func(t *testing.T, text, extra string) {
		s, err := Parse(text, extra)
		if err != nil {
			return
		}
		r, err := New(s, nil)
		if err != nil {
			require.IsType(t, &Error{}, err)
			return
		}
		const most = 300
		for range most {
			if !r.Step() {
				break
			}
		}
		require.True(t, json.Valid(r.AppendJSON(nil, 0, -1)))
		require.True(t, json.Valid(r.AppendCheck(nil)))
		for host := range s.Hosts {
			r.AppendPcapng(nil, host)
			require.True(t, json.Valid(r.AppendView(nil, host)))
		}
		end, print := r.At(), r.Fingerprint()
		r.Seek(end / 2)
		r.Seek(end)
		require.Equal(t, print, r.Fingerprint())
		if end > 1 {
			r.Seek(end - 1)
			before := r.Fingerprint()
			r.Seek(0)
			r.Seek(end - 1)
			require.Equal(t, before, r.Fingerprint())
		}
	})
}

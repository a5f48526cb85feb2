package scenario

import "github.com/tcpkit/tcpkit/core"

// ParseHost reads what stands behind the name on a host's line: addresses, a profile,
// settings.
func ParseHost(text string) (Host, error) {
	p := &parser{s: &Scenario{ID: "here"}, flow: -1}
	const before = "host here "
	p.line(before + text)
	if p.err != nil {
		p.err.Column = max(0, p.err.Column-len(before))
		return Host{}, p.err
	}
	return p.s.Hosts[0], nil
}

// Config is what the host's stack goes by: its profile and the settings beside it.
func (h *Host) Config() core.Config {
	c, err := core.Profile(h.Profile)
	for i := range h.Sets {
		if what, _ := set(&c, &h.Sets[i]); what != "" || err != nil {
			panic("scenario: a host that the parser did not make: " + what)
		}
	}
	return c
}

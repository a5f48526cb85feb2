package playground

import (
	"fmt"
	"strconv"
	"time"

	"github.com/tcpkit/tcpkit/core"
)

// profiles are what sockets go by where a scenario says nothing: by profile, the
// settings that the page's table tells of, by their names in a scenario.
func profiles() (map[string]map[string]string, error) {
	all := map[string]map[string]string{}
	for _, name := range core.Profiles() {
		c, err := core.Profile(name)
		if err != nil {
			return nil, fmt.Errorf("profile %s: %w", name, err)
		}
		count := func(n uint8) string { return strconv.Itoa(int(n)) }
		all[name] = map[string]string{
			"keepalive":          strconv.FormatBool(c.TCP.Keepalive),
			"keepalive-idle":     short(time.Duration(c.TCP.KeepaliveIdle)),
			"keepalive-interval": short(time.Duration(c.TCP.KeepaliveInterval)),
			"keepalive-count":    count(c.TCP.KeepaliveCount),
			"user-timeout":       short(time.Duration(c.TCP.UserTimeout)),
			"syn-retries":        count(c.TCP.SynRetries),
			"syn-ack-retries":    count(c.TCP.SynAckRetries),
			"syn-linear":         count(c.TCP.SynLinear),
			"r2":                 count(c.TCP.R2),
			"time-wait":          short(time.Duration(c.TCP.TimeWait)),
			"fin-wait2":          short(time.Duration(c.TCP.FinWait2)),
			"syn-cookies":        strconv.FormatBool(c.SynCookies),
		}
	}
	return all, nil
}

// short writes a duration as scenarios do: 2h, 75s.
func short(d time.Duration) string {
	switch {
	case d > 0 && d%time.Hour == 0:
		return strconv.FormatInt(int64(d/time.Hour), 10) + "h"
	case d%time.Second == 0:
		return strconv.FormatInt(int64(d/time.Second), 10) + "s"
	default:
		return d.String()
	}
}

package main

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/script"
	"github.com/tcpkit/tcpkit/hosts/native/drill"
	"github.com/tcpkit/tcpkit/hosts/native/netns"
)

// realTimeShare is how many scripts share a processor in real time, where they
// do little but wait.
const realTimeShare = 6

// inNamespace starts this command again where it may have TUN devices and
// sockets of its own, and ends as that one ends.
func (a *app) inNamespace() error {
	code, err := 0, thisMachine().openTUN()
	if err != nil {
		return explainTUN(fmt.Errorf("open TUN: %w", err), thisMachine())
	}
	if code, err = netns.Run(nil); err != nil {
		return &exitError{exitPermission, errors.New(netns.Explain(err))}
	}
	if code != exitOK {
		return &silentError{code}
	}
	return nil
}

// onKernel plays a script on the kernel.
func (p *scriptPlan) onKernel(s *script.Script, cfg script.Config) (script.Result, error) {
	if cfg.Tolerance == 0 {
		cfg.Tolerance, cfg.TolerancePerMille = upstreamTolerance, upstreamPerMille
	}
	res, err := drill.Run(s, cfg, drill.Options{Limit: p.limit, Retries: p.retries})
	if err != nil {
		return res, explainTUN(err, thisMachine())
	}
	return res, nil
}

// tolerance is how far times may be off where two runs are compared.
func (p *scriptPlan) tolerance() (tolerance clock.Duration, perMille int64) {
	tolerance, perMille = upstreamTolerance, upstreamPerMille
	for _, o := range p.options {
		n, err := strconv.ParseInt(o.Value, 10, 32)
		switch {
		case err != nil:
		case o.Name == "tolerance_usecs":
			tolerance = clock.Duration(n) * clock.Microsecond
		case o.Name == "tolerance_percent":
			perMille = 10 * n
		}
	}
	return tolerance, perMille
}

// compare notes where two runs of a script differ.
func (r *scriptRun) compare(p *scriptPlan, ours, theirs *script.Result) {
	for _, res := range [...]*script.Result{ours, theirs} {
		if res.Outcome == script.Unsupported {
			r.end(res.Outcome, res.Detail)
			return
		}
	}
	tolerance, perMille := p.tolerance()
	r.Differs = script.Compare(script.Named{Name: "tcpkit", Result: ours}, script.Named{Name: "Linux", Result: theirs}, tolerance, perMille)
	if ours.Outcome == script.Passed && theirs.Outcome == script.Passed && len(r.Differs) == 0 {
		r.end(script.Passed, "")
		return
	}
	r.Ladder = theirs.Ladder
	detail := fmt.Sprintf("tcpkit %s, Linux %s", ours.Outcome, theirs.Outcome)
	if ours.Outcome == script.Failed {
		detail += "\ntcpkit: " + ours.Detail
	}
	if theirs.Outcome == script.Failed {
		detail += "\nLinux: " + theirs.Detail
	}
	r.end(script.Failed, detail)
}

package plugins

import (
	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/plugins/abi"
)

// Bounds of what a verdict asks for.
const (
	longestDelay   = 60 * clock.Second
	mostDuplicates = 8
	longestGap     = 10 * clock.Second
	heldBits       = 48 // of the argument of Hold and Release
)

// judge makes of a result what the engine obeys. A result that the plugin may not
// give there is WhyBad, changes that it may not make are WhyMutation. Whatever is
// not a plain pass is told of.
func (s *Set) judge(p *Plugin, h *hookInfo, r *tcp.Record, result int64) (tcp.Verdict, Why) {
	if result == int64(abi.Pass) {
		return tcp.Pass, WhyVerdict
	}
	if result < 0 {
		return tcp.Pass, WhyBad
	}
	verdict, arg := abi.Verdict(result), uint64(result)>>8
	switch verdict {
	case abi.Pass:
		if arg != abi.FieldState || !s.keep(p, r) {
			return tcp.Pass, WhyBad
		}
		return tcp.Pass, WhyVerdict
	case abi.Detach:
		p.tell(r.Log, r.Now, r, abi.Detach, arg, WhyDetached)
		p.leave(OutDetached)
		return tcp.Pass, WhyVerdict
	case abi.Inject:
	default:
		if !h.may.has(verdict) {
			return tcp.Pass, WhyBad
		}
	}
	fields := uint32(arg)
	if verdict == abi.Mutated && (arg>>32 != 0 || fields&^(h.fields|abi.FieldState) != 0) {
		return tcp.Pass, WhyBad
	}
	if !p.grants.Has(needs(h, verdict, fields)) {
		return tcp.Pass, WhyMutation
	}
	out, ok := tcp.Pass, true
	switch verdict {
	case abi.Mutated:
		if why := s.take(p, h, r, fields); why != WhyVerdict {
			return tcp.Pass, why
		}
		out = tcp.Mutated
		if fields&^abi.FieldState == 0 {
			out = tcp.Pass
		}
	case abi.Inject:
		why := s.injectRecord(p, r, clock.Duration(min(arg, 1<<62)))
		if why != WhyVerdict {
			return tcp.Pass, why
		}
	case abi.Drop:
		out = tcp.DropIt
	case abi.Delay:
		out, ok = tcp.Delay, arg <= uint64(longestDelay)
	case abi.Duplicate:
		out, ok = tcp.Duplicate, arg&0xff >= 1 && arg&0xff <= mostDuplicates && arg>>8 <= uint64(longestGap)
	case abi.Reset:
		out = tcp.Reset
	case abi.Cookie:
		out = tcp.SendCookie
	case abi.Hold:
		// Tags of two plugins are never the same.
		out, ok = tcp.Hold, arg < 1<<heldBits
		arg |= uint64(p.index) << heldBits
	case abi.Release:
		ok = arg < 1<<heldBits
		if ok && !r.Beside.Release(arg|uint64(p.index)<<heldBits) {
			p.commands.full++
		}
	case abi.GoTo:
		out, ok = tcp.GoTo, isEdge(r.To, arg)
	case abi.Now:
		out = tcp.FireNow
	default:
		ok = false
	}
	if !ok {
		return tcp.Pass, WhyBad
	}
	if out != tcp.Pass && out != tcp.Mutated {
		r.Arg = arg
	}
	p.tell(r.Log, r.Now, r, verdict, arg, WhyVerdict)
	return out, WhyVerdict
}

// isEdge reports whether Figure 5 leads from a state to another one.
func isEdge(from tcp.State, to uint64) bool {
	for _, e := range tcp.Edges() {
		if e.From == from && uint64(e.To) == to {
			return true
		}
	}
	return false
}

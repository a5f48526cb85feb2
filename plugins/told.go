package plugins

import (
	"slices"
	"strconv"

	"github.com/tcpkit/tcpkit/core/clock"
	"github.com/tcpkit/tcpkit/core/event"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/plugins/abi"
)

var verdictNames = [...]string{
	abi.Pass: "pass", abi.Mutated: "mutated", abi.Drop: "drop", abi.Delay: "delay", abi.Duplicate: "duplicate",
	abi.Inject: "inject", abi.Reset: "reset", abi.Cookie: "cookie", abi.Hold: "hold", abi.Release: "release",
	abi.Detach: "detach", abi.GoTo: "go to", abi.Now: "now",
}

var fieldNames = [...]string{
	"seq", "ack", "flags", "window", "urgent", "options", "raw options", "payload", "tos", "ttl", "ports", "addresses",
	"length", "state", "args",
}

// Verdicts are the names of all verdicts, by their numbers.
func Verdicts() []string { return slices.Clone(verdictNames[:]) }

// StepName is the name of the hook at a step, as a manifest has it.
func StepName(step tcp.Step) string {
	if step >= tcp.Steps {
		return "no step"
	}
	return hookAt(step).name
}

// Told puts an event of kind event.Plugin into words: "plugin drop-nth at
// segment_leaving: drop". names are those of the plugins by index, Set.Names.
func Told(e *event.Event, names []string) string {
	name := "#" + strconv.Itoa(int(e.To))
	if int(e.To) < len(names) && names[e.To] != "" {
		name = names[e.To]
	}
	text := "plugin " + name
	if step := tcp.Step(e.From); step < tcp.Steps {
		text += " at " + StepName(step)
	}
	why, verdict := Why(uint32(e.B)), abi.Verdict(e.By)
	if why != WhyVerdict {
		text += ": " + why.String()
		if verdict == abi.Pass || why == WhyOut {
			return text
		}
	}
	return text + ": " + verdictText(verdict, e.A)
}

// resultText is what a hook has returned.
func resultText(result int64) string {
	if result < 0 {
		return strconv.FormatInt(result, 10)
	}
	return verdictText(abi.Verdict(result), uint64(result)>>8)
}

// fieldText names fields, with a space before each.
func fieldText(fields uint64) (text string) {
	for i, name := range fieldNames {
		if fields>>i&1 != 0 {
			text += " " + name
		}
	}
	return text
}

// verdictText is a verdict with its argument.
func verdictText(v abi.Verdict, arg uint64) string {
	text := "verdict " + strconv.Itoa(int(v))
	if int(v) < len(verdictNames) {
		text = verdictNames[v]
	}
	switch v {
	case abi.Mutated, abi.Pass:
		text += fieldText(arg)
	case abi.Drop, abi.Detach:
		if arg != 0 {
			text += " (" + strconv.FormatUint(arg, 10) + ")"
		}
	case abi.Delay:
		text += " by " + micros(clock.Duration(arg))
	case abi.Duplicate:
		text += " " + strconv.FormatUint(arg&0xff, 10) + " times, " + micros(clock.Duration(arg>>8)) + " apart"
	case abi.GoTo:
		text += " " + tcp.State(arg).String()
	}
	return text
}

func micros(d clock.Duration) string {
	return strconv.FormatInt(int64(d/clock.Microsecond), 10) + " us"
}

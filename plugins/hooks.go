package plugins

import (
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/plugins/abi"
)

// A hookInfo is what this version knows of a hook.
type hookInfo struct {
	name   string // of its export, without abi.ExportPrefix
	hook   abi.Hook
	step   tcp.Step // noStep if none calls it
	may    verdicts // beside Pass, Inject and Detach
	fields uint32   // that Mutated may name
}

// noStep is the step of hooks that are called for another reason.
const noStep = tcp.Steps

// verdicts is a set of verdicts.
type verdicts uint16

func (v verdicts) has(w abi.Verdict) bool { return w < 16 && v>>w&1 != 0 }

const (
	observes      verdicts = 0
	mutates       verdicts = 1 << abi.Mutated
	stopsSegments          = mutates | 1<<abi.Drop | 1<<abi.Delay | 1<<abi.Duplicate | 1<<abi.Reset | 1<<abi.Hold | 1<<abi.Release
	stopsPackets           = mutates | 1<<abi.Drop | 1<<abi.Delay | 1<<abi.Duplicate
	admits        verdicts = 1<<abi.Drop | 1<<abi.Reset | 1<<abi.Cookie
	steers        verdicts = 1<<abi.Reset | 1<<abi.GoTo
	setsTimers             = mutates | 1<<abi.Hold | 1<<abi.Now
	keepsTimers   verdicts = 1 << abi.Hold
)

const (
	headerFields = abi.FieldSeq | abi.FieldAck | abi.FieldWindow | abi.FieldUrgent | abi.FieldTOS | abi.FieldTTL
	optionFields = abi.FieldOptions | abi.FieldRawOptions
	tupleFields  = abi.FieldPorts | abi.FieldAddresses
	ofSegment    = headerFields | optionFields | tupleFields | abi.FieldFlags | abi.FieldPayload | abi.FieldLength
	ofPacket     = abi.FieldPayload | abi.FieldLength
)

// hooks are the hooks that this version calls, those at steps first and in their
// order.
var hooks = [...]hookInfo{
	{"transition", abi.HookTransition, tcp.StepTransition, steers, 0},
	{"transition_arriving", abi.HookTransitionArriving, tcp.StepMoving, stopsSegments, ofSegment},
	{"transition_leaving", abi.HookTransitionLeaving, tcp.StepMoved, stopsSegments, ofSegment},
	{"segment_arriving", abi.HookArriving, tcp.StepArriving, stopsSegments, ofSegment},
	{"segment_arrived", abi.HookArrived, tcp.StepArrived, observes, 0},
	{"segment_leaving", abi.HookLeaving, tcp.StepLeaving, stopsSegments, ofSegment},
	{"segment_left", abi.HookLeft, tcp.StepLeft, observes, 0},
	{"segment_rejected", abi.HookRejected, tcp.StepRejected, observes, 0},
	{"syn", abi.HookSyn, tcp.StepSyn, admits, 0},
	{"connection_new", abi.HookConnNew, tcp.StepNew, mutates, abi.FieldArgs},
	{"connection_established", abi.HookConnEstablished, tcp.StepEstablished, mutates, abi.FieldArgs},
	{"connection_closed", abi.HookConnClosed, tcp.StepClosed, observes, 0},
	{"timer_armed", abi.HookTimerArmed, tcp.StepTimerArmed, setsTimers, abi.FieldArgs},
	{"timer_fired", abi.HookTimerFired, tcp.StepTimerFired, keepsTimers, 0},
	{"rtt", abi.HookRTT, tcp.StepRTT, mutates, abi.FieldArgs},
	{"lost", abi.HookLost, tcp.StepLost, observes, 0},
	{"retransmit", abi.HookRetransmit, tcp.StepRetransmit, observes, 0},
	{"phase", abi.HookPhase, tcp.StepPhase, mutates, abi.FieldArgs},
	{"spurious", abi.HookSpurious, tcp.StepSpurious, observes, 0},
	{"ack", abi.HookAck, tcp.StepAck, mutates, abi.FieldArgs},
	{"isn", abi.HookISN, tcp.StepISN, mutates, abi.FieldArgs},
	{"port", abi.HookPort, tcp.StepPort, mutates, abi.FieldArgs},
	{"write", abi.HookWrite, tcp.StepWrite, observes, 0},
	{"read", abi.HookRead, tcp.StepRead, observes, 0},
	{"ingress", abi.HookIngress, tcp.StepIngress, stopsPackets, ofPacket},
	{"egress", abi.HookEgress, tcp.StepEgress, stopsPackets, ofPacket},
	{"options_parse", abi.HookOptionsParse, tcp.StepParse, mutates, abi.FieldRawOptions},
	{"options_reserve", abi.HookOptionsReserve, tcp.StepReserve, mutates, abi.FieldArgs},
	{"options_write", abi.HookOptionsWrite, tcp.StepOptions, mutates, abi.FieldRawOptions},

	{"config", abi.HookConfig, noStep, observes, 0},
	{"tick", abi.HookTick, noStep, observes, 0},
	{"drain", abi.HookDrain, noStep, observes, 0},

	{"cc_init", abi.HookCCInit, noStep, mutates, 0},
	{"cc_ack", abi.HookCCAck, noStep, mutates, 0},
	{"cc_loss", abi.HookCCLoss, noStep, mutates, 0},
	{"cc_ecn", abi.HookCCECN, noStep, mutates, 0},
	{"cc_rto", abi.HookCCRTO, noStep, mutates, 0},
	{"cc_sent", abi.HookCCSent, noStep, mutates, 0},
	{"cc_recovery_exit", abi.HookCCRecoveryExit, noStep, mutates, 0},
	{"cc_undo", abi.HookCCUndo, noStep, mutates, 0},
	{"cc_report", abi.HookCCReport, noStep, mutates, 0},
	{"cc_release", abi.HookCCRelease, noStep, mutates, 0},
	{"cc_timer", abi.HookCCTimer, noStep, mutates, 0},
	{"cc_idle", abi.HookCCIdle, noStep, mutates, 0},
}

// hookAt is the place in hooks of the hook that a step calls.
func hookAt(step tcp.Step) *hookInfo { return &hooks[step] }

// find returns what is known of a hook, nil if nothing is.
func find(h abi.Hook) *hookInfo {
	for i := range hooks {
		if hooks[i].hook == h {
			return &hooks[i]
		}
	}
	return nil
}

// named is find by the name of the export, with its prefix or without.
func named(name string) *hookInfo {
	name = unprefixed(name)
	for i := range hooks {
		if hooks[i].name == name {
			return &hooks[i]
		}
	}
	return nil
}

// export is the name under which a module exports the hook.
func (h *hookInfo) export() string { return abi.ExportPrefix + h.name }

// isCC reports whether the hook belongs to a congestion controller.
func (h *hookInfo) isCC() bool { return h.hook>>8 == abi.HookCCInit>>8 }

// bit is the hook's place in a set of hooks.
func (h *hookInfo) bit() hookSet {
	for i := range hooks {
		if hooks[i].hook == h.hook {
			return 1 << i
		}
	}
	return 0
}

// A hookSet is a set of the hooks, by their place in the table.
type hookSet uint64

func (s hookSet) has(h *hookInfo) bool { return s&h.bit() != 0 }

// mask is at which steps those of the set are called.
func (s hookSet) mask() (m tcp.HookMask) {
	for i := range hooks {
		if s>>i&1 != 0 && hooks[i].step != noStep {
			m |= tcp.Mask(hooks[i].step)
		}
	}
	return m
}

// Export returns the name of the export for a hook, "" if this version does not
// know the hook.
func Export(h abi.Hook) string {
	switch h {
	case abi.HookABI:
		return abi.ExportABI
	case abi.HookInit:
		return abi.ExportInit
	case abi.HookBatch:
		return abi.ExportBatch
	}
	if info := find(h); info != nil {
		return info.export()
	}
	return ""
}

// Hooks returns every hook that this version calls.
func Hooks() []abi.Hook {
	all := make([]abi.Hook, len(hooks))
	for i := range hooks {
		all[i] = hooks[i].hook
	}
	return all
}

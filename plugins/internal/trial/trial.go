package trial

import (
	"embed"
	"strings"

	"github.com/tcpkit/tcpkit/plugins"
	"github.com/tcpkit/tcpkit/plugins/abi"
	"github.com/tcpkit/tcpkit/plugins/internal/assemble"
)

//go:embed modules/*.wasm
var modules embed.FS

// Everything is a line of a manifest, which asks for all grants.
const Everything = "grants observe header payload control inject options timers cc admission link rewrite-tuple resize lab"

// Edges is the plugin that does something at one change of state, with a line of
// grants.
func Edges(grants string) []byte {
	return module("edges", grants, "option from 0", "option to 0", "option do 0", "option order false")
}

// Observer is the plugin that looks at everything, one by one.
func Observer() []byte { return module("observer", Everything, "state 8") }

// Batches is the plugin that looks at everything, many at once.
func Batches() []byte {
	hooks := "hooks"
	for _, h := range steps() {
		hooks += " " + strings.TrimPrefix(plugins.Export(h), abi.ExportPrefix)
	}
	return module("batches", Everything, hooks, "batch 32")
}

// Noop passes everything.
func Noop() []byte {
	return assemble.WithManifest(constant(func(abi.Hook) int64 { return int64(abi.Pass) }), Everything)
}

// Identity says of all that can be changed that it has changed it, and has not.
func Identity() []byte {
	return assemble.WithManifest(constant(func(h abi.Hook) int64 {
		if fields := changeable(h); fields != 0 {
			return int64(abi.Mutated) | fields<<8
		}
		return int64(abi.Pass)
	}), Everything)
}

// changeable has the fields that a hook may change.
func changeable(h abi.Hook) int64 {
	switch h {
	case abi.HookArriving, abi.HookLeaving, abi.HookTransitionArriving, abi.HookTransitionLeaving:
		return abi.FieldSeq | abi.FieldAck | abi.FieldFlags | abi.FieldWindow | abi.FieldUrgent | abi.FieldOptions | abi.FieldRawOptions |
			abi.FieldPayload | abi.FieldTOS | abi.FieldTTL | abi.FieldPorts | abi.FieldAddresses | abi.FieldLength
	case abi.HookOptionsParse, abi.HookOptionsWrite:
		return abi.FieldRawOptions
	case abi.HookIngress, abi.HookEgress:
		return abi.FieldPayload | abi.FieldLength
	case abi.HookConnNew, abi.HookConnEstablished, abi.HookTimerArmed, abi.HookRTT, abi.HookPhase, abi.HookAck, abi.HookISN,
		abi.HookPort, abi.HookOptionsReserve:
		return abi.FieldArgs
	}
	return 0
}

// constant is a plugin that says the same at each call of a hook.
func constant(says func(abi.Hook) int64) []byte {
	var all []assemble.Func
	for _, h := range steps() {
		all = append(all, assemble.Hook(plugins.Export(h), assemble.Const64(says(h))))
	}
	return assemble.Plugin(all...)
}

// steps are the hooks that steps of the engine call.
func steps() (list []abi.Hook) {
	for _, h := range plugins.Hooks() {
		if group := h >> 8; group != abi.HookConfig>>8 && group != abi.HookCCInit>>8 {
			list = append(list, h)
		}
	}
	return list
}

func module(name string, manifest ...string) []byte {
	wasm, err := modules.ReadFile("modules/" + name + ".wasm")
	if err != nil {
		panic(err)
	}
	return assemble.WithManifest(wasm, manifest...)
}

package plugins_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tcpkit/tcpkit/core/event"
	"github.com/tcpkit/tcpkit/core/tcp"
	"github.com/tcpkit/tcpkit/plugins"
	"github.com/tcpkit/tcpkit/plugins/abi"
)

func TestTold(t *testing.T) {
	names := []string{"first", "", "third"}
	for want, e := range map[string]event.Event{
		"plugin first at segment_leaving: mutated window tos": {
			From: uint8(tcp.StepLeaving), By: uint8(abi.Mutated), A: abi.FieldWindow | abi.FieldTOS,
		},
		"plugin third at segment_arriving: drop (7)":      {To: 2, From: uint8(tcp.StepArriving), By: uint8(abi.Drop), A: 7},
		"plugin #1 at segment_arriving: delay by 1500 us": {To: 1, From: uint8(tcp.StepArriving), By: uint8(abi.Delay), A: 1_500_000},
		"plugin #9 at segment_leaving: duplicate 2 times, 1 us apart": {
			To: 9, From: uint8(tcp.StepLeaving), By: uint8(abi.Duplicate), A: 1000<<8 | 2,
		},
		"plugin first at transition: go to ESTABLISHED": {By: uint8(abi.GoTo), A: uint64(tcp.Established)},
		"plugin first at transition: trap":              {B: uint64(plugins.WhyTrap)},
		"plugin first: struck out":                      {From: uint8(tcp.Steps), By: uint8(abi.Detach), A: 3, B: uint64(plugins.WhyOut)},
	} {
		require.Equal(t, want, plugins.Told(&e, names))
	}
	require.Equal(t, "segment_leaving", plugins.StepName(tcp.StepLeaving))
	for step := range tcp.Steps {
		require.NotEmpty(t, plugins.StepName(step))
	}
}

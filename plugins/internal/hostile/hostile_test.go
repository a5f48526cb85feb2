package hostile_test

import (
	"testing"

	"github.com/tcpkit/tcpkit/plugins/internal/built"
)

func TestBuiltFromSource(t *testing.T) { built.FromSource(t, "modules") }

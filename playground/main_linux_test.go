package playground_test

import (
	"testing"

	"github.com/tcpkit/tcpkit/internal/chrome"
)

func TestMain(m *testing.M) { chrome.Main(m) }

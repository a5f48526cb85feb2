//go:build !wasip1 && !linux

package main

import (
	"testing"

	"github.com/tcpkit/tcpkit/internal/need"
)

func checkBrowser(t *testing.T, _ []byte) { need.Missing(t, "run this on Linux") }

package main

import (
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// What would block, or keeps nothing, is no file for a run.
func TestSimRunRefusesOddFiles(t *testing.T) {
	fifo := filepath.Join(t.TempDir(), "fifo")
	require.NoError(t, syscall.Mkfifo(fifo, 0o600))
	simRunRefuses(t, "is no plain file", fifo)
	simRunRefuses(t, "it is no plain file", "H1", "-w", fifo)
	simRunRefuses(t, "it is no plain file", "H1", "--record", "/dev/full")
}

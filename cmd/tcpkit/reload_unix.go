//go:build unix

package main

import (
	"os"
	"os/signal"
	"syscall"
)

// notifyReload tells c when the user asks for plugins to be loaded again, SIGHUP.
func notifyReload(c chan<- os.Signal) (stop func()) {
	signal.Notify(c, syscall.SIGHUP)
	return func() { signal.Stop(c) }
}

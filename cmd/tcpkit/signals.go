package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

// A signalError is the end that the user asked for.
type signalError struct{ sig os.Signal }

func (e *signalError) Error() string { return fmt.Sprintf("stopped by %v", e.sig) }

// exitOf is 128 and the signal's number, as a shell would report it.
func (e *signalError) exitOf() int {
	if e.sig == syscall.SIGTERM {
		return exitTerminated
	}
	return exitInterrupt
}

// A stopper turns signals into two contexts. The first SIGINT or SIGTERM ends
// soft: connections are closed with FIN. The second ends hard: they are reset.
type stopper struct {
	soft, hard context.Context
	stop       func()
}

// watchSignals begins to watch. SIGPIPE is taken too, so that a closed stdout
// is an error of a write (exit.go) and connections still end as they should.
func watchSignals(parent context.Context) *stopper {
	soft, endSoft := context.WithCancelCause(parent)
	hard, endHard := context.WithCancelCause(parent)
	sigs := make(chan os.Signal, 4)
	signal.Notify(sigs, os.Interrupt, syscall.SIGTERM)
	pipes := make(chan os.Signal, 1)
	signal.Notify(pipes, syscall.SIGPIPE)
	quit := make(chan struct{})
	go func() {
		for end := endSoft; ; end = endHard {
			select {
			case sig := <-sigs:
				end(&signalError{sig})
			case <-quit:
				return
			}
		}
	}()
	return &stopper{soft: soft, hard: hard, stop: func() {
		signal.Stop(sigs)
		signal.Stop(pipes)
		close(quit)
		endSoft(context.Canceled)
		endHard(context.Canceled)
	}}
}

// asked is the signal that ended soft, or nil.
func (s *stopper) asked() *signalError {
	if sig, ok := context.Cause(s.soft).(*signalError); ok {
		return sig
	}
	return nil
}

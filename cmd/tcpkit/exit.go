package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
)

// The exit codes. They are an interface: scripts test them.
const (
	exitOK          = 0
	exitRuntime     = 1
	exitUsage       = 2
	exitExpectation = 3
	exitRefused     = 4
	exitTimeout     = 5
	exitReset       = 6
	exitPermission  = 7
	exitPlugin      = 8
	exitInterrupt   = 130
	exitPipe        = 141
	exitTerminated  = 143
)

// An exitError is an error that knows its exit code.
type exitError struct {
	exit int
	err  error
}

func (e *exitError) Error() string { return e.err.Error() }
func (e *exitError) Unwrap() error { return e.err }

// usagef is an error in the command line.
func usagef(format string, a ...any) error {
	return &exitError{exitUsage, fmt.Errorf(format, a...)}
}

// A silentError ends the program with a code and without another word: what
// there was to say has been said.
type silentError struct{ exit int }

func (e *silentError) Error() string { return fmt.Sprintf("exit %d", e.exit) }

// errStdout wraps what a write to stdout gave, so that a broken pipe there is
// not mistaken for one of a connection.
var errStdout = errors.New("write to stdout")

// codeOf is the exit code for an error. Codes given by hand come first, then
// what the error of a connection means.
func codeOf(err error) int {
	var coded *exitError
	var silent *silentError
	var sig *signalError
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &silent):
		return silent.exit
	case errors.As(err, &sig):
		return sig.exitOf()
	case errors.As(err, &coded):
		return coded.exit
	case errors.Is(err, errStdout):
		if errors.Is(err, syscall.EPIPE) {
			return exitPipe
		}
		return exitRuntime
	case errors.Is(err, syscall.ECONNREFUSED):
		return exitRefused
	case errors.Is(err, syscall.ETIMEDOUT), errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.DeadlineExceeded):
		return exitTimeout
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.ECONNABORTED):
		return exitReset
	}
	return exitRuntime
}

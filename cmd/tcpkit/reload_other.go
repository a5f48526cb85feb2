//go:build !unix

package main

import "os"

// notifyReload has no signal here.
func notifyReload(chan<- os.Signal) (stop func()) { return func() {} }

//go:build !linux

package main

import (
	"errors"
	"io/fs"
	"os"
	"runtime"
)

// thisMachine is the machine that the program runs on.
func thisMachine() *machine {
	return &machine{
		os: runtime.GOOS, root: os.Geteuid() == 0,
		read:    func(string) (string, bool) { return "", false },
		openTUN: func() error { return errors.ErrUnsupported },
		tunMode: func() (fs.FileMode, bool) { return 0, false },
		makeNS:  func() error { return errors.ErrUnsupported },
		program: hasProgram,
	}
}

func probe() error { return errors.ErrUnsupported }

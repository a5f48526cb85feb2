//go:build unix

package ladder

import (
	"os"

	"golang.org/x/sys/unix"
)

// terminalWidth returns how many columns a terminal has, and false for what is
// no terminal.
func terminalWidth(f *os.File) (int, bool) {
	w, err := unix.IoctlGetWinsize(int(f.Fd()), unix.TIOCGWINSZ)
	if err != nil || w.Col == 0 {
		return 80, err == nil
	}
	return int(w.Col), true
}

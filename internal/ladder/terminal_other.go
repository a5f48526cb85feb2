//go:build !unix

package ladder

import "os"

// terminalWidth takes everything for a file here: plain text is right on all.
func terminalWidth(*os.File) (int, bool) { return 0, false }

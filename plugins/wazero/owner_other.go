//go:build !unix

package wazero

import "io/fs"

// ours: where files have no owner, the user's directories are the user's own.
func ours(fs.FileInfo) bool { return true }

//go:build !linux

package netns

import "errors"

// ErrUnsupported is the error of Run.
var ErrUnsupported = errors.New("network namespaces: only Linux has them")

// Run says that this system has no namespaces.
func Run(*Options) (code int, err error) { return -1, ErrUnsupported }

// Explain returns what stands in the way of a namespace.
func Explain(err error) string { return err.Error() }

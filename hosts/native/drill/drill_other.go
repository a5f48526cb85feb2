//go:build !linux

package drill

import "github.com/tcpkit/tcpkit/core/script"

// Run plays a script against the kernel of a Linux machine.
func Run(*script.Script, script.Config, Options) (script.Result, error) {
	return script.Result{}, ErrNotLinux
}

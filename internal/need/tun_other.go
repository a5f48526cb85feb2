//go:build !linux

package need

import "runtime"

func mendTUN() string { return "run on Linux: there is no /dev/net/tun on " + runtime.GOOS }

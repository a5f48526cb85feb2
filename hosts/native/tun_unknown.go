//go:build !linux && !darwin && !windows

package native

import "github.com/songgao/water"

func platform(*TUNConfig) (p water.PlatformSpecificParams) { return p }

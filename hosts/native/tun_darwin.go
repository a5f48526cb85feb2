package native

import "github.com/songgao/water"

func platform(cfg *TUNConfig) water.PlatformSpecificParams {
	return water.PlatformSpecificParams{Name: cfg.Name}
}

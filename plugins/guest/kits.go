package guest

import "embed"

// Kits has the folders of this package, a kit each.
//
//go:embed go/*.go c/tcpkit.h as/tcpkit.ts wat/prelude.wat
var Kits embed.FS

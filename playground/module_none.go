//go:build !tcpkit_release

package playground

// embedded is the module of a release; see module_release.go.
var embedded []byte

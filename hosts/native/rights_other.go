//go:build !linux

package native

// DropRights does nothing: capabilities are Linux's.
func DropRights() error { return nil }

//go:build !linux

package sockdiag

import (
	"errors"
	"net/netip"
)

// Diag is a conversation with the kernel. There is none on this system.
type Diag struct{}

// Open says that this system has no socket diagnostics.
func Open() (*Diag, error) {
	return nil, errors.New("socket diagnostics: only Linux has them")
}

// Close does nothing.
func (d *Diag) Close() error { return nil }

// Lookup finds nothing.
func (d *Diag) Lookup(local, remote netip.AddrPort) (Socket, error) {
	return Socket{}, ErrNotFound
}

// List finds nothing.
func (d *Diag) List() ([]Socket, error) { return nil, nil }

package native

import (
	"fmt"

	"golang.org/x/sys/unix"
	"kernel.org/pub/linux/libs/security/libcap/cap"
)

// DropRights gives up every capability of the process, in all of its threads, for
// good: neither it nor a program that it starts gets one again (THREATS H01). A TUN
// that is open stays usable, and the kernel still removes it at its close. The user
// stays the same; without CAP_DAC_OVERRIDE root reads and writes what its owner and mode allow.
func DropRights() error {
	if _, err := cap.Prctlw(unix.PR_SET_NO_NEW_PRIVS, 1); err != nil {
		return fmt.Errorf("drop rights: no new ones: %w", err)
	}
	if has, _ := cap.GetProc().GetFlag(cap.Effective, cap.SETPCAP); has {
		for c := cap.Value(0); c < cap.MaxBits(); c++ {
			if err := cap.DropBound(c); err != nil {
				return fmt.Errorf("drop rights: %v from the bounding set: %w", c, err)
			}
		}
	}
	if err := cap.NewSet().SetProc(); err != nil {
		return fmt.Errorf("drop rights: %w", err)
	}
	return nil
}

package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// readWhole reads a file that is to be a plain file of at most so many octets. What
// is in it is said with the errors: "a scenario".
func readWhole(path, what string, most int64) ([]byte, error) {
	st, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, usagef("there is no file %s; give the path of %s", path, what)
	case err != nil:
		return nil, fmt.Errorf("read %s: %w", what, err)
	case st.IsDir():
		return nil, usagef("%s is a folder; give the path of %s in it", path, what)
	case !st.Mode().IsRegular():
		return nil, usagef("%s is no plain file; copy what comes from it into one, and give that as %s", path, what)
	case st.Size() > most:
		return nil, usagef("%s is too large for %s: %d octets, at most %d", path, what, st.Size(), most)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w; make the file readable for this user", what, err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, most))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", what, err)
	}
	return b, nil
}

// writeWhole writes a file that a flag has named. On an error half a file is not
// left behind as if it were whole.
func writeWhole(flag, path string, b []byte) error {
	if path == "-" {
		return usagef("bad %s -: stdout is for what is shown; name a file", flag)
	}
	if st, err := os.Stat(path); err == nil && !st.Mode().IsRegular() {
		if st.IsDir() {
			return usagef("bad %s %s: it is a folder; name a file in it", flag, path)
		}
		return usagef("bad %s %s: it is no plain file; name one", flag, path)
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o644)
	if err != nil {
		return fmt.Errorf("%s: %w; name a file that can be made", flag, err)
	}
	_, err = f.Write(b)
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err != nil {
		os.Remove(path)
		return fmt.Errorf("%s: %w; is there room?", flag, err)
	}
	return nil
}

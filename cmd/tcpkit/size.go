package main

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// parseSize reads "64", "10k", "1.5M", "2GiB": powers of 1024, as iperf3 has
// them. Zero is allowed; the caller knows what it means.
func parseSize(s string) (int64, error) {
	num := strings.TrimSuffix(strings.TrimSuffix(strings.ToLower(s), "b"), "i")
	shift := 0
	if n := len(num); n > 0 {
		if i := strings.IndexByte("kmgt", num[n-1]); i >= 0 {
			shift, num = 10*(i+1), num[:n-1]
		}
	}
	v, err := strconv.ParseFloat(num, 64)
	v *= float64(int64(1) << shift)
	if err != nil || math.IsNaN(v) || v < 0 || v >= math.MaxInt64 {
		return 0, fmt.Errorf("%q is no size; write octets, or a number with k, M, G or T", s)
	}
	return int64(v), nil
}

// formatSize is a size for people.
func formatSize(n int64) string {
	v, unit := float64(n), ""
	for _, u := range []string{"KiB", "MiB", "GiB", "TiB"} {
		if v < 1024 {
			break
		}
		v, unit = v/1024, u
	}
	if unit == "" {
		return fmt.Sprintf("%d B", n)
	}
	return fmt.Sprintf("%.2f %s", v, unit)
}

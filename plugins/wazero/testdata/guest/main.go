// A plugin compiled from Go, for tests. What it does stands in the first octet of
// the record.
package main

import "unsafe"

func main() {}

var record [1024]byte

//go:wasmexport tcpkit_abi
func version() uint32 { return 1 << 16 }

//go:wasmexport tcpkit_init
func initialize(uint32) uint32 { return uint32(uintptr(unsafe.Pointer(&record[0]))) }

//go:wasmexport tcpkit_segment_arriving
func arriving() int64 {
	switch record[0] {
	case 1:
		println("hello", 42)
		print("no end")
	case 2:
		var none []int
		return int64(none[record[0]])
	case 3:
		return collect()
	case 4:
		return converse()
	case 5:
		return deep(1) + 1
	case 6:
		return order()
	case 7:
		select {} // for ever
	case 8:
		for {
			record[1]++
		}
	}
	return 0
}

type node struct{ next *node }

var kept *node

// collect makes garbage until it has been collected several times.
func collect() int64 {
	for n := range 1 << 16 {
		kept = &node{kept}
		if n%64 == 0 {
			kept = nil
		}
	}
	return 3
}

// converse has goroutines talk to each other.
func converse() int64 {
	c := make(chan int64)
	for n := range int64(4) {
		go func() { c <- n }()
	}
	var sum int64
	for range 4 {
		sum = 2*sum + <-c
	}
	return sum
}

func deep(n int64) int64 { return deep(n+1) + n }

// order depends on what the runtime has drawn.
func order() int64 {
	m := map[int64]bool{}
	for n := range int64(8) {
		m[n] = true
	}
	var result int64
	for n := range m {
		result = 8*result + n
	}
	return result
}

// Command guest is a plugin of no use, built by a test: what a Go guest needs of
// fuel, memory and depth is measured with it.
package main

import "runtime"

type node struct {
	left, right *node
	value       int
}

var kept *node

func grow(depth int) *node {
	if depth == 0 {
		return &node{value: 1}
	}
	return &node{grow(depth - 1), grow(depth - 1), depth}
}

func (n *node) sum() int {
	if n == nil {
		return 0
	}
	return n.value + n.left.sum() + n.right.sum()
}

//go:wasmexport add
func add(a, b int32) int32 { return a + b }

// tree keeps 2^(depth+1) - 1 nodes, and returns the sum of their values.
//
//go:wasmexport tree
func tree(depth int32) int64 {
	kept = grow(int(depth))
	return int64(kept.sum())
}

//go:wasmexport collect
func collect() int32 {
	runtime.GC()
	return 1
}

// deep calls itself n times.
//
//go:wasmexport deep
func deep(n int32) int32 {
	if n == 0 {
		return 0
	}
	return 1 + deep(n-1)
}

// mix calculates: a checksum of n times 4096 octets, and a sieve.
//
//go:wasmexport mix
func mix(n int32) int64 {
	var octets [4096]byte
	hash := uint32(2166136261)
	for range n {
		for i := range octets {
			octets[i] += byte(hash>>7) ^ byte(i)
			hash = (hash ^ uint32(octets[i])) * 16777619
		}
	}
	count := int64(hash)
	clear(octets[:])
	for i := 2; i < len(octets); i++ {
		if octets[i] != 0 {
			continue
		}
		count++
		for j := i * i; j < len(octets); j += i {
			octets[j] = 1
		}
	}
	return count
}

func main() {}

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

//go:wasmexport fail
func fail() int32 {
	var n *node
	return int32(n.value)
}

func main() {}

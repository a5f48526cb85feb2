// Package mutants plants bugs into the engine, to show that the proof would find
// them. A mutant is a file testdata/NAME.mutant:
//
//	# What it breaks, and the RFC's section.
//	file core/tcp/arrives.go
//	--- old
//		if seg.Seq != c.rcv.nxt {
//	--- new
//		if seg.Seq == c.rcv.nxt {
//	---
//
// Groups of old and new lines follow a file, and files follow each other, in any
// number. Old lines are whole lines, and stand in their file exactly once: a test
// sees to it that the engine and its mutants go on together. Nothing is changed in
// the tree; the go command is given patched copies by -overlay.
//
// The command in score builds the engine with each mutant, lets scripts, the
// explorer and the simulator look for it, and prints who found it and how soon.
package mutants

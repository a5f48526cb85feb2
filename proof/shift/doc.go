// Package shift shows that the numbers of a connection are only numbers: the same
// script, and the same simulated world, run again with other initial sequence
// numbers, ports, addresses and timestamps, gives the same packets at the same
// times, which differ in these fields and the checksums and in nothing else. It is
// test code only.
//
// trace_test.go takes these fields out of a packet, and puts them relative to where
// they began beside what is left. scripts_test.go and worlds_test.go make the runs.
package shift

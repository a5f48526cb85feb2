// Package trial has the plugins that the hooks themselves are tried with: edges does
// what a task says at one change of state; observer and batches look at all that they
// are shown, one by one and many at once; Noop and Identity answer every hook, and
// change nothing. Those in WAT are held to their source by a test.
package trial

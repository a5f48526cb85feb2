// Package built holds the modules that are kept built to their source. It is for
// tests.
package built

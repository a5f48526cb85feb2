// Package guest has what a plugin's author needs, a folder for each language:
// the record, the verdicts and the functions of plugins/abi under names, and
// nothing more.
//
//	go/    a package; the plugin is a main package, built with -buildmode=c-shared
//	c/     a header, for clang without a C library
//	as/    a module for AssemblyScript, without its runtime
//	wat/   the same as a comment, since WAT has no names for numbers
//
// A kit is copied to where the plugin is (tcpkit plugin new does), so that a
// plugin's folder has all that it needs. What the kits say of records and codes
// is written by a test of this package from plugins/abi:
//
//	go test ./plugins/guest -update
package guest

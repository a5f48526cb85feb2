// Package same shows that the engine does the same on every machine: each script and
// each simulated world of a row of seeds has one hash, over every packet with its
// time and every event, and the hashes of linux/amd64, linux/386 and wasip1/wasm
// are compared. It is test code only.
//
// The list of hashes is what TestList prints; same_test.go builds the package's own
// test binary for the two other platforms and runs it there, the one for wasip1
// under wazero. Nothing is compared with a committed file: a change of the engine
// changes all lists alike.
package same

// Package assemble makes small WASM modules for tests, so that these need no
// tool: functions with bodies in octets, and one memory.
package assemble

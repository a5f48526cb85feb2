// Package siphash is SipHash-2-4 (Aumasson and Bernstein, 2012), the one keyed
// function of the engine. The connection table, initial sequence numbers, ports,
// timestamp offsets and cookies use it, each with a purpose of its own.
//
// Randomness in the engine is a function and never a stream: PRF of a key, a
// purpose, an id and an ordinal. So a draw that one connection makes, or omits,
// moves no other.
//
//	siphash.PRF(key, purposePort, connection, attempt)
//
// Words, Words2 and Hash take 64-bit words and equal Sum64 over the same words
// laid out little-endian. Sum64 of equal octets is equal on every machine.
package siphash

// Package event holds the typed events by which the engine explains what it
// does, and the log that collects them.
//
// An Event is a fixed-size value of numbers and ids: it holds no prose and no
// pointer into the engine. Presenters have the words. A log's hash covers every
// event that its mask lets through, as little-endian words in order, so that
// two runs can be compared on any machine by one number.
package event

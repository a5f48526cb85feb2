// Package logger is a plugin that watches: it sees every change of state of a
// stack's connections and keeps the old and the new one in its own memory,
// which is all that it does. logger.wat is the source, a few lines; tcpkit plugin
// build makes the module. A test compares what the plugin saw with the event log of
// the same run.
package logger

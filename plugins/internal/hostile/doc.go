// Package hostile has plugins that mean harm, or were written by somebody who had a
// bad day: one that never returns, one that asks for all memory, one that answers
// with noise. Each says at its top which row of the threats it is for. They are
// written in WAT, and a test holds the built modules to their source.
package hostile

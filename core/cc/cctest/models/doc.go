// Package models has congestion controllers in plain Go that are also shipped as
// plugins: AIMD and BBR. They are what the plugins are held to, octet for octet of
// their private state, so each says where in it what is kept, and uses nothing that
// a plugin is not told. They are integer arithmetic alone.
//
// Neither is built into the engine: a model is an example of how to write a
// controller, with the least that it takes.
package models

// Package playground is the page on which people run the engine in their
// browser, and what serves it: files that stand beside this one, sent as they are
// written, and beside them the engine's module, the shipped plugins, and the
// catalogue of scenarios, words, rules and edges as JSON.
//
//	h := playground.Handler(playground.Files(), module)
//
// A Handler answers GET and HEAD for the paths it has, and nothing else: no path of
// a request is ever made into the name of a file. It answers only who asks for this
// machine by one of its own names, so that no other site can reach it by a name of
// its own that leads here. Nothing that it serves loads anything from elsewhere.
//
// Export writes the same page as a folder that any web server can serve.
package playground

// Package scripts has the exchanges that show what the engine does, in the
// packetdrill notation, in folders by topic. README.md tells how to add one.
package scripts

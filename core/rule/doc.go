// Package rule is the one table of the rules that tcpkit follows: each row has
// an id, the RFC and section that it comes from, and the requirement in one
// line. State changes, drops, hooks, capture comments and the narration name
// its ids, so that whatever is seen can be looked up in the text that wants it.
//
// Ids are stable: a row is never renumbered and an id is never used again,
// because they stand in event logs and captures.
package rule

// Package narrate holds the words by which presenters explain what TCP does, in
// English and Chinese: a sentence for each step of an exchange, and the text of each
// rule. The engine knows only ids; see core/event and core/rule.
//
//	english := narrate.English.Say(narrate.Syn, "from", "the kernel", "to", "tcpkit")
//
// The names of states, flags and options are RFC 9293's in both languages.
// Width and Wrap lay words out on a terminal, where a Chinese character takes
// two columns.
package narrate

// Package catalogue holds the scenarios that tcpkit comes with, and the words in
// which commands and pages speak of them, in English and in Chinese.
//
//	scenarios/ID.scenario   one run each, in the language of core/scenario
//	words/LANG/NAME.txt     words by id; how many files, and their names, are free
//
// A file of words has lines
//
//	# a comment
//	H1.title: Three-way handshake
//	H1.summary: Each end names its first sequence number, and hears that
//	  the other has it.
//
// An indented line goes on with the one above it: a blank is put in between, but
// not next to a Chinese character. Every language has the same ids.
//
// The ids that presenters look for:
//
//	ID.title ID.question ID.summary   of a scenario; the question is the learner's
//	ID.NAME ID.plain.NAME             its narration ("say ID.NAME ..."), and as a dialogue
//	C1.claim C1.precise               a popular statement, and what is precisely so
//	chapter.NAME                      of the lessons
//	state.X flag.X option.X timer.X drop.X term.X   what it is; X.name is its name in words
//
// words/any has what is the same in every language: ID.also, other spellings and
// names; ID.see, the ids of what belongs beside it.
//
// The files are built into whatever imports the package, which the WASM module
// does not: prose stays out of it. What is wrong in a file is an error with its
// name, line and cure.
package catalogue

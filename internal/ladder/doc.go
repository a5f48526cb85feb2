// Package ladder draws exchanges as ladders: two ends with their states, and
// between them each segment as an arrow, with its time and its numbers.
//
//	time/s        client                         server           seq    ack   len
//	0.0000      SYN-SENT ─────────SYN──────────► SYN-RECEIVED       0      -     0
//	        The client asks for a connection ...  §3.5
//
// A Pen is the terminal's side: columns, colours, wrapped words, in English and
// in Chinese.
package ladder

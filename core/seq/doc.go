// Package seq is the arithmetic of sequence numbers, RFC 9293 §3.4: the numbers
// 0 to 2^32-1 in a circle, so that every sum and every comparison is modulo 2^32.
//
//	     v.From(w) = 5                    v.In(w, 8) = true
//	----w====>v-------           ----w====v==)-------
//
// A Value is a point on the circle, a Size an arc: a length, a window, a
// distance. Before compares two points that are less than 2^31 apart, which all
// that TCP compares are, since no window reaches further (RFC 7323 §2.3). For
// two points exactly 2^31 apart each is Before the other, and neither After.
//
// Operators < and > on a Value are wrong wherever the circle closes; a test in
// package core looks for them.
package seq

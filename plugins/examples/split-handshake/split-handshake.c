/*
 * split-handshake makes a listener shake hands by five segments: its SYN-ACK leaves as
 * an ACK and a SYN, and a client in SYN-SENT that gets a SYN answers it as if both ends
 * had opened at once (RFC 9293 §3.5, figure 7):
 *
 *	SYN-SENT      -->  <SYN>      -->  SYN-RECEIVED
 *	SYN-SENT      <--  <ACK>      <--  SYN-RECEIVED
 *	SYN-RECEIVED  <--  <SYN>      <--  SYN-RECEIVED
 *	SYN-RECEIVED  -->  <SYN,ACK>  -->  ESTABLISHED
 *	ESTABLISHED   <--  <ACK>      <--  ESTABLISHED
 *
 * Firewalls that look for a SYN-ACK have been fooled by it about who the server is.
 */
#include "../apart.h"

TCPKIT_HOOK(segment_leaving) { return leave_apart(); }

/* The client's SYN-ACK begins before the window, since its SYN is known: the engine
 * answers with an ACK, which is the fifth segment, and forgets it. What it says, that
 * our SYN has come, is told by an ACK that follows it. */
TCPKIT_HOOK(segment_arriving) {
	tcpkit.seq++;
	tcpkit.flags = TCPKIT_FLAG_ACK;
	tcpkit.has &= TCPKIT_OPTION_HAS_TIMESTAMPS;
	tcpkit_inject(TCPKIT_RECORD_SIZE);
	return TCPKIT_PASS;
}

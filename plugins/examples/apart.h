/* apart.h: a listener's SYN-ACK leaves as two segments. */
#ifndef APART_H
#define APART_H

#include "tcpkit.h"

/* leave_apart makes of a SYN-ACK that leaves an ACK, which a SYN follows. */
static int64_t leave_apart(void) {
	uint32_t ack = tcpkit.ack, echo = tcpkit.ts_ecr;

	if (!(tcpkit.bits & TCPKIT_BIT_PASSIVE))
		return TCPKIT_PASS; /* both ends have opened */
	tcpkit.flags = TCPKIT_FLAG_SYN;
	tcpkit.ack = 0;
	tcpkit.ts_ecr = 0; /* RFC 7323 §3.2: it is valid with ACK only */
	tcpkit_inject(TCPKIT_RECORD_SIZE);

	tcpkit.flags = TCPKIT_FLAG_ACK;
	tcpkit.ack = ack;
	tcpkit.ts_ecr = echo;
	tcpkit.has &= TCPKIT_OPTION_HAS_TIMESTAMPS;
	return tcpkit_mutate(TCPKIT_FIELD_FLAGS | TCPKIT_FIELD_OPTIONS);
}

#endif

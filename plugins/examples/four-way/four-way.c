/*
 * four-way asks why a handshake has three segments and not four: the server's ACK of
 * the client's SYN, and its own SYN, leave apart, and the client waits for both before
 * it goes on. It works just as well, and takes one segment more: RFC 9293 §3.5 has the
 * second and the third step in one message.
 *
 * The same plugin serves both ends.
 */
#include "../apart.h"

/* What a client keeps of its connection. */
struct waiting {
	uint32_t acked; /* the ACK has come */
	uint32_t echo;  /* its echoed timestamp */
};

TCPKIT_HOOK(segment_leaving) { return leave_apart(); }

/* The client keeps the ACK to itself until the SYN comes, and takes both for one
 * segment. A SYN without the ACK has no use: the server sends both again. */
TCPKIT_HOOK(segment_arriving) {
	struct waiting *w = (struct waiting *)tcpkit.state;

	if (!(tcpkit.sections & TCPKIT_SECTION_STATE))
		return TCPKIT_PASS; /* the host has no room for more connections */
	switch (tcpkit.flags & (TCPKIT_FLAG_SYN | TCPKIT_FLAG_ACK)) {
	case TCPKIT_FLAG_ACK:
		if (tcpkit.ack != tcpkit.snd_nxt)
			return TCPKIT_PASS; /* from long ago: the engine resets it */
		w->acked = 1;
		w->echo = tcpkit.ts_ecr;
		return tcpkit_with(TCPKIT_PASS, TCPKIT_FIELD_STATE); /* without a SYN the engine ignores it */
	case TCPKIT_FLAG_SYN:
		if (!w->acked)
			return TCPKIT_DROP;
		tcpkit.flags |= TCPKIT_FLAG_ACK;
		tcpkit.ack = tcpkit.snd_nxt;
		tcpkit.ts_ecr = w->echo;
		return tcpkit_mutate(TCPKIT_FIELD_FLAGS | TCPKIT_FIELD_ACK | TCPKIT_FIELD_OPTIONS);
	}
	return TCPKIT_PASS;
}

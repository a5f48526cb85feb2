/*
 * fast-open-only-from takes the Fast Open option out of SYNs that come from elsewhere:
 * for the listener their senders don't know Fast Open, so that they get no cookie, and
 * what they send with the SYN waits for the handshake (RFC 7413 §4.1.2).
 */
#include "../prefix.h"

static struct prefixes from;

TCPKIT_HOOK(config) {
	return prefixes_option(&from, "from") ? TCPKIT_PASS : TCPKIT_DETACH;
}

TCPKIT_HOOK(segment_arriving) {
	if (!(tcpkit.has & TCPKIT_OPTION_HAS_FAST_OPEN) || prefixes_have(&from, tcpkit.address + 16))
		return TCPKIT_PASS;
	tcpkit.has &= ~TCPKIT_OPTION_HAS_FAST_OPEN;
	return tcpkit_mutate(TCPKIT_FIELD_OPTIONS);
}

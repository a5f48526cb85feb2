/* {{.Name}} marks the segments that leave, and tells when a connection is established. */
#include "tcpkit.h"

static uint8_t tos;

/* The user's options, in the order of the manifest: {{.Name}}.wasm,tos=40 */
TCPKIT_HOOK(config) {
	tos = tcpkit.args[0];
	return TCPKIT_PASS;
}

/* A segment leaves. Its two bits of ECN are not ours. */
TCPKIT_HOOK(segment_leaving) {
	tcpkit_metric(0, tcpkit.payload_size);
	tcpkit.tos = (tos & ~3) | (tcpkit.tos & 3);
	return tcpkit_mutate(TCPKIT_FIELD_TOS);
}

/* A connection has changed its state. */
TCPKIT_HOOK(transition) {
	static const char text[] = "a connection is established";

	if (tcpkit.to == TCPKIT_STATE_ESTABLISHED)
		tcpkit_log(TCPKIT_INFO, text, sizeof text - 1);
	return TCPKIT_PASS;
}

/*
 * option-stamp numbers the segments of a connection, in the experimental option 253
 * with an identifier of 16 bits (RFC 4727 §7, RFC 6994 §3):
 *
 *	253 8 ExID ExID counter counter counter counter
 *
 * Room for it is reserved in every segment, so that data never has to give way.
 */
#include "tcpkit.h"

enum { KIND = 253, SIZE = 8, MOST = sizeof tcpkit.options };

static uint16_t exid;

TCPKIT_HOOK(config) {
	exid = tcpkit.args[0];
	return TCPKIT_PASS;
}

TCPKIT_HOOK(options_reserve) {
	if (tcpkit.args[0] + SIZE > MOST)
		return TCPKIT_PASS;
	tcpkit.args[0] += SIZE;
	return tcpkit_mutate(TCPKIT_FIELD_ARGS);
}

TCPKIT_HOOK(options_write) {
	uint32_t *count = (uint32_t *)tcpkit.state;
	uint32_t n = tcpkit.options_size;
	uint8_t *o = tcpkit.options + n;

	if (n + SIZE > MOST || !(tcpkit.sections & TCPKIT_SECTION_STATE))
		return TCPKIT_PASS; /* a SYN, or much is selectively acknowledged */
	o[0] = KIND;
	o[1] = SIZE;
	o[2] = exid >> 8;
	o[3] = exid;
	__builtin_memcpy(o + 4, &(uint32_t){__builtin_bswap32(*count)}, 4);
	++*count;
	tcpkit.options_size = n + SIZE;
	return tcpkit_mutate(TCPKIT_FIELD_RAW_OPTIONS | TCPKIT_FIELD_STATE);
}

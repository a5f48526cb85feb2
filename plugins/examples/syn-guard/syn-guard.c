/*
 * syn-guard stands before a listener. SYNs from prefixes that are denied get no answer,
 * or a reset; of the others each address may send so many a second. What comes faster
 * is answered by a cookie, for which nothing is kept (RFC 4987 §3.6), or not at all.
 */
#include "../prefix.h"

enum { SLOTS = 256 };

#define SECOND 1000000000ull

static struct prefixes deny, reset;
static uint64_t gap, span; /* nanoseconds for each SYN, and for a burst */
static int cookie;

/* When the bucket of an address is full again. Addresses share buckets: the host's
 * random number, which is new with each start, says which. */
static int64_t full_at[SLOTS];
static uint64_t salt;

TCPKIT_HOOK(config) {
	uint64_t rate = tcpkit.args[0], burst = tcpkit.args[1];

	gap = rate ? SECOND / rate : 0;
	span = gap * (burst ? burst - 1 : 0);
	cookie = tcpkit.args[2] != 0;
	salt = tcpkit_random() | 1;
	return prefixes_option(&deny, "deny") && prefixes_option(&reset, "reset") ? TCPKIT_PASS : TCPKIT_DETACH;
}

/* slot is the bucket of an IPv4 address, or of an IPv6 network of 64 bits, since who
 * has one address there has all. */
static int64_t *slot(const uint8_t *address) {
	uint64_t high, low;

	__builtin_memcpy(&high, address, 8);
	__builtin_memcpy(&low, address + 8, 8);
	if (tcpkit.family == 4)
		high = low;
	return &full_at[(high * salt ^ high >> 32) * 0x9e3779b97f4a7c15ull >> 56];
}

TCPKIT_HOOK(syn) {
	const uint8_t *remote = tcpkit.address + 16;
	int64_t now = tcpkit.now, *full = slot(remote);

	if (prefixes_have(&deny, remote))
		return TCPKIT_DROP;
	if (prefixes_have(&reset, remote))
		return TCPKIT_RESET;
	if (!gap)
		return TCPKIT_PASS;
	if (*full < now)
		*full = now;
	if ((uint64_t)(*full - now) > span)
		return cookie ? TCPKIT_COOKIE : TCPKIT_DROP;
	*full += gap;
	return TCPKIT_PASS;
}

/*
 * netem is a bad link behind the stack, as Linux's netem is: segments that leave are
 * lost, doubled, delayed, and overtake each other. The host's random numbers come
 * from the seed of the run, so that a run can be repeated, and two plugins don't
 * disturb each other's.
 */
#include "tcpkit.h"

static uint64_t loss, duplicate, reorder, delay, jitter;

TCPKIT_HOOK(config) {
	loss = tcpkit.args[0];
	duplicate = tcpkit.args[1];
	reorder = tcpkit.args[2];
	delay = tcpkit.args[3];
	jitter = tcpkit.args[4];
	return TCPKIT_PASS;
}

/* happens is true so many times in a thousand. */
static int happens(uint64_t permille) { return permille && tcpkit_random() % 1000 < permille; }

TCPKIT_HOOK(segment_leaving) {
	uint64_t wait = delay;

	if (happens(loss))
		return TCPKIT_DROP;
	if (happens(duplicate))
		return tcpkit_with(TCPKIT_DUPLICATE, 1); /* one more, at once */
	if (happens(reorder))
		return TCPKIT_PASS;
	if (jitter)
		wait += tcpkit_random() % jitter;
	return wait ? tcpkit_with(TCPKIT_DELAY, wait) : TCPKIT_PASS;
}

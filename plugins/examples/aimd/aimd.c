/*
 * aimd is additive increase and multiplicative decrease, RFC 5681: slow start to
 * ssthresh, then one segment more in each round trip, and on a loss a share of what is
 * in flight. It is what core/cc/cctest/models has in Go, octet for octet of its state.
 */
#include "tcpkit.h"

#define MOST (65535u << 14) /* RFC 7323 §2.3: no window is larger */

/* What is kept of a connection. */
struct state {
	uint32_t acked;   /* octets acknowledged since the window grew last */
	uint32_t initial; /* the window that it began with */
	uint32_t undo_cwnd, undo_ssthresh; /* before the last reduction; 0: none is to be undone */
	uint32_t timeouts; /* AWAITED | RESTARTED */
};

enum { AWAITED = 1, /* a timeout, and no ACK since */ RESTARTED = 2 /* the slow start after one */ };

static struct state *const s = (struct state *)tcpkit.state;
static uint64_t keep;

static uint32_t min(uint32_t a, uint32_t b) { return a < b ? a : b; }
static uint32_t max(uint32_t a, uint32_t b) { return a > b ? a : b; }

static int64_t done(void) { return tcpkit_mutate(TCPKIT_FIELD_ARGS | TCPKIT_FIELD_STATE); }

TCPKIT_HOOK(config) {
	keep = tcpkit.args[0];
	return keep >= 1 && keep <= 100 ? TCPKIT_PASS : TCPKIT_DETACH;
}

TCPKIT_HOOK(cc_init) {
	tcpkit.cc.ssthresh = MOST;
	*s = (struct state){.initial = tcpkit.cc.cwnd};
	return done();
}

TCPKIT_HOOK(cc_ack) {
	struct tcpkit_controller *c = &tcpkit.cc;
	uint32_t acked = c->acked;

	if (acked)
		s->timeouts &= ~AWAITED;
	if (c->flags & (TCPKIT_CC_FLAG_ECE | TCPKIT_CC_FLAG_IN_RECOVERY) || !(c->flags & TCPKIT_CC_FLAG_CWND_LIMITED))
		return done();
	if (c->cwnd < c->ssthresh) {
		/* RFC 3465 §2.2, §2.3: by what was acknowledged, up to L. */
		if (s->timeouts & RESTARTED)
			acked = min(acked, c->mss);
		else if (c->limit)
			acked = min(acked, c->limit);
		c->cwnd += min(acked, c->ssthresh - c->cwnd);
		return done();
	}
	/* A segment for each window that was acknowledged, and one at most by this ACK. */
	s->timeouts &= ~RESTARTED;
	s->acked += min(acked, c->cwnd);
	if (s->acked >= c->cwnd) {
		s->acked -= c->cwnd;
		c->cwnd = min(c->cwnd + c->mss, MOST);
	}
	return done();
}

/* less sets ssthresh to what is kept of the flight, two segments at least. */
static void less(void) {
	tcpkit.cc.ssthresh = max(min(tcpkit.cc.in_flight, tcpkit.cc.cwnd) * keep / 100, 2 * tcpkit.cc.mss);
	s->acked = 0;
}

static void remember(void) {
	s->undo_cwnd = tcpkit.cc.cwnd;
	s->undo_ssthresh = tcpkit.cc.ssthresh;
}

TCPKIT_HOOK(cc_loss) {
	remember();
	less();
	return done();
}

/* Once for a segment; slow start follows, from the one segment that the connection
 * begins it with. */
TCPKIT_HOOK(cc_rto) {
	if (!(s->timeouts & AWAITED)) {
		remember();
		less();
	}
	s->timeouts = AWAITED | RESTARTED;
	return done();
}

/* Nothing is lost and no recovery follows: the window goes down here. */
TCPKIT_HOOK(cc_ecn) {
	s->undo_cwnd = 0;
	less();
	tcpkit.cc.cwnd = min(tcpkit.cc.cwnd, tcpkit.cc.ssthresh);
	return done();
}

/* RFC 5681 §4.1: after a pause it begins again with the initial window. */
TCPKIT_HOOK(cc_idle) {
	struct tcpkit_controller *c = &tcpkit.cc;

	if (c->idle > c->rto) {
		c->ssthresh = max(c->ssthresh, c->cwnd / 4 * 3);
		c->cwnd = min(c->cwnd, s->initial);
		s->acked = s->undo_cwnd = 0;
	}
	return done();
}

TCPKIT_HOOK(cc_undo) {
	if (s->undo_cwnd) {
		tcpkit.cc.cwnd = max(tcpkit.cc.cwnd, s->undo_cwnd);
		tcpkit.cc.ssthresh = max(tcpkit.cc.ssthresh, s->undo_ssthresh);
		s->undo_cwnd = s->timeouts = 0;
	}
	return done();
}

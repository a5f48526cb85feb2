/*
 * bbr-lite is a small BBR, after the first version of
 * draft-cardwell-iccrg-bbr-congestion-control and Linux's tcp_bbr.c. It paces by a
 * model of the path: the highest delivery rate of the last ten round trips, and the
 * shortest round trip of the last ten seconds. A loss says little to it.
 *
 * Left out are the long-term rate of policers, the extra window for aggregated ACKs,
 * and the random order of the cycle. As in later versions startup also ends when much
 * is lost, and at an ECN mark. It is what core/cc/cctest/models has in Go, octet for
 * octet of its state, under the same names.
 */
#include "tcpkit.h"

typedef uint64_t u64;

#define MOST (65535ull << 14) /* RFC 7323 §2.3: no window is larger */
#define SECOND 1000000000ull
#define MICROSECOND 1000ull

enum {
	ROUNDS = 10, /* of the filter of the rate */
	UNIT = 256,
	HIGH = 739,               /* of UNIT: 2/ln 2, which doubles the rate in a round trip */
	LOW = UNIT * UNIT / HIGH, /* drains in one what startup has queued */
	DOUBLE = 2 * UNIT,
	FULL_AFTER = 3, /* round trips without growth */
	LEAST_SEGS = 4, /* of a window */
	MUCH_LOST = 8,  /* segments: more than chance takes out of a small window */
};

#define TRIP_FOR (10 * SECOND)    /* for how long a round trip counts */
#define TRIP_SPAN (SECOND / 5)    /* of PROBE_TRIP */

/* What keeps all products within 64 bits: 128 GB/s, 16 s, 8 GB. */
#define MOST_RATE (1ull << 37)
#define MOST_TRIP (1ull << 24) /* microseconds */
#define MOST_DELIVERED (1ull << 33)

enum {
	STARTUP,    /* double the rate each round trip, until it grows no more */
	DRAIN,      /* let what startup has queued flow off */
	PROBE_RATE, /* send at the rate that was found, and now and then a bit more */
	PROBE_TRIP, /* send little for a while, to see the path without a queue */
};

/* What is kept of a connection. Times are nanoseconds. */
struct state {
	u64 phase;
	u64 round;      /* round trips so far */
	u64 round_end;  /* the total at which this one ends */
	u64 total;      /* octets delivered so far */
	u64 full;       /* the rate that startup last grew to */
	u64 full_for;   /* for how many round trips it has not grown by a quarter */
	u64 step;       /* of the cycle, 0 to 7 */
	int64_t step_at; /* when it began */
	u64 trip;       /* the shortest round trip, 0: none is known */
	int64_t trip_at; /* when it was seen */
	u64 trip_until; /* PROBE_TRIP: when it ends; 0: the queue is not empty yet */
	u64 saved;      /* the window before a recovery or PROBE_TRIP */
	u64 recovery;   /* 0: none; 1: in the first round trip of a recovery; 2: later */
	u64 restart;    /* 1: nothing was sent for a while */
	u64 lost;       /* octets lost in this round trip */
	u64 rates[ROUNDS]; /* the highest rate of each of the last round trips, octets a second */
};

_Static_assert(sizeof(struct state) == 200, "the manifest's state");

static struct state *const s = (struct state *)tcpkit.state;
static struct tcpkit_controller *const c = &tcpkit.cc;

/* The gains of PROBE_RATE. */
static const uint16_t cycle[8] = {UNIT * 5 / 4, UNIT * 3 / 4, UNIT, UNIT, UNIT, UNIT, UNIT, UNIT};

static u64 min(u64 a, u64 b) { return a < b ? a : b; }
static u64 max(u64 a, u64 b) { return a > b ? a : b; }

static int64_t done(void) { return tcpkit_mutate(TCPKIT_FIELD_ARGS | TCPKIT_FIELD_STATE); }

/* The initial window, and not paced until there is a sample. */
TCPKIT_HOOK(cc_init) {
	c->ssthresh = MOST;
	c->pacing = 0;
	__builtin_memset(s, 0, sizeof *s);
	s->trip_at = tcpkit.now;
	return done();
}

/* rate_of is the rate of the path, octets a second; 0: not known. */
static u64 rate_of(void) {
	u64 most = 0;

	for (int i = 0; i < ROUNDS; i++)
		most = max(most, s->rates[i]);
	return most;
}

/* take_rate keeps the sample's rate, if it is one, and reports whether it is the first
 * of a round trip. What was sent when there was too little to send only counts if it is
 * higher than what is known. */
static int take_rate(void) {
	int round = 0;
	u64 rate, *slot;

	if (c->interval <= 0 || c->delivered == 0)
		return 0;
	if (c->total - c->delivered >= s->round_end) {
		round = 1;
		if (s->phase == STARTUP && s->lost > MUCH_LOST * (u64)c->mss && s->lost > (c->total - s->round_end) / 4)
			s->full_for = FULL_AFTER; /* a fifth of what was sent: the queue has overflowed */
		s->round_end = c->total;
		s->lost = 0;
		s->round++;
		s->rates[s->round % ROUNDS] = 0;
		if (s->recovery == 1)
			s->recovery = 2;
	}
	rate = min(min(c->delivered, MOST_DELIVERED) * SECOND / (u64)c->interval, MOST_RATE);
	if (!(c->flags & TCPKIT_CC_FLAG_APP_LIMITED) || rate >= rate_of()) {
		slot = &s->rates[s->round % ROUNDS];
		*slot = max(*slot, rate);
	}
	return round;
}

/* check_full looks whether the path is full: the rate has not grown by a quarter in
 * three round trips. */
static void check_full(void) {
	u64 rate = rate_of();

	if (s->full_for >= FULL_AFTER || c->flags & TCPKIT_CC_FLAG_APP_LIMITED)
		return;
	if (rate >= s->full + s->full / 4) {
		s->full = rate;
		s->full_for = 0;
	} else {
		s->full_for++;
	}
}

/* target is gain times the octets that the path holds, and three segments more for
 * what goes in one piece and for delayed ACKs. */
static u64 target(u64 gain) {
	u64 rate = rate_of(), trip;

	if (rate == 0 || s->trip == 0)
		return (uint32_t)(LEAST_SEGS * 2 * c->mss);
	trip = min(max(s->trip / MICROSECOND, 1), MOST_TRIP);
	return min(rate * trip / (SECOND / MICROSECOND) * gain / UNIT + 3 * (u64)c->mss, MOST);
}

/* step_on goes on in the cycle: after a round trip, but with more than the rate not
 * before that much is in flight or something is lost, and with less only until the
 * queue is gone. */
static void step_on(u64 in_flight) {
	int over = tcpkit.now - s->step_at > (int64_t)s->trip;
	u64 gain = cycle[s->step % 8];

	if (gain > UNIT)
		over = over && (c->losses > 0 || c->in_flight >= target(gain));
	else if (gain < UNIT)
		over = over || in_flight <= target(UNIT);
	if (over) {
		s->step = (s->step + 1) % 8;
		s->step_at = tcpkit.now;
	}
}

/* cruise begins PROBE_RATE behind the two steps that are not at the rate itself. */
static void cruise(void) {
	s->phase = PROBE_RATE;
	s->step = 2;
	s->step_at = tcpkit.now;
}

/* save keeps the window of before a recovery, or of before PROBE_TRIP. */
static void save(void) {
	s->saved = s->recovery == 0 && s->phase != PROBE_TRIP ? c->cwnd : max(s->saved, c->cwnd);
}

/* take_trip keeps the round trip, and has an old one measured anew. */
static void take_trip(u64 in_flight, int round) {
	int expired = tcpkit.now - s->trip_at > (int64_t)TRIP_FOR;

	if (c->rtt > 0 && (s->trip == 0 || (u64)c->rtt <= s->trip || expired)) {
		s->trip = c->rtt;
		s->trip_at = tcpkit.now;
	}
	if (expired && s->restart == 0 && s->phase != PROBE_TRIP) {
		save();
		s->phase = PROBE_TRIP;
		s->trip_until = 0;
	}
	if (c->acked > 0)
		s->restart = 0;
	if (s->phase != PROBE_TRIP)
		return;
	if (s->trip_until == 0 && in_flight <= LEAST_SEGS * (u64)c->mss) {
		s->trip_until = tcpkit.now + TRIP_SPAN;
		s->round_end = c->total; /* and a round trip at least */
	} else if (s->trip_until != 0 && round && (u64)tcpkit.now > s->trip_until) {
		s->trip_at = tcpkit.now;
		c->cwnd = max(c->cwnd, (uint32_t)s->saved);
		s->phase = STARTUP;
		if (s->full_for >= FULL_AFTER)
			cruise();
	}
}

/* set_rate sets the pacing rate: the gain of the phase times the rate, less a hundredth
 * so that no queue builds up. */
static void set_rate(void) {
	u64 gain = UNIT, rate = rate_of();
	uint32_t least = 2 * c->mss;

	switch (s->phase) {
	case STARTUP:
		gain = HIGH;
		break;
	case DRAIN:
		gain = LOW;
		break;
	case PROBE_RATE:
		gain = cycle[s->step % 8];
	}
	if (rate == 0) {
		if (c->srtt <= 0)
			return;
		rate = min(c->cwnd * SECOND / (u64)c->srtt, MOST_RATE);
	}
	rate = rate * gain / UNIT * 99 / 100;
	/* Startup does not slow down. */
	if (s->full_for >= FULL_AFTER || rate > c->pacing)
		c->pacing = rate;
	/* What goes in one piece: a millisecond's worth, but two segments, or one on a slow
	 * path. */
	if (c->pacing < 150000)
		least = c->mss;
	c->quantum = max(min(c->pacing / 1000, 65535), least);
}

/* set_window lets the window grow to its target by what is acknowledged. In a recovery
 * it goes down by what is lost, and in its first round trip no more goes out than is
 * acknowledged. */
static void set_window(u64 in_flight) {
	u64 cwnd = c->cwnd, mss = c->mss, gain = DOUBLE, least = LEAST_SEGS * mss, goal;

	if (s->recovery != 0 && !(c->flags & TCPKIT_CC_FLAG_IN_RECOVERY)) {
		s->recovery = 0;
		cwnd = max(cwnd, s->saved);
	}
	if (c->losses > 0)
		cwnd = max(cwnd - min(cwnd, c->losses), mss);
	if (s->phase == STARTUP || s->phase == DRAIN)
		gain = HIGH;
	goal = target(gain);
	if (s->recovery == 1) {
		cwnd = min(cwnd, in_flight + c->acked);
		least = mss;
	} else if (s->full_for >= FULL_AFTER) {
		cwnd = min(cwnd + c->acked, goal);
	} else if (cwnd < goal || s->round <= 1) {
		cwnd += c->acked;
	}
	if (s->phase == PROBE_TRIP)
		cwnd = min(cwnd, LEAST_SEGS * mss);
	c->cwnd = min(max(cwnd, least), MOST);
}

/* A sample comes in, and what follows from the model is set. */
TCPKIT_HOOK(cc_ack) {
	uint32_t gone, in_flight;
	int round;

	s->total = c->total;
	s->lost += c->losses;
	round = take_rate();
	gone = c->acked + min(c->losses, c->in_flight);
	in_flight = c->in_flight - min(c->in_flight, gone);
	if (round)
		check_full();
	if (s->phase == STARTUP && s->full_for >= FULL_AFTER)
		s->phase = DRAIN;
	else if (s->phase == PROBE_RATE)
		step_on(in_flight);
	if (s->phase == DRAIN && in_flight <= target(UNIT))
		cruise();
	take_trip(in_flight, round);
	set_rate();
	set_window(in_flight);
	return done();
}

/* A recovery begins: for a round trip as much goes out as is acknowledged. */
static int64_t recover(void) {
	save();
	s->recovery = 1;
	s->round_end = s->total;
	return done();
}

TCPKIT_HOOK(cc_loss) { return recover(); }

/* An ECN mark is like a loss, and the path is full. */
TCPKIT_HOOK(cc_ecn) {
	s->full_for = FULL_AFTER;
	return recover();
}

/* The window grows again from the one segment that the connection leaves. */
TCPKIT_HOOK(cc_rto) {
	save();
	s->full = 0;
	s->round_end = s->total;
	s->recovery = 0;
	return done();
}

/* What is known of the path stays: what goes out is paced, and no burst. */
TCPKIT_HOOK(cc_idle) {
	s->restart = 1;
	return done();
}

TCPKIT_HOOK(cc_undo) {
	if (s->saved > 0)
		c->cwnd = max(c->cwnd, (uint32_t)s->saved);
	s->recovery = 0;
	return done();
}

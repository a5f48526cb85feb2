/*
 * pcap-annotate says what a capture does not show: which state a connection goes to,
 * and that octets are sent again, and why. Where a capture is written its lines become
 * comments of the packet at hand.
 */
#include "tcpkit.h"

static char line[128];
static uint32_t size;

static void text(const char *s) {
	while (*s && size < sizeof line)
		line[size++] = *s++;
}

static void number(uint32_t n) {
	char digits[11];
	int i = sizeof digits - 1;

	digits[i] = 0;
	do
		digits[--i] = '0' + n % 10;
	while (n /= 10);
	text(digits + i);
}

static void begin(void) {
	size = 0;
	text("connection ");
	number(tcpkit.conn);
	text(": ");
}

static int64_t end(void) {
	tcpkit_log(TCPKIT_INFO, line, size);
	return TCPKIT_PASS;
}

static const char states[][13] = {
	"CLOSED", "LISTEN", "SYN-SENT", "SYN-RECEIVED", "ESTABLISHED", "FIN-WAIT-1",
	"FIN-WAIT-2", "CLOSE-WAIT", "CLOSING", "LAST-ACK", "TIME-WAIT",
};
static const char causes[][14] = {"", ", a segment", ", a call", ", a timer", ", ICMP", ", a plugin"};

static void name(const char *names, uint32_t each, uint32_t count, uint32_t i) {
	if (i < count)
		text(names + i * each);
}

#define NAME(names, i) name(names[0], sizeof names[0], sizeof names / sizeof names[0], i)

TCPKIT_HOOK(transition) {
	begin();
	NAME(states, tcpkit.from);
	text(" to ");
	NAME(states, tcpkit.to);
	NAME(causes, tcpkit.cause);
	return end();
}

/* The arguments are where the octets begin and end, and how often the timer has
 * fired for them. */
TCPKIT_HOOK(retransmit) {
	begin();
	number(tcpkit.args[1] - tcpkit.args[0]);
	text(" octets again, from ");
	number((uint32_t)tcpkit.args[0] - tcpkit.iss);
	if (tcpkit.args[2]) {
		text(", timeout ");
		number(tcpkit.args[2]);
	}
	return end();
}

TCPKIT_HOOK(spurious) {
	begin();
	text("nothing was lost: the window goes back to ");
	number(tcpkit.args[0]);
	return end();
}

/*
 * tcpkit.h is what a plugin that is written in C includes. A plugin is one file,
 * whose hooks are exported functions. This one marks the segments that leave:
 *
 *	#include "tcpkit.h"
 *
 *	TCPKIT_HOOK(segment_leaving) {
 *		tcpkit.tos = 0x20;
 *		return tcpkit_mutate(TCPKIT_FIELD_TOS);
 *	}
 *
 * tcpkit plugin build builds it, with clang and lld and without a C library:
 *
 *	clang --target=wasm32 -Os -nostdlib -Wl,--no-entry -o plugin.wasm plugin.c
 *
 * Before a hook the host fills in the record tcpkit; what a hook changes there
 * counts if its result names it.
 */
#ifndef TCPKIT_H
#define TCPKIT_H

#include <stdint.h>

/* BEGIN plugins/abi: written by go test ./plugins/guest -update */

/* The version of this package. */
#define TCPKIT_VERSION 0x10000

/* What a call of an import costs beside the instruction, in fuel, and how much of a text is kept. */
#define TCPKIT_LOG_SIZE 0x400
#define TCPKIT_WASI_SIZE 0x1000

/* The hooks. */
#define TCPKIT_HOOK_ABI 0x100
#define TCPKIT_HOOK_INIT 0x101
#define TCPKIT_HOOK_CONFIG 0x102
#define TCPKIT_HOOK_TICK 0x103
#define TCPKIT_HOOK_DRAIN 0x104
#define TCPKIT_HOOK_BATCH 0x105
#define TCPKIT_HOOK_START 0x106
#define TCPKIT_HOOK_FETCH 0x107
#define TCPKIT_HOOK_CLOSE 0x108
#define TCPKIT_HOOK_CONN_NEW 0x200
#define TCPKIT_HOOK_CONN_ESTABLISHED 0x201
#define TCPKIT_HOOK_CONN_CLOSED 0x202
#define TCPKIT_HOOK_SYN 0x300
#define TCPKIT_HOOK_TRANSITION 0x400
#define TCPKIT_HOOK_TRANSITION_ARRIVING 0x401
#define TCPKIT_HOOK_TRANSITION_LEAVING 0x402
#define TCPKIT_HOOK_ARRIVING 0x500
#define TCPKIT_HOOK_LEAVING 0x501
#define TCPKIT_HOOK_REJECTED 0x502
#define TCPKIT_HOOK_ARRIVED 0x503
#define TCPKIT_HOOK_LEFT 0x504
#define TCPKIT_HOOK_OPTIONS_PARSE 0x600
#define TCPKIT_HOOK_OPTIONS_RESERVE 0x601
#define TCPKIT_HOOK_OPTIONS_WRITE 0x602
#define TCPKIT_HOOK_TIMER_ARMED 0x700
#define TCPKIT_HOOK_TIMER_FIRED 0x701
#define TCPKIT_HOOK_RTT 0x800
#define TCPKIT_HOOK_LOST 0x801
#define TCPKIT_HOOK_RETRANSMIT 0x802
#define TCPKIT_HOOK_PHASE 0x803
#define TCPKIT_HOOK_SPURIOUS 0x804
#define TCPKIT_HOOK_ACK 0x900
#define TCPKIT_HOOK_ISN 0xa00
#define TCPKIT_HOOK_PORT 0xa01
#define TCPKIT_HOOK_WRITE 0xb00
#define TCPKIT_HOOK_READ 0xb01
#define TCPKIT_HOOK_INGRESS 0xc00
#define TCPKIT_HOOK_EGRESS 0xc01
#define TCPKIT_HOOK_CC_INIT 0xd00
#define TCPKIT_HOOK_CC_ACK 0xd01
#define TCPKIT_HOOK_CC_LOSS 0xd02
#define TCPKIT_HOOK_CC_ECN 0xd03
#define TCPKIT_HOOK_CC_RTO 0xd04
#define TCPKIT_HOOK_CC_SENT 0xd05
#define TCPKIT_HOOK_CC_RECOVERY_EXIT 0xd06
#define TCPKIT_HOOK_CC_UNDO 0xd07
#define TCPKIT_HOOK_CC_REPORT 0xd08
#define TCPKIT_HOOK_CC_RELEASE 0xd09
#define TCPKIT_HOOK_CC_TIMER 0xd0a
#define TCPKIT_HOOK_CC_IDLE 0xd0b

/* The verdicts, with their arguments. */
#define TCPKIT_PASS 0x0
#define TCPKIT_MUTATED 0x1
#define TCPKIT_DROP 0x2
#define TCPKIT_DELAY 0x3
#define TCPKIT_DUPLICATE 0x4
#define TCPKIT_INJECT 0x5
#define TCPKIT_RESET 0x6
#define TCPKIT_COOKIE 0x7
#define TCPKIT_HOLD 0x8
#define TCPKIT_RELEASE 0x9
#define TCPKIT_DETACH 0xa
#define TCPKIT_GO_TO 0xb
#define TCPKIT_NOW 0xc

/* The fields that a verdict can name as changed: bits of Mutated's argument. */
#define TCPKIT_FIELD_SEQ 0x1
#define TCPKIT_FIELD_ACK 0x2
#define TCPKIT_FIELD_FLAGS 0x4
#define TCPKIT_FIELD_WINDOW 0x8
#define TCPKIT_FIELD_URGENT 0x10
#define TCPKIT_FIELD_OPTIONS 0x20
#define TCPKIT_FIELD_RAW_OPTIONS 0x40
#define TCPKIT_FIELD_PAYLOAD 0x80
#define TCPKIT_FIELD_TOS 0x100
#define TCPKIT_FIELD_TTL 0x200
#define TCPKIT_FIELD_PORTS 0x400
#define TCPKIT_FIELD_ADDRESSES 0x800
#define TCPKIT_FIELD_LENGTH 0x1000
#define TCPKIT_FIELD_STATE 0x2000
#define TCPKIT_FIELD_ARGS 0x4000

/* A record: 128 octets that each has, and sections behind them at places that are fixed, of which only those are written that the plugin may see and has asked for. */
#define TCPKIT_RECORD_SIZE 0x80

/* Sections of a record, bits of OffsetSections. */
#define TCPKIT_SECTION_SEGMENT 0x1
#define TCPKIT_SECTION_ARGS 0x2
#define TCPKIT_SECTION_ADDRESS 0x4
#define TCPKIT_SECTION_STATE 0x8
#define TCPKIT_SECTION_OPTIONS 0x10
#define TCPKIT_SECTION_PAYLOAD 0x20

/* Bits of OffsetBits. */
#define TCPKIT_BIT_LEAVING 0x1
#define TCPKIT_BIT_AGAIN 0x2
#define TCPKIT_BIT_PASSIVE 0x4
#define TCPKIT_BIT_OURS 0x8

/* Bits of SegmentFlags. */
#define TCPKIT_FLAG_FIN 0x1
#define TCPKIT_FLAG_SYN 0x2
#define TCPKIT_FLAG_RST 0x4
#define TCPKIT_FLAG_PSH 0x8
#define TCPKIT_FLAG_ACK 0x10
#define TCPKIT_FLAG_URG 0x20
#define TCPKIT_FLAG_ECE 0x40
#define TCPKIT_FLAG_CWR 0x80
#define TCPKIT_FLAG_AE 0x100

/* Bits of SegmentHas. */
#define TCPKIT_OPTION_HAS_MSS 0x1
#define TCPKIT_OPTION_HAS_WINDOW_SCALE 0x2
#define TCPKIT_OPTION_HAS_SACK_PERMITTED 0x4
#define TCPKIT_OPTION_HAS_TIMESTAMPS 0x8
#define TCPKIT_OPTION_HAS_SACK 0x10
#define TCPKIT_OPTION_HAS_FAST_OPEN 0x20
#define TCPKIT_OPTION_HAS_USER_TIMEOUT 0x40
#define TCPKIT_OPTION_HAS_UNKNOWN 0x80
#define TCPKIT_OPTION_HAS_MALFORMED 0x100

/* What a congestion controller is told and says, in place of the segment and the arguments. */
#define TCPKIT_CC_FLAGS 0x58

/* Bits of CCFlags. */
#define TCPKIT_CC_FLAG_ECE 0x1
#define TCPKIT_CC_FLAG_APP_LIMITED 0x2
#define TCPKIT_CC_FLAG_IN_RECOVERY 0x4
#define TCPKIT_CC_FLAG_CWND_LIMITED 0x8
#define TCPKIT_CC_FLAG_ROUND 0x10
#define TCPKIT_CC_FLAG_AGAIN 0x20

/* The states, RFC 9293 §3.3.2. */
#define TCPKIT_STATE_CLOSED 0x0
#define TCPKIT_STATE_LISTEN 0x1
#define TCPKIT_STATE_SYN_SENT 0x2
#define TCPKIT_STATE_SYN_RECEIVED 0x3
#define TCPKIT_STATE_ESTABLISHED 0x4
#define TCPKIT_STATE_FIN_WAIT_1 0x5
#define TCPKIT_STATE_FIN_WAIT_2 0x6
#define TCPKIT_STATE_CLOSE_WAIT 0x7
#define TCPKIT_STATE_CLOSING 0x8
#define TCPKIT_STATE_LAST_ACK 0x9
#define TCPKIT_STATE_TIME_WAIT 0xa

/* What changes a state. */
#define TCPKIT_CAUSE_SEGMENT 0x1
#define TCPKIT_CAUSE_CALL 0x2
#define TCPKIT_CAUSE_TIMER 0x3
#define TCPKIT_CAUSE_ICMP 0x4
#define TCPKIT_CAUSE_PLUGIN 0x5

/* What a hook of congestion control has in place of the segment and the arguments. */
struct tcpkit_controller {
	uint32_t cwnd; /* 64: octets; may be set */
	uint32_t ssthresh; /* 68: octets; may be set */
	uint32_t mss; /* 72: octets */
	uint32_t in_flight; /* 76: octets */
	uint32_t acked; /* 80: octets newly acknowledged; of sent: octets sent */
	uint32_t losses; /* 84: octets lost since the last ACK */
	uint32_t flags; /* 88: CCFlag... */
	uint32_t quantum; /* 92: octets that may be sent in one go; may be set, 0: the engine's choice */
	uint64_t pacing; /* 96: octets a second, 0: not paced; may be set */
	uint64_t delivered; /* 104: octets delivered in the interval of the sample */
	int64_t interval; /* 112: nanoseconds */
	int64_t rtt; /* 120: nanoseconds, 0: no sample */
	int64_t srtt; /* 128: nanoseconds */
	int64_t min_rtt; /* 136: nanoseconds */
	int64_t timer_at; /* 144: when to call tcpkit_cc_timer, 0: not at all; may be set */
	int64_t idle; /* 152: nanoseconds without a segment; of tcpkit_cc_idle */
	int64_t rto; /* 160: nanoseconds */
	uint32_t buffer; /* 168: octets that the send buffer may hold, the most that cwnd may be */
	uint32_t limit; /* 172: L of RFC 3465 §2.2, most growth by one ACK in slow start, octets; 0: no limit */
	uint64_t total; /* 176: octets delivered since the connection began */
	int64_t since; /* 184: of a report: when the first of its ACKs came */
	int64_t max_rtt; /* 192: nanoseconds; of a report, as CCMinRTT then is */
	uint32_t acks; /* 200: of a report: how many ACKs are in it */
	uint32_t marked; /* 204: and how many of them had ECN-Echo */
};

/* A record and its sections. */
struct tcpkit_record {
	uint16_t size; /* 0: RecordSize */
	uint16_t hook; /* 2: the Hook */
	uint32_t sections; /* 4: which sections are there, Section... */
	int64_t now; /* 8: nanoseconds */
	uint32_t conn; /* 16: id of the connection, 0 if there is none */
	uint32_t packet; /* 20: ordinal of the packet that is being handled, 0 if none is */
	uint8_t from; /* 24: the old state, or the state */
	uint8_t to; /* 25: the new state, or the state */
	uint8_t cause; /* 26: what changed the state, see the Cause... */
	uint8_t family; /* 27: 4 or 6 */
	uint16_t rule; /* 28: id of the rule that wants it, 0 if none does */
	uint8_t reason; /* 30: why a segment was refused */
	uint8_t bits; /* 31: Bit... */
	uint16_t local_port; /* 32 */
	uint16_t remote_port; /* 34 */
	uint32_t snd_una; /* 36: the variables of RFC 9293 §3.3.1 */
	uint32_t snd_nxt; /* 40 */
	uint32_t snd_wnd; /* 44 */
	uint32_t rcv_nxt; /* 48 */
	uint32_t rcv_wnd; /* 52 */
	uint32_t iss; /* 56 */
	uint32_t irs; /* 60 */
	union {
		struct {
			uint32_t seq; /* 64: SEG.SEQ */
			uint32_t ack; /* 68: SEG.ACK */
			uint16_t flags; /* 72: Flag... */
			uint16_t window; /* 74: as it stands in the header, not scaled */
			uint16_t urgent; /* 76: urgent pointer */
			uint16_t has; /* 78: which options are there */
			uint32_t payload_size; /* 80: octets of payload */
			uint32_t ts_val; /* 84 */
			uint32_t ts_ecr; /* 88 */
			uint16_t mss; /* 92 */
			uint8_t scale; /* 94: window scale */
			uint8_t sacks; /* 95: how many SACK blocks there are, of which three are shown */
			uint32_t sack[6]; /* 96: 3 times u32 left, u32 right */
			uint8_t tos; /* 120: DSCP and ECN */
			uint8_t ttl; /* 121 */
			uint8_t gap_122[6];
			uint64_t args[8]; /* 128: 8 times u64: what the hook says beside, and may be told */
			uint8_t address[32]; /* 192: 16 octets local, 16 octets remote; with grant observe */
			uint8_t gap_224[32];
			uint8_t state[256]; /* 256: what the plugin keeps of the connection; its size is in the manifest */
			uint32_t options_size; /* 512: u32 size, 40 octets of options as they stand in the header; with grant options */
			uint8_t options[40]; /* 516 */
			uint8_t gap_556[20];
			uint8_t payload[65536]; /* 576: octets of payload, or of a packet; with grant payload or link */
		};
		struct tcpkit_controller cc;
	};
};

_Static_assert(sizeof(struct tcpkit_record) == 66112, "the record's layout");

/* END */

/* The buffer that plugin and host share. */
static struct tcpkit_record tcpkit;

/* TCPKIT_HOOK begins the function of a hook: its export is tcpkit_NAME. */
#define TCPKIT_HOOK(name) __attribute__((export_name("tcpkit_" #name))) int64_t hook_##name(void)

#define TCPKIT_IMPORT(name) __attribute__((import_module("tcpkit"), import_name(name)))

/* The host's functions, which a plugin may call from a hook. */
TCPKIT_IMPORT("log") void tcpkit_log(uint32_t level, const char *text, uint32_t size);
TCPKIT_IMPORT("metric") void tcpkit_metric(uint32_t id, int64_t value);
TCPKIT_IMPORT("now") int64_t tcpkit_now(void);
TCPKIT_IMPORT("random") uint64_t tcpkit_random(void);
TCPKIT_IMPORT("get") int64_t tcpkit_get(int64_t key);
TCPKIT_IMPORT("set") uint32_t tcpkit_set(int64_t key, int64_t value);
TCPKIT_IMPORT("arm") void tcpkit_arm(uint32_t id, int64_t nanoseconds);
TCPKIT_IMPORT("inject") uint32_t tcpkit_inject_at(const void *record, uint32_t size);

/* Levels of tcpkit_log. */
enum { TCPKIT_DEBUG, TCPKIT_INFO, TCPKIT_WARN, TCPKIT_ERROR };

/* tcpkit_inject sends the first size octets of the record, as they are now, beside
 * what is being done. It returns 0 if there is no room. */
static inline uint32_t tcpkit_inject(uint32_t size) { return tcpkit_inject_at(&tcpkit, size); }

/* tcpkit_with is the result of a hook: a verdict and its argument. */
static inline int64_t tcpkit_with(int64_t verdict, int64_t argument) { return verdict | argument << 8; }

/* tcpkit_mutate is the result of a hook that has changed the fields named. */
static inline int64_t tcpkit_mutate(int64_t fields) { return tcpkit_with(TCPKIT_MUTATED, fields); }

/* tcpkit_option finds the value of an option, in tcpkit_config: size octets without an
 * end, or 0 if there is no such option. */
static inline const char *tcpkit_option(const char *name, uint32_t *size) {
	const char *at = (const char *)tcpkit.payload, *end = at + tcpkit.payload_size;

	while (at < end) {
		const char *line = at, *n = name;

		while (at < end && *n && *at == *n)
			at++, n++;
		if (at < end && !*n && *at == '=') {
			for (line = ++at; at < end && *at != '\n'; at++)
				;
			*size = at - line;
			return line;
		}
		while (at < end && *at++ != '\n')
			;
	}
	return 0;
}

__attribute__((export_name("tcpkit_abi"))) uint32_t tcpkit_abi(void) { return TCPKIT_VERSION; }

__attribute__((export_name("tcpkit_init"))) void *tcpkit_init(uint32_t size) {
	return size <= sizeof tcpkit ? &tcpkit : 0;
}

#endif

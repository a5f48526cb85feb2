/* prefix.h: prefixes of addresses, as users write them. */
#ifndef PREFIX_H
#define PREFIX_H

#include "tcpkit.h"

/* A prefix of an address in its form of 16 octets, an IPv4 address as ::ffff:a.b.c.d. */
struct prefix {
	uint8_t octets[16];
	uint8_t bits;
};

static int digit(char c, unsigned base) {
	unsigned d = c <= '9' ? (unsigned)(c - '0') : (unsigned)((c | 0x20) - 'a') + 10;

	return d < base ? (int)d : -1;
}

/* number reads digits up to most, and returns -1 if there are none or too much. */
static int number(const char **at, const char *end, unsigned base, int most) {
	int n = -1;

	for (int d; *at < end && (d = digit(**at, base)) >= 0; ++*at)
		if ((n = (n < 0 ? 0 : n) * (int)base + d) > most)
			return -1;
	return n;
}

/* prefix_parse reads "10.0.0.0/8", "fd00::/8", or an address, and returns 0 if it is
 * neither. */
static int prefix_parse(struct prefix *p, const char *at, uint32_t size) {
	const char *end = at + size, *c = at;
	int n = 0, gap = -1, most = 128, first = 0;

	*p = (struct prefix){0};
	while (c < end && *c != '.' && *c != ':')
		c++;
	if (c < end && *c == '.') {
		p->octets[10] = p->octets[11] = 0xff;
		for (n = 12; n < 16; n++) {
			int octet = number(&at, end, 10, 255);

			if (octet < 0 || (n < 15 && (at == end || *at++ != '.')))
				return 0;
			p->octets[n] = octet;
		}
		most = 32;
		first = 96;
	} else {
		while (at < end && *at != '/') {
			int group;

			if (end - at >= 2 && at[0] == ':' && at[1] == ':' && gap < 0) {
				gap = n;
				at += 2;
				continue;
			}
			if (n > 0 && n != gap && *at++ != ':')
				return 0;
			if (n == 16 || (group = number(&at, end, 16, 0xffff)) < 0)
				return 0;
			p->octets[n++] = group >> 8;
			p->octets[n++] = group;
		}
		if (gap < 0 ? n != 16 : n > 14)
			return 0;
		for (int i = 0; gap >= 0 && i < n - gap; i++) {
			p->octets[15 - i] = p->octets[n - 1 - i];
			p->octets[n - 1 - i] = 0;
		}
	}
	if (at < end && *at++ == '/')
		most = number(&at, end, 10, most);
	p->bits = first + most;
	return most >= 0 && at == end;
}

/* prefix_has reports whether an address of 16 octets is in the prefix. */
static int prefix_has(const struct prefix *p, const uint8_t *address) {
	for (int i = 0, left = p->bits; left > 0; i++, left -= 8)
		if ((p->octets[i] ^ address[i]) >> (left < 8 ? 8 - left : 0))
			return 0;
	return 1;
}

/* A set of prefixes, which users write with a + between them. */
struct prefixes {
	struct prefix list[8];
	int n;
};

/* prefixes_option reads the option of that name, and returns 0 if it is no such set. */
static int prefixes_option(struct prefixes *set, const char *name) {
	uint32_t size = 0;
	const char *at = tcpkit_option(name, &size), *end = at + size;

	for (set->n = 0; at < end; at++) {
		const char *from = at;

		while (at < end && *at != '+')
			at++;
		if (set->n == 8 || !prefix_parse(&set->list[set->n++], from, at - from))
			return 0;
	}
	return 1;
}

static int prefixes_have(const struct prefixes *set, const uint8_t *address) {
	for (int i = 0; i < set->n; i++)
		if (prefix_has(&set->list[i], address))
			return 1;
	return 0;
}

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Numbers with units. All integer arithmetic: a decimal text is digits * 10^-scale, and times the
 * unit it has to come out whole. At most 22 significant digits, so that the product with the
 * largest unit stays within 128 bits.
 */
#include "sim/config/units.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_DIGITS 22 /* 10^22 < 2^74, and the largest unit is 2^50 */

struct unit {
	const char *name;
	uint64_t times;
};

/* Units of one kind of number, and what to say where a text is none. */
struct kind {
	const struct unit *units; /* up to a NULL name */
	const char *suffix;       /* behind the unit's name */
	const char *missing, *unknown, *fraction, *too_large;
};

#define SIZE_UNITS "B, kB, MB, GB, TB, PB, KiB, MiB, GiB, TiB, PiB"
#define RATE_UNITS "B/s, kB/s, MB/s, GB/s, TB/s, PB/s, KiB/s, MiB/s, GiB/s, TiB/s, PiB/s"
#define TIME_UNITS "ps, ns, us, ms, s"
#define FREQ_UNITS "Hz, kHz, MHz, GHz"

#define KIND(list, behind, known, what, base)                                                      \
	{                                                                                          \
		.units = list, .suffix = behind, .missing = "has no unit (known: " known ")",      \
		.unknown = "has an unknown unit (known: " known ")",                               \
		.fraction = "is not a whole number of " base, .too_large = "is too large a " what  \
	}

static const struct unit size_units[] = {
	{"B", 1},
	{"kB", 1000},
	{"KB", 1000},
	{"MB", 1000000},
	{"GB", 1000000000},
	{"TB", 1000000000000},
	{"PB", 1000000000000000},
	{"KiB", UINT64_C(1) << 10},
	{"MiB", UINT64_C(1) << 20},
	{"GiB", UINT64_C(1) << 30},
	{"TiB", UINT64_C(1) << 40},
	{"PiB", UINT64_C(1) << 50},
	{NULL, 0},
};

static const struct unit time_units[] = {
	{"ps", 1},          {"ns", 1000},         {"us", 1000000},
	{"ms", 1000000000}, {"s", 1000000000000}, {NULL, 0},
};

static const struct unit freq_units[] = {
	{"Hz", 1}, {"kHz", 1000}, {"MHz", 1000000}, {"GHz", 1000000000}, {NULL, 0},
};

static const struct kind size_kind = KIND(size_units, "", SIZE_UNITS, "size", "bytes");
static const struct kind rate_kind = KIND(size_units, "/s", RATE_UNITS, "rate", "bytes per second");
static const struct kind time_kind = KIND(time_units, "", TIME_UNITS, "time", "picoseconds");
static const struct kind freq_kind = KIND(freq_units, "", FREQ_UNITS, "frequency", "hertz");

/* A decimal text: digits * 10^-scale. */
struct decimal {
	unsigned __int128 digits;
	unsigned scale;
	bool too_large;   /* more than MAX_DIGITS significant digits before the point */
	bool too_precise; /* ... altogether */
};

/* Read the number at *text and step past it. Returns false where there is none. */
static bool read_decimal(const char **text, struct decimal *d)
{
	const char *p = *text;
	unsigned significant = 0, zeros = 0;
	bool point = false, any = false;

	*d = (struct decimal){0};
	for (; isdigit((unsigned char)*p) || (*p == '.' && !point); p++) {
		if (*p == '.') {
			point = true;
			continue;
		}
		any = true;
		/* A zero behind the point counts only where another digit follows. */
		if (point && *p == '0') {
			zeros++;
			continue;
		}
		for (; zeros; zeros--, d->scale++)
			if (significant && ++significant <= MAX_DIGITS)
				d->digits *= 10;
		if (significant || *p != '0')
			significant++;
		if (significant <= MAX_DIGITS)
			d->digits = d->digits * 10 + (unsigned)(*p - '0');
		d->scale += point;
		d->too_large |= significant > MAX_DIGITS && !point;
	}
	d->too_precise = significant > MAX_DIGITS;
	*text = p;
	return any && p[-1] != '.';
}

static const char *to_base_units(const struct kind *kind, const struct decimal *d, uint64_t times,
				 uint64_t *out)
{
	unsigned __int128 product = d->digits * times;

	if (d->too_large)
		return kind->too_large;
	if (d->too_precise)
		return kind->fraction;
	for (unsigned i = 0; i < d->scale; i++) {
		if (product % 10)
			return kind->fraction;
		product /= 10;
	}
	if (product > UINT64_MAX)
		return kind->too_large;
	*out = (uint64_t)product;
	return NULL;
}

static bool is_unit(const char *text, const struct unit *unit, const char *suffix)
{
	size_t length = strlen(unit->name);

	return strncmp(text, unit->name, length) == 0 && strcmp(text + length, suffix) == 0;
}

static const char *parse(const struct kind *kind, const char *text, uint64_t *out)
{
	struct decimal d;
	const char *p = text;

	if (*p == '-')
		return "is negative";
	if (!read_decimal(&p, &d))
		return "is not a number with a unit";
	while (*p == ' ')
		p++;
	if (*p == '\0')
		return kind->missing;
	for (const struct unit *u = kind->units; u->name; u++)
		if (is_unit(p, u, kind->suffix))
			return to_base_units(kind, &d, u->times, out);
	return kind->unknown;
}

const char *units_parse_size(const char *text, uint64_t *out_bytes)
{
	return parse(&size_kind, text, out_bytes);
}

const char *units_parse_time(const char *text, uint64_t *out_ps)
{
	return parse(&time_kind, text, out_ps);
}

const char *units_parse_rate(const char *text, uint64_t *out_bytes_per_s)
{
	return parse(&rate_kind, text, out_bytes_per_s);
}

const char *units_parse_frequency(const char *text, uint64_t *out_hz)
{
	return parse(&freq_kind, text, out_hz);
}

const char *units_parse_address(const char *text, uint64_t *out_bytes)
{
	size_t length;

	if (strcmp(text, "0") == 0) {
		*out_bytes = 0;
		return NULL;
	}
	if (strncmp(text, "0x", 2) != 0)
		return units_parse_size(text, out_bytes);
	length = strlen(text + 2);
	if (length == 0 || strspn(text + 2, "0123456789abcdefABCDEF") != length)
		return "is not a hexadecimal address";
	if (length > 16)
		return "is too large an address";
	*out_bytes = strtoull(text + 2, NULL, 16);
	return NULL;
}

struct units_text units_size(uint64_t bytes)
{
	static const char *const names[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
	struct units_text t;
	unsigned i = 0;

	while (i < 5 && bytes && bytes % 1024 == 0) {
		bytes /= 1024;
		i++;
	}
	snprintf(t.text, sizeof(t.text), "%" PRIu64 "%s", bytes, names[i]);
	return t;
}

/* In steps of 1000 from names[0] up: the largest unit not above the value, then its decimals. */
static struct units_text print_decimal(uint64_t value, const char *const *names, unsigned nr_names)
{
	struct units_text t;
	uint64_t times = 1;
	unsigned i = 0, decimals = 0;
	int length;

	while (i + 1 < nr_names && value / times >= 1000) {
		times *= 1000;
		decimals += 3;
		i++;
	}
	length = snprintf(t.text, sizeof(t.text), "%" PRIu64, value / times);
	if (value % times) {
		length += snprintf(t.text + length, sizeof(t.text) - (size_t)length, ".%0*" PRIu64,
				   (int)decimals, value % times);
		while (t.text[length - 1] == '0')
			length--;
	}
	snprintf(t.text + length, sizeof(t.text) - (size_t)length, "%s", names[i]);
	return t;
}

struct units_text units_time(uint64_t ps)
{
	static const char *const names[] = {"ps", "ns", "us", "ms", "s"};

	return print_decimal(ps, names, 5);
}

struct units_text units_rate(uint64_t bytes_per_s)
{
	static const char *const names[] = {"B/s", "kB/s", "MB/s", "GB/s", "TB/s"};

	return print_decimal(bytes_per_s, names, 5);
}

struct units_text units_frequency(uint64_t hz)
{
	static const char *const names[] = {"Hz", "kHz", "MHz", "GHz"};

	return print_decimal(hz, names, 4);
}

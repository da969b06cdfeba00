/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sizes, times, rates and frequencies as text with a unit, to exact integers and back.
 *
 * A number is decimal digits, with at most one point, then a unit: "64GiB", "77.9ns", "21.3GB/s",
 * "2.4GHz"; blanks may stand between the two. The arithmetic is decimal: a text that is not a whole
 * number of base units ("0.3B", "0.0001ns") is refused rather than rounded. Zero needs its unit
 * too.
 *
 *   sizes       bytes         B; kB = KB = 1000, MB, GB, TB, PB; KiB = 1024, MiB, GiB, TiB, PiB
 *   times       picoseconds   ps, ns, us, ms, s
 *   rates       bytes/s       each unit of a size, followed by "/s"
 *   frequencies hertz         Hz, kHz, MHz, GHz
 *   addresses   bytes         as sizes, or "0", or hexadecimal: "0x1000000"
 *
 * (kB is 1000 here. The kernel's own files say kB for 1024; its parameter min_free_kbytes has the
 * unit in its name and is a plain integer in a machine file.)
 */
#ifndef SIM_UNITS_H
#define SIM_UNITS_H

#include <stdint.h>

/**
 * Parse the whole of `text`. Each returns NULL and sets *out, or returns what is wrong as a phrase
 * that follows the text in a message ("has no unit (known: ...)"), in static storage, and leaves
 * *out alone.
 */
const char *units_parse_size(const char *text, uint64_t *out_bytes);
const char *units_parse_time(const char *text, uint64_t *out_ps);
const char *units_parse_rate(const char *text, uint64_t *out_bytes_per_s);
const char *units_parse_frequency(const char *text, uint64_t *out_hz);
const char *units_parse_address(const char *text, uint64_t *out_bytes);

/* Room that every value below fits in, with its NUL. */
#define UNITS_TEXT 32

/* A value as text, by value so that it can stand in a printf: units_size(n).text */
struct units_text {
	char text[UNITS_TEXT];
};

/**
 * Print exactly, in the largest unit that leaves nothing to write below (sizes: binary units, a
 * whole number; the others: up to as many decimals as it takes). Parsing it back gives the value.
 */
struct units_text units_size(uint64_t bytes);
struct units_text units_time(uint64_t ps);
struct units_text units_rate(uint64_t bytes_per_s);
struct units_text units_frequency(uint64_t hz);

#endif

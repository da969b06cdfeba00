/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Figures as people read them: rounded, grouped, with a unit. Each is returned by value so that it
 * can stand in a printf: text_count(n).text
 */
#ifndef SIM_TEXT_H
#define SIM_TEXT_H

#include <stdint.h>

struct text {
	char text[40];
};

/** 143691 as "143,691". */
struct text text_count(uint64_t n);
/** Four digits, more where even seconds take them: "1.234 ms", "86400 s". */
struct text text_time(uint64_t ps);
/** Binary units, one decimal where it is not whole: "16 MiB", "1.5 KiB", "0". */
struct text text_bytes(uint64_t bytes);
/** part / whole as "12.3 %"; "-" where whole is 0. */
struct text text_percent(uint64_t part, uint64_t whole);
/** value / base with three digits: "1.25x", "0.211x"; "-" where base is 0 and value is not. */
struct text text_ratio(uint64_t value, uint64_t base);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Products that may not fit 64 bits, divided. */
#ifndef SIM_MUL_DIV_H
#define SIM_MUL_DIV_H

#include <stdint.h>

/** a * b / c, rounded down; a quotient that does not fit loses its upper bits. Division of 128 bits
 * takes many times as long, and is rarely needed. */
static inline uint64_t mul_div(uint64_t a, uint64_t b, uint64_t c)
{
	uint64_t product;

	if (!__builtin_mul_overflow(a, b, &product))
		return product / c;
	return (uint64_t)((__uint128_t)a * b / c);
}

#endif

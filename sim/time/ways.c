/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Blocks of memory that is at several places by turns: each bank's part of one is a charge of its
 * own. All lines of a block are in flight at once, so each place's latency counts for its part of
 * them. A CPU's bytes move at one bank after the other, though: it begins with the one where the
 * fewest others are moving some, or those that do the same in step would all come to one bank, then
 * to the next. Of banks that are as busy as each other every second CPU takes another.
 */
#include "sim/mul_div.h"
#include "sim/time/internal.h"

/* Of the addresses below `at`, how many bytes the i-th of the ways has. */
static uint64_t below(const struct machine_ways *w, unsigned i, phys_addr_t at)
{
	uint64_t turn = UINT64_C(1) << w->shift, round = w->nr * turn;
	uint64_t rest = at % round, first = i * turn;
	uint64_t last = rest < first ? 0 : rest - first;

	return at / round * turn + (last < turn ? last : turn);
}

struct bank_place ways_bank(const struct machine_ways *w, phys_addr_t at)
{
	uint64_t turn = at >> w->shift;

	if (w->nr == 1)
		return (struct bank_place){w->places[0], at};
	return (struct bank_place){
		.bank = w->places[turn % w->nr],
		.at = (turn / w->nr << w->shift) + (at & ((UINT64_C(1) << w->shift) - 1)),
	};
}

static unsigned least_busy(const struct cpu *c, const struct machine_ways *w)
{
	unsigned best = (unsigned)c->id % w->nr;

	for (unsigned n = 1; n < w->nr; n++) {
		unsigned i = ((unsigned)c->id + n) % w->nr;

		if (c->moving[w->places[i]] < c->moving[w->places[best]])
			best = i;
	}
	return best;
}

static void charge_parts(struct cpu *c, const struct machine_ways *w, phys_addr_t at,
			 const struct cpu_memory_charge *block)
{
	uint64_t bytes = block->bytes_read + block->bytes_written, before = 0;
	unsigned first = least_busy(c, w);

	for (unsigned n = 0; n < w->nr; n++) {
		unsigned i = (first + n) % w->nr;
		uint64_t begin = below(w, i, at), end = below(w, i, at + bytes);
		struct cpu_memory_charge part = *block;
		uint64_t upto = before + end - begin;

		if (begin == end)
			continue;
		part.bank = w->places[i];
		part.at = begin;
		part.part_bytes = end - begin;
		part.all_bytes = bytes;
		part.counted = before > 0;
		part.bytes_read = mul_div(block->bytes_read, upto, bytes) -
				  mul_div(block->bytes_read, before, bytes);
		part.bytes_written = end - begin - part.bytes_read;
		cpu_charge_memory(c, &part);
		before = upto;
	}
}

void ways_charge_block(struct cpu *c, const struct machine_ways *w, phys_addr_t at,
		       struct cpu_memory_charge *block)
{
	uint64_t bytes = block->bytes_read + block->bytes_written;
	struct bank_place place = ways_bank(w, at);

	if (w->nr > 1 && bytes && at >> w->shift != (at + bytes - 1) >> w->shift) {
		charge_parts(c, w, at, block);
		return;
	}
	block->bank = place.bank;
	block->at = place.at;
	cpu_charge_memory(c, block);
}

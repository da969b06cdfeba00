/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/time/fresh.h"

void fresh_add(struct fresh *f, phys_addr_t at, uint64_t bytes)
{
	f->blocks[f->next++ % FRESH_BLOCKS] =
		(struct fresh_block){.start = at, .end = at + bytes, .at = f->filled};
	f->filled += bytes;
}

int fresh_level(const struct fresh *f, const struct machine *m, phys_addr_t at)
{
	int level = 0;

	for (unsigned i = 1; i <= FRESH_BLOCKS; i++) {
		const struct fresh_block *b = &f->blocks[(f->next - i) % FRESH_BLOCKS];

		if (at < b->start || at >= b->end)
			continue;
		/* From this line on: what comes after it in the block pushes, too. */
		while (level < m->nr_caches &&
		       f->filled - b->at - (at - b->start) > m->caches[level].size_bytes)
			level++;
		return level;
	}
	return m->nr_caches;
}

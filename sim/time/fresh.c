/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/time/fresh.h"

#define FRAME_SHIFT 12

static uint8_t *slot(struct fresh *f, uint64_t frame)
{
	return &f->slots[frame % FRESH_SLOTS];
}

/* A block comes (1) or goes (-1). */
static void count(struct fresh *f, const struct fresh_block *b, int by)
{
	uint64_t frame = b->start >> FRAME_SHIFT,
		 end = (b->end + (1 << FRAME_SHIFT) - 1) >> FRAME_SHIFT;

	if (end > frame + FRESH_SLOTS)
		end = frame + FRESH_SLOTS;
	for (; frame < end; frame++)
		*slot(f, frame) = (uint8_t)(*slot(f, frame) + by);
}

void fresh_add(struct fresh *f, phys_addr_t at, uint64_t bytes)
{
	struct fresh_block *b = &f->blocks[f->next++ % FRESH_BLOCKS];

	count(f, b, -1);
	*b = (struct fresh_block){.start = at, .end = at + bytes, .at = f->filled};
	count(f, b, 1);
	f->filled += bytes;
}

int fresh_level(const struct fresh *f, const struct machine *m, phys_addr_t at)
{
	int level = 0;

	if (!f->slots[(at >> FRAME_SHIFT) % FRESH_SLOTS])
		return m->nr_caches;
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

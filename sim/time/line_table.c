/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/time/line_table.h"

#include <errno.h>
#include <stdlib.h>

#define FIRST_BITS 12

int line_table_init(struct line_table *t)
{
	*t = (struct line_table){.bits = FIRST_BITS};
	t->slots = calloc((size_t)1 << t->bits, sizeof(*t->slots));
	return t->slots ? 0 : -ENOMEM;
}

void line_table_clear(struct line_table *t)
{
	free(t->slots);
	*t = (struct line_table){0};
}

static size_t mask(const struct line_table *t)
{
	return ((size_t)1 << t->bits) - 1;
}

/* Fibonacci hashing: Knuth, The Art of Computer Programming, volume 3, section 6.4. */
static size_t home(const struct line_table *t, uint64_t line)
{
	return (size_t)(line * 0x9e3779b97f4a7c15u >> (64 - t->bits));
}

/* The slot of the line, or the free one where it would be. */
static struct line_entry *slot_of(const struct line_table *t, uint64_t line)
{
	size_t i = home(t, line);

	while (t->slots[i].refs && t->slots[i].line != line)
		i = (i + 1) & mask(t);
	return &t->slots[i];
}

struct line_entry *line_table_find(const struct line_table *t, uint64_t line)
{
	struct line_entry *slot = slot_of(t, line);

	return slot->refs ? slot : NULL;
}

static int grow(struct line_table *t)
{
	struct line_table bigger = {.bits = t->bits + 1, .nr_used = t->nr_used};

	bigger.slots = calloc((size_t)1 << bigger.bits, sizeof(*bigger.slots));
	if (!bigger.slots)
		return -ENOMEM;
	for (size_t i = 0; i <= mask(t); i++)
		if (t->slots[i].refs)
			*slot_of(&bigger, t->slots[i].line) = t->slots[i];
	free(t->slots);
	*t = bigger;
	return 0;
}

struct line_entry *line_table_insert(struct line_table *t, uint64_t line)
{
	struct line_entry *slot;

	/* At most two thirds full: probes stay short. */
	if (3 * (t->nr_used + 1) > 2 * (mask(t) + 1) && grow(t))
		return NULL;
	slot = slot_of(t, line);
	*slot = (struct line_entry){.line = line, .version = 1, .refs = 1};
	t->nr_used++;
	return slot;
}

void line_table_remove(struct line_table *t, struct line_entry *entry)
{
	size_t hole = (size_t)(entry - t->slots);

	t->nr_used--;
	/* Close the gap: what follows may move back as far as its home, so that no probe stops
	 * short of it. */
	for (size_t i = (hole + 1) & mask(t); t->slots[i].refs; i = (i + 1) & mask(t)) {
		size_t from_home = (i - home(t, t->slots[i].line)) & mask(t);

		if (from_home < ((i - hole) & mask(t)))
			continue;
		t->slots[hole] = t->slots[i];
		hole = i;
	}
	t->slots[hole] = (struct line_entry){0};
}

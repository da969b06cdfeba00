/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/time/line_table.h"

#include <errno.h>
#include <stdlib.h>

#define FIRST_BITS    12
#define CHUNK_ENTRIES 1024

struct line_chunk {
	struct line_chunk *before;
	struct line_entry entries[CHUNK_ENTRIES];
};

int line_table_init(struct line_table *t)
{
	*t = (struct line_table){.bits = FIRST_BITS};
	t->heads = calloc((size_t)1 << t->bits, sizeof(struct line_entry *));
	return t->heads ? 0 : -ENOMEM;
}

void line_table_clear(struct line_table *t)
{
	struct line_chunk *before;

	for (struct line_chunk *c = t->chunks; c; c = before) {
		before = c->before;
		free(c);
	}
	free(t->heads);
	*t = (struct line_table){0};
}

static int grow(struct line_table *t)
{
	struct line_table bigger = *t;

	bigger.bits++;
	bigger.heads = calloc((size_t)1 << bigger.bits, sizeof(struct line_entry *));
	if (!bigger.heads)
		return -ENOMEM;
	for (size_t i = 0; i < (size_t)1 << t->bits; i++) {
		struct line_entry *next;

		for (struct line_entry *entry = t->heads[i]; entry; entry = next) {
			struct line_entry **head = line_table_chain(&bigger, entry->line);

			next = entry->next;
			entry->next = *head;
			*head = entry;
		}
	}
	free(t->heads);
	*t = bigger;
	return 0;
}

static int more_entries(struct line_table *t)
{
	struct line_chunk *c = malloc(sizeof(*c));

	if (!c)
		return -ENOMEM;
	c->before = t->chunks;
	t->chunks = c;
	for (size_t i = CHUNK_ENTRIES; i-- > 0;) {
		c->entries[i].next = t->free;
		t->free = &c->entries[i];
	}
	return 0;
}

struct line_entry *line_table_insert(struct line_table *t, uint64_t line)
{
	struct line_entry *entry, **head;

	if (t->nr_used >> t->bits && grow(t))
		return NULL;
	if (!t->free && more_entries(t))
		return NULL;
	entry = t->free;
	t->free = entry->next;
	head = line_table_chain(t, line);
	*entry = (struct line_entry){.line = line, .version = 1, .next = *head};
	*head = entry;
	t->nr_used++;
	return entry;
}

void line_table_remove(struct line_table *t, struct line_entry *entry)
{
	struct line_entry **at = line_table_chain(t, entry->line);

	while (*at != entry)
		at = &(*at)->next;
	*at = entry->next;
	entry->next = t->free;
	t->free = entry;
	t->nr_used--;
}

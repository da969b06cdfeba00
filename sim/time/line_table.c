/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/time/line_table.h"

#include <errno.h>
#include <stdlib.h>

#include "sim/large.h"

#define LEAST_BITS 12
#define FIRST_BITS 20 /* at most */
#define MORE_BITS  2  /* each time that chains become long: to find them all anew takes a while */

int line_table_init(struct line_table *t, uint64_t nr_lines)
{
	*t = (struct line_table){.bits = LEAST_BITS, .nr = 1};
	while (t->bits < FIRST_BITS && nr_lines >> t->bits)
		t->bits++;
	t->heads = large_calloc((size_t)1 << t->bits, sizeof(*t->heads));
	t->entries = large_grow(NULL, &t->room, 1, sizeof(*t->entries));
	if (!t->heads || !t->entries) {
		line_table_clear(t);
		return -ENOMEM;
	}
	t->entries[0] = (struct line_entry){0}; /* nobody's: never sole */
	return 0;
}

void line_table_clear(struct line_table *t)
{
	free(t->entries);
	large_free(t->heads, (size_t)1 << t->bits, sizeof(*t->heads));
	*t = (struct line_table){0};
}

static int more_chains(struct line_table *t)
{
	struct line_table bigger = *t;

	bigger.bits += MORE_BITS;
	bigger.heads = large_calloc((size_t)1 << bigger.bits, sizeof(*bigger.heads));
	if (!bigger.heads)
		return -ENOMEM;
	for (size_t i = 0; i < (size_t)1 << t->bits; i++) {
		line_nr next;

		for (line_nr nr = t->heads[i]; nr; nr = next) {
			struct line_entry *entry = &t->entries[nr];
			line_nr *head = line_table_chain(&bigger, entry->line);

			next = entry->next;
			entry->next = *head;
			*head = nr;
		}
	}
	large_free(t->heads, (size_t)1 << t->bits, sizeof(*t->heads));
	*t = bigger;
	return 0;
}

static int more_entries(struct line_table *t)
{
	struct line_entry *grown;

	if (t->nr == UINT32_MAX)
		return -ENOMEM;
	grown = large_grow(t->entries, &t->room, t->nr + (size_t)1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	t->entries = grown;
	return 0;
}

line_nr line_table_insert(struct line_table *t, uint64_t line)
{
	line_nr nr = t->free, *head;

	if (t->nr_used >> t->bits && more_chains(t))
		return 0;
	if (!nr && t->nr == t->room && more_entries(t))
		return 0;
	if (nr)
		t->free = t->entries[nr].next;
	else
		nr = t->nr++;
	head = line_table_chain(t, line);
	t->entries[nr] = (struct line_entry){.line = line, .version = 1, .next = *head};
	*head = nr;
	t->nr_used++;
	return nr;
}

void line_table_remove(struct line_table *t, line_nr nr)
{
	line_nr *at = line_table_chain(t, t->entries[nr].line);

	while (*at != nr)
		at = &t->entries[*at].next;
	*at = t->entries[nr].next;
	t->entries[nr].next = t->free;
	t->free = nr;
	t->nr_used--;
}

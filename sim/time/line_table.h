/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The directory of the caches: for each line that some cache holds, how often it was written and by
 * whom. A hash table with linear probing; its order depends on line numbers only.
 */
#ifndef SIM_LINE_TABLE_H
#define SIM_LINE_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct line_entry {
	uint64_t line;
	uint64_t version;      /* from 1; each write makes a new one */
	uint32_t refs;         /* tags, in all caches, that name this line; 0: the slot is free */
	unsigned writer : 14;  /* the CPU that wrote last, where modified or written */
	unsigned reader : 14;  /* the CPU that read it last, where read */
	unsigned modified : 1; /* since memory last had it */
	unsigned written : 1;  /* since it came into some cache, by `writer` */
	unsigned read : 1;     /* since it was written, by another CPU than the writer */
};

struct line_table {
	struct line_entry *slots; /* owned */
	unsigned bits;            /* log2 of their number */
	size_t nr_used;
};

/** Returns 0, or -ENOMEM. */
int line_table_init(struct line_table *t);
void line_table_clear(struct line_table *t);

/** The entry of a line, or NULL. Valid until the next insertion or removal. */
struct line_entry *line_table_find(const struct line_table *t, uint64_t line);
/** A new entry with version 1 and one reference, for a line that has none. NULL: no memory. */
struct line_entry *line_table_insert(struct line_table *t, uint64_t line);
/** Remove an entry; others may move. */
void line_table_remove(struct line_table *t, struct line_entry *entry);

#endif

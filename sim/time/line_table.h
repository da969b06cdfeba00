/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The directory of the caches: for each line that some cache holds, how often it was written and by
 * whom. A hash table with chains. Entries are known by their numbers, half as large as pointers: of
 * tags there are many, and how many of them fit in the host's caches is what a run's speed hangs
 * on. Neighbouring lines are neighbours in the table, as they are in what a CPU does.
 */
#ifndef SIM_LINE_TABLE_H
#define SIM_LINE_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint32_t line_nr; /* of an entry; 0: none */

struct line_entry {
	uint64_t line;
	uint32_t version;      /* from 1; see cache.c */
	line_nr next;          /* of those with the same hash, or of those that are free */
	uint32_t refs;         /* tags, in all caches, that name this line */
	unsigned writer : 14;  /* the CPU that wrote last, where modified or written */
	unsigned reader : 14;  /* the CPU that read it last, where read */
	unsigned modified : 1; /* since memory last had it */
	unsigned written : 1;  /* since it came into some cache, by `writer` */
	unsigned read : 1;     /* since it was written, by another CPU than the writer */
	/* Nobody else has used it since, and the writer's tags of it are the latest of their sets
	 * in all caches but the nearest. */
	unsigned sole : 1;
};

struct line_table {
	struct line_entry *entries; /* owned; by number, all zeroes that of number 0 */
	line_nr *heads;             /* owned; of chains, by hash */
	unsigned bits;              /* log2 of their number */
	size_t nr_used;
	line_nr free; /* those that were used */
	line_nr nr;   /* entries that were ever used, number 0 among them, */
	size_t room;  /* and that there are */
};

/** For so many lines, and then for more as they come. Returns 0, or -ENOMEM. */
int line_table_init(struct line_table *t, uint64_t nr_lines);
void line_table_clear(struct line_table *t);

/* Lines that differ in these bits only are side by side: 16 numbers are a line of most hosts. */
#define LINE_TABLE_NEIGHBOURS 4

/** Where the chain of the line begins. By Fibonacci hashing of its group of neighbours: Knuth, The
 * Art of Computer Programming, volume 3, section 6.4. */
static inline line_nr *line_table_chain(const struct line_table *t, uint64_t line)
{
	uint64_t group = (line >> LINE_TABLE_NEIGHBOURS) * 0x9e3779b97f4a7c15u;
	uint64_t within = line & ((1 << LINE_TABLE_NEIGHBOURS) - 1);

	return &t->heads[group >> (64 - t->bits) >> LINE_TABLE_NEIGHBOURS << LINE_TABLE_NEIGHBOURS |
			 within];
}

/** The entry of a line, or 0. Valid until its removal. */
static inline line_nr line_table_find(const struct line_table *t, uint64_t line)
{
	line_nr nr = *line_table_chain(t, line);

	while (nr && t->entries[nr].line != line)
		nr = t->entries[nr].next;
	return nr;
}
/**
 * A new entry with version 1 and no reference, for a line that has none. 0: no memory. Entries may
 * be elsewhere afterwards, with the same numbers.
 */
line_nr line_table_insert(struct line_table *t, uint64_t line);
/** Remove an entry. */
void line_table_remove(struct line_table *t, line_nr nr);

#endif

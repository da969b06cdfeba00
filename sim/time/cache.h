/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The caches of a machine: set associative, true LRU, exact to the tag. Knows lines (physical
 * address / line size) and CPUs; knows neither time nor banks.
 *
 * Each level may belong to a CPU, a core, so many CPUs of a node or a node. A line is filled into
 * every level between the CPU and where it was found, and a write goes through to all of them;
 * levels evict by themselves, and do not include or exclude each other. A line that another CPU has
 * written since a cache filled it is stale there, which counts as a miss at that level. The last
 * level writes a modified line back when it evicts it.
 *
 * Where the machine says what a transfer takes (line_transfers), a line that another CPU has
 * written and still holds in a cache of its own comes from there, once: then both have it. So does
 * one that is to be written and that another CPU, which read it last, still holds.
 *
 * A cache takes host memory (8 bytes a line) when its first access comes, and some 32 bytes for
 * each line that some cache holds.
 */
#ifndef SIM_CACHE_H
#define SIM_CACHE_H

#include "sim/machine/machine.h"
#include "sim/time/line_table.h"

struct cache;

struct cache_tag {
	line_nr nr; /* of the line's entry; 0: empty */
	uint32_t version;
};

/* What cache_at_hand() looks at: a CPU's nearest cache. */
struct cache_nearest {
	struct cache_tag *tags; /* NULL: nothing is at hand */
	const struct line_table *lines;
	uint64_t mask; /* of a line, to its set */
	unsigned ways;
};

/** The caches of `m` (borrowed until cache_free), all empty. Returns 0, *out NULL where the machine
 * has none; -ENOMEM. */
int cache_create(const struct machine *m, struct cache **out);
void cache_free(struct cache *c);

struct cache_result {
	int level; /* where the line was found; machine.nr_caches: in no cache of this CPU */
	/* Another CPU whose own caches the line had to come from, or to be dropped from, since it
	 * is written; MM_NO_CPU: none, or the machine does not say what that takes. */
	int owner;
	/* Another CPU of the node, that has the line as memory has it and from which it comes,
	 * since no cache of the node has it; MM_NO_CPU: none. */
	int sharer;
	bool wrote_back; /* a modified line had to leave the last level */
	uint64_t victim; /* that line */
};

/** Of that CPU; changes with its accesses, lives as long as the cache. */
const struct cache_nearest *cache_nearest(const struct cache *c, int cpu);
/*
 * Where the nearest cache of `cpu` has the current version, would an access change nothing but the
 * order of use there? So it is with most: a write finds that nobody but `cpu` has used the line
 * since `cpu` wrote it; a read, that `cpu` was the last to write it, or is known to read it.
 */
static inline bool line_is_own(const struct line_entry *entry, int cpu, bool write)
{
	if (entry->sole)
		return (int)entry->writer == cpu;
	return !write && ((entry->written && (int)entry->writer == cpu) ||
			  (entry->read && (int)entry->reader == cpu));
}

static inline bool tag_is_own(const struct cache_nearest *n, const struct cache_tag *tag, int cpu,
			      uint64_t line, bool write)
{
	const struct line_entry *entry = &n->lines->entries[tag->nr];

	return entry->line == line && tag->version == entry->version &&
	       line_is_own(entry, cpu, write);
}

/** Would an access of `cpu` hit in its nearest cache, where the line is the latest of its set, and
 * change nothing? */
static inline bool cache_at_hand(const struct cache_nearest *n, int cpu, uint64_t line, bool write)
{
	return n->tags && tag_is_own(n, &n->tags[(line & n->mask) * n->ways], cpu, line, write);
}

/** Or, where the line is the second latest, change but that? Then it is the latest. */
static inline bool cache_hit_second(const struct cache_nearest *n, int cpu, uint64_t line,
				    bool write)
{
	struct cache_tag *set, tag;

	if (!n->tags || n->ways < 2)
		return false;
	set = &n->tags[(line & n->mask) * n->ways];
	tag = set[1];
	if (!tag_is_own(n, &tag, cpu, line, write))
		return false;
	set[1] = set[0];
	set[0] = tag;
	return true;
}

/**
 * `cpu` reads or writes `line`, and its caches hold it afterwards. Returns 0; -ENOMEM where there
 * is no host memory to remember it in: *result is set even then, to a miss.
 */
int cache_access(struct cache *c, int cpu, uint64_t line, bool write, struct cache_result *result);

/** Do both have the same cache of the last level? */
bool cache_last_is_shared(const struct cache *c, int cpu, int other);

/** Lines that some cache holds. */
size_t cache_nr_lines(const struct cache *c);

#endif

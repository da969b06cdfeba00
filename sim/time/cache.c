/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tags, LRU and staleness of the caches. A tag remembers the version of the line that it was filled
 * with; the line table has the current one. A set is kept in the order of use, the latest first.
 * A tag names its line by the entry in the table, which is there as long as some tag does. Versions
 * count from 1; when a line has had as many as fit, all its tags are gone through, and it starts
 * over.
 */
#include "sim/time/cache.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sim/large.h"
#include "sim/time/bug.h"

/* Few enough that tests get there. */
#define LINE_VERSIONS UINT16_MAX

struct level {
	unsigned ways;    /* (C) */
	uint64_t nr_sets; /* (C) */
	uint64_t mask;    /* (C) of a line, to its set; 0: nr_sets is no power of two */
	uint64_t inverse; /* (C) 2^64 / nr_sets, rounded down, where it is none */
	bool per_node;    /* (C) */
	bool of_cores;    /* (C) several share it */
	bool apart;       /* (C) it does not have all that their own ones have */
	struct cache_tag *
		*tags;  /* by CPU or node: nr_sets * ways, or NULL before the first access */
	int nr_domains; /* (C) CPUs or nodes */
	int *domains;   /* (C) by CPU: whose tags it uses */
};

struct cache {
	const struct machine *machine; /* (C) borrowed */
	bool transfers;                /* (C) the machine says what they take */
	bool clean_transfers;          /* (C) of unmodified lines, too */
	int nr_levels;
	struct level *levels;   /* nearest first */
	struct cache_tag **own; /* [cpu * nr_levels + level]: its tags, from its first access on */
	struct cache_nearest *nearest; /* by CPU */
	struct line_table lines;
};

static int level_init(struct level *l, const struct machine *m, const struct machine_cache *conf)
{
	uint64_t nr_lines = conf->size_bytes / m->cache_line_bytes;
	int nr;

	l->ways = conf->ways ? conf->ways : 1;
	l->nr_sets = nr_lines / l->ways ? nr_lines / l->ways : 1;
	l->mask = l->nr_sets & (l->nr_sets - 1) ? 0 : l->nr_sets - 1;
	l->inverse = UINT64_MAX / l->nr_sets;
	l->per_node = conf->per_node;
	l->apart = conf->apart;
	l->of_cores = conf->per_node || conf->nr_cpus;
	l->domains = calloc((size_t)m->mm.nr_cpus, sizeof(*l->domains));
	if (!l->domains)
		return -ENOMEM;
	nr = machine_cache_domains(m, conf, l->domains);
	if (nr < 0)
		return nr;
	l->nr_domains = nr;
	l->tags = calloc((size_t)nr, sizeof(*l->tags));
	return l->tags ? 0 : -ENOMEM;
}

static uint64_t nr_lines(const struct level *l)
{
	return l->nr_sets * l->ways;
}

int cache_create(const struct machine *m, struct cache **out)
{
	uint64_t most = 0;
	struct cache *c;

	*out = NULL;
	if (!m->cache_line_bytes || !m->nr_caches)
		return 0;
	c = calloc(1, sizeof(*c));
	if (!c)
		return -ENOMEM;
	c->machine = m;
	c->transfers = m->transfers.same_node_ps != 0;
	c->clean_transfers = m->transfers.same_node_clean_ps != 0;
	c->levels = calloc((size_t)m->nr_caches, sizeof(*c->levels));
	c->own = calloc((size_t)m->mm.nr_cpus * (size_t)m->nr_caches, sizeof(*c->own));
	c->nearest = calloc((size_t)m->mm.nr_cpus, sizeof(*c->nearest));
	if (!c->levels || !c->own || !c->nearest)
		goto out_free;
	while (c->nr_levels < m->nr_caches) {
		int i = c->nr_levels++;

		if (level_init(&c->levels[i], m, &m->caches[i]))
			goto out_free;
		most = most < nr_lines(&c->levels[i]) ? nr_lines(&c->levels[i]) : most;
	}
	if (line_table_init(&c->lines, most))
		goto out_free;
	*out = c;
	return 0;

out_free:
	cache_free(c);
	return -ENOMEM;
}

void cache_free(struct cache *c)
{
	if (!c)
		return;
	for (int i = 0; i < c->nr_levels; i++) {
		struct level *l = &c->levels[i];

		for (int domain = 0; l->tags && domain < l->nr_domains; domain++)
			large_free(l->tags[domain], nr_lines(l), sizeof(**l->tags));
		free(l->tags);
		free(l->domains);
	}
	free(c->levels);
	free(c->own);
	free(c->nearest);
	line_table_clear(&c->lines);
	free(c);
}

const struct cache_nearest *cache_nearest(const struct cache *c, int cpu)
{
	return &c->nearest[cpu];
}

bool cache_last_is_shared(const struct cache *c, int cpu, int other)
{
	const struct level *last = &c->levels[c->nr_levels - 1];

	return last->domains[cpu] == last->domains[other];
}

size_t cache_nr_lines(const struct cache *c)
{
	return c->lines.nr_used;
}

/* Where the line's set begins among the tags. A division would take as long as all the rest. */
static inline size_t set_index(const struct level *l, uint64_t line)
{
	uint64_t quotient, set;

	if (l->mask)
		return (size_t)(line & l->mask) * l->ways;
	/* Too small by one at most: the inverse is, by less than 1, and line < 2^64. */
	quotient = (uint64_t)((__uint128_t)line * l->inverse >> 64);
	set = line - quotient * l->nr_sets;
	return (size_t)(set < l->nr_sets ? set : set - l->nr_sets) * l->ways;
}

/* Where the line stands in the set, stale or not; -1 where it does not. */
static int way_of(const struct level *l, const struct cache_tag *set, line_nr nr)
{
	for (unsigned way = 0; way < l->ways && set[way].nr; way++)
		if (set[way].nr == nr)
			return (int)way;
	return -1;
}

/* A tag of the line goes. In the last level, the writer's own, its modified line goes to memory. */
static void drop_tag(struct cache *c, const struct level *l, int cpu, line_nr nr,
		     struct cache_result *result)
{
	struct line_entry *entry = &c->lines.entries[nr];

	if (entry->modified && l == &c->levels[c->nr_levels - 1] &&
	    l->domains[entry->writer] == l->domains[cpu]) {
		entry->modified = false;
		result->wrote_back = true;
		result->victim = entry->line;
	}
	if (--entry->refs == 0)
		line_table_remove(&c->lines, nr);
}

/* Its current tags are of version 1 from here on, all others stale. */
static void start_over(struct level *l, line_nr nr, const struct line_entry *entry)
{
	for (int domain = 0; domain < l->nr_domains; domain++) {
		struct cache_tag *set = l->tags[domain];
		int way = -1;

		if (set)
			way = way_of(l, set += set_index(l, entry->line), nr);
		if (way >= 0)
			set[way].version = set[way].version == entry->version;
	}
}

/*
 * The line becomes the latest used of a set that it is not the latest of, with its current version.
 * Returns the version that it was there with; 0: it was not.
 */
static NOINLINE uint32_t bring_to_front(struct cache *c, const struct level *l, int cpu,
					struct cache_tag *set, line_nr nr, bool known,
					struct cache_result *result)
{
	struct line_entry *entries = c->lines.entries;
	int way = known ? way_of(l, set, nr) : -1;
	uint32_t before = 0;

	/* In the nearest, it is looked for. */
	if (l != &c->levels[0])
		entries[set[0].nr].sole = false;
	if (way >= 0) {
		before = set[way].version;
	} else {
		way = (int)l->ways - 1;
		entries[nr].refs++;
		if (set[way].nr)
			drop_tag(c, l, cpu, set[way].nr, result);
	}
	memmove(set + 1, set, (size_t)way * sizeof(*set));
	set[0] = (struct cache_tag){nr, entries[nr].version};
	return before;
}

/* The line has a new version, which no tag has yet. */
static void new_version(struct cache *c, line_nr nr)
{
	struct line_entry *entry = &c->lines.entries[nr];

	if (entry->version == LINE_VERSIONS) {
		for (int i = 0; i < c->nr_levels; i++)
			start_over(&c->levels[i], nr, entry);
		entry->version = 1;
	}
	entry->version++;
}

/* A CPU's first access. */
static int get_tags(struct cache *c, int cpu)
{
	/* From the last level on: it is the first that tells. */
	for (int i = c->nr_levels; i-- > 0;) {
		struct level *l = &c->levels[i];
		struct cache_tag **tags = &l->tags[l->domains[cpu]];

		if (!*tags)
			*tags = large_calloc(nr_lines(l), sizeof(**tags));
		if (!*tags)
			return -ENOMEM;
		c->own[cpu * c->nr_levels + i] = *tags;
	}
	/* One whose sets are not found by a mask is left out. */
	if (c->levels[0].mask)
		c->nearest[cpu] = (struct cache_nearest){
			.lines = &c->lines,
			.tags = c->own[cpu * c->nr_levels],
			.mask = c->levels[0].mask,
			.ways = c->levels[0].ways,
		};
	return 0;
}

/* Do caches of its own, which another CPU does not share, hold the current version of the line? */
static bool holds_apart(struct cache *c, int holder, int cpu, line_nr nr)
{
	const struct line_entry *entry = &c->lines.entries[nr];

	for (int i = 0; i < c->nr_levels; i++) {
		const struct level *l = &c->levels[i];
		const struct cache_tag *set = l->tags[l->domains[holder]];
		int way;

		if (!set || l->domains[holder] == l->domains[cpu])
			continue;
		if (l->per_node)
			continue;
		set += set_index(l, entry->line);
		way = way_of(l, set, nr);
		if (way >= 0 && set[way].version == entry->version)
			return true;
	}
	return false;
}

/* Whom the line has to come from, and who has it then. */
static int take_from_owner(struct cache *c, int cpu, bool write, line_nr nr)
{
	struct line_entry *entry = &c->lines.entries[nr];
	bool others = entry->written && (int)entry->writer != cpu;
	int owner = MM_NO_CPU;

	if (!c->transfers) {
		/* Nobody is asked. */
	} else if (entry->read && write && (int)entry->reader != cpu) {
		if (holds_apart(c, (int)entry->reader, cpu, nr))
			owner = (int)entry->reader;
	} else if (others && (write || !entry->read)) {
		if (holds_apart(c, (int)entry->writer, cpu, nr))
			owner = (int)entry->writer;
	}
	if (!write && (others || !entry->written)) {
		entry->read = true;
		entry->reader = (unsigned)cpu & 0x3fff;
	}
	return owner;
}

/*
 * As cache_at_hand(), wherever in its set the line is: it becomes the latest, and nothing else
 * changes.
 */
static bool hits_nearest(const struct cache *c, int cpu, struct cache_tag *set, line_nr nr,
			 bool write)
{
	const struct line_entry *entry = &c->lines.entries[nr];
	struct cache_tag tag = {nr, entry->version};
	int way;

	if (!line_is_own(entry, cpu, write))
		return false;
	way = way_of(&c->levels[0], set, nr);
	if (way < 0 || set[way].version != tag.version)
		return false;
	for (; way > 0; way--)
		set[way] = set[way - 1];
	set[0] = tag;
	return true;
}

/*
 * A read that its CPU's own caches do not serve: the CPU of the same last cache that read it last,
 * if it has it still. MM_NO_CPU where that is nobody.
 */
static int find_sharer(struct cache *c, int cpu, line_nr nr, int reader, int level)
{
	const struct level *last = &c->levels[c->nr_levels - 1];

	if (reader == MM_NO_CPU || reader == cpu || !last->of_cores)
		return MM_NO_CPU;
	if (level < c->nr_levels && !c->levels[level].apart)
		return MM_NO_CPU;
	if (last->domains[reader] != last->domains[cpu] || !holds_apart(c, reader, cpu, nr))
		return MM_NO_CPU;
	return reader;
}

int cache_access(struct cache *c, int cpu, uint64_t line, bool write, struct cache_result *result)
{
	struct cache_tag *const *own = &c->own[cpu * c->nr_levels];
	line_nr nr = line_table_find(&c->lines, line);
	bool known = nr != 0;
	struct line_entry *entry;
	int reader = MM_NO_CPU;
	uint32_t version;

	*result = (struct cache_result){
		.level = c->nr_levels, .owner = MM_NO_CPU, .sharer = MM_NO_CPU};
	if (!own[0] && get_tags(c, cpu))
		return -ENOMEM;
	if (known && hits_nearest(c, cpu, own[0] + set_index(&c->levels[0], line), nr, write)) {
		result->level = 0;
		return 0;
	}
	if (!known)
		nr = line_table_insert(&c->lines, line);
	if (!nr)
		return -ENOMEM;
	if (known && !write && c->clean_transfers && c->lines.entries[nr].read)
		reader = (int)c->lines.entries[nr].reader;
	if (known || c->clean_transfers)
		result->owner = take_from_owner(c, cpu, write, nr);
	if (known && write)
		new_version(c, nr);
	entry = &c->lines.entries[nr];
	version = entry->version - (known && write); /* that hits */
	/* A read fills the levels on its way and renews the one that has it; a write, all. */
	for (int i = 0; i < c->nr_levels; i++) {
		const struct level *l = &c->levels[i];
		struct cache_tag *set = own[i] + set_index(l, line);
		uint32_t before;

		if (set->nr == nr) {
			before = set->version;
			set->version = entry->version;
		} else {
			before = bring_to_front(c, l, cpu, set, nr, known, result);
		}
		if (before != version || result->level < c->nr_levels)
			continue;
		result->level = i;
		if (!write)
			break;
	}
	if (reader != MM_NO_CPU && result->owner == MM_NO_CPU)
		result->sharer = find_sharer(c, cpu, nr, reader, result->level);
	if (write) {
		entry->modified = true;
		entry->written = true;
		entry->read = false;
		entry->writer = (unsigned)cpu & 0x3fff;
	}
	entry->sole = write;
	return 0;
}

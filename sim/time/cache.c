/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tags, LRU and staleness of the caches. A tag remembers the version of the line that it was filled
 * with; the line table has the current one. A set is kept in the order of use, the latest first.
 */
#include "sim/time/cache.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sim/time/bug.h"
#include "sim/time/line_table.h"

struct tag {
	uint64_t line;
	uint64_t version; /* 0: empty */
};

struct level {
	unsigned ways;     /* (C) */
	uint64_t nr_sets;  /* (C) */
	bool per_node;     /* (C) */
	bool per_core;     /* (C) */
	struct tag **tags; /* by CPU or node: nr_sets * ways, or NULL before the first access */
	int nr_domains;    /* (C) CPUs or nodes */
};

struct cache {
	const struct machine *machine; /* (C) borrowed */
	bool transfers;                /* (C) the machine says what they take */
	int nr_levels;
	struct level *levels; /* nearest first */
	struct line_table lines;
};

static int level_init(struct level *l, const struct machine *m, const struct machine_cache *conf)
{
	uint64_t nr_lines = conf->size_bytes / m->cache_line_bytes;

	l->ways = conf->ways ? conf->ways : 1;
	l->nr_sets = nr_lines / l->ways ? nr_lines / l->ways : 1;
	l->per_node = conf->per_node;
	l->per_core = conf->per_core;
	l->nr_domains = conf->per_node ? m->mm.nr_nodes : m->mm.nr_cpus;
	l->tags = calloc((size_t)l->nr_domains, sizeof(*l->tags));
	return l->tags ? 0 : -ENOMEM;
}

int cache_create(const struct machine *m, struct cache **out)
{
	struct cache *c;

	*out = NULL;
	if (!m->cache_line_bytes || !m->nr_caches)
		return 0;
	c = calloc(1, sizeof(*c));
	if (!c)
		return -ENOMEM;
	c->machine = m;
	c->transfers = m->transfers.same_node_ps != 0;
	c->levels = calloc((size_t)m->nr_caches, sizeof(*c->levels));
	if (!c->levels || line_table_init(&c->lines))
		goto out_free;
	for (; c->nr_levels < m->nr_caches; c->nr_levels++)
		if (level_init(&c->levels[c->nr_levels], m, &m->caches[c->nr_levels]))
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
		for (int domain = 0; domain < c->levels[i].nr_domains; domain++)
			free(c->levels[i].tags[domain]);
		free(c->levels[i].tags);
	}
	free(c->levels);
	line_table_clear(&c->lines);
	free(c);
}

size_t cache_nr_lines(const struct cache *c)
{
	return c->lines.nr_used;
}

static int domain_of(const struct cache *c, const struct level *l, int cpu)
{
	if (l->per_node)
		return c->machine->cpus[cpu].nid;
	return l->per_core ? c->machine->cpus[cpu].core : cpu;
}

/* The set of that level which the line belongs to; NULL: no memory. */
static struct tag *set_of(const struct cache *c, struct level *l, int cpu, uint64_t line)
{
	struct tag **tags = &l->tags[domain_of(c, l, cpu)];

	if (!*tags)
		*tags = calloc(l->nr_sets * l->ways, sizeof(**tags));
	return *tags ? *tags + line % l->nr_sets * l->ways : NULL;
}

/* Where the line stands in the set, stale or not; -1 where it does not. */
static int way_of(const struct level *l, const struct tag *set, uint64_t line)
{
	for (unsigned way = 0; way < l->ways && set[way].version; way++)
		if (set[way].line == line)
			return (int)way;
	return -1;
}

/* Make `tag` the latest used, in the place of the one at `way`. */
static void set_latest(struct tag *set, int way, struct tag tag)
{
	memmove(set + 1, set, (size_t)way * sizeof(*set));
	set[0] = tag;
}

/* A tag of the line goes. In the last level, the writer's own, its modified line goes to memory. */
static void drop_tag(struct cache *c, const struct level *l, int cpu, uint64_t line,
		     struct cache_result *result)
{
	struct line_entry *entry = line_table_find(&c->lines, line);

	if (!entry)
		SIM_BUG("a cache of cpu %d holds line %#llx, which the line table does not know",
			cpu, (unsigned long long)line);
	if (entry->modified && l == &c->levels[c->nr_levels - 1] &&
	    domain_of(c, l, (int)entry->writer) == domain_of(c, l, cpu)) {
		entry->modified = false;
		result->wrote_back = true;
		result->victim = line;
	}
	if (--entry->refs == 0)
		line_table_remove(&c->lines, entry);
}

/* The level at which this CPU's caches hold `version` of the line; nr_levels where none does. */
static int find_level(struct cache *c, int cpu, uint64_t line, uint64_t version)
{
	int i;

	for (i = 0; i < c->nr_levels; i++) {
		const struct level *l = &c->levels[i];
		const struct tag *set = l->tags[domain_of(c, l, cpu)];
		int way;

		if (!set)
			continue;
		set += line % l->nr_sets * l->ways;
		way = way_of(l, set, line);
		if (way >= 0 && set[way].version == version)
			break;
	}
	return i;
}

/* One level holds `version` of the line from here on, as the latest used. */
static int fill(struct cache *c, struct level *l, int cpu, struct tag tag,
		struct cache_result *result)
{
	struct tag *set = set_of(c, l, cpu, tag.line);
	struct line_entry *entry;
	int way, last = (int)l->ways - 1;

	if (!set)
		return -ENOMEM;
	way = way_of(l, set, tag.line);
	if (way >= 0) {
		set_latest(set, way, tag);
		return 0;
	}
	entry = line_table_find(&c->lines, tag.line);
	if (entry)
		entry->refs++;
	else if (!line_table_insert(&c->lines, tag.line))
		return -ENOMEM;
	if (set[last].version)
		drop_tag(c, l, cpu, set[last].line, result);
	set_latest(set, last, tag);
	return 0;
}

/* Do caches of its own, which another CPU does not share, hold that version of the line? */
static bool holds_apart(struct cache *c, int holder, int cpu, const struct tag *tag)
{
	for (int i = 0; i < c->nr_levels; i++) {
		const struct level *l = &c->levels[i];
		const struct tag *set = l->tags[domain_of(c, l, holder)];
		int way;

		if (!set || domain_of(c, l, holder) == domain_of(c, l, cpu))
			continue;
		if (l->per_node)
			continue;
		set += tag->line % l->nr_sets * l->ways;
		way = way_of(l, set, tag->line);
		if (way >= 0 && set[way].version == tag->version)
			return true;
	}
	return false;
}

/* Whom the line has to come from, and who has it then. */
static int take_from_owner(struct cache *c, int cpu, bool write, const struct tag *tag,
			   struct line_entry *entry)
{
	bool others = entry->written && (int)entry->writer != cpu;
	int owner = MM_NO_CPU;

	if (entry->read && write && (int)entry->reader != cpu) {
		if (holds_apart(c, (int)entry->reader, cpu, tag))
			owner = (int)entry->reader;
	} else if (others && (write || !entry->read)) {
		if (holds_apart(c, (int)entry->writer, cpu, tag))
			owner = (int)entry->writer;
	}
	if (!write && (others || !entry->written)) {
		entry->read = true;
		entry->reader = (unsigned)cpu & 0x3fff;
	}
	return owner;
}

int cache_access(struct cache *c, int cpu, uint64_t line, bool write, struct cache_result *result)
{
	struct line_entry *entry = line_table_find(&c->lines, line);
	struct tag tag = {.line = line, .version = entry ? entry->version : 1};
	int deepest;

	*result = (struct cache_result){.level = c->nr_levels, .owner = MM_NO_CPU};
	if (entry) {
		result->level = find_level(c, cpu, line, tag.version);
		if (c->transfers)
			result->owner = take_from_owner(c, cpu, write, &tag, entry);
	}
	if (write && entry)
		entry->version = ++tag.version;
	/* A read fills the levels on its way and renews the one that had it; a write, all. */
	deepest = write || result->level == c->nr_levels ? c->nr_levels - 1 : result->level;
	for (int i = 0; i <= deepest; i++) {
		int err = fill(c, &c->levels[i], cpu, tag, result);

		if (err) {
			result->level = c->nr_levels;
			return err;
		}
	}
	if (write) {
		entry = line_table_find(&c->lines, line);
		entry->modified = true;
		entry->written = true;
		entry->read = false;
		entry->writer = (unsigned)cpu & 0x3fff;
	}
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Caches of a machine file: levels from the nearest on, of whole sets of lines; and what it takes
 * to get a line from another CPU's.
 */
#include "sim/machine/read.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define MIN_LINE  8
#define MAX_LINE  4096
#define MAX_WAYS  1024
#define MAX_BYTES (UINT64_C(4) << 30) /* a tag a line is kept */

static void read_line_size(struct machine_reader *r, const struct cfg_setting *root)
{
	const struct cfg_setting *s = cfg_find(r->cfg, root, "cache_line");
	uint64_t bytes;

	if (!cfg_size(r->cfg, s, &bytes))
		return;
	if (bytes < MIN_LINE || bytes > MAX_LINE || (bytes & (bytes - 1)))
		cfg_error(r->cfg, s, "expected a power of two from %dB to %dB, found %" PRIu64 "B",
			  MIN_LINE, MAX_LINE, bytes);
	else
		r->m->cache_line_bytes = (unsigned)bytes;
}

static void check_geometry(struct machine_reader *r, const struct cfg_setting *s,
			   const struct machine_cache *cache)
{
	uint64_t set_bytes = (uint64_t)cache->ways * r->m->cache_line_bytes;

	if (cfg_status(r->cfg))
		return;
	if (cache->size_bytes > MAX_BYTES)
		cfg_error(r->cfg, cfg_find(r->cfg, s, "size"),
			  "expected at most %" PRIu64 " bytes (4GiB), found %" PRIu64, MAX_BYTES,
			  cache->size_bytes);
	else if (cache->size_bytes == 0 || cache->size_bytes % set_bytes)
		cfg_error(r->cfg, s, "%" PRIu64 " bytes are not whole sets of %u lines of %u bytes",
			  cache->size_bytes, cache->ways, r->m->cache_line_bytes);
	for (const struct machine_cache *other = r->m->caches; other < cache; other++)
		if (strcmp(other->name, cache->name) == 0)
			cfg_error(r->cfg, s, "there is a cache '%s' already", cache->name);
}

/* Rank of who shares it: a CPU, a core, so many CPUs, a node. */
static int width(const struct machine_cache *cache)
{
	if (cache->per_node)
		return 3;
	return cache->nr_cpus ? 2 : cache->per_core;
}

/* Each level is behind the one before it: larger, slower, of no fewer CPUs. */
static void check_order(struct machine_reader *r, const struct cfg_setting *s,
			const struct machine_cache *cache)
{
	const struct machine_cache *before = cache - 1;

	if (cfg_status(r->cfg) || cache == r->m->caches)
		return;
	if (cache->size_bytes < before->size_bytes)
		cfg_error(r->cfg, cfg_find(r->cfg, s, "size"),
			  "%s is smaller than %s, which is nearer to the CPU", cache->name,
			  before->name);
	else if (cache->latency_ps < before->latency_ps)
		cfg_error(r->cfg, cfg_find(r->cfg, s, "latency"),
			  "%s is faster than %s, which is nearer to the CPU", cache->name,
			  before->name);
	else if (width(cache) < width(before))
		cfg_error(r->cfg, cfg_find(r->cfg, s, "shared_by"),
			  "%s is of fewer CPUs than %s, which is nearer to them", cache->name,
			  before->name);
	else if (cache->nr_cpus && before->nr_cpus && cache->nr_cpus % before->nr_cpus)
		cfg_error(r->cfg, cfg_find(r->cfg, s, "shared_by"),
			  "%u CPUs that share %s are not whole groups of %u that share %s",
			  cache->nr_cpus, cache->name, before->nr_cpus, before->name);
}

/* Whole cores, and as many of them in each. */
static void check_groups(struct machine_reader *r, const struct cfg_setting *s,
			 const struct machine_cache *cache)
{
	const struct machine *m = r->m;

	for (int place = 0; place < machine_nr_places(m) && !cfg_status(r->cfg); place++) {
		unsigned nr = 0, threads = 0;
		int core = -1;

		for (int cpu = 0; cpu < m->mm.nr_cpus; cpu++) {
			if (m->cpus[cpu].place != place)
				continue;
			if (core < 0)
				core = m->cpus[cpu].core;
			nr++;
			threads += m->cpus[cpu].core == core;
		}
		if (threads && cache->nr_cpus % threads)
			cfg_error(r->cfg, s,
				  "%u CPUs that share %s are not whole cores of node %d, of %u "
				  "threads",
				  cache->nr_cpus, cache->name, place, threads);
		else if (nr % cache->nr_cpus)
			cfg_error(r->cfg, s,
				  "the %u CPUs of node %d are not whole groups of %u that share %s",
				  nr, place, cache->nr_cpus, cache->name);
	}
}

/* A name, or how many CPUs. */
static void read_sharers(struct machine_reader *r, const struct cfg_setting *s,
			 struct machine_cache *cache)
{
	static const char *const sharers[] = {"cpu", "node", "core", NULL};
	unsigned sharer = 0;
	uint64_t nr = 0;

	if (!s || cfg_is_string(s)) {
		cfg_choice(r->cfg, s, "sharer", sharers, &sharer);
		cache->per_node = sharer == 1;
		cache->per_core = sharer == 2;
	} else if (cfg_integer(r->cfg, s, 1, MM_MAX_CPUS, &nr)) {
		cache->nr_cpus = (unsigned)nr;
		check_groups(r, s, cache);
	}
}

static void read_cache(struct machine_reader *r, const struct cfg_setting *s)
{
	static const char *const keys[] = {"name",      "size",      "ways",   "latency",
					   "shared_by", "inclusive", "source", NULL};
	const struct cfg_setting *group = cfg_group(r->cfg, s);
	struct machine_cache *cache = &r->m->caches[r->m->nr_caches];
	const char *name;
	const struct cfg_setting *at_inclusive = cfg_find(r->cfg, group, "inclusive");
	uint64_t ways = 1;
	bool inclusive = true;

	cfg_keys(r->cfg, group, keys);
	machine_read_source(r, group);
	if (!cfg_string(r->cfg, cfg_need(r->cfg, group, "name"), &name))
		return;
	cache->name = strdup(name);
	if (!cache->name)
		cfg_no_memory(r->cfg);
	r->m->nr_caches++;
	cfg_size(r->cfg, cfg_need(r->cfg, group, "size"), &cache->size_bytes);
	cfg_integer(r->cfg, cfg_need(r->cfg, group, "ways"), 1, MAX_WAYS, &ways);
	machine_read_latency(r, cfg_need(r->cfg, group, "latency"), &cache->latency_ps);
	read_sharers(r, cfg_need(r->cfg, group, "shared_by"), cache);
	cache->ways = (unsigned)ways;
	if (cfg_bool(r->cfg, at_inclusive, &inclusive) && width(cache) < 2)
		cfg_error(r->cfg, at_inclusive,
			  "only a cache that cores share is inclusive of their own, or not");
	cache->apart = !inclusive;
	check_geometry(r, group, cache);
	check_order(r, group, cache);
}

/* Where no cache says how large a line is, lines in flight mean nothing. */
static void check_lines(struct machine_reader *r)
{
	for (int nid = 0; nid < r->m->mm.nr_nodes && !r->m->cache_line_bytes; nid++) {
		const struct cfg_setting *cpus =
			cfg_group(r->cfg, cfg_find(r->cfg, r->node_at[nid], "cpus"));
		const struct cfg_setting *lines = cfg_find(r->cfg, cpus, "fill_buffers");

		if (lines && !cfg_status(r->cfg))
			cfg_error(r->cfg, lines,
				  "lines of which size? 'cache_line' is missing at top level");
	}
}

/* Nobody would look for a line in a cache that is behind memory. */
static void check_memory(struct machine_reader *r, const struct cfg_setting *caches)
{
	const struct machine *m = r->m;
	const struct machine_cache *last = &m->caches[m->nr_caches - 1];

	for (int nid = 0; nid < m->mm.nr_nodes; nid++)
		if (m->banks[nid].bytes_per_s && m->banks[nid].latency_ps < last->latency_ps) {
			cfg_error(r->cfg, caches,
				  "a hit in %s takes longer (%" PRIu64
				  " ps) than memory of node %d (%" PRIu64 " ps)",
				  last->name, last->latency_ps, nid, m->banks[nid].latency_ps);
			return;
		}
}

/* Then a lone CPU would move a block at whatever its bank carries, which none does. */
static void check_bounds(struct machine_reader *r, const struct cfg_setting *caches)
{
	for (int cpu = 0; cpu < r->m->mm.nr_cpus; cpu++) {
		if (r->m->cpus[cpu].fill_buffers)
			continue;
		cfg_warn(r->cfg, caches,
			 "the CPUs have caches, but nothing says how many misses they may have in "
			 "flight (`fill_buffers` of `cpus` of node %d): one CPU moves blocks at "
			 "the bandwidth of the bank",
			 r->m->cpus[cpu].place);
		return;
	}
}

void machine_read_caches(struct machine_reader *r, const struct cfg_setting *root)
{
	const struct cfg_setting *caches = cfg_list(r->cfg, cfg_find(r->cfg, root, "caches"));
	unsigned nr = cfg_length(caches);

	read_line_size(r, root);
	if (nr && !r->m->cache_line_bytes)
		cfg_error(r->cfg, caches, "'cache_line' is missing at top level");
	if (nr > MACHINE_MAX_CACHES)
		cfg_error(r->cfg, caches, "expected at most %d caches, found %u",
			  MACHINE_MAX_CACHES, nr);
	r->m->caches = machine_array(r, nr, sizeof(*r->m->caches));
	for (unsigned i = 0; i < nr && !cfg_status(r->cfg); i++)
		read_cache(r, cfg_element(caches, i));
	check_lines(r);
	if (nr && !cfg_status(r->cfg)) {
		check_bounds(r, caches);
		check_memory(r, caches);
	}
}

/* Where no cache of the node has them all, a line comes from whichever CPU has it. */
static void read_clean(struct machine_reader *r, const struct cfg_setting *s)
{
	struct machine_transfers *t = &r->m->transfers;
	bool apart = false;

	for (int i = 0; i < r->m->nr_caches; i++)
		apart |= r->m->caches[i].apart;
	if (s && !apart)
		cfg_error(r->cfg, s,
			  "the node's cache has such lines itself: no cache has `inclusive = "
			  "false`");
	if (apart)
		t->same_node_clean_ps = t->same_node_ps;
	machine_read_latency(r, s, &t->same_node_clean_ps);
}

/* Between the last caches of one node. */
static void read_far(struct machine_reader *r, const struct cfg_setting *s)
{
	const struct machine *m = r->m;

	if (s && m->nr_caches && !m->caches[m->nr_caches - 1].nr_cpus)
		cfg_error(r->cfg, s, "a node has one %s: no number of CPUs shares it (`shared_by`)",
			  m->caches[m->nr_caches - 1].name);
	machine_read_latency(r, s, &r->m->transfers.same_node_far_ps);
}

void machine_read_transfers(struct machine_reader *r, const struct cfg_setting *root)
{
	static const char *const keys[] = {"same_node",
					   "same_node_far",
					   "same_node_clean",
					   "home_at_owner",
					   "home_elsewhere",
					   "source",
					   NULL};
	const struct cfg_setting *group =
		cfg_group(r->cfg, cfg_find(r->cfg, root, "line_transfers"));
	struct machine_transfers *t = &r->m->transfers;

	cfg_keys(r->cfg, group, keys);
	if (!group)
		return;
	machine_read_source(r, group);
	if (!r->m->nr_caches)
		cfg_error(r->cfg, group, "lines go from cache to cache: 'caches' is missing");
	machine_read_latency(r, cfg_need(r->cfg, group, "same_node"), &t->same_node_ps);
	read_far(r, cfg_find(r->cfg, group, "same_node_far"));
	read_clean(r, cfg_find(r->cfg, group, "same_node_clean"));
	t->home_at_owner_ps = t->same_node_ps;
	machine_read_latency(r,
			     r->m->mm.nr_nodes > 1 ? cfg_need(r->cfg, group, "home_at_owner")
						   : cfg_find(r->cfg, group, "home_at_owner"),
			     &t->home_at_owner_ps);
	t->home_elsewhere_ps = t->home_at_owner_ps;
	machine_read_latency(r, cfg_find(r->cfg, group, "home_elsewhere"), &t->home_elsewhere_ps);
}

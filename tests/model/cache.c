/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The caches against a plain model of what cache.h says: each way has its line, the version that it
 * was filled with and when it was last used; all of it is searched for every access.
 */
#include <criterion/criterion.h>

#include "sim/rng.h"
#include "sim/time/cache.h"
#include "tests/machine_builder.h"

enum { NODES = 2, CPUS_A_NODE = 2, CPUS = NODES * CPUS_A_NODE, LINES = 48, LEVELS = 3, WAYS = 3 };

/* 2 sets of 2 ways and of 3, both a CPU's own; 3 sets of 3 ways a node. */
static const struct {
	unsigned sets, ways;
	bool per_node;
} shape[LEVELS] = {{2, 2, false}, {2, 3, false}, {3, 3, true}};

struct way {
	bool filled;
	uint64_t line, version, used;
};

struct line {
	uint64_t version;
	bool modified, written, read;
	int writer, reader;
};

static struct way ways[LEVELS][CPUS][3][WAYS]; /* by level, domain, set */
static struct line lines[LINES];
static uint64_t clock;

static struct way *set_of(int level, int cpu, uint64_t line)
{
	int domain = shape[level].per_node ? cpu / CPUS_A_NODE : cpu;

	return ways[level][domain][line % shape[level].sets];
}

static struct way *find(int level, int cpu, uint64_t line)
{
	struct way *set = set_of(level, cpu, line);

	for (unsigned i = 0; i < shape[level].ways; i++)
		if (set[i].filled && set[i].line == line)
			return &set[i];
	return NULL;
}

/* Nothing is known any more of a line that no way has. */
static void forget_unless_held(uint64_t line)
{
	for (int level = 0; level < LEVELS; level++)
		for (int cpu = 0; cpu < CPUS; cpu++)
			if (find(level, cpu, line))
				return;
	lines[line] = (struct line){0};
}

static bool has_apart(int holder, int cpu, uint64_t line)
{
	for (int level = 0; level < LEVELS; level++) {
		const struct way *w = find(level, holder, line);

		if (!shape[level].per_node && holder != cpu && w &&
		    w->version == lines[line].version)
			return true;
	}
	return false;
}

/* From whose caches it comes, or has to go. */
static int owner_of(int cpu, uint64_t line, bool write)
{
	const struct line *l = &lines[line];

	if (write && l->read && l->reader != cpu)
		return has_apart(l->reader, cpu, line) ? l->reader : MM_NO_CPU;
	if (l->written && l->writer != cpu && (write || !l->read))
		return has_apart(l->writer, cpu, line) ? l->writer : MM_NO_CPU;
	return MM_NO_CPU;
}

/* The way that the line takes of its set, and what it puts out. */
static void fill(int level, int cpu, uint64_t line, struct cache_result *result)
{
	struct way *set = set_of(level, cpu, line), *oldest = find(level, cpu, line);
	struct way before;

	for (unsigned i = 0; !oldest && i < shape[level].ways; i++)
		if (!set[i].filled)
			oldest = &set[i];
	for (unsigned i = 0; !oldest && i < shape[level].ways; i++) {
		bool is_oldest = true;

		for (unsigned j = 0; j < shape[level].ways; j++)
			is_oldest &= set[i].used <= set[j].used;
		if (is_oldest)
			oldest = &set[i];
	}
	before = *oldest;
	*oldest = (struct way){true, line, lines[line].version, ++clock};
	if (!before.filled || before.line == line)
		return;
	if (level == LEVELS - 1 && lines[before.line].modified &&
	    lines[before.line].writer / CPUS_A_NODE == cpu / CPUS_A_NODE) {
		lines[before.line].modified = false;
		result->wrote_back = true;
		result->victim = before.line;
	}
	forget_unless_held(before.line);
}

static struct cache_result access_plainly(int cpu, uint64_t line, bool write)
{
	struct cache_result result = {.level = LEVELS, .owner = MM_NO_CPU};
	struct line *l = &lines[line];
	bool known = l->version > 0;
	uint64_t version;

	if (known) {
		result.owner = owner_of(cpu, line, write);
		if (!write && (!l->written || l->writer != cpu)) {
			l->read = true;
			l->reader = cpu;
		}
	} else {
		l->version = 1;
	}
	version = l->version;
	l->version += known && write;
	for (int level = 0; level < LEVELS; level++) {
		const struct way *w = find(level, cpu, line);
		bool hit = w && w->version == version;

		fill(level, cpu, line, &result);
		if (hit && result.level == LEVELS)
			result.level = level;
		if (hit && !write)
			break;
	}
	if (write) {
		l->modified = l->written = true;
		l->read = false;
		l->writer = cpu;
	}
	return result;
}

static struct machine *m;
static struct cache *c;

static void set_up(void)
{
	m = build_machine(NODES, CPUS_A_NODE);
	for (int i = 0; i < LEVELS; i++)
		build_cache(m, 64 * shape[i].sets * shape[i].ways, shape[i].ways, 1000,
			    shape[i].per_node);
	m->transfers.same_node_ps = 1000;
	cr_assert_eq(cache_create(m, &c), 0);
}

static void tear_down(void)
{
	cache_free(c);
	built_free(m);
}

TestSuite(cache_model, .init = set_up, .fini = tear_down);

/* Returns what both say, and whether it was at hand. */
static struct cache_result access_both(int cpu, uint64_t line, bool write, bool *at_hand)
{
	struct cache_result expected = access_plainly(cpu, line, write);
	struct cache_result found = {.level = 0, .owner = MM_NO_CPU};

	*at_hand = cache_at_hand(cache_nearest(c, cpu), cpu, line, write);
	if (!*at_hand && !cache_hit_second(cache_nearest(c, cpu), cpu, line, write))
		cr_assert_eq(cache_access(c, cpu, line, write, &found), 0);
	cr_assert_eq(found.level, expected.level, "level %d, not %d", found.level, expected.level);
	cr_assert_eq(found.owner, expected.owner, "owner %d, not %d", found.owner, expected.owner);
	cr_assert_eq(found.wrote_back, expected.wrote_back);
	cr_assert(!found.wrote_back || found.victim == expected.victim);
	return found;
}

/* Few lines come often, so that hits, evictions and lines that go to and fro are all frequent. */
Test(cache_model, agrees_on_random_accesses)
{
	unsigned levels[LEVELS + 1] = {0}, owned = 0, written_back = 0, nr_at_hand[2] = {0};
	struct rng rng = {20261122};

	for (int i = 0; i < 200000; i++) {
		int cpu = (int)rng_below(&rng, rng_below(&rng, 4) ? 1 : CPUS);
		uint64_t line = rng_below(&rng, rng_below(&rng, 3) ? 6 : LINES);
		bool write = rng_below(&rng, 2), at_hand;
		struct cache_result result = access_both(cpu, line, write, &at_hand);

		levels[result.level]++;
		owned += result.owner != MM_NO_CPU;
		written_back += result.wrote_back;
		nr_at_hand[write] += at_hand;
	}
	for (int level = 0; level <= LEVELS; level++)
		cr_assert_gt(levels[level], 100, "level %d", level);
	cr_assert(owned > 100 && written_back > 100);
	cr_assert(nr_at_hand[false] > 100 && nr_at_hand[true] > 100);
}

/*
 * A line has more versions than a tag can tell apart (65535): two CPUs write it in turn, two read
 * it now and then, and what is stale stays stale.
 */
Test(cache_model, agrees_when_versions_start_over)
{
	struct rng rng = {20261122};
	bool at_hand;

	for (int i = 0; i < 200000; i++) {
		access_both(i % 2, 1, true, &at_hand);
		if (!rng_below(&rng, 5))
			access_both((int)rng_below(&rng, CPUS), 1, false, &at_hand);
	}
}

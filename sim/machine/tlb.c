/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The TLB of a machine file: arrays of each level, with the sizes of pages that they have
 * translations of, and what a hit in the second level and a walk take. Cycles are those of the CPU
 * that has it.
 */
#include "sim/machine/read.h"

#include <inttypes.h>

#define MOST_ENTRIES (1u << 20)
#define MOST_CYCLES  100000
#define MOST_TABLES  1024
#define MOST_SPACES  64
#define SPACES       6 /* TLB_NR_DYN_ASIDS of Linux on x86, since 4.14 */
#define MOST_SHIFT   48

static bool has_size(const struct machine_tlb_array *a, unsigned shift)
{
	for (int i = 0; i < a->nr_shifts; i++)
		if (a->shifts[i] == shift)
			return true;
	return false;
}

/* A page size; `level` has `nr` arrays before this one. */
static void read_size(struct machine_reader *r, const struct cfg_setting *s,
		      const struct machine_tlb_array *level, int nr)
{
	struct machine_tlb_array *a = (struct machine_tlb_array *)&level[nr];
	unsigned least = r->arch->page_shift;
	uint64_t bytes;

	if (!cfg_size(r->cfg, s, &bytes))
		return;
	if (bytes >> MOST_SHIFT || bytes < UINT64_C(1) << least || bytes & (bytes - 1)) {
		cfg_error(r->cfg, s,
			  "expected a page size, a power of two from %dKiB on, found %" PRIu64 "B",
			  1 << (least - 10), bytes);
		return;
	}
	for (int i = 0; i <= nr; i++)
		if (has_size(&level[i], (unsigned)__builtin_ctzll(bytes)))
			cfg_error(r->cfg, s, "this level has pages of %" PRIu64 "KiB already",
				  bytes >> 10);
	a->shifts[a->nr_shifts++] = (unsigned)__builtin_ctzll(bytes);
}

static void read_array(struct machine_reader *r, const struct cfg_setting *s,
		       const struct machine_tlb_array *level, int nr)
{
	static const char *const keys[] = {"pages", "entries", "ways", "source", NULL};
	struct machine_tlb_array *a = (struct machine_tlb_array *)&level[nr];
	const struct cfg_setting *group = cfg_group(r->cfg, s);
	const struct cfg_setting *pages = cfg_list(r->cfg, cfg_need(r->cfg, group, "pages"));
	const struct cfg_setting *ways_at = cfg_find(r->cfg, group, "ways");
	unsigned nr_sizes = cfg_length(pages);
	uint64_t entries = 1, ways;

	cfg_keys(r->cfg, group, keys);
	machine_read_source(r, group);
	cfg_integer(r->cfg, cfg_need(r->cfg, group, "entries"), 1, MOST_ENTRIES, &entries);
	ways = entries; /* fully associative */
	cfg_integer(r->cfg, ways_at, 1, entries, &ways);
	if (!cfg_status(r->cfg) && entries % ways)
		cfg_error(r->cfg, ways_at, "%" PRIu64 " entries are not whole sets of %" PRIu64,
			  entries, ways);
	if (!cfg_status(r->cfg) && (!nr_sizes || nr_sizes > MACHINE_TLB_SIZES))
		cfg_error(r->cfg, pages, "expected 1 to %d page sizes, found %u", MACHINE_TLB_SIZES,
			  nr_sizes);
	a->entries = (unsigned)entries;
	a->ways = (unsigned)ways;
	for (unsigned i = 0; i < nr_sizes && !cfg_status(r->cfg); i++)
		read_size(r, cfg_element(pages, i), level, nr);
}

static int read_level(struct machine_reader *r, const struct cfg_setting *s,
		      const struct machine_tlb_array *level)
{
	const struct cfg_setting *list = cfg_list(r->cfg, s);
	unsigned nr = cfg_length(list);

	if (nr > MACHINE_TLB_ARRAYS) {
		cfg_error(r->cfg, list, "expected at most %d arrays, found %u", MACHINE_TLB_ARRAYS,
			  nr);
		return 0;
	}
	for (unsigned i = 0; i < nr && !cfg_status(r->cfg); i++)
		read_array(r, cfg_element(list, i), level, (int)i);
	return (int)nr;
}

static void read_number(struct machine_reader *r, const struct cfg_setting *s, uint64_t min,
			uint64_t max, unsigned *out)
{
	uint64_t value;

	if (s && cfg_integer(r->cfg, s, min, max, &value))
		*out = (unsigned)value;
}

void machine_read_tlb(struct machine_reader *r, const struct cfg_setting *root)
{
	static const char *const keys[] = {"l1",     "l2",     "l2_cycles", "walk_cycles",
					   "tables", "spaces", "source",    NULL};
	const struct cfg_setting *group = cfg_group(r->cfg, cfg_find(r->cfg, root, "tlb"));
	struct machine_tlb *tlb = &r->m->tlb;
	bool single = false;

	cfg_keys(r->cfg, group, keys);
	if (!group)
		return;
	machine_read_source(r, group);
	tlb->spaces = SPACES;
	tlb->nr_first = read_level(r, cfg_need(r->cfg, group, "l1"), tlb->first);
	tlb->nr_second = read_level(r, cfg_find(r->cfg, group, "l2"), tlb->second);
	if (tlb->nr_second)
		read_number(r, cfg_need(r->cfg, group, "l2_cycles"), 0, MOST_CYCLES,
			    &tlb->second_cycles);
	read_number(r, cfg_need(r->cfg, group, "walk_cycles"), 0, MOST_CYCLES, &tlb->walk_cycles);
	read_number(r, cfg_find(r->cfg, group, "tables"), 0, MOST_TABLES, &tlb->table_entries);
	read_number(r, cfg_find(r->cfg, group, "spaces"), 1, MOST_SPACES, &tlb->spaces);
	for (int i = 0; i < tlb->nr_first; i++)
		single |= has_size(&tlb->first[i], r->arch->page_shift);
	if (!cfg_status(r->cfg) && !single)
		cfg_error(r->cfg, cfg_find(r->cfg, group, "l1"),
			  "no array has pages of %dKiB, the smallest",
			  1 << (r->arch->page_shift - 10));
}

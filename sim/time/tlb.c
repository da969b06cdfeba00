/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tags and LRU of the TLBs. A set is kept in the order of use, the latest first. A tag has a number
 * of the space in its CPU instead of the space: to forget the space is to number it anew, and what
 * has a number that no space has is as good as empty.
 */
#include "sim/time/tlb.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct tag {
	uint64_t page; /* address >> shift */
	uint64_t who;  /* number of the space << SHIFT_BITS | shift; 0: empty */
};

#define SHIFT_BITS 6

/* A space that a CPU has translations of. */
struct known {
	uint64_t space; /* 0: the place is free */
	uint64_t number;
};

struct array {
	const struct machine_tlb_array *conf;
	unsigned nr_sets;
	struct tag *tags; /* nr_sets * ways */
};

struct core {
	struct tag *tags; /* of all arrays; NULL before the first access */
	struct array first[MACHINE_TLB_ARRAYS], second[MACHINE_TLB_ARRAYS];
	struct tag *tables;   /* entries of upper tables, one set */
	uint64_t kernel;      /* number of the kernel's space */
	uint64_t last_number; /* that was given out */
	struct tag latest;    /* looked up last, and found in the first level */
	struct known *known;  /* [thread * spaces], the latest used first */
	int nr_threads;
};

struct tlb {
	const struct machine *machine;  /* (C) borrowed */
	const struct machine_tlb *conf; /* (C) of it */
	struct core *cores;             /* by the number of their first CPU */
	int *thread;                    /* (C) by CPU: which one of its core */
};

int tlb_create(const struct machine *m, struct tlb **out)
{
	size_t nr = (size_t)m->mm.nr_cpus;
	struct tlb *t;

	*out = NULL;
	if (!m->tlb.nr_first)
		return 0;
	t = calloc(1, sizeof(*t));
	if (!t)
		return -ENOMEM;
	t->machine = m;
	t->conf = &m->tlb;
	t->cores = calloc(nr, sizeof(*t->cores));
	t->thread = calloc(nr, sizeof(*t->thread));
	if (!t->cores || !t->thread) {
		tlb_free(t);
		return -ENOMEM;
	}
	for (int cpu = 0; cpu < m->mm.nr_cpus; cpu++)
		t->thread[cpu] = t->cores[m->cpus[cpu].core].nr_threads++;
	*out = t;
	return 0;
}

void tlb_free(struct tlb *t)
{
	if (!t)
		return;
	for (int cpu = 0; t->cores && cpu < t->machine->mm.nr_cpus; cpu++) {
		free(t->cores[cpu].tags);
		free(t->cores[cpu].known);
	}
	free(t->cores);
	free(t->thread);
	free(t);
}

static struct tag *lay_out(struct array *arrays, const struct machine_tlb_array *conf, int nr,
			   struct tag *tags)
{
	for (int i = 0; i < nr; i++) {
		arrays[i] = (struct array){&conf[i], conf[i].entries / conf[i].ways, tags};
		tags += conf[i].entries;
	}
	return tags;
}

/* Its memory, at the first access. */
static int open_core(const struct tlb *t, struct core *core)
{
	size_t nr = t->conf->table_entries + 1;
	struct tag *next;

	for (int i = 0; i < t->conf->nr_first; i++)
		nr += t->conf->first[i].entries;
	for (int i = 0; i < t->conf->nr_second; i++)
		nr += t->conf->second[i].entries;
	core->tags = calloc(nr, sizeof(*core->tags));
	core->known = calloc((size_t)core->nr_threads * t->conf->spaces, sizeof(*core->known));
	if (!core->tags || !core->known) {
		free(core->tags);
		free(core->known);
		core->tags = NULL;
		core->known = NULL;
		return -ENOMEM;
	}
	next = lay_out(core->first, t->conf->first, t->conf->nr_first, core->tags);
	core->tables = lay_out(core->second, t->conf->second, t->conf->nr_second, next);
	core->kernel = core->last_number = 1;
	return 0;
}

static struct core *core_of(const struct tlb *t, int cpu)
{
	return &t->cores[t->machine->cpus[cpu].core];
}

static struct known *known_of(const struct tlb *t, const struct core *core, int cpu)
{
	return &core->known[(size_t)t->thread[cpu] * t->conf->spaces];
}

/* The number of the space in that CPU; one that it does not know takes the place of the one that it
 * has not run for the longest time. */
static uint64_t number_of(const struct tlb *t, struct core *core, int cpu, uint64_t space)
{
	struct known *k = known_of(t, core, cpu), found;
	unsigned i;

	if (space == TLB_KERNEL)
		return core->kernel;
	if (k[0].space == space)
		return k[0].number;
	for (i = 1; i < t->conf->spaces && k[i].space != space; i++)
		;
	if (i < t->conf->spaces)
		found = k[i];
	else
		found = (struct known){space, ++core->last_number};
	if (i == t->conf->spaces)
		i--;
	memmove(k + 1, k, i * sizeof(*k));
	k[0] = found;
	return found.number;
}

/* Does any space of the core have that number? */
static bool is_alive(const struct tlb *t, const struct core *core, const struct tag *tag)
{
	uint64_t number = tag->who >> SHIFT_BITS;

	if (number == core->kernel)
		return true;
	for (unsigned i = 0; i < (unsigned)core->nr_threads * t->conf->spaces; i++)
		if (core->known[i].space && core->known[i].number == number)
			return true;
	return false;
}

static struct tag tag_of(uint64_t number, uint64_t address, unsigned shift)
{
	return (struct tag){address >> shift, number << SHIFT_BITS | shift};
}

static bool is_same(const struct tag *a, const struct tag *b)
{
	return a->page == b->page && a->who == b->who;
}

static void set_latest(struct tag *set, unsigned way, struct tag tag)
{
	memmove(set + 1, set, way * sizeof(*set));
	set[0] = tag;
}

static bool find(struct tag *set, unsigned ways, struct tag tag)
{
	for (unsigned way = 0; way < ways; way++)
		if (is_same(&set[way], &tag)) {
			set_latest(set, way, tag);
			return true;
		}
	return false;
}

/* In the place of what nobody has any more, or else was used the longest ago. */
static void insert(const struct tlb *t, const struct core *core, struct tag *set, unsigned ways,
		   struct tag tag)
{
	unsigned way = ways - 1;

	for (unsigned i = 0; i < ways; i++)
		if (!set[i].who || !is_alive(t, core, &set[i]))
			way = i;
	set_latest(set, way, tag);
}

static struct tag *set_of(const struct array *a, uint64_t page)
{
	return a->tags + page % a->nr_sets * a->conf->ways;
}

/* Pages of all sizes are looked for at once. The one that is found, or a tag with `who` 0. */
static struct tag look_in(const struct array *arrays, int nr, uint64_t number, uint64_t address)
{
	for (int i = 0; i < nr; i++)
		for (int j = 0; j < arrays[i].conf->nr_shifts; j++) {
			struct tag tag = tag_of(number, address, arrays[i].conf->shifts[j]);

			if (find(set_of(&arrays[i], tag.page), arrays[i].conf->ways, tag))
				return tag;
		}
	return (struct tag){0};
}

/* The array that has pages of that size; NULL. */
static const struct array *array_for(const struct array *arrays, int nr, unsigned shift)
{
	for (int i = 0; i < nr; i++)
		for (int j = 0; j < arrays[i].conf->nr_shifts; j++)
			if (arrays[i].conf->shifts[j] == shift)
				return &arrays[i];
	return NULL;
}

static void insert_in(const struct tlb *t, const struct core *core, const struct array *a,
		      struct tag tag)
{
	insert(t, core, set_of(a, tag.page), a->conf->ways, tag);
}

static unsigned shift_of(const struct tag *tag)
{
	return tag->who & ((1u << SHIFT_BITS) - 1);
}

int tlb_look(struct tlb *t, int cpu, uint64_t space, uint64_t address, unsigned *shift)
{
	struct core *core = core_of(t, cpu);
	uint64_t number;
	struct tag tag;

	if (!core->tags && open_core(t, core))
		return -ENOMEM;
	number = number_of(t, core, cpu, space);
	*shift = shift_of(&core->latest);
	/* Once more is no change to the order of use. */
	if (core->latest.who >> SHIFT_BITS == number && address >> *shift == core->latest.page)
		return TLB_FIRST;
	tag = look_in(core->first, t->conf->nr_first, number, address);
	*shift = shift_of(&tag);
	if (tag.who) {
		core->latest = tag;
		return TLB_FIRST;
	}
	tag = look_in(core->second, t->conf->nr_second, number, address);
	if (!tag.who)
		return TLB_MISS;
	*shift = shift_of(&tag);
	insert_in(t, core, array_for(core->first, t->conf->nr_first, *shift), tag);
	core->latest = tag;
	return TLB_SECOND;
}

/* The largest pages that the first level has and that are not larger than that. */
static unsigned piece_shift(const struct tlb *t, unsigned shift)
{
	unsigned best = 0;

	for (int i = 0; i < t->conf->nr_first; i++)
		for (int j = 0; j < t->conf->first[i].nr_shifts; j++) {
			unsigned is = t->conf->first[i].shifts[j];

			if (is <= shift && is > best)
				best = is;
		}
	return best;
}

unsigned tlb_fill(struct tlb *t, int cpu, uint64_t space, uint64_t address, unsigned shift)
{
	struct core *core = core_of(t, cpu);
	unsigned piece = piece_shift(t, shift);
	struct tag tag = tag_of(number_of(t, core, cpu, space), address, piece);
	const struct array *second = array_for(core->second, t->conf->nr_second, piece);

	insert_in(t, core, array_for(core->first, t->conf->nr_first, piece), tag);
	if (second)
		insert_in(t, core, second, tag);
	core->latest = tag;
	return piece;
}

bool tlb_table(struct tlb *t, int cpu, uint64_t space, uint64_t address, unsigned shift)
{
	struct core *core = core_of(t, cpu);
	struct tag tag = tag_of(number_of(t, core, cpu, space), address, shift);

	if (!t->conf->table_entries)
		return false;
	if (find(core->tables, t->conf->table_entries, tag))
		return true;
	insert(t, core, core->tables, t->conf->table_entries, tag);
	return false;
}

/* Where it does, what is left moves up: the order of use stays. */
static void drop_matching(struct tag *set, unsigned ways, uint64_t who, uint64_t first,
			  uint64_t last)
{
	unsigned kept = 0;

	for (unsigned way = 0; way < ways; way++)
		if (set[way].who != who || set[way].page < first || set[way].page > last)
			set[kept++] = set[way];
	memset(&set[kept], 0, (ways - kept) * sizeof(*set));
}

static void drop_range(const struct array *arrays, int nr, uint64_t number, uint64_t start,
		       uint64_t last)
{
	for (int i = 0; i < nr; i++)
		for (int j = 0; j < arrays[i].conf->nr_shifts; j++) {
			const struct array *a = &arrays[i];
			unsigned shift = a->conf->shifts[j];
			uint64_t from = start >> shift, to = last >> shift;

			for (uint64_t set = 0; set < a->nr_sets && set <= to - from; set++)
				drop_matching(set_of(a, from + set), a->conf->ways,
					      number << SHIFT_BITS | shift, from, to);
		}
}

void tlb_forget(struct tlb *t, int cpu, uint64_t space, uint64_t start, uint64_t end)
{
	struct core *core = core_of(t, cpu);
	uint64_t number = core->kernel;

	if (!core->tags || start >= end)
		return;
	if (space != TLB_KERNEL) {
		const struct known *k = known_of(t, core, cpu);
		unsigned i = 0;

		while (i < t->conf->spaces && k[i].space != space)
			i++;
		if (i == t->conf->spaces)
			return;
		number = k[i].number;
	}
	core->latest = (struct tag){0};
	drop_range(core->first, t->conf->nr_first, number, start, end - 1);
	drop_range(core->second, t->conf->nr_second, number, start, end - 1);
	for (unsigned i = 0; i < t->conf->table_entries; i++)
		if (core->tables[i].who >> SHIFT_BITS == number)
			drop_matching(&core->tables[i], 1, core->tables[i].who, 0, UINT64_MAX);
}

void tlb_forget_space(struct tlb *t, int cpu, uint64_t space)
{
	struct core *core = core_of(t, cpu);
	unsigned nr = t->conf->spaces;
	struct known *k;

	if (!core->tags)
		return;
	core->latest = (struct tag){0};
	if (space == TLB_KERNEL) {
		core->kernel = ++core->last_number;
		memset(core->known, 0, (size_t)core->nr_threads * nr * sizeof(*core->known));
		return;
	}
	k = known_of(t, core, cpu);
	for (unsigned i = 0; i < nr; i++)
		if (k[i].space == space) {
			memmove(k + i, k + i + 1, (nr - 1 - i) * sizeof(*k));
			k[nr - 1] = (struct known){0};
			return;
		}
}

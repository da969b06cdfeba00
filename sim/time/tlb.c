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

/* A space that a CPU has translations of. */
struct known {
	uint64_t space; /* 0: the place is free */
	uint64_t number;
};

#define NO_MASK UINT64_MAX

struct array {
	const struct machine_tlb_array *conf;
	unsigned nr_sets;
	uint64_t mask;        /* of a page, to its set; NO_MASK: nr_sets is no power of two */
	struct tlb_tag *tags; /* nr_sets * ways */
};

struct core {
	struct tlb_tag *tags; /* of all arrays; NULL before the first access */
	struct array first[MACHINE_TLB_ARRAYS], second[MACHINE_TLB_ARRAYS];
	struct tlb_tag *tables; /* entries of upper tables, one set */
	uint64_t kernel;        /* number of the kernel's space */
	uint64_t last_number;   /* that was given out */
	struct tlb_tag latest;  /* looked up last, and found in the first level */
	struct known *known;    /* [thread * spaces], the latest used first */
	int nr_threads;
	struct tlb_hand hand;
};

struct tlb {
	const struct machine *machine;  /* (C) borrowed */
	const struct machine_tlb *conf; /* (C) of it */
	struct core *cores;             /* by the number of their first CPU */
	int *thread;                    /* (C) by CPU: which one of its core */
	int *users, nr_users;           /* CPUs whose cores have tags */
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
	t->users = calloc(nr, sizeof(*t->users));
	if (!t->cores || !t->thread || !t->users) {
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
	free(t->users);
	free(t);
}

static struct tlb_tag *lay_out(struct array *arrays, const struct machine_tlb_array *conf, int nr,
			       struct tlb_tag *tags)
{
	for (int i = 0; i < nr; i++) {
		unsigned nr_sets = conf[i].entries / conf[i].ways;

		arrays[i] = (struct array){&conf[i], nr_sets,
					   nr_sets & (nr_sets - 1) ? NO_MASK : nr_sets - 1, tags};
		tags += conf[i].entries;
	}
	return tags;
}

/* Its memory, at the first access. */
static int open_core(struct tlb *t, struct core *core)
{
	size_t nr = t->conf->table_entries + 1;
	struct tlb_tag *next;

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
	for (int cpu = 0; cpu < t->machine->mm.nr_cpus; cpu++)
		if (&t->cores[t->machine->cpus[cpu].core] == core)
			t->users[t->nr_users++] = cpu;
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
static bool is_alive(const struct tlb *t, const struct core *core, const struct tlb_tag *tag)
{
	uint64_t number = tag->who >> TLB_SHIFT_BITS;

	if (number == core->kernel)
		return true;
	for (unsigned i = 0; i < (unsigned)core->nr_threads * t->conf->spaces; i++)
		if (core->known[i].space && core->known[i].number == number)
			return true;
	return false;
}

static struct tlb_tag tag_of(uint64_t number, uint64_t address, unsigned shift)
{
	return (struct tlb_tag){address >> shift, number << TLB_SHIFT_BITS | shift};
}

static bool is_same(const struct tlb_tag *a, const struct tlb_tag *b)
{
	return a->page == b->page && a->who == b->who;
}

static void set_latest(struct tlb_tag *set, unsigned way, struct tlb_tag tag)
{
	memmove(set + 1, set, way * sizeof(*set));
	set[0] = tag;
}

static bool find(struct tlb_tag *set, unsigned ways, struct tlb_tag tag)
{
	if (is_same(&set[0], &tag))
		return true;
	for (unsigned way = 1; way < ways; way++)
		if (is_same(&set[way], &tag)) {
			set_latest(set, way, tag);
			return true;
		}
	return false;
}

/* In the place of what nobody has any more, or else was used the longest ago. */
static void insert(const struct tlb *t, const struct core *core, struct tlb_tag *set, unsigned ways,
		   struct tlb_tag tag)
{
	unsigned way = ways - 1;

	for (unsigned i = 0; i < ways; i++)
		if (!set[i].who || !is_alive(t, core, &set[i]))
			way = i;
	set_latest(set, way, tag);
}

static struct tlb_tag *set_of(const struct array *a, uint64_t page)
{
	return a->tags + (a->mask != NO_MASK ? page & a->mask : page % a->nr_sets) * a->conf->ways;
}

/* Pages of all sizes are looked for at once. The tag that is found, latest of its set; NULL. */
static struct tlb_tag *look_in(const struct array *arrays, int nr, uint64_t number,
			       uint64_t address)
{
	for (int i = 0; i < nr; i++)
		for (int j = 0; j < arrays[i].conf->nr_shifts; j++) {
			struct tlb_tag tag = tag_of(number, address, arrays[i].conf->shifts[j]);
			struct tlb_tag *set = set_of(&arrays[i], tag.page);

			if (find(set, arrays[i].conf->ways, tag))
				return set;
		}
	return NULL;
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

/* Returns where it is now, latest of its set. */
static struct tlb_tag *insert_in(const struct tlb *t, const struct core *core,
				 const struct array *a, struct tlb_tag tag)
{
	struct tlb_tag *set = set_of(a, tag.page);

	insert(t, core, set, a->conf->ways, tag);
	return set;
}

/* It is the latest used of the first level, by that address. */
static void found_first(const struct tlb *t, struct core *core, uint64_t space, uint64_t address,
			struct tlb_tag *front)
{
	unsigned shift = tlb_shift_of(front), hand = TLB_PAGE_SHIFT;
	struct tlb_found *f = &core->hand.small[tlb_hand_index(address, TLB_PAGE_SHIFT)];

	core->latest = *front;
	if (space != TLB_KERNEL)
		return;
	if (shift >= TLB_HAND_SHIFT) {
		hand = TLB_HAND_SHIFT;
		f = &core->hand.large[tlb_hand_index(address, TLB_HAND_SHIFT)];
	}
	*f = (struct tlb_found){
		.piece = (address >> hand) + 1,
		.front = front,
		.tag = *front,
		.ways = array_for(core->first, t->conf->nr_first, shift)->conf->ways,
	};
}

const struct tlb_hand *tlb_hand(const struct tlb *t, int cpu)
{
	return &core_of(t, cpu)->hand;
}

static bool find_again(struct core *core, const struct tlb_found *f, uint64_t last, unsigned shift)
{
	if (!tlb_found_at(f, last, shift) || !find(f->front, f->ways, f->tag))
		return false;
	core->latest = f->tag;
	return true;
}

bool tlb_again(const struct tlb *t, int cpu, uint64_t first, uint64_t last)
{
	struct core *core = core_of(t, cpu);
	const struct tlb_found *f = &core->hand.large[tlb_hand_index(first, TLB_HAND_SHIFT)];

	if (tlb_found_at(f, first, TLB_HAND_SHIFT))
		return find_again(core, f, last, TLB_HAND_SHIFT);
	f = &core->hand.small[tlb_hand_index(first, TLB_PAGE_SHIFT)];
	return tlb_found_at(f, first, TLB_PAGE_SHIFT) && find_again(core, f, last, TLB_PAGE_SHIFT);
}

int tlb_look(struct tlb *t, int cpu, uint64_t space, uint64_t address, unsigned *shift)
{
	struct core *core = core_of(t, cpu);
	struct tlb_tag *front, tag;
	uint64_t number;

	if (!core->tags && open_core(t, core))
		return -ENOMEM;
	number = number_of(t, core, cpu, space);
	*shift = tlb_shift_of(&core->latest);
	/* Once more is no change to the order of use. */
	if (core->latest.who >> TLB_SHIFT_BITS == number && address >> *shift == core->latest.page)
		return TLB_FIRST;
	front = look_in(core->first, t->conf->nr_first, number, address);
	if (front) {
		*shift = tlb_shift_of(front);
		found_first(t, core, space, address, front);
		return TLB_FIRST;
	}
	front = look_in(core->second, t->conf->nr_second, number, address);
	if (!front) {
		*shift = 0;
		return TLB_MISS;
	}
	tag = *front;
	*shift = tlb_shift_of(&tag);
	front = insert_in(t, core, array_for(core->first, t->conf->nr_first, *shift), tag);
	found_first(t, core, space, address, front);
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
	struct tlb_tag tag = tag_of(number_of(t, core, cpu, space), address, piece);
	const struct array *second = array_for(core->second, t->conf->nr_second, piece);

	found_first(t, core, space, address,
		    insert_in(t, core, array_for(core->first, t->conf->nr_first, piece), tag));
	if (second)
		insert_in(t, core, second, tag);
	return piece;
}

bool tlb_table(struct tlb *t, int cpu, uint64_t space, uint64_t address, unsigned shift)
{
	struct core *core = core_of(t, cpu);
	struct tlb_tag tag = tag_of(number_of(t, core, cpu, space), address, shift);

	if (!t->conf->table_entries)
		return false;
	if (find(core->tables, t->conf->table_entries, tag))
		return true;
	insert(t, core, core->tables, t->conf->table_entries, tag);
	return false;
}

/* Where it does, what is left moves up: the order of use stays. */
static void drop_matching(struct tlb_tag *set, unsigned ways, uint64_t who, uint64_t first,
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
					      number << TLB_SHIFT_BITS | shift, from, to);
		}
}

int tlb_users(const struct tlb *t, const int **cpus)
{
	*cpus = t->users;
	return t->nr_users;
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
	core->latest = (struct tlb_tag){0};
	drop_range(core->first, t->conf->nr_first, number, start, end - 1);
	drop_range(core->second, t->conf->nr_second, number, start, end - 1);
	for (unsigned i = 0; i < t->conf->table_entries; i++)
		if (core->tables[i].who >> TLB_SHIFT_BITS == number)
			drop_matching(&core->tables[i], 1, core->tables[i].who, 0, UINT64_MAX);
}

void tlb_forget_space(struct tlb *t, int cpu, uint64_t space)
{
	struct core *core = core_of(t, cpu);
	unsigned nr = t->conf->spaces;
	struct known *k;

	if (!core->tags)
		return;
	core->latest = (struct tlb_tag){0};
	if (space == TLB_KERNEL) {
		core->kernel = ++core->last_number;
		core->hand = (struct tlb_hand){0};
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

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What it costs to get from an address to memory, where the machine describes a TLB: nothing on a
 * hit in its first level, cycles on one in the second. On a miss the page tables are walked from
 * the last entry on that the CPU has at hand, and each entry that is read is an access to where the
 * table is: through the caches, or to the bank of its node. All of it belongs to one cause.
 *
 * A walk sets no accessed and no dirty bit: what that writes is left out.
 */
#include "mm/user/user.h"
#include "mm/walk.h"
#include "sim/time/internal.h"

/* Programs whose page tables are not kept share what would be a space; mm_space_id() is smaller. */
#define SPACE_OF_PROGRAMS UINT64_MAX
#define MOST_SHIFT        63

/* What a store that nothing waits for bears of it: those in the store buffer overlap. */
static void charge(struct cpu *c, uint64_t ps, bool stored)
{
	cpu_charge_translation(c, stored ? ps / c->fill_buffers : ps);
}

static void from_memory(struct sim *s, struct cpu *c, phys_addr_t at, uint64_t bytes, bool stored)
{
	struct bank_place place = sim_bank_of(s, sim_range_of(s, c, at), at);

	c->account.nodes[place.bank].walk_misses++;
	cpu_charge_memory(c, &(struct cpu_memory_charge){
				     .bank = place.bank,
				     .at = place.at,
				     .purpose = CPU_WALK,
				     .nr_latencies = 1,
				     .overlapped = stored ? c->fill_buffers : 1,
				     .bytes_read = bytes,
			     });
}

/* The walker reads through the CPU's own caches, and asks no prefetcher. */
static void read_entry(struct sim *s, struct cpu *c, phys_addr_t at, unsigned bytes, bool stored)
{
	const struct machine *m = s->machine;
	struct cache_result result;
	int err;

	c->account.walk_reads++;
	if (!s->cache) {
		from_memory(s, c, at, bytes, stored);
		return;
	}
	err = cache_access(s->cache, c->id, at >> s->line_shift, false, &result);
	if (err)
		s->error = err;
	if (result.owner != MM_NO_CPU) {
		c->account.line_transfers++;
		charge(c, cost_sink_transfer_ps(s, c, result.owner, at), stored);
	} else if (result.level < m->nr_caches) {
		charge(c, m->caches[result.level].latency_ps, stored);
	} else {
		from_memory(s, c, at, m->cache_line_bytes, stored);
	}
	if (result.wrote_back)
		cost_sink_write_back(s, c, result.victim);
}

/* Entries of upper tables that are at hand are not read, nor are those above them. */
static void walk_tables(struct sim *s, struct cpu *c, uint64_t space, uint64_t address,
			const struct mm_walk *walk, bool stored)
{
	unsigned first = 0;

	c->account.tlb_walks++;
	charge(c, c->walk_ps, stored);
	for (unsigned i = 0; i + 1 < walk->nr; i++)
		if (tlb_table(s->tlb, c->id, space, address, walk->entries[i].shift))
			first = i + 1;
	for (unsigned i = first; i < walk->nr; i++)
		read_entry(s, c, walk->entries[i].at, walk->entry_bytes, stored);
}

/* Whether it has to be walked for; else *shift is log2 of the page that it is in. */
static bool look(struct sim *s, struct cpu *c, uint64_t space, uint64_t address, unsigned *shift,
		 bool stored)
{
	int result = tlb_look(s->tlb, c->id, space, address, shift);

	if (result == TLB_FIRST) {
		c->account.tlb_hits++;
	} else if (result == TLB_SECOND) {
		c->account.tlb_second_hits++;
		charge(c, c->second_tlb_ps, stored);
	} else if (result < 0) {
		s->error = result;
		*shift = MOST_SHIFT;
	}
	return result == TLB_MISS;
}

static unsigned page_shift(const struct sim *s)
{
	return mm_get_arch(s->mm)->page_shift;
}

/* High memory has no address: it is mapped for the occasion, and unmapped again. */
static void translate_high(struct sim *s, struct cpu *c, uint64_t bytes)
{
	const struct mm_walk unknown = {0};

	for (uint64_t pages = (bytes - 1) >> page_shift(s);; pages--) {
		walk_tables(s, c, TLB_KERNEL, 0, &unknown, false);
		if (!pages)
			break;
	}
}

void translate_kernel(struct sim *s, struct cpu *c, uint64_t address, uint64_t bytes,
		      enum mm_access kind)
{
	bool stored = !access_waits(kind) && c->fill_buffers;
	uint64_t next = address, end = next + bytes;

	if (!next) {
		translate_high(s, c, bytes);
		return;
	}
	while (next < end) {
		unsigned shift;
		struct mm_walk walk;

		if (look(s, c, TLB_KERNEL, next, &shift, stored)) {
			mm_kernel_walk(s->mm, next, &walk);
			walk_tables(s, c, TLB_KERNEL, next, &walk, stored);
			shift = walk.shift ? tlb_fill(s->tlb, c->id, TLB_KERNEL, next, walk.shift)
					   : page_shift(s);
		}
		next = (next | ((UINT64_C(1) << shift) - 1)) + 1;
	}
}

void translate_mapped(struct sim *s, struct cpu *c, const struct sim_mapping *mapping)
{
	uint64_t space = mapping->space ? mm_space_id(mapping->space) : SPACE_OF_PROGRAMS;
	struct mm_walk walk = {.shift = mapping->shift};
	unsigned shift;

	if (!look(s, c, space, mapping->address, &shift, false))
		return;
	if (mapping->space)
		mm_user_walk(s->mm, mapping->space, mapping->address, &walk);
	walk_tables(s, c, space, mapping->address, &walk, false);
	if (walk.shift)
		tlb_fill(s->tlb, c->id, space, mapping->address, walk.shift);
}

/*
 * A CPU that does not run the space is not interrupted: it finds out when it runs it again that it
 * has missed something, and drops all that it has of it (tlb_gen of x86).
 */
static void forget_on(struct sim *s, int cpu, int by, const struct mm_forget *what)
{
	uint64_t space = what->space ? mm_space_id(what->space) : TLB_KERNEL;
	bool all = what->start == 0 && what->end == UINT64_MAX;

	if (all || (what->space && cpu != by && !mm_space_runs_on(s->mm, what->space, cpu)))
		tlb_forget_space(s->tlb, cpu, space);
	else
		tlb_forget(s->tlb, cpu, space, what->start, what->end);
}

void translate_forget(struct sim *s, int cpu, const struct mm_forget *what)
{
	const int *users;
	int nr = tlb_users(s->tlb, &users);

	for (int i = 0; i < nr; i++)
		if (!what->own || users[i] == cpu)
			forget_on(s, users[i], cpu, what);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What translations take, against closed forms. The machine is machine_builder.h's: 60 ns and 20
 * B/ns a bank, 40 ns and 10 B/ns a link, 2 GHz, no caches: an entry of a page table is 60 ns and 8
 * B at 20 B/ns, 60.4 ns, or from the other node 100.8 ns. A hit in the second level takes 10
 * cycles, 5 ns; a walk 20 cycles, 10 ns, and the entries that it reads.
 */
#include <criterion/criterion.h>

#include "mm/user/user.h"
#include "mm/vmalloc/vmalloc.h"
#include "tests/machine_builder.h"

#define PAGE   UINT64_C(4096)
#define HUGE   (UINT64_C(2) << 20)
#define SECOND 5000
#define WALK   10000
#define LOCAL  60400
#define REMOTE 100800
#define PAGES  12 /* more than the second level has */

static const struct machine_tlb tlb = {
	.first = {{{12}, 1, 4, 4}, {{21}, 1, 4, 4}},
	.nr_first = 2,
	.second = {{{12}, 1, 8, 8}},
	.nr_second = 1,
	.second_cycles = 10,
	.walk_cycles = 20,
	.table_entries = 8,
	.spaces = 2,
};

static const struct costs no_costs;

struct program {
	void (*run)(struct sim *s, int cpu, struct program *p);
	const struct mm_policy *policy;
	bool huge;
	struct mm_space *space;
	uint64_t at; /* of PAGES pages, all there */
};

/* Load 8 bytes at the address; what its translation took. */
static uint64_t load_ps(struct sim *s, int cpu, struct program *p, uint64_t address)
{
	const struct cpu_account *a = sim_account(s, cpu);
	uint64_t before;
	phys_addr_t phys;

	cr_assert_geq(mm_user_access(sim_mm(s), cpu, p->space, address, false, &phys), 0);
	sim_settle(s, cpu);
	before = a->cause_ps[CAUSE_TLB];
	sim_touch_mapped(s, cpu, &(struct sim_mapping){.space = p->space, .address = address}, phys,
			 8, false);
	sim_settle(s, cpu);
	return a->cause_ps[CAUSE_TLB] - before;
}

static void main_of(struct sim *s, int cpu, void *arg)
{
	struct program *p = arg;
	const struct mm_mmap_args args = {.bytes = p->huge ? 2 * HUGE : PAGES * PAGE};
	phys_addr_t phys;

	cr_assert_eq(mm_space_new(sim_mm(s), cpu, "a", p->policy, &p->space), 0);
	mm_space_run(sim_mm(s), cpu, p->space);
	cr_assert_eq(mm_mmap(sim_mm(s), cpu, p->space, &args, &p->at), 0);
	for (uint64_t i = 0; i < PAGES; i++)
		cr_assert_geq(
			mm_user_access(sim_mm(s), cpu, p->space, p->at + i * PAGE, true, &phys), 0);
	p->run(s, cpu, p);
}

static void run_on(struct machine *m, struct program *p)
{
	struct diag diag = DIAG_INIT;
	struct sim *s = NULL;

	m->mm.params.thp = p->huge ? MM_THP_ALWAYS : MM_THP_NEVER;
	cr_assert_eq(sim_create(m, &no_costs, &diag, &s), 0, "%s", diag.error.text);
	cr_assert_eq(sim_spawn(s, 0, main_of, p), 0);
	cr_assert_eq(sim_run(s), 0);
	sim_destroy(s);
	built_free(m);
}

static void run(struct program *p)
{
	struct machine *m = build_machine(2, 1);

	m->tlb = tlb;
	run_on(m, p);
}

/* The first walk reads the entries of four levels, the next one that of the last. */
static void first_and_next(struct sim *s, int cpu, struct program *p)
{
	uint64_t entry = p->policy ? REMOTE : LOCAL;
	const uint64_t *from = &sim_account(s, cpu)->nodes[p->policy ? 1 : 0].walk_misses,
		       before = *from;

	cr_expect_eq(load_ps(s, cpu, p, p->at), WALK + 4 * entry);
	cr_expect_eq(load_ps(s, cpu, p, p->at), 0);
	cr_expect_eq(load_ps(s, cpu, p, p->at + PAGE), WALK + entry);
	cr_expect_eq(*from - before, 5);
}

Test(translation, walks_read_what_is_not_at_hand)
{
	run(&(struct program){.run = first_and_next});
}

Test(translation, page_tables_of_another_node_are_read_there)
{
	struct mm_policy bind = {.mode = MM_POLICY_BIND, .home_nid = MM_NO_NODE};

	mm_nodemask_set(&bind.nodes, 1);
	run(&(struct program){.run = first_and_next, .policy = &bind});
}

/* Three levels, and one entry for all of it. */
static void huge(struct sim *s, int cpu, struct program *p)
{
	cr_expect_eq(load_ps(s, cpu, p, p->at), WALK + 3 * LOCAL);
	cr_expect_eq(load_ps(s, cpu, p, p->at + HUGE - 8), 0);
}

Test(translation, huge_pages_need_one_level_less)
{
	run(&(struct program){.run = huge, .huge = true});
}

/* 4 of 8 pages are in the first level, never those that come next: each hits in the second. Of 12,
 * none does. */
static void reach(struct sim *s, int cpu, struct program *p)
{
	for (uint64_t i = 0; i < 8; i++)
		load_ps(s, cpu, p, p->at + i * PAGE);
	for (uint64_t i = 0; i < 8; i++)
		cr_expect_eq(load_ps(s, cpu, p, p->at + i * PAGE), SECOND);
	for (uint64_t i = 0; i < 12; i++)
		load_ps(s, cpu, p, p->at + i * PAGE);
	for (uint64_t i = 0; i < 12; i++)
		cr_expect_eq(load_ps(s, cpu, p, p->at + i * PAGE), WALK + LOCAL);
}

Test(translation, what_is_beyond_reach)
{
	run(&(struct program){.run = reach});
}

/* Unmapped and mapped again at the same address, moved, made read-only by fork: walked for again.
 */
static void flushes(struct sim *s, int cpu, struct program *p)
{
	struct mm *mm = sim_mm(s);
	const struct mm_mmap_args args = {.bytes = PAGES * PAGE};
	struct mm_space *child;
	uint64_t again;

	load_ps(s, cpu, p, p->at);
	cr_expect_eq(mm_space_migrate(mm, cpu, p->space, 1), 0);
	cr_expect_neq(load_ps(s, cpu, p, p->at), 0, "moved");
	cr_expect_eq(load_ps(s, cpu, p, p->at), 0);
	cr_assert_eq(mm_space_fork(mm, cpu, p->space, "b", &child), 0);
	cr_expect_neq(load_ps(s, cpu, p, p->at), 0, "forked");
	mm_space_exit(mm, cpu, child);
	load_ps(s, cpu, p, p->at);
	cr_assert_eq(mm_munmap(mm, cpu, p->space, p->at, PAGES * PAGE), 0);
	cr_assert_eq(mm_mmap(mm, cpu, p->space, &args, &again), 0);
	cr_assert_eq(again, p->at);
	cr_expect_neq(load_ps(s, cpu, p, p->at), 0, "unmapped");
}

Test(translation, what_is_flushed_is_walked_for_again)
{
	run(&(struct program){.run = flushes});
}

/* The machine's two times 256 MiB are mapped by pages of 2 MiB, whose tables have no home. */
static void direct_mapping(struct sim *s, int cpu, struct program *p)
{
	const struct cpu_account *a = sim_account(s, cpu);
	uint64_t walks;

	(void)p;
	sim_touch(s, cpu, built_address(0), 8, false);
	walks = a->tlb_walks;
	sim_touch(s, cpu, built_address(0) + HUGE - 8, 8, false);
	cr_expect_eq(a->tlb_walks, walks);
	sim_settle(s, cpu);
	walks = a->cause_ps[CAUSE_TLB];
	sim_touch(s, cpu, built_address(0) + HUGE, 8, false);
	sim_settle(s, cpu);
	cr_expect_eq(a->cause_ps[CAUSE_TLB] - walks, WALK);
}

Test(translation, the_direct_mapping_has_large_pages)
{
	run(&(struct program){.run = direct_mapping});
}

/* A page table page of four levels maps the area; the kernel has the topmost one in its image. */
static void vmalloc_area(struct sim *s, int cpu, struct program *p)
{
	const struct mm_vmalloc_request req = {
		.cpu = cpu, .bytes = 2 * PAGE, .gfp = GFP_KERNEL, .nid = MM_NO_NODE};
	const struct cpu_account *a = sim_account(s, cpu);
	uint64_t at, before;

	(void)p;
	cr_assert_eq(mm_vmalloc(sim_mm(s), &req, &at), 0);
	for (uint64_t i = 0; i < 2; i++) {
		sim_settle(s, cpu);
		before = a->cause_ps[CAUSE_TLB];
		sim_touch_kernel(s, cpu, at + i * PAGE, mm_vmalloc_phys(sim_mm(s), at + i * PAGE),
				 8, true);
		sim_settle(s, cpu);
		cr_expect_eq(a->cause_ps[CAUSE_TLB] - before, WALK + (i ? 1 : 4) * LOCAL);
	}
}

Test(translation, the_vmalloc_area_has_pages_of_4_kib)
{
	run(&(struct program){.run = vmalloc_area});
}

/* A line of 64 B has the entries of 8 pages: 10 ns for the walk and 1 ns for a hit. */
static void cached(struct sim *s, int cpu, struct program *p)
{
	load_ps(s, cpu, p, p->at);
	for (uint64_t i = 1; i < 8 - (p->at / PAGE) % 8; i++)
		cr_expect_eq(load_ps(s, cpu, p, p->at + i * PAGE), WALK + 1000);
}

Test(translation, walks_read_through_the_caches)
{
	struct machine *m = build_machine(1, 1);

	m->tlb = tlb;
	build_cache(m, UINT64_C(1) << 20, 16, 1000, false);
	run_on(m, &(struct program){.run = cached});
}

static void untranslated(struct sim *s, int cpu, struct program *p)
{
	cr_expect_eq(load_ps(s, cpu, p, p->at), 0);
	cr_expect_eq(sim_account(s, cpu)->tlb_walks + sim_account(s, cpu)->tlb_hits, 0);
}

Test(translation, takes_nothing_where_no_tlb_is_described)
{
	run_on(build_machine(2, 1), &(struct program){.run = untranslated});
}

/* CPU 0 streams through 4 MiB from the middle of a huge page on: what its translations took. */
static uint64_t streamed_ps;

static void stream(struct sim *s, int cpu, void *arg)
{
	const struct cpu_account *a = sim_account(s, cpu);
	const struct sim_stream lines = {.at = built_address(0) + HUGE / 2, .bytes_read = 2 * HUGE};

	(void)arg;
	sim_stream(s, cpu, &lines);
	sim_stream(s, cpu, &lines);
	streamed_ps = a->cause_ps[CAUSE_TLB];
}

/* They are in three huge pages: walked for once, at hand when they are streamed through again. A
 * program's own page tables are not known: a walk takes its cycles. */
Test(translation, streams_walk_for_each_huge_page)
{
	struct diag diag = DIAG_INIT;
	struct machine *m = build_machine(2, 1);
	struct sim *s = NULL;

	m->tlb = tlb;
	cr_assert_eq(sim_create(m, &no_costs, &diag, &s), 0);
	cr_assert_eq(sim_spawn(s, 0, stream, NULL), 0);
	cr_assert_eq(sim_run(s), 0);
	cr_expect_eq(streamed_ps, 3 * WALK, "%llu", (unsigned long long)streamed_ps);
	sim_destroy(s);
	built_free(m);
}

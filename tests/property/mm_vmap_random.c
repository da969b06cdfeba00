/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random vmalloc, vfree, vmap, vunmap, kmap, kunmap and slots of CPUs on small machines, everything
 * verified as it goes, against a plain list of what there is: areas do not overlap, map what they
 * should, wrong addresses are refused, and when all is given back, no object of theirs is
 * left.
 *
 * NUMASIM_SEED and NUMASIM_OPS (operations a machine) come from the environment, if they are there.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>

#include "../mm_fixture.h"
#include "mm/vmalloc/kmap.h"
#include "mm/vmalloc/kmap_state.h"
#include "mm/vmalloc/vmalloc.h"
#include "mm/vmalloc/vmalloc_state.h"

#define AREAS 48
#define PAGES 700 /* more than the window of kmap() has entries */
#define PAGE  (4 * KiB)

static const struct machine machines[] = {
	{.model = MM_SPARSE_VMEMMAP, .memory = {{0, 48 * MiB, 0}}, .cpus = {2}},
	{.model = MM_SPARSE,
	 .memory = {{0, 32 * MiB, 0}, {32 * MiB, 32 * MiB, 1}},
	 .cpus = {1, 1},
	 .vm = {.la57 = true}},
	{.arch = MM_I386,
	 .memory = {{MiB, 23 * MiB, 0}, {880 * MiB, 24 * MiB, 0}},
	 .cpus = {2},
	 .vm = {.vmalloc_bytes = 16 * MiB}},
	{.arch = MM_I386_NOPAE,
	 .memory = {{MiB, 23 * MiB, 0}, {880 * MiB, 24 * MiB, 0}},
	 .cpus = {2}},
};

struct area {
	uint64_t at, bytes;
	struct page *pages[4]; /* of a vmap */
	unsigned nr_pages;     /* 0: vmalloc */
};

struct run {
	const struct machine *machine;
	struct mm *mm;
	uint64_t rng;
	struct area areas[AREAS];
	size_t nr_areas;
	struct page *pages[PAGES];
	unsigned mapped[PAGES]; /* how often by kmap() */
	size_t nr_pages;
	uint64_t slots[2][MM_KMAP_SLOTS];
	unsigned nr_slots[2];
};

static uint64_t below(struct run *r, uint64_t n)
{
	return random_below(&r->rng, n);
}

static int any_cpu(struct run *r)
{
	return (int)below(r, 2);
}

/* Apart from all others, guard page included. */
static void must_be_alone(const struct run *r, const struct area *a)
{
	for (size_t i = 0; i < r->nr_areas; i++) {
		const struct area *b = &r->areas[i];

		cr_assert(a->at + a->bytes <= b->at || b->at + b->bytes <= a->at,
			  "areas 0x%lx and 0x%lx overlap", a->at, b->at);
	}
}

static void do_vmalloc(struct run *r)
{
	struct mm_vmalloc_request req = {
		.cpu = any_cpu(r),
		.bytes = 1 + below(r, below(r, 8) ? 64 * KiB : 5 * MiB),
		.align = below(r, 4) ? 0 : PAGE << below(r, 6),
		.gfp = GFP_KERNEL | (below(r, 2) ? __GFP_ZERO : 0) | __GFP_NORETRY,
		.nid = below(r, 3) ? MM_NO_NODE : 0,
		.flags = below(r, 3) ? 0 : MM_VMALLOC_HUGE,
		.caller = "random",
	};
	struct area a = {0};

	if (r->nr_areas == AREAS)
		return;
	if (mm_vmalloc(r->mm, &req, &a.at))
		return;
	a.bytes = (req.bytes + PAGE - 1) / PAGE * PAGE + PAGE;
	cr_assert(!req.align || a.at % req.align == 0);
	for (uint64_t at = a.at; at < a.at + a.bytes - PAGE; at += PAGE)
		cr_assert_not_null(mm_vmalloc_to_page(r->mm, MM_NO_CPU, at));
	must_be_alone(r, &a);
	r->areas[r->nr_areas++] = a;
}

static void do_vmap(struct run *r)
{
	struct area a = {.nr_pages = 1 + (unsigned)below(r, 4)};

	if (r->nr_areas == AREAS)
		return;
	for (unsigned i = 0; i < a.nr_pages; i++) {
		a.pages[i] = alloc(r->mm, 0, 0, GFP_HIGHUSER | __GFP_NORETRY);
		if (!a.pages[i])
			a.nr_pages = i;
	}
	if (!a.nr_pages || mm_vmap(r->mm, 1, a.pages, a.nr_pages, "random", &a.at)) {
		for (unsigned i = 0; i < a.nr_pages; i++)
			mm_free_pages(r->mm, 0, a.pages[i], 0);
		return;
	}
	a.bytes = (a.nr_pages + 1) * PAGE;
	must_be_alone(r, &a);
	r->areas[r->nr_areas++] = a;
}

static void give_back(struct run *r, size_t i)
{
	struct area a = r->areas[i];
	int cpu = any_cpu(r);

	if (a.nr_pages) {
		cr_assert_eq(mm_vfree(r->mm, cpu, a.at, false), -EINVAL);
		cr_assert_eq(mm_vunmap(r->mm, cpu, a.at, false), 0);
	} else {
		cr_assert_eq(mm_vunmap(r->mm, cpu, a.at, false), -EINVAL);
		cr_assert_eq(mm_vfree(r->mm, cpu, a.at, below(r, 3) == 0), 0);
	}
	for (unsigned p = 0; p < a.nr_pages; p++)
		cr_assert_eq(mm_free_pages(r->mm, cpu, a.pages[p], 0), 0);
	cr_assert_eq(mm_vfree(r->mm, cpu, a.at, false), -EINVAL, "given back twice");
	r->areas[i] = r->areas[--r->nr_areas];
}

/* Addresses that nothing begins at. */
static void do_wrong(struct run *r)
{
	const struct mm_vm_range *range = &mm_get_vm_map(r->mm)->vmalloc;
	uint64_t at = range->start + below(r, 32 * MiB);

	for (size_t i = 0; i < r->nr_areas; i++)
		if (r->areas[i].at == at)
			return;
	/* Arrays of pointers are areas, too. */
	if (at % PAGE)
		cr_assert_eq(mm_vfree(r->mm, 0, at, false), -EINVAL);
}

/* 16 entries stay free: nobody waits. */
static void do_kmap(struct run *r)
{
	size_t i = below(r, r->nr_pages), in_use = 0;
	struct mm_kmap_info info;
	uint64_t at;

	mm_kmap_info(r->mm, &info);
	in_use = info.mapped;
	if (info.entries && in_use + 16 > info.entries)
		return;
	cr_assert_eq(mm_kmap(r->mm, any_cpu(r), r->pages[i], false, &at), 0);
	cr_assert_eq(mm_page_address_of(r->mm, MM_NO_CPU, r->pages[i]), at);
	r->mapped[i]++;
}

static void do_kunmap(struct run *r)
{
	size_t i = below(r, r->nr_pages);
	bool high = mm_page_high(r->mm, r->pages[i]);

	cr_assert_eq(mm_kunmap(r->mm, any_cpu(r), r->pages[i]),
		     high && !r->mapped[i] ? -EINVAL : 0);
	r->mapped[i] -= r->mapped[i] ? 1 : 0;
}

static void do_slot(struct run *r)
{
	int cpu = any_cpu(r);
	unsigned nr = r->nr_slots[cpu];
	struct page *page = r->pages[below(r, r->nr_pages)];
	uint64_t at;

	if (below(r, 2) && nr) {
		cr_assert_eq(mm_kunmap_local(r->mm, cpu, r->slots[cpu][nr - 1]), 0);
		r->nr_slots[cpu]--;
		return;
	}
	if (!mm_page_high(r->mm, page))
		return;
	cr_assert_eq(mm_kmap_local(r->mm, cpu, page, &at), nr < MM_KMAP_SLOTS ? 0 : -ENOSPC);
	if (nr < MM_KMAP_SLOTS)
		r->slots[cpu][r->nr_slots[cpu]++] = at;
}

static void step(struct run *r)
{
	switch (below(r, 10)) {
	case 0:
	case 1:
		do_vmalloc(r);
		break;
	case 2:
		do_vmap(r);
		break;
	case 3:
	case 4:
		if (r->nr_areas)
			give_back(r, below(r, r->nr_areas));
		break;
	case 5:
		do_wrong(r);
		break;
	case 6:
	case 7:
		do_kmap(r);
		break;
	case 8:
		do_kunmap(r);
		break;
	default:
		do_slot(r);
	}
}

/* Caches describe themselves by objects; and the one free area may be one. */
static uint64_t objects_at_boot(const struct run *r)
{
	struct mm *mm = boot(r->machine);
	struct mm_vmalloc_request req = {.bytes = 1, .gfp = GFP_KERNEL, .nid = MM_NO_NODE};
	struct mm_slab_info cache;
	uint64_t at, objects = 1;

	cr_assert_eq(mm_vmalloc(mm, &req, &at), 0);
	cr_assert_eq(mm_vfree(mm, 0, at, false), 0);
	mm_vmap_purge(mm, 0);
	for (unsigned i = 0; mm_slab_info(mm, i, &cache); i++)
		objects += cache.allocated;
	mm_destroy(mm);
	return objects;
}

static void undo_all(struct run *r)
{
	struct mm_vmalloc_info info;
	struct mm_slab_info cache;
	uint64_t objects = 0;

	while (r->nr_areas)
		give_back(r, 0);
	for (size_t i = 0; i < r->nr_pages; i++) {
		while (r->mapped[i]--)
			cr_assert_eq(mm_kunmap(r->mm, 0, r->pages[i]), 0);
		cr_assert_eq(mm_free_pages(r->mm, 0, r->pages[i], 0), 0);
	}
	for (int cpu = 0; cpu < 2; cpu++)
		while (r->nr_slots[cpu])
			cr_assert_eq(mm_kunmap_local(r->mm, cpu, r->slots[cpu][--r->nr_slots[cpu]]),
				     0);
	mm_vmap_purge(r->mm, 0);
	mm_vmalloc_info(r->mm, &info);
	cr_expect_eq(mm_kmap_leaks(r->mm), 0);
	cr_expect_eq(info.areas + info.lazy_areas + info.lazy_pages + info.deferred + info.pages,
		     0);
	cr_expect_eq(r->mm->vmalloc->free.nr, 1, "all addresses are one free area again");
	for (unsigned i = 0; mm_slab_info(r->mm, i, &cache); i++)
		objects += cache.allocated;
	cr_expect_leq(objects, objects_at_boot(r), "%lu objects are left", objects);
	must_verify(r->mm, "given back");
}

static void run_machine(const struct machine *m, uint64_t seed, uint64_t ops)
{
	struct run r = {.machine = m, .mm = boot(m), .rng = seed};

	for (size_t i = 0; i < PAGES; i++) {
		struct page *page = alloc(r.mm, 0, 0, GFP_HIGHUSER | __GFP_NORETRY);

		if (page)
			r.pages[r.nr_pages++] = page;
	}
	for (uint64_t i = 0; i < ops; i++) {
		step(&r);
		if (i % 8 == 0)
			must_verify(r.mm, "after a step");
	}
	undo_all(&r);
	mm_destroy(r.mm);
}

Test(vmap_random, areas_tables_and_windows_hold)
{
	uint64_t seed = random_seed(20240611), ops = number_from_env("NUMASIM_OPS", 1200);

	for (size_t i = 0; i < sizeof(machines) / sizeof(machines[0]); i++)
		run_machine(&machines[i], seed + i, ops);
}

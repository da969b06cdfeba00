/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of the mm core share; see mm_fixture.h. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mm_fixture.h"

#define GIGANTIC (UINT64_C(1) << 30)

static size_t count_ranges(const struct mm_range *ranges)
{
	size_t nr = 0;

	while (nr < MACHINE_RANGES && ranges[nr].bytes)
		nr++;
	return nr;
}

static size_t count_reserved(const struct machine *m)
{
	size_t nr = 0;

	while (nr < MACHINE_RESERVED && m->reserved[nr].bytes)
		nr++;
	return nr;
}

static size_t count_late(const struct machine *m)
{
	size_t nr = 0;

	while (nr < MACHINE_RANGES && m->late[nr].bytes)
		nr++;
	return nr;
}

static int count_nodes(const struct machine *m)
{
	int nodes = m->nodes > 1 ? m->nodes : 1;

	for (int n = 0; n < MACHINE_NODES; n++)
		if (m->cpus[n] && n >= nodes)
			nodes = n + 1;
	for (size_t i = 0; i < count_ranges(m->memory); i++)
		if (m->memory[i].nid >= nodes)
			nodes = m->memory[i].nid + 1;
	return nodes;
}

static struct mm_params params_of(const struct machine *m)
{
	struct mm_params params = mm_params_default();

	if (m->min_free_kbytes)
		params.min_free_kbytes = m->min_free_kbytes;
	if (m->watermark_scale_factor)
		params.watermark_scale_factor = m->watermark_scale_factor;
	for (int i = 0; i < MM_NR_ZONE_TYPES; i++)
		if (m->reserve_ratio[i])
			memcpy(params.lowmem_reserve_ratio, m->reserve_ratio,
			       sizeof(params.lowmem_reserve_ratio));
	if (m->no_reserve)
		memset(params.lowmem_reserve_ratio, 0, sizeof(params.lowmem_reserve_ratio));
	params.percpu_pagelist_high_fraction = m->high_fraction;
	params.kernelcore_bytes = m->kernelcore_bytes;
	params.movablecore_bytes = m->movablecore_bytes;
	params.mem_bytes = m->mem_bytes;
	params.numa_off = m->numa_off;
	params.vm = m->vm;
	params.numa_fake = m->numa_fake;
	params.numa_fake_bytes = m->numa_fake_bytes;
	params.numa_fake_each = m->numa_fake_each;
	params.movable_node = m->movable_node;
	params.kernelcore_mirror = m->kernelcore_mirror;
	params.page_owner = m->page_owner;
	params.page_table_check = m->page_table_check;
	params.thp = m->no_thp ? MM_THP_NEVER : MM_THP_ALWAYS;
	params.huge_bytes = m->gigantic_by_default ? GIGANTIC : 0;
	params.cma_bytes = m->cma_bytes;
	params.slab.debug = m->slab_debug;
	params.slab.nomerge = m->slab_nomerge;
	if (m->no_slab_defrag)
		params.slab.remote_node_defrag_ratio = 0;
	return params;
}

static const struct mm_profile hot_cold = {
	.pcp = {.kind = "hot-cold", .low = 1, .high = 6, .batch_bytes = 512 * KiB}};
static const struct mm_profile by_mobility = {
	.pcp = {.kind = "by-mobility", .high = 6, .batch_bytes = MiB, .gather = true}};

static int try_boot(const struct machine *m, const struct mm_ops *ops, void *ctx, struct mm **mm,
		    struct mm_refusal *refusal)
{
	uint8_t distance[MACHINE_NODES * MACHINE_NODES];
	int cpu_nid[256], nr_cpus = 0, nodes = count_nodes(m);
	struct mm_hugepages pools[2];
	size_t nr_pools = 0;

	if (m->hugepages || m->nodes_with_hugepages)
		pools[nr_pools++] = (struct mm_hugepages){
			.bytes = UINT64_C(1) << (mm_arch(m->arch)->page_shift +
						 mm_arch(m->arch)->pageblock_order),
			.pages = m->hugepages,
			.of = m->nodes_with_hugepages ? m->hugepages_of : NULL,
			.nr_of = m->nodes_with_hugepages};
	if (m->gigantic || m->nodes_with_gigantic)
		pools[nr_pools++] =
			(struct mm_hugepages){.bytes = GIGANTIC,
					      .pages = m->gigantic,
					      .of = m->nodes_with_gigantic ? m->gigantic_of : NULL,
					      .nr_of = m->nodes_with_gigantic};

	for (int a = 0; a < nodes; a++)
		for (int b = 0; b < nodes; b++) {
			uint8_t given = m->distance[a][b];

			distance[a * nodes + b] = given ? given : a == b ? 10 : 20;
		}
	for (int n = 0; n < nodes; n++)
		for (int i = 0; i < m->cpus[n]; i++)
			cpu_nid[nr_cpus++] = n;
	if (!nr_cpus)
		cpu_nid[nr_cpus++] = 0;
	return mm_boot(&(struct mm_config){.arch = m->arch,
					   .model = m->model,
					   .nr_nodes = nodes,
					   .nr_cpus = nr_cpus,
					   .cpu_nid = cpu_nid,
					   .distance = distance,
					   .hugepages = pools,
					   .nr_hugepages = nr_pools,
					   .memory = m->memory,
					   .nr_memory = count_ranges(m->memory),
					   .hotpluggable = m->hotpluggable,
					   .nr_hotpluggable = count_ranges(m->hotpluggable),
					   .mirrored = m->mirrored,
					   .nr_mirrored = count_ranges(m->mirrored),
					   .memmap = m->memmap,
					   .nr_memmap = count_ranges(m->memmap),
					   .reserved = m->reserved,
					   .nr_reserved = count_reserved(m),
					   .reservations_complete = m->reservations_complete,
					   .late = m->late,
					   .nr_late = count_late(m),
					   .presets = m->presets,
					   .nr_presets = m->nr_presets,
					   .params = params_of(m),
					   .profile = m->hot_cold      ? &hot_cold
						      : m->by_mobility ? &by_mobility
								       : m->profile,
					   .crashkernel_bytes = m->crashkernel_bytes,
					   .possible_end = m->possible_end,
					   .hotplug_end = m->hotplug_end,
					   .memory_block_bytes = m->memory_block_bytes,
					   .bare = !m->homes,
					   .always_grouped = !m->grouped_by_rule},
		       ops, ctx, mm, refusal);
}

static void count_exactly(struct mm *mm)
{
	for (int n = 0; n < mm->nr_nodes; n++)
		for (int z = 0; z < mm->arch->nr_zones; z++)
			mm->nodes[n].zones[z].stat_threshold = mm->nodes[n].zones[z].drift_mark = 0;
}

struct mm *boot_with(const struct machine *m, const struct mm_ops *ops, void *ctx)
{
	struct mm_refusal refusal = {.why = ""};
	struct mm *mm = NULL;
	int err = try_boot(m, ops, ctx, &mm, &refusal);

	cr_assert_eq(err, 0, "mm_boot: %d: %s", err, refusal.why);
	if (m->exact_counts)
		count_exactly(mm);
	must_verify(mm, "after boot");
	return mm;
}

struct mm *boot(const struct machine *m)
{
	return boot_with(m, NULL, NULL);
}

int boot_refused(const struct machine *m, struct mm_refusal *refusal)
{
	struct mm *mm = NULL;
	int err = try_boot(m, NULL, NULL, &mm, refusal);

	cr_assert_neq(err, 0, "booted, but should have been refused");
	cr_assert_null(mm);
	return err;
}

static struct record *record(void *ctx, int cpu, enum record_kind kind)
{
	struct recorder *rec = ctx;
	struct record *r;

	if (rec->nr == rec->capacity) {
		rec->capacity = rec->capacity ? 2 * rec->capacity : 64;
		rec->records = realloc(rec->records, rec->capacity * sizeof(*rec->records));
		cr_assert_not_null(rec->records);
	}
	r = &rec->records[rec->nr++];
	*r = (struct record){.kind = kind, .cpu = cpu, .site = rec->site};
	rec->calls++;
	return r;
}

static void record_work(void *ctx, int cpu, enum mm_site site, uint32_t nr)
{
	((struct recorder *)ctx)->site = site;
	record(ctx, cpu, REC_WORK)->nr = nr;
}

static void record_access(void *ctx, int cpu, phys_addr_t at, uint64_t bytes, enum mm_access kind)
{
	struct record *r = record(ctx, cpu, REC_ACCESS);

	r->at = at;
	r->bytes = bytes;
	r->how = kind;
}

static void record_lock(void *ctx, int cpu, struct mm_lock *lock)
{
	struct recorder *rec = ctx;

	record(ctx, cpu, REC_LOCK)->at = lock->at;
	if (rec->at_lock)
		rec->at_lock(rec, true, cpu);
}

static void record_unlock(void *ctx, int cpu, struct mm_lock *lock)
{
	struct recorder *rec = ctx;

	record(ctx, cpu, REC_UNLOCK)->at = lock->at;
	if (rec->at_lock)
		rec->at_lock(rec, false, cpu);
}

static void record_event(void *ctx, int cpu, const struct mm_event *ev)
{
	record(ctx, cpu, REC_EVENT)->event = *ev;
}

static bool record_wake(void *ctx, int cpu, struct mm_kthread *thread)
{
	(void)thread;
	record(ctx, cpu, REC_WAKE);
	return ((struct recorder *)ctx)->hold_threads;
}

static int record_sleep(void *ctx, int cpu, uint64_t us, const void *channel)
{
	(void)channel;
	record(ctx, cpu, REC_SLEEP)->bytes = us;
	return cpu;
}

static bool record_write(void *ctx, int cpu, struct page *page, uint64_t bytes, enum mm_store to,
			 bool may_wait)
{
	struct record *r = record(ctx, cpu, REC_WRITE);

	(void)may_wait;

	r->page = page;
	r->bytes = bytes;
	r->store = to;
	return ((struct recorder *)ctx)->hold_writes;
}

static void record_read(void *ctx, int cpu, uint64_t bytes, enum mm_store from)
{
	struct record *r = record(ctx, cpu, REC_READ);

	r->bytes = bytes;
	r->store = from;
}

static void record_reclaimed(void *ctx, int cpu, struct page *page, bool swapped, uint64_t shadow)
{
	struct record *r = record(ctx, cpu, REC_RECLAIMED);

	r->page = page;
	r->swapped = swapped;
	r->shadow = shadow;
}

static void record_moved(void *ctx, int cpu, struct page *from, struct page *to)
{
	struct record *r = record(ctx, cpu, REC_MOVED);

	r->page = from;
	r->to = to;
}

static void record_shootdown(void *ctx, int cpu, struct page *page)
{
	record(ctx, cpu, REC_SHOOTDOWN)->page = page;
}

const struct mm_ops recorder_ops = {
	.work = record_work,
	.access = record_access,
	.lock = record_lock,
	.unlock = record_unlock,
	.event = record_event,
	.wake = record_wake,
	.sleep = record_sleep,
	.write = record_write,
	.read = record_read,
	.reclaimed = record_reclaimed,
	.moved = record_moved,
	.tlb_shootdown = record_shootdown,
};

struct mm *boot_recorded(const struct machine *m, struct recorder *rec)
{
	struct mm_refusal refusal = {.why = ""};
	int err;

	*rec = (struct recorder){.records = NULL};
	err = try_boot(m, &recorder_ops, rec, &rec->mm, &refusal);
	cr_assert_eq(err, 0, "mm_boot: %d: %s", err, refusal.why);
	cr_assert_eq(rec->calls, 0, "the boot called an op");
	if (m->exact_counts)
		count_exactly(rec->mm);
	must_verify(rec->mm, "after boot");
	return rec->mm;
}

void record_from_here(struct recorder *rec)
{
	rec->nr = 0;
}

size_t count_records(const struct recorder *rec, enum record_kind kind)
{
	size_t nr = 0;

	for (size_t i = 0; i < rec->nr; i++)
		nr += rec->records[i].kind == kind;
	return nr;
}

uint32_t count_work(const struct recorder *rec, enum mm_site site)
{
	uint32_t nr = 0;

	for (size_t i = 0; i < rec->nr; i++)
		if (rec->records[i].kind == REC_WORK && rec->records[i].site == site)
			nr += rec->records[i].nr;
	return nr;
}

size_t count_events(const struct recorder *rec, enum mm_event_type type)
{
	size_t nr = 0;

	for (size_t i = 0; i < rec->nr; i++)
		nr += rec->records[i].kind == REC_EVENT && rec->records[i].event.type == type;
	return nr;
}

const struct record *nth_record(const struct recorder *rec, enum record_kind kind, size_t i)
{
	for (size_t at = 0; at < rec->nr; at++)
		if (rec->records[at].kind == kind && i-- == 0)
			return &rec->records[at];
	cr_assert_fail("too few records of kind %d", kind);
	return NULL;
}

struct page *alloc_on(struct mm *mm, int cpu, int nid, unsigned order, gfp_t gfp)
{
	struct mm_request req = {.cpu = cpu, .nid = nid, .order = order, .gfp = gfp};
	struct page *page = NULL;
	int err = mm_alloc_pages(mm, &req, &page);

	cr_assert_eq(err == 0, page != NULL, "mm_alloc_pages: %d, page %p", err, (void *)page);
	return page;
}

struct page *alloc(struct mm *mm, int cpu, unsigned order, gfp_t gfp)
{
	return alloc_on(mm, cpu, MM_NO_NODE, order, gfp);
}

pfn_t pfn_of(struct mm *mm, const struct page *page)
{
	return mm_page_to_pfn(mm, MM_NO_CPU, page);
}

struct mm_zone_info zone_info(const struct mm *mm, int nid, int zone)
{
	struct mm_zone_info info;

	mm_zone_info(mm, nid, zone, &info);
	return info;
}

struct mm_zone *zone_of(struct mm *mm, int nid, enum mm_zone_type type)
{
	return &mm->nodes[nid].zones[mm_arch_zone_index(mm->arch, type)];
}

static void drain_list(struct mm *mm, struct mm_zone *zone, struct mm_pcp *pcp, unsigned list)
{
	unsigned order = mm_pcp_list_order(mm, list);
	struct page *page;

	while ((page = pcp->lists[list].head)) {
		page_list_del(&pcp->lists[list], page);
		page->flags &= ~(uint64_t)PG_PCP;
		pcp->count -= 1u << order;
		mm_buddy_give(mm, MM_NO_CPU, zone, page, pfn_of(mm, page), order,
			      (enum mm_migratetype)page->migratetype);
	}
}

void drain_all(struct mm *mm)
{
	for (int n = 0; n < mm->nr_nodes; n++)
		for (int z = 0; z < mm->arch->nr_zones; z++)
			for (int cpu = 0; cpu < mm->nr_cpus; cpu++)
				for (unsigned list = 0; list < NR_PCP_LISTS; list++) {
					struct mm_zone *zone = &mm->nodes[n].zones[z];

					if (zone->pcp)
						drain_list(mm, zone, &zone->pcp[cpu], list);
				}
}

void must_verify(const struct mm *mm, const char *where)
{
	char why[256] = "";
	int err = mm_verify(mm, why, sizeof(why));

	cr_assert_eq(err, 0, "%s: %s", where, why);
}

uint64_t random_next(uint64_t *state)
{
	uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

uint64_t random_below(uint64_t *state, uint64_t n)
{
	return random_next(state) % n;
}

uint64_t number_from_env(const char *name, uint64_t otherwise)
{
	const char *text = getenv(name);

	return text ? strtoull(text, NULL, 0) : otherwise;
}

uint64_t random_seed(uint64_t otherwise)
{
	uint64_t seed = number_from_env("NUMASIM_SEED", otherwise);

	fprintf(stderr, "NUMASIM_SEED=%llu\n", (unsigned long long)seed);
	return seed;
}

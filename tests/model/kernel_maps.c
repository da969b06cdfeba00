/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What mapping a page takes, against closed forms. The machine is machine_builder.h's: 60 ns and
 * 20 B/ns a bank, 2 GHz, no caches: an access is a latency and its own bytes.
 */
#include <criterion/criterion.h>

#include "mm/vmalloc/kmap.h"
#include "sim/time/cost_sink.h"
#include "tests/machine_builder.h"

#define LOWMEM ((uint64_t)128 << 20)

/* Cycles of 500 ps. */
static const struct costs costs = {.cycles = {[MM_SITE_PAGE_ADDRESS] = 6,
					      [MM_SITE_PAGE_TO_PFN] = 2,
					      [MM_SITE_KMAP_SLOT] = 10,
					      [MM_SITE_PTE] = 4,
					      [MM_SITE_TLB_FLUSH] = 30,
					      [MM_SITE_TLB_IPI] = 100,
					      [MM_SITE_TLB_ANSWER] = 40,
					      [MM_SITE_TOUCH] = 2}};

static uint64_t busy_ps(const struct sim *s, int cpu)
{
	const struct cpu_account *a = sim_account(s, cpu);

	return a->total_ps - a->cause_ps[CAUSE_IDLE];
}

static void run_on_all(const struct machine *m, struct sim **s,
		       void (*program)(struct sim *, int, void *), void *arg)
{
	for (int cpu = 0; cpu < m->mm.nr_cpus; cpu++)
		cr_assert_eq(sim_spawn(*s, cpu, program, arg), 0);
	cr_assert_eq(sim_run(*s), 0);
}

static struct sim *create(const struct machine *m)
{
	struct diag diag = DIAG_INIT;
	struct sim *s = NULL;

	cr_assert_eq(sim_create(m, &costs, &diag, &s), 0, "%s", diag.error.text);
	return s;
}

/* 128 MiB of low memory: the vmalloc area has the rest of the kernel's addresses. */
static struct machine *i386(void)
{
	struct machine *m = build_machine(1, 1);

	m->mm.arch = MM_I386;
	m->mm.params.vm.vmalloc_bytes = UINT64_C(0xfeffe000 - 0xc0000000) - (8 << 20) - LOWMEM;
	return m;
}

static struct page *page_of(struct sim *s, gfp_t gfp)
{
	const struct mm_request req = {.nid = MM_NO_NODE, .gfp = gfp};
	struct page *page;

	cr_assert_eq(mm_alloc_pages(sim_mm(s), &req, &page), 0);
	return page;
}

static void map_and_unmap(struct sim *s, int cpu, void *arg)
{
	uint64_t at;

	cr_assert_eq(mm_kmap(sim_mm(s), cpu, arg, false, &at), 0);
	cr_assert_eq(mm_kunmap(sim_mm(s), cpu, arg), 0);
}

/* On 64 bits an address is 6 + 2 cycles, and nothing is touched: 4 ns. */
Test(kernel_maps, kmap_is_an_addition_on_64_bits)
{
	struct machine *m = build_machine(1, 1);
	struct sim *s = create(m);

	run_on_all(m, &s, map_and_unmap, page_of(s, GFP_HIGHUSER));
	cr_expect_eq(busy_ps(s, 0), 4000);
	sim_destroy(s);
	built_free(m);
}

static void map_and_unmap_local(struct sim *s, int cpu, void *arg)
{
	uint64_t at;

	cr_assert_eq(mm_kmap_local(sim_mm(s), cpu, arg, &at), 0);
	cr_assert_eq(mm_kunmap_local(sim_mm(s), cpu, at), 0);
}

/*
 * A slot twice (10 cycles), its entry written twice (4), the frame number (2) and one flush (30):
 * 60 cycles, 30 ns. The page's descriptor of 40 bytes is read, an entry of 8 bytes written twice:
 * 3 * 60 ns + 56 B / 20 B/ns = 182.8 ns.
 */
Test(kernel_maps, kmap_local_of_high_memory)
{
	struct machine *m = i386();
	struct sim *s = create(m);
	struct page *page = page_of(s, GFP_HIGHUSER);

	cr_assert(mm_page_high(sim_mm(s), page));
	run_on_all(m, &s, map_and_unmap_local, page);
	cr_expect_eq(busy_ps(s, 0), 30000 + 182800);
	sim_destroy(s);
	built_free(m);
}

/* Of low memory the descriptor is read, and that is all: 60 ns + 2 ns, and 8 cycles. */
Test(kernel_maps, kmap_local_of_low_memory)
{
	struct machine *m = i386();
	struct sim *s = create(m);

	run_on_all(m, &s, map_and_unmap_local, page_of(s, GFP_KERNEL));
	cr_expect_eq(busy_ps(s, 0), 62000 + 4000);
	sim_destroy(s);
	built_free(m);
}

/* CPU 0 flushes addresses of the kernel at 10 ns; CPU 1 works until 20 ns, CPU 2 has done. */
static void flush(struct sim *s, int cpu, void *arg)
{
	(void)arg;
	if (cpu == 0) {
		sim_idle_until(s, cpu, 10000);
		cost_sink_ops.tlb_shootdown(s, cpu, NULL);
	}
	for (int i = 0; i < 20 && cpu == 1; i++) {
		cost_sink_ops.work(s, cpu, MM_SITE_TOUCH, 1);
		sim_settle(s, cpu);
	}
}

/* Both others are told, 100 cycles each; only who works loses time by it: 20 * 2 + 40 cycles. */
Test(kernel_maps, all_cpus_flush_the_kernels_addresses)
{
	struct machine *m = build_machine(1, 3);
	struct sim *s = create(m);

	run_on_all(m, &s, flush, NULL);
	cr_expect_eq(busy_ps(s, 0), 100000);
	cr_expect_eq(busy_ps(s, 1), 40000);
	cr_expect_eq(busy_ps(s, 2), 0);
	cr_expect_eq(sim_account(s, 0)->sites[MM_SITE_TLB_IPI].calls, 2);
	cr_expect_eq(sim_account(s, 1)->sites[MM_SITE_TLB_ANSWER].calls, 1);
	sim_destroy(s);
	built_free(m);
}

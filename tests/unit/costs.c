/* SPDX-License-Identifier: Apache-2.0 */
/* Cost files: every site exactly once; and the shipped one adds up to what it was fitted to. */
#include "sim/machine/costs.h"

#include "mm/gfp.h"
#include "mm/mm.h"
#include "sim/machine/machine.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct costs shipped(void)
{
	struct diag d = DIAG_INIT;
	char *path = shipped_config("costs/linux-6.x.cfg");
	struct costs c;

	cr_assert_not_null(path);
	cr_assert_eq(costs_load(path, &d, &c), 0, "%s:%u: %s", d.error.file, d.error.line,
		     d.error.text);
	free(path);
	return c;
}

/* Cycles of what a CPU does, each line of memory hitting a cache of 5 cycles. */
struct meter {
	const struct costs *costs;
	uint64_t cycles;
};

static void meter_work(void *ctx, int cpu, enum mm_site site, uint32_t nr)
{
	struct meter *meter = ctx;

	(void)cpu;
	meter->cycles += (uint64_t)meter->costs->cycles[site] * nr;
}

static void meter_access(void *ctx, int cpu, phys_addr_t at, uint64_t bytes, enum mm_access kind)
{
	struct meter *meter = ctx;

	(void)cpu;
	(void)kind;
	meter->cycles += 5 * ((at + bytes - 1) / 64 - at / 64 + 1);
}

/* 112.2 ns at 2.2 GHz are 247 cycles; 5 % of room, so that an access more or less in mm/ says that
 * it is time to fit anew. */
Test(costs, a_hot_pair_takes_the_cycles_it_was_fitted_to)
{
	static const struct mm_ops ops = {.work = meter_work, .access = meter_access};
	struct costs costs = shipped();
	struct meter meter = {.costs = &costs};
	struct mm_request request = {.nid = MM_NO_NODE, .gfp = GFP_KERNEL};
	struct diag d = DIAG_INIT;
	struct mm_refusal refusal;
	struct machine *m;
	struct page *page;
	struct mm *mm;

	cr_assert_eq(machine_load(SOURCE_DIR "/configs/machines/gold-5320.cfg", NULL, 0, &d, &m),
		     0);
	cr_assert_eq(mm_boot(&m->mm, &ops, &meter, &mm, &refusal), 0);
	for (int round = 0; round < 2; round++) {
		meter.cycles = 0; /* the first one filled the list */
		cr_assert_eq(mm_alloc_pages(mm, &request, &page), 0);
		cr_assert_eq(mm_free_pages(mm, 0, page, 0), 0);
	}
	cr_assert_geq(meter.cycles, 235, "%lu cycles", (unsigned long)meter.cycles);
	cr_assert_leq(meter.cycles, 259, "%lu cycles", (unsigned long)meter.cycles);
	mm_destroy(mm);
	machine_free(m);
	costs_clear(&costs);
}

/* A file of `text` plus every site of `first` cycles and up, `without` one of them. */
static void refused(const char *text, const char *without, const char *message)
{
	struct diag d = DIAG_INIT;
	struct costs c;
	char path[256];
	FILE *f;
	int fd;

	snprintf(path, sizeof(path), "%s/numasim-costs-XXXXXX", P_tmpdir);
	fd = mkstemp(path);
	cr_assert_geq(fd, 0);
	f = fdopen(fd, "w");
	fprintf(f, "name = \"x\"; source = \"y\";\nsites = {\n");
	for (int i = 0; i < MM_NR_SITES; i++)
		if (strcmp(mm_site_name((enum mm_site)i), without) != 0)
			fprintf(f, "%s = { cycles = %d; source = \"z\"; };\n",
				mm_site_name((enum mm_site)i), i);
	fprintf(f, "%s };\n", text);
	fclose(f);
	cr_assert_eq(costs_load(path, &d, &c), -EINVAL);
	cr_assert_str_eq(d.error.text, message, "%s", d.error.text);
	cr_assert_null(c.name);
	unlink(path);
	diag_clear(&d);
}

#define KNOWN                                                                                      \
	" (known: alloc_entry, zone_check, slow_path, pcp_alloc, pcp_free, rmqueue, split, "       \
	"fallback, block_scan, buddy_free, merge, prep_page, zero, free_entry, pfn_to_page, "      \
	"page_to_pfn, lru_add, lru_del, lru_scan, shrink_node, reclaim_page, io_submit, "          \
	"io_done, thread_switch, compact_scan, isolate, migrate, copy, tlb_flush, tlb_ipi, "       \
	"tlb_answer, "                                                                             \
	"slab_alloc, slab_free, slab_slow, slab_partial, slab_new, slab_object, slab_check, "      \
	"memmap_init, tlb_flush_all, vmap_step, vmap_area, pte, pte_walk, kmap, kmap_scan, "       \
	"kmap_slot, "                                                                              \
	"page_address, memblock, cpu_up, syscall, fault, vma, task, lock, vmstat, touch)"

Test(costs, every_site_exactly_once)
{
	refused("", "merge", "sites: 'merge' is missing");
	refused("merge = { cycles = 1; source = \"z\"; };", "", "'merge' is there twice");
	refused("marge = { cycles = 1; source = \"z\"; };", "",
		"sites.marge: unknown key 'marge', did you mean 'merge'?" KNOWN);
	refused("merge = { cycles = 1; };", "merge", "sites.merge: 'source' is missing");
	refused("merge = 1;", "merge",
		"sites.merge: expected a group, as { key = value; }, found the integer 1");
	refused("merge = { cycles = -1; source = \"z\"; };", "merge",
		"sites.merge.cycles: expected an integer from 0 to 100000000, found -1");
}

/* Waiting for banks and links: both, or none of it. */
Test(costs, queueing_is_of_banks_and_links)
{
	refused("}; queueing = { bank = \"20ns\"; source = \"y\";", "",
		"queueing: 'link' is missing");
	refused("}; queueing = { bank = \"20ns\"; link = \"17ns\";", "",
		"queueing: 'source' is missing");
	refused("}; queueing = { bank = \"2s\"; link = \"17ns\"; source = \"y\";", "",
		"queueing.bank: expected a time up to 1s, found more");
	refused("}; queueing = { banks = \"2s\"; link = \"17ns\"; source = \"y\";", "",
		"queueing.banks: unknown key 'banks', did you mean 'bank'? (known: bank, link, "
		"source)");
}

Test(costs, no_such_file)
{
	struct diag d = DIAG_INIT;
	struct costs c;

	cr_assert_eq(costs_load("/nonexistent/x.cfg", &d, &c), -ENOENT);
	cr_assert_str_eq(d.error.file, "/nonexistent/x.cfg");
	cr_assert_str_eq(d.error.text, "cannot read it: No such file or directory");
	diag_clear(&d);
}

Test(costs, shipped_config_by_environment)
{
	char *path;

	cr_assert_null(shipped_config("costs/none.cfg"));
	cr_assert_eq(setenv("NUMASIM_CONFIGS", SOURCE_DIR "/configs/costs", 1), 0);
	path = shipped_config("linux-6.x.cfg");
	cr_assert_str_eq(path, SOURCE_DIR "/configs/costs/linux-6.x.cfg");
	free(path);
	/* Where that directory does not have it, the next one. */
	path = shipped_config("costs/linux-6.x.cfg");
	cr_assert_str_eq(path, SOURCE_DIR "/configs/costs/linux-6.x.cfg");
	free(path);
}

/* A file with a base says what is otherwise; the others are the base's. */
Test(costs, what_a_file_does_not_say_its_base_does)
{
	struct diag d = DIAG_INIT;
	struct costs base = shipped(), c;
	char *shipped_at = shipped_config("costs/linux-6.x.cfg");
	char folder[] = "/tmp/numasim-costs-XXXXXX", path[64], link[64];
	FILE *out;

	cr_assert_not_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/mine.cfg", folder);
	snprintf(link, sizeof(link), "%s/base.cfg", folder);
	cr_assert_eq(symlink(shipped_at, link), 0);
	out = fopen(path, "w");
	cr_assert_not_null(out);
	fputs("name = \"mine\"; source = \"y\"; base = \"base.cfg\";\n"
	      "sites = { rmqueue = { cycles = 77; source = \"z\"; }; };\n",
	      out);
	fclose(out);
	cr_assert_eq(costs_load(path, &d, &c), 0);
	cr_expect_str_eq(c.name, "mine");
	cr_expect_eq(c.cycles[MM_SITE_RMQUEUE], 77);
	cr_expect_neq(base.cycles[MM_SITE_RMQUEUE], 77);
	cr_expect_eq(c.cycles[MM_SITE_PCP_ALLOC], base.cycles[MM_SITE_PCP_ALLOC]);
	unlink(path);
	unlink(link);
	rmdir(folder);
	free(shipped_at);
	costs_clear(&base);
	costs_clear(&c);
}

Test(costs, a_base_that_is_not_there)
{
	char path[] = "/tmp/numasim-costs-XXXXXX";
	struct diag d = DIAG_INIT;
	struct costs c;
	int fd = mkstemp(path);
	FILE *out = fdopen(fd, "w");

	cr_assert_not_null(out);
	fputs("name = \"x\"; source = \"y\"; base = \"nowhere.cfg\"; sites = { };\n", out);
	fclose(out);
	cr_expect_eq(costs_load(path, &d, &c), -ENOENT);
	cr_expect_not_null(strstr(d.error.file, "nowhere.cfg"));
	diag_clear(&d);
	unlink(path);
}

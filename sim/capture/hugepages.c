/* SPDX-License-Identifier: Apache-2.0 */
/* How many huge pages the pools have: from a captured /sys/kernel/mm/hugepages, and the mm core's.
 */
#include "sim/capture/hugepages.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "mm/huge/hugetlb.h"

static void add(struct figures *out, uint64_t kib, uint64_t pages)
{
	figures_number(out, FIGURES_POOLS, pages, "hugepages-%" PRIu64 "kB: nr_hugepages", kib);
}

/* "/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages 300" */
static bool parse_line(const char *line, struct figures *out)
{
	const char *folder = strstr(line, "hugepages-");
	uint64_t kib, pages;

	if (!folder ||
	    sscanf(folder, "hugepages-%" SCNu64 "kB/nr_hugepages %" SCNu64, &kib, &pages) != 2)
		return false;
	add(out, kib, pages);
	return true;
}

int figures_parse_hugepages(const struct capture_file *f, struct diag *diag, struct figures *out)
{
	for (size_t i = 0; i < f->nr_lines; i++) {
		out->line = i;
		if (*f->lines[i] && !parse_line(f->lines[i], out))
			return diag_error(diag, -EINVAL, f->path, (unsigned)i + 1,
					  "expected \".../hugepages-SIZEkB/nr_hugepages PAGES\", "
					  "found \"%.60s\"",
					  f->lines[i]);
	}
	return out->failed ? -ENOMEM : 0;
}

void figures_add_hugepages(const struct mm *mm, struct figures *out)
{
	for (unsigned size = 0; size < mm_hugetlb_sizes(mm); size++) {
		unsigned shift = mm_hugetlb_order(mm, size) + mm_get_arch(mm)->page_shift;
		struct mm_hugetlb_info info;

		mm_hugetlb_info(mm, size, MM_NO_NODE, &info);
		add(out, (UINT64_C(1) << shift) >> 10, info.total - info.surplus);
	}
}

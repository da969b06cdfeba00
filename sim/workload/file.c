/* SPDX-License-Identifier: Apache-2.0 */
/*
 * file: a task on each CPU reads or writes a file of its own of `bytes`, page by page, `passes`
 * times. Pages that are in the page cache are copied; the others are allocated, and read from the
 * disk, some of those behind them at once where the file is read in order.
 */
#include <errno.h>

#include "sim/workload.h"

static uint64_t pages(const struct workload *w)
{
	return workload_blocks(w, w->bytes);
}

static uint64_t each(const struct workload *w)
{
	if (w->random && w->operations)
		return w->operations;
	return pages(w) < UINT64_MAX / w->passes ? pages(w) * w->passes : UINT64_MAX;
}

static uint64_t file_operations(const struct workload *w)
{
	uint64_t cpus = (uint64_t)w->nr_cpus;

	return each(w) < UINT64_MAX / cpus ? each(w) * cpus : UINT64_MAX;
}

/* Pages that are read with one: up to the end of its window, and of the file. */
static uint64_t ahead(const struct workload *w, uint64_t page)
{
	uint64_t window = w->readahead / w->host->page_bytes, left;

	if (w->random || w->writes || window < 2)
		return 0;
	left = window - 1 - page % window;
	return left < pages(w) - 1 - page ? left : pages(w) - 1 - page;
}

static int use(struct workload *w, struct trace *t, int cpu, uint32_t first, uint64_t page)
{
	struct trace_event ev = {
		.op = TRACE_FILE,
		.page = first + (uint32_t)page,
		.bytes = (uint32_t)(w->touch_bytes ? w->touch_bytes : w->host->page_bytes),
		.cpu = (uint16_t)cpu,
		.file.ahead = (uint16_t)ahead(w, page),
		.write = w->writes,
	};

	return trace_append(t, &ev);
}

static int file_generate(struct workload *w, struct trace *t)
{
	uint64_t nr = pages(w), all = each(w);
	uint32_t first = t->nr_pages;
	int err = 0;

	/* They have their numbers whether they are ever read or not. */
	if (nr * (uint64_t)w->nr_cpus >= TRACE_NO_PAGE - first)
		return -E2BIG;
	for (uint64_t i = 0; i < all && !err; i++) {
		for (int c = 0; c < w->nr_cpus && !err; c++) {
			uint64_t page = w->random ? rng_below(&w->rng, nr) : i % nr;

			err = use(w, t, w->cpus[c], first + (uint32_t)((uint64_t)c * nr), page);
		}
	}
	first += (uint32_t)(nr * (uint64_t)w->nr_cpus);
	if (t->nr_pages < first)
		t->nr_pages = first;
	return err;
}

const struct workload_kind workload_file = {
	.name = "file",
	.summary = "tasks read or write files, through the page cache",
	.keys = (const char *const[]){"cpus", "bytes", "passes", "access", "operations", "touch",
				      "write", "readahead", NULL},
	.runs_only = true,
	.operations = file_operations,
	.generate = file_generate,
};

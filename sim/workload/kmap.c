/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kmap: the kernel on each CPU has `bytes` of pages and maps `operations` of them: `live` at a
 * time, from one drawn at random on, touching `touch` bytes of each, and then unmaps these, the
 * last one first. By `method` through the window that all CPUs share, or through slots of the CPU.
 * The last `leak` mappings are never undone.
 */
#include <errno.h>
#include <stdlib.h>

#include "sim/workload.h"

static uint64_t kmap_operations(const struct workload *w)
{
	uint64_t cpus = (uint64_t)w->nr_cpus;

	return (2 * w->operations + workload_blocks(w, w->bytes)) * cpus;
}

static struct trace_event event(const struct workload *w, enum trace_op op, int cpu, uint32_t page)
{
	return (struct trace_event){
		.op = (uint8_t)op,
		.page = page,
		.bytes = op == TRACE_KMAP ? (uint32_t)w->touch_bytes : 0,
		.cpu = (uint16_t)cpu,
		.write = w->writes,
		.area = {.local = w->method == WORKLOAD_KMAP_LOCAL},
	};
}

static int take_pages(struct workload *w, struct trace *t, uint64_t nr)
{
	uint64_t touch_bytes = w->touch_bytes;
	uint32_t page;
	int err = 0;

	w->touch_bytes = 0;
	for (uint64_t i = 0; i < nr && !err; i++)
		for (int c = 0; c < w->nr_cpus && !err; c++)
			err = workload_alloc(w, t, w->cpus[c], 0, MM_NO_NODE, &page);
	w->touch_bytes = touch_bytes;
	return err;
}

/* One round of all CPUs, dealt round. `mapped` has live * nr_cpus entries. */
static int map_round(struct workload *w, struct trace *t, uint32_t first, uint64_t live,
		     uint32_t *mapped)
{
	uint64_t nr = (uint64_t)w->nr_cpus, pages = workload_blocks(w, w->bytes);
	uint64_t from = rng_below(&w->rng, pages);
	int err = 0;

	for (uint64_t i = 0; i < live && !err; i++)
		for (uint64_t c = 0; c < nr && !err; c++) {
			struct trace_event ev;

			mapped[i * nr + c] = first + (uint32_t)((from + i) % pages * nr + c);
			ev = event(w, TRACE_KMAP, w->cpus[c], mapped[i * nr + c]);
			err = trace_append(t, &ev);
		}
	return err;
}

static int unmap_round(struct workload *w, struct trace *t, uint64_t live, const uint32_t *mapped,
		       uint64_t leak)
{
	uint64_t nr = (uint64_t)w->nr_cpus;
	int err = 0;

	for (uint64_t i = live; i-- > leak && !err;)
		for (uint64_t c = 0; c < nr && !err; c++) {
			struct trace_event ev =
				event(w, TRACE_KUNMAP, w->cpus[c], mapped[i * nr + c]);

			err = trace_append(t, &ev);
		}
	return err;
}

static int kmap_generate(struct workload *w, struct trace *t)
{
	uint64_t most = w->live < w->operations ? w->live : w->operations;
	uint32_t *mapped = malloc(most * (uint64_t)w->nr_cpus * sizeof(*mapped));
	uint32_t first = t->nr_pages;
	int err = mapped ? take_pages(w, t, workload_blocks(w, w->bytes)) : -ENOMEM;

	for (uint64_t done = 0; done < w->operations && !err; done += most) {
		uint64_t left = w->operations - done, live = left < most ? left : most;
		uint64_t leak = left > most ? 0 : w->leak < live ? w->leak : live;

		err = map_round(w, t, first, live, mapped);
		if (!err)
			err = unmap_round(w, t, live, mapped, leak);
	}
	free(mapped);
	return err;
}

const struct workload_kind workload_kmap = {
	.name = "kmap",
	.summary = "the kernel maps pages, of high memory where there is any, and unmaps them",
	.keys = (const char *const[]){"cpus", "bytes", "operations", "live", "touch", "write",
				      "gfp", "method", "leak", NULL},
	.runs_only = true,
	.operations = kmap_operations,
	.generate = kmap_generate,
};

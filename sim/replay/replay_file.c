/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading and writing through the page cache, as Linux 6.1's filemap_read() and its like do it: a
 * page that is not there is allocated, read from the disk together with those that are read ahead,
 * and then put on the LRU lists; each use marks it accessed.
 */
#include "sim/replay/replay_file.h"

#include <errno.h>
#include <stdlib.h>

#include "mm/reclaim/lru.h"

struct replay_files {
	struct sim *sim;
	struct mm *mm;
	struct replay_reclaim *reclaim;
	struct replay_file_counts *counts;
	struct page **cached; /* by number in the trace; NULL: not in memory */
};

static bool has_files(const struct trace *t)
{
	for (size_t i = 0; i < t->nr_events; i++)
		if (t->events[i].op == TRACE_FILE)
			return true;
	return false;
}

int replay_files_new(struct sim *s, const struct trace *t, struct replay_reclaim *reclaim,
		     struct replay_file_counts *counts, struct replay_files **out)
{
	struct replay_files *f;

	*out = NULL;
	if (!has_files(t))
		return 0;
	f = calloc(1, sizeof(*f));
	if (!f)
		return -ENOMEM;
	*f = (struct replay_files){
		.sim = s,
		.mm = sim_mm(s),
		.reclaim = reclaim,
		.counts = counts,
		.cached = calloc(t->nr_pages, sizeof(struct page *)),
	};
	*out = f;
	return f->cached ? 0 : -ENOMEM;
}

void replay_files_free(struct replay_files *f)
{
	if (!f)
		return;
	free(f->cached);
	free(f);
}

/* Of the page and of what is read ahead: for that nobody tries hard. */
static struct trace_event request(const struct trace_event *ev, uint32_t ahead)
{
	gfp_t gfp = GFP_HIGHUSER_MOVABLE | __GFP_COMP;

	if (ev->write)
		gfp |= __GFP_WRITE;
	if (ahead)
		gfp |= __GFP_NORETRY | __GFP_NOWARN;
	return (struct trace_event){
		.op = TRACE_ALLOC, .page = ev->page + ahead, .cpu = ev->cpu, .gfp = gfp};
}

/* Allocate the page and those ahead up to the first that is there. Returns how many. */
static uint32_t allocate(struct replay_files *f, int cpu, const struct trace_event *ev)
{
	uint32_t nr = 0;

	for (; nr <= ev->file.ahead && !f->cached[ev->page + nr]; nr++) {
		struct trace_event of = request(ev, nr);
		const struct mm_request req = {.cpu = cpu, .nid = MM_NO_NODE, .gfp = of.gfp};
		struct page *page;

		if (mm_alloc_pages(f->mm, &req, &page))
			break;
		replay_reclaim_own(f->reclaim, cpu, &of, page, &f->cached[of.page]);
	}
	return nr;
}

/* A whole page that is written needs not be read. */
static bool bring_in(struct replay_files *f, int cpu, const struct trace_event *ev)
{
	uint32_t nr = allocate(f, cpu, ev);

	f->counts->brought_in += nr;
	if (nr && !ev->write)
		mm_file_read(f->mm, cpu, nr);
	for (uint32_t i = 0; i < nr; i++) {
		struct trace_event of = request(ev, i);

		if (f->cached[of.page])
			replay_reclaim_follow(f->reclaim, cpu, &of);
	}
	return nr > 0;
}

bool replay_file(struct replay_files *f, int cpu, const struct trace_event *ev)
{
	struct page **slot = &f->cached[ev->page];

	if (*slot)
		f->counts->cached++;
	else if (!bring_in(f, cpu, ev))
		return false;
	*(ev->write ? &f->counts->written : &f->counts->read) += 1;
	/* Each step may take time, in which it may be taken away. */
	if (*slot)
		sim_copy(f->sim, cpu, mm_page_address(f->mm, *slot), ev->bytes, ev->write);
	if (*slot && ev->write)
		mm_page_dirty(f->mm, cpu, *slot);
	if (*slot)
		mm_page_accessed(f->mm, cpu, *slot);
	return true;
}

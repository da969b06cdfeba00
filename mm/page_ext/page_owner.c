/* SPDX-License-Identifier: Apache-2.0 */
/*
 * page_owner: who asked for each frame, for how much, and when. Each frame of a block has its own
 * entry, so that the parts of one that is split are known; a free leaves them, and when it was.
 *
 * Follows Linux 6.1 mm/page_owner.c. Not there: stacks, of who asked and of who freed, since there
 * are none; nor their depot, and what unwinding them takes.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "mm/hotplug/hotplug.h"
#include "mm/page_ext/page_ext_state.h"

#define FIRST_TASK      1 /* by whom all is that page_owner finds in use, and what it is called */
#define FIRST_TASK_COMM "swapper/0"

bool mm_has_page_owner(const struct mm *mm)
{
	return mm->page_ext && mm->page_ext->owner_at;
}

/* The name's place among those that there have been. 0: out of memory, it has none. */
static uint16_t comm_of(struct mm_page_ext *ext, const char *comm)
{
	void *grown;

	for (unsigned i = ext->nr_comms; i-- > 0;)
		if (!strncmp(ext->comms[i], comm, MM_COMM_BYTES - 1))
			return (uint16_t)i;
	if (ext->nr_comms > UINT16_MAX)
		return 0;
	if (!(ext->nr_comms & (ext->nr_comms - 1))) {
		size_t room = ext->nr_comms ? 2 * (size_t)ext->nr_comms : 2;

		grown = realloc(ext->comms, room * sizeof(*ext->comms));
		if (!grown)
			return 0;
		ext->comms = grown;
	}
	strncpy(ext->comms[ext->nr_comms], comm, MM_COMM_BYTES - 1);
	ext->comms[ext->nr_comms][MM_COMM_BYTES - 1] = '\0';
	return (uint16_t)ext->nr_comms++;
}

static void ask_who(struct mm *mm, int cpu, struct mm_who *who)
{
	*who = (struct mm_who){0};
	if (cpu == MM_NO_CPU)
		cpu = mm->interrupted_cpu;
	if (mm->ops.who && cpu != MM_NO_CPU)
		mm->ops.who(mm->ctx, cpu, who);
}

/* The entries of [pfn, pfn + nr) that are in one array, and how many those are; NULL: none. */
static struct mm_owner_entry *entries(struct mm *mm, pfn_t pfn, uint64_t *nr,
				      struct mm_ext_table **table)
{
	struct mm_ext_table *t = *table = mm_ext_table(mm, pfn);
	pfn_t left;

	if (!t) {
		*nr = 1;
		return NULL;
	}
	left = t->first + t->nr - pfn;
	*nr = *nr < left ? *nr : left;
	if (!t->owner)
		t->owner = calloc(t->nr, sizeof(*t->owner));
	return t->owner ? t->owner + (pfn - t->first) : NULL;
}

static void fill(struct mm *mm, int cpu, pfn_t pfn, uint64_t nr, const struct mm_owner_entry *as)
{
	struct mm_ext_table *t;

	for (uint64_t done = 0, part; done < nr; done += part) {
		struct mm_owner_entry *e;

		part = nr - done;
		e = entries(mm, pfn + done, &part, &t);
		for (uint64_t i = 0; e && i < part; i++) {
			uint64_t freed = e[i].free_ns;

			e[i] = *as;
			e[i].free_ns = as->free_ns ? as->free_ns : freed;
		}
		if (t)
			mm_ext_touch(mm, cpu, t, pfn + done, part, MM_WRITE);
	}
}

void mm_page_owner_set(struct mm *mm, int cpu, const struct page *page, unsigned order, gfp_t gfp)
{
	struct mm_owner_entry e = {
		.gfp = gfp, .order = (uint8_t)order, .reason = -1, .allocated = true};
	struct mm_who who;

	if (!mm->page_ext->owner_at)
		return;
	ask_who(mm, cpu, &who);
	e.ns = who.ns;
	e.pid = who.pid;
	e.comm = comm_of(mm->page_ext, who.comm);
	fill(mm, cpu, mm_pfn_of(mm, page), UINT64_C(1) << order, &e);
}

void mm_page_owner_reset(struct mm *mm, int cpu, const struct page *page, unsigned order)
{
	pfn_t pfn = mm_pfn_of(mm, page);
	uint64_t nr = UINT64_C(1) << order;
	struct mm_ext_table *t;
	struct mm_who who;

	if (!mm->page_ext->owner_at)
		return;
	ask_who(mm, cpu, &who);
	for (uint64_t done = 0, part; done < nr; done += part) {
		struct mm_owner_entry *e;

		part = nr - done;
		e = entries(mm, pfn + done, &part, &t);
		for (uint64_t i = 0; e && i < part; i++) {
			e[i].allocated = false;
			e[i].free_ns = who.ns;
		}
		if (t)
			mm_ext_touch(mm, cpu, t, pfn + done, part, MM_WRITE);
	}
}

void mm_page_owner_split(struct mm *mm, int cpu, const struct page *page, uint64_t nr,
			 unsigned order)
{
	pfn_t pfn = mm_pfn_of(mm, page);
	struct mm_ext_table *t;

	for (uint64_t done = 0, part; mm->page_ext->owner_at && done < nr; done += part) {
		struct mm_owner_entry *e;

		part = nr - done;
		e = entries(mm, pfn + done, &part, &t);
		for (uint64_t i = 0; e && i < part; i++)
			e[i].order = (uint8_t)order;
		if (t)
			mm_ext_touch(mm, cpu, t, pfn + done, part, MM_WRITE);
	}
}

/* What is known goes along; the old frame is about to be freed. */
void mm_page_owner_moved(struct mm *mm, int cpu, const struct page *from, const struct page *to,
			 enum mm_migrate_reason reason)
{
	pfn_t pfn = mm_pfn_of(mm, from);
	uint64_t nr = UINT64_C(1) << from->order, first = 1;
	struct mm_owner_entry *e, as = {.allocated = true};
	struct mm_ext_table *t;

	if (!mm->page_ext->owner_at)
		return;
	e = entries(mm, pfn, &first, &t);
	if (e && e->allocated) {
		as = *e;
	} else {
		as.pid = FIRST_TASK;
		as.comm = comm_of(mm->page_ext, FIRST_TASK_COMM);
	}
	as.reason = (int8_t)reason;
	if (t)
		mm_ext_touch(mm, cpu, t, pfn, 1, MM_READ);
	fill(mm, cpu, mm_pfn_of(mm, to), nr, &as);
}

/* Frames that boot did not leave to the page allocator have no owner. */
static bool is_in_use(struct mm *mm, pfn_t *head)
{
	return mm_zone_of_pfn(mm, *head) && mm_block_in_use(mm, head)->refcount > 0;
}

int mm_page_owner(struct mm *mm, pfn_t pfn, struct mm_page_owner *owner)
{
	const struct mm_owner_entry *e;
	const struct mm_ext_table *t;
	pfn_t head = pfn;

	if (!mm_has_page_owner(mm) || !mm_pfn_valid(mm, pfn) || !is_in_use(mm, &head))
		return -ENOENT;
	t = mm_ext_table(mm, pfn);
	if (!t)
		return -ENOENT;
	e = t->owner ? &t->owner[pfn - t->first] : NULL;
	*owner = (struct mm_page_owner){.pid = FIRST_TASK, .comm = FIRST_TASK_COMM};
	if (e && e->free_ns)
		owner->free_ns = e->free_ns;
	if (!e || !e->allocated)
		return 0;
	owner->order = e->order;
	owner->gfp = e->gfp;
	owner->pid = e->pid;
	owner->comm = mm->page_ext->nr_comms ? mm->page_ext->comms[e->comm] : "";
	owner->ns = e->ns;
	if (e->reason >= 0)
		owner->migrated = mm_migrate_reason_name((enum mm_migrate_reason)e->reason);
	return 0;
}

bool mm_page_owner_next(struct mm *mm, pfn_t *pfn, struct mm_page_owner *owner)
{
	const struct mm_ext_table *t;

	for (pfn_t at = *pfn; mm_has_page_owner(mm) && at < mm_frames_end(mm); at++) {
		t = mm_ext_table(mm, at);
		if (!t && mm->page_ext->section_shift) {
			at |= (UINT64_C(1) << mm->page_ext->section_shift) - 1;
			continue;
		}
		if (mm_page_owner(mm, at, owner) || at & ((UINT64_C(1) << owner->order) - 1))
			continue;
		*pfn = at;
		return true;
	}
	return false;
}

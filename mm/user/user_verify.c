/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Counts all entries of all spaces again: which page has how many, how many are in locked ranges,
 * which place in swap how many; and page tables, and what is there at all.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "mm/reclaim/lru_lists.h"
#include "mm/user/user_state.h"

struct counts {
	struct mm *mm;
	char *why;
	size_t size;
	uint32_t *maps, *locked; /* by frame */
	uint64_t slot_refs, tables;
	uint64_t promised[MM_MAX_HUGE_SIZES]; /* of the pools, to ranges that have not used it */
	const struct mm_space *space;
};

__attribute__((format(printf, 2, 3))) static int violated(struct counts *c, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(c->why, c->size, fmt, args);
	va_end(args);
	return -EINVAL;
}

static int count_page(struct counts *c, uint64_t entry, uint64_t address, unsigned shift)
{
	const struct mm_vma *vma = mm_user_vma(c->space, address);
	struct page *page = e_pointer(entry), *head;
	pfn_t pfn;

	if (!vma)
		return violated(c, "%s: 0x%" PRIx64 " is mapped, but in no range", c->space->name,
				address);
	if (vma->hugetlb)
		return page->flags & PG_HUGETLB && shift == mm_pool_shift(c->mm, vma) &&
				       page->order == c->mm->hugetlb.sizes[vma->pool].order
			       ? 0
			       : violated(c, "0x%" PRIx64 ": not of the pool", address);
	head = mm_user_head(c->mm, page);
	if (!head->user || head->refcount < 1)
		return violated(c, "%s: 0x%" PRIx64 " maps a page that is free or not a user's",
				c->space->name, address);
	if (shift != mm_user_shift(c->mm) && !head->order)
		return violated(c, "%s: 0x%" PRIx64 " maps a small page as a huge one",
				c->space->name, address);
	if (mm_upage(c->mm, head)->kind == UP_ANON &&
	    mm_upage(c->mm, head)->family != c->space->family)
		return violated(c, "%s: 0x%" PRIx64 " maps a page of another family",
				c->space->name, address);
	pfn = mm_pfn_of(c->mm, head);
	c->maps[pfn]++;
	c->locked[pfn] += vma->locked;
	return 0;
}

static int count_table(struct counts *c, const struct mm_utable *t, uint64_t base)
{
	unsigned used = 0, huge = 0, deposited = 0;
	int err = 0;

	c->tables++;
	if (t->page->refcount < 1)
		return violated(c, "%s: a page table is free", c->space->name);
	for (const struct mm_utable *d = t->deposit; d; d = d->next)
		deposited++;
	c->tables += deposited;
	for (unsigned i = 0; i < t->nr && !err; i++) {
		uint64_t entry = t->entries[i], at = base + ((uint64_t)i << t->shift);
		struct mm_slot *slot = e_pointer(entry);

		used += e_kind(entry) != E_NONE;
		if (e_kind(entry) == E_TABLE)
			err = count_table(c, e_pointer(entry), at);
		else if (e_kind(entry) == E_PAGE)
			err = count_page(c, entry, at, t->shift);
		else if (e_kind(entry) == E_SWAP)
			c->slot_refs++;
		if (e_kind(entry) == E_SWAP && slot->page &&
		    (!mm_user_head(c->mm, slot->page)->user ||
		     mm_upage(c->mm, slot->page)->slot != slot))
			err = violated(c, "%s: a place in swap names a page that is none's",
				       c->space->name);
		if (e_kind(entry) == E_PAGE && t->shift != mm_user_shift(c->mm))
			huge += !(((struct page *)e_pointer(entry))->flags & PG_HUGETLB);
	}
	if (!err && used != t->used)
		err = violated(c, "%s: a table has %u entries, counted %u", c->space->name, used,
			       t->used);
	if (!err && huge != deposited)
		err = violated(c, "%s: %u huge pages, %u tables laid aside", c->space->name, huge,
			       deposited);
	return err;
}

static int count_space(struct counts *c, const struct mm_space *space)
{
	uint64_t last = 0;
	int err;

	c->space = space;
	c->tables = 0;
	for (const struct mm_vma *v = space->vmas; v; v = v->next) {
		if (v->start < last || v->start >= v->end)
			return violated(c, "%s: ranges overlap at 0x%" PRIx64, space->name,
					v->start);
		last = v->end;
		c->promised[v->pool] += mm_user_unused_of_pool(c->mm, space, v);
	}
	err = count_table(c, space->root, 0);
	if (!err && c->tables != space->nr_tables)
		err = violated(c, "%s: %" PRIu64 " page tables, counted %" PRIu64, space->name,
			       c->tables, space->nr_tables);
	return err;
}

static int check_page(struct counts *c, const struct mm_upage *up, pfn_t pfn)
{
	const struct page *page = c->mm->model->pfn_to_page(c->mm, MM_NO_CPU, pfn);

	if (up->kind == UP_NONE || up->kind == UP_ROOT)
		return c->maps[pfn] ? violated(c, "pfn 0x%" PRIx64 ": mapped, but none's", pfn) : 0;
	if (!page->user || page->refcount < 1)
		return violated(c, "pfn 0x%" PRIx64 ": a user's, but free", pfn);
	if (up->mapcount != c->maps[pfn] || up->locked != c->locked[pfn])
		return violated(c,
				"pfn 0x%" PRIx64 ": %u entries map it, %u of them locked; counted "
				"%u, %u",
				pfn, c->maps[pfn], c->locked[pfn], up->mapcount, up->locked);
	if (up->kind == UP_ANON && !up->mapcount &&
	    (!(page->flags & PG_SWAPCACHE) || !mm_user_slots(c->mm, page)))
		return violated(c, "pfn 0x%" PRIx64 ": anonymous, and nobody maps it", pfn);
	if (!!up->locked != !!(page->flags & PG_UNEVICTABLE) && (page->flags & PG_PLACE_MASK))
		return violated(c, "pfn 0x%" PRIx64 ": in %u locked ranges, but flags 0x%" PRIx64,
				pfn, up->locked, page->flags);
	if (up->kind != UP_ANON && up->file->entries[up->index] != e_make(page, E_PAGE))
		return violated(c, "pfn 0x%" PRIx64 ": its file has something else there", pfn);
	return 0;
}

static int check_pages(struct counts *c)
{
	const struct mm_user *u = c->mm->user;
	int err = 0;

	for (size_t chunk = 0; chunk < u->nr_chunks && !err; chunk++)
		for (unsigned i = 0; u->chunks[chunk] && i < 1u << CHUNK_BITS && !err; i++)
			err = check_page(c, &u->chunks[chunk][i], ((pfn_t)chunk << CHUNK_BITS) + i);
	return err;
}

/* What of swap is taken: by slots, and by pages on their way there. */
static uint64_t swap_cached(struct counts *c)
{
	const struct mm_user *u = c->mm->user;
	uint64_t pages = 0;

	for (size_t chunk = 0; chunk < u->nr_chunks; chunk++)
		for (unsigned i = 0; u->chunks[chunk] && i < 1u << CHUNK_BITS; i++) {
			const struct page *page;

			if (u->chunks[chunk][i].kind == UP_NONE ||
			    u->chunks[chunk][i].kind == UP_ROOT)
				continue;
			page = c->mm->model->pfn_to_page(c->mm, MM_NO_CPU,
							 ((pfn_t)chunk << CHUNK_BITS) + i);
			if (page->flags & PG_SWAPCACHE)
				pages += mm_page_pages(page) - mm_user_slots(c->mm, page);
		}
	return pages;
}

static int check_swap(struct counts *c)
{
	const struct mm_user *u = c->mm->user;
	uint64_t used = c->mm->swap_pages - c->mm->swap_free, cached = swap_cached(c);

	for (const struct mm_file *f = u->files; f; f = f->next)
		for (uint64_t i = 0; i < f->nr; i++)
			c->slot_refs += e_kind(f->entries[i]) == E_SWAP;
	if (c->slot_refs < u->nr_slots)
		return violated(c, "%" PRIu64 " places in swap, but %" PRIu64 " refer to them",
				u->nr_slots, c->slot_refs);
	/* Others than users' pages may be there, too. */
	if (used < u->nr_slots + cached)
		return violated(c, "%" PRIu64 " pages of swap are taken, but %" PRIu64 " are used",
				used, u->nr_slots + cached);
	return 0;
}

/* Each huge page that says so is in its node's queue, and no other. */
static int check_deferred(struct counts *c)
{
	const struct mm *mm = c->mm;
	int err = 0;

	for (int n = 0; n < mm->nr_nodes && !err; n++) {
		const struct mm_deferred_queue *q = &mm->user->deferred[n];
		const struct page *prev = NULL;
		uint64_t nr = 0;

		for (const struct page *p = q->head; p && !err;
		     p = mm_upage(mm, p + 1)->deferred.next) {
			const struct mm_deferred *d = &mm_upage(mm, p + 1)->deferred;

			if (!p->user || !p->order || !d->queued || d->prev != prev ||
			    mm_page_to_nid(mm, p) != n)
				err = violated(c, "pfn 0x%" PRIx64 ": queued, but no huge page",
					       mm_pfn_of(c->mm, p));
			prev = p;
			nr++;
		}
		if (!err && (nr != q->nr || prev != q->tail))
			err = violated(c,
				       "node %d: %" PRIu64 " huge pages queued, counted %" PRIu64,
				       n, q->nr, nr);
	}
	return err;
}

/* What is promised, counted again; see user_commit.c. */
static int check_promises(struct counts *c)
{
	const struct mm *mm = c->mm;
	uint64_t pages = 0, tmpfs = 0;

	for (const struct mm_space *s = mm->user->spaces; s; s = s->next)
		for (const struct mm_vma *v = s->vmas; v; v = v->next)
			pages += v->accounted ? (v->end - v->start) >> mm_user_shift(mm) : 0;
	for (const struct mm_file *f = mm->user->files; f; f = f->next) {
		pages += f->promised;
		for (uint64_t i = 0; f->tmpfs && !f->unnamed && i < f->nr; i++)
			tmpfs += f->entries[i] != E_NONE;
	}
	if (mm->tmpfs_pages != tmpfs)
		return violated(c, "tmpfs has %" PRIu64 " pages, counted %" PRIu64, tmpfs,
				mm->tmpfs_pages);
	if (mm->commit.pages != pages + tmpfs)
		return violated(c, "%" PRIu64 " pages are promised, counted %" PRIu64,
				pages + tmpfs, mm->commit.pages);
	return 0;
}

int mm_user_verify(const struct mm *mm, char *why, size_t size)
{
	struct counts c = {.mm = (struct mm *)mm, .why = why, .size = size};
	size_t frames;
	int err = 0;

	if (!mm->user)
		return 0;
	/* The last chunk goes beyond the last frame. */
	frames = mm->user->nr_chunks << CHUNK_BITS;
	frames = frames > mm->end_pfn ? frames : mm->end_pfn + 1;
	c.maps = calloc(frames, sizeof(*c.maps));
	c.locked = calloc(frames, sizeof(*c.locked));
	if (!c.maps || !c.locked)
		err = violated(&c, "no memory to verify user memory");
	for (const struct mm_space *s = mm->user->spaces; s && !err; s = s->next)
		err = count_space(&c, s);
	if (!err)
		err = check_pages(&c);
	if (!err)
		err = check_swap(&c);
	if (!err)
		err = check_promises(&c);
	/* Others may have been promised some, too. */
	for (unsigned i = 0; i < mm->hugetlb.nr && !err; i++)
		if (c.promised[i] > mm->hugetlb.sizes[i].reserved)
			err = violated(&c,
				       "%" PRIu64
				       " huge pages of order %u are promised, but %" PRIu64
				       " reserved",
				       c.promised[i], mm->hugetlb.sizes[i].order,
				       mm->hugetlb.sizes[i].reserved);
	if (!err)
		err = check_deferred(&c);
	free(c.maps);
	free(c.locked);
	return err;
}

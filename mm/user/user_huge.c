/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Huge pages of users taken apart: their entries become tables of single pages, and what nobody
 * maps any more is freed. Reclaim does so where it cannot swap one whole; and each node has a queue
 * of those that are mapped in part only, which are split once memory is short.
 *
 * Follows Linux 6.1 mm/huge_memory.c (split_huge_page_to_list, deferred_split_huge_page and its
 * shrinker) and mm/rmap.c (page_remove_rmap). Where the kernel splits what is locked in memory,
 * too, such pages stay whole here.
 */
#include <errno.h>
#include <stdlib.h>

#include "mm/reclaim/lru_lists.h"
#include "mm/user/user_state.h"

static struct mm_deferred_queue *queue_of(const struct mm *mm, const struct page *head)
{
	return &mm->user->deferred[mm_page_to_nid(mm, head)];
}

static struct mm_deferred *deferred(const struct mm *mm, const struct page *head)
{
	return &mm_upage(mm, head + 1)->deferred;
}

void mm_user_undefer(struct mm *mm, struct page *head)
{
	struct mm_deferred *d = head->order ? deferred(mm, head) : NULL;
	struct mm_deferred_queue *q;

	if (!d || !d->queued)
		return;
	q = queue_of(mm, head);
	*(d->prev ? &deferred(mm, d->prev)->next : &q->head) = d->next;
	*(d->next ? &deferred(mm, d->next)->prev : &q->tail) = d->prev;
	q->nr--;
	*d = (struct mm_deferred){0};
}

static void enqueue(struct mm *mm, struct page *head)
{
	struct mm_deferred_queue *q = queue_of(mm, head);

	*deferred(mm, head) = (struct mm_deferred){.prev = q->tail, .queued = true};
	*(q->tail ? &deferred(mm, q->tail)->next : &q->head) = head;
	q->tail = head;
	q->nr++;
}

/* All spaces that may map it have it at the same address. */
static bool is_mapped(const struct mm *mm, const struct page *head, const struct page *part)
{
	const struct mm_upage *up = mm_upage(mm, head);
	uint64_t at = (up->index + (uint64_t)(part - head)) << mm_user_shift(mm);

	for (const struct mm_space *s = up->family->spaces; s; s = s->next_in_family) {
		struct mm_utable *table;
		uint64_t entry = s->root ? *mm_user_entry(s, at, &table) : E_NONE;

		if (e_kind(entry) == E_PAGE &&
		    (e_pointer(entry) == head || e_pointer(entry) == part))
			return true;
	}
	return false;
}

void mm_user_defer(struct mm *mm, int cpu, struct page *head, const struct page *part)
{
	if (!head->user || !head->order || deferred(mm, head)->queued || is_mapped(mm, head, part))
		return;
	mm_work(mm, cpu, MM_SITE_LOCK, 1);
	mm_touch_page(mm, cpu, head + 1, MM_WRITE);
	enqueue(mm, head);
	mm_count(mm, cpu, MM_VM_THP_DEFERRED_SPLIT_PAGE, 1);
}

bool mm_user_maps_whole(const struct mm *mm, const struct page *head)
{
	const struct mm_upage *up = mm_upage(mm, head);

	for (const struct mm_space *s = up->family->spaces; s; s = s->next_in_family) {
		struct mm_utable *table;
		uint64_t entry = s->root ? *mm_user_entry(s, up->index << mm_user_shift(mm), &table)
					 : E_NONE;

		if (e_kind(entry) == E_PAGE && e_pointer(entry) == head &&
		    table->shift != mm_user_shift(mm))
			return true;
	}
	return false;
}

struct counting {
	struct mm_rmap_walk walk;
	uint32_t *maps, *locked; /* by part */
	uint64_t nr;             /* entries */
};

/* The entry of a huge page becomes a table first, whose entries are found one after the other. */
static void count_entry(struct mm *mm, int cpu, const struct mm_mapping *m, struct mm_rmap_walk *w)
{
	struct counting *c = (struct counting *)(void *)w;
	bool locked = m->vma && m->vma->locked;
	uint64_t part = (uint64_t)((struct page *)e_pointer(*m->entry) - w->head);

	mm_user_forget(mm, cpu, m->space, m->table, m->address);
	if (m->table->shift != mm_user_shift(mm))
		mm_user_split(mm, cpu, m->table, m->entry, locked);
	c->maps[part]++;
	c->locked[part] += locked;
	c->nr++;
}

/* A frame of its own from now on; one that nobody maps has no owner. Returns whether it is free. */
static bool set_up_part(struct mm *mm, int cpu, const struct counting *c,
			const struct mm_upage *old, struct page *part, struct page_list *to)
{
	uint64_t i = (uint64_t)(part - c->walk.head);

	if (to) {
		part->refcount = 2;
		if (i)
			page_list_add_tail(to, part);
	}
	if (!c->maps[i]) {
		if (!i)
			mm_upage_del(mm, cpu, part);
		return mm_drop_page(mm, part);
	}
	/* Its chunk is that of the head. */
	mm_upage_add(mm, part, UP_ANON, old->family, old->index + i);
	mm_upage(mm, part)->mapcount = c->maps[i];
	mm_upage(mm, part)->locked = c->locked[i];
	return false;
}

/* With the list's lock, or isolated: nobody else has it, and no time passes. */
static void take_apart(struct mm *mm, int cpu, struct counting *c, struct page_list *to,
		       struct page **gone, unsigned *nr_gone)
{
	struct page *head = c->walk.head;
	uint64_t parts = mm_page_pages(head);
	struct mm_upage old;

	mm_user_undefer(mm, head);
	mm_rmap_walk(mm, cpu, &c->walk);
	/* Each is unmapped, so that nobody uses it meanwhile, and mapped again. */
	mm_work(mm, cpu, MM_SITE_PTE, (uint32_t)(2 * c->nr));
	mm_work(mm, cpu, MM_SITE_PREP_PAGE, (uint32_t)parts);
	mm_user_flush_page(mm, cpu, head, c->nr);
	old = *mm_upage(mm, head);
	mm_user_count_huge(mm, cpu, head, -1);
	mm_make_parts(mm, cpu, head, 0);
	for (uint64_t i = 0; i < parts; i++)
		if (set_up_part(mm, cpu, c, &old, head + i, to))
			gone[(*nr_gone)++] = head + i;
	mm_count(mm, cpu, MM_VM_THP_SPLIT_PAGE, 1);
}

/* Nobody else holds it: reclaim where it has isolated it, a write, a move. */
static bool can_split(const struct page *head, bool isolated)
{
	return head->user && head->order && head->refcount == 1 + isolated &&
	       !(head->flags & (PG_WRITEBACK | PG_UNEVICTABLE | PG_SWAPCACHE)) &&
	       (head->flags & (isolated ? PG_ISOLATED : PG_ON_LRU));
}

int mm_user_split_page(struct mm *mm, int cpu, struct page *head, struct page_list *to)
{
	struct mm_node *node = mm_page_node(mm, head);
	uint64_t parts = mm_page_pages(head);
	struct page **gone = malloc(parts * sizeof(struct page *));
	struct counting c = {.walk = {.head = head, .found = count_entry},
			     .maps = calloc(parts, sizeof(*c.maps)),
			     .locked = calloc(parts, sizeof(*c.locked))};
	unsigned nr_gone = 0;
	int err = gone && c.maps && c.locked ? 0 : -ENOMEM;

	if (!err && !to)
		mm_lru_lock(mm, cpu, node);
	if (!err && !can_split(head, to))
		err = -EBUSY;
	else if (!err)
		take_apart(mm, cpu, &c, to, gone, &nr_gone);
	if (err != -ENOMEM && !to)
		mm_lru_unlock(mm, cpu, node);
	for (unsigned i = 0; i < nr_gone; i++)
		mm_free_dropped(mm, cpu, gone[i]);
	free(gone);
	free(c.maps);
	free(c.locked);
	return err;
}

static uint64_t count_deferred(const struct mm *mm, const struct mm_shrinker *s, int nid)
{
	(void)s;
	return mm->user->deferred[nid].nr;
}

/* Those that cannot be split now go to the end of the queue. */
static uint64_t split_deferred(struct mm *mm, int cpu, struct mm_shrinker *s, int nid, uint64_t nr)
{
	const struct mm_deferred_queue *q = &mm->user->deferred[nid];
	uint64_t most = q->nr, split = 0;

	for (uint64_t i = 0; i < nr && i < most && q->nr; i++) {
		struct page *head = q->head;

		mm_work(mm, cpu, MM_SITE_LOCK, 1);
		mm_touch_page(mm, cpu, head + 1, MM_WRITE);
		mm_user_undefer(mm, head);
		enqueue(mm, head);
		split += !mm_user_split_page(mm, cpu, head, NULL);
	}
	(void)s;
	return split || q->nr ? split : MM_SHRINK_STOP;
}

int mm_user_deferred_init(struct mm *mm, struct mm_user *u)
{
	u->deferred_shrinker =
		(struct mm_shrinker){.count = count_deferred, .scan = split_deferred};
	return mm_register_shrinker(mm, &u->deferred_shrinker);
}

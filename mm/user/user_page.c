/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pages of users: who maps them how often, and from a page back to the entries that map it, by the
 * spaces of a family or the ranges of a file, as Linux 6.1 mm/rmap.c walks them. What reclaim takes
 * and migration moves is put right in page tables here.
 */
#include <errno.h>
#include <stdlib.h>

#include "mm/page_ext/page_ext_state.h"
#include "mm/reclaim/lru_lists.h"
#include "mm/user/user_readahead.h"
#include "mm/zone_count.h"

struct mm_user *mm_user_get(struct mm *mm)
{
	struct mm_user *u = mm->user;

	if (u)
		return u;
	u = calloc(1, sizeof(*u));
	if (!u)
		return NULL;
	u->nr_chunks = (size_t)(mm->end_pfn >> CHUNK_BITS) + 1;
	u->chunks = calloc(u->nr_chunks, sizeof(*u->chunks));
	u->running = calloc((size_t)mm->nr_cpus, sizeof(struct mm_space *));
	u->deferred = calloc((size_t)mm->nr_nodes, sizeof(*u->deferred));
	if (!u->chunks || !u->running || !u->deferred || mm_user_deferred_init(mm, u)) {
		free(u->chunks);
		free(u->deferred);
		free(u->running);
		free(u);
		return NULL;
	}
	u->zero_at = mm_image_home(mm, mm_user_page_bytes(mm), mm_user_page_bytes(mm));
	mm->user = u;
	return u;
}

struct mm_upage *mm_upage(const struct mm *mm, const struct page *page)
{
	pfn_t pfn = mm_pfn_of((struct mm *)mm, page);

	return &mm->user->chunks[pfn >> CHUNK_BITS][pfn & ((1u << CHUNK_BITS) - 1)];
}

/* Memory may have been plugged in since. */
static bool reach_chunk(struct mm_user *u, size_t i)
{
	size_t nr = u->nr_chunks;
	struct mm_upage **chunks;

	if (i < nr)
		return true;
	chunks = realloc(u->chunks, (i + 1) * sizeof(*chunks));
	if (!chunks)
		return false;
	u->chunks = chunks;
	while (nr <= i)
		chunks[nr++] = NULL;
	u->nr_chunks = nr;
	return true;
}

int mm_upage_add(struct mm *mm, struct page *page, enum mm_upage_kind kind, void *owner,
		 uint64_t index)
{
	size_t i = (size_t)(mm_pfn_of(mm, page) >> CHUNK_BITS);
	struct mm_upage **chunk;

	if (!reach_chunk(mm->user, i))
		return -ENOMEM;
	chunk = &mm->user->chunks[i];
	if (!*chunk)
		*chunk = calloc(1u << CHUNK_BITS, sizeof(**chunk));
	if (!*chunk)
		return -ENOMEM;
	page->user = true;
	*mm_upage(mm, page) = (struct mm_upage){.family = owner, .index = index, .kind = kind};
	return 0;
}

void mm_upage_del(struct mm *mm, int cpu, struct page *page)
{
	struct mm_upage *up = mm_upage(mm, page);

	mm_user_undefer(mm, page);
	if (page->flags & PG_SWAPCACHE)
		mm_swap_forget(mm, cpu, page);
	page->user = page->locked = false;
	*up = (struct mm_upage){0};
}

void mm_user_count_huge(struct mm *mm, int cpu, const struct page *head, int nr)
{
	mm_mod_node_stat(mm, cpu, mm_page_node(mm, head), MM_NS_ANON_THPS,
			 nr * (INT64_C(1) << mm->arch->pageblock_order));
}

struct page *mm_user_head(const struct mm *mm, struct page *page)
{
	uint64_t block = UINT64_C(1) << mm->arch->pageblock_order;

	return page->user ? page : page - (mm_pfn_of((struct mm *)mm, page) & (block - 1));
}

void mm_user_map(struct mm *mm, int cpu, struct page *head, bool locked)
{
	struct mm_upage *up = mm_upage(mm, head);

	up->mapcount++;
	up->locked += locked;
	mm_touch_page(mm, cpu, head, MM_WRITE);
	if (mm->page_ext)
		mm_page_table_check(mm, cpu, head);
}

bool mm_user_unmap(struct mm *mm, int cpu, struct page *head, bool locked)
{
	struct mm_upage *up = mm_upage(mm, head);

	mm_touch_page(mm, cpu, head, MM_WRITE);
	if (mm->page_ext)
		mm_page_table_check(mm, cpu, head);
	up->locked -= locked;
	if (--up->mapcount)
		return false;
	if (up->kind != UP_ANON || mm_user_slots(mm, head)) {
		mm_page_account(mm, cpu, head, head->flags & ~(uint64_t)PG_MAPPED);
		return false;
	}
	if (head->order)
		mm_user_count_huge(mm, cpu, head, -1);
	mm_upage_del(mm, cpu, head);
	return true;
}

uint64_t mm_user_slots(const struct mm *mm, const struct page *head)
{
	uint64_t nr = 0;

	if (!(head->flags & PG_SWAPCACHE))
		return 0;
	for (uint64_t i = 0; i < mm_page_pages(head); i++)
		nr += mm_upage(mm, head + i)->slot != NULL;
	return nr;
}

void mm_slot_cache(struct mm *mm, int cpu, struct mm_slot *slot, struct page *page)
{
	slot->page = page;
	mm_upage(mm, page)->slot = slot;
	mm_page_account(mm, cpu, page, page->flags | PG_SWAPCACHE);
}

/* Its place goes to the page that is in the swap cache, if one is. Returns that. */
static struct page *forget_slot(struct mm *mm, struct mm_slot *slot)
{
	struct page *head = slot->page ? mm_user_head(mm, slot->page) : NULL;

	if (head) {
		mm_upage(mm, slot->page)->slot = NULL;
		mm_upage(mm, head)->cluster = slot->cluster;
	} else {
		mm_swap_put(mm, slot->cluster, 1);
	}
	mm->user->nr_slots--;
	free(slot);
	return head;
}

void mm_slot_put(struct mm *mm, int cpu, struct mm_slot *slot)
{
	struct page *head;

	if (--slot->refs)
		return;
	head = forget_slot(mm, slot);
	if (!head || mm_upage(mm, head)->mapcount || mm_user_slots(mm, head))
		return;
	if (head->order)
		mm_user_count_huge(mm, cpu, head, -1);
	mm_upage_del(mm, cpu, head);
	if (mm_drop_page(mm, head))
		mm_free_dropped(mm, cpu, head);
}

void mm_rmap_walk_space(struct mm *mm, int cpu, struct mm_space *space, struct mm_vma *vma,
			uint64_t address, struct mm_rmap_walk *w)
{
	/* Without a root it is about to have one, or has had it. */
	uint64_t nr = space->root ? mm_page_pages(w->head) : 0;

	for (uint64_t i = 0; i < nr; i++) {
		struct mm_mapping m = {
			.space = space, .vma = vma, .address = address + (i << mm_user_shift(mm))};
		struct page *page;

		m.entry = mm_user_entry(space, m.address, &m.table);
		if (e_kind(*m.entry) != E_PAGE)
			continue;
		page = e_pointer(*m.entry);
		if (page < w->head || page >= w->head + nr)
			continue;
		/* Parts of a huge page may be in several ranges. */
		if (nr > 1)
			m.vma = mm_user_vma(space, address + (i << mm_user_shift(mm)));
		w->found(mm, cpu, &m, w);
	}
}

void mm_rmap_walk(struct mm *mm, int cpu, struct mm_rmap_walk *w)
{
	const struct mm_upage *up = mm_upage(mm, w->head);
	unsigned shift = mm_user_shift(mm);

	if (up->kind == UP_ANON) {
		for (struct mm_space *s = up->family->spaces; s; s = s->next_in_family)
			mm_rmap_walk_space(mm, cpu, s, mm_user_vma(s, up->index << shift),
					   up->index << shift, w);
		return;
	}
	for (struct mm_space *s = mm->user->spaces; s; s = s->next)
		for (struct mm_vma *v = s->vmas; v; v = v->next) {
			uint64_t at = v->start + ((up->index - v->pgoff) << shift);

			if (v->file == up->file && up->index >= v->pgoff && at < v->end)
				mm_rmap_walk_space(mm, cpu, s, v, at, w);
		}
}

struct taking {
	struct mm_rmap_walk walk;
	uint64_t nr; /* of entries */
};

/* The place of a part: the one that others refer to, or else one of the page's. */
static struct mm_slot *slot_of(struct mm *mm, const struct page *head, struct page *part)
{
	struct mm_slot **slot = &mm_upage(mm, part)->slot;

	if (*slot)
		return *slot;
	*slot = calloc(1, sizeof(**slot));
	if (*slot) {
		**slot = (struct mm_slot){.cluster = mm_upage(mm, head)->cluster, .page = part};
		mm->user->nr_slots++;
	}
	return *slot;
}

static void take_entry(struct mm *mm, int cpu, const struct mm_mapping *m, struct mm_rmap_walk *w)
{
	struct taking *t = (struct taking *)(void *)w;
	struct page *page = e_pointer(*m->entry);
	struct mm_upage *up = mm_upage(mm, w->head);
	struct mm_slot *slot = NULL;

	/* Split, so that each part has an entry; found again one by one. */
	if (m->table->shift != mm_user_shift(mm)) {
		mm_user_split(mm, cpu, m->table, m->entry, m->vma && m->vma->locked);
		mm_rmap_walk_space(mm, cpu, m->space, m->vma, up->index << mm_user_shift(mm), w);
		return;
	}
	if (up->kind == UP_ANON)
		slot = slot_of(mm, w->head, page);
	if (slot)
		slot->refs++;
	up->mapcount--;
	up->locked -= m->vma && m->vma->locked;
	mm_user_set(mm, cpu, m->table, m->entry,
		    slot ? e_make(slot, E_SWAP | (*m->entry & E_WRITE)) : E_NONE);
	mm_user_forget(mm, cpu, m->space, m->table, m->address);
	t->nr++;
}

void mm_user_flush_page(struct mm *mm, int cpu, struct page *page, uint64_t nr)
{
	if (!nr || cpu == MM_NO_CPU)
		return;
	mm_work(mm, cpu, MM_SITE_TLB_FLUSH, 1);
	if (mm->ops.tlb_shootdown)
		mm->ops.tlb_shootdown(mm->ctx, cpu, page);
}

/* A file forgets the page: tmpfs has it in swap, others remember when it went. */
static void take_from_file(struct mm *mm, struct mm_upage *up, uint64_t shadow)
{
	struct mm_slot *slot = NULL;

	if (up->kind == UP_SHMEM)
		slot = calloc(1, sizeof(*slot));
	if (slot) {
		*slot = (struct mm_slot){.refs = 1, .shadow = shadow, .cluster = up->cluster};
		mm->user->nr_slots++;
	} else if (up->kind == UP_SHMEM) {
		mm_swap_put(mm, up->cluster, 1);
		mm_tmpfs_uncharge(mm, up->file);
	}
	up->file->entries[up->index] = slot ? e_make(slot, E_SWAP) : E_NONE;
	up->file->shadows[up->index] = shadow;
}

void mm_user_take(struct mm *mm, int cpu, struct page *page)
{
	struct taking t = {.walk = {.head = page, .found = take_entry}};

	if (!mm_upage(mm, page)->mapcount)
		return;
	mm_rmap_walk(mm, cpu, &t.walk);
	mm_user_flush_page(mm, cpu, page, t.nr);
}

bool mm_user_is_mapped(const struct mm *mm, const struct page *page)
{
	return mm_upage(mm, page)->mapcount > 0;
}

void mm_user_reclaimed(struct mm *mm, int cpu, struct page *page, uint64_t shadow)
{
	struct mm_upage *up = mm_upage(mm, page);

	/* Parts that nobody refers to need no place. */
	for (uint64_t i = 0; up->kind == UP_ANON && i < mm_page_pages(page); i++) {
		struct mm_slot **slot = &mm_upage(mm, page + i)->slot;

		if (!*slot) {
			mm_swap_put(mm, up->cluster, 1);
			continue;
		}
		(*slot)->shadow = shadow;
		(*slot)->page = NULL;
		*slot = NULL;
	}
	if (up->kind == UP_ANON && page->order)
		mm_user_count_huge(mm, cpu, page, -1);
	if (up->kind != UP_ANON)
		take_from_file(mm, up, shadow);
	mm_upage_del(mm, cpu, page);
}

struct moving {
	struct mm_rmap_walk walk;
	struct page *to;
};

static void move_entry(struct mm *mm, int cpu, const struct mm_mapping *m, struct mm_rmap_walk *w)
{
	struct moving *moving = (struct moving *)(void *)w;
	struct page *page = e_pointer(*m->entry);
	uint64_t flags = *m->entry & E_FLAGS;

	mm_user_set(mm, cpu, m->table, m->entry, e_make(moving->to + (page - w->head), flags));
	mm_user_forget(mm, cpu, m->space, m->table, m->address);
}

void mm_user_moved(struct mm *mm, int cpu, struct page *from, struct page *to)
{
	struct moving moving = {.walk = {.head = from, .found = move_entry}, .to = to};
	struct mm_upage old;

	mm_rmap_walk(mm, cpu, &moving.walk);
	mm_user_undefer(mm, from);
	old = *mm_upage(mm, from);
	if (mm_upage_add(mm, to, old.kind, old.family, old.index)) {
		to->user = false;
		return;
	}
	*mm_upage(mm, to) = old;
	for (uint64_t i = 0; i < mm_page_pages(to); i++) {
		struct mm_slot **slot = &mm_upage(mm, from + i)->slot;

		mm_upage(mm, to + i)->slot = *slot;
		if (*slot)
			(*slot)->page = to + i;
		*slot = NULL;
	}
	if (old.kind != UP_ANON)
		old.file->entries[old.index] = e_make(to, E_PAGE);
	else if (from->order) {
		mm_user_count_huge(mm, cpu, from, -1);
		mm_user_count_huge(mm, cpu, to, 1);
	}
	from->user = false;
	*mm_upage(mm, from) = (struct mm_upage){0};
}

static bool maps_file(const struct mm_space *space, const struct mm_file *file)
{
	for (const struct mm_vma *v = space->vmas; v; v = v->next)
		if (v->file == file)
			return true;
	return false;
}

static bool has_mapped(const struct mm_space *running, const struct mm_upage *up)
{
	switch (up->kind) {
	case UP_ANON:
		return running->family == up->family;
	case UP_FILE:
	case UP_SHMEM:
		return maps_file(running, up->file);
	case UP_ROOT:
		return running == up->space;
	default:
		return false;
	}
}

int mm_user_next_on(const struct mm *mm, const struct page *page, int cpu)
{
	struct mm_space *const *running = mm->user->running;
	const struct mm_upage *up = mm_upage(mm, page);

	while (cpu < mm->nr_cpus && !(running[cpu] && has_mapped(running[cpu], up)))
		cpu++;
	return cpu;
}

static void destroy_table(struct mm_utable *table)
{
	for (struct mm_utable *d = table->deposit, *next; d; d = next) {
		next = d->next;
		free(d);
	}
	for (unsigned i = 0; i < table->nr; i++)
		if (e_kind(table->entries[i]) == E_TABLE)
			destroy_table(e_pointer(table->entries[i]));
	free(table);
}

/* Of slots, which several may refer to, the last one. Pages are gone already. */
static void destroy_slots(const uint64_t *entries, uint64_t nr)
{
	for (uint64_t i = 0; i < nr; i++) {
		if (e_kind(entries[i]) == E_TABLE) {
			struct mm_utable *table = e_pointer(entries[i]);

			destroy_slots(table->entries, table->nr);
		} else if (e_kind(entries[i]) == E_SWAP) {
			struct mm_slot *slot = e_pointer(entries[i]);

			if (!--slot->refs)
				free(slot);
		}
	}
}

static void destroy_space(struct mm_space *space)
{
	struct mm_space **link = &space->family->spaces;

	while (*link != space)
		link = &(*link)->next_in_family;
	*link = space->next_in_family;
	if (!space->family->spaces)
		free(space->family);
	if (space->root) {
		destroy_slots(space->root->entries, space->root->nr);
		destroy_table(space->root);
	}
	for (struct mm_vma *v = space->vmas, *next; v; v = next) {
		next = v->next;
		free(v);
	}
	free(space->name);
	free(space);
}

void mm_user_destroy(struct mm *mm)
{
	struct mm_user *u = mm->user;

	if (!u)
		return;
	while (u->spaces) {
		struct mm_space *space = u->spaces;

		u->spaces = space->next;
		destroy_space(space);
	}
	while (u->files) {
		struct mm_file *file = u->files;

		u->files = file->next;
		destroy_slots(file->entries, file->nr);
		mm_file_free(file);
	}
	while (u->reads) {
		struct mm_read *read = u->reads;

		u->reads = read->next;
		free(read);
	}
	mm_unregister_shrinker(mm, &u->deferred_shrinker);
	for (size_t i = 0; i < u->nr_chunks; i++)
		free(u->chunks[i]);
	free(u->chunks);
	free(u->running);
	free(u->deferred);
	free(u);
}

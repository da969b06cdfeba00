/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What user memory is and where: figures of a space, and its ranges as /proc/PID/numa_maps has them
 * (Linux 6.1 fs/proc/task_mmu.c, mm/mempolicy.c). Looks only, at no cost.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mm/user/user_state.h"

const char *mm_space_name(const struct mm_space *space)
{
	return space->name;
}

const struct mm_space *mm_space_next(const struct mm *mm, const struct mm_space *space)
{
	const struct mm_space *next = NULL;

	for (const struct mm_space *s = mm->user ? mm->user->spaces : NULL; s; s = s->next)
		if (s->id > (space ? space->id : 0) && (!next || s->id < next->id))
			next = s;
	return next;
}

/* A range's entries, one after the other: a huge page's is one. */
static void each_entry(const struct mm *mm, const struct mm_space *space, const struct mm_vma *vma,
		       void (*look)(const struct mm *mm, uint64_t entry, uint64_t pages, void *arg),
		       void *arg)
{
	for (uint64_t at = vma->start; at < vma->end;) {
		struct mm_utable *table;
		uint64_t entry = *mm_user_entry(space, at, &table);

		at = (at | ((UINT64_C(1) << table->shift) - 1)) + 1;
		if (e_kind(entry) != E_NONE)
			look(mm, entry, UINT64_C(1) << (table->shift - mm_user_shift(mm)), arg);
	}
}

static void add_to_info(const struct mm *mm, uint64_t entry, uint64_t pages, void *arg)
{
	struct mm_space_info *info = arg;
	struct page *page = e_pointer(entry);

	info->swapped += e_kind(entry) == E_SWAP;
	if (e_kind(entry) != E_PAGE)
		return;
	info->mapped += pages;
	info->huge += pages > 1;
	if (page->flags & PG_HUGETLB)
		return;
	switch (mm_upage(mm, mm_user_head(mm, page))->kind) {
	case UP_ANON:
		info->anon += pages;
		break;
	case UP_SHMEM:
		info->shmem += pages;
		break;
	default:
		info->file += pages;
		break;
	}
}

void mm_space_info(const struct mm *mm, const struct mm_space *space, struct mm_space_info *info)
{
	*info = space->done;
	info->tables = space->nr_tables;
	for (const struct mm_vma *v = space->vmas; v; v = v->next) {
		uint64_t before = info->mapped;

		each_entry(mm, space, v, add_to_info, info);
		info->locked += v->locked ? info->mapped - before : 0;
	}
}

static void add_to_nodes(const struct mm *mm, uint64_t entry, uint64_t pages, void *arg)
{
	uint64_t *nodes = arg;
	struct page *page = e_pointer(entry);

	if (e_kind(entry) != E_PAGE)
		return;
	if (!(page->flags & PG_HUGETLB))
		page = mm_user_head(mm, page);
	nodes[mm_page_to_nid(mm, page)] += pages;
}

void mm_space_nodes(const struct mm *mm, const struct mm_space *space, uint64_t *pages)
{
	memset(pages, 0, (size_t)mm->nr_nodes * sizeof(*pages));
	for (const struct mm_vma *v = space->vmas; v; v = v->next)
		each_entry(mm, space, v, add_to_nodes, pages);
}

struct figures {
	uint64_t pages, anon, dirty, mapcount_max, swapcache, active, writeback;
	uint64_t *nodes;
	unsigned pool_shift; /* of a pool: log2 of its pages' bytes; else 0 */
};

/* How often a small page is mapped that is part of a huge one: by how many of the family. */
static uint32_t maps_of_part(const struct mm *mm, struct page *head, const struct page *part)
{
	const struct mm_upage *up = mm_upage(mm, head);
	uint64_t address = (up->index + (uint64_t)(part - head)) << mm_user_shift(mm);
	uint32_t nr = 0;

	for (const struct mm_space *s = up->family->spaces; s; s = s->next_in_family) {
		struct mm_utable *table;
		uint64_t entry = *mm_user_entry(s, address, &table);

		nr += e_kind(entry) == E_PAGE && mm_user_head(mm, e_pointer(entry)) == head;
	}
	return nr;
}

static void add_to_figures(const struct mm *mm, uint64_t entry, uint64_t pages, void *arg)
{
	struct figures *f = arg;
	struct page *page = e_pointer(entry), *part = page;
	const struct mm_upage *up;
	uint32_t maps;

	if (e_kind(entry) != E_PAGE)
		return;
	if (f->pool_shift) {
		f->pages++;
		f->anon++;
		f->dirty++;
		f->mapcount_max = 1;
		f->nodes[mm_page_to_nid(mm, page)]++;
		return;
	}
	page = mm_user_head(mm, page);
	up = mm_upage(mm, page);
	f->pages += pages;
	f->anon += up->kind == UP_ANON ? pages : 0;
	f->dirty += page->flags & PG_DIRTY ? pages : 0;
	f->swapcache += page->flags & PG_SWAPCACHE ? pages : 0;
	f->active += page->flags & (PG_ACTIVE | PG_UNEVICTABLE) ? pages : 0;
	f->writeback += page->flags & PG_WRITEBACK ? pages : 0;
	maps = page->order && pages == 1 ? maps_of_part(mm, page, part) : up->mapcount;
	if (maps > f->mapcount_max)
		f->mapcount_max = maps;
	f->nodes[mm_page_to_nid(mm, page)] += pages;
}

struct text_line {
	char *at;
	size_t room;
};

__attribute__((format(printf, 2, 3))) static void say(struct text_line *t, const char *fmt, ...)
{
	va_list args;
	int n;

	va_start(args, fmt);
	n = vsnprintf(t->at, t->room, fmt, args);
	va_end(args);
	if (n < 0)
		return;
	if ((size_t)n >= t->room)
		n = t->room ? (int)t->room - 1 : 0;
	t->at += n;
	t->room -= (size_t)n;
}

static void say_policy(struct text_line *t, const struct mm_policy *p)
{
	static const char *const names[MM_NR_POLICY_MODES] = {
		[MM_POLICY_DEFAULT] = "default",
		[MM_POLICY_PREFERRED] = "prefer",
		[MM_POLICY_BIND] = "bind",
		[MM_POLICY_INTERLEAVE] = "interleave",
		[MM_POLICY_LOCAL] = "local",
		[MM_POLICY_PREFERRED_MANY] = "prefer (many)",
		[MM_POLICY_WEIGHTED_INTERLEAVE] = "weighted interleave",
	};
	char sep = ':';

	say(t, "%s%s", names[p->mode], p->relative ? "=relative" : "");
	for (int n = 0; n < MM_MAX_NODES; n++) {
		int last = n;

		if (!mm_nodemask_has(&p->nodes, n))
			continue;
		while (last + 1 < MM_MAX_NODES && mm_nodemask_has(&p->nodes, last + 1))
			last++;
		say(t, last > n ? "%c%d-%d" : "%c%d", sep, n, last);
		sep = ',';
		n = last;
	}
}

/* As seq_file_path() escapes what would not be one word. */
static void say_file(struct text_line *t, const char *name)
{
	say(t, " file=");
	for (; *name; name++)
		if (strchr("\n\t= \\", *name))
			say(t, "\\%03o", (unsigned char)*name);
		else
			say(t, "%c", *name);
}

static void say_figures(struct text_line *t, const struct mm *mm, const struct figures *f)
{
	const struct {
		const char *name;
		uint64_t value;
		bool shown;
	} parts[] = {
		{"anon", f->anon, f->anon > 0},
		{"dirty", f->dirty, f->dirty > 0},
		{"mapped", f->pages, f->pages != f->anon && f->pages != f->dirty},
		{"mapmax", f->mapcount_max, f->mapcount_max > 1},
		{"swapcache", f->swapcache, f->swapcache > 0},
		{"active", f->active, f->active < f->pages && !f->pool_shift},
		{"writeback", f->writeback, f->writeback > 0},
	};

	if (!f->pages)
		return;
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if (parts[i].shown)
			say(t, " %s=%" PRIu64, parts[i].name, parts[i].value);
	for (int n = 0; n < mm->nr_nodes; n++)
		if (f->nodes[n])
			say(t, " N%d=%" PRIu64, n, f->nodes[n]);
	say(t, " kernelpagesize_kB=%" PRIu64,
	    (f->pool_shift ? UINT64_C(1) << f->pool_shift : mm_user_page_bytes(mm)) >> 10);
}

bool mm_numa_maps_line(const struct mm *mm, const struct mm_space *space, unsigned i, char *line,
		       size_t size)
{
	struct text_line t = {line, size};
	const struct mm_vma *v = space->vmas;
	struct figures f = {0};

	while (v && i--)
		v = v->next;
	if (!v)
		return false;
	f.pool_shift = v->hugetlb ? mm_pool_shift(mm, v) : 0;
	f.nodes = calloc((size_t)mm->nr_nodes, sizeof(*f.nodes));
	say(&t, "%08" PRIx64 " ", v->start);
	say_policy(&t, mm_user_policy(mm, space, v, v->start));
	if (v->file)
		say_file(&t, v->file->name);
	if (v->hugetlb)
		say(&t, "%s huge", v->file ? "" : " file=/anon_hugepage\\040(deleted)");
	if (f.nodes) {
		each_entry(mm, space, v, add_to_figures, &f);
		say_figures(&t, mm, &f);
	}
	free(f.nodes);
	return true;
}

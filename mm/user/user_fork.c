/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fork(): ranges are copied, and of private ones with pages of their own the page tables, too; the
 * pages are shared, and entries of both may only be read from then on. Follows Linux 6.1
 * (dup_mmap, copy_page_range, copy_huge_pmd). What was never written, and what is shared with a
 * file, the child faults in itself.
 */
#include <errno.h>
#include <stdlib.h>

#include "mm/user/user_state.h"

struct copy {
	struct mm *mm;
	int cpu;
	struct mm_space *parent, *child;
	struct mm_vma *from;
	uint64_t nr; /* entries copied */
};

static void share(const struct copy *c, uint64_t entry)
{
	if (e_kind(entry) == E_PAGE)
		mm_user_map(c->mm, c->cpu, mm_user_head(c->mm, e_pointer(entry)), false);
	else if (e_kind(entry) == E_SWAP)
		((struct mm_slot *)e_pointer(entry))->refs++;
}

/* Read on both sides from now on. */
static void copy_entry(const struct copy *c, struct mm_utable *from, uint64_t *entry,
		       struct mm_utable *to)
{
	uint64_t value = *entry;
	uint64_t *target = &to->entries[entry - from->entries];

	if (e_kind(value) == E_PAGE || e_kind(value) == E_SWAP)
		value &= ~E_WRITE;
	share(c, value);
	if (value != *entry)
		mm_user_set(c->mm, c->cpu, from, entry, value);
	mm_user_set(c->mm, c->cpu, to, target, value);
}

/* A table is wanted for it first, which takes time: then the parent's entries as they are. */
static int copy_leaf(struct copy *c, uint64_t start, uint64_t end)
{
	struct mm *mm = c->mm;
	struct mm_utable *to = mm_user_table(mm, c->cpu, c->child, start, mm_user_shift(mm)), *from;

	if (!to)
		return -ENOMEM;
	mm_work(mm, c->cpu, MM_SITE_LOCK, 2);
	for (uint64_t at = start; at < end; at += mm_user_page_bytes(mm)) {
		uint64_t *entry = mm_user_entry(c->parent, at, &from);

		if (from->shift != mm_user_shift(mm))
			break;
		if (e_kind(*entry) == E_NONE)
			continue;
		copy_entry(c, from, entry, to);
		c->nr++;
	}
	mm_resched(mm, c->cpu);
	return 0;
}

static int copy_huge(struct copy *c, uint64_t at)
{
	struct mm *mm = c->mm;
	struct mm_utable *to = mm_user_table(mm, c->cpu, c->child, at, mm_huge_shift(mm)), *from;
	struct mm_utable *leaf = to ? mm_utable_new(mm, c->cpu, c->child, mm_user_shift(mm)) : NULL;
	uint64_t *entry;

	if (!leaf)
		return -ENOMEM;
	entry = mm_user_entry(c->parent, at, &from);
	/* Reclaim may have taken it apart. */
	if (e_kind(*entry) != E_PAGE || from->shift != to->shift) {
		mm_utable_free(mm, c->cpu, c->child, leaf);
		return -EAGAIN;
	}
	mm_utable_deposit(to, leaf);
	copy_entry(c, from, entry, to);
	c->nr++;
	return 0;
}

static int copy_tables(struct copy *c)
{
	struct mm *mm = c->mm;
	uint64_t size = UINT64_C(1) << mm_huge_shift(mm), end;
	int err = 0;

	for (uint64_t at = c->from->start; at < c->from->end && !err; at = end) {
		struct mm_utable *table;
		const uint64_t *entry = mm_user_entry(c->parent, at, &table);
		uint64_t span = UINT64_C(1) << table->shift;

		end = (at & ~(span - 1)) + span;
		if (table->shift == mm_user_shift(mm)) {
			end = (at & ~(size - 1)) + size;
			end = end < c->from->end ? end : c->from->end;
			err = copy_leaf(c, at, end);
		} else if (e_kind(*entry) == E_PAGE) {
			err = copy_huge(c, at);
			if (err == -EAGAIN) {
				end = at;
				err = 0;
			}
		}
	}
	return err;
}

static int copy_vma(struct copy *c, struct mm_vma ***link)
{
	uint64_t pages = (c->from->end - c->from->start) >> mm_user_shift(c->mm);
	struct mm_vma *vma;

	if (c->from->hugetlb)
		return 0;
	if (c->from->accounted && mm_commit(c->mm, c->parent, pages))
		return -ENOMEM;
	vma = malloc(sizeof(*vma));
	if (!vma) {
		mm_uncommit(c->mm, c->from->accounted ? pages : 0);
		return -ENOMEM;
	}
	*vma = *c->from;
	vma->next = NULL;
	vma->locked = false;
	if (vma->file)
		mm_file_ref(vma->file);
	**link = vma;
	*link = &vma->next;
	mm_work(c->mm, c->cpu, MM_SITE_VMA, 1);
	return c->from->copied && !c->from->shared ? copy_tables(c) : 0;
}

int mm_space_fork(struct mm *mm, int cpu, struct mm_space *parent, const char *name,
		  struct mm_space **out)
{
	struct copy c = {.mm = mm, .cpu = cpu, .parent = parent};
	struct mm_vma **link;
	int err;

	mm_user_syscall(mm, cpu);
	err = mm_user_child(mm, cpu, parent, name, &c.child);
	if (err)
		return err;
	c.child->turn = parent->turn;
	link = &c.child->vmas;
	parent->busy++;
	c.child->busy++;
	for (c.from = parent->vmas; c.from && !err; c.from = c.from->next)
		err = copy_vma(&c, &link);
	/* Entries of the parent allow less than before. */
	mm_user_flush(mm, cpu, parent, 0, UINT64_MAX, c.nr);
	parent->busy--;
	c.child->busy--;
	if (err) {
		mm_space_exit(mm, cpu, c.child);
		return err;
	}
	*out = c.child;
	return 0;
}

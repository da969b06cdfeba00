/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory policies of user memory: whose is in force at an address, mbind(), and pages that move
 *with it. Follows Linux 6.1 mm/mempolicy.c and mm/shmem.c.
 *
 * A file of tmpfs has policies of its own, by ranges of its pages (struct shared_policy): what is
 * bound through any mapping of it, private ones too, holds for all who map, read or write there,
 *and stays when the mapping goes. Other ranges have a policy each.
 *
 *	ranges of a file are in order, and do not overlap
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "mm/compact/migrate.h"
#include "mm/user/user_state.h"

/* The first range that ends behind the page. */
static size_t find_range(const struct mm_file *file, uint64_t page)
{
	size_t low = 0, high = file->nr_policies;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (file->policies[middle].end > page)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

const struct mm_policy *mm_file_policy(const struct mm_file *file, uint64_t page)
{
	size_t i = find_range(file, page);

	return i < file->nr_policies && file->policies[i].start <= page ? &file->policies[i].policy
									: NULL;
}

/* Cuts the range that goes over the page there; there is room. Returns the first from it on. */
static size_t cut_range(struct mm_file *file, uint64_t page)
{
	size_t i = find_range(file, page);
	struct mm_file_policy *p = &file->policies[i];

	if (i == file->nr_policies || p->start >= page)
		return i;
	memmove(p + 1, p, (file->nr_policies - i) * sizeof(*p));
	file->nr_policies++;
	p[0].end = p[1].start = page;
	return i + 1;
}

/* `policy` NULL: none any more. */
static int set_range(struct mm_file *file, uint64_t start, uint64_t end,
		     const struct mm_policy *policy)
{
	size_t room = file->nr_policies + 3, from, to;
	struct mm_file_policy *p = realloc(file->policies, room * sizeof(*p));

	if (!p)
		return -ENOMEM;
	file->policies = p;
	from = cut_range(file, start);
	to = cut_range(file, end);
	memmove(p + from + (policy != NULL), p + to, (file->nr_policies - to) * sizeof(*p));
	file->nr_policies = file->nr_policies - (to - from) + (policy != NULL);
	if (policy)
		p[from] = (struct mm_file_policy){start, end, *policy};
	return 0;
}

int mm_file_set_policy(struct mm_file *file, const struct mm_policy *policy)
{
	return set_range(file, 0, UINT64_MAX, policy);
}

int mm_user_share_policy(const struct mm *mm, const struct mm_vma *vma,
			 const struct mm_policy *policy)
{
	uint64_t pages = (vma->end - vma->start) >> mm_user_shift(mm);

	if (!vma->file || !vma->file->tmpfs)
		return 0;
	return set_range(vma->file, vma->pgoff, vma->pgoff + pages, policy);
}

const struct mm_policy *mm_user_policy(const struct mm *mm, const struct mm_space *space,
				       const struct mm_vma *vma, uint64_t address)
{
	const struct mm_policy *p;

	if (!vma->file || !vma->file->tmpfs)
		return vma->has_policy ? &vma->policy : &space->policy;
	p = mm_file_policy(vma->file, vma->pgoff + ((address - vma->start) >> mm_user_shift(mm)));
	return p ? p : &space->policy;
}

/* Blocks that entries of [start, end) map, each once. */
struct collected {
	struct page **pages;
	size_t nr, room;
};

static bool collect(const struct mm *mm, const struct mm_space *space, uint64_t start, uint64_t end,
		    struct collected *c)
{
	for (uint64_t at = start; at < end;) {
		struct mm_utable *table;
		const uint64_t *entry = mm_user_entry(space, at, &table);
		struct page *head = NULL;

		at = (at | ((UINT64_C(1) << table->shift) - 1)) + 1;
		if (e_kind(*entry) == E_PAGE)
			head = mm_user_head(mm, e_pointer(*entry));
		if (!head || !head->user || mm_upage(mm, head)->mapcount != 1)
			continue; /* others have it too: MPOL_MF_MOVE leaves it */
		if (c->nr == c->room) {
			size_t room = c->room ? 2 * c->room : 512;
			struct page **pages = realloc(c->pages, room * sizeof(*pages));

			if (!pages)
				return false;
			c->pages = pages;
			c->room = room;
		}
		c->pages[c->nr++] = head;
	}
	return true;
}

static int64_t move_pages(struct mm *mm, const struct mm_migrate_request *req,
			  const struct mm_space *space, uint64_t start, uint64_t end)
{
	struct collected c = {0};
	int64_t failed = -ENOMEM;

	if (collect(mm, space, start, end, &c))
		failed = c.nr ? (int64_t)mm_migrate_pages(mm, req, c.pages, c.nr) : 0;
	free(c.pages);
	return failed;
}

int64_t mm_space_migrate(struct mm *mm, int cpu, struct mm_space *space, int nid)
{
	const struct mm_migrate_request req = {
		.cpu = cpu, .nid = nid, .reason = MM_MIGRATE_SYSCALL};
	int64_t failed = 0;

	mm_user_syscall(mm, cpu);
	space->busy++;
	for (const struct mm_vma *v = space->vmas; v && failed >= 0; v = v->next) {
		int64_t more = v->hugetlb ? 0 : move_pages(mm, &req, space, v->start, v->end);

		failed = more < 0 ? more : failed + more;
	}
	space->busy--;
	return failed;
}

static int bind(struct mm *mm, int cpu, struct mm_space *space, uint64_t start, uint64_t bytes,
		const struct mm_policy *policy, bool move)
{
	uint64_t end = start + bytes;
	struct mm_migrate_request req = {.cpu = cpu, .reason = MM_MIGRATE_MBIND};
	int64_t failed = 0;
	int err;

	mm_user_syscall(mm, cpu);
	err = mm_user_cut_both(mm, cpu, space, start, end);
	if (err)
		return err;
	for (struct mm_vma *v = space->vmas; v && v->start < end; v = v->next) {
		if (v->end <= start)
			continue;
		mm_work(mm, cpu, MM_SITE_VMA, 1);
		v->has_policy = policy != NULL;
		if (policy)
			v->policy = *policy;
		if (mm_user_share_policy(mm, v, policy))
			return -ENOMEM;
		req.nodes = policy ? &policy->nodes : NULL;
		if (move && policy && !mm_nodemask_empty(&policy->nodes) && !v->hugetlb)
			failed = move_pages(mm, &req, space, v->start, v->end);
		if (failed < 0)
			return (int)failed;
	}
	return 0;
}

int mm_mbind(struct mm *mm, int cpu, struct mm_space *space, uint64_t start, uint64_t bytes,
	     const struct mm_policy *policy, bool move)
{
	int err;

	space->busy++;
	err = bind(mm, cpu, space, start, bytes, policy, move);
	space->busy--;
	return err;
}

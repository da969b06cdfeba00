/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Address spaces and their ranges: mmap, munmap, mlock, exec, exit. Follows Linux 6.1 mm/mmap.c,
 * mm/mlock.c, with a list of ranges in the place of the maple tree;
 * neighbours are not merged.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "mm/huge/hugetlb.h"
#include "mm/user/khugepaged.h"
#include "mm/user/user_readahead.h"

void mm_user_syscall(struct mm *mm, int cpu)
{
	mm_work(mm, cpu, MM_SITE_SYSCALL, 1);
}

static uint64_t page_mask(const struct mm *mm)
{
	return mm_user_page_bytes(mm) - 1;
}

/* Where user addresses end, and mappings begin: below the stack, which is not simulated. */
static uint64_t top_of(const struct mm *mm)
{
	const struct mm_vm_map *map = &mm->vm_map;
	uint64_t half = UINT64_C(1) << (map->va_bits - 1);
	uint64_t end = map->va_bits > 32 ? half : map->direct.start;

	return end - (end >> 3 < UINT64_C(1) << 30 ? end >> 3 : UINT64_C(1) << 30);
}

static struct mm_space *allocate(struct mm *mm, const char *name)
{
	struct mm_user *u = mm_user_get(mm);
	struct mm_space *space = u ? calloc(1, sizeof(*space)) : NULL;

	if (!space)
		return NULL;
	space->name = strdup(name);
	if (space->name)
		return space;
	free(space);
	return NULL;
}

/* To the lists of all spaces and of its family; at the end, so that their order is that of age. */
static void enlist(struct mm *mm, struct mm_space *space, struct mm_family *family)
{
	struct mm_space **link = &mm->user->spaces;

	while (*link)
		link = &(*link)->next;
	*link = space;
	space->id = ++mm->user->nr_made;
	link = &family->spaces;
	while (*link)
		link = &(*link)->next_in_family;
	*link = space;
	space->family = family;
}

static void leave_family(struct mm_space *space)
{
	struct mm_space **link = &space->family->spaces;

	while (*link != space)
		link = &(*link)->next_in_family;
	*link = space->next_in_family;
	space->next_in_family = NULL;
	if (!space->family->spaces)
		free(space->family);
	space->family = NULL;
}

static void delist(struct mm *mm, struct mm_space *space)
{
	struct mm_space **link = &mm->user->spaces;

	mm_khugepaged_forget(mm, space);
	while (*link != space)
		link = &(*link)->next;
	*link = space->next;
	leave_family(space);
	for (int cpu = 0; cpu < mm->nr_cpus; cpu++)
		if (mm->user->running[cpu] == space)
			mm->user->running[cpu] = NULL;
}

static int make(struct mm *mm, int cpu, const char *name, const struct mm_policy *policy,
		struct mm_family *family, struct mm_space **out)
{
	struct mm_space *space = allocate(mm, name);
	struct mm_family *own = NULL;

	if (space && !family)
		family = own = calloc(1, sizeof(*own));
	if (!space || !family) {
		if (space)
			free(space->name);
		free(space);
		return -ENOMEM;
	}
	if (policy)
		space->policy = *policy;
	else
		space->policy.home_nid = MM_NO_NODE;
	enlist(mm, space, family);
	mm_work(mm, cpu, MM_SITE_TASK, 1);
	if (mm_user_root(mm, cpu, space)) {
		mm_space_exit(mm, cpu, space);
		return -ENOMEM;
	}
	*out = space;
	return 0;
}

int mm_space_new(struct mm *mm, int cpu, const char *name, const struct mm_policy *policy,
		 struct mm_space **out)
{
	mm_user_syscall(mm, cpu);
	return make(mm, cpu, name, policy, NULL, out);
}

int mm_user_child(struct mm *mm, int cpu, struct mm_space *parent, const char *name,
		  struct mm_space **out)
{
	return make(mm, cpu, name, &parent->policy, parent->family, out);
}

void mm_space_run(struct mm *mm, int cpu, struct mm_space *space)
{
	struct mm_space **running = mm->user ? &mm->user->running[cpu] : NULL;

	if (!running || *running == space)
		return;
	*running = space;
	if (!space)
		return;
	mm_work(mm, cpu, MM_SITE_THREAD_SWITCH, 1);
	mm_touch_page(mm, cpu, space->root->page, MM_WRITE);
}

uint64_t mm_space_running(const struct mm *mm, int cpu)
{
	const struct mm_space *space = mm->user ? mm->user->running[cpu] : NULL;

	return space ? space->id : 0;
}

void mm_space_resume(struct mm *mm, int cpu, uint64_t id)
{
	struct mm_space *space = mm->user ? mm->user->spaces : NULL;

	if (!id || mm_space_running(mm, cpu) == id)
		return;
	while (space && space->id != id)
		space = space->next;
	mm_space_run(mm, cpu, space);
}

uint64_t mm_space_id(const struct mm_space *space)
{
	return space->id;
}

bool mm_space_runs_on(const struct mm *mm, const struct mm_space *space, int cpu)
{
	return mm->user->running[cpu] == space;
}

void mm_space_set_policy(struct mm_space *space, const struct mm_policy *policy)
{
	space->policy = *policy;
}

struct mm_vma *mm_user_vma(const struct mm_space *space, uint64_t address)
{
	struct mm_vma *v = space->vmas;

	while (v && v->end <= address)
		v = v->next;
	return v && v->start <= address ? v : NULL;
}

/* The highest gap that has room. 0: none. */
static uint64_t find_gap(const struct mm *mm, const struct mm_space *space, uint64_t bytes,
			 unsigned shift)
{
	uint64_t align = bytes >> shift ? UINT64_C(1) << shift : mm_user_page_bytes(mm);
	uint64_t top = top_of(mm), found = 0, low = mm_user_page_bytes(mm);

	for (const struct mm_vma *v = space->vmas;; v = v->next) {
		uint64_t end = v ? v->start : top;
		uint64_t at = end > bytes ? (end - bytes) & ~(align - 1) : 0;

		if (at >= low && at + bytes <= top)
			found = at;
		if (!v)
			return found;
		low = v->end;
	}
}

static void insert(struct mm_space *space, struct mm_vma *vma)
{
	struct mm_vma **link = &space->vmas;

	while (*link && (*link)->start < vma->start)
		link = &(*link)->next;
	vma->next = *link;
	*link = vma;
}

/* What MAP_SHARED without a file is: one of tmpfs that has no name. */
static struct mm_file *unnamed(struct mm *mm)
{
	struct mm_file *file = mm_file_open(mm, NULL, true);

	if (file)
		file->unnamed = true;
	return file;
}

/* A range that is in no space yet. */
static void drop_new(struct mm *mm, int cpu, struct mm_vma *vma, uint64_t nr_huge)
{
	if (vma->hugetlb && !vma->noreserve)
		mm_hugetlb_unreserve(mm, cpu, vma->pool, nr_huge);
	if (vma->accounted)
		mm_uncommit(mm, (vma->end - vma->start) >> mm_user_shift(mm));
	if (vma->file)
		mm_file_unref(mm, cpu, vma->file);
	free(vma);
}

/* What could be written for itself is promised whole (accountable_mapping()); of a shared range its
 * file, if that has no name. 0 or -ENOMEM. */
static int account(struct mm *mm, const struct mm_space *space, struct mm_vma *vma)
{
	uint64_t pages = (vma->end - vma->start) >> mm_user_shift(mm);
	bool skip = vma->noreserve && mm_commit_may_skip(mm);

	if (vma->hugetlb || skip || (vma->shared && !vma->file->unnamed))
		return 0;
	if (mm_commit(mm, space, pages))
		return -ENOMEM;
	if (vma->shared)
		vma->file->promised = pages;
	else
		vma->accounted = true;
	return 0;
}

int mm_mmap(struct mm *mm, int cpu, struct mm_space *space, const struct mm_mmap_args *args,
	    uint64_t *start)
{
	uint64_t bytes = (args->bytes + page_mask(mm)) & ~page_mask(mm);
	unsigned shift = mm_user_shift(mm), huge_shift = mm_huge_shift(mm);
	int pool = args->huge_bytes ? mm_hugetlb_find(mm, args->huge_bytes)
				    : (int)mm_hugetlb_default(mm);
	struct mm_vma *vma;
	uint64_t at;

	mm_user_syscall(mm, cpu);
	if (bytes < args->bytes)
		return -ENOMEM;
	if (!bytes || (args->offset & page_mask(mm)))
		return -EINVAL;
	if (args->hugetlb && pool >= 0)
		huge_shift = shift + mm_hugetlb_order(mm, (unsigned)pool);
	if (args->hugetlb &&
	    (pool < 0 || args->file || args->shared || bytes & ((UINT64_C(1) << huge_shift) - 1)))
		return -EINVAL;
	at = find_gap(mm, space, bytes, huge_shift);
	vma = at ? calloc(1, sizeof(*vma)) : NULL;
	if (!vma)
		return -ENOMEM;
	*vma = (struct mm_vma){.start = at,
			       .end = at + bytes,
			       .file = args->file,
			       .pgoff = args->file ? args->offset >> shift : at >> shift,
			       .shared = args->shared,
			       .advised = args->advised,
			       .refused = args->refused,
			       .hugetlb = args->hugetlb,
			       .pool = args->hugetlb ? (unsigned)pool : 0,
			       .noreserve = args->noreserve,
			       .has_policy = args->policy != NULL};
	if (args->policy)
		vma->policy = *args->policy;
	if (args->shared && !args->file) {
		vma->file = unnamed(mm);
		vma->pgoff = 0;
	}
	if ((args->shared && !vma->file) ||
	    (args->hugetlb && !args->noreserve &&
	     mm_hugetlb_reserve(mm, cpu, vma->pool, bytes >> huge_shift))) {
		free(vma);
		return -ENOMEM;
	}
	if (vma->file)
		mm_file_ref(vma->file);
	if (account(mm, space, vma) ||
	    (args->policy && mm_user_share_policy(mm, vma, args->policy))) {
		drop_new(mm, cpu, vma, bytes >> huge_shift);
		return -ENOMEM;
	}
	insert(space, vma);
	mm_work(mm, cpu, MM_SITE_VMA, 1);
	mm_touch_page(mm, cpu, space->root->page, MM_WRITE);
	*start = at;
	return 0;
}

int mm_user_cut(struct mm *mm, int cpu, struct mm_space *space, uint64_t at)
{
	struct mm_vma *vma = mm_user_vma(space, at), *upper;
	struct mm_utable *table;
	uint64_t *entry;

	if (!vma || vma->start == at)
		return 0;
	if (vma->hugetlb && at & ((UINT64_C(1) << mm_pool_shift(mm, vma)) - 1))
		return -EINVAL;
	upper = malloc(sizeof(*upper));
	if (!upper)
		return -ENOMEM;
	entry = mm_user_entry(space, at, &table);
	if (e_kind(*entry) == E_PAGE && table->shift != mm_user_shift(mm) &&
	    at & ((UINT64_C(1) << table->shift) - 1)) {
		mm_user_forget(mm, cpu, space, table, at);
		mm_user_split(mm, cpu, table, entry, vma->locked);
	}
	*upper = *vma;
	upper->start = at;
	upper->pgoff += (at - vma->start) >> mm_user_shift(mm);
	vma->end = at;
	vma->next = upper;
	if (vma->file)
		mm_file_ref(vma->file);
	mm_work(mm, cpu, MM_SITE_VMA, 1);
	return 0;
}

int mm_user_cut_both(struct mm *mm, int cpu, struct mm_space *space, uint64_t start, uint64_t end)
{
	int err = start < end && !((start | end) & page_mask(mm)) ? 0 : -EINVAL;

	if (!err)
		err = mm_user_cut(mm, cpu, space, start);
	return err ? err : mm_user_cut(mm, cpu, space, end);
}

uint64_t mm_user_unused_of_pool(const struct mm *mm, const struct mm_space *space,
				const struct mm_vma *vma)
{
	uint64_t size = UINT64_C(1) << mm_pool_shift(mm, vma), unused = 0;

	for (uint64_t at = vma->start; vma->hugetlb && !vma->noreserve && at < vma->end;
	     at += size) {
		struct mm_utable *table;

		unused += e_kind(*mm_user_entry(space, at, &table)) != E_PAGE;
	}
	return unused;
}

static void drop_vma(struct mm *mm, int cpu, struct mm_space *space, struct mm_vma **link)
{
	struct mm_vma *vma = *link;
	uint64_t unused = mm_user_unused_of_pool(mm, space, vma);

	if (unused)
		mm_hugetlb_unreserve(mm, cpu, vma->pool, unused);
	mm_user_zap(mm, cpu, space, vma, vma->start, vma->end);
	*link = vma->next;
	mm_work(mm, cpu, MM_SITE_VMA, 1);
	if (vma->accounted)
		mm_uncommit(mm, (vma->end - vma->start) >> mm_user_shift(mm));
	if (vma->file)
		mm_file_unref(mm, cpu, vma->file);
	free(vma);
}

int mm_munmap(struct mm *mm, int cpu, struct mm_space *space, uint64_t start, uint64_t bytes)
{
	uint64_t end = start + bytes;
	struct mm_vma **link = &space->vmas;
	int err;

	mm_user_syscall(mm, cpu);
	space->busy++;
	err = mm_user_cut_both(mm, cpu, space, start, end);
	while (!err && *link && (*link)->start < end)
		if ((*link)->end <= start)
			link = &(*link)->next;
		else
			drop_vma(mm, cpu, space, link);
	if (!err)
		mm_user_prune(mm, cpu, space);
	space->busy--;
	return err;
}

static void drop_ranges(struct mm *mm, int cpu, struct mm_space *space)
{
	space->busy++;
	while (space->vmas)
		drop_vma(mm, cpu, space, &space->vmas);
	if (space->root)
		mm_user_prune(mm, cpu, space);
	space->busy--;
}

static void drop_root(struct mm *mm, int cpu, struct mm_space *space, struct mm_utable *root)
{
	if (!root)
		return;
	mm_upage_del(mm, cpu, root->page);
	mm_utable_free(mm, cpu, space, root);
}

int mm_space_exec(struct mm *mm, int cpu, struct mm_space *space)
{
	struct mm_family *family = calloc(1, sizeof(*family));
	struct mm_utable *old = space->root, *root;

	mm_user_syscall(mm, cpu);
	mm_work(mm, cpu, MM_SITE_TASK, 1);
	if (!family || mm_user_root(mm, cpu, space)) {
		space->root = old;
		free(family);
		return -ENOMEM;
	}
	root = space->root;
	space->root = old;
	drop_ranges(mm, cpu, space);
	leave_family(space);
	space->family = family;
	family->spaces = space;
	space->root = root;
	drop_root(mm, cpu, space, old);
	return 0;
}

void mm_space_exit(struct mm *mm, int cpu, struct mm_space *space)
{
	struct mm_utable *root = space->root;

	mm_work(mm, cpu, MM_SITE_TASK, 1);
	drop_ranges(mm, cpu, space);
	space->root = NULL;
	drop_root(mm, cpu, space, root);
	delist(mm, space);
	mm_ra_forget(mm, space);
	free(space->name);
	free(space);
}

/* Pages that are there become locked or are so no longer; counted by entries. */
static void lock_present(struct mm *mm, int cpu, struct mm_space *space, const struct mm_vma *vma,
			 bool lock)
{
	for (uint64_t at = vma->start; at < vma->end;) {
		struct mm_utable *table;
		const uint64_t *entry = mm_user_entry(space, at, &table);
		struct page *head;
		struct mm_upage *up;

		at = (at | ((UINT64_C(1) << table->shift) - 1)) + 1;
		if (e_kind(*entry) != E_PAGE || vma->hugetlb)
			continue;
		head = mm_user_head(mm, e_pointer(*entry));
		up = mm_upage(mm, head);
		if (lock)
			up->locked++;
		else
			up->locked--;
		if (lock ? up->locked == 1 : up->locked == 0)
			mm_page_lock_in(mm, cpu, head, lock);
	}
}

int mm_mlock(struct mm *mm, int cpu, struct mm_space *space, uint64_t start, uint64_t bytes,
	     bool lock)
{
	uint64_t end = start + bytes;
	phys_addr_t phys;
	int err;

	mm_user_syscall(mm, cpu);
	space->busy++;
	err = mm_user_cut_both(mm, cpu, space, start, end);
	for (struct mm_vma *v = space->vmas; v && v->start < end && !err; v = v->next) {
		if (v->end <= start || v->locked == lock)
			continue;
		mm_work(mm, cpu, MM_SITE_VMA, 1);
		v->locked = lock;
		lock_present(mm, cpu, space, v, lock);
		/* Private memory is broken from who shares it, as a write would. */
		for (uint64_t at = v->start; lock && at < v->end; at += mm_user_page_bytes(mm)) {
			int result = mm_user_access(mm, cpu, space, at, !v->shared, &phys);

			if (result < 0) {
				err = result;
				break;
			}
			if (!((at >> mm_user_shift(mm)) % 512))
				mm_resched(mm, cpu);
		}
	}
	space->busy--;
	return err;
}

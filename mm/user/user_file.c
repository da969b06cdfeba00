/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files and their pages in memory. Of a disk's, pages are the page cache: read at first, or written
 * back, and dropped under pressure. Of tmpfs, pages are all there is, and go to swap. Follows Linux
 * 6.1 mm/filemap.c and mm/shmem.c, page by page.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "mm/reclaim/lru_lists.h"
#include "mm/user/user_state.h"

struct mm_file *mm_file_open(struct mm *mm, const char *name, bool tmpfs)
{
	struct mm_user *u = mm_user_get(mm);
	struct mm_file **link, *file;

	if (!u)
		return NULL;
	for (link = &u->files; *link; link = &(*link)->next)
		if (name && !(*link)->unnamed && !strcmp((*link)->name, name))
			return *link;
	file = calloc(1, sizeof(*file));
	if (!file)
		return NULL;
	file->name = strdup(name ? name : "/dev/zero (deleted)");
	if (!file->name) {
		free(file);
		return NULL;
	}
	file->tmpfs = tmpfs;
	*link = file;
	return file;
}

void mm_file_set_policy(struct mm_file *file, const struct mm_policy *policy)
{
	file->policy = *policy;
	file->has_policy = true;
}

int mm_file_grow(struct mm_file *file, uint64_t page)
{
	uint64_t nr = file->nr ? file->nr : 64;
	uint64_t *entries, *shadows;

	if (page < file->nr)
		return 0;
	while (nr <= page)
		nr *= 2;
	entries = realloc(file->entries, nr * sizeof(*entries));
	if (entries)
		file->entries = entries;
	shadows = entries ? realloc(file->shadows, nr * sizeof(*shadows)) : NULL;
	if (!shadows)
		return -ENOMEM;
	file->shadows = shadows;
	memset(entries + file->nr, 0, (nr - file->nr) * sizeof(*entries));
	memset(shadows + file->nr, 0, (nr - file->nr) * sizeof(*shadows));
	file->nr = nr;
	return 0;
}

void mm_file_ref(struct mm_file *file)
{
	file->refs++;
}

static void delete (struct mm *mm, struct mm_file *file)
{
	struct mm_file **link = &mm->user->files;

	while (*link != file)
		link = &(*link)->next;
	*link = file->next;
	free(file->entries);
	free(file->shadows);
	free(file->name);
	free(file);
}

void mm_file_unref(struct mm *mm, int cpu, struct mm_file *file)
{
	if (--file->refs || !file->unnamed)
		return;
	mm_file_drop(mm, cpu, file);
	delete (mm, file);
}

void mm_file_drop(struct mm *mm, int cpu, struct mm_file *file)
{
	for (uint64_t i = 0; i < file->nr; i++) {
		uint64_t entry = file->entries[i];
		struct page *page = e_pointer(entry);

		if (e_kind(entry) == E_SWAP) {
			file->entries[i] = E_NONE;
			mm_slot_put(mm, e_pointer(entry));
		}
		if (e_kind(entry) != E_PAGE || mm_upage(mm, page)->mapcount)
			continue;
		file->entries[i] = E_NONE;
		mm_upage_del(mm, page);
		mm_free_pages(mm, cpu, page, 0);
	}
}

/* Page cache goes by the task's policy in its turn, tmpfs by the file's and the page. */
static struct page *take_page(struct mm *mm, int cpu, struct mm_space *space,
			      const struct mm_file *file, uint64_t index, gfp_t gfp)
{
	const struct mm_request req = {.cpu = cpu, .nid = MM_NO_NODE, .gfp = gfp};
	struct mm_policy_use use = {.policy = &space->policy};
	struct page *page;

	if (file->tmpfs && file->has_policy)
		use.policy = &file->policy;
	use.turn = file->tmpfs ? (uint32_t)index : space->turn++;
	return mm_alloc_pages_policy(mm, &req, &use, &page) ? NULL : page;
}

/* To the file, unless another task's is there already, and to the lists. */
static int insert(struct mm *mm, int cpu, struct mm_file *file, uint64_t index, struct page *page,
		  uint64_t shadow)
{
	enum mm_page_kind kind = file->tmpfs ? MM_PAGE_SHMEM : MM_PAGE_FILE;

	if (file->entries[index] != E_NONE ||
	    mm_upage_add(mm, page, file->tmpfs ? UP_SHMEM : UP_FILE, file, index)) {
		mm_free_pages(mm, cpu, page, 0);
		return file->entries[index] == E_NONE ? -ENOMEM : 0;
	}
	file->entries[index] = e_make(page, E_PAGE);
	mm_refault(mm, page, kind, shadow);
	mm_lru_add(mm, cpu, page, kind);
	return 0;
}

static void zero(struct mm *mm, int cpu, const struct page *page)
{
	mm_work(mm, cpu, MM_SITE_ZERO, 1);
	mm_touch(mm, cpu, mm_page_address(mm, page), mm_user_page_bytes(mm), MM_ZERO);
}

static int bring_tmpfs(struct mm *mm, int cpu, struct mm_space *space, struct mm_file *file,
		       uint64_t index, bool whole)
{
	struct page *page =
		take_page(mm, cpu, space, file, index, GFP_HIGHUSER_MOVABLE | __GFP_COMP);
	uint64_t old = file->entries[index], shadow = file->shadows[index];

	if (!page)
		return -ENOMEM;
	if (e_kind(old) != E_SWAP) {
		if (!whole)
			zero(mm, cpu, page);
		return insert(mm, cpu, file, index, page, 0) ? -ENOMEM : MM_USER_SMALL;
	}
	mm_swap_read(mm, cpu, page);
	if (file->entries[index] != old) {
		mm_free_pages(mm, cpu, page, 0);
		return MM_USER_MAJOR;
	}
	file->entries[index] = E_NONE;
	mm_slot_put(mm, e_pointer(old));
	return insert(mm, cpu, file, index, page, shadow) ? -ENOMEM : MM_USER_MAJOR;
}

#define AHEAD_MOST 512

/* The page and those behind it that are not there, in one request. */
static int bring_cache(struct mm *mm, int cpu, struct mm_space *space, struct mm_file *file,
		       uint64_t index, unsigned ahead, bool write, bool whole)
{
	struct page *pages[AHEAD_MOST];
	gfp_t gfp = GFP_HIGHUSER_MOVABLE | (write ? __GFP_WRITE : 0);
	unsigned nr = 0;
	int err = 0;

	for (; nr <= ahead && nr < AHEAD_MOST && file->entries[index + nr] == E_NONE; nr++) {
		pages[nr] = take_page(mm, cpu, space, file, index + nr,
				      gfp | (nr ? __GFP_NORETRY | __GFP_NOWARN : 0));
		if (!pages[nr])
			break;
	}
	if (!nr)
		return file->entries[index] == E_NONE ? -ENOMEM : MM_USER_PRESENT;
	if (!whole)
		mm_file_read(mm, cpu, nr);
	for (unsigned i = 0; i < nr; i++) {
		uint64_t shadow = file->shadows[index + i];

		file->shadows[index + i] = 0;
		if (insert(mm, cpu, file, index + i, pages[i], shadow))
			err = -ENOMEM;
	}
	if (err)
		return err;
	return whole ? MM_USER_MINOR : MM_USER_MAJOR;
}

int mm_file_access(struct mm *mm, int cpu, struct mm_space *space, struct mm_file *file,
		   uint64_t page, unsigned ahead, bool write, bool whole, phys_addr_t *at)
{
	int result = MM_USER_PRESENT;

	if (mm_file_grow(file, page + ahead))
		return -ENOMEM;
	while (e_kind(file->entries[page]) != E_PAGE) {
		result = file->tmpfs ? bring_tmpfs(mm, cpu, space, file, page, whole)
				     : bring_cache(mm, cpu, space, file, page, ahead, write, whole);
		if (result < 0)
			return result;
	}
	*at = mm_page_address(mm, e_pointer(file->entries[page]));
	if (write)
		mm_page_dirty(mm, e_pointer(file->entries[page]));
	return result;
}

void mm_file_used(struct mm *mm, int cpu, struct mm_file *file, uint64_t page)
{
	if (page < file->nr && e_kind(file->entries[page]) == E_PAGE)
		mm_page_accessed(mm, cpu, e_pointer(file->entries[page]));
}

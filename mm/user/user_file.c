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
#include "mm/user/user_readahead.h"

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

void mm_file_extend(struct mm_file *file, uint64_t pages)
{
	if (file->size < pages)
		file->size = pages;
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

void mm_file_free(struct mm_file *file)
{
	while (file->readers) {
		struct mm_ra *ra = file->readers;

		file->readers = ra->next;
		free(ra);
	}
	free(file->policies);
	free(file->entries);
	free(file->shadows);
	free(file->name);
	free(file);
}

static void delete (struct mm *mm, struct mm_file *file)
{
	struct mm_file **link = &mm->user->files;

	while (*link != file)
		link = &(*link)->next;
	*link = file->next;
	mm_file_free(file);
}

void mm_file_unref(struct mm *mm, int cpu, struct mm_file *file)
{
	if (--file->refs || !file->unnamed)
		return;
	mm_file_drop(mm, cpu, file);
	mm_uncommit(mm, file->promised);
	delete (mm, file);
}

void mm_file_drop(struct mm *mm, int cpu, struct mm_file *file)
{
	for (uint64_t i = 0; i < file->nr; i++) {
		struct page *page;
		uint64_t entry;

		mm_page_wait(mm, cpu, file, i);
		entry = file->entries[i];
		page = e_pointer(entry);
		if (e_kind(entry) == E_SWAP) {
			mm_tmpfs_uncharge(mm, file);
			file->entries[i] = E_NONE;
			mm_slot_put(mm, cpu, e_pointer(entry));
		}
		if (e_kind(entry) != E_PAGE || mm_upage(mm, page)->mapcount)
			continue;
		if (file->tmpfs)
			mm_tmpfs_uncharge(mm, file);
		file->entries[i] = E_NONE;
		mm_upage_del(mm, cpu, page);
		mm_free_pages(mm, cpu, page, 0);
	}
}

/* Page cache goes by the task's policy in its turn, tmpfs by the file's and the page. */
static struct page *take_page(struct mm *mm, int cpu, struct mm_space *space,
			      const struct mm_file *file, uint64_t index, gfp_t gfp)
{
	const struct mm_request req = {.cpu = cpu, .nid = MM_NO_NODE, .gfp = gfp};
	struct mm_policy_use use = {.policy = &space->policy};
	const struct mm_policy *shared = file->tmpfs ? mm_file_policy(file, index) : NULL;
	struct page *page;

	if (shared)
		use.policy = shared;
	use.turn = file->tmpfs ? (uint32_t)index : space->turn++;
	return mm_alloc_pages_policy(mm, &req, &use, &page) ? NULL : page;
}

/* To the file, unless another task's is there already, and to the lists. */
static int insert(struct mm *mm, int cpu, struct mm_file *file, uint64_t index, struct page *page,
		  uint64_t shadow)
{
	enum mm_page_kind kind = file->tmpfs ? MM_PAGE_SHMEM : MM_PAGE_FILE;
	bool locked = page->locked;

	page->locked = false;
	if (file->entries[index] != E_NONE ||
	    mm_upage_add(mm, page, file->tmpfs ? UP_SHMEM : UP_FILE, file, index)) {
		mm_free_pages(mm, cpu, page, 0);
		return file->entries[index] == E_NONE ? -ENOMEM : 0;
	}
	page->locked = locked;
	file->entries[index] = e_make(page, E_PAGE);
	mm_refault(mm, cpu, page, kind, shadow);
	mm_lru_add(mm, cpu, page, kind);
	return 0;
}

static void zero(struct mm *mm, int cpu, const struct page *page)
{
	mm_work(mm, cpu, MM_SITE_ZERO, 1);
	mm_touch(mm, cpu, mm_page_address(mm, page), mm_user_page_bytes(mm), MM_ZERO);
}

/* What was not there: it is to be allowed, too. */
static int fill_hole(struct mm *mm, int cpu, struct mm_space *space, struct mm_file *file,
		     uint64_t index, bool whole)
{
	int err = mm_tmpfs_charge(mm, space, file);
	struct page *page = err ? NULL : take_page(mm, cpu, space, file, index, GFP_USER_FOLIO);

	if (err)
		return err;
	if (page && !whole)
		zero(mm, cpu, page);
	err = page ? insert(mm, cpu, file, index, page, 0) : -ENOMEM;
	if (err || file->entries[index] != e_make(page, E_PAGE))
		mm_tmpfs_uncharge(mm, file);
	return err ? err : MM_USER_SMALL;
}

static int bring_tmpfs(struct mm *mm, int cpu, struct mm_space *space, struct mm_file *file,
		       uint64_t index, bool whole)
{
	uint64_t old = file->entries[index], shadow = file->shadows[index];
	struct page *page;
	int err;

	if (e_kind(old) != E_SWAP)
		return fill_hole(mm, cpu, space, file, index, whole);
	page = take_page(mm, cpu, space, file, index, GFP_USER_FOLIO);
	if (!page)
		return -ENOMEM;
	mm_swap_read(mm, cpu, 1);
	if (file->entries[index] != old) {
		mm_free_pages(mm, cpu, page, 0);
		return MM_USER_MAJOR;
	}
	file->entries[index] = E_NONE;
	mm_slot_put(mm, cpu, e_pointer(old));
	err = insert(mm, cpu, file, index, page, shadow);
	if (err)
		mm_tmpfs_uncharge(mm, file);
	return err ? err : MM_USER_MAJOR;
}

int mm_file_insert_locked(struct mm *mm, int cpu, struct mm_space *space, struct mm_file *file,
			  uint64_t index, gfp_t gfp, bool marked)
{
	struct page *page;
	uint64_t shadow;

	if (file->entries[index] != E_NONE)
		return 0;
	page = take_page(mm, cpu, space, file, index, gfp);
	if (!page)
		return -ENOMEM;
	page->locked = true;
	page->flags |= marked ? PG_RECLAIM : 0;
	shadow = file->shadows[index];
	file->shadows[index] = 0;
	if (insert(mm, cpu, file, index, page, shadow))
		return -ENOMEM;
	return file->entries[index] == e_make(page, E_PAGE);
}

/* By itself: no readahead, or that found no memory. What is written whole needs not be read. */
static int bring_page(struct mm *mm, int cpu, struct mm_space *space, struct mm_file *file,
		      uint64_t index, bool write, bool whole)
{
	struct page *page =
		take_page(mm, cpu, space, file, index, GFP_USER_FOLIO | (write ? __GFP_WRITE : 0));
	uint64_t shadow;

	if (!page)
		return file->entries[index] == E_NONE ? -ENOMEM : MM_USER_PRESENT;
	if (!whole)
		mm_file_read(mm, cpu, 1);
	shadow = file->shadows[index];
	file->shadows[index] = 0;
	if (insert(mm, cpu, file, index, page, shadow))
		return -ENOMEM;
	return whole ? MM_USER_MINOR : MM_USER_MAJOR;
}

/* What is to be done with a page of a file, and by whom. */
struct use {
	struct mm_space *space;
	struct mm_file *file;
	uint64_t page;
	uint64_t ahead; /* pages; 0: no readahead */
	bool *waited;   /* NULL: nobody wants to know */
	bool fault, write, whole;
};

static int bring_cache(struct mm *mm, int cpu, const struct use *u)
{
	if (u->fault)
		mm_ra_fault(mm, cpu, u->space, u->file, u->page);
	else if (u->ahead && !u->write)
		mm_ra_miss(mm, cpu, u->space, u->file, u->page, u->ahead);
	if (u->file->entries[u->page] != E_NONE)
		return MM_USER_MAJOR;
	return bring_page(mm, cpu, u->space, u->file, u->page, u->write && !u->fault,
			  u->write && u->whole);
}

/* It was found in memory: is it the first of those that nobody had asked for yet? */
static void go_on(struct mm *mm, int cpu, const struct use *u)
{
	const struct page *page = e_pointer(u->file->entries[u->page]);

	if (!u->file->tmpfs && (page->flags & PG_RECLAIM) && (u->fault || !u->write))
		mm_ra_mark(mm, cpu, u->space, u->file, u->page, u->fault ? u->ahead : 1, u->ahead);
}

static void note_reader(const struct use *u, bool found)
{
	struct mm_ra *ra = mm_ra_of(u->file, u->space);

	if (!ra)
		return;
	if (u->fault && found && ra->mmap_misses)
		ra->mmap_misses--;
	else if (!u->fault && !u->write)
		ra->prev = u->page + u->whole;
}

/* read() of what a tmpfs does not have copies from the zero page, and leaves the hole there. */
static bool reads_hole(const struct use *u)
{
	return u->file->tmpfs && !u->fault && !u->write && u->file->entries[u->page] == E_NONE;
}

static int access_page(struct mm *mm, int cpu, const struct use *u, phys_addr_t *at)
{
	int result = MM_USER_PRESENT;
	struct page *page;

	if (mm_file_grow(u->file, u->page))
		return -ENOMEM;
	if (reads_hole(u)) {
		*at = mm->user->zero_at;
		return MM_USER_PRESENT;
	}
	do {
		while (e_kind(u->file->entries[u->page]) != E_PAGE) {
			result = u->file->tmpfs ? bring_tmpfs(mm, cpu, u->space, u->file, u->page,
							      u->write && u->whole)
						: bring_cache(mm, cpu, u);
			if (result < 0)
				return result;
		}
		go_on(mm, cpu, u);
		page = e_pointer(u->file->entries[u->page]);
		if (e_kind(u->file->entries[u->page]) == E_PAGE && page->locked && u->waited)
			*u->waited = true;
		mm_page_wait(mm, cpu, u->file, u->page);
	} while (e_kind(u->file->entries[u->page]) != E_PAGE);
	if (!u->file->tmpfs)
		note_reader(u, result == MM_USER_PRESENT);
	page = e_pointer(u->file->entries[u->page]);
	*at = mm_page_address(mm, page);
	if (u->write) {
		mm_page_dirty(mm, cpu, page);
		/* Dirty, it is neither the mark of a window nor to be reclaimed at once. */
		page->flags &= ~(uint64_t)(page->flags & PG_WRITEBACK ? 0 : PG_RECLAIM);
	}
	return result;
}

int mm_file_access(struct mm *mm, int cpu, struct mm_space *space, struct mm_file *file,
		   uint64_t page, unsigned ahead, bool write, bool whole, phys_addr_t *at)
{
	const struct use u = {.space = space,
			      .file = file,
			      .page = page,
			      .ahead = ahead == MM_READ_AHEAD ? mm_ra_pages(mm) : ahead,
			      .write = write,
			      .whole = whole};

	return access_page(mm, cpu, &u, at);
}

int mm_file_fault(struct mm *mm, int cpu, struct mm_space *space, struct mm_file *file,
		  uint64_t page, bool write, phys_addr_t *at, bool *waited)
{
	const struct use u = {.space = space,
			      .file = file,
			      .page = page,
			      .ahead = mm_ra_pages(mm),
			      .waited = waited,
			      .fault = true,
			      .write = write};

	return access_page(mm, cpu, &u, at);
}

void mm_file_used(struct mm *mm, int cpu, struct mm_file *file, uint64_t page)
{
	if (page < file->nr && e_kind(file->entries[page]) == E_PAGE)
		mm_page_accessed(mm, cpu, e_pointer(file->entries[page]));
}

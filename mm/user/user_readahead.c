/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Readahead: how much of a file is read with a page that is not in memory, and when the next part
 * is begun, while what was read is still being used. Follows Linux 6.1 mm/readahead.c
 * (ondemand_readahead()) and, for mapped files, do_sync_mmap_readahead() of mm/filemap.c.
 *
 * A reader has a window of its own in each file: pages [start, start + size), of which the last
 * async_size were not asked for yet when it was read. The first of these bears a mark, which is the
 * bit of PG_RECLAIM as in the kernel; who comes upon it has the next window read, and goes on. A
 * window begins with a few pages, and doubles up to read_ahead_kb.
 *
 * Pages are in the file, and on their list, while a disk fills them: page->locked. Nobody takes
 * them.
 */
#include "mm/user/user_readahead.h"

#include <stdlib.h>

#include "mm/reclaim/vmscan.h"

#define MMAP_MISSES 100 /* MMAP_LOTSAMISS: beyond them faults read their page only */
#define NOWHERE     (UINT64_MAX >> 12)
#define WAIT_US     1000000

struct mm_ra *mm_ra_of(struct mm_file *file, const struct mm_space *space)
{
	struct mm_ra **link = &file->readers, *ra;

	while (*link && (*link)->space != space->id)
		link = &(*link)->next;
	if (*link)
		return *link;
	ra = calloc(1, sizeof(*ra));
	if (ra) {
		*ra = (struct mm_ra){.space = space->id, .prev = NOWHERE};
		*link = ra;
	}
	return ra;
}

void mm_ra_forget(struct mm *mm, const struct mm_space *space)
{
	for (struct mm_file *f = mm->user->files; f; f = f->next)
		for (struct mm_ra **link = &f->readers, *ra; (ra = *link);) {
			if (ra->space != space->id) {
				link = &ra->next;
				continue;
			}
			*link = ra->next;
			free(ra);
		}
}

uint64_t mm_ra_pages(const struct mm *mm)
{
	return (mm->params.read_ahead_kb << 10) >> mm->arch->page_shift;
}

static uint64_t initial_size(uint64_t asked, uint64_t most)
{
	uint64_t size = 1;

	while (size < asked)
		size *= 2;
	if (size <= most / 32)
		return size * 4;
	return size <= most / 4 ? size * 2 : most;
}

static uint64_t next_size(uint64_t size, uint64_t most)
{
	if (size < most / 16)
		return size * 4;
	return size <= most / 2 ? size * 2 : most;
}

static bool is_cached(const struct mm_file *file, uint64_t index)
{
	return index < file->nr && e_kind(file->entries[index]) == E_PAGE;
}

/* A stream leaves pages behind it: so many are there before the index, as far as one looks. */
static uint64_t history(const struct mm_file *file, uint64_t index, uint64_t most)
{
	uint64_t nr = 0;

	while (nr < most && nr < index && is_cached(file, index - 1 - nr))
		nr++;
	return nr;
}

struct window {
	uint64_t start, nr, async;
};

/* Where the window's own mark would be come upon at once, the next one is read with it. */
static struct window push(struct mm_ra *ra, uint64_t index, uint64_t most)
{
	if (index == ra->start && ra->size == ra->async_size) {
		uint64_t add = next_size(ra->size, most);

		if (ra->size + add <= most) {
			ra->async_size = add;
			ra->size += add;
		} else {
			ra->size = most;
			ra->async_size = most / 2;
		}
	}
	return (struct window){ra->start, ra->size, ra->async_size};
}

static struct window first_window(struct mm_ra *ra, uint64_t index, uint64_t asked, uint64_t most)
{
	ra->start = index;
	ra->size = initial_size(asked, most);
	ra->async_size = ra->size > asked ? ra->size - asked : ra->size;
	return push(ra, index, most);
}

static struct window next_window(struct mm_ra *ra, uint64_t index, uint64_t most)
{
	ra->start += ra->size;
	ra->size = next_size(ra->size, most);
	ra->async_size = ra->size;
	return push(ra, index, most);
}

static bool goes_on(const struct mm_ra *ra, uint64_t index)
{
	return index == ra->start + ra->size - ra->async_size || index == ra->start + ra->size;
}

/* A page is missing that `asked` begin with. */
static struct window on_miss(const struct mm_file *file, struct mm_ra *ra, uint64_t index,
			     uint64_t asked, uint64_t most)
{
	uint64_t before;

	if (!index)
		return first_window(ra, index, asked, most);
	if (goes_on(ra, index))
		return next_window(ra, index, most);
	if (asked > most || index - ra->prev <= 1)
		return first_window(ra, index, asked, most);
	before = history(file, index, most);
	if (before <= asked)
		return (struct window){index, asked, 0};
	/* As far back as the file's beginning: the whole of it, probably. */
	if (before >= index)
		before *= 2;
	ra->start = index;
	ra->size = before + asked < most ? before + asked : most;
	ra->async_size = 1;
	return push(ra, index, most);
}

/* A marked page was come upon, of this reader's window or of another's. 0 pages: nothing to do. */
static struct window on_mark(const struct mm_file *file, struct mm_ra *ra, uint64_t index,
			     uint64_t asked, uint64_t most)
{
	uint64_t start = index + 1;

	if (!index)
		return first_window(ra, index, asked, most);
	if (goes_on(ra, index))
		return next_window(ra, index, most);
	while (start - index <= most && is_cached(file, start))
		start++;
	if (start - index > most)
		return (struct window){0};
	ra->start = start;
	ra->size = next_size(start - index + asked, most);
	ra->async_size = ra->size;
	return push(ra, index, most);
}

void mm_page_wait(struct mm *mm, int cpu, struct mm_file *file, uint64_t index)
{
	for (;;) {
		uint64_t entry = index < file->nr ? file->entries[index] : E_NONE;
		struct page *page = e_pointer(entry);

		if (e_kind(entry) != E_PAGE || !page->locked || !mm->ops.sleep)
			return;
		/* What is charged already takes time, in which it may be read. */
		mm_resched(mm, cpu);
		if (file->entries[index] == entry && page->locked)
			mm->ops.sleep(mm->ctx, cpu, WAIT_US, file);
	}
}

/* They are there. */
static void unlock(struct mm *mm, int cpu, struct mm_file *file, uint64_t first, uint64_t nr)
{
	for (uint64_t i = first; i < first + nr; i++) {
		struct page *page = e_pointer(file->entries[i]);

		if (e_kind(file->entries[i]) == E_PAGE)
			page->locked = false;
	}
	if (mm->ops.wakeup)
		mm->ops.wakeup(mm->ctx, cpu, file);
}

void mm_read_interrupt(struct mm *mm, int cpu, struct mm_read *read)
{
	struct mm_read **link = &mm->user->reads;

	while (*link != read)
		link = &(*link)->next;
	*link = read->next;
	unlock(mm, cpu, read->file, read->first, read->nr);
	free(read);
}

/* Has the disk begun? */
static bool begin_read(struct mm *mm, int cpu, struct mm_file *file, uint64_t first, uint64_t nr)
{
	bool can = mm->ops.read_ahead && mm->ops.sleep;
	struct mm_read *read = can ? malloc(sizeof(*read)) : NULL;

	if (!read)
		return false;
	*read = (struct mm_read){.file = file, .first = first, .nr = nr, .next = mm->user->reads};
	mm->user->reads = read;
	if (mm_read_ahead(mm, cpu, nr, read))
		return true;
	mm->user->reads = read->next;
	free(read);
	return false;
}

/* In one request, which is waited for where it has the page that is wanted. */
static void submit(struct mm *mm, int cpu, struct mm_file *file, uint64_t first, uint64_t nr,
		   uint64_t wanted)
{
	bool wait = wanted >= first && wanted < first + nr;

	if (!nr || (!wait && begin_read(mm, cpu, file, first, nr)))
		return;
	mm_file_read(mm, cpu, nr);
	unlock(mm, cpu, file, first, nr);
}

/* Pages of the window that are not there, but for those beyond the file. */
static void read_window(struct mm *mm, int cpu, struct mm_space *space, struct mm_file *file,
			struct window w, uint64_t wanted)
{
	gfp_t gfp = GFP_USER_FOLIO | __GFP_NORETRY | __GFP_NOWARN;
	uint64_t run = 0, i;

	if (file->size && w.start + w.nr > file->size)
		w.nr = w.start < file->size ? file->size - w.start : 0;
	if (!w.nr || mm_file_grow(file, w.start + w.nr))
		return;
	for (i = 0; i < w.nr; i++) {
		bool marked = i + w.async == w.nr;
		int got = mm_file_insert_locked(mm, cpu, space, file, w.start + i, gfp, marked);

		if (got < 0)
			break;
		if (!got)
			submit(mm, cpu, file, w.start + i - run, run, wanted);
		run = got ? run + 1 : 0;
	}
	submit(mm, cpu, file, w.start + i - run, run, wanted);
}

void mm_ra_miss(struct mm *mm, int cpu, struct mm_space *space, struct mm_file *file,
		uint64_t index, uint64_t most)
{
	struct mm_ra *ra = mm_ra_of(file, space);

	if (ra && most)
		read_window(mm, cpu, space, file, on_miss(file, ra, index, 1, most), index);
}

void mm_ra_mark(struct mm *mm, int cpu, struct mm_space *space, struct mm_file *file,
		uint64_t index, uint64_t asked, uint64_t most)
{
	struct mm_ra *ra = mm_ra_of(file, space);
	struct page *page = e_pointer(file->entries[index]);

	if (!ra || !most || (page->flags & PG_WRITEBACK))
		return;
	page->flags &= ~(uint64_t)PG_RECLAIM;
	read_window(mm, cpu, space, file, on_mark(file, ra, index, asked, most), UINT64_MAX);
}

void mm_ra_fault(struct mm *mm, int cpu, struct mm_space *space, struct mm_file *file,
		 uint64_t index)
{
	uint64_t most = mm_ra_pages(mm);
	struct mm_ra *ra = mm_ra_of(file, space);

	if (!ra || !most)
		return;
	if (ra->mmap_misses < MMAP_MISSES * 10)
		ra->mmap_misses++;
	if (ra->mmap_misses > MMAP_MISSES)
		return;
	ra->start = index > most / 2 ? index - most / 2 : 0;
	ra->size = most;
	ra->async_size = most / 4;
	read_window(mm, cpu, space, file, (struct window){ra->start, ra->size, ra->async_size},
		    index);
}

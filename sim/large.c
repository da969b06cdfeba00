/* SPDX-License-Identifier: Apache-2.0 */
#define _DEFAULT_SOURCE /* madvise */
#include "sim/large.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define HUGE_BYTES  ((size_t)2 << 20) /* of a huge page of the host, most often */
#define SMALL_BYTES ((size_t)32 << 10)
#define LARGE_BYTES ((size_t)8 << 20)

/* So many bytes as whole huge pages. */
static size_t whole(size_t bytes)
{
	return (bytes + HUGE_BYTES - 1) & ~(HUGE_BYTES - 1);
}

void *large_grow(void *old, size_t *room, size_t nr, size_t size)
{
	size_t more = *room ? *room : SMALL_BYTES / size;
	void *grown;

	if (old && nr <= *room)
		return old;
	if (nr * size > SMALL_BYTES && more * size < LARGE_BYTES)
		more = (LARGE_BYTES + size - 1) / size;
	while (more < nr)
		more *= 2;
	grown = more * size < LARGE_BYTES ? malloc(more * size)
					  : aligned_alloc(HUGE_BYTES, whole(more * size));
	if (!grown)
		return NULL;
	if (more * size >= LARGE_BYTES)
		madvise(grown, more * size, MADV_HUGEPAGE); /* it need not help */
	if (old)
		memcpy(grown, old, *room * size);
	free(old);
	*room = more;
	return grown;
}

/* A mapping that begins with a huge page: one that is larger, without what is too much. */
static void *map_aligned(size_t bytes)
{
	size_t more = bytes + HUGE_BYTES;
	char *all = mmap(NULL, more, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *start;

	if (all == MAP_FAILED)
		return NULL;
	start = (char *)whole((uintptr_t)all);
	if (start > all)
		munmap(all, (size_t)(start - all));
	munmap(start + bytes, more - bytes - (size_t)(start - all));
	madvise(start, bytes, MADV_HUGEPAGE);
	return start;
}

/* What large_calloc() maps; 0: it is calloc()'s. */
static size_t mapped_bytes(size_t nr, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(nr, size, &bytes) || bytes < HUGE_BYTES / 2 ||
	    bytes > SIZE_MAX - 2 * HUGE_BYTES)
		return 0;
	return whole(bytes);
}

void *large_calloc(size_t nr, size_t size)
{
	size_t bytes = mapped_bytes(nr, size);

	return bytes ? map_aligned(bytes) : calloc(nr, size);
}

void large_free(void *table, size_t nr, size_t size)
{
	size_t bytes = mapped_bytes(nr, size);

	if (table && bytes)
		munmap(table, bytes);
	else
		free(table);
}

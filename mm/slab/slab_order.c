/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an object takes, and how many pages a slab of them has. Owns nothing; knows sizes only.
 *
 * Follows Linux 6.1: calculate_alignment() of mm/slab_common.c; calculate_sizes(),
 * calculate_order(), set_min_partial() and set_cpu_partial() of mm/slub.c.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "mm/slab/slub.h"

#define CACHE_LINE  64
#define MINALIGN    8     /* of a long long, on 32 bits too */
#define MAX_OBJECTS 32767 /* of a slab: 15 bits */
#define MIN_PARTIAL 5
#define MAX_PARTIAL 10
#define ORIG_SIZE   4 /* what kmalloc() was asked for, an unsigned int */

static uint64_t align_up(uint64_t n, uint64_t to)
{
	return (n + to - 1) & ~(to - 1);
}

static unsigned log2_down(uint64_t n)
{
	return 63 - (unsigned)__builtin_clzll(n);
}

uint32_t mm_slab_word(const struct mm *mm)
{
	return mm->arch->flags_bits / 8;
}

/* struct track: address, stack handle, CPU, pid, jiffies; with its padding. */
static uint32_t track_bytes(const struct mm *mm)
{
	return (uint32_t)align_up(mm_slab_word(mm) + 3 * 4, mm_slab_word(mm)) + mm_slab_word(mm);
}

static uint64_t page_bytes(const struct mm *mm)
{
	return UINT64_C(1) << mm->arch->page_shift;
}

/* The smallest order whose block has so many bytes. */
unsigned mm_slab_bytes_order(const struct mm *mm, uint64_t bytes)
{
	uint64_t pages = (bytes + page_bytes(mm) - 1) >> mm->arch->page_shift;

	return pages <= 1 ? 0 : log2_down(pages - 1) + 1;
}

static uint64_t objects_in(const struct mm *mm, unsigned order, uint32_t size)
{
	return (page_bytes(mm) << order) / size;
}

/* The first order that holds `least` objects and wastes at most 1/fraction of the slab. */
static unsigned order_with(const struct mm *mm, uint32_t size, uint64_t least, unsigned most,
			   unsigned fraction)
{
	unsigned order = mm->params.slab.min_order, enough;

	if (objects_in(mm, order, size) > MAX_OBJECTS)
		return mm_slab_bytes_order(mm, (uint64_t)size * MAX_OBJECTS) - 1;
	enough = mm_slab_bytes_order(mm, least * size);
	order = order > enough ? order : enough;
	for (; order <= most; order++) {
		uint64_t bytes = page_bytes(mm) << order;

		if (bytes % size <= bytes / fraction)
			break;
	}
	return order;
}

/* As many objects as CPUs make worthwhile, in a slab with little waste; else fewer, with more. */
static int find_order(const struct mm *mm, uint32_t size, unsigned *order)
{
	unsigned most = mm->params.slab.max_order;
	uint64_t least = mm->params.slab.min_objects;
	uint64_t fit = objects_in(mm, most, size);

	if (!least)
		least = 4 * (uint64_t)(log2_down((uint64_t)mm->nr_cpus) + 1 + 1);
	least = least < fit ? least : fit;
	for (; least > 1; least--)
		for (unsigned fraction = 16; fraction >= 4; fraction /= 2) {
			*order = order_with(mm, size, least, most, fraction);
			if (*order <= most)
				return 0;
		}
	*order = order_with(mm, size, 1, most, 1);
	if (*order > most)
		*order = order_with(mm, size, 1, MAX_PAGE_ORDER, 1);
	return *order <= MAX_PAGE_ORDER ? 0 : -EINVAL;
}

static uint32_t find_align(const struct mm *mm, const struct mm_cache_args *args)
{
	uint32_t align = args->align > MINALIGN ? args->align : MINALIGN, line = CACHE_LINE;

	if (args->flags & MM_SLAB_HWCACHE_ALIGN) {
		while (args->size <= line / 2)
			line /= 2;
		align = align > line ? align : line;
	}
	return (uint32_t)align_up(align, mm_slab_word(mm));
}

/* A name of slub_debug's list may end with a '*'. */
static bool listed(const char *list, const char *name)
{
	while (*list) {
		size_t len = strcspn(list, ",");
		bool prefix = len && list[len - 1] == '*';

		if (prefix ? !strncmp(list, name, len - 1)
			   : len == strlen(name) && !strncmp(list, name, len))
			return true;
		list += len + (list[len] == ',');
	}
	return false;
}

static unsigned debug_flags(const struct mm *mm, const struct mm_cache_args *args)
{
	const struct mm_slab_params *p = &mm->params.slab;

	if (p->debug_caches[0] && !listed(p->debug_caches, args->name ? args->name : ""))
		return 0;
	/* kmem_cache and kmem_cache_node are made by hand: who made an object is not known yet. */
	return p->debug;
}

/* The object, a red zone on its right, the free pointer, who had it, a red zone on its left. */
static void find_size(const struct mm *mm, struct mm_slab_layout *l)
{
	uint32_t word = mm_slab_word(mm);
	uint64_t size = align_up(l->object_size, word);
	bool poisoned = (l->flags & MM_SLAB_POISON);

	if ((l->flags & MM_SLAB_RED_ZONE) && size == l->object_size)
		size += word;
	l->inuse = (uint32_t)size;
	if ((l->flags & (MM_SLAB_RCU | MM_SLAB_CTOR)) || poisoned ||
	    ((l->flags & MM_SLAB_RED_ZONE) && l->object_size < word)) {
		l->free_pointer = (uint32_t)size;
		size += word;
	} else {
		/* In the middle, where an overrun of a neighbour does not reach. */
		l->free_pointer = l->object_size / 2 & ~(word - 1);
	}
	if (l->flags & MM_SLAB_STORE_USER)
		size += 2 * track_bytes(mm) + (l->flags & MM_SLAB_KMALLOC ? ORIG_SIZE : 0);
	if (l->flags & MM_SLAB_RED_ZONE) {
		l->red_left_pad = (uint32_t)align_up(word, l->align);
		size += word + l->red_left_pad;
	}
	l->size = (uint32_t)align_up(size, l->align);
}

/* How much a node and a CPU keep at hand. */
static void find_partial(const struct mm *mm, struct mm_slab_layout *l)
{
	unsigned partial = log2_down(l->size) / 2;

	l->min_partial = partial > MAX_PARTIAL   ? MAX_PARTIAL
			 : partial < MIN_PARTIAL ? MIN_PARTIAL
						 : partial;
	if (l->flags & MM_SLAB_DEBUG)
		l->cpu_partial = 0;
	else if (l->size >= page_bytes(mm))
		l->cpu_partial = 6;
	else if (l->size >= 1024)
		l->cpu_partial = 24;
	else
		l->cpu_partial = l->size >= 256 ? 52 : 120;
	/* Slabs are taken to be half full. */
	l->cpu_partial_slabs = (l->cpu_partial * 2 + l->objects - 1) / l->objects;
}

int mm_slab_layout(const struct mm *mm, const struct mm_cache_args *args, struct mm_slab_layout *l)
{
	uint64_t largest = page_bytes(mm) << MAX_PAGE_ORDER;

	if (!args->size || args->size > largest || (args->align & (args->align - 1)) ||
	    args->align > largest)
		return -EINVAL;
	*l = (struct mm_slab_layout){
		.object_size = args->size,
		.align = find_align(mm, args),
		.flags = args->flags | debug_flags(mm, args),
	};
	find_size(mm, l);
	if (find_order(mm, l->size, &l->order))
		return -EINVAL;
	l->min_order = mm_slab_bytes_order(mm, l->size);
	l->objects = (unsigned)objects_in(mm, l->order, l->size);
	l->min_objects = (unsigned)objects_in(mm, l->min_order, l->size);
	find_partial(mm, l);
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Linear probing from a multiplicative hash. Removal moves later entries of the run back (Knuth,
 * The Art of Computer Programming, 6.4, algorithm R), so that no marks of the deleted pile up in a
 * long trace.
 */
#include <errno.h>
#include <stdlib.h>

#include "sim/trace/livemap.h"

#define FIRST_BITS 12

static size_t home(const struct livemap *m, pfn_t pfn)
{
	return pfn * UINT64_C(0x9e3779b97f4a7c15) >> (64 - m->bits); /* 2^64 / golden ratio */
}

static size_t mask(const struct livemap *m)
{
	return ((size_t)1 << m->bits) - 1;
}

static int make_slots(struct livemap *m, unsigned bits)
{
	struct livemap_entry *slots = malloc(sizeof(*slots) << bits);

	if (!slots)
		return -ENOMEM;
	for (size_t i = 0; i < (size_t)1 << bits; i++)
		slots[i].pfn = LIVEMAP_NO_PFN;
	m->slots = slots;
	m->bits = bits;
	m->nr_used = 0;
	return 0;
}

int livemap_init(struct livemap *m)
{
	return make_slots(m, FIRST_BITS);
}

void livemap_clear(struct livemap *m)
{
	free(m->slots);
	m->slots = NULL;
}

struct livemap_entry *livemap_find(const struct livemap *m, pfn_t pfn)
{
	for (size_t i = home(m, pfn);; i = (i + 1) & mask(m)) {
		if (m->slots[i].pfn == pfn)
			return &m->slots[i];
		if (m->slots[i].pfn == LIVEMAP_NO_PFN)
			return NULL;
	}
}

static void place(struct livemap *m, const struct livemap_entry *entry)
{
	size_t i = home(m, entry->pfn);

	while (m->slots[i].pfn != LIVEMAP_NO_PFN)
		i = (i + 1) & mask(m);
	m->slots[i] = *entry;
	m->nr_used++;
}

static int grow(struct livemap *m)
{
	struct livemap old = *m;
	int err = make_slots(m, old.bits + 1);

	if (err)
		return err;
	for (size_t i = 0; i <= mask(&old); i++)
		if (old.slots[i].pfn != LIVEMAP_NO_PFN)
			place(m, &old.slots[i]);
	free(old.slots);
	return 0;
}

int livemap_add(struct livemap *m, const struct livemap_entry *entry)
{
	if (m->nr_used >= (mask(m) + 1) / 4 * 3) {
		int err = grow(m);

		if (err)
			return err;
	}
	place(m, entry);
	return 0;
}

void livemap_remove(struct livemap *m, struct livemap_entry *entry)
{
	size_t hole = entry - m->slots;

	for (size_t i = (hole + 1) & mask(m); m->slots[i].pfn != LIVEMAP_NO_PFN;
	     i = (i + 1) & mask(m)) {
		size_t from_home = (i - home(m, m->slots[i].pfn)) & mask(m);
		size_t from_hole = (i - hole) & mask(m);

		/* An entry may move back to the hole unless its home lies behind it. */
		if (from_home >= from_hole) {
			m->slots[hole] = m->slots[i];
			hole = i;
		}
	}
	m->slots[hole].pfn = LIVEMAP_NO_PFN;
	m->nr_used--;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A sorted array: tasks have some dozens of ranges, and look them up far more often than they
 * change them. Shared between address spaces until one of them changes.
 */
#include "sim/policy/vmas.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MAX_VMAS 65530 /* vm.max_map_count */
#define MAX_END  (UINT64_C(1) << 63)

struct vmas {
	struct vma *v;
	size_t nr, room;
	unsigned users;
};

struct vmas *vmas_new(void)
{
	struct vmas *m = calloc(1, sizeof(*m));

	if (m)
		m->users = 1;
	return m;
}

struct vmas *vmas_share(struct vmas *m)
{
	m->users++;
	return m;
}

void vmas_put(struct vmas *m)
{
	if (!m || --m->users)
		return;
	free(m->v);
	free(m);
}

/* Have it for oneself, with room for `more` ranges. */
static int own(struct vmas **m, size_t more)
{
	struct vmas *old = *m, *copy;
	struct vma *grown;
	size_t room = old->nr + more;

	if (old->users > 1) {
		copy = vmas_new();
		if (!copy)
			return -ENOMEM;
		copy->v = malloc((room + 1) * sizeof(*copy->v));
		if (!copy->v) {
			free(copy);
			return -ENOMEM;
		}
		if (old->nr)
			memcpy(copy->v, old->v, old->nr * sizeof(*copy->v));
		copy->nr = old->nr;
		copy->room = room + 1;
		vmas_put(old);
		*m = copy;
		return 0;
	}
	if (room <= old->room)
		return 0;
	room = room * 2;
	grown = realloc(old->v, room * sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	old->v = grown;
	old->room = room;
	return 0;
}

/* Index of the first range that ends beyond the address. */
static size_t first_beyond(const struct vmas *m, uint64_t address)
{
	size_t low = 0, high = m->nr;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (m->v[middle].end <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void insert(struct vmas *m, size_t at, const struct vma *vma)
{
	memmove(&m->v[at + 1], &m->v[at], (m->nr - at) * sizeof(*m->v));
	m->v[at] = *vma;
	m->nr++;
}

static void drop(struct vmas *m, size_t from, size_t nr)
{
	memmove(&m->v[from], &m->v[from + nr], (m->nr - from - nr) * sizeof(*m->v));
	m->nr -= nr;
}

/* No range lies across the address afterwards. Needs room for one more. */
static void split_at(struct vmas *m, uint64_t address)
{
	size_t i = first_beyond(m, address);
	struct vma upper;

	if (i == m->nr || m->v[i].start >= address)
		return;
	upper = m->v[i];
	upper.start = address;
	upper.pgoff += (address - m->v[i].start) >> VMA_PAGE_SHIFT;
	m->v[i].end = address;
	insert(m, i + 1, &upper);
}

static bool can_merge(const struct vma *a, const struct vma *b)
{
	return a->end == b->start && a->policy == b->policy && a->prot == b->prot &&
	       a->advice == b->advice && a->mapped == b->mapped && a->private_anon &&
	       b->private_anon && a->pgoff + ((a->end - a->start) >> VMA_PAGE_SHIFT) == b->pgoff;
}

/* Merge what may be merged, from the range before `start` to the one behind `end`. */
static void merge(struct vmas *m, uint64_t start, uint64_t end)
{
	size_t i = first_beyond(m, start ? start - 1 : 0);

	while (i + 1 < m->nr && m->v[i].start <= end) {
		if (can_merge(&m->v[i], &m->v[i + 1])) {
			m->v[i].end = m->v[i + 1].end;
			m->v[i].touched |= m->v[i + 1].touched;
			drop(m, i + 1, 1);
		} else {
			i++;
		}
	}
}

static bool sane(uint64_t start, uint64_t end)
{
	return start < end && end <= MAX_END;
}

static void clear(struct vmas *m, uint64_t start, uint64_t end)
{
	size_t from, to;

	split_at(m, start);
	split_at(m, end);
	from = first_beyond(m, start);
	to = first_beyond(m, end - 1);
	while (to < m->nr && m->v[to].start < end)
		to++;
	drop(m, from, to - from);
}

int vmas_unmap(struct vmas **m, uint64_t start, uint64_t end)
{
	int err;

	if (!sane(start, end))
		return 0;
	err = own(m, 2);
	if (!err)
		clear(*m, start, end);
	return err;
}

int vmas_map(struct vmas **m, const struct vma *vma)
{
	int err;

	if (!sane(vma->start, vma->end))
		return 0;
	err = own(m, 3);
	if (err)
		return err;
	clear(*m, vma->start, vma->end);
	if ((*m)->nr < MAX_VMAS) {
		insert(*m, first_beyond(*m, vma->start), vma);
		merge(*m, vma->start, vma->end);
	}
	return 0;
}

/* What lies in [start, end) and is known, as an array of its own to be free()d. */
static int copy_range(const struct vmas *m, uint64_t start, uint64_t end, struct vma **out,
		      size_t *nr)
{
	size_t from = first_beyond(m, start), to = from;

	while (to < m->nr && m->v[to].start < end)
		to++;
	*nr = to - from;
	*out = malloc(*nr * sizeof(**out) + 1);
	if (!*out)
		return -ENOMEM;
	for (size_t i = 0; i < *nr; i++) {
		struct vma *vma = &(*out)[i];

		*vma = m->v[from + i];
		if (vma->start < start) {
			vma->pgoff += (start - vma->start) >> VMA_PAGE_SHIFT;
			vma->start = start;
		}
		if (vma->end > end)
			vma->end = end;
	}
	return 0;
}

/* Its place after the move. A range without pages yet counts from its new address. */
static void relocate(struct vma *vma, uint64_t from, uint64_t to)
{
	vma->start = vma->start - from + to;
	vma->end = vma->end - from + to;
	if (vma->private_anon && !vma->touched)
		vma->pgoff = vma->start >> VMA_PAGE_SHIFT;
}

int vmas_move(struct vmas **m, uint64_t from, uint64_t from_len, uint64_t to, uint64_t to_len,
	      bool keep)
{
	uint64_t moved = from_len < to_len ? from_len : to_len;
	struct vma *parts;
	size_t nr;
	int err;

	if (!sane(from, from + from_len) || !sane(to, to + to_len))
		return 0;
	err = copy_range(*m, from, from + moved, &parts, &nr);
	if (err)
		return err;
	if (!keep)
		err = vmas_unmap(m, from, from + from_len);
	for (size_t i = 0; i < nr && !err; i++) {
		relocate(&parts[i], from, to);
		if (i + 1 == nr && parts[i].end == to + moved)
			parts[i].end = to + to_len;
		err = vmas_map(m, &parts[i]);
	}
	free(parts);
	return err;
}

int vmas_change(struct vmas **m, uint64_t start, uint64_t end, vmas_edit *edit, void *arg)
{
	uint64_t at = start;
	int err;

	if (!sane(start, end))
		return 0;
	err = own(m, 2);
	if (err)
		return err;
	split_at(*m, start);
	split_at(*m, end);
	for (size_t i = first_beyond(*m, start); at < end && !err; i++) {
		struct vma gap = {.start = at, .end = end, .private_anon = true};

		if (i == (*m)->nr || (*m)->v[i].start > at) {
			if (i < (*m)->nr && (*m)->v[i].start < end)
				gap.end = (*m)->v[i].start;
			gap.pgoff = at >> VMA_PAGE_SHIFT;
			if ((*m)->nr >= MAX_VMAS)
				break;
			err = own(m, 1);
			if (err)
				break;
			insert(*m, i, &gap);
		}
		edit(&(*m)->v[i], arg);
		at = (*m)->v[i].end;
	}
	merge(*m, start, end);
	return err;
}

int vmas_touch(struct vmas **m, uint64_t address)
{
	const struct vma *vma = vmas_find(*m, address);
	size_t i;
	int err;

	if (!vma || vma->touched)
		return 0;
	i = vma - (*m)->v;
	err = own(m, 0);
	if (!err)
		(*m)->v[i].touched = true;
	return err;
}

const struct vma *vmas_find(const struct vmas *m, uint64_t address)
{
	size_t i = first_beyond(m, address);

	return i < m->nr && m->v[i].start <= address ? &m->v[i] : NULL;
}

uint32_t vma_turn(const struct vma *vma, uint64_t address, unsigned order)
{
	unsigned shift = VMA_PAGE_SHIFT + order;
	uint64_t block = address >> shift << shift;

	if (!vma || block < vma->start)
		return (uint32_t)(address >> shift);
	return (uint32_t)((vma->pgoff >> order) + ((block - vma->start) >> shift));
}

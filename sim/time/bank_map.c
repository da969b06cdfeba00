/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/time/bank_map.h"

#include "mm/arch.h"
#include "sim/machine/hotplug.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int by_start(const void *a, const void *b)
{
	const struct mm_range *x = a, *y = b;

	return (x->start > y->start) - (x->start < y->start);
}

/* Memory of the machine, then all that steps add, whether they will be taken or not. */
static struct mm_range *all_of(const struct machine *m, size_t *nr)
{
	size_t nr_steps = m->nr_hotplug + m->nr_planned;
	struct mm_range *all = calloc(m->mm.nr_memory + nr_steps + 1, sizeof(*all));

	*nr = m->mm.nr_memory;
	if (all && *nr)
		memcpy(all, m->mm.memory, *nr * sizeof(*all));
	for (size_t i = 0; all && i < nr_steps; i++) {
		const struct machine_hotplug *h =
			i < m->nr_hotplug ? &m->hotplug[i] : &m->planned[i - m->nr_hotplug];
		struct mm_hotplug_step step;
		char wrong[128];

		if (!hotplug_parse(h->text, &step, wrong, sizeof(wrong)) && hotplug_step_end(&step))
			all[(*nr)++] = (struct mm_range){step.start, step.bytes, step.nid};
	}
	return all;
}

static int by_value(const void *a, const void *b)
{
	phys_addr_t x = *(const phys_addr_t *)a, y = *(const phys_addr_t *)b;

	return (x > y) - (x < y);
}

/*
 * Steps may add what others add in other pieces, to another node perhaps, once it is gone. So what
 * is looked up are the pieces between all ends: `all` is in ascending order, and the one of those
 * that begin before a piece which reaches furthest has it, if any has.
 */
static size_t cut(const struct mm_range *all, size_t nr, const phys_addr_t *ends,
		  struct mm_range *pieces)
{
	const struct mm_range *furthest = NULL;
	size_t nr_pieces = 0, next = 0;

	for (size_t i = 0; i + 1 < 2 * nr; i++) {
		phys_addr_t at = ends[i];

		for (; next < nr && all[next].start <= at; next++)
			if (!furthest ||
			    all[next].start + all[next].bytes > furthest->start + furthest->bytes)
				furthest = &all[next];
		if (ends[i + 1] > at && furthest && furthest->start + furthest->bytes > at)
			pieces[nr_pieces++] =
				(struct mm_range){at, ends[i + 1] - at, furthest->nid};
	}
	return nr_pieces;
}

int bank_map_init(struct bank_map *map, const struct machine *m)
{
	size_t nr;
	struct mm_range *all = all_of(m, &nr);
	phys_addr_t *ends = calloc(2 * nr + 1, sizeof(*ends));

	map->nr = 0;
	map->ranges = calloc(2 * nr + 1, sizeof(*map->ranges));
	if (all && ends && map->ranges) {
		for (size_t i = 0; i < nr; i++) {
			ends[2 * i] = all[i].start;
			ends[2 * i + 1] = all[i].start + all[i].bytes;
		}
		qsort(ends, 2 * nr, sizeof(*ends), by_value);
		qsort(all, nr, sizeof(*all), by_start);
		map->nr = cut(all, nr, ends, map->ranges);
		/* Those of boot have been taken, in their order. */
		for (size_t i = 0; i < m->nr_hotplug; i++) {
			struct mm_hotplug_step step;
			char wrong[128];

			if (!hotplug_parse(m->hotplug[i].text, &step, wrong, sizeof(wrong)))
				bank_map_plug(map, NULL, &step);
		}
	}
	free(all);
	free(ends);
	return map->ranges && all && ends ? 0 : -ENOMEM;
}

void bank_map_plug(struct bank_map *map, const struct mm *mm, const struct mm_hotplug_step *step)
{
	phys_addr_t end = hotplug_step_end(step);
	unsigned shift = mm ? mm_get_arch(mm)->page_shift : 0;

	for (size_t i = 0; i < map->nr; i++) {
		struct mm_range *piece = &map->ranges[i];

		if (piece->start >= step->start && piece->start < end &&
		    !(mm && mm_pfn_valid(mm, piece->start >> shift)))
			piece->nid = step->nid;
	}
}

void bank_map_clear(struct bank_map *map)
{
	free(map->ranges);
	map->ranges = NULL;
	map->nr = 0;
}

static bool holds(const struct mm_range *range, phys_addr_t at)
{
	return at >= range->start && at - range->start < range->bytes;
}

const struct mm_range *bank_map_find(const struct bank_map *map, phys_addr_t at, size_t *memo)
{
	size_t low = 0, high = map->nr;

	if (*memo < map->nr && holds(&map->ranges[*memo], at))
		return &map->ranges[*memo];
	/* The first range that starts beyond `at`; the one before it is the only candidate. */
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (map->ranges[middle].start <= at)
			low = middle + 1;
		else
			high = middle;
	}
	if (!low || !holds(&map->ranges[low - 1], at))
		return NULL;
	*memo = low - 1;
	return &map->ranges[low - 1];
}

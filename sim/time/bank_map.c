/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/time/bank_map.h"

#include "sim/machine/hotplug.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int by_start(const void *a, const void *b)
{
	const struct mm_range *x = a, *y = b;

	return (x->start > y->start) - (x->start < y->start);
}

/* A step that adds what is there already, or was added before, is refused when it is taken. */
static void add_plugged(struct bank_map *map, const char *text)
{
	struct mm_hotplug_step step;
	char wrong[128];

	if (hotplug_parse(text, &step, wrong, sizeof(wrong)) || !hotplug_step_end(&step))
		return;
	for (size_t i = 0; i < map->nr; i++)
		if (map->ranges[i].start < hotplug_step_end(&step) &&
		    map->ranges[i].start + map->ranges[i].bytes > step.start)
			return;
	map->ranges[map->nr++] = (struct mm_range){step.start, step.bytes, step.nid};
}

int bank_map_init(struct bank_map *map, const struct machine *m)
{
	map->nr = m->mm.nr_memory;
	map->ranges = calloc(map->nr + m->nr_hotplug + m->nr_planned + 1, sizeof(*map->ranges));
	if (!map->ranges)
		return -ENOMEM;
	if (map->nr)
		memcpy(map->ranges, m->mm.memory, map->nr * sizeof(*map->ranges));
	for (size_t i = 0; i < m->nr_hotplug; i++)
		add_plugged(map, m->hotplug[i].text);
	for (size_t i = 0; i < m->nr_planned; i++)
		add_plugged(map, m->planned[i].text);
	qsort(map->ranges, map->nr, sizeof(*map->ranges), by_start);
	return 0;
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

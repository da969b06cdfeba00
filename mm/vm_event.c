/* SPDX-License-Identifier: Apache-2.0 */
/* Looking at the counters of events: each CPU has its own, which are added up here. */
#include "mm/vm_event.h"

#include <errno.h>
#include <string.h>

#include "mm/internal.h"

static const char *const names[MM_NR_VM_EVENTS] = {
#define X(id, name) name,
	MM_VM_EVENTS(X)
#undef X
};

const char *mm_vm_event_name(enum mm_vm_event event)
{
	return names[event];
}

/* What the kernel counts by node, with what CPUs hold back of it. */
static uint64_t of_nodes(const struct mm *mm, int item)
{
	int64_t sum = 0;

	for (int nid = 0; nid < mm->nr_nodes; nid++)
		sum += mm_node_counter_exactly(mm, nid, (enum mm_node_stat)item);
	return (uint64_t)sum;
}

uint64_t mm_vm_event(const struct mm *mm, enum mm_vm_event event)
{
	int item = mm_node_stat_by_name(names[event]);
	uint64_t sum = 0;

	if (item >= 0)
		return of_nodes(mm, item);
	for (int cpu = 0; cpu <= mm->nr_cpus; cpu++)
		sum += mm->vm_events[cpu][event];
	return sum;
}

int mm_vm_event_by_name(const struct mm *mm, const char *name, uint64_t *value)
{
	for (int i = 0; i < MM_NR_VM_EVENTS; i++)
		if (!strcmp(names[i], name)) {
			*value = mm_vm_event(mm, (enum mm_vm_event)i);
			return 0;
		}
	return -ENOENT;
}

uint64_t mm_allocstall(const struct mm *mm, int zone)
{
	return mm->allocstall[zone];
}

uint64_t mm_pgskip(const struct mm *mm, int zone)
{
	return mm->pgskip[zone];
}

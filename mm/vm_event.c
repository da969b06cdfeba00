/* SPDX-License-Identifier: Apache-2.0 */
/* Looking at the counters of events. */
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

uint64_t mm_vm_event(const struct mm *mm, enum mm_vm_event event)
{
	return mm->vm_events[event];
}

int mm_vm_event_by_name(const struct mm *mm, const char *name, uint64_t *value)
{
	for (int i = 0; i < MM_NR_VM_EVENTS; i++)
		if (!strcmp(names[i], name)) {
			*value = mm->vm_events[i];
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

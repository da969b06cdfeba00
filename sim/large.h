/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Large tables on the host. They lie in its huge pages where it has such, since a run over them
 * would be page faults else, half of its time.
 */
#ifndef SIM_LARGE_H
#define SIM_LARGE_H

#include <stddef.h>

/**
 * An array with room for `nr` elements, which at least doubles; `*room` is how many it has had, and
 * has. NULL where there is no memory, and then the old one stays as it was. Free it with free().
 */
void *large_grow(void *old, size_t *room, size_t nr, size_t size);
/** As calloc(); what is not touched takes no memory but to fill a huge page. */
void *large_calloc(size_t nr, size_t size);
/** Free what large_calloc() gave for that many; NULL: nothing. */
void large_free(void *table, size_t nr, size_t size);

#endif

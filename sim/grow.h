/* SPDX-License-Identifier: Apache-2.0 */
/* Lists that grow: a pointer, how many there are, and how many have room. */
#ifndef SIM_GROW_H
#define SIM_GROW_H

#include <stdlib.h>

/** Room for one more behind the others, which may move. Returns where; NULL: no memory. */
static inline void *grow_list(void **list, size_t *nr, size_t *room, size_t bytes)
{
	if (*nr == *room) {
		size_t more = *room ? 2 * *room : 16;
		void *grown = realloc(*list, more * bytes);

		if (!grown)
			return NULL;
		*list = grown;
		*room = more;
	}
	return (char *)*list + (*nr)++ * bytes;
}

/* Of a struct with members `what`, `nr_what` and `what_room`. */
#define GROW(of, what)                                                                             \
	grow_list((void **)&(of)->what, &(of)->nr_##what, &(of)->what##_room, sizeof(*(of)->what))

#endif

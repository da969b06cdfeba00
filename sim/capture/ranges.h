/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ranges of physical memory as a capture tells them: /proc/iomem, and tables of what memblock held.
 */
#ifndef SIM_CAPTURE_RANGES_H
#define SIM_CAPTURE_RANGES_H

#include "sim/capture/file.h"

#define CAPTURE_MAX_RANGES 4096 /* of one list: as many as a machine file may have */

/* [start, end) */
struct captured_range {
	uint64_t start, end;
	int nid;                     /* -1 where the list has no nodes */
	char *what;                  /* NULL where the list has no names */
	size_t line;                 /* from 0, in the file it came from */
	bool nested;                 /* iomem: inside of the row above that is not */
	bool allocated;              /* reserved: memblock chose where */
	bool hotpluggable, mirrored; /* what firmware says of memory */
};

struct captured_ranges {
	struct captured_range *at;
	size_t nr, room;
};

/** Add one. `what` (its first `len` bytes, or NULL) is copied. Returns 0, -E2BIG, -ENOMEM. */
int ranges_add(struct captured_ranges *r, const struct captured_range *range, const char *what,
	       size_t len);
void ranges_clear(struct captured_ranges *r);
/** By address; equal ones stay in order. */
void ranges_sort(struct captured_ranges *r);

/** Each row: start, end, name, nested or not. Returns 0; -EINVAL with the line; -ENOMEM. */
int ranges_parse_iomem(const struct capture_file *f, struct diag *diag,
		       struct captured_ranges *out);

/** memblock_memory.tsv: start, end, node; sorted, without overlaps. Errors likewise. */
int ranges_parse_memory(const struct capture_file *f, struct diag *diag,
			struct captured_ranges *out);

/** memblock_reserved.tsv: start, end, who asked for it; sorted, without overlaps. Likewise. */
int ranges_parse_reserved(const struct capture_file *f, struct diag *diag,
			  struct captured_ranges *out);

/** The range of that name within `all`, NULL where there is none. */
const struct captured_range *ranges_find(const struct captured_ranges *all, const char *what);

/** Record two overlapping ranges of a sorted list, at the line of the later one. 0 or -EINVAL. */
int ranges_check_overlaps(const struct captured_ranges *sorted, const struct capture_file *f,
			  struct diag *diag);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A view of a machine for `numasim show`. Each sim/show/NAME.c defines `const struct show_kind
 * show_NAME`, and the build makes a table of them.
 */
#ifndef SIM_SHOW_SHOW_H
#define SIM_SHOW_SHOW_H

#include <jansson.h>
#include <stdio.h>

#include "sim/machine/machine.h"
#include "sim/replay/zone_sums.h"

/* What is looked at. */
struct show_subject {
	const struct machine *machine;
	struct mm *mm; /* booted, and nothing allocated since; NULL unless the kind boots */
	uint64_t pfn;  /* of a kind that is of one page: it has a descriptor */
	int nid;       /* that node's file alone, where the kind has one; else ALL_NODES */
};

struct show_kind {
	const char *name;
	const char *summary; /* one line */
	bool boots;          /* shows what the mm core makes of the machine */
	bool of_node;        /* the kernel has such a file for each node, too; needs boots */
	bool of_page;        /* shows one page frame, which it has to be told; needs boots */
	/** Print. Returns 0 or -ENOMEM; write errors stay with the stream. */
	int (*text)(const struct show_subject *s, FILE *out);
	/** The same as JSON, members in a fixed order; NULL: no memory. A kind may do without. */
	json_t *(*json)(const struct show_subject *s);
};

/** For kinds that print their text from their JSON: print `doc` and drop it. 0 or -ENOMEM. */
int show_document(json_t *doc, void (*print)(const json_t *doc, FILE *out), FILE *out);

extern const struct show_kind *const show_kinds[]; /* NULL at the end */

#endif

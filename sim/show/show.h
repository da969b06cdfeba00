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
	struct mm *mm;       /* booted; NULL unless the kind boots */
	bool ran;            /* work ran on it: else nothing has been allocated since */
	uint64_t pfn;        /* of a kind that is of one page: it has a descriptor */
	int nid;             /* that node's file alone, where the kind has one; else ALL_NODES */
	const char *process; /* of a kind that is of processes: those of that name; NULL: all */
};

struct show_kind {
	const char *name;
	const char *summary; /* one line */
	bool boots;          /* shows what the mm core makes of the machine */
	bool of_node;        /* the kernel has such a file for each node, too; needs boots */
	bool of_page;        /* shows one page frame, which it has to be told; needs boots */
	bool of_process;     /* shows processes, which there are once work has run; needs boots */
	/** Print. Returns 0 or -ENOMEM; write errors stay with the stream. */
	int (*text)(const struct show_subject *s, FILE *out);
	/** The same as JSON, members in a fixed order; NULL: no memory. A kind may do without. */
	json_t *(*json)(const struct show_subject *s);
};

/** For kinds that print their text from their JSON: print `doc` and drop it. 0 or -ENOMEM. */
int show_document(json_t *doc, void (*print)(const json_t *doc, FILE *out), FILE *out);

extern const struct show_kind *const show_kinds[]; /* NULL at the end */

/* A view that is wanted of a machine after work has run on it. */
struct show_request {
	const struct show_kind *kind;
	const char *text;    /* as it was asked for: borrowed */
	uint64_t pfn;        /* as in struct show_subject */
	int nid;             /* likewise */
	const char *process; /* likewise; borrowed */
};

/**
 * Read "VIEW", or "VIEW:OF" where the view is of a page frame (OF its number), has a file a node
 * (the node's number), or is of processes (a name). `text` is borrowed. Returns 0 and *out; -ENOENT
 * where there is no such view; -EINVAL with the reason in why[].
 */
int show_parse(const char *text, struct show_request *out, char *why, size_t size);

/**
 * Take a view: an object with "view", and the view as "text" or, with `json` and where it has such
 * a form, as "content". Returns 0 and *out; -EINVAL with the reason in diag where the machine has
 * no such node, page frame or process; -ENOMEM.
 */
int show_take(const struct show_request *r, const struct machine *m, struct mm *mm, bool json,
	      struct diag *diag, json_t **out);

#endif

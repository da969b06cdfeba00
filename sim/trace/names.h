/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The names that a native trace gives to its allocations. A name stays known after its free, so
 * that a second one can be told from one of nothing.
 */
#ifndef SIM_TRACE_NAMES_H
#define SIM_TRACE_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NAMES_MAX_LEN 64 /* bytes */

/* What has a name. */
enum name_kind {
	NAME_PAGE,
	NAME_OBJECT, /* of a slab */
	NAME_CMA,    /* frames of the CMA area */
};

struct name {
	size_t text; /* where it lies in struct names */
	uint32_t hash;
	uint32_t page; /* of the last allocation */
	uint32_t line; /* of the allocation where live, of the free where not */
	uint8_t len;   /* 0: a free slot */
	uint8_t order;
	uint8_t kind; /* enum name_kind */
	bool live;
};

struct names {
	struct name *slots; /* 2^bits, at most three quarters in use */
	unsigned bits;
	size_t nr_used;
	char *texts;
	size_t texts_used, texts_room;
};

/** Returns 0 or -ENOMEM. */
int names_init(struct names *n);
void names_clear(struct names *n);
/** What is known of the name of 1 to NAMES_MAX_LEN bytes, or NULL; valid until names_add(). */
struct name *names_find(const struct names *n, const char *text, size_t len);
/** Add a name that is not there: not live, and the rest for the caller to set. NULL: no memory. */
struct name *names_add(struct names *n, const char *text, size_t len);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fields of the kernel's page allocator events as text ("page=... pfn=... order=..."), and what
 * their gfp_flags mean. Nothing here knows what came before.
 */
#ifndef SIM_TRACE_KMEM_FIELDS_H
#define SIM_TRACE_KMEM_FIELDS_H

#include "sim/trace/trace.h"

#define GFP_TEXT  192
#define GFP_SLOTS 64

/* The meaning of one text of gfp_flags. */
struct gfp_meaning {
	size_t len; /* 0: nothing here */
	gfp_t gfp;
	unsigned nr_unknown; /* names that are not known, or bits */
	bool numeric;        /* one number */
	bool has_number;     /* what it means hangs on the kernel's release */
	char text[GFP_TEXT];
};

/* Of the texts of a trace, by a hash; all zero at first. */
struct gfp_meanings {
	struct gfp_meaning slots[GFP_SLOTS];
	struct gfp_meaning spare; /* of a text that is too long for a slot */
	bool ours;                /* numasim wrote the trace: numbers have the bits of mm/gfp.h */
	bool has_number;          /* some text so far had */
};

/* The fields of an allocation or a free. */
struct page_fields {
	bool failed; /* no page */
	uint64_t pfn, order;
	uint64_t migratetype; /* UINT64_MAX where the line has none */
	const char *gfp;
	size_t gfp_len;
};

/** A number up to `end`, decimal or 0x; -1 is UINT64_MAX. False where it is none, or too large. */
bool kmem_number(const char *p, const char *end, uint64_t *out);
/** The value of field `key` ("pfn="): from the result to *end. NULL where `text` has no such. */
const char *kmem_field(const char *text, const char *key, size_t key_len, const char **end);

/**
 * Is a value of page= "(null)", "(nil)" or zeroes: the allocation failed? Other texts in brackets
 * are hidden pages.
 */
bool kmem_is_null(const char *p, const char *end);

#define KMEM_FIELD(text, key, end) kmem_field(text, key, sizeof(key) - 1, end)

/**
 * page=, pfn= and order= into *f. Returns what follows, or NULL where one is missing, the order
 * beyond MAX_PAGE_ORDER or the pfn beyond `max_pfn`.
 */
const char *kmem_page(const char *p, uint64_t max_pfn, struct page_fields *f);
/** These, gfp_flags= and migratetype=. False where one of the first four is not there. */
bool kmem_alloc(const char *p, uint64_t max_pfn, struct page_fields *f);
/**
 * The meaning of `len` bytes of gfp_flags, valid until the next call. Numbers are those of
 * t->kernel, which does not change once there was one. The first name or number that is not known
 * is kept in `t`.
 */
const struct gfp_meaning *kmem_gfp(struct gfp_meanings *g, const char *text, size_t len,
				   struct trace *t);

/** Are the first `len` bytes the same? `p` may be shorter, as it ends with a zero byte. */
static inline bool kmem_same(const char *p, const char *key, size_t len)
{
	/* A call of strncmp() for each word would be a sixth of the time that reading takes. */
	for (size_t i = 0; i < len; i++)
		if (p[i] != key[i])
			return false;
	return true;
}

/** Where the event at `text` is called `name` ("mm_page_free:"), what follows; else NULL. */
#define KMEM_AFTER(text, name)                                                                     \
	(kmem_same(text, name, sizeof(name) - 1) ? (text) + sizeof(name) - 1 : NULL)

#endif

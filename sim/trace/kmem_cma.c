/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An allocation is what its end says: where it is. A release frees its pages one by one, so their
 * mm_page_free come before its own event and say nothing more. Owns the ranges that are allocated,
 * by their frames.
 */
#include "sim/trace/kmem_cma.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sim/trace/kmem_fields.h"
#include "sim/trace/reader.h"

struct range {
	uint64_t pfn;
	uint32_t count, page;
};

struct kmem_cma {
	struct range *ranges; /* by pfn; none overlap */
	size_t nr, room;
};

enum kmem_cma_kind kmem_cma_kind(const char *text, const char **rest)
{
	static const struct {
		const char *name;
		enum kmem_cma_kind kind;
	} kinds[] = {
		{"cma_alloc: ", KMEM_CMA_ALLOC},           {"cma_alloc_finish: ", KMEM_CMA_ALLOC},
		{"cma_release: ", KMEM_CMA_RELEASE},       {"cma_alloc_start: ", KMEM_CMA_STEP},
		{"cma_alloc_busy_retry: ", KMEM_CMA_STEP},
	};

	if (*text != 'c')
		return KMEM_NO_CMA;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		size_t len = strlen(kinds[i].name);

		if (kmem_same(text, kinds[i].name, len)) {
			*rest = text + len;
			return kinds[i].kind;
		}
	}
	return KMEM_NO_CMA;
}

/* Hexadecimal, with 0x or without; UINT64_MAX, also as -1, is none. */
static bool read_pfn(const char *text, uint64_t *pfn)
{
	const char *end, *p = KMEM_FIELD(text, "pfn=", &end);
	char digits[24], *stop;
	size_t len = p ? (size_t)(end - p) : 0;

	if (!len || len >= sizeof(digits))
		return false;
	memcpy(digits, p, len);
	digits[len] = '\0';
	if (digits[strspn(digits, "0123456789abcdefABCDEFxX")])
		return strcmp(digits, "-1") == 0 && (*pfn = UINT64_MAX);
	*pfn = strtoull(digits, &stop, 16);
	return !*stop;
}

bool kmem_cma_fields(const char *text, bool release, uint64_t max_pfn, struct cma_fields *f)
{
	const char *end, *p = KMEM_FIELD(text, "page=", &end);
	uint64_t count, align = 0;

	f->failed = p && kmem_is_null(p, end);
	p = KMEM_FIELD(text, "count=", &end);
	if (!p || !kmem_number(p, end, &count) || !count || count > TRACE_MAX_CMA)
		return false;
	p = release ? NULL : KMEM_FIELD(text, "align=", &end);
	if (!release && (!p || !kmem_number(p, end, &align) || align > TRACE_MAX_CMA_ALIGN))
		return false;
	f->count = (uint32_t)count;
	f->align = (uint32_t)align;
	if (!read_pfn(text, &f->pfn))
		return false;
	f->failed |= f->pfn == UINT64_MAX;
	return f->failed ? !release : f->pfn <= max_pfn && count - 1 <= max_pfn - f->pfn;
}

struct kmem_cma *kmem_cma_new(void)
{
	return calloc(1, sizeof(struct kmem_cma));
}

void kmem_cma_free(struct kmem_cma *c)
{
	if (!c)
		return;
	free(c->ranges);
	free(c);
}

/* The first range that ends behind the frame; c->nr: none. */
static size_t find(const struct kmem_cma *c, uint64_t pfn)
{
	size_t low = 0, high = c->nr;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct range *r = &c->ranges[middle];

		if (r->pfn + r->count > pfn)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

bool kmem_cma_has(const struct kmem_cma *c, uint64_t pfn)
{
	size_t i = c->nr ? find(c, pfn) : 0;

	return i < c->nr && c->ranges[i].pfn <= pfn;
}

static void drop(struct kmem_cma *c, size_t i)
{
	c->nr--;
	memmove(&c->ranges[i], &c->ranges[i + 1], (c->nr - i) * sizeof(*c->ranges));
}

static int add(struct kmem_cma *c, struct range range)
{
	size_t i = find(c, range.pfn);

	if (c->nr == c->room) {
		size_t room = c->room ? c->room * 2 : 16;
		struct range *grown = realloc(c->ranges, room * sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		c->ranges = grown;
		c->room = room;
	}
	memmove(&c->ranges[i + 1], &c->ranges[i], (c->nr - i) * sizeof(*c->ranges));
	c->ranges[i] = range;
	c->nr++;
	return 0;
}

/* Others have their frames: their release has no line. */
static int release_unseen(struct kmem_cma *c, const struct cma_fields *f, struct trace *t,
			  const struct trace_event *like)
{
	for (size_t i = find(c, f->pfn); i < c->nr && c->ranges[i].pfn < f->pfn + f->count;) {
		struct trace_event ev = {
			.op = TRACE_CMA_RELEASE,
			.time_ps = like->time_ps,
			.page = c->ranges[i].page,
			.cpu = like->cpu,
			.flags = TRACE_F_INFERRED,
			.line = like->line,
		};
		int err = trace_append(t, &ev);

		if (err)
			return err;
		t->inferred[TRACE_INFER_FREE]++;
		drop(c, i);
	}
	return 0;
}

static int take_alloc(struct kmem_cma *c, const struct cma_fields *f, struct trace *t,
		      struct trace_event *ev)
{
	int err;

	kmem_cma_describe(f, ev);
	if (f->failed)
		return trace_append_failed(t, ev);
	err = release_unseen(c, f, t, ev);
	if (err)
		return err;
	if (t->nr_pages >= TRACE_NO_PAGE - 1)
		return -E2BIG;
	ev->page = t->nr_pages;
	trace_widen(t, f->pfn);
	err = trace_set_pfn(t, ev->page, f->pfn);
	if (!err)
		err = add(c, (struct range){f->pfn, f->count, ev->page});
	return err ? err : trace_append(t, ev);
}

int kmem_cma_take(struct kmem_cma *c, enum kmem_cma_kind kind, const char *fields, struct trace *t,
		  struct trace_event *ev)
{
	struct cma_fields f;
	size_t i;

	if (kind == KMEM_CMA_STEP) {
		trace_skip(t, TRACE_SKIP_CMA_PART);
		return 0;
	}
	if (!kmem_cma_fields(fields, kind == KMEM_CMA_RELEASE, TRACE_MAX_PFN, &f))
		return -EINVAL;
	if (kind == KMEM_CMA_ALLOC)
		return take_alloc(c, &f, t, ev);
	i = find(c, f.pfn);
	if (i == c->nr || c->ranges[i].pfn > f.pfn) {
		trace_skip(t, TRACE_SKIP_CMA_HELD);
		return 0;
	}
	/* A part of an allocation cannot go alone. */
	if (c->ranges[i].pfn != f.pfn || c->ranges[i].count != f.count) {
		trace_skip(t, TRACE_SKIP_ORDER_MISMATCH);
		return 0;
	}
	ev->op = TRACE_CMA_RELEASE;
	ev->page = c->ranges[i].page;
	drop(c, i);
	return trace_append(t, ev);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Strict, as the readers of our other formats are: who edits such a text so that a page is
 * allocated twice hears of it. Owns the frames that are allocated, by the pfn in the line.
 */
#include "sim/trace/told.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "mm/gfp.h"
#include "sim/config/units.h"
#include "sim/trace/kmem_cma.h"
#include "sim/trace/kmem_fields.h"
#include "sim/trace/kmem_slab.h"
#include "sim/trace/livemap.h"
#include "sim/trace/native.h"
#include "sim/trace/scan.h"

#define PS_PER_S UINT64_C(1000000000000)

struct told {
	struct native *native;
	struct livemap live;    /* by the pfn in the line */
	struct livemap objects; /* by ptr= */
	struct livemap cma;     /* by the pfn in the line; the index of the event, not a page */
	struct gfp_meanings meanings;
	uint64_t last_ps;
	/* From a TOLD_NEXT to its line. */
	struct trace_event next;
	pfn_t next_pfn; /* or TRACE_NO_PFN: the one in the line */
	char next_cache[MM_SLAB_NAME];
};

struct told *told_new(void)
{
	struct told *told = calloc(1, sizeof(*told));

	if (!told)
		return NULL;
	told->next_pfn = TRACE_NO_PFN;
	told->meanings.ours = true;
	told->native = native_new();
	if (told->native && !livemap_init(&told->live) && !livemap_init(&told->objects) &&
	    !livemap_init(&told->cma))
		return told;
	told_free(told);
	return NULL;
}

void told_free(struct told *told)
{
	if (!told)
		return;
	native_free(told->native);
	if (told->live.slots)
		livemap_clear(&told->live);
	if (told->objects.slots)
		livemap_clear(&told->objects);
	if (told->cma.slots)
		livemap_clear(&told->cma);
	free(told);
}

/* Where the event is a marker of ours, what it says; else NULL. Behind "print:" with perf and
 * trace-cmd. */
static const char *marker(const char *text)
{
	const char *p = KMEM_AFTER(text, "print:");

	if (!p)
		p = text;
	p = KMEM_AFTER(scan_blanks(p), "tracing_mark_write:");
	return p ? KMEM_AFTER(scan_blanks(p), TOLD_MARK) : NULL;
}

bool told_begins(const char *text)
{
	const char *p = marker(text);

	return p && scan_begins(p, TOLD_TRACE " ");
}

static int take_version(struct native *n)
{
	if (n->words[1] && !strcmp(n->words[1], TOLD_VERSION))
		return native_end(n, n->words[2]);
	return native_found(n, n->words[1],
			    "\"" TOLD_VERSION "\", the version that this numasim reads");
}

/* "cache=dentry", which lines of allocations do not say. */
static int take_cache(struct told *told, const char *word)
{
	const char *name = native_value(word, "cache=");

	for (const char *p = name; *p; p++)
		if (!trace_cache_letter(*p) || p - name == MM_SLAB_NAME - 1)
			return native_found(told->native, word,
					    "cache= and a name of a slab cache");
	strcpy(told->next_cache, name);
	return 0;
}

/* "next inferred policy=1 turn=3" */
static int take_next(struct told *told)
{
	struct native *n = told->native;
	char **words = n->words + 1;
	bool seen[NATIVE_NR_KEYS] = {false};
	int err;

	told->next = (struct trace_event){0};
	*told->next_cache = 0;
	if (*words && !strcmp(*words, NATIVE_INFERRED)) {
		told->next.flags = TRACE_F_INFERRED;
		words++;
	}
	if (native_value(*words, "cache=")) {
		err = take_cache(told, *words++);
		if (err)
			return err;
	}
	err = native_keys(n, words, &told->next, 0, NATIVE_NR_KEYS, seen);
	if (err)
		return err;
	if (seen[NATIVE_KEY_ORDER] || seen[NATIVE_KEY_GFP] || seen[NATIVE_KEY_MOBILITY])
		return NATIVE_BAD(n, "order=, gfp= or mobility= in a marker: the event's line says "
				     "these");
	if (seen[NATIVE_KEY_POLICY] && seen[NATIVE_KEY_NODE])
		return NATIVE_BAD(n, "found both policy= and node=, expected one of them");
	if (seen[NATIVE_KEY_TURN] && !n->policy)
		return NATIVE_BAD(n, "turn= without the policy= whose turn it is");
	if (seen[NATIVE_KEY_POLICY])
		trace_event_set_policy(&told->next, n->policy, n->turn);
	told->next_pfn = n->pfn;
	return 0;
}

/* "touch pfn=0x12 write 4KiB", or "touch ptr=0xffff888000000040 write 64B" */
static int take_touch(struct told *told, struct trace_event *ev)
{
	struct native *n = told->native;
	const char *value = native_value(n->words[1], "pfn=");
	const char *object = native_value(n->words[1], "ptr=");
	const struct livemap_entry *live, *cma = NULL;
	uint64_t pfn;
	int err;

	if (!value)
		value = object;
	if (!value || !kmem_number(value, value + strlen(value), &pfn))
		return native_found(n, n->words[1], "pfn= of an allocation, or ptr= of an object");
	live = pfn == LIVEMAP_NO_PFN ? NULL
				     : livemap_find(object ? &told->objects : &told->live, pfn);
	if (!live && !object && pfn != LIVEMAP_NO_PFN)
		cma = livemap_find(&told->cma, pfn);
	if (!live && !cma)
		return NATIVE_BAD(n, "a touch of \"%s\", which is not allocated",
				  native_show(n, n->words[1]));
	ev->op = TRACE_TOUCH;
	ev->page = cma ? n->t->events[cma->page].page : live->page;
	err = native_amount(n, n->words + 1, cma ? cma->order : live->order, ev);
	return err ? err : trace_append(n->t, ev);
}

/* The next page's number, with the frame that the marker or else the line tells. */
static int number_page(struct told *told, uint64_t line_pfn, bool is_traced, struct trace_event *ev)
{
	struct trace *t = told->native->t;
	pfn_t pfn = told->next_pfn;

	if (pfn == TRACE_NO_PFN && line_pfn <= TRACE_MAX_PFN)
		pfn = line_pfn;
	if (t->nr_pages >= TRACE_NO_PAGE - 1)
		return NATIVE_BAD(told->native, "more than %u allocations", TRACE_NO_PAGE - 1);
	ev->page = t->nr_pages;
	if (pfn == TRACE_NO_PFN)
		return 0;
	if (is_traced)
		trace_widen(t, pfn);
	return trace_set_pfn(t, ev->page, pfn);
}

/* What the marker before said of this line, once. */
static int use_next(struct told *told, unsigned allowed, const char *what, struct trace_event *ev)
{
	ev->flags = told->next.flags;
	ev->policy = told->next.policy;
	ev->bytes = told->next.bytes;
	told->next = (struct trace_event){0};
	if (ev->flags & ~allowed)
		return NATIVE_BAD(told->native, "the marker before says what is not of %s", what);
	return 0;
}

/* The number behind `key` in a word of a marker. */
static int take_pfn(struct told *told, const char *word, const char *key, uint64_t *pfn)
{
	const char *value = native_value(word, key);

	if (value && kmem_number(value, value + strlen(value), pfn) && *pfn != LIVEMAP_NO_PFN)
		return 0;
	return native_found(told->native, word, "pfn= and into=, frames of an allocation");
}

/* "split pfn=0x40 into=0x42" */
static int take_split(struct told *told, struct trace_event *ev)
{
	struct native *n = told->native;
	struct livemap_entry *live, upper;
	uint64_t pfn, into;
	int err = take_pfn(told, n->words[1], "pfn=", &pfn);

	if (!err)
		err = take_pfn(told, n->words[2], "into=", &into);
	if (!err)
		err = native_end(n, n->words[3]);
	if (!err)
		err = use_next(told, TRACE_F_INFERRED, "a split", ev);
	if (err)
		return err;
	live = livemap_find(&told->live, pfn);
	if (!live || !live->order || livemap_find(&told->live, into) ||
	    livemap_find(&told->cma, into))
		return NATIVE_BAD(n, "a split of what is not allocated or a single page, or into "
				     "a frame that is allocated");
	ev->op = TRACE_SPLIT;
	ev->order = --live->order;
	ev->bytes = live->page;
	err = number_page(told, into, false, ev);
	upper = (struct livemap_entry){into, ev->page, ev->order};
	told->next_pfn = TRACE_NO_PFN;
	if (!err)
		err = livemap_add(&told->live, &upper);
	return err ? err : trace_append(n->t, ev);
}

static int take_wait(struct told *told, struct trace_event *ev)
{
	struct native *n = told->native;
	int err = native_duration(n, n->words[1], &ev->time_ps);

	if (!err)
		err = native_end(n, n->words[2]);
	ev->op = TRACE_WAIT;
	ev->page = TRACE_NO_PAGE;
	return err ? err : trace_append(n->t, ev);
}

static int take_step(struct told *told, struct trace_event *ev)
{
	struct native *n = told->native;
	int err;

	ev->op = TRACE_HOTPLUG;
	err = native_step(n, n->words + 1, ev);
	return err ? err : trace_append(n->t, ev);
}

static int take_marker(struct told *told, const char *text, size_t len, struct trace_event *ev)
{
	struct native *n = told->native;
	bool is_statement = false;
	int err = native_split(n, text, len);

	if (err < 0)
		return err;
	if (err == 0)
		return native_found(n, NULL, "what is marked");
	err = native_statement(n, &is_statement);
	if (err || is_statement)
		return err;
	if (!strcmp(n->words[0], TOLD_SPLIT))
		return take_split(told, ev);
	if (!strcmp(n->words[0], TOLD_TOUCH))
		return take_touch(told, ev);
	if (!strcmp(n->words[0], TOLD_WAIT))
		return take_wait(told, ev);
	if (!strcmp(n->words[0], TOLD_HOTPLUG))
		return take_step(told, ev);
	trace_skip(n->t, TRACE_SKIP_TASK);
	if (!strcmp(n->words[0], TOLD_TRACE))
		return take_version(n);
	if (!strcmp(n->words[0], TOLD_NEXT))
		return take_next(told);
	return native_found(n, n->words[0],
			    TOLD_NEXT ", " TOLD_SPLIT ", " TOLD_TOUCH ", " TOLD_WAIT
				      ", " TOLD_HOTPLUG ", " NATIVE_POLICY ", " NATIVE_MOVED
				      " or " NATIVE_ORIGINAL);
}

static int take_alloc(struct told *told, const struct page_fields *f, struct trace_event *ev)
{
	const struct gfp_meaning *m =
		kmem_gfp(&told->meanings, f->gfp, f->gfp_len, told->native->t);
	int err;

	ev->op = TRACE_ALLOC;
	ev->gfp = m->gfp;
	ev->order = (uint8_t)f->order;
	ev->migratetype =
		f->migratetype < MM_NR_PCPTYPES ? (uint8_t)f->migratetype : gfp_migratetype(m->gfp);
	if (f->failed)
		return trace_append_failed(told->native->t, ev);
	if (livemap_find(&told->live, f->pfn) || livemap_find(&told->cma, f->pfn))
		return NATIVE_BAD(told->native,
				  "frame 0x%" PRIx64 " is allocated again: no line "
				  "has freed it",
				  f->pfn);
	err = number_page(told, f->pfn, true, ev);
	if (!err)
		err = livemap_add(&told->live,
				  &(struct livemap_entry){f->pfn, ev->page, ev->order});
	return err ? err : trace_append(told->native->t, ev);
}

static int take_free(struct told *told, const struct page_fields *f, struct trace_event *ev)
{
	struct livemap_entry *live = livemap_find(&told->live, f->pfn);
	int err = 0;

	ev->order = (uint8_t)f->order;
	if (!live) {
		ev->op = TRACE_FREE_HELD;
		err = number_page(told, f->pfn, false, ev);
	} else if (live->order != f->order) {
		return NATIVE_BAD(told->native,
				  "a free of frame 0x%" PRIx64 " with order %u, expected %u, with "
				  "which it was allocated",
				  f->pfn, (unsigned)f->order, live->order);
	} else {
		ev->op = TRACE_FREE;
		ev->page = live->page;
		livemap_remove(&told->live, live);
	}
	return err ? err : trace_append(told->native->t, ev);
}

/* A free block from or to the buddy lists; nothing where the line has not what it needs. */
static int take_move(struct told *told, const char *text, bool taken)
{
	struct page_fields f;
	const char *p = kmem_page(text, TRACE_MAX_PFN, &f), *end;
	uint64_t percpu = 1;

	p = p ? KMEM_FIELD(p, "migratetype=", &end) : NULL;
	if (!p || f.failed || !kmem_number(p, end, &f.migratetype) ||
	    f.migratetype >= MM_NR_MIGRATETYPES)
		return NATIVE_BAD(told->native, "found no page, order and migratetype of a block");
	p = taken ? KMEM_FIELD(end, "percpu_refill=", &end) : NULL;
	if (p && !kmem_number(p, end, &percpu))
		return NATIVE_BAD(told->native, "percpu_refill= without a number");
	trace_skip(told->native->t, TRACE_SKIP_OTHER_EVENT);
	return trace_append_move(told->native->t,
				 &(struct trace_move){.pfn = f.pfn,
						      .order = f.order,
						      .taken = taken,
						      .percpu = percpu != 0,
						      .migratetype = f.migratetype});
}

static int take_page(struct told *told, const char *text, bool is_alloc, struct trace_event *ev)
{
	struct page_fields f;
	int err;

	/* No page is a null pointer in these texts. */
	if (!(is_alloc ? kmem_alloc(text, LIVEMAP_NO_PFN - 1, &f)
		       : kmem_page(text, LIVEMAP_NO_PFN - 1, &f) && !f.failed))
		return NATIVE_BAD(told->native, "found no page, frame, order%s of %s",
				  is_alloc ? " and gfp_flags" : "",
				  is_alloc ? "an allocation" : "a free");
	if (is_alloc)
		err = use_next(told,
			       TRACE_F_INFERRED | TRACE_F_MIGRATE | TRACE_F_SLAB | TRACE_F_RECLAIM |
				       TRACE_F_KSWAPD,
			       "an allocation", ev);
	else
		err = use_next(told, TRACE_F_INFERRED | TRACE_F_RECLAIM | TRACE_F_KSWAPD, "a free",
			       ev);
	if (!err && !is_alloc && (ev->policy || ev->bytes))
		err = NATIVE_BAD(told->native, "the marker before says a node or a policy, and "
					       "this is a free");
	if (!err)
		err = is_alloc ? take_alloc(told, &f, ev) : take_free(told, &f, ev);
	told->next_pfn = TRACE_NO_PFN;
	return err;
}

static int take_object_alloc(struct told *told, bool is_kmalloc, const char *text,
			     struct trace_event *ev)
{
	struct native *n = told->native;
	struct trace_cache cache = {0};
	struct object_fields f;
	int err = 0;

	if (!kmem_object_alloc(text, &f))
		return NATIVE_BAD(n, "found no ptr, bytes_req, bytes_alloc and gfp_flags of an "
				     "object");
	ev->op = is_kmalloc ? TRACE_KMALLOC : TRACE_CACHE_ALLOC;
	ev->gfp = kmem_gfp(&told->meanings, f.gfp, f.gfp_len, n->t)->gfp;
	ev->bytes = (uint32_t)f.req;
	if (f.nid != UINT64_MAX) {
		ev->flags |= TRACE_F_ON_NODE;
		ev->policy = (uint16_t)f.nid;
	}
	if (!is_kmalloc) {
		cache.size = (uint32_t)f.req;
		cache.room = (uint32_t)f.room;
		strcpy(cache.name, told->next_cache);
		err = trace_add_cache(n->t, &cache, &ev->bytes);
	}
	*told->next_cache = 0;
	if (err)
		return err == -ENOSPC ? NATIVE_BAD(n, "more than %u different slab caches",
						   TRACE_MAX_CACHES)
				      : err;
	if (!f.ptr)
		return trace_append_failed(n->t, ev);
	if (livemap_find(&told->objects, f.ptr))
		return NATIVE_BAD(
			n, "object 0x%" PRIx64 " is allocated again: no line has freed it", f.ptr);
	if (n->t->nr_pages >= TRACE_NO_PAGE - 1)
		return NATIVE_BAD(n, "more than %u allocations", TRACE_NO_PAGE - 1);
	ev->page = n->t->nr_pages;
	err = livemap_add(&told->objects, &(struct livemap_entry){.pfn = f.ptr, .page = ev->page});
	return err ? err : trace_append(n->t, ev);
}

static int take_object_free(struct told *told, const char *text, struct trace_event *ev)
{
	struct livemap_entry *live;
	struct object_fields f;

	if (!kmem_object(text, &f) || !f.ptr)
		return NATIVE_BAD(told->native, "found no ptr of an object");
	live = livemap_find(&told->objects, f.ptr);
	if (!live)
		return NATIVE_BAD(told->native,
				  "a free of object 0x%" PRIx64 ", which no line has "
				  "allocated",
				  f.ptr);
	ev->op = TRACE_OBJECT_FREE;
	ev->page = live->page;
	livemap_remove(&told->objects, live);
	return trace_append(told->native->t, ev);
}

static int take_object(struct told *told, enum kmem_slab_kind kind, const char *text,
		       struct trace_event *ev)
{
	bool is_free = kind == KMEM_OBJECT_FREE;
	int err = use_next(told, is_free ? TRACE_F_INFERRED : 0,
			   is_free ? "a free of an object" : "an object", ev);

	if (!err && (ev->bytes || (is_free && (ev->policy || *told->next_cache))))
		err = NATIVE_BAD(told->native, "the marker before says what is not of an object");
	told->next_pfn = TRACE_NO_PFN;
	if (err)
		return err;
	return is_free ? take_object_free(told, text, ev)
		       : take_object_alloc(told, kind == KMEM_KMALLOC, text, ev);
}

static int take_cma_alloc(struct told *told, const struct cma_fields *f, struct trace_event *ev)
{
	struct trace *t = told->native->t;
	struct livemap_entry live = {f->pfn, (uint32_t)t->nr_events, 0};
	int err;

	kmem_cma_describe(f, ev);
	if (f->failed)
		return trace_append_failed(t, ev);
	if (livemap_find(&told->live, f->pfn) || livemap_find(&told->cma, f->pfn))
		return NATIVE_BAD(told->native,
				  "frame 0x%" PRIx64 " is allocated again: no line has freed it",
				  f->pfn);
	live.order = (uint8_t)trace_cma_order(f->count);
	err = number_page(told, f->pfn, true, ev);
	if (!err)
		err = livemap_add(&told->cma, &live);
	return err ? err : trace_append(t, ev);
}

static int take_cma_release(struct told *told, const struct cma_fields *f, struct trace_event *ev)
{
	struct native *n = told->native;
	struct livemap_entry *live = livemap_find(&told->cma, f->pfn);
	const struct trace_event *alloc;

	if (!live)
		return NATIVE_BAD(n,
				  "a release of frame 0x%" PRIx64 ", which no line has allocated "
				  "from the CMA area",
				  f->pfn);
	alloc = &n->t->events[live->page];
	if (alloc->bytes != f->count)
		return NATIVE_BAD(n,
				  "a release of %" PRIu32 " frames from 0x%" PRIx64
				  ", expected %" PRIu32 ", which were allocated",
				  f->count, f->pfn, alloc->bytes);
	ev->op = TRACE_CMA_RELEASE;
	ev->page = alloc->page;
	livemap_remove(&told->cma, live);
	return trace_append(n->t, ev);
}

static int take_cma(struct told *told, enum kmem_cma_kind kind, const char *text,
		    struct trace_event *ev)
{
	bool release = kind == KMEM_CMA_RELEASE;
	struct cma_fields f;
	int err;

	if (kind == KMEM_CMA_STEP) {
		trace_skip(told->native->t, TRACE_SKIP_CMA_PART);
		return 0;
	}
	if (!kmem_cma_fields(text, release, LIVEMAP_NO_PFN - 1 - TRACE_MAX_CMA, &f))
		return NATIVE_BAD(told->native,
				  "found no pfn, page, count%s of frames of the CMA "
				  "area",
				  release ? "" : " and align");
	err = use_next(told, release ? TRACE_F_INFERRED : 0, "frames of the CMA area", ev);
	if (!err && (ev->bytes || ev->policy || *told->next_cache))
		err = NATIVE_BAD(told->native, "the marker before says what is not of frames of "
					       "the CMA area");
	if (!err)
		err = release ? take_cma_release(told, &f, ev) : take_cma_alloc(told, &f, ev);
	told->next_pfn = TRACE_NO_PFN;
	return err;
}

/* The time of the line; those of such a text never go back. */
static int take_time(struct told *told, const struct kmem_origin *origin, uint64_t *ps)
{
	struct native *n = told->native;

	if (origin->seconds > UINT64_MAX / PS_PER_S ||
	    (origin->seconds == UINT64_MAX / PS_PER_S &&
	     origin->fraction_ps > UINT64_MAX % PS_PER_S))
		return NATIVE_BAD(n, "the time is beyond %u seconds",
				  (unsigned)(UINT64_MAX / PS_PER_S));
	*ps = origin->seconds * PS_PER_S + origin->fraction_ps;
	if (*ps < told->last_ps)
		return NATIVE_BAD(n, "time %s goes back: a line before has %s",
				  units_time(*ps).text, units_time(told->last_ps).text);
	told->last_ps = *ps;
	return 0;
}

int told_event(struct told *told, const struct kmem_origin *origin, const char *text,
	       const struct stream_line *line, struct trace *t, struct diag *diag)
{
	struct trace_event ev = {.line = trace_line_number(line), .cpu = (uint16_t)origin->cpu};
	struct native *n = told->native;
	enum kmem_slab_kind kind;
	enum kmem_cma_kind cma;
	const char *p;
	int err;

	n->t = t;
	n->diag = diag;
	n->line = ev.line;
	n->pfn = TRACE_NO_PFN;
	n->policy = 0;
	n->turn = 0;
	err = take_time(told, origin, &ev.time_ps);
	if (err)
		return err;
	if ((p = KMEM_AFTER(text, "mm_page_alloc:")))
		return take_page(told, p, true, &ev);
	if ((p = KMEM_AFTER(text, "mm_page_free:")))
		return take_page(told, p, false, &ev);
	if ((p = KMEM_AFTER(text, "mm_page_alloc_zone_locked:")))
		return take_move(told, p, true);
	if ((p = KMEM_AFTER(text, "mm_page_pcpu_drain:")))
		return take_move(told, p, false);
	kind = kmem_slab_kind(text, &p);
	if (kind != KMEM_NO_SLAB)
		return take_object(told, kind, p, &ev);
	cma = kmem_cma_kind(text, &p);
	if (cma != KMEM_NO_CMA)
		return take_cma(told, cma, p, &ev);
	p = marker(text);
	if (p)
		return take_marker(told, p, strlen(p), &ev);
	trace_skip(t, TRACE_SKIP_OTHER_EVENT);
	return 0;
}

void told_finish(struct told *told, struct trace *t)
{
	told->native->t = t;
	native_finish(told->native);
}

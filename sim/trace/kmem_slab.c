/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A slab that the real kernel took a page for shows as an mm_page_alloc directly before the
 * allocation that needed it, on the same CPU: that page is marked, since who replays objects does
 * not replay their slabs. Some frees leave no event (kfree_rcu in bulk): they show when the place
 * of an object that is alive gets another one.
 */
#include "sim/trace/kmem_slab.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mm/gfp.h"
#include "sim/trace/livemap.h"
#include "sim/trace/reader.h"

struct kmem_slab {
	struct livemap live;            /* by ptr */
	size_t page_event[MM_MAX_CPUS]; /* 1 + its index; 0: none */
};

enum kmem_slab_kind kmem_slab_kind(const char *text, const char **rest)
{
	static const struct {
		const char *name;
		enum kmem_slab_kind kind;
	} kinds[] = {
		{"kmalloc: ", KMEM_KMALLOC},
		{"kmalloc_node: ", KMEM_KMALLOC},
		{"kmem_cache_alloc: ", KMEM_CACHE_ALLOC},
		{"kmem_cache_alloc_node: ", KMEM_CACHE_ALLOC},
		{"kfree: ", KMEM_OBJECT_FREE},
		{"kmem_cache_free: ", KMEM_OBJECT_FREE},
	};

	if (*text != 'k')
		return KMEM_NO_SLAB;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		size_t len = strlen(kinds[i].name);

		if (kmem_same(text, kinds[i].name, len)) {
			*rest = text + len;
			return kinds[i].kind;
		}
	}
	return KMEM_NO_SLAB;
}

struct kmem_slab *kmem_slab_new(void)
{
	struct kmem_slab *s = calloc(1, sizeof(*s));

	if (s && livemap_init(&s->live)) {
		free(s);
		return NULL;
	}
	return s;
}

void kmem_slab_free(struct kmem_slab *s)
{
	if (!s)
		return;
	livemap_clear(&s->live);
	free(s);
}

void kmem_slab_page(struct kmem_slab *s, unsigned cpu, size_t event)
{
	s->page_event[cpu] = event == SIZE_MAX ? 0 : event + 1;
}

/* "0x..." or as %p prints it: digits without a prefix, "(null)". */
static bool read_pointer(const char *p, const char *end, uint64_t *out)
{
	char text[24];
	size_t len = (size_t)(end - p);
	char *stop;

	*out = 0;
	if (len >= 5 && (!strncmp(p, "(null)", 6) || !strncmp(p, "(nil)", 5)))
		return true;
	if (!len || len >= sizeof(text) || *p == '-')
		return false;
	memcpy(text, p, len);
	text[len] = '\0';
	*out = strtoull(text, &stop, 16);
	return !*stop && *out != LIVEMAP_NO_PFN;
}

/* The text of a field; one that is empty is taken for the next field by who skips blanks. */
static const char *read_word(const char *p, const char *key, size_t key_len, size_t *len)
{
	const char *end, *value = kmem_field(p, key, key_len, &end);

	*len = value ? (size_t)(end - value) : 0;
	return *len && !memchr(value, '=', *len) ? value : NULL;
}

#define READ_WORD(p, key, len) read_word(p, key, sizeof(key) - 1, len)

bool kmem_object(const char *p, struct object_fields *f)
{
	const char *end, *value = KMEM_FIELD(p, "ptr=", &end);

	if (!value || !read_pointer(value, end, &f->ptr))
		return false;
	f->name = READ_WORD(p, "name=", &f->name_len);
	return true;
}

bool kmem_object_alloc(const char *p, struct object_fields *f)
{
	const char *end, *value = KMEM_FIELD(p, "bytes_req=", &end);

	if (!kmem_object(p, f) || !value || !kmem_number(value, end, &f->req) ||
	    f->req > TRACE_MAX_OBJECT)
		return false;
	value = KMEM_FIELD(p, "bytes_alloc=", &end);
	if (!value || !kmem_number(value, end, &f->room) || f->room > TRACE_MAX_OBJECT)
		return false;
	f->gfp = READ_WORD(p, "gfp_flags=", &f->gfp_len);
	if (!f->gfp)
		return false;
	value = KMEM_FIELD(p, "node=", &end);
	if (!value || !kmem_number(value, end, &f->nid) || f->nid >= MM_MAX_NODES)
		f->nid = UINT64_MAX;
	return true;
}

/* Was the page that the CPU took just before for a slab, or for this very object? */
static void mark_page(struct kmem_slab *s, struct trace *t, const struct trace_event *ev)
{
	size_t event = s->page_event[ev->cpu];
	gfp_t never = __GFP_HIGHMEM | __GFP_MOVABLE | (ev->bytes > 8192 ? 0 : __GFP_ZERO);
	struct trace_event *page;

	s->page_event[ev->cpu] = 0;
	if (!event || event > t->nr_events)
		return;
	page = &t->events[event - 1];
	if (!(page->gfp & never) && (!page->order || (page->gfp & __GFP_COMP)))
		page->flags |= TRACE_F_SLAB;
}

/* Another object has its place: its free left no event. */
static int free_unseen(struct kmem_slab *s, struct trace *t, const struct trace_event *like,
		       struct livemap_entry *old)
{
	struct trace_event ev = {
		.op = TRACE_OBJECT_FREE,
		.time_ps = like->time_ps,
		.page = old->page,
		.cpu = like->cpu,
		.flags = TRACE_F_INFERRED,
		.line = like->line,
	};

	livemap_remove(&s->live, old);
	t->inferred[TRACE_INFER_OBJECT]++;
	return trace_append(t, &ev);
}

static int cache_of(const struct object_fields *f, struct trace *t, uint32_t *index)
{
	struct trace_cache cache = {.size = (uint32_t)f->req, .room = (uint32_t)f->room};

	snprintf(cache.name, sizeof(cache.name), "%.*s",
		 (int)(f->name_len < sizeof(cache.name) ? f->name_len : sizeof(cache.name) - 1),
		 f->name ? f->name : "");
	/* No cache of a kernel is called anything else; our own text has no place for it. */
	for (char *p = cache.name; *p; p++)
		if (!trace_cache_letter(*p) || !strcmp(cache.name, "-"))
			*p = '_';
	return trace_add_cache(t, &cache, index);
}

static int take_alloc(struct kmem_slab *s, enum kmem_slab_kind kind, const char *fields,
		      struct gfp_meanings *gfp, struct trace *t, struct trace_event *ev)
{
	const struct gfp_meaning *m;
	struct object_fields f;
	struct livemap_entry *old;
	int err = 0;

	if (!kmem_object_alloc(fields, &f))
		return -EINVAL;
	m = kmem_gfp(gfp, f.gfp, f.gfp_len, t);
	t->unknown_gfp += m->nr_unknown;
	ev->gfp = m->gfp;
	ev->op = kind == KMEM_KMALLOC ? TRACE_KMALLOC : TRACE_CACHE_ALLOC;
	ev->bytes = (uint32_t)f.req;
	mark_page(s, t, ev);
	if (f.nid != UINT64_MAX) {
		ev->flags |= TRACE_F_ON_NODE;
		ev->policy = (uint16_t)f.nid;
	}
	if (kind == KMEM_CACHE_ALLOC)
		err = cache_of(&f, t, &ev->bytes);
	if (err)
		return err;
	if (!f.ptr)
		return trace_append_failed(t, ev);
	old = livemap_find(&s->live, f.ptr);
	if (old)
		err = free_unseen(s, t, ev, old);
	if (!err && t->nr_pages >= TRACE_NO_PAGE - 1)
		err = -E2BIG;
	ev->page = t->nr_pages;
	if (!err)
		err = livemap_add(&s->live,
				  &(struct livemap_entry){.pfn = f.ptr, .page = ev->page});
	return err ? err : trace_append(t, ev);
}

static int take_free(struct kmem_slab *s, const char *fields, struct trace *t,
		     struct trace_event *ev)
{
	struct livemap_entry *entry;
	struct object_fields f;

	if (!kmem_object(fields, &f))
		return -EINVAL;
	s->page_event[ev->cpu] = 0;
	entry = f.ptr ? livemap_find(&s->live, f.ptr) : NULL;
	if (!entry) {
		trace_skip(t, TRACE_SKIP_OBJECT);
		return 0;
	}
	ev->op = TRACE_OBJECT_FREE;
	ev->page = entry->page;
	livemap_remove(&s->live, entry);
	return trace_append(t, ev);
}

int kmem_slab_take(struct kmem_slab *s, enum kmem_slab_kind kind, const char *fields,
		   struct gfp_meanings *gfp, struct trace *t, struct trace_event *ev)
{
	if (kind == KMEM_OBJECT_FREE)
		return take_free(s, fields, t, ev);
	return take_alloc(s, kind, fields, gfp, t, ev);
}

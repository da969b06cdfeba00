/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Scanned by hand: a trace has millions of these lines. The texts of gfp_flags are few in any one
 * trace, so their meanings are kept in a small cache.
 *
 * Owns the clock: times are relative to the first event that is kept, and monotonic although the
 * kernel merges the buffers of its CPUs with small steps back. What a page's events mean together
 * is frames.c's business.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "mm/gfp.h"
#include "sim/policy/tasks.h"
#include "sim/trace/frames.h"
#include "sim/trace/kmem.h"

#define PS_PER_S    UINT64_C(1000000000000)
#define MAX_SECONDS 18000000 /* between first and last: what 64 bits of picoseconds hold */
#define GFP_TEXT    192
#define GFP_SLOTS   64

/* The meaning of one text of gfp_flags. */
struct gfp_meaning {
	size_t len; /* 0: nothing here */
	gfp_t gfp;
	unsigned nr_unknown; /* names that are not known */
	bool numeric;        /* one number: its bits may be those of another kernel version */
	char text[GFP_TEXT];
};

/* What a CPU is at in alloc_pages_bulk, as a probe of its entry tells it. */
struct bulk {
	gfp_t gfp;
	int nid;
	unsigned want;   /* pages; 0: it is not there */
	unsigned traced; /* of these, told by lines of their own: it falls back to single pages */
};

struct kmem {
	struct frames *frames;
	struct bulk bulk[MM_MAX_CPUS];
	struct tasks *tasks;
	bool started; /* has a first event: */
	uint64_t first_s, first_ps;
	uint64_t last_ps; /* of the last event, relative to the first */
	struct gfp_meaning meanings[GFP_SLOTS];
};

/* The fields of an allocation or a free. */
struct page_fields {
	bool failed; /* no page */
	uint64_t pfn, order;
	uint64_t migratetype; /* UINT64_MAX where the line has none */
	const char *gfp;
	size_t gfp_len;
};

struct kmem *kmem_new(void)
{
	struct kmem *k = calloc(1, sizeof(*k));

	if (!k)
		return NULL;
	k->frames = frames_new();
	k->tasks = tasks_new();
	if (!k->frames || !k->tasks) {
		kmem_free(k);
		return NULL;
	}
	return k;
}

void kmem_free(struct kmem *k)
{
	if (!k)
		return;
	frames_free(k->frames);
	tasks_free(k->tasks);
	free(k);
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static int hex_digit(char c)
{
	if (is_digit(c))
		return c - '0';
	c |= 'a' - 'A';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* A number, decimal or 0x, up to `end`. False where it is none, or too large for 64 bits. */
static bool parse_number(const char *p, const char *end, uint64_t *out)
{
	uint64_t n = 0;

	if (end - p == 2 && p[0] == '-' && p[1] == '1') { /* no page, as a signed number */
		*out = UINT64_MAX;
		return true;
	}
	if (end - p > 2 && p[0] == '0' && (p[1] == 'x' || p[1] == 'X')) {
		for (p += 2; p < end; p++) {
			int digit = hex_digit(*p);

			if (digit < 0 || n >> 60)
				return false;
			n = n << 4 | digit;
		}
	} else {
		if (p == end)
			return false;
		for (; p < end; p++) {
			unsigned digit = (unsigned)(*p - '0');

			if (digit > 9 || n > UINT64_MAX / 10 || n * 10 > UINT64_MAX - digit)
				return false;
			n = n * 10 + digit;
		}
	}
	*out = n;
	return true;
}

const char *kmem_parse_time(const char *text, struct kmem_origin *origin)
{
	uint64_t seconds = 0, fraction = 0, scale = PS_PER_S;
	const char *p = text;

	for (; is_digit(*p); p++) {
		if (p - text == 18)
			return NULL;
		seconds = seconds * 10 + (*p - '0');
	}
	if (p == text || *p != '.')
		return NULL;
	for (p++; is_digit(*p); p++) {
		if (scale == 1)
			return NULL;
		scale /= 10;
		fraction += (*p - '0') * scale;
	}
	if (scale == PS_PER_S || *p != ':')
		return NULL;
	origin->seconds = seconds;
	origin->fraction_ps = fraction;
	return p + 1;
}

static const char *skip_blanks(const char *p)
{
	while (*p == ' ' || *p == '\t')
		p++;
	return p;
}

static const char *skip_word(const char *p)
{
	while (*p && *p != ' ' && *p != '\t')
		p++;
	return p;
}

/* A call of strncmp() for each word would be a sixth of the time that reading a trace takes. */
static inline bool same(const char *p, const char *key, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (p[i] != key[i])
			return false;
	return true;
}

/* The value of field `key` ("pfn="): from the result to *end. NULL where `text` has no such. */
static const char *field(const char *text, const char *key, size_t key_len, const char **end)
{
	const char *p = skip_blanks(text);

	while (*p) {
		if (same(p, key, key_len)) {
			p = skip_blanks(p + key_len); /* older kernels pad a null page */
			*end = skip_word(p);
			return p;
		}
		p = skip_blanks(skip_word(p));
	}
	return NULL;
}

#define FIELD(text, key, end) field(text, key, sizeof(key) - 1, end)

/* "(null)", "(nil)" or zeroes: the allocation failed. Other texts in brackets are hidden pages. */
static bool is_null(const char *p, const char *end)
{
	if (end - p >= 4 && strncmp(p, "(n", 2) == 0)
		return true;
	if (end - p > 2 && p[0] == '0' && p[1] == 'x')
		p += 2;
	if (p == end)
		return false;
	while (p < end && *p == '0')
		p++;
	return p == end;
}

/* page=, pfn= and order=. Returns what follows, or NULL where one is missing or beyond bounds. */
static const char *parse_page(const char *p, struct page_fields *f)
{
	const char *end, *page = FIELD(p, "page=", &end);

	f->failed = page && is_null(page, end);
	p = FIELD(page ? end : p, "pfn=", &end);
	if (!p || !parse_number(p, end, &f->pfn))
		return NULL;
	if (!page) { /* raw fields, as perf and trace-cmd print what they cannot compute */
		f->failed = f->pfn == UINT64_MAX || f->pfn == UINT32_MAX;
		f->pfn = f->failed ? 0 : f->pfn;
	}
	if (f->pfn > TRACE_MAX_PFN)
		return NULL;
	p = FIELD(end, "order=", &end);
	if (!p || !parse_number(p, end, &f->order) || f->order > MAX_PAGE_ORDER)
		return NULL;
	return end;
}

static bool parse_alloc(const char *p, struct page_fields *f)
{
	const char *end;

	p = parse_page(p, f);
	if (!p)
		return false;
	f->gfp = FIELD(p, "gfp_flags=", &end);
	if (!f->gfp || end == f->gfp)
		return false;
	f->gfp_len = end - f->gfp;
	p = FIELD(p, "migratetype=", &end);
	if (!p || !parse_number(p, end, &f->migratetype))
		f->migratetype = UINT64_MAX;
	return true;
}

/*
 * Names joined by '|'. A number behind names holds bits that had no name in the kernel that wrote
 * them, so they mean nothing here either.
 */
static void read_gfp(const char *text, size_t len, struct trace *t, struct gfp_meaning *m)
{
	const char *end = text + len, *p = text;
	uint64_t number;

	m->gfp = 0;
	m->nr_unknown = 0;
	m->numeric = parse_number(text, end, &number) && number <= UINT32_MAX;
	if (m->numeric) {
		m->gfp = number;
		return;
	}
	while (p < end) {
		const char *bar = memchr(p, '|', end - p);
		size_t name_len = (bar ? bar : end) - p;
		gfp_t one;

		if (gfp_from_name(p, name_len, &one)) {
			m->gfp |= one;
		} else {
			m->nr_unknown++;
			if (!t->first_unknown_gfp[0])
				trace_printable(t->first_unknown_gfp, sizeof(t->first_unknown_gfp),
						p, name_len);
		}
		p += name_len + 1;
	}
}

/* The meaning of `len` bytes of text, from the cache where it is there; `spare` is for where not.
 */
static const struct gfp_meaning *gfp_meaning(struct kmem *k, const char *text, size_t len,
					     struct trace *t, struct gfp_meaning *spare)
{
	struct gfp_meaning *m;
	unsigned middle;

	if (len >= GFP_TEXT) {
		read_gfp(text, len, t, spare);
		return spare;
	}
	/* Flags differ in length, or in which of them stand in the middle and at the end. */
	middle = (unsigned char)text[len / 2] * 7 + (unsigned char)text[len - 1] * 3;
	m = &k->meanings[(len + middle) % GFP_SLOTS];
	if (m->len != len || memcmp(m->text, text, len) != 0) {
		read_gfp(text, len, t, m);
		memcpy(m->text, text, len);
		m->len = len;
	}
	return m;
}

/* Picoseconds since the first event, never less than the last one's. False beyond the range. */
static bool event_time(struct kmem *k, const struct kmem_origin *origin, uint64_t *out)
{
	uint64_t ps;

	if (!k->started) {
		k->started = true;
		k->first_s = origin->seconds;
		k->first_ps = origin->fraction_ps;
	}
	if (origin->seconds > k->first_s + MAX_SECONDS)
		return false;
	if (origin->seconds >= k->first_s) {
		ps = (origin->seconds - k->first_s) * PS_PER_S + origin->fraction_ps;
		ps = ps > k->first_ps ? ps - k->first_ps : 0;
		if (ps > k->last_ps)
			k->last_ps = ps;
	}
	*out = k->last_ps;
	return true;
}

/* What frames.c and tasks.c say, as an error of this line. */
static int events_error(int err, const struct stream_line *line, const struct trace *t,
			struct diag *diag)
{
	if (err == -ENOSPC)
		return diag_error(diag, -EINVAL, t->file, trace_line_number(line),
				  "more than %u different memory policies", TRACE_MAX_POLICIES);
	if (err != -E2BIG)
		return err;
	return diag_error(diag, -EINVAL, t->file, trace_line_number(line),
			  "more than %u allocations", TRACE_NO_PAGE - 1);
}

static int take_alloc(struct kmem *k, const struct kmem_origin *origin, const char *text,
		      const struct stream_line *line, struct trace *t, struct diag *diag)
{
	struct trace_event ev = {.op = TRACE_ALLOC, .line = trace_line_number(line)};
	const struct gfp_meaning *m;
	struct gfp_meaning spare;
	struct page_fields f;
	int err;

	if (!parse_alloc(text, &f) || !event_time(k, origin, &ev.time_ps)) {
		trace_unreadable(t, line);
		return 0;
	}
	m = gfp_meaning(k, f.gfp, f.gfp_len, t, &spare);
	t->unknown_gfp += m->nr_unknown;
	ev.gfp = m->gfp;
	ev.cpu = origin->cpu;
	ev.order = f.order;
	ev.migratetype = gfp_migratetype(m->gfp);
	if ((m->numeric || m->nr_unknown) && f.migratetype < MM_NR_PCPTYPES)
		ev.migratetype = f.migratetype;
	if (f.failed) {
		ev.page = TRACE_NO_PAGE;
		ev.flags = TRACE_F_FAILED;
	}
	err = tasks_alloc(k->tasks, origin, t, &ev);
	if (!err)
		err = f.failed ? trace_append(t, &ev) : frames_alloc(k->frames, t, &ev, f.pfn);
	if (!f.failed && !f.order && ev.gfp == k->bulk[origin->cpu].gfp)
		k->bulk[origin->cpu].traced++;
	if (!err)
		err = tasks_allocated(k->tasks, origin, t);
	return events_error(err, line, t, diag);
}

static int take_free(struct kmem *k, const struct kmem_origin *origin, const char *text,
		     const struct stream_line *line, struct trace *t, struct diag *diag)
{
	struct trace_event ev = {.line = trace_line_number(line), .cpu = (uint16_t)origin->cpu};
	struct page_fields f;
	size_t before = t->nr_events;
	int err;

	if (!parse_page(text, &f) || f.failed || !event_time(k, origin, &ev.time_ps)) {
		trace_unreadable(t, line);
		return 0;
	}
	ev.order = (uint8_t)f.order;
	if (tasks_reclaims(k->tasks, origin))
		ev.flags = TRACE_F_RECLAIM;
	err = frames_release(k->frames, t, &ev, f.pfn);
	if (!err && t->nr_events > before)
		tasks_freed(k->tasks, origin, t, t->events[t->nr_events - 1].page);
	return events_error(err, line, t, diag);
}

/*
 * A block taken from the buddy lists or given back there: no event of a replay, but it says where
 * the block was. Older kernels do not tell percpu_refill=; there only single pages had lists.
 */
static int take_move(struct kmem *k, const struct kmem_origin *origin, const char *text, bool taken,
		     const struct stream_line *line, struct trace *t, struct diag *diag)
{
	/* The clock does not begin here, since the line may come to nothing. */
	struct trace_event ev = {.line = trace_line_number(line),
				 .cpu = (uint16_t)origin->cpu,
				 .time_ps = k->last_ps};
	struct page_fields f;
	const char *p = parse_page(text, &f), *end;
	uint64_t percpu;

	trace_skip(t, TRACE_SKIP_OTHER_EVENT);
	if (!p || f.failed)
		return 0;
	p = FIELD(p, "migratetype=", &end);
	if (!p || !parse_number(p, end, &f.migratetype) || f.migratetype >= MM_NR_MIGRATETYPES)
		return 0;
	p = FIELD(end, "percpu_refill=", &end);
	if (!p || !parse_number(p, end, &percpu))
		percpu = f.order == 0;
	return events_error(frames_move(k->frames, t, &ev,
					&(struct trace_move){
						.pfn = f.pfn,
						.order = f.order,
						.taken = taken,
						.percpu = !taken || percpu,
						.migratetype = f.migratetype,
					}),
			    line, t, diag);
}

#define MAX_BULK 4096 /* pages of one call; the kernel's callers ask for some hundred at most */

/* "(__alloc_pages_bulk+0x0/0x6b0) gfp=0x2dc2 nid=3 want=4", a probe's line. */
static void take_bulk(struct kmem *k, const struct kmem_origin *origin, const char *text)
{
	struct bulk *b = &k->bulk[origin->cpu];
	const char *end, *p = FIELD(text, "gfp=", &end);
	uint64_t gfp, nid, want;

	*b = (struct bulk){.nid = MM_NO_NODE};
	if (!p || !parse_number(p, end, &gfp) || gfp > UINT32_MAX)
		return;
	p = FIELD(text, "nid=", &end);
	if (p && parse_number(p, end, &nid) && nid < MM_MAX_NODES)
		b->nid = (int)nid;
	p = FIELD(text, "want=", &end);
	if (!p || !parse_number(p, end, &want) || want > MAX_BULK)
		return;
	b->gfp = (gfp_t)gfp;
	b->want = (unsigned)want;
}

/* "(... <- __alloc_pages_bulk) got=0x4": so many pages, of which some may have lines. */
static int take_bulk_return(struct kmem *k, const struct kmem_origin *origin, const char *text,
			    const struct stream_line *line, struct trace *t, struct diag *diag)
{
	struct bulk *b = &k->bulk[origin->cpu];
	struct trace_event ev = {.line = trace_line_number(line),
				 .cpu = (uint16_t)origin->cpu,
				 .gfp = b->gfp,
				 .migratetype = gfp_migratetype(b->gfp)};
	const char *end, *p = FIELD(text, "got=", &end);
	uint64_t got;

	if (!p || !parse_number(p, end, &got) || got > b->want || got <= b->traced ||
	    !event_time(k, origin, &ev.time_ps)) {
		b->want = 0;
		return 0;
	}
	trace_event_set_nid(&ev, b->nid);
	b->want = 0;
	return events_error(frames_bulk(k->frames, t, &ev, (unsigned)got - b->traced), line, t,
			    diag);
}

/* Where the event at `text` is called `name` ("mm_page_free:"), what follows; else NULL. */
static inline const char *after_name(const char *text, const char *name, size_t len)
{
	return same(text, name, len) ? text + len : NULL;
}

#define AFTER_NAME(text, name) after_name(text, name, sizeof(name) - 1)

int kmem_event(struct kmem *k, const struct kmem_origin *origin, const char *text,
	       const struct stream_line *line, struct trace *t, struct diag *diag)
{
	const char *p = AFTER_NAME(text, "kmem:");
	int told;

	if (origin->cpu >= MM_MAX_CPUS) {
		trace_unreadable(t, line);
		return 0;
	}
	if (p)
		text = p;
	p = AFTER_NAME(text, "mm_page_alloc:");
	if (p)
		return take_alloc(k, origin, p, line, t, diag);
	p = AFTER_NAME(text, "mm_page_free:");
	if (p)
		return take_free(k, origin, p, line, t, diag);
	p = AFTER_NAME(text, "mm_page_alloc_zone_locked:");
	if (p)
		return take_move(k, origin, p, true, line, t, diag);
	p = AFTER_NAME(text, "mm_page_pcpu_drain:");
	if (p)
		return take_move(k, origin, p, false, line, t, diag);
	if (AFTER_NAME(text, "mm_page_free_batched:")) {
		trace_skip(t, TRACE_SKIP_BATCHED);
		return 0;
	}
	p = AFTER_NAME(text, "bulk:");
	if (p)
		take_bulk(k, origin, p);
	p = AFTER_NAME(text, "bulkret:");
	if (p) {
		trace_skip(t, TRACE_SKIP_OTHER_EVENT);
		return take_bulk_return(k, origin, p, line, t, diag);
	}
	told = tasks_line(k->tasks, origin, text, t);
	if (told < 0)
		return events_error(told, line, t, diag);
	trace_skip(t, told ? TRACE_SKIP_TASK : TRACE_SKIP_OTHER_EVENT);
	return 0;
}

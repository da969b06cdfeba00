/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Binary traces. A block's events become columns, so that like lies beside like: that is what makes
 * them small under zstd, and quick to read back.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "sim/trace/binary.h"
#include "sim/trace/writer.h"

#define ZSTD_LEVEL 3

/* At worst: a template of its own, and numbers of 3, 10, 5, 5, 5 and 10 bytes. */
#define EVENT_BYTES (BINARY_TEMPLATE_BYTES + 38)
_Static_assert(BINARY_BLOCK_BYTES + BINARY_MAX_EVENTS * EVENT_BYTES <= BINARY_MAX_RAW,
	       "a block of the most events fits into a section");

#define HASH_SLOTS (2 * BINARY_MAX_EVENTS)

struct buffer {
	uint8_t *data;
	size_t len, room;
	bool failed; /* no memory */
};

struct writer {
	const struct trace *t;
	FILE *out;
	struct diag *diag;
	uint32_t check;
	struct binary_clock clock;
	struct binary_pages pages;
	ZSTD_CCtx *zstd;
	struct buffer raw, stored;
	struct buffer templates, columns[BINARY_NR_COLUMNS], moves;
	size_t nr_moves; /* written */
	struct trace_move last_move;
	uint32_t nr_templates;
	uint32_t slots[HASH_SLOTS]; /* index of a template + 1; 0: free */
};

static uint8_t *reserve(struct buffer *b, size_t len)
{
	if (b->len + len > b->room) {
		size_t room = (b->len + len) * 2;
		uint8_t *grown = realloc(b->data, room);

		if (!grown) {
			b->failed = true;
			return NULL;
		}
		b->data = grown;
		b->room = room;
	}
	return b->data + b->len;
}

static void put(struct buffer *b, const void *data, size_t len)
{
	uint8_t *to = len ? reserve(b, len) : NULL;

	if (to) {
		memcpy(to, data, len);
		b->len += len;
	}
}

static void put_number(struct buffer *b, uint64_t n)
{
	uint8_t *to = reserve(b, 10);
	size_t len = 0;

	if (!to)
		return;
	for (; n >= 0x80; n >>= 7)
		to[len++] = (uint8_t)n | 0x80;
	to[len++] = (uint8_t)n;
	b->len += len;
}

static void put_text(struct buffer *b, const char *text)
{
	size_t len = strlen(text);

	if (len > BINARY_MAX_TEXT)
		len = BINARY_MAX_TEXT;
	put_number(b, len);
	put(b, text, len);
}

/* Write w->raw as a section. */
static int put_section(struct writer *w, const char *kind)
{
	struct binary_section s = {.raw = (uint32_t)w->raw.len};
	uint8_t header[BINARY_SECTION_BYTES];
	const uint8_t *payload = w->raw.data;
	size_t packed = 0;

	w->stored.len = 0;
	if (w->raw.failed || !reserve(&w->stored, ZSTD_compressBound(w->raw.len)))
		return -ENOMEM;
	packed = ZSTD_compressCCtx(w->zstd, w->stored.data, w->stored.room, w->raw.data, w->raw.len,
				   ZSTD_LEVEL);
	memcpy(s.kind, kind, BINARY_KIND_BYTES);
	s.stored = s.raw;
	if (!ZSTD_isError(packed) && packed < w->raw.len) {
		s.encoding = BINARY_ZSTD;
		s.stored = (uint32_t)packed;
		payload = w->stored.data;
	}
	s.payload_crc = binary_crc(0, payload, s.stored);
	binary_put_section(header, &s, w->check);
	w->check = s.check;
	fwrite(header, 1, sizeof(header), w->out);
	fwrite(payload, 1, s.stored, w->out);
	w->raw.len = 0;
	return ferror(w->out) ? -EIO : 0;
}

static int put_start(struct writer *w)
{
	uint8_t start[BINARY_START_BYTES];

	memcpy(start, BINARY_MAGIC, BINARY_MAGIC_BYTES);
	binary_put32(start + BINARY_MAGIC_BYTES, BINARY_VERSION);
	w->check = binary_crc(0, start, sizeof(start));
	fwrite(start, 1, sizeof(start), w->out);
	put_number(&w->raw, w->t->nr_pfns ? BINARY_HAS_PFNS : 0);
	put_text(&w->raw, trace_original(w->t));
	put_text(&w->raw, trace_original_format(w->t));
	return put_section(w, BINARY_HEAD);
}

static void put_policy(struct buffer *b, const struct trace_policy *policy)
{
	unsigned words = MM_MAX_NODES / 64;

	while (words && !policy->mm.nodes.bits[words - 1])
		words--;
	put_number(b, policy->mm.mode);
	put_number(b, policy->mm.relative);
	put_number(b, (uint64_t)(policy->mm.home_nid + 1));
	put_number(b, policy->scope);
	put_number(b, words);
	for (unsigned i = 0; i < words; i++)
		put_number(b, policy->mm.nodes.bits[i]);
}

/* All but the default, which every trace has. As many sections as it takes. */
static int put_policies(struct writer *w)
{
	const uint32_t a_section = 1024; /* of 200 bytes at most */
	int err = 0;

	for (uint32_t i = 1; i < w->t->nr_policies && !err;) {
		uint32_t nr = w->t->nr_policies - i < a_section ? w->t->nr_policies - i : a_section;

		put_number(&w->raw, nr);
		for (; nr; nr--, i++)
			put_policy(&w->raw, &w->t->policies[i]);
		err = put_section(w, BINARY_POLICIES);
	}
	return err;
}

static int put_caches(struct writer *w)
{
	if (!w->t->nr_caches)
		return 0;
	put_number(&w->raw, w->t->nr_caches);
	for (uint32_t i = 0; i < w->t->nr_caches; i++) {
		put_text(&w->raw, w->t->caches[i].name);
		put_number(&w->raw, w->t->caches[i].size);
		put_number(&w->raw, w->t->caches[i].room);
	}
	return put_section(w, BINARY_CACHES);
}

/* As many sections as it takes. */
static int put_steps(struct writer *w)
{
	const uint32_t a_section = 128; /* texts are of BINARY_MAX_TEXT at most */
	int err = 0;

	for (uint32_t i = 0; i < w->t->nr_steps && !err;) {
		uint32_t nr = w->t->nr_steps - i < a_section ? w->t->nr_steps - i : a_section;

		put_number(&w->raw, nr);
		for (; nr; nr--, i++)
			put_text(&w->raw, w->t->steps[i]);
		err = put_section(w, BINARY_STEPS);
	}
	return err;
}

/* The index of the event's template in the block, where it is added if it is new. */
static uint32_t template_of(struct writer *w, const struct trace_event *ev)
{
	uint8_t bytes[BINARY_TEMPLATE_BYTES];
	uint32_t slot;

	binary_put_template(bytes, ev);
	slot = binary_crc(0, bytes, sizeof(bytes)) % HASH_SLOTS;
	while (w->slots[slot]) {
		size_t at = (size_t)(w->slots[slot] - 1) * sizeof(bytes);

		if (memcmp(w->templates.data + at, bytes, sizeof(bytes)) == 0)
			return w->slots[slot] - 1;
		slot = (slot + 1) % HASH_SLOTS;
	}
	put(&w->templates, bytes, sizeof(bytes));
	w->slots[slot] = ++w->nr_templates;
	return w->nr_templates - 1;
}

static uint64_t gcd(uint64_t a, uint64_t b)
{
	while (b) {
		uint64_t rest = a % b;

		a = b;
		b = rest;
	}
	return a;
}

/* What all times of a block are multiples of: a trace's clock is coarser than a picosecond. */
static uint64_t time_unit(const struct writer *w, const struct trace_event *events, uint32_t nr)
{
	uint64_t last = w->clock.time_ps, unit = 0;

	for (uint32_t i = 0; i < nr && unit != 1; i++) {
		bool wait = events[i].op == TRACE_WAIT;

		unit = gcd(wait ? events[i].time_ps : events[i].time_ps - last, unit);
		if (!wait)
			last = events[i].time_ps;
	}
	return unit ? unit : 1;
}

static void put_pfn(struct writer *w, pfn_t pfn)
{
	if (!w->t->nr_pfns)
		return;
	if (pfn == TRACE_NO_PFN) {
		put_number(&w->columns[BINARY_PFNS], 0);
		return;
	}
	put_number(&w->columns[BINARY_PFNS], binary_zigzag(pfn - w->clock.pfn) + 1);
	w->clock.pfn = pfn;
}

static void put_page(struct writer *w, const struct trace_event *ev)
{
	struct binary_clock *c = &w->clock;

	if (binary_numbers_page(ev)) {
		c->page = c->nr_pages++;
		put_pfn(w, trace_pfn(w->t, ev->page));
	} else if (binary_names_page(ev)) {
		put_number(&w->columns[BINARY_PAGES],
			   binary_zigzag((uint64_t)((int64_t)ev->page - (int64_t)c->page)));
		c->page = ev->page;
	}
}

static void put_event(struct writer *w, const struct trace_event *ev, uint64_t unit)
{
	struct binary_clock *c = &w->clock;
	bool wait = ev->op == TRACE_WAIT;

	put_number(&w->columns[BINARY_TEMPLATES_USED], template_of(w, ev));
	put_number(&w->columns[BINARY_TIMES],
		   (wait ? ev->time_ps : ev->time_ps - c->time_ps) / unit);
	if (!wait)
		c->time_ps = ev->time_ps;
	put_number(&w->columns[BINARY_LINES],
		   binary_zigzag((uint64_t)((int64_t)ev->line - (int64_t)c->line)));
	c->line = ev->line;
	put_page(w, ev);
	if (binary_has_amount(ev))
		put_number(&w->columns[BINARY_AMOUNTS], ev->bytes);
}

/* Put the block's parts together in w->raw. */
static void join_block(struct writer *w, uint32_t nr, uint64_t unit)
{
	uint8_t *header = reserve(&w->raw, BINARY_BLOCK_BYTES);

	if (!header)
		return;
	binary_put32(header, nr);
	binary_put32(header + 4, w->nr_templates);
	binary_put64(header + 8, w->clock.nr_events);
	binary_put64(header + 16, unit);
	for (int c = 0; c < BINARY_NR_COLUMNS; c++)
		binary_put32(header + 24 + 4 * c, (uint32_t)w->columns[c].len);
	w->raw.len += BINARY_BLOCK_BYTES;
	put(&w->raw, w->templates.data, w->templates.len);
	for (int c = 0; c < BINARY_NR_COLUMNS; c++)
		put(&w->raw, w->columns[c].data, w->columns[c].len);
}

/* What a reader would refuse is refused here. Returns 0, -EINVAL with diag, or -ENOMEM. */
static int check_event(struct writer *w, size_t i)
{
	const struct trace_event *ev = &w->t->events[i];
	uint8_t bytes[BINARY_TEMPLATE_BYTES];
	struct trace_event back;
	const char *phrase;

	binary_put_template(bytes, ev);
	phrase = binary_get_template(bytes, &back);
	if (!phrase && ev->op == TRACE_CACHE_ALLOC && ev->bytes >= w->t->nr_caches)
		phrase = "is from a slab cache that the trace does not have";
	if (!phrase && ev->op == TRACE_HOTPLUG && ev->bytes >= w->t->nr_steps)
		phrase = "is a step of memory hotplug that the trace does not have";
	if (!phrase && binary_has_policy(ev) && ev->policy >= w->t->nr_policies)
		phrase = "has a policy that the trace does not have";
	if (!phrase && ev->op != TRACE_WAIT && ev->time_ps < w->clock.time_ps)
		phrase = "goes back in time";
	if (!phrase && binary_numbers_page(ev) && ev->page != w->clock.nr_pages)
		phrase = "does not give its page the next number";
	if (!phrase && binary_names_page(ev) && ev->page >= w->clock.nr_pages)
		phrase = "names a page that has no number yet";
	if (!phrase && binary_numbers_page(ev) && trace_pfn(w->t, ev->page) > TRACE_MAX_PFN &&
	    trace_pfn(w->t, ev->page) != TRACE_NO_PFN)
		phrase = "has a page frame number beyond 52 bits";
	if (!phrase && binary_pages_reserve(&w->pages, (size_t)w->clock.nr_pages + 1))
		return -ENOMEM;
	if (!phrase)
		phrase = binary_pages_step(&w->pages, ev);
	if (phrase)
		return diag_error(w->diag, -EINVAL, w->t->file, ev->line, "event %zu %s", i,
				  phrase);
	return 0;
}

static int put_block(struct writer *w, size_t first, uint32_t nr)
{
	const struct trace_event *events = &w->t->events[first];
	uint64_t unit = time_unit(w, events, nr);
	bool failed = false;

	w->nr_templates = 0;
	w->templates.len = 0;
	memset(w->slots, 0, sizeof(w->slots));
	for (int c = 0; c < BINARY_NR_COLUMNS; c++)
		w->columns[c].len = 0;
	for (uint32_t i = 0; i < nr && !failed; i++) {
		int err = check_event(w, first + i);

		if (err)
			return err;
		put_event(w, &events[i], unit);
		failed = w->templates.failed;
	}
	for (int c = 0; c < BINARY_NR_COLUMNS; c++)
		failed |= w->columns[c].failed;
	if (failed)
		return -ENOMEM;
	join_block(w, nr, unit);
	w->clock.nr_events += nr;
	return put_section(w, BINARY_EVENTS);
}

static void put_move(struct writer *w, const struct trace_move *m)
{
	put_number(&w->moves, m->event - w->last_move.event);
	put_number(&w->moves, binary_zigzag((uint64_t)m->pfn - w->last_move.pfn));
	put_number(&w->moves, (uint64_t)m->order | (uint64_t)m->taken << 4 |
				      (uint64_t)m->percpu << 5 | (uint64_t)m->migratetype << 6 |
				      (uint64_t)m->fallback << 10);
	w->last_move = *m;
}

/* Those that came before the next event to be written, in as many sections as it takes. */
static int put_moves(struct writer *w)
{
	const struct trace *t = w->t;
	int err = 0;

	while (!err && w->nr_moves < t->nr_moves &&
	       t->moves[w->nr_moves].event <= w->clock.nr_events) {
		uint32_t nr = 0;

		w->moves.len = 0;
		for (; nr < BINARY_MAX_MOVES && w->nr_moves < t->nr_moves &&
		       t->moves[w->nr_moves].event <= w->clock.nr_events;
		     nr++)
			put_move(w, &t->moves[w->nr_moves++]);
		put_number(&w->raw, nr);
		put(&w->raw, w->moves.data, w->moves.len);
		err = w->moves.failed ? -ENOMEM : put_section(w, BINARY_MOVES);
	}
	return err;
}

static int put_events(struct writer *w)
{
	int err = put_moves(w);

	for (size_t i = 0; i < w->t->nr_events && !err; i += BINARY_MAX_EVENTS) {
		size_t left = w->t->nr_events - i;

		err = put_block(w, i,
				left < BINARY_MAX_EVENTS ? (uint32_t)left : BINARY_MAX_EVENTS);
		if (!err)
			err = put_moves(w);
	}
	return err;
}

/* Of both kinds as many sections as it takes; who does not know of them passes them by. */
static int put_tasks(struct writer *w)
{
	const uint32_t a_section = 8192; /* of 71 bytes at most */
	int err = 0;

	for (uint32_t i = 1; i < w->t->nr_tasks && !err;) {
		uint32_t nr = w->t->nr_tasks - i < a_section ? w->t->nr_tasks - i : a_section;

		put_number(&w->raw, nr);
		for (; nr; nr--, i++) {
			put_number(&w->raw, w->t->tasks[i].pid);
			put_text(&w->raw, w->t->tasks[i].comm);
		}
		err = put_section(w, BINARY_TASKS);
	}
	return err;
}

static int put_turns(struct writer *w)
{
	const size_t a_section = 65536; /* of 10 bytes at most */
	const struct trace *t = w->t;
	size_t all = t->nr_turns;
	uint32_t last = 0;
	int err = 0;

	while (all && t->turns[all - 1].event >= t->nr_events) /* of nothing */
		all--;
	for (size_t i = 0; i < all && !err;) {
		size_t nr = all - i < a_section ? all - i : a_section;

		put_number(&w->raw, nr);
		for (; nr; nr--, i++) {
			put_number(&w->raw, t->turns[i].event - last);
			put_number(&w->raw, t->turns[i].task);
			last = t->turns[i].event;
		}
		err = put_section(w, BINARY_TURNS);
	}
	return err;
}

/* Those who do not know of it pass it by. */
static int put_kswapd(struct writer *w)
{
	if (!w->t->kswapd_page_ps && !w->t->kswapd_wake_ps)
		return 0;
	put_number(&w->raw, w->t->kswapd_page_ps);
	put_number(&w->raw, w->t->kswapd_wake_ps);
	return put_section(w, BINARY_KSWAPD);
}

static unsigned nonzero(const uint64_t *counts, int nr)
{
	unsigned found = 0;

	for (int i = 0; i < nr; i++)
		found += counts[i] != 0;
	return found;
}

static void put_count(struct buffer *b, const char *name, uint64_t count)
{
	put_text(b, name);
	put_number(b, count);
}

static int put_end(struct writer *w)
{
	const struct trace *t = w->t;
	struct buffer *b = &w->raw;

	put_number(b, t->nr_events);
	put_number(b, t->nr_pages);
	put_number(b, t->nr_policies);
	put_number(b, t->pages_allocated);
	put_number(b, t->pages_freed);
	put_number(b, t->nr_moves);
	put_number(b, t->span_ps);
	put_number(b, t->nr_lines);
	put_number(b, t->lost_events);
	put_number(b, t->unknown_policies);
	put_number(b, t->unknown_gfp);
	put_text(b, t->first_unknown_gfp);
	put_number(b, t->first_unreadable_line);
	put_text(b, t->first_unreadable);
	put_number(b, t->min_pfn);
	put_number(b, t->max_pfn);
	put_number(b, nonzero(t->skipped, TRACE_NR_SKIPS));
	for (int i = 0; i < TRACE_NR_SKIPS; i++)
		if (t->skipped[i])
			put_count(b, trace_skip_name((enum trace_skip)i), t->skipped[i]);
	put_number(b, nonzero(t->inferred, TRACE_NR_INFERS));
	for (int i = 0; i < TRACE_NR_INFERS; i++)
		if (t->inferred[i])
			put_count(b, trace_infer_name((enum trace_infer)i), t->inferred[i]);
	return put_section(w, BINARY_END);
}

static int binary_write(const struct trace *t, FILE *out, struct diag *diag)
{
	struct writer *w = calloc(1, sizeof(*w));
	int err = -ENOMEM;

	if (!w)
		return err;
	w->t = t;
	w->out = out;
	w->diag = diag;
	w->zstd = ZSTD_createCCtx();
	if (w->zstd)
		err = put_start(w);
	if (!err)
		err = put_policies(w);
	if (!err)
		err = put_caches(w);
	if (!err)
		err = put_steps(w);
	if (!err)
		err = put_kswapd(w);
	if (!err)
		err = put_tasks(w);
	if (!err)
		err = put_turns(w);
	if (!err)
		err = put_events(w);
	if (!err)
		err = put_end(w);
	if (!err && (fflush(out) || ferror(out)))
		err = -EIO;
	ZSTD_freeCCtx(w->zstd);
	free(w->raw.data);
	free(w->stored.data);
	free(w->templates.data);
	free(w->moves.data);
	for (int c = 0; c < BINARY_NR_COLUMNS; c++)
		free(w->columns[c].data);
	binary_pages_clear(&w->pages);
	free(w);
	return err;
}

const struct trace_writer trace_writer_binary = {
	.name = "binary",
	.summary = "compressed and checksummed; the quickest to read",
	.write = binary_write,
};

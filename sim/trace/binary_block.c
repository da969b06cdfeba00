/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Blocks of events of a binary trace, back to events. This is the path that a replay's speed hangs
 * on: the columns are read side by side, without a look at where each ends; they all lie in one
 * buffer with slack behind it, and whether one was overrun is looked at every few events.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/trace/binary.h"
#include "sim/trace/reader.h"

#define LOOK_EVERY 64 /* events */

_Static_assert(LOOK_EVERY * 10 <= BINARY_SLACK, "a column overrun is within the slack");

struct block {
	uint32_t nr_events, nr_templates;
	uint64_t first_event, time_unit_ps;
	const uint8_t *at[BINARY_NR_COLUMNS], *end[BINARY_NR_COLUMNS];
	struct trace_event *templates;
	uint32_t nr_caches; /* that sections before described */
};

static int fail(char wrong[128], const char *what)
{
	snprintf(wrong, 128, "%s", what);
	return -EINVAL;
}

/* A number of a column; more than 64 bits wrap, and what comes of it is looked at afterwards. */
static inline uint64_t number(const uint8_t **at)
{
	const uint8_t *p = *at;
	uint64_t n = *p++;

	if (n & 0x80) {
		unsigned shift = 7;

		n &= 0x7f;
		do {
			n |= (uint64_t)(*p & 0x7f) << shift;
			shift += 7;
		} while (*p++ & 0x80 && shift < 70);
	}
	*at = p;
	return n;
}

static int read_header(struct block *b, const struct binary_clock *clock, const uint8_t *raw,
		       size_t len, char wrong[128])
{
	const uint8_t *at = raw + BINARY_BLOCK_BYTES;
	uint64_t need;

	if (len < BINARY_BLOCK_BYTES)
		return fail(wrong, "a block without a header");
	b->nr_events = binary_get32(raw);
	b->nr_templates = binary_get32(raw + 4);
	b->first_event = binary_get64(raw + 8);
	b->time_unit_ps = binary_get64(raw + 16);
	if (!b->nr_events || b->nr_events > BINARY_MAX_EVENTS || !b->nr_templates ||
	    b->nr_templates > b->nr_events)
		return fail(wrong, "a block with an impossible number of events or templates");
	if (b->first_event != clock->nr_events) {
		snprintf(wrong, 128,
			 "a block that begins with event %" PRIu64 ", expected %" PRIu64,
			 b->first_event, clock->nr_events);
		return -EINVAL;
	}
	at += (size_t)b->nr_templates * BINARY_TEMPLATE_BYTES;
	need = BINARY_BLOCK_BYTES + (uint64_t)b->nr_templates * BINARY_TEMPLATE_BYTES;
	for (int c = 0; c < BINARY_NR_COLUMNS; c++)
		need += binary_get32(raw + 24 + 4 * c);
	if (need != len)
		return fail(wrong, "a block whose parts do not add up to its length");
	for (int c = 0; c < BINARY_NR_COLUMNS; c++) {
		b->at[c] = at;
		at += binary_get32(raw + 24 + 4 * c);
		b->end[c] = at;
	}
	return 0;
}

static int read_templates(struct block *b, const uint8_t *at, const struct trace *t,
			  char wrong[128])
{
	b->nr_caches = t->nr_caches;
	for (uint32_t i = 0; i < b->nr_templates; i++, at += BINARY_TEMPLATE_BYTES) {
		const char *phrase = binary_get_template(at, &b->templates[i]);

		if (!phrase && binary_has_policy(&b->templates[i]) &&
		    b->templates[i].policy >= t->nr_policies)
			phrase = "has a policy that no section before describes";
		if (phrase) {
			snprintf(wrong, 128, "a template of events that %s", phrase);
			return -EINVAL;
		}
	}
	return 0;
}

/* The event's time: of a wait how long, else by the clock. False beyond 64 bits. */
static inline bool take_time(struct block *b, struct binary_clock *clock, struct trace_event *ev)
{
	uint64_t ps;

	if (__builtin_mul_overflow(number(&b->at[BINARY_TIMES]), b->time_unit_ps, &ps))
		return false;
	if (ev->op == TRACE_WAIT) {
		ev->time_ps = ps;
		return true;
	}
	if (__builtin_add_overflow(clock->time_ps, ps, &clock->time_ps))
		return false;
	ev->time_ps = clock->time_ps;
	return true;
}

static inline bool take_pfn(struct binary_clock *clock, uint64_t n, pfn_t *pfn)
{
	*pfn = TRACE_NO_PFN;
	if (!n)
		return true;
	*pfn = clock->pfn += binary_unzigzag(n - 1);
	return clock->pfn <= TRACE_MAX_PFN;
}

static inline const char *take_page(struct block *b, struct binary_clock *clock,
				    struct trace_event *ev, pfn_t *pfns)
{
	if (binary_numbers_page(ev)) {
		ev->page = clock->page = clock->nr_pages++;
		if (pfns && !take_pfn(clock, number(&b->at[BINARY_PFNS]), &pfns[ev->page]))
			return "has a page frame number beyond 52 bits";
	} else if (binary_names_page(ev)) {
		clock->page += (uint32_t)binary_unzigzag(number(&b->at[BINARY_PAGES]));
		ev->page = clock->page;
		if (ev->page >= clock->nr_pages)
			return "names a page that has no number yet";
	}
	return NULL;
}

/* One event. NULL, or what is wrong with it. */
static inline const char *take_event(struct block *b, struct binary_clock *clock,
				     struct binary_pages *pages, pfn_t *pfns,
				     struct trace_event *ev)
{
	uint64_t template = number(&b->at[BINARY_TEMPLATES_USED]);
	const char *phrase;

	if (template >= b->nr_templates)
		return "has a template that is not there";
	*ev = b->templates[template];
	if (!take_time(b, clock, ev))
		return "has a time beyond 64 bits of picoseconds";
	clock->line += (uint32_t)binary_unzigzag(number(&b->at[BINARY_LINES]));
	ev->line = clock->line;
	phrase = take_page(b, clock, ev, pfns);
	if (phrase)
		return phrase;
	if (binary_has_amount(ev)) {
		uint64_t amount = number(&b->at[BINARY_AMOUNTS]);

		if (amount > UINT32_MAX)
			return "has an amount beyond 32 bits";
		ev->bytes = (uint32_t)amount;
		if (ev->op == TRACE_CACHE_ALLOC && amount >= b->nr_caches)
			return "is from a slab cache that no section before describes";
	}
	return binary_pages_step(pages, ev);
}

static bool overrun(const struct block *b)
{
	for (int c = 0; c < BINARY_NR_COLUMNS; c++)
		if (b->at[c] > b->end[c])
			return true;
	return false;
}

static int take_events(struct block *b, struct binary_clock *clock, struct binary_pages *pages,
		       pfn_t *pfns, struct trace_event *events, char wrong[128])
{
	for (uint32_t i = 0; i < b->nr_events;) {
		uint32_t until = b->nr_events - i > LOOK_EVERY ? i + LOOK_EVERY : b->nr_events;

		for (; i < until; i++) {
			const char *phrase = take_event(b, clock, pages, pfns, &events[i]);

			if (phrase) {
				snprintf(wrong, 128, "event %" PRIu64 " %s", b->first_event + i,
					 phrase);
				return -EINVAL;
			}
		}
		if (overrun(b))
			return fail(wrong, "a block with a column that is too short");
	}
	for (int c = 0; c < BINARY_NR_COLUMNS; c++)
		if (b->at[c] != b->end[c])
			return fail(wrong, "a block with a column that is too long");
	return 0;
}

int binary_decode(struct binary_clock *clock, struct binary_pages *pages, const uint8_t *raw,
		  size_t len, bool has_pfns, struct trace *t, char wrong[128])
{
	struct trace_event *events;
	size_t nr_pages = (size_t)clock->nr_pages;
	struct block b;
	int err = read_header(&b, clock, raw, len, wrong);

	if (err)
		return err;
	nr_pages += b.nr_events;
	if (nr_pages >= TRACE_NO_PAGE)
		return fail(wrong, "a block with more pages than can be numbered");
	events = trace_room(t, b.nr_events);
	b.templates = malloc(b.nr_templates * sizeof(*b.templates));
	if (!events || !b.templates || binary_pages_reserve(pages, nr_pages) ||
	    (has_pfns && trace_pfns_room(t, nr_pages)))
		err = -ENOMEM;
	if (!err)
		err = read_templates(&b, raw + BINARY_BLOCK_BYTES, t, wrong);
	if (!err)
		err = take_events(&b, clock, pages, has_pfns ? t->pfns : NULL, events, wrong);
	free(b.templates);
	if (err)
		return err;
	trace_added(t, b.nr_events);
	if (has_pfns)
		t->nr_pfns = clock->nr_pages;
	clock->nr_events += b.nr_events;
	return 0;
}

/* One move behind the last. False where it is impossible. */
static inline bool take_move(struct trace_move *last, const uint8_t **at, size_t nr_events)
{
	uint64_t event = last->event + number(at);
	uint64_t pfn = last->pfn + binary_unzigzag(number(at));
	uint64_t rest = number(at);

	*last = (struct trace_move){.pfn = pfn,
				    .order = rest & 15,
				    .taken = rest >> 4 & 1,
				    .percpu = rest >> 5 & 1,
				    .migratetype = rest >> 6 & 15,
				    .fallback = rest >> 10 & 1,
				    .event = (uint32_t)event};
	return event <= nr_events && pfn <= TRACE_MAX_PFN && rest < UINT64_C(2) << 10 &&
	       last->migratetype < MM_NR_MIGRATETYPES && (rest & 15) <= MAX_PAGE_ORDER &&
	       !(last->fallback && (last->taken || last->percpu));
}

int binary_decode_moves(struct trace_move *last, const uint8_t *raw, size_t len, struct trace *t,
			char wrong[128])
{
	const uint8_t *at = raw, *end = raw + len;
	uint64_t nr = number(&at);
	struct trace_move *moves;

	/* Each has three bytes at least. */
	if (nr > BINARY_MAX_MOVES || nr > len)
		return fail(wrong, "a section with an impossible number of moves");
	moves = trace_moves_room(t, nr);
	if (!moves)
		return -ENOMEM;
	for (uint64_t i = 0; i < nr; i++) {
		if (at >= end || !take_move(last, &at, t->nr_events)) {
			snprintf(wrong, 128, "move %zu of a free block is impossible",
				 t->nr_moves + i);
			return -EINVAL;
		}
		moves[i] = *last;
	}
	if (at != end)
		return fail(wrong, "a section of moves that is not as long as they are");
	t->nr_moves += nr;
	return 0;
}

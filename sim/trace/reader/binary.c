/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Binary traces: one section after the other, each checked before anything in it is believed, until
 * the one at the end, whose totals must be those of what was read. Reads front to back, so a pipe
 * will do; memory is bounded by a section and by the events that it really has.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "sim/machine/hotplug.h"
#include "sim/trace/binary.h"
#include "sim/trace/reader.h"

#define SECTIONS_BETWEEN_REPORTS 16

struct binary {
	struct stream *s;
	struct trace *t;
	struct diag *diag;
	uint64_t at; /* bytes before the section at hand */
	struct binary_section section;
	uint32_t check; /* of the section before */
	bool has_head, has_pfns, ended;
	struct binary_clock clock;
	struct trace_move last_move;
	uint64_t last_turn; /* the event at which the last one began */
	struct binary_pages pages;
	ZSTD_DCtx *zstd;
	uint8_t *stored, *raw; /* BINARY_MAX_RAW each, and BINARY_SLACK behind raw */
};

/* The offset is what the user can look at with a hex dump. */
static int bad(struct binary *b, uint64_t at, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static int bad(struct binary *b, uint64_t at, const char *fmt, ...)
{
	bool packed = strcmp(stream_compression(b->s), "none") != 0;
	char what[256];
	va_list args;

	va_start(args, fmt);
	vsnprintf(what, sizeof(what), fmt, args);
	va_end(args);
	return diag_error(b->diag, -EINVAL, stream_name(b->s), 0, "byte %" PRIu64 "%s: %s", at,
			  packed ? " of the decompressed trace" : "", what);
}

/* `len` bytes at `at`, or an error that says where the file ends. */
static int get(struct binary *b, uint64_t at, void *buf, size_t len)
{
	ssize_t got = stream_read(b->s, b->diag, buf, len);

	if (got < 0)
		return (int)got;
	if ((size_t)got < len)
		return bad(b, at + (uint64_t)got,
			   "the trace ends here, %zu bytes short: it was cut off",
			   len - (size_t)got);
	return 0;
}

static int read_start(struct binary *b)
{
	uint8_t start[BINARY_START_BYTES];
	uint32_t version;
	int err = get(b, 0, start, sizeof(start));

	if (err)
		return err;
	for (unsigned i = 0; i < BINARY_MAGIC_BYTES; i++)
		if (start[i] != (uint8_t)BINARY_MAGIC[i])
			return bad(b, i,
				   "found 0x%02x, expected 0x%02x: a damaged binary trace, or one "
				   "that went through a conversion of text",
				   start[i], (uint8_t)BINARY_MAGIC[i]);
	version = binary_get32(start + BINARY_MAGIC_BYTES);
	if (version != BINARY_VERSION)
		return bad(b, BINARY_MAGIC_BYTES, "version %" PRIu32 ", this numasim reads %d",
			   version, BINARY_VERSION);
	b->check = binary_crc(0, start, sizeof(start));
	b->at = BINARY_START_BYTES;
	return 0;
}

static int unpack_payload(struct binary *b, const uint8_t **raw)
{
	const struct binary_section *s = &b->section;
	size_t got;

	memset(b->raw + s->raw, 0, BINARY_SLACK);
	if (s->encoding == BINARY_PLAIN) {
		memcpy(b->raw, b->stored, s->raw);
	} else {
		got = ZSTD_decompressDCtx(b->zstd, b->raw, s->raw, b->stored, s->stored);
		if (ZSTD_isError(got) || got != s->raw)
			return bad(b, b->at,
				   "a section %s that does not decompress to %" PRIu32 " bytes: %s",
				   s->kind, s->raw,
				   ZSTD_isError(got) ? ZSTD_getErrorName(got) : "it has fewer");
	}
	*raw = b->raw;
	return 0;
}

/* The next section's header and payload, checked; it begins at b->at. */
static int read_section(struct binary *b, const uint8_t **raw)
{
	uint8_t header[BINARY_SECTION_BYTES];
	struct binary_section *s = &b->section;
	int err = get(b, b->at, header, sizeof(header));

	if (err)
		return err;
	if (!binary_get_section(header, s, b->check))
		return bad(b, b->at, "the header of a section is damaged, or not in its place");
	b->check = s->check;
	trace_printable(s->kind, sizeof(s->kind), s->kind, BINARY_KIND_BYTES);
	if (s->encoding > BINARY_ZSTD)
		return bad(b, b->at + 4, "encoding %" PRIu32 " of a section is not known",
			   s->encoding);
	if (s->raw > BINARY_MAX_RAW || s->stored > s->raw ||
	    (s->encoding == BINARY_PLAIN && s->stored != s->raw))
		return bad(b, b->at + 8,
			   "a section of %" PRIu32 " bytes stored as %" PRIu32
			   "; at most %d are possible, and no more stored than there are",
			   s->raw, s->stored, BINARY_MAX_RAW);
	err = get(b, b->at + BINARY_SECTION_BYTES, b->stored, s->stored);
	if (err)
		return err;
	if (binary_crc(0, b->stored, s->stored) != s->payload_crc)
		return bad(b, b->at + BINARY_SECTION_BYTES,
			   "the %" PRIu32 " bytes of a section from here on are damaged",
			   s->stored);
	return unpack_payload(b, raw);
}

/* A text of the section for a fixed place in the trace, printable. */
static void get_printable(struct binary_cursor *c, char *out, size_t size)
{
	size_t len;
	const char *text = binary_get_text(c, &len);

	trace_printable(out, size, text, len);
}

static int end_of_section(struct binary *b, const struct binary_cursor *c)
{
	if (c->bad || c->at != c->end)
		return bad(b, b->at, "a section %s that is not of the form it should have",
			   b->section.kind);
	return 0;
}

static int take_head(struct binary *b, struct binary_cursor c)
{
	uint64_t flags = binary_get_number(&c);
	char name[BINARY_MAX_TEXT + 1];

	get_printable(&c, name, sizeof(name));
	get_printable(&c, b->t->original_format, sizeof(b->t->original_format));
	if (end_of_section(b, &c))
		return -EINVAL;
	if (flags & ~(uint64_t)BINARY_HAS_PFNS)
		return bad(b, b->at,
			   "the trace has features (0x%" PRIx64 ") that this numasim does "
			   "not know: a newer one wrote it",
			   flags);
	b->has_head = true;
	b->has_pfns = flags & BINARY_HAS_PFNS;
	free(b->t->original);
	b->t->original = strdup(name);
	return b->t->original ? 0 : -ENOMEM;
}

static int take_policy(struct binary *b, struct binary_cursor *c)
{
	struct trace_policy policy = {0};
	uint64_t mode = binary_get_number(c), relative = binary_get_number(c);
	uint64_t home = binary_get_number(c), scope = binary_get_number(c);
	uint64_t words = binary_get_number(c);
	uint32_t expected = b->t->nr_policies;
	const char *phrase;
	uint16_t index;
	int err;

	if (c->bad || mode >= MM_NR_POLICY_MODES || relative > 1 || home > MM_MAX_NODES ||
	    scope >= TRACE_NR_POLICY_SCOPES || words > MM_MAX_NODES / 64)
		return bad(b, b->at, "policy %" PRIu32 " is not of the form it should have",
			   expected);
	policy.mm.mode = (uint8_t)mode;
	policy.mm.relative = relative;
	policy.mm.home_nid = (int16_t)home - 1;
	policy.scope = (uint8_t)scope;
	for (uint64_t i = 0; i < words; i++)
		policy.mm.nodes.bits[i] = binary_get_number(c);
	phrase = trace_policy_wrong(&policy);
	if (phrase)
		return bad(b, b->at, "policy %" PRIu32 " %s", expected, phrase);
	err = trace_add_policy(b->t, &policy, &index);
	if (err == -ENOSPC || (!err && index != expected))
		return bad(b, b->at, "policy %" PRIu32 " is there twice, or one too many",
			   expected);
	return err;
}

static int take_policies(struct binary *b, struct binary_cursor c)
{
	uint64_t nr = binary_get_number(&c);
	int err = 0;

	for (uint64_t i = 0; i < nr && !err; i++)
		err = take_policy(b, &c);
	return err ? err : end_of_section(b, &c);
}

static int take_cache(struct binary *b, struct binary_cursor *c)
{
	struct trace_cache cache = {.size = 0};
	uint32_t expected = b->t->nr_caches, index = 0;
	size_t len;
	const char *name = binary_get_text(c, &len);
	uint64_t size = binary_get_number(c), room = binary_get_number(c);
	int err;

	if (c->bad || len >= sizeof(cache.name) || size > TRACE_MAX_OBJECT ||
	    room > TRACE_MAX_OBJECT)
		return bad(b, b->at, "slab cache %" PRIu32 " is not of the form it should have",
			   expected);
	for (size_t i = 0; i < len; i++)
		if (!trace_cache_letter(name[i]))
			return bad(b, b->at, "slab cache %" PRIu32 " has a name that none has",
				   expected);
	memcpy(cache.name, name, len);
	cache.size = (uint32_t)size;
	cache.room = (uint32_t)room;
	err = trace_add_cache(b->t, &cache, &index);
	if (err == -ENOSPC || (!err && index != expected))
		return bad(b, b->at, "slab cache %" PRIu32 " is there twice, or one too many",
			   expected);
	return err;
}

static int take_step(struct binary *b, struct binary_cursor *c)
{
	struct mm_hotplug_step step;
	char step_text[BINARY_MAX_TEXT + 1], wrong[160];
	uint32_t index;
	int err;

	get_printable(c, step_text, sizeof(step_text));
	if (c->bad || hotplug_parse(step_text, &step, wrong, sizeof(wrong)))
		return bad(b, b->at, "step %" PRIu32 " of memory hotplug is none: %s",
			   b->t->nr_steps, c->bad ? "cut off" : wrong);
	err = trace_add_step(b->t, step_text, &index);
	return err == -ENOSPC
		       ? bad(b, b->at, "more than %d steps of memory hotplug", TRACE_MAX_STEPS)
		       : err;
}

static int take_steps(struct binary *b, struct binary_cursor c)
{
	uint64_t nr = binary_get_number(&c);
	int err = 0;

	for (uint64_t i = 0; i < nr && !err; i++)
		err = take_step(b, &c);
	return err ? err : end_of_section(b, &c);
}

static int take_caches(struct binary *b, struct binary_cursor c)
{
	uint64_t nr = binary_get_number(&c);
	int err = 0;

	for (uint64_t i = 0; i < nr && !err; i++)
		err = take_cache(b, &c);
	return err ? err : end_of_section(b, &c);
}

/* A total of the end must be what was read. */
static int same(struct binary *b, struct binary_cursor *c, uint64_t read, const char *of_what)
{
	uint64_t total = binary_get_number(c);

	if (c->bad || total == read)
		return 0;
	return bad(b, b->at, "the end says %" PRIu64 " %s, but there are %" PRIu64, total, of_what,
		   read);
}

static const char *skip_name(int i)
{
	return trace_skip_name((enum trace_skip)i);
}

static const char *infer_name(int i)
{
	return trace_infer_name((enum trace_infer)i);
}

/* Counts by name: those of the original's lines that are no events, and of events without one. */
static int take_counts(struct binary *b, struct binary_cursor *c, uint64_t *counts, int nr_known,
		       const char *(*known)(int i))
{
	uint64_t nr = binary_get_number(c);

	for (uint64_t i = 0; i < nr && !c->bad; i++) {
		size_t len;
		const char *name = binary_get_text(c, &len);
		uint64_t count = binary_get_number(c);
		char shown[64];
		int k = 0;

		while (k < nr_known && (strlen(known(k)) != len || memcmp(known(k), name, len)))
			k++;
		if (k == nr_known && !c->bad)
			return bad(b, b->at, "counts a reason that this numasim does not know: %s",
				   trace_printable(shown, sizeof(shown), name, len));
		if (!c->bad)
			counts[k] = count;
	}
	return 0;
}

static int take_end(struct binary *b, struct binary_cursor c)
{
	struct trace *t = b->t;
	uint64_t line;
	int err = same(b, &c, t->nr_events, "events");

	if (!err && b->last_turn && b->last_turn >= t->nr_events)
		err = bad(b, b->at, "a task takes its turn at event %" PRIu64 ", but there are %zu",
			  b->last_turn, t->nr_events);

	if (!err)
		err = same(b, &c, t->nr_pages, "pages with a number");
	if (!err)
		err = same(b, &c, t->nr_policies, "policies");
	if (!err)
		err = same(b, &c, t->pages_allocated, "pages allocated");
	if (!err)
		err = same(b, &c, t->pages_freed, "pages freed");
	if (!err)
		err = same(b, &c, t->nr_moves, "moves of free blocks");
	if (!err)
		err = same(b, &c, t->span_ps, "picoseconds from first to last");
	if (err)
		return err;
	t->nr_lines = binary_get_number(&c);
	t->lost_events = binary_get_number(&c);
	t->unknown_policies = binary_get_number(&c);
	t->unknown_gfp = binary_get_number(&c);
	get_printable(&c, t->first_unknown_gfp, sizeof(t->first_unknown_gfp));
	line = binary_get_number(&c);
	t->first_unreadable_line = line < UINT32_MAX ? (uint32_t)line : UINT32_MAX;
	get_printable(&c, t->first_unreadable, sizeof(t->first_unreadable));
	t->min_pfn = binary_get_number(&c);
	t->max_pfn = binary_get_number(&c);
	err = take_counts(b, &c, t->skipped, TRACE_NR_SKIPS, skip_name);
	if (!err)
		err = take_counts(b, &c, t->inferred, TRACE_NR_INFERS, infer_name);
	if (!err)
		err = end_of_section(b, &c);
	b->ended = true;
	return err;
}

static int take_events(struct binary *b, struct binary_cursor c)
{
	char wrong[128];
	int err = binary_decode(&b->clock, &b->pages, c.at, (size_t)(c.end - c.at), b->has_pfns,
				b->t, wrong);

	return err == -EINVAL ? bad(b, b->at, "%s", wrong) : err;
}

static int take_moves(struct binary *b, struct binary_cursor c)
{
	char wrong[128];
	int err = binary_decode_moves(&b->last_move, c.at, (size_t)(c.end - c.at), b->t, wrong);

	return err == -EINVAL ? bad(b, b->at, "%s", wrong) : err;
}

static int take_task(struct binary *b, struct binary_cursor *c)
{
	uint64_t pid = binary_get_number(c);
	uint32_t expected = b->t->nr_tasks ? b->t->nr_tasks : 1, index = 0;
	char comm[TRACE_MAX_COMM];
	size_t len;
	const char *text = binary_get_text(c, &len);
	int err;

	if (!c->bad)
		trace_comm(comm, text, len);
	if (c->bad || pid > INT32_MAX || strlen(comm) != len || memcmp(comm, text, len))
		return bad(b, b->at, "task %" PRIu32 " is not of the form it should have",
			   expected);
	err = trace_add_task(b->t, comm, len, (uint32_t)pid, &index);
	if (err == -ENOSPC || (!err && index != expected))
		return bad(b, b->at, "task %" PRIu32 " is there twice, or one too many", expected);
	return err;
}

static int take_tasks(struct binary *b, struct binary_cursor c)
{
	uint64_t nr = binary_get_number(&c);
	int err = 0;

	for (uint64_t i = 0; i < nr && !err; i++)
		err = take_task(b, &c);
	return err ? err : end_of_section(b, &c);
}

static int take_turns(struct binary *b, struct binary_cursor c)
{
	uint64_t nr = binary_get_number(&c), event = b->last_turn;
	int err = 0;

	for (uint64_t i = 0; i < nr && !err; i++) {
		uint64_t later = binary_get_number(&c), task = binary_get_number(&c);

		if (c.bad || later > UINT32_MAX || event + later > UINT32_MAX ||
		    (!later && b->t->nr_turns) || (task && task >= b->t->nr_tasks))
			return bad(b, b->at, "turn %zu of a task is not of the form it should have",
				   b->t->nr_turns);
		event += later;
		err = trace_take_turn(b->t, event, (uint32_t)task);
	}
	b->last_turn = event;
	return err ? err : end_of_section(b, &c);
}

static int take_kswapd(struct binary *b, struct binary_cursor c)
{
	b->t->kswapd_page_ps = binary_get_number(&c);
	b->t->kswapd_wake_ps = binary_get_number(&c);
	if (b->t->kswapd_page_ps > TRACE_MAX_KSWAPD_PS ||
	    b->t->kswapd_wake_ps > TRACE_MAX_KSWAPD_PS)
		return bad(b, b->at, "a kswapd that takes longer than a second");
	return end_of_section(b, &c);
}

static const struct section_kind {
	const char *name;
	int (*take)(struct binary *b, struct binary_cursor c);
} section_kinds[] = {
	{BINARY_HEAD, take_head},     {BINARY_POLICIES, take_policies},
	{BINARY_EVENTS, take_events}, {BINARY_MOVES, take_moves},
	{BINARY_END, take_end},       {BINARY_KSWAPD, take_kswapd},
	{BINARY_CACHES, take_caches}, {BINARY_STEPS, take_steps},
	{BINARY_TASKS, take_tasks},   {BINARY_TURNS, take_turns},
};

static int take_section(struct binary *b, const uint8_t *raw)
{
	const char *name = b->section.kind;
	struct binary_cursor c = {raw, raw + b->section.raw, false};

	if (b->has_head == (strcmp(name, BINARY_HEAD) == 0))
		return bad(b, b->at, "the first section, and no other, has to be %s", BINARY_HEAD);
	for (size_t i = 0; i < sizeof(section_kinds) / sizeof(*section_kinds); i++)
		if (strcmp(name, section_kinds[i].name) == 0)
			return section_kinds[i].take(b, c);
	if (name[0] >= 'a' && name[0] <= 'z')
		return 0;
	return bad(b, b->at,
		   "a section \"%.4s\", which this numasim does not know: a newer one "
		   "wrote the trace",
		   name);
}

static int read_sections(struct binary *b, const struct trace_progress *progress)
{
	const uint8_t *raw = NULL;
	unsigned nr = 0;
	uint8_t more;
	ssize_t got;
	int err = read_start(b);

	while (!err && !b->ended) {
		err = read_section(b, &raw);
		if (!err)
			err = take_section(b, raw);
		b->at += BINARY_SECTION_BYTES + b->section.stored;
		if (progress && ++nr % SECTIONS_BETWEEN_REPORTS == 0)
			progress->report(progress->arg, stream_bytes_used(b->s),
					 stream_bytes_total(b->s));
	}
	if (err)
		return err;
	got = stream_read(b->s, b->diag, &more, 1);
	if (got > 0)
		return bad(b, b->at, "something follows the end of the trace");
	if (progress && !got)
		progress->report(progress->arg, stream_bytes_used(b->s), stream_bytes_total(b->s));
	return (int)got;
}

static int binary_read(struct stream *s, const struct trace_progress *progress, struct trace *t,
		       struct diag *diag)
{
	struct binary b = {.s = s, .t = t, .diag = diag};
	int err = -ENOMEM;

	b.zstd = ZSTD_createDCtx();
	b.stored = malloc(BINARY_MAX_RAW);
	b.raw = malloc(BINARY_MAX_RAW + BINARY_SLACK);
	if (b.zstd && b.stored && b.raw)
		err = read_sections(&b, progress);
	ZSTD_freeDCtx(b.zstd);
	free(b.stored);
	free(b.raw);
	binary_pages_clear(&b.pages);
	return err;
}

/* One that is a little damaged is still one, so that the message can say where. */
static enum trace_probe binary_probe(const char *text, size_t len)
{
	size_t n = len < BINARY_MAGIC_BYTES ? len : BINARY_MAGIC_BYTES, equal = 0;

	for (size_t i = 0; i < n; i++)
		equal += text[i] == BINARY_MAGIC[i];
	if (n == BINARY_MAGIC_BYTES ? equal >= n - 2 : n && equal == n)
		return TRACE_PROBE_SAYS;
	return TRACE_PROBE_NO;
}

const struct trace_reader trace_reader_binary = {
	.name = "binary",
	.expected = "numasim binary trace",
	.probe = binary_probe,
	.read = binary_read,
};

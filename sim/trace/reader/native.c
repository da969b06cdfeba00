/* SPDX-License-Identifier: Apache-2.0 */
/*
 * numasim's own traces: text, easy to write by hand, and strict. docs/trace-format.md has the
 * grammar; whatever is not in it is an error that says what was found and what was expected.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "mm/arch.h"
#include "mm/gfp.h"
#include "sim/config/gfp_parse.h"
#include "sim/config/units.h"
#include "sim/trace/native.h"

#define BAD NATIVE_BAD

static int parse_cpu(struct native *n, const char *word, struct trace_event *ev)
{
	const char *value = native_value(word, "cpu=");
	uint64_t cpu;

	if (!value || !native_number(value, MM_MAX_CPUS - 1, &cpu))
		return native_found(n, word, "the CPU (\"cpu=0\")");
	if (cpu >= MM_MAX_CPUS)
		return BAD(n, "%s is too large: %d is the highest CPU", native_show(n, word),
			   MM_MAX_CPUS - 1);
	ev->cpu = cpu;
	return 0;
}

static int parse_duration(struct native *n, const char *word, uint64_t *out_ps)
{
	const char *wrong;

	if (!word || !isdigit((unsigned char)*word))
		return native_found(n, word, "a time (\"12.5us\")");
	wrong = units_parse_time(word, out_ps);
	return wrong ? BAD(n, "time \"%s\" %s", native_show(n, word), wrong) : 0;
}

/* The words in front of the operation. */
static int parse_start(struct native *n, char ***words, struct trace_event *ev, bool *has_time)
{
	char **w = *words;
	int err;

	*has_time = isdigit((unsigned char)**w);
	if (*has_time) {
		err = parse_duration(n, *w++, &ev->time_ps);
		if (err)
			return err;
		if (ev->time_ps < n->last_ps)
			return BAD(n, "time %s goes back: a line before has %s",
				   native_show(n, w[-1]), units_time(n->last_ps).text);
		n->last_ps = ev->time_ps;
	} else if (!native_value(*w, "cpu=")) {
		return native_found(n, *w, "a time (\"12.5us\") or the CPU (\"cpu=0\")");
	}
	ev->time_ps = n->last_ps;
	*words = w + 1;
	return parse_cpu(n, *w, ev);
}

static int parse_gfp(struct native *n, char *value, struct trace_event *ev)
{
	char wrong[256];

	return gfp_parse(value, &ev->gfp, wrong, sizeof(wrong)) ? 0 : BAD(n, "%s", wrong);
}

static int parse_mobility(struct native *n, char *value, struct trace_event *ev)
{
	static const char *const mobilities[] = {"unmovable", "movable", "reclaimable", NULL};
	unsigned mobility = 0;
	int err = native_choice(n, value, "mobility", mobilities, &mobility);

	ev->migratetype = (uint8_t)mobility;
	return err;
}

static int parse_order(struct native *n, char *value, struct trace_event *ev)
{
	unsigned order = 0;
	int err = native_order(n, value, &order);

	ev->order = (uint8_t)order;
	return err;
}

static int parse_node(struct native *n, char *value, struct trace_event *ev)
{
	uint64_t nid;

	if (!native_number(value, MM_MAX_NODES - 1, &nid) || nid >= MM_MAX_NODES)
		return BAD(n, "node \"%s\" is not a number from 0 to %d", native_show(n, value),
			   MM_MAX_NODES - 1);
	trace_event_set_nid(ev, (int)nid);
	return 0;
}

static int parse_pfn(struct native *n, char *value, struct trace_event *ev)
{
	(void)ev;
	return native_pfn(n, value, &n->pfn);
}

static int parse_by(struct native *n, char *value, struct trace_event *ev)
{
	if (strcmp(value, NATIVE_RECLAIM))
		return native_found(n, value, NATIVE_RECLAIM);
	ev->flags |= TRACE_F_RECLAIM;
	return 0;
}

static int parse_for(struct native *n, char *value, struct trace_event *ev)
{
	if (strcmp(value, NATIVE_MIGRATION))
		return native_found(n, value, NATIVE_MIGRATION);
	ev->flags |= TRACE_F_MIGRATE;
	return 0;
}

static int parse_policy(struct native *n, char *value, struct trace_event *ev)
{
	int err = native_check_name(n, value, "a policy");
	const struct name *name;

	(void)ev;
	if (err)
		return err;
	name = names_find(&n->policies, value, strlen(value));
	if (!name)
		return BAD(n, "policy \"%s\" is described by no line before",
			   native_show(n, value));
	n->policy = (uint16_t)name->page;
	return 0;
}

static int parse_turn(struct native *n, char *value, struct trace_event *ev)
{
	uint64_t turn;

	(void)ev;
	if (!native_number(value, UINT32_MAX, &turn) || turn > UINT32_MAX)
		return BAD(n, "turn \"%s\" is not a number from 0 to %u", native_show(n, value),
			   UINT32_MAX);
	n->turn = (uint32_t)turn;
	return 0;
}

/* What an operation says of itself, in any order, each once at most. */
enum {
	KEY_BY,
	KEY_ORDER,
	KEY_PFN,
	END_HELD_KEYS, /* a free of a page from before has those before it, */
	KEY_GFP = END_HELD_KEYS,
	KEY_MOBILITY,
	KEY_NODE,
	KEY_POLICY,
	KEY_TURN,
	KEY_FOR,
	NR_KEYS,
	ALLOC_KEYS = KEY_ORDER /* an allocation those from here */
};
static const char *const keys[NR_KEYS] = {
	"by=", "order=", "pfn=", "gfp=", "mobility=", "node=", "policy=", "turn=", "for="};
static int (*const parse_key[NR_KEYS])(struct native *n, char *value, struct trace_event *ev) = {
	parse_by,   parse_order,  parse_pfn,  parse_gfp, parse_mobility,
	parse_node, parse_policy, parse_turn, parse_for};
#define KEYS      "order=, gfp=, mobility=, node=, policy=, turn=, for= or pfn="
#define HELD_KEYS "order=, pfn= or by="

static const char *key_candidate(unsigned i, void *arg)
{
	(void)arg;
	return i < NR_KEYS ? keys[i] : NULL;
}

static int unknown_key(struct native *n, char *word, const char *expected)
{
	char *equals = strchr(word, '=');
	const char *nearest;

	if (!equals)
		return native_found(n, word, expected);
	equals[1] = 0;
	nearest = diag_nearest(word, key_candidate, NULL);
	if (!nearest || !strcmp(nearest, word))
		return native_found(n, word, expected);
	return BAD(n, "unknown word \"%s\"; did you mean \"%s\"?", native_show(n, word), nearest);
}

/* The keys from `first` to `end` may stand here; seen[] says which do. */
static int parse_keys(struct native *n, char **words, struct trace_event *ev, unsigned first,
		      unsigned end, bool *seen)
{
	const char *expected = end == NR_KEYS ? KEYS : HELD_KEYS;

	if (end == KEY_BY + 1)
		expected = "by= or the end of the line";
	for (; *words; words++) {
		char *value = NULL;
		unsigned key;
		int err;

		for (key = first; key < end && !value; key++)
			if (native_value(*words, keys[key]))
				value = *words + strlen(keys[key]);
		if (!value)
			return unknown_key(n, *words, expected);
		if (seen[--key])
			return BAD(n, "%s stands twice in the line", keys[key]);
		seen[key] = true;
		err = parse_key[key](n, value, ev);
		if (err)
			return err;
	}
	return 0;
}

static int parse_alloc_keys(struct native *n, char **words, struct trace_event *ev)
{
	bool seen[NR_KEYS] = {false};
	int err = parse_keys(n, words, ev, ALLOC_KEYS, NR_KEYS, seen);

	if (err)
		return err;
	if (!seen[KEY_GFP])
		return native_found(n, NULL, "gfp= with the kernel's names (\"gfp=GFP_KERNEL\")");
	if (!seen[KEY_MOBILITY])
		ev->migratetype = gfp_migratetype(ev->gfp);
	if (seen[KEY_POLICY] && seen[KEY_NODE])
		return BAD(n, "found both policy= and node=, expected one of them");
	if (seen[KEY_TURN] && !n->policy)
		return BAD(n, "turn= without the policy= whose turn it is");
	if (seen[KEY_POLICY])
		trace_event_set_policy(ev, n->policy, n->turn);
	return 0;
}

/* A new page, with its frame where the line says it. */
static int number_page(struct native *n, struct trace_event *ev)
{
	if (n->t->nr_pages >= TRACE_NO_PAGE - 1)
		return BAD(n, "more than %u allocations", TRACE_NO_PAGE - 1);
	ev->page = n->t->nr_pages;
	return n->pfn == TRACE_NO_PFN ? 0 : trace_set_pfn(n->t, ev->page, n->pfn);
}

/* The live allocation that `word` names, for `what` ("a free", "a touch"). */
static int find_live(struct native *n, const char *word, const char *what, struct name **out)
{
	int err = native_check_name(n, word, "an allocation");
	struct name *name;

	if (err)
		return err;
	name = names_find(&n->names, word, strlen(word));
	if (!name)
		return BAD(n, "%s of \"%s\", which no line before allocates", what,
			   native_show(n, word));
	if (!name->live)
		return BAD(n, "%s of \"%s\", which line %u freed", what, native_show(n, word),
			   name->line);
	*out = name;
	return 0;
}

static int parse_alloc(struct native *n, char **words, struct trace_event *ev)
{
	const char *id = words[0];
	struct name *name;
	int err = native_check_name(n, id, "an allocation");

	if (!err)
		err = parse_alloc_keys(n, words + 1, ev);
	if (err)
		return err;
	if (strcmp(id, NATIVE_NO_PAGE) == 0) {
		ev->page = TRACE_NO_PAGE;
		ev->flags |= TRACE_F_FAILED;
		return 0;
	}
	name = names_find(&n->names, id, strlen(id));
	if (name && name->live)
		return BAD(n, "\"%s\" is in use: line %u allocated it and none has freed it",
			   native_show(n, id), name->line);
	err = number_page(n, ev);
	if (err)
		return err;
	if (n->pfn != TRACE_NO_PFN)
		trace_widen(n->t, n->pfn);
	if (!name)
		name = names_add(&n->names, id, strlen(id));
	if (!name)
		return -ENOMEM;
	name->live = true;
	name->line = n->line;
	name->order = ev->order;
	name->page = ev->page;
	return 0;
}

static int check_end(struct native *n, const char *word)
{
	return word ? native_found(n, word, "the end of the line") : 0;
}

/* "free - order=0": of a page that no line of the trace allocates. */
static int parse_free_held(struct native *n, char **words, struct trace_event *ev)
{
	bool seen[NR_KEYS] = {false};
	int err = parse_keys(n, words, ev, 0, END_HELD_KEYS, seen);

	if (!err && !seen[KEY_ORDER])
		err = native_found(n, NULL, "order= of a page from before the trace");
	ev->op = TRACE_FREE_HELD;
	return err ? err : number_page(n, ev);
}

static int parse_free(struct native *n, char **words, struct trace_event *ev)
{
	bool seen[NR_KEYS] = {false};
	struct name *name;
	int err;

	if (words[0] && !strcmp(words[0], NATIVE_HELD))
		return parse_free_held(n, words + 1, ev);
	err = find_live(n, words[0], "a free", &name);
	if (!err && words[1])
		err = parse_keys(n, words + 1, ev, KEY_BY, KEY_BY + 1, seen);
	if (err)
		return err;
	name->live = false;
	name->line = n->line;
	ev->page = name->page;
	ev->order = name->order;
	return 0;
}

static int parse_touch(struct native *n, char **words, struct trace_event *ev)
{
	uint64_t bytes, block;
	const char *wrong;
	struct name *name;
	int err = find_live(n, words[0], "a touch", &name);

	if (err)
		return err;
	if (!words[1] || (strcmp(words[1], "read") != 0 && strcmp(words[1], "write") != 0))
		return native_found(n, words[1], "read or write");
	ev->write = words[1][0] == 'w';
	if (!words[2] || !isdigit((unsigned char)words[2][0]))
		return native_found(n, words[2], "a size (\"64B\", \"4KiB\")");
	wrong = units_parse_size(words[2], &bytes);
	if (wrong)
		return BAD(n, "size \"%s\" %s", native_show(n, words[2]), wrong);
	if (!bytes)
		return BAD(n, "a touch of nothing: the size is 0");
	block = n->page_bytes << name->order;
	if (bytes > block)
		return BAD(n, "a touch of %s goes beyond \"%s\", which has %s (order %u)",
			   units_size(bytes).text, native_show(n, words[0]), units_size(block).text,
			   name->order);
	ev->page = name->page;
	ev->bytes = bytes;
	return check_end(n, words[3]);
}

static int parse_wait(struct native *n, char **words, struct trace_event *ev)
{
	int err = parse_duration(n, words[0], &ev->time_ps);

	ev->page = TRACE_NO_PAGE;
	return err ? err : check_end(n, words[1]);
}

static const struct operation {
	const char *name;
	enum trace_op op;
	int (*parse)(struct native *n, char **words, struct trace_event *ev);
} operations[] = {
	{"alloc", TRACE_ALLOC, parse_alloc},
	{"free", TRACE_FREE, parse_free},
	{"touch", TRACE_TOUCH, parse_touch},
	{"wait", TRACE_WAIT, parse_wait},
};

#define NR_OPERATIONS (sizeof(operations) / sizeof(operations[0]))

static const char *operation_candidate(unsigned i, void *arg)
{
	(void)arg;
	return i < NR_OPERATIONS ? operations[i].name : NULL;
}

static int find_operation(struct native *n, const char *word, const struct operation **out)
{
	const char *nearest;

	if (!word)
		return native_found(n, NULL, "alloc, free, touch or wait");
	for (unsigned i = 0; i < NR_OPERATIONS; i++) {
		if (strcmp(word, operations[i].name) == 0) {
			*out = &operations[i];
			return 0;
		}
	}
	nearest = diag_nearest(word, operation_candidate, NULL);
	if (nearest)
		return BAD(n, "unknown operation \"%s\"; did you mean \"%s\"?",
			   native_show(n, word), nearest);
	return native_found(n, word, "alloc, free, touch or wait");
}

/* Copy what stands before a comment, and cut it into words. Returns how many, or -EINVAL. */
static int split(struct native *n, const struct stream_line *line)
{
	const char *hash = memchr(line->text, '#', line->len);
	size_t len = hash ? (size_t)(hash - line->text) : line->len;
	int nr = 0;

	if (len >= NATIVE_MAX_LINE)
		return BAD(n, "the line is longer than %d bytes", NATIVE_MAX_LINE - 1);
	for (size_t i = 0; i < len; i++)
		if (iscntrl((unsigned char)line->text[i]) && line->text[i] != '\t')
			return BAD(n, "found a control character (0x%02x), expected text",
				   (unsigned char)line->text[i]);
	memcpy(n->text, line->text, len);
	n->text[len] = 0;
	for (char *p = n->text; *(p += strspn(p, " \t"));) {
		if (nr == NATIVE_MAX_WORDS)
			return BAD(n, "found more than %d words in a line", NATIVE_MAX_WORDS);
		n->words[nr++] = p;
		p += strcspn(p, " \t");
		if (*p)
			*p++ = 0;
	}
	n->words[nr] = NULL;
	return nr;
}

static int take_header(struct native *n, const struct stream_line *line)
{
	char found[64];
	size_t len = line->len;

	while (len && line->text[len - 1] == ' ')
		len--;
	if (len == sizeof(NATIVE_MAGIC NATIVE_VERSION) - 1 &&
	    memcmp(line->text, NATIVE_MAGIC NATIVE_VERSION, len) == 0) {
		trace_skip(n->t, TRACE_SKIP_COMMENT);
		return 0;
	}
	trace_printable(found, sizeof(found), line->text, len);
	return BAD(n, "found \"%s\", expected \"%s\" (this numasim reads version %s)", found,
		   NATIVE_MAGIC NATIVE_VERSION, NATIVE_VERSION);
}

static int native_line(void *state, const struct stream_line *line, struct trace *t,
		       struct diag *diag)
{
	struct trace_event ev = {0};
	const struct operation *operation = NULL;
	struct native *n = state;
	char **words = n->words;
	bool has_time, inferred = false, is_statement;
	int err;

	n->t = t;
	n->pfn = TRACE_NO_PFN;
	n->policy = 0;
	n->turn = 0;
	n->diag = diag;
	n->line = ev.line = trace_line_number(line);
	if (line->number == 1)
		return take_header(n, line);
	err = split(n, line);
	if (err < 0)
		return err;
	if (err == 0) {
		trace_skip(t, TRACE_SKIP_COMMENT);
		return 0;
	}
	err = native_statement(n, &is_statement);
	if (err || is_statement)
		return err;
	err = parse_start(n, &words, &ev, &has_time);
	if (!err && *words && !strcmp(*words, NATIVE_INFERRED)) {
		inferred = true;
		words++;
	}
	if (!err)
		err = find_operation(n, *words, &operation);
	if (err)
		return err;
	if (inferred && operation->op != TRACE_ALLOC && operation->op != TRACE_FREE)
		return native_found(n, *words, "alloc or free behind " NATIVE_INFERRED);
	if (operation->op == TRACE_WAIT && has_time)
		return BAD(n,
			   "found a time before a wait, which begins when its CPU gets there: "
			   "expected \"%s wait TIME\"",
			   native_show(n, n->words[1]));
	ev.op = operation->op;
	err = operation->parse(n, words + 1, &ev);
	if (inferred)
		ev.flags |= TRACE_F_INFERRED;
	return err ? err : trace_append(t, &ev);
}

static enum trace_probe native_probe(const char *text, size_t len)
{
	size_t magic = sizeof(NATIVE_MAGIC) - 1;

	return len >= magic && memcmp(text, NATIVE_MAGIC, magic) == 0 ? TRACE_PROBE_SAYS
								      : TRACE_PROBE_NO;
}

/* The smallest page there is: what is right for it is right on every machine. */
static uint64_t smallest_page(void)
{
	uint64_t smallest = UINT64_MAX;

	for (int id = 0; id < MM_NR_ARCHS; id++) {
		uint64_t bytes = (uint64_t)1 << mm_arch(id)->page_shift;

		if (bytes < smallest)
			smallest = bytes;
	}
	return smallest;
}

static int native_read(struct stream *s, const struct trace_progress *progress, struct trace *t,
		       struct diag *diag)
{
	struct native *n = calloc(1, sizeof(*n));
	int err = -ENOMEM;

	if (!n)
		return err;
	n->page_bytes = smallest_page();
	n->t = t;
	n->original.min_pfn = UINT64_MAX;
	if (!names_init(&n->names) && !names_init(&n->policies))
		err = trace_read_lines(s, progress, native_line, n, t, diag);
	if (!err)
		native_finish(n);
	names_clear(&n->names);
	names_clear(&n->policies);
	free(n);
	return err;
}

const struct trace_reader trace_reader_native = {
	.name = "native",
	.expected = "numasim native trace (first line \"" NATIVE_MAGIC NATIVE_VERSION "\")",
	.probe = native_probe,
	.read = native_read,
};

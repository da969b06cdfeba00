/* SPDX-License-Identifier: Apache-2.0 */
/*
 * numasim's own traces: text, easy to write by hand, and strict. docs/trace-format.md has the
 * grammar; whatever is not in it is an error that says what was found and what was expected.
 */
#include <ctype.h>
#include <inttypes.h>
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

/* The words in front of the operation. */
static int parse_start(struct native *n, char ***words, struct trace_event *ev, bool *has_time)
{
	char **w = *words;
	int err;

	*has_time = isdigit((unsigned char)**w);
	if (*has_time) {
		err = native_duration(n, *w++, &ev->time_ps);
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

static int parse_alloc_keys(struct native *n, char **words, struct trace_event *ev)
{
	bool seen[NATIVE_NR_KEYS] = {false};
	int err = native_keys(n, words, ev, NATIVE_KEY_BY, NATIVE_NR_KEYS, seen);

	if (err)
		return err;
	if (!seen[NATIVE_KEY_GFP])
		return native_found(n, NULL, "gfp= with the kernel's names (\"gfp=GFP_KERNEL\")");
	if (!seen[NATIVE_KEY_MOBILITY])
		ev->migratetype = gfp_migratetype(ev->gfp);
	if (seen[NATIVE_KEY_POLICY] && seen[NATIVE_KEY_NODE])
		return BAD(n, "found both policy= and node=, expected one of them");
	if (seen[NATIVE_KEY_TURN] && !n->policy)
		return BAD(n, "turn= without the policy= whose turn it is");
	if (seen[NATIVE_KEY_POLICY])
		trace_event_set_policy(ev, n->policy, n->turn);
	return 0;
}

static int failed(struct trace_event *ev)
{
	ev->page = TRACE_NO_PAGE;
	ev->flags |= TRACE_F_FAILED;
	return 0;
}

/* NULL: nothing was called so before. */
static int find_unused(struct native *n, const char *id, struct name **name)
{
	*name = names_find(&n->names, id, strlen(id));
	if (*name && (*name)->live)
		return BAD(n, "\"%s\" is in use: line %u allocated it and none has freed it",
			   native_show(n, id), (*name)->line);
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
	if (strcmp(id, NATIVE_NO_PAGE) == 0)
		return failed(ev);
	err = find_unused(n, id, &name);
	if (!err)
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
	name->kind = NAME_PAGE;
	name->line = n->line;
	name->order = ev->order;
	name->page = ev->page;
	return 0;
}

/* "free - order=0": of a page that no line of the trace allocates. */
static int parse_free_held(struct native *n, char **words, struct trace_event *ev)
{
	bool seen[NATIVE_NR_KEYS] = {false};
	int err = native_keys(n, words, ev, 0, NATIVE_END_HELD_KEYS, seen);

	if (!err && !seen[NATIVE_KEY_ORDER])
		err = native_found(n, NULL, "order= of a page from before the trace");
	ev->op = TRACE_FREE_HELD;
	return err ? err : number_page(n, ev);
}

static int parse_free(struct native *n, char **words, struct trace_event *ev)
{
	bool seen[NATIVE_NR_KEYS] = {false};
	struct name *name;
	int err;

	if (words[0] && !strcmp(words[0], NATIVE_HELD))
		return parse_free_held(n, words + 1, ev);
	err = find_live(n, words[0], "a free", &name);
	if (!err && name->kind != NAME_PAGE)
		return BAD(n, "a free of \"%s\", which is %s", native_show(n, words[0]),
			   name->kind == NAME_CMA ? "of the CMA area: expected cma_release"
						  : "a slab object: expected kfree");
	if (!err && words[1])
		err = native_keys(n, words + 1, ev, NATIVE_KEY_BY, NATIVE_KEY_BY + 1, seen);
	if (err)
		return err;
	name->live = false;
	name->line = n->line;
	ev->page = name->page;
	ev->order = name->order;
	return 0;
}

/* "bytes=100", up to what a kernel gives at once. */
static int parse_amount(struct native *n, const char *word, const char *key, uint64_t *out)
{
	const char *value = word ? native_value(word, key) : NULL;
	char expected[48];

	if (value && native_number(value, TRACE_MAX_OBJECT, out) && *out <= TRACE_MAX_OBJECT)
		return 0;
	snprintf(expected, sizeof(expected), "%s and a number up to %d", key, TRACE_MAX_OBJECT);
	return native_found(n, word, expected);
}

/* What an allocation of an object says behind its size: gfp=, and node= or policy=. */
static int parse_object_keys(struct native *n, char **words, struct trace_event *ev)
{
	bool seen[NATIVE_NR_KEYS] = {false};
	int nid, err = native_keys(n, words, ev, NATIVE_KEY_GFP, NATIVE_KEY_TURN, seen);

	if (err)
		return err;
	if (!seen[NATIVE_KEY_GFP])
		return native_found(n, NULL, "gfp= with the kernel's names (\"gfp=GFP_KERNEL\")");
	if (seen[NATIVE_KEY_POLICY] && seen[NATIVE_KEY_NODE])
		return BAD(n, "found both policy= and node=, expected one of them");
	if (seen[NATIVE_KEY_MOBILITY])
		return BAD(n, "found mobility=, which an object does not have");
	nid = trace_event_nid(ev);
	ev->bytes = 0;
	if (seen[NATIVE_KEY_NODE])
		ev->flags |= TRACE_F_ON_NODE;
	ev->policy = seen[NATIVE_KEY_NODE] ? (uint16_t)nid : n->policy;
	return 0;
}

/* Its name, from now on. */
static int name_kind(struct native *n, const char *id, enum name_kind kind, unsigned order,
		     struct trace_event *ev)
{
	struct name *name;
	int err;

	if (strcmp(id, NATIVE_NO_PAGE) == 0)
		return failed(ev);
	err = find_unused(n, id, &name);
	if (!err)
		err = number_page(n, ev);
	if (!err && !name)
		name = names_add(&n->names, id, strlen(id));
	if (err || !name)
		return err ? err : -ENOMEM;
	name->live = true;
	name->kind = kind;
	name->line = n->line;
	name->order = (uint8_t)order;
	name->page = ev->page;
	return 0;
}

static int name_object(struct native *n, const char *id, struct trace_event *ev)
{
	return name_kind(n, id, NAME_OBJECT, 0, ev);
}

/* "kmalloc NAME bytes=100 gfp=GFP_KERNEL node=1" */
static int parse_kmalloc(struct native *n, char **words, struct trace_event *ev)
{
	uint64_t bytes = 0;
	int err = native_check_name(n, words[0], "an object");

	if (!err)
		err = parse_amount(n, words[1], "bytes=", &bytes);
	if (!err)
		err = parse_object_keys(n, words + 2, ev);
	ev->bytes = (uint32_t)bytes;
	return err ? err : name_object(n, words[0], ev);
}

/* "cache_alloc NAME cache=dentry size=192 room=192 gfp=GFP_KERNEL"; cache=- has no name. */
static int parse_cache_alloc(struct native *n, char **words, struct trace_event *ev)
{
	struct trace_cache cache = {0};
	uint64_t size = 0, room = 0;
	const char *name;
	int err = native_check_name(n, words[0], "an object");

	if (err)
		return err;
	name = words[1] ? native_value(words[1], "cache=") : NULL;
	if (!name || !*name || strlen(name) >= sizeof(cache.name))
		return native_found(n, words[1], "cache= and a name of at most 31 characters");
	for (const char *p = name; *p; p++)
		if (!trace_cache_letter(*p))
			return native_found(n, words[1], "cache= and letters, digits or _.:()-");
	err = parse_amount(n, words[2], "size=", &size);
	if (!err)
		err = parse_amount(n, words[3], "room=", &room);
	if (!err)
		err = parse_object_keys(n, words + 4, ev);
	if (err)
		return err;
	strcpy(cache.name, strcmp(name, NATIVE_NO_PAGE) ? name : "");
	cache.size = (uint32_t)size;
	cache.room = (uint32_t)room;
	err = trace_add_cache(n->t, &cache, &ev->bytes);
	if (err == -ENOSPC)
		return BAD(n, "more than %u different slab caches", TRACE_MAX_CACHES);
	return err ? err : name_object(n, words[0], ev);
}

static int parse_kfree(struct native *n, char **words, struct trace_event *ev)
{
	struct name *name;
	int err = find_live(n, words[0], "a kfree", &name);

	if (err)
		return err;
	if (name->kind != NAME_OBJECT)
		return BAD(n, "a kfree of \"%s\", which is %s", native_show(n, words[0]),
			   name->kind == NAME_CMA ? "of the CMA area: expected cma_release"
						  : "a page");
	name->live = false;
	name->line = n->line;
	ev->page = name->page;
	return native_end(n, words[1]);
}

/* "pages=1024", from 1 up to `max`. */
static int parse_count(struct native *n, const char *word, const char *key, uint64_t min,
		       uint64_t max, uint64_t *out)
{
	const char *value = word ? native_value(word, key) : NULL;
	char expected[64];

	if (value && native_number(value, max, out) && *out >= min && *out <= max)
		return 0;
	snprintf(expected, sizeof(expected), "%s and a number from %" PRIu64 " to %" PRIu64, key,
		 min, max);
	return native_found(n, word, expected);
}

/* "cma_alloc NAME pages=1024 align=8 pfn=0x8000" */
static int parse_cma_alloc(struct native *n, char **words, struct trace_event *ev)
{
	uint64_t nr = 0, align = 0;
	const char *pfn;
	int err = native_check_name(n, words[0], "frames of the CMA area");

	if (!err)
		err = parse_count(n, words[1], "pages=", 1, TRACE_MAX_CMA, &nr);
	if (!err)
		err = parse_count(n, words[2], "align=", 0, TRACE_MAX_CMA_ALIGN, &align);
	if (!err && words[3]) {
		pfn = native_value(words[3], "pfn=");
		err = pfn ? native_pfn(n, pfn, &n->pfn)
			  : native_found(n, words[3], "pfn= or the end of the line");
	}
	if (!err && words[3])
		err = native_end(n, words[4]);
	if (err)
		return err;
	ev->bytes = (uint32_t)nr;
	ev->align = (uint32_t)align;
	err = name_kind(n, words[0], NAME_CMA, trace_cma_order(ev->bytes), ev);
	if (!err && n->pfn != TRACE_NO_PFN && ev->page != TRACE_NO_PAGE)
		trace_widen(n->t, n->pfn);
	return err;
}

static int parse_cma_release(struct native *n, char **words, struct trace_event *ev)
{
	struct name *name;
	int err = find_live(n, words[0], "a cma_release", &name);

	if (err)
		return err;
	if (name->kind != NAME_CMA)
		return BAD(n, "a cma_release of \"%s\", which is %s", native_show(n, words[0]),
			   name->kind == NAME_OBJECT ? "a slab object: expected kfree"
						     : "a page: expected free");
	name->live = false;
	name->line = n->line;
	ev->page = name->page;
	return native_end(n, words[1]);
}

static int parse_touch(struct native *n, char **words, struct trace_event *ev)
{
	struct name *name;
	int err = find_live(n, words[0], "a touch", &name);

	if (err)
		return err;
	ev->page = name->page;
	return native_amount(n, words, name->order, ev);
}

/* "split big rest": the upper half of one is the other from now on. */
static int parse_split(struct native *n, char **words, struct trace_event *ev)
{
	struct name *name, *half;
	pfn_t pfn;
	int err = find_live(n, words[0], "a split", &name);

	if (!err)
		err = native_check_name(n, words[1], "the upper half");
	if (err)
		return err;
	if (name->kind == NAME_CMA)
		return BAD(n, "a split of \"%s\", which is of the CMA area",
			   native_show(n, words[0]));
	if (!name->order)
		return BAD(n, "a split of \"%s\", which is a single page",
			   native_show(n, words[0]));
	half = names_find(&n->names, words[1], strlen(words[1]));
	if (half && half->live)
		return BAD(n, "\"%s\" is in use: line %u allocated it and none has freed it",
			   native_show(n, words[1]), half->line);
	ev->order = --name->order;
	ev->bytes = name->page;
	pfn = trace_pfn(n->t, name->page);
	n->pfn = pfn > TRACE_MAX_PFN - (UINT64_C(1) << ev->order)
			 ? TRACE_NO_PFN
			 : pfn + (UINT64_C(1) << ev->order);
	err = number_page(n, ev);
	/* Adding a name moves the others. */
	if (!err && !half)
		half = names_add(&n->names, words[1], strlen(words[1]));
	if (err || !half)
		return err ? err : -ENOMEM;
	half->live = true;
	half->kind = NAME_PAGE;
	half->line = n->line;
	half->order = ev->order;
	half->page = ev->page;
	return native_end(n, words[2]);
}

static int parse_wait(struct native *n, char **words, struct trace_event *ev)
{
	int err = native_duration(n, words[0], &ev->time_ps);

	ev->page = TRACE_NO_PAGE;
	return err ? err : native_end(n, words[1]);
}

static const struct operation {
	const char *name;
	enum trace_op op;
	int (*parse)(struct native *n, char **words, struct trace_event *ev);
} operations[] = {
	{"alloc", TRACE_ALLOC, parse_alloc},
	{"free", TRACE_FREE, parse_free},
	{"split", TRACE_SPLIT, parse_split},
	{"touch", TRACE_TOUCH, parse_touch},
	{"kmalloc", TRACE_KMALLOC, parse_kmalloc},
	{"kfree", TRACE_OBJECT_FREE, parse_kfree},
	{"cache_alloc", TRACE_CACHE_ALLOC, parse_cache_alloc},
	{"cma_alloc", TRACE_CMA_ALLOC, parse_cma_alloc},
	{"cma_release", TRACE_CMA_RELEASE, parse_cma_release},
	{"wait", TRACE_WAIT, parse_wait},
	{"hotplug", TRACE_HOTPLUG, native_step},
};

#define OPERATIONS                                                                                 \
	"alloc, free, split, touch, wait, kmalloc, cache_alloc, kfree, cma_alloc, cma_release or " \
	"hotplug"
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
		return native_found(n, NULL, OPERATIONS);
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
	return native_found(n, word, OPERATIONS);
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
	err = native_split(n, line->text, line->len);
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
	if (inferred && operation->op != TRACE_OBJECT_FREE && operation->op != TRACE_ALLOC &&
	    operation->op != TRACE_FREE && operation->op != TRACE_SPLIT &&
	    operation->op != TRACE_CMA_RELEASE)
		return native_found(n, *words, "alloc, free or split behind " NATIVE_INFERRED);
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

static int native_read(struct stream *s, const struct trace_progress *progress, struct trace *t,
		       struct diag *diag)
{
	struct native *n = native_new();
	int err = n ? trace_read_lines(s, progress, native_line, n, t, diag) : -ENOMEM;

	if (!err) {
		n->t = t;
		native_finish(n);
	}
	native_free(n);
	return err;
}

const struct trace_reader trace_reader_native = {
	.name = "native",
	.expected = "numasim native trace (first line \"" NATIVE_MAGIC NATIVE_VERSION "\")",
	.probe = native_probe,
	.read = native_read,
};

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lines of native traces that are no events: NUMA policies, free blocks that the real kernel moved,
 * and what a conversion says of the trace that it was made from.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "sim/trace/native.h"

/* Node numbers and ranges of them: "0,2-3". */
static int parse_nodes(struct native *n, char *value, struct mm_nodemask *nodes)
{
	static const char expected[] = "node numbers below 1024 (\"nodes=0,2-3\")";
	char *next = value;

	while (next) {
		char *item = next, *dash, *comma = strchr(item, ',');
		uint64_t first, last;

		next = comma ? comma + 1 : NULL;
		if (comma)
			*comma = 0;
		dash = strchr(item, '-');
		if (dash)
			*dash = 0;
		if (!native_number(item, MM_MAX_NODES - 1, &first) ||
		    !native_number(dash ? dash + 1 : item, MM_MAX_NODES - 1, &last) ||
		    first > last || last >= MM_MAX_NODES) {
			if (dash)
				*dash = '-';
			return native_found(n, item, expected);
		}
		for (; first <= last; first++)
			mm_nodemask_set(nodes, (int)first);
	}
	return 0;
}

static int parse_mode(struct native *n, const char *value, struct trace_policy *p)
{
	const char *names[MM_NR_POLICY_MODES + 1] = {NULL};
	unsigned mode = 0;
	int err;

	for (unsigned i = 0; i < MM_NR_POLICY_MODES; i++)
		names[i] = mm_policy_mode_name(i);
	err = native_choice(n, value, "mode", names, &mode);
	p->mm.mode = (uint8_t)mode;
	return err;
}

static int parse_home(struct native *n, const char *value, struct trace_policy *p)
{
	uint64_t nid;

	if (!native_number(value, MM_MAX_NODES - 1, &nid) || nid >= MM_MAX_NODES)
		return NATIVE_BAD(n, "home node \"%s\" is not a number from 0 to %d",
				  native_show(n, value), MM_MAX_NODES - 1);
	p->mm.home_nid = (int16_t)nid;
	return 0;
}

static int parse_scope(struct native *n, const char *value, struct trace_policy *p)
{
	unsigned scope = 0;
	int err = native_choice(n, value, "scope", native_scopes, &scope);

	p->scope = (uint8_t)scope;
	return err;
}

static int parse_policy_word(struct native *n, char *word, struct trace_policy *p)
{
	size_t len = strcspn(word, "=");
	char *value = word + len + 1;

	if (strcmp(word, "relative") == 0)
		p->mm.relative = true;
	else if (native_value(word, "mode="))
		return parse_mode(n, value, p);
	else if (native_value(word, "nodes="))
		return parse_nodes(n, value, &p->mm.nodes);
	else if (native_value(word, "home="))
		return parse_home(n, value, p);
	else if (native_value(word, "of="))
		return parse_scope(n, value, p);
	else
		return native_found(n, word, "mode=, nodes=, home=, of= or relative");
	return 0;
}

/* "policy NAME mode=MPOL_BIND nodes=0,2-3" */
static int take_policy(struct native *n, char **words)
{
	struct trace_policy policy = {.mm.home_nid = MM_NO_NODE, .scope = TRACE_POLICY_FILE};
	const char *id = words[0], *wrong;
	struct name *name;
	uint16_t index;
	int err = native_check_name(n, id, "a policy");

	if (!err && names_find(&n->policies, id, strlen(id)))
		return NATIVE_BAD(n, "policy \"%s\" is described twice", native_show(n, id));
	if (!err && !native_value(words[1], "mode="))
		err = native_found(n, words[1], "mode= (\"mode=MPOL_BIND\")");
	for (words++; !err && *words; words++)
		err = parse_policy_word(n, *words, &policy);
	if (err)
		return err;
	wrong = trace_policy_wrong(&policy);
	if (wrong)
		return NATIVE_BAD(n, "policy \"%s\" %s", native_show(n, id), wrong);
	err = trace_add_policy(n->t, &policy, &index);
	if (err == -ENOSPC)
		return NATIVE_BAD(n, "more than %d policies", TRACE_MAX_POLICIES - 1);
	name = err ? NULL : names_add(&n->policies, id, strlen(id));
	if (!name)
		return -ENOMEM;
	name->page = index;
	return 0;
}

/* "moved out order=0 pfn=0x12 mobility=movable list" */
static int take_move(struct native *n, char **words)
{
	static const char *const directions[] = {"in", "out", "fallback", NULL};
	unsigned direction = 0, order = 0, mobility = 0;
	pfn_t pfn = 0;
	int err;

	if (!words[0])
		return native_found(n, NULL, "in, out or fallback");
	err = native_choice(n, words[0], "direction", directions, &direction);
	if (!err && !native_value(words[1], "order="))
		err = native_found(n, words[1], "order=");
	if (!err)
		err = native_order(n, native_value(words[1], "order="), &order);
	if (!err && !native_value(words[2], "pfn="))
		err = native_found(n, words[2], "pfn=");
	if (!err)
		err = native_pfn(n, native_value(words[2], "pfn="), &pfn);
	if (!err && !native_value(words[3], "mobility="))
		err = native_found(n, words[3], "mobility=");
	if (!err)
		err = native_choice(n, native_value(words[3], "mobility="), "mobility",
				    native_mobilities, &mobility);
	if (!err && words[4] && direction == 2)
		err = native_found(n, words[4], "the end of the line");
	if (!err && words[4] && (strcmp(words[4], "list") || words[5]))
		err = native_found(n, words[words[5] ? 5 : 4], "list or the end of the line");
	if (err)
		return err;
	return trace_append_move(n->t, &(struct trace_move){.pfn = pfn,
							    .order = order,
							    .taken = direction == 1,
							    .percpu = words[4] != NULL,
							    .fallback = direction == 2,
							    .migratetype = mobility});
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* A quoted text: "%20" is a blank. Printable ASCII only. */
static int parse_text(struct native *n, const char *word, char *out, size_t size)
{
	const char *p = word;
	size_t len = 0;

	while (*p && len < size - 1) {
		int c = (unsigned char)*p++;

		if (c == '%') {
			int high = hex_digit(p[0]), low = high < 0 ? -1 : hex_digit(p[1]);

			if (low < 0)
				return native_found(n, word, "two hex digits behind each %");
			c = high << 4 | low;
			p += 2;
		}
		if (c < ' ' || c > '~')
			return native_found(n, word, "printable ASCII characters");
		out[len++] = (char)c;
	}
	out[len] = 0;
	if (*p)
		return NATIVE_BAD(n, "the text \"%s\" is longer than %zu bytes",
				  native_show(n, word), size - 1);
	return 0;
}

static int parse_count(struct native *n, const char *value, uint64_t *out)
{
	if (!native_number(value, UINT64_MAX - 1, out) || *out == UINT64_MAX)
		return native_found(n, value, "a number below 2^64 - 1");
	return 0;
}

/* "skipped.REASON=" and "inferred.REASON=": where the count goes, or NULL. */
static uint64_t *count_named(struct native *n, const char *word, size_t len)
{
	const char *name;

	for (int i = 0; (name = native_value(word, "skipped.")) && i < TRACE_NR_SKIPS; i++)
		if (strlen(trace_skip_name((enum trace_skip)i)) == len - 8 &&
		    !strncmp(name, trace_skip_name((enum trace_skip)i), len - 8))
			return &n->original.skipped[i];
	for (int i = 0; (name = native_value(word, "inferred.")) && i < TRACE_NR_INFERS; i++)
		if (strlen(trace_infer_name((enum trace_infer)i)) == len - 9 &&
		    !strncmp(name, trace_infer_name((enum trace_infer)i), len - 9))
			return &n->t->inferred[i];
	return NULL;
}

static int parse_original_file(struct native *n, const char *value)
{
	char file[NATIVE_MAX_TEXT];
	int err = parse_text(n, value, file, sizeof(file));

	if (err)
		return err;
	free(n->t->original);
	n->t->original = strdup(file);
	return n->t->original ? 0 : -ENOMEM;
}

static int parse_unreadable_line(struct native *n, const char *value)
{
	uint64_t line;

	if (!native_number(value, UINT32_MAX, &line) || line > UINT32_MAX)
		return native_found(n, value, "the number of a line");
	n->t->first_unreadable_line = (uint32_t)line;
	return 0;
}

static int parse_kswapd_ps(struct native *n, const char *value, uint64_t *out)
{
	if (!native_number(value, TRACE_MAX_KSWAPD_PS, out) || *out > TRACE_MAX_KSWAPD_PS)
		return native_found(n, value, "picoseconds, at most a second");
	return 0;
}

static int parse_original(struct native *n, const char *word)
{
	struct trace *t = n->t;
	size_t len = strcspn(word, "=");
	const char *value = word + len + 1;
	uint64_t *count;

	if (!word[len])
		return native_found(n, word, "a word with a value (\"lines=12\")");
	count = count_named(n, word, len);
	if (native_value(word, "lines=")) {
		n->original.counts = true;
		count = &n->original.nr_lines;
	} else if (native_value(word, "lost=")) {
		count = &t->lost_events;
	} else if (native_value(word, "unknown_policies=")) {
		count = &t->unknown_policies;
	} else if (native_value(word, "unknown_gfp=")) {
		count = &t->unknown_gfp;
	}
	if (count)
		return parse_count(n, value, count);
	if (native_value(word, "kswapd_page_ps="))
		return parse_kswapd_ps(n, value, &t->kswapd_page_ps);
	if (native_value(word, "kswapd_wake_ps="))
		return parse_kswapd_ps(n, value, &t->kswapd_wake_ps);
	if (native_value(word, "file="))
		return parse_original_file(n, value);
	if (native_value(word, "format="))
		return parse_text(n, value, t->original_format, sizeof(t->original_format));
	if (native_value(word, "gfp="))
		return parse_text(n, value, t->first_unknown_gfp, sizeof(t->first_unknown_gfp));
	if (native_value(word, "unreadable_line="))
		return parse_unreadable_line(n, value);
	if (native_value(word, "unreadable="))
		return parse_text(n, value, t->first_unreadable, sizeof(t->first_unreadable));
	if (native_value(word, "min_pfn="))
		return native_pfn(n, value, &n->original.min_pfn);
	if (native_value(word, "max_pfn="))
		return native_pfn(n, value, &n->original.max_pfn);
	return native_found(n, word, "file=, format=, lines= or another word that numasim writes");
}

static int take_original(struct native *n, char **words)
{
	int err = 0;

	for (; *words && !err; words++)
		err = parse_original(n, *words);
	return err;
}

/* "task pid=16810 comm=make", "task -" */
static int take_task(struct native *n, char **words)
{
	char comm[TRACE_MAX_COMM];
	uint64_t pid = 0;
	uint32_t index;
	int err;

	if (words[0] && !strcmp(words[0], NATIVE_NOBODY))
		return words[1] ? native_found(n, words[1], "the end of the line")
				: trace_take_turn(n->t, n->t->nr_events, TRACE_NO_TASK);
	if (!native_value(words[0], "pid=") ||
	    !native_number(native_value(words[0], "pid="), INT32_MAX, &pid) || pid > INT32_MAX)
		return native_found(n, words[0], "pid= and a number below 2^31, or -");
	if (!native_value(words[1], "comm="))
		return native_found(n, words[1], "comm= (\"comm=make\")");
	err = parse_text(n, native_value(words[1], "comm="), comm, sizeof(comm));
	if (!err && words[2])
		err = native_found(n, words[2], "the end of the line");
	if (!err)
		err = trace_add_task(n->t, comm, strlen(comm), (uint32_t)pid, &index);
	if (err == -ENOSPC)
		return NATIVE_BAD(n, "more than %u different tasks", TRACE_MAX_TASKS - 1);
	return err ? err : trace_take_turn(n->t, n->t->nr_events, index);
}

int native_statement(struct native *n, bool *is_one)
{
	static const struct {
		const char *name;
		int (*take)(struct native *n, char **words);
	} kinds[] = {
		{NATIVE_POLICY, take_policy},
		{NATIVE_MOVED, take_move},
		{NATIVE_ORIGINAL, take_original},
		{NATIVE_TASK, take_task},
	};

	*is_one = false;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		if (strcmp(n->words[0], kinds[i].name))
			continue;
		*is_one = true;
		trace_skip(n->t, TRACE_SKIP_OTHER_EVENT);
		return kinds[i].take(n, n->words + 1);
	}
	return 0;
}

void native_finish(struct native *n)
{
	struct trace *t = n->t;

	if (!n->original.counts)
		return;
	t->nr_lines = n->original.nr_lines;
	memcpy(t->skipped, n->original.skipped, sizeof(t->skipped));
	t->min_pfn = n->original.min_pfn;
	t->max_pfn = n->original.max_pfn;
}

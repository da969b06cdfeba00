/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A trace in memory: its events, the counts over them, and the way in, from bytes through the
 * reader that recognises them. Knows no format itself.
 */
#define _GNU_SOURCE /* memrchr */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sim/large.h"
#include "sim/policy/rules.h"
#include "sim/scenario/kernel_plan.h"
#include "sim/scenario/process_plan.h"
#include "sim/trace/reader.h"
#include "sim/trace/trace.h"

#define PROGRESS_LINES 16384 /* between reports */

const char *trace_skip_name(enum trace_skip skip)
{
	static const char *const names[] = {
#define X(id, name, what) name,
		TRACE_SKIPS(X)
#undef X
	};

	return names[skip];
}

const char *trace_skip_what(enum trace_skip skip)
{
	static const char *const whats[] = {
#define X(id, name, what) what,
		TRACE_SKIPS(X)
#undef X
	};

	return whats[skip];
}

const char *trace_infer_name(enum trace_infer what)
{
	static const char *const names[] = {
#define X(id, name, what) name,
		TRACE_INFERS(X)
#undef X
	};

	return names[what];
}

struct trace *trace_new(const char *name)
{
	struct trace *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->file = strdup(name);
	t->format = "native";
	t->compression = "none";
	t->min_pfn = UINT64_MAX;
	t->policies = malloc(sizeof(*t->policies));
	if (!t->file || !t->policies) {
		trace_free(t);
		return NULL;
	}
	t->policies[0] = (struct trace_policy){.mm.home_nid = MM_NO_NODE};
	t->nr_policies = 1;
	t->policies_room = 1;
	return t;
}

void trace_free(struct trace *t)
{
	if (!t)
		return;
	free(t->events);
	free(t->policies);
	free(t->caches);
	for (uint32_t i = 0; i < t->nr_steps; i++)
		free(t->steps[i]);
	free(t->steps);
	free(t->pfns);
	free(t->moves);
	free(t->tasks);
	free(t->turns);
	free(t->task_slots);
	process_plan_free(t->processes);
	kernel_plan_free(t->kernel);
	free(t->file);
	free(t->original);
	free(t);
}

struct trace_event *trace_room(struct trace *t, size_t nr)
{
	void *grown = large_grow(t->events, &t->events_room, t->nr_events + nr, sizeof(*t->events));

	if (!grown)
		return NULL;
	t->events = grown;
	return t->events + t->nr_events;
}

int trace_pfns_room(struct trace *t, size_t nr)
{
	void *grown = large_grow(t->pfns, &t->pfns_room, nr, sizeof(*t->pfns));

	if (!grown)
		return -ENOMEM;
	t->pfns = grown;
	return 0;
}

struct trace_move *trace_moves_room(struct trace *t, size_t nr)
{
	void *grown = large_grow(t->moves, &t->moves_room, t->nr_moves + nr, sizeof(*t->moves));

	if (!grown)
		return NULL;
	t->moves = grown;
	return t->moves + t->nr_moves;
}

static void count_time(struct trace *t, uint64_t time_ps)
{
	if (!t->any_time) {
		t->any_time = true;
		t->first_ps = time_ps;
	}
	if (time_ps > t->first_ps)
		t->span_ps = time_ps - t->first_ps;
}

static void count(struct trace *t, const struct trace_event *ev)
{
	uint64_t pages = (uint64_t)1 << ev->order;

	if (ev->cpu >= t->nr_cpus)
		t->nr_cpus = ev->cpu + 1;
	if (ev->page != TRACE_NO_PAGE && ev->page >= t->nr_pages)
		t->nr_pages = ev->page + 1;
	if (ev->op != TRACE_WAIT)
		count_time(t, ev->time_ps);
	switch (ev->op) {
	case TRACE_ALLOC:
		if (ev->flags & TRACE_F_FAILED) {
			t->nr_failed++;
			break;
		}
		t->nr_allocs++;
		t->pages_allocated += pages;
		t->allocs_by_order[ev->order]++;
		break;
	case TRACE_FREE:
		t->nr_frees++;
		t->pages_freed += pages;
		break;
	case TRACE_TOUCH:
		t->nr_touches++;
		break;
	case TRACE_WAIT:
		t->nr_waits++;
		break;
	case TRACE_FREE_HELD:
		t->nr_held_frees++;
		break;
	case TRACE_KMALLOC:
	case TRACE_CACHE_ALLOC:
		t->nr_object_allocs++;
		break;
	case TRACE_OBJECT_FREE:
		t->nr_object_frees++;
		break;
	case TRACE_CMA_ALLOC:
		t->nr_cma_allocs += !(ev->flags & TRACE_F_FAILED);
		break;
	case TRACE_CMA_RELEASE:
		t->nr_cma_releases++;
		break;
	case TRACE_SPLIT:
	case TRACE_FILE:
	case TRACE_VMALLOC:
	case TRACE_VFREE:
	case TRACE_KMAP:
	case TRACE_KUNMAP:
	case TRACE_STEP:
	case TRACE_HOTPLUG:
	case TRACE_CALL:
		break;
	}
}

int trace_append(struct trace *t, const struct trace_event *ev)
{
	struct trace_event *room;

	if (ev->order > MAX_PAGE_ORDER)
		return -EINVAL;
	room = trace_room(t, 1);
	if (!room)
		return -ENOMEM;
	*room = *ev;
	trace_added(t, 1);
	return 0;
}

int trace_append_failed(struct trace *t, struct trace_event *ev)
{
	ev->page = TRACE_NO_PAGE;
	ev->flags |= TRACE_F_FAILED;
	return trace_append(t, ev);
}

void trace_added(struct trace *t, size_t nr)
{
	for (; nr; nr--)
		count(t, &t->events[t->nr_events++]);
}

int trace_add_step(struct trace *t, const char *text, uint32_t *index)
{
	char **grown;

	if (t->nr_steps == TRACE_MAX_STEPS)
		return -ENOSPC;
	grown = realloc(t->steps, (t->nr_steps + 1) * sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	t->steps = grown;
	grown[t->nr_steps] = strdup(text);
	if (!grown[t->nr_steps])
		return -ENOMEM;
	*index = t->nr_steps++;
	return 0;
}

static bool same_policy(const struct trace_policy *a, const struct trace_policy *b)
{
	return a->mm.mode == b->mm.mode && a->mm.relative == b->mm.relative &&
	       a->mm.home_nid == b->mm.home_nid && a->scope == b->scope &&
	       memcmp(&a->mm.nodes, &b->mm.nodes, sizeof(a->mm.nodes)) == 0;
}

int trace_add_policy(struct trace *t, const struct trace_policy *policy, uint16_t *index)
{
	/* Backwards: who asks again mostly asks for one of the last. */
	for (uint32_t i = t->nr_policies; i-- > 0;)
		if (same_policy(&t->policies[i], policy)) {
			*index = (uint16_t)i;
			return 0;
		}
	if (t->nr_policies == TRACE_MAX_POLICIES)
		return -ENOSPC;
	if (t->nr_policies == t->policies_room) {
		size_t room = t->policies_room * 2;
		struct trace_policy *grown = realloc(t->policies, room * sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		t->policies = grown;
		t->policies_room = room;
	}
	*index = (uint16_t)t->nr_policies;
	t->policies[t->nr_policies++] = *policy;
	return 0;
}

bool trace_cache_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (c && strchr("_.:()-", c));
}

int trace_add_cache(struct trace *t, const struct trace_cache *cache, uint32_t *index)
{
	struct trace_cache *grown;

	for (uint32_t i = 0; i < t->nr_caches; i++)
		if (t->caches[i].size == cache->size && t->caches[i].room == cache->room &&
		    !strcmp(t->caches[i].name, cache->name)) {
			*index = i;
			return 0;
		}
	if (t->nr_caches == TRACE_MAX_CACHES)
		return -ENOSPC;
	grown = realloc(t->caches, (t->nr_caches + 1) * sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	t->caches = grown;
	*index = t->nr_caches;
	t->caches[t->nr_caches++] = *cache;
	return 0;
}

int trace_set_pfn(struct trace *t, uint32_t page, pfn_t pfn)
{
	int err = trace_pfns_room(t, (size_t)page + 1);

	if (err)
		return err;
	while (t->nr_pfns <= page)
		t->pfns[t->nr_pfns++] = TRACE_NO_PFN;
	t->pfns[page] = pfn;
	return 0;
}

const struct trace_event *trace_moved_from(const struct trace *t, size_t i)
{
	const struct trace_event *ev = &t->events[i], *from = ev + 1;

	if (ev->op != TRACE_ALLOC || !(ev->flags & TRACE_F_INFERRED) ||
	    !(ev->flags & TRACE_F_MIGRATE) || ev->page == TRACE_NO_PAGE || i + 1 == t->nr_events ||
	    from->cpu != ev->cpu)
		return NULL;
	return from->op == TRACE_FREE || from->op == TRACE_FREE_HELD ? from : NULL;
}

int trace_append_move(struct trace *t, const struct trace_move *move)
{
	struct trace_move *room = trace_moves_room(t, 1);

	if (!room)
		return -ENOMEM;
	*room = *move;
	room->event = (uint32_t)t->nr_events;
	t->nr_moves++;
	return 0;
}

void trace_skip(struct trace *t, enum trace_skip why)
{
	t->skipped[why]++;
}

uint32_t trace_line_number(const struct stream_line *line)
{
	return line->number < UINT32_MAX ? line->number : UINT32_MAX;
}

void trace_unreadable(struct trace *t, const struct stream_line *line)
{
	if (!t->skipped[TRACE_SKIP_UNREADABLE]++) {
		trace_printable(t->first_unreadable, sizeof(t->first_unreadable), line->text,
				line->len);
		t->first_unreadable_line = trace_line_number(line);
	}
}

const char *trace_printable(char *out, size_t size, const char *text, size_t len)
{
	size_t n = len < size ? len : size - 1;

	for (size_t i = 0; i < n; i++)
		out[i] = text[i] >= ' ' && text[i] <= '~' ? text[i] : '?';
	if (n < len)
		memset(out + n - 3, '.', 3);
	out[n] = 0;
	return out;
}

/*
 * The format that the beginning of the text is in, or NULL. A line that is cut off there may look
 * like another format's.
 */
static const struct trace_reader *find_reader(const char *text, size_t len)
{
	const char *newline = len < STREAM_MAX_LINE ? NULL : memrchr(text, '\n', len);
	const struct trace_reader *found = NULL;
	enum trace_probe best = TRACE_PROBE_NO;

	if (newline)
		len = (size_t)(newline + 1 - text);
	for (unsigned i = 0; trace_reader_kinds[i]; i++) {
		enum trace_probe probe = trace_reader_kinds[i]->probe(text, len);

		if (probe > best) {
			best = probe;
			found = trace_reader_kinds[i];
		}
	}
	return found;
}

/* The message names the first line with anything on it, and every format there is. */
static int no_reader(const char *name, const char *text, size_t len, struct diag *diag)
{
	char found[64], known[512] = "";
	unsigned line = 1;
	size_t line_len = 0;

	while (len && (*text == '\n' || *text == '\r')) {
		line += *text == '\n';
		text++;
		len--;
	}
	while (line_len < len && text[line_len] != '\n' && text[line_len] != '\r')
		line_len++;
	for (unsigned i = 0; trace_reader_kinds[i]; i++) {
		strncat(known, i ? ", " : "", sizeof(known) - strlen(known) - 1);
		strncat(known, trace_reader_kinds[i]->expected, sizeof(known) - strlen(known) - 1);
	}
	if (!len)
		return diag_error(diag, -EINVAL, name, line,
				  "found the end of the file, expected one of: %s", known);
	trace_printable(found, sizeof(found), text, line_len);
	return diag_error(diag, -EINVAL, name, line, "found \"%s\", expected one of: %s", found,
			  known);
}

int trace_read_lines(struct stream *s, const struct trace_progress *progress, trace_line_fn *take,
		     void *state, struct trace *t, struct diag *diag)
{
	struct stream_line line;
	int got, err = 0;

	while (!err && (got = stream_next(s, diag, &line)) != 0) {
		err = got < 0 ? got : take(state, &line, t, diag);
		t->nr_lines++;
		if (progress && line.number % PROGRESS_LINES == 0)
			progress->report(progress->arg, stream_bytes_used(s),
					 stream_bytes_total(s));
	}
	if (progress && !err)
		progress->report(progress->arg, stream_bytes_used(s), stream_bytes_total(s));
	return err;
}

/* Give back what the events' array has too much of. */
static void trim(struct trace *t)
{
	struct trace_event *less;

	if (!t->nr_events)
		return;
	less = realloc(t->events, t->nr_events * sizeof(*less));
	if (less) {
		t->events = less;
		t->events_room = t->nr_events;
	}
}

/* The rules have been applied: to what? */
static int check_rules(struct trace *t, struct diag *diag)
{
	if (!t->rules)
		return 0;
	if (!t->names_tasks)
		return diag_error(diag, -EINVAL, t->file, 0,
				  "%s traces name no tasks that policies could be given to",
				  t->format);
	policy_rules_warn(t->rules, diag);
	t->rules = NULL;
	return 0;
}

/* Read all of `s`, and close it. */
static int read_trace(struct stream *s, const struct trace_hints *hints,
		      const struct trace_progress *progress, struct diag *diag, struct trace **out)
{
	const struct trace_reader *reader;
	struct trace *t = NULL;
	const char *text;
	size_t len;
	int err = stream_peek(s, diag, &text, &len);

	if (err)
		goto out_close;
	reader = find_reader(text, len);
	if (!reader) {
		err = no_reader(stream_name(s), text, len, diag);
		goto out_close;
	}
	t = trace_new(stream_name(s));
	if (!t) {
		err = -ENOMEM;
		goto out_close;
	}
	t->format = reader->name;
	t->compression = stream_compression(s);
	t->rules = hints->rules;
	t->release = hints->release;
	t->release_assumed = hints->release_assumed;
	err = reader->read(s, progress, t, diag);
	if (!err)
		err = check_rules(t, diag);
	if (err)
		goto out_free;
	trim(t);
	*out = t;
	goto out_close;

out_free:
	trace_free(t);
out_close:
	stream_close(s);
	return err;
}

int trace_load(const char *path, const struct trace_progress *progress, struct diag *diag,
	       struct trace **out)
{
	struct stream *s;
	int err = stream_open(path, diag, &s);

	return err ? err : read_trace(s, &(struct trace_hints){0}, progress, diag, out);
}

int trace_load_with(const char *path, const struct trace_hints *hints,
		    const struct trace_progress *progress, struct diag *diag, struct trace **out)
{
	struct stream *s;
	int err = stream_open(path, diag, &s);

	return err ? err : read_trace(s, hints, progress, diag, out);
}

int trace_parse(const void *data, size_t len, const char *name, struct diag *diag,
		struct trace **out)
{
	struct stream *s;
	int err = stream_open_memory(data, len, name, diag, &s);

	return err ? err : read_trace(s, &(struct trace_hints){0}, NULL, diag, out);
}

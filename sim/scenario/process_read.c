/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The steps of processes in scenario files. Which keys a step takes is in one table; ranges and
 * children are known by name, and one that is not there when the step comes is refused.
 */
#include "sim/scenario/process_read.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "mm/user/user.h"
#include "sim/trace/trace.h"

#define MAX_PROCESSES 1024
#define MAX_NAMES     256 /* ranges that a process has at once, and children */
#define MAX_DEPTH     16  /* of forks in forks: the file is read by recursion */

static const char *const advices[MM_NR_ADVICES + 1] = {
	[MM_ADVICE_HUGEPAGE] = "hugepage",
	[MM_ADVICE_NOHUGEPAGE] = "nohugepage",
	[MM_ADVICE_COLLAPSE] = "collapse",
};

static const char *const *keys_of(enum process_do what)
{
	static const char *const keys[PROCESS_NR_STATEMENTS][14] = {
		[PROCESS_MMAP] = {"do", "range", "bytes", "file", "offset", "shared", "madvise",
				  "hugetlb", "hugepagesz", "policy", NULL},
		[PROCESS_MUNMAP] = {"do", "range", "offset", "bytes", NULL},
		[PROCESS_TOUCH] = {"do", "range", "offset", "bytes", "access", "operations",
				   "passes", "stride", "touch", "write", NULL},
		[PROCESS_READ] = {"do", "file", "offset", "bytes", "access", "operations", "passes",
				  "touch", "readahead", NULL},
		[PROCESS_WRITE] = {"do", "file", "offset", "bytes", "access", "operations",
				   "passes", "touch", NULL},
		[PROCESS_FORK] = {"do", "name", "cpus", "steps", NULL},
		[PROCESS_WAIT] = {"do", "name", NULL},
		[PROCESS_EXEC] = {"do", NULL},
		[PROCESS_MLOCK] = {"do", "range", "offset", "bytes", NULL},
		[PROCESS_MUNLOCK] = {"do", "range", "offset", "bytes", NULL},
		[PROCESS_MADVISE] = {"do", "range", "offset", "bytes", "advice", NULL},
		[PROCESS_MBIND] = {"do", "range", "offset", "bytes", "policy", "move", NULL},
		[PROCESS_SET_POLICY] = {"do", "policy", NULL},
		[PROCESS_RUN_ON] = {"do", "cpus", NULL},
		[PROCESS_MIGRATE_PAGES] = {"do", "node", NULL},
		[PROCESS_SLEEP] = {"do", "time", NULL},
		[PROCESS_STAT] = {"do", "directory", "files", "access", "operations", "passes",
				  NULL},
		[PROCESS_EXIT] = {"do", NULL},
	};

	return keys[what];
}

/* What a process has when a step of it comes. */
struct context {
	uint32_t process, cpus;
	struct {
		const char *name;
		uint64_t bytes;
	} ranges[MAX_NAMES];
	unsigned nr_ranges;
	struct {
		const char *name;
		uint32_t process;
	} children[MAX_NAMES];
	unsigned nr_children, depth;
	bool over; /* it has exited */
};

struct reader {
	struct cfg *c;
	struct workload *w;
	struct trace *t;
	struct process_plan *plan;
	int err;
};

static bool failed(struct reader *r, uint32_t index)
{
	if (index == PROCESS_NONE)
		r->err = -ENOMEM;
	return index == PROCESS_NONE;
}

static uint64_t page_bytes(const struct reader *r)
{
	return r->w->host->page_bytes;
}

static bool whole_pages(struct reader *r, const struct cfg_setting *s, uint64_t *bytes)
{
	if (!cfg_size(r->c, s, bytes))
		return false;
	if (*bytes % page_bytes(r))
		cfg_error(r->c, s, "not a multiple of the page, %" PRIu64 " bytes", page_bytes(r));
	return true;
}

/* Offset and bytes within something that has `room` bytes; bytes are the rest where not said. */
static void read_part(struct reader *r, const struct cfg_setting *group, uint64_t room,
		      struct process_step *s)
{
	const struct cfg_setting *offset = cfg_find(r->c, group, "offset");
	const struct cfg_setting *bytes = cfg_find(r->c, group, "bytes");

	whole_pages(r, offset, &s->offset);
	if (s->offset >= room) {
		cfg_error(r->c, offset, "past the end: there are %" PRIu64 " bytes", room);
		return;
	}
	s->bytes = room - s->offset;
	if (!whole_pages(r, bytes, &s->bytes))
		return;
	if (!s->bytes || s->bytes > room - s->offset)
		cfg_error(r->c, bytes, "%s: from %" PRIu64 " on there are %" PRIu64 " bytes",
			  s->bytes ? "past the end" : "nothing", s->offset, room - s->offset);
}

/* Its index among the context's; -1: none of that name. */
static int find_range(struct reader *r, const struct cfg_setting *group, struct context *x)
{
	const struct cfg_setting *s = cfg_need(r->c, group, "range");
	const char *names[MAX_NAMES + 1] = {NULL}, *text;
	unsigned index;

	for (unsigned i = 0; i < x->nr_ranges; i++)
		names[i] = x->ranges[i].name;
	if (!x->nr_ranges && cfg_string(r->c, s, &text)) {
		cfg_error(r->c, s, "'%.60s': the process has no range; expected mmap before", text);
		return -1;
	}
	return cfg_choice(r->c, s, "range", names, &index) ? (int)index : -1;
}

static void read_touch(struct reader *r, const struct cfg_setting *group, struct process_step *s)
{
	const struct cfg_setting *touch = cfg_find(r->c, group, "touch");

	if (cfg_size(r->c, touch, &s->touch) && (!s->touch || s->touch > page_bytes(r)))
		cfg_error(r->c, touch, "expected 1 B to a page, %" PRIu64 " bytes", page_bytes(r));
}

/* How often, and in which order: `unit` bytes an access. */
static void read_accesses(struct reader *r, const struct cfg_setting *group, struct process_step *s,
			  uint64_t unit)
{
	static const char *const names[] = {"sequential", "random", "strided",
					    "shuffled",   "zipf",   NULL};
	const struct cfg_setting *operations = cfg_find(r->c, group, "operations");
	const struct cfg_setting *stride = cfg_find(r->c, group, "stride");
	uint64_t passes = 1;
	unsigned access = 0;

	cfg_choice(r->c, cfg_find(r->c, group, "access"), "access", names, &access);
	s->access = (enum process_access)access;
	if (s->access == PROCESS_STRIDED && s->what != PROCESS_TOUCH)
		cfg_error(r->c, cfg_find(r->c, group, "access"), "only memory is touched strided");
	if (stride && s->access != PROCESS_STRIDED)
		cfg_error(r->c, stride, "only with access = \"strided\"");
	s->stride = page_bytes(r);
	if (cfg_size(r->c, stride, &s->stride) && !s->stride)
		cfg_error(r->c, stride, "expected 1 B at least");
	if (s->access == PROCESS_STRIDED && s->stride)
		unit = s->stride;
	if (operations && cfg_find(r->c, group, "passes"))
		cfg_error(r->c, operations, "either operations or passes, not both");
	cfg_integer(r->c, cfg_find(r->c, group, "passes"), 1, WORKLOAD_MAX_PASSES, &passes);
	s->operations = (s->bytes + unit - 1) / unit;
	if (s->operations > WORKLOAD_MAX_OPERATIONS / passes)
		cfg_error(r->c, group, "more than %d accesses", WORKLOAD_MAX_OPERATIONS);
	s->operations *= passes;
	cfg_integer(r->c, operations, 1, WORKLOAD_MAX_OPERATIONS, &s->operations);
	s->seed = rng_next(&r->w->rng);
}

static void read_policy(struct reader *r, const struct cfg_setting *group, struct process_step *s,
			enum trace_policy_scope scope)
{
	const struct cfg_setting *policy = cfg_find(r->c, group, "policy");

	s->has_policy = policy != NULL;
	workload_read_policy(r->c, policy, r->w->host, r->t, scope, &s->policy);
}

static void read_mmap(struct reader *r, const struct cfg_setting *group, struct context *x,
		      struct process_step *s)
{
	const struct cfg_setting *range = cfg_need(r->c, group, "range");
	const struct cfg_setting *bytes = cfg_need(r->c, group, "bytes");
	const char *name, *file;

	cfg_bool(r->c, cfg_find(r->c, group, "shared"), &s->shared);
	cfg_bool(r->c, cfg_find(r->c, group, "madvise"), &s->advised);
	cfg_bool(r->c, cfg_find(r->c, group, "hugetlb"), &s->hugetlb);
	read_policy(r, group, s, TRACE_POLICY_RANGE);
	whole_pages(r, cfg_find(r->c, group, "offset"), &s->offset);
	if (whole_pages(r, bytes, &s->bytes) && !s->bytes)
		cfg_error(r->c, bytes, "nothing to map");
	workload_read_huge(r->c, cfg_find(r->c, group, "hugepagesz"), r->w->host, s->hugetlb,
			   &s->huge_bytes);
	if (s->hugetlb && s->bytes % s->huge_bytes)
		cfg_error(r->c, bytes, "not a multiple of a huge page, %" PRIu64 " bytes",
			  s->huge_bytes);
	if (cfg_string(r->c, cfg_find(r->c, group, "file"), &file))
		failed(r, s->file = process_plan_name(r->plan, file));
	if (s->hugetlb && (s->file != PROCESS_NONE || s->shared))
		cfg_error(r->c, group, "pages of the pool are private, and of no file");
	if (s->file == PROCESS_NONE && s->offset)
		cfg_error(r->c, cfg_find(r->c, group, "offset"), "only with a file");
	if (!cfg_string(r->c, range, &name))
		return;
	for (unsigned i = 0; i < x->nr_ranges; i++)
		if (!strcmp(x->ranges[i].name, name))
			cfg_error(r->c, range, "the process has a range '%.60s' already", name);
	if (x->nr_ranges == MAX_NAMES) {
		cfg_error(r->c, range, "more than %d ranges", MAX_NAMES);
		return;
	}
	x->ranges[x->nr_ranges].name = name;
	x->ranges[x->nr_ranges++].bytes = s->bytes;
	failed(r, s->name = process_plan_name(r->plan, name));
}

/* A part of a range, or all of it. */
static void read_range(struct reader *r, const struct cfg_setting *group, struct context *x,
		       struct process_step *s)
{
	int i = find_range(r, group, x);

	if (i < 0)
		return;
	failed(r, s->name = process_plan_name(r->plan, x->ranges[i].name));
	read_part(r, group, x->ranges[i].bytes, s);
	if (s->what == PROCESS_MUNMAP && s->bytes == x->ranges[i].bytes)
		x->ranges[i] = x->ranges[--x->nr_ranges];
}

static void read_file(struct reader *r, const struct cfg_setting *group, struct process_step *s)
{
	const uint64_t most = UINT64_C(1) << 44;
	const struct cfg_setting *bytes = cfg_need(r->c, group, "bytes");
	const struct cfg_setting *readahead = cfg_find(r->c, group, "readahead");
	uint64_t ahead;
	const char *name;

	if (cfg_string(r->c, cfg_need(r->c, group, "file"), &name))
		failed(r, s->name = process_plan_name(r->plan, name));
	if (bytes)
		read_part(r, group, most, s);
	s->touch = page_bytes(r);
	read_touch(r, group, s);
	read_accesses(r, group, s, page_bytes(r));
	s->write = s->what == PROCESS_WRITE;
	s->ahead = MM_READ_AHEAD;
	if (!cfg_size(r->c, readahead, &ahead))
		return;
	if (ahead > page_bytes(r) * 512)
		cfg_error(r->c, readahead, "more than 512 pages");
	s->ahead = (unsigned)(ahead / page_bytes(r));
}

static void read_stat(struct reader *r, const struct cfg_setting *group, struct process_step *s)
{
	const struct cfg_setting *files = cfg_need(r->c, group, "files");
	const char *name;

	if (cfg_string(r->c, cfg_need(r->c, group, "directory"), &name))
		failed(r, s->name = process_plan_name(r->plan, name));
	cfg_integer(r->c, files, 1, WORKLOAD_MAX_OPERATIONS, &s->bytes);
	for (size_t i = 0; i < r->plan->nr_steps; i++) {
		const struct process_step *other = &r->plan->steps[i];

		if (other->what == PROCESS_STAT && other->name == s->name &&
		    other->bytes != s->bytes)
			cfg_error(r->c, files, "the directory has %" PRIu64 " files elsewhere",
				  other->bytes);
	}
	read_accesses(r, group, s, 1);
}

/* CPUs of a step; those that the process runs on where nothing is said. */
static void read_cpus(struct reader *r, const struct cfg_setting *s, uint32_t *set)
{
	int *cpus;
	unsigned nr = cfg_length(s);

	if (!s || !cfg_list(r->c, s))
		return;
	if (!nr) {
		cfg_error(r->c, s, "an empty list; at least one CPU is needed");
		return;
	}
	cpus = calloc(nr, sizeof(*cpus));
	for (unsigned i = 0; cpus && i < nr; i++) {
		uint64_t cpu = 0;

		cfg_integer(r->c, cfg_element(s, i), 0, (uint64_t)r->w->host->nr_cpus - 1, &cpu);
		cpus[i] = (int)cpu;
	}
	failed(r, *set = cpus ? process_plan_cpus(r->plan, cpus, (int)nr) : PROCESS_NONE);
	free(cpus);
}

static void read_steps(struct reader *r, const struct cfg_setting *group, struct context *x);

/* The child has what the parent has. */
static void read_fork(struct reader *r, const struct cfg_setting *group, struct context *x,
		      struct process_step *s)
{
	const struct cfg_setting *name = cfg_need(r->c, group, "name");
	struct context *child;
	const char *text;

	if (!cfg_string(r->c, name, &text))
		return;
	if (x->nr_children == MAX_NAMES || r->plan->nr_processes == MAX_PROCESSES ||
	    x->depth == MAX_DEPTH) {
		cfg_error(r->c, group, "more than %d children, %d processes or %d forks in forks",
			  MAX_NAMES, MAX_PROCESSES, MAX_DEPTH);
		return;
	}
	child = malloc(sizeof(*child));
	if (!child || failed(r, s->child = process_plan_process(r->plan, text))) {
		r->err = -ENOMEM;
		free(child);
		return;
	}
	r->plan->processes[s->child].forked = true;
	r->plan->processes[s->child].parent = x->process;
	*child = *x;
	child->process = s->child;
	child->nr_children = 0;
	child->depth++;
	read_cpus(r, cfg_find(r->c, group, "cpus"), &child->cpus);
	if (!r->err)
		read_steps(r, group, child);
	free(child);
	x->children[x->nr_children].name = text;
	x->children[x->nr_children++].process = s->child;
}

static void read_wait(struct reader *r, const struct cfg_setting *group, struct context *x,
		      struct process_step *s)
{
	const struct cfg_setting *name = cfg_need(r->c, group, "name");
	const char *names[MAX_NAMES + 1] = {NULL}, *text;
	unsigned index;

	for (unsigned i = 0; i < x->nr_children; i++)
		names[i] = x->children[i].name;
	if (!x->nr_children && cfg_string(r->c, name, &text))
		cfg_error(r->c, name, "'%.60s': the process has no child; expected fork before",
			  text);
	else if (cfg_choice(r->c, name, "child", names, &index))
		s->child = x->children[index].process;
}

static void read_what(struct reader *r, const struct cfg_setting *group, struct context *x,
		      struct process_step *s)
{
	uint64_t node = 0;

	switch (s->what) {
	case PROCESS_MMAP:
		read_mmap(r, group, x, s);
		break;
	case PROCESS_TOUCH:
		read_range(r, group, x, s);
		s->touch = WORKLOAD_LINE_BYTES;
		s->write = true;
		cfg_bool(r->c, cfg_find(r->c, group, "write"), &s->write);
		read_touch(r, group, s);
		read_accesses(r, group, s, page_bytes(r));
		break;
	case PROCESS_MBIND:
		cfg_need(r->c, group, "policy");
		cfg_bool(r->c, cfg_find(r->c, group, "move"), &s->move);
		read_policy(r, group, s, TRACE_POLICY_RANGE);
		read_range(r, group, x, s);
		break;
	case PROCESS_MADVISE:
		cfg_choice(r->c, cfg_need(r->c, group, "advice"), "advice", advices, &s->advice);
		read_range(r, group, x, s);
		break;
	case PROCESS_MUNMAP:
	case PROCESS_MLOCK:
	case PROCESS_MUNLOCK:
		read_range(r, group, x, s);
		break;
	case PROCESS_READ:
	case PROCESS_WRITE:
		read_file(r, group, s);
		break;
	case PROCESS_FORK:
		read_fork(r, group, x, s);
		break;
	case PROCESS_WAIT:
		read_wait(r, group, x, s);
		break;
	case PROCESS_EXEC:
		x->nr_ranges = 0;
		break;
	case PROCESS_SET_POLICY:
		cfg_need(r->c, group, "policy");
		read_policy(r, group, s, TRACE_POLICY_TASK);
		break;
	case PROCESS_RUN_ON:
		read_cpus(r, cfg_need(r->c, group, "cpus"), &x->cpus);
		s->cpus = x->cpus;
		break;
	case PROCESS_MIGRATE_PAGES:
		cfg_integer(r->c, cfg_need(r->c, group, "node"), 0,
			    (uint64_t)r->w->host->nr_nodes - 1, &node);
		s->nid = (int)node;
		break;
	case PROCESS_STAT:
		read_stat(r, group, s);
		break;
	case PROCESS_SLEEP:
		cfg_time(r->c, cfg_need(r->c, group, "time"), &s->time_ps);
		break;
	default:
		x->over = true;
	}
}

static void read_step(struct reader *r, const struct cfg_setting *group, struct context *x)
{
	const char *names[PROCESS_NR_STATEMENTS + 1] = {NULL};
	struct process_step s = {.process = x->process,
				 .cpus = x->cpus,
				 .name = PROCESS_NONE,
				 .file = PROCESS_NONE,
				 .child = PROCESS_NONE};
	unsigned what;

	if (!cfg_group(r->c, group))
		return;
	for (unsigned i = 0; i < PROCESS_NR_STATEMENTS; i++)
		names[i] = process_do_name(i);
	if (!cfg_choice(r->c, cfg_need(r->c, group, "do"), "step", names, &what))
		return;
	s.what = (enum process_do)what;
	cfg_keys(r->c, group, keys_of(s.what));
	if (x->over) {
		cfg_error(r->c, group, "a step after exit");
		return;
	}
	read_what(r, group, x, &s);
	if (!r->err && !cfg_status(r->c))
		failed(r, process_plan_step(r->plan, &s));
}

static void read_steps(struct reader *r, const struct cfg_setting *group, struct context *x)
{
	const struct cfg_setting *steps = cfg_need(r->c, group, "steps");

	if (!steps || !cfg_list(r->c, steps))
		return;
	if (!cfg_length(steps))
		cfg_error(r->c, steps, "an empty list; at least one step is needed");
	for (unsigned i = 0; i < cfg_length(steps) && !r->err; i++)
		read_step(r, cfg_element(steps, i), x);
}

int process_read(struct cfg *c, const struct cfg_setting *group, struct workload *w,
		 struct trace *t, uint32_t *first)
{
	struct reader r = {.c = c, .w = w, .t = t, .plan = process_plan_of(t)};
	struct context *x = calloc(1, sizeof(*x));
	const char *name = "process";
	int nr = cfg_find(c, group, "cpus") ? w->nr_cpus : 1;

	if (!r.plan || !x) {
		free(x);
		return -ENOMEM;
	}
	if (!w->nr_cpus) {
		free(x);
		return 0;
	}
	cfg_string(c, cfg_find(c, group, "name"), &name);
	if (!failed(&r, x->process = process_plan_process(r.plan, name)) &&
	    !failed(&r, x->cpus = process_plan_cpus(r.plan, w->cpus, nr))) {
		*first = x->process;
		workload_read_policy(c, cfg_find(c, group, "policy"), w->host, t, TRACE_POLICY_TASK,
				     &r.plan->processes[x->process].policy);
		read_steps(&r, group, x);
	}
	free(x);
	return r.err;
}

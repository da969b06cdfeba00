/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads scenario files and turns their workloads into a trace. What a workload does is in its
 * kind's file in workload/; this one reads the keys that they share.
 */
#include "sim/scenario/scenario.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "mm/gfp.h"
#include "mm/vmalloc/vm_map.h"
#include "sim/machine/hotplug.h"
#include "sim/scenario/generate.h"

#define MAX_WORKLOADS 64

static const char *const own_keys[] = {"description", "machine",   "costs", "seed",
				       "workload",    "workloads", NULL};

bool scenario_owns(const struct machine_override *set)
{
	for (int i = 1; own_keys[i]; i++) {
		size_t len = strlen(own_keys[i]);

		if (!strncmp(set->path, own_keys[i], len) && strchr(".[", set->path[len]))
			return true;
	}
	return false;
}

/* A path in the file is relative to the file. */
static char *beside(const char *file, const char *path)
{
	const char *slash = strrchr(file, '/');
	size_t dir = slash && path[0] != '/' ? (size_t)(slash - file) + 1 : 0;
	char *joined = malloc(dir + strlen(path) + 1);

	if (joined) {
		memcpy(joined, file, dir);
		strcpy(joined + dir, path);
	}
	return joined;
}

static void read_top(struct scenario *s)
{
	const struct cfg_setting *root = cfg_root(s->cfg);
	const char *text = "";

	cfg_keys(s->cfg, root, own_keys);
	cfg_string(s->cfg, cfg_find(s->cfg, root, "description"), &text);
	s->description = strdup(text);
	if (cfg_string(s->cfg, cfg_need(s->cfg, root, "machine"), &text))
		s->machine = beside(s->file, text);
	if (cfg_string(s->cfg, cfg_find(s->cfg, root, "costs"), &text))
		s->costs = beside(s->file, text);
	cfg_integer(s->cfg, cfg_find(s->cfg, root, "seed"), 0, INT64_MAX, &s->seed);
	if (!cfg_find(s->cfg, root, "workloads"))
		cfg_need(s->cfg, root, "workload");
	else if (cfg_find(s->cfg, root, "workload"))
		cfg_error(s->cfg, cfg_find(s->cfg, root, "workload"),
			  "either workload or workloads, not both");
}

int scenario_load(const char *path, const struct machine_override *sets, size_t nr_sets,
		  struct diag *diag, struct scenario **out)
{
	struct scenario *s = calloc(1, sizeof(*s));
	int err;

	if (!s)
		return -ENOMEM;
	s->seed = 1;
	s->file = strdup(path);
	err = s->file ? cfg_load(path, diag, &s->cfg) : -ENOMEM;
	for (size_t i = 0; i < nr_sets && !err; i++)
		if (scenario_owns(&sets[i]))
			err = cfg_set(s->cfg, sets[i].path, sets[i].value);
	if (!err) {
		read_top(s);
		err = cfg_status(s->cfg);
	}
	if (!err && (!s->description || !s->machine))
		err = -ENOMEM;
	if (err) {
		scenario_free(s);
		return err;
	}
	*out = s;
	return 0;
}

void scenario_free(struct scenario *s)
{
	if (!s)
		return;
	cfg_free(s->cfg);
	free(s->file);
	free(s->description);
	free(s->machine);
	free(s->costs);
	free(s);
}

/* One workload group being read. */
struct reader {
	struct cfg *cfg;
	const struct cfg_setting *group;
	struct workload *w;
};

static const struct cfg_setting *find(const struct reader *r, const char *key)
{
	return cfg_find(r->cfg, r->group, key);
}

/* One value or several with their weights. */
static void read_mix(struct reader *r, const char *key, struct workload_mix *mix,
		     bool (*parse)(const char *, struct workload_mix *, char *, size_t))
{
	const struct cfg_setting *s = find(r, key);
	const char *text;
	char wrong[256];

	if (cfg_string(r->cfg, s, &text) && !parse(text, mix, wrong, sizeof(wrong)))
		cfg_error(r->cfg, s, "%s", wrong);
}

/* A list of CPU or node numbers below `limit`; without the key all of them. */
static int *read_numbers(struct reader *r, const char *key, int limit, const char *what, int *nr)
{
	const struct cfg_setting *s = find(r, key);
	unsigned length = s ? cfg_length(s) : (unsigned)limit;
	int *numbers;

	*nr = 0;
	if (s && !cfg_list(r->cfg, s))
		return NULL;
	if (s && !length) {
		cfg_error(r->cfg, s, "an empty list; at least one %s is needed", what);
		return NULL;
	}
	numbers = calloc(length ? length : 1, sizeof(*numbers));
	if (!numbers) {
		cfg_no_memory(r->cfg);
		return NULL;
	}
	for (unsigned i = 0; i < length; i++) {
		uint64_t number = i;

		if (s)
			cfg_integer(r->cfg, cfg_element(s, i), 0, (uint64_t)limit - 1, &number);
		numbers[(*nr)++] = (int)number;
	}
	return numbers;
}

static void read_order(struct reader *r, const char *key, unsigned *order)
{
	uint64_t value;

	if (cfg_integer(r->cfg, find(r, key), 0, MAX_PAGE_ORDER, &value))
		*order = (unsigned)value;
}

/* Bytes to allocate, and no other key that says how much. */
static void read_bytes(struct reader *r)
{
	const struct cfg_setting *bytes = find(r, "bytes");

	if (cfg_size(r->cfg, bytes, &r->w->bytes) && !r->w->bytes)
		cfg_error(r->cfg, bytes, "nothing to allocate");
	if (bytes && find(r, "beyond"))
		cfg_error(r->cfg, bytes, "either bytes or beyond, not both");
	if (bytes && find(r, "operations") && !r->w->kind->runs_only)
		cfg_error(r->cfg, bytes, "either bytes or operations, not both");
}

static void read_touch(struct reader *r)
{
	const struct cfg_setting *touch = find(r, "touch");

	if (cfg_size(r->cfg, touch, &r->w->touch_bytes) &&
	    r->w->touch_bytes > r->w->host->page_bytes)
		cfg_error(r->cfg, touch, "%" PRIu64 " bytes are more than a page",
			  r->w->touch_bytes);
}

static void read_policy(struct reader *r, struct trace *t, const char *key,
			enum trace_policy_scope scope, uint16_t *index)
{
	workload_read_policy(r->cfg, find(r, key), r->w->host, t, scope, index);
}

/* A task that uses so much memory of its own, in an order or none. */
static void read_access(struct reader *r)
{
	static const char *const accesses[] = {"sequential", "random", NULL};
	struct workload *w = r->w;
	unsigned access = 0;

	if (!workload_takes(w->kind, "access"))
		return;
	cfg_need(r->cfg, r->group, "bytes");
	cfg_choice(r->cfg, find(r, "access"), "access", accesses, &access);
	w->random = access;
	if (!find(r, "operations"))
		w->operations = 0; /* each page once a pass */
	else if (!w->random)
		cfg_error(r->cfg, find(r, "operations"), "only with access = \"random\"");
	if (w->nr_cpus &&
	    w->bytes / w->host->page_bytes > WORKLOAD_MAX_OPERATIONS / (uint64_t)w->nr_cpus)
		cfg_error(r->cfg, find(r, "bytes"), "more than %d pages, of all tasks",
			  WORKLOAD_MAX_OPERATIONS);
	cfg_integer(r->cfg, find(r, "passes"), 1, WORKLOAD_MAX_PASSES, &w->passes);
	if (cfg_size(r->cfg, find(r, "readahead"), &w->readahead) &&
	    w->readahead / w->host->page_bytes > UINT16_MAX)
		cfg_error(r->cfg, find(r, "readahead"), "more than %d pages", UINT16_MAX);
}

/* A task that faults memory in. */
static void read_fault(struct reader *r, struct trace *t)
{
	struct workload *w = r->w;

	cfg_bool(r->cfg, find(r, "madvise"), &w->advised);
	cfg_bool(r->cfg, find(r, "hugetlb"), &w->hugetlb);
	workload_read_huge(r->cfg, find(r, "hugepagesz"), w->host, w->hugetlb, &w->pool_bytes);
	cfg_bool(r->cfg, find(r, "unmap"), &w->unmap);
	read_policy(r, t, "policy", TRACE_POLICY_TASK, &w->task_policy);
	w->memory_policy = w->task_policy;
	read_policy(r, t, "range_policy", TRACE_POLICY_RANGE, &w->memory_policy);
}

/* Tasks that use kmalloc(). */
static void read_slab(struct reader *r, struct trace *t)
{
	struct workload *w = r->w;

	if (!workload_takes(w->kind, "sizes"))
		return;
	w->on_nodes = find(r, "nodes");
	if (!find(r, "gfp"))
		w->gfp = (struct workload_mix){1, 1, {{1, GFP_KERNEL}}};
	w->sizes = (struct workload_mix){1, 1, {{1, 128}}};
	read_mix(r, "sizes", &w->sizes, workload_parse_sizes);
	if (find(r, "free_cpus"))
		w->free_cpus =
			read_numbers(r, "free_cpus", w->host->nr_cpus, "CPU", &w->nr_free_cpus);
	if (w->on_nodes && find(r, "policy"))
		cfg_error(r->cfg, find(r, "policy"), "either nodes or policy, not both");
	read_policy(r, t, "policy", TRACE_POLICY_TASK, &w->task_policy);
}

/* Mappings of the kernel. They live a while, or are many at once, only where that is said. */
static void read_maps(struct reader *r)
{
	static const char *const areas[] = {"vmalloc", "huge", "contiguous", NULL};
	static const char *const windows[] = {"kmap", "local", NULL};
	bool kmap = workload_takes(r->w->kind, "leak");
	const struct cfg_setting *live = find(r, "live");
	unsigned method = 0;

	if (!workload_takes(r->w->kind, "method"))
		return;
	cfg_need(r->cfg, r->group, "bytes");
	cfg_choice(r->cfg, find(r, "method"), "method", kmap ? windows : areas, &method);
	r->w->method = (enum workload_method)(method + (kmap ? WORKLOAD_KMAP : WORKLOAD_VMALLOC));
	cfg_integer(r->cfg, find(r, "leak"), 0, WORKLOAD_MAX_OPERATIONS, &r->w->leak);
	if (!kmap)
		r->w->gfp = (struct workload_mix){1, 1, {{1, GFP_KERNEL}}};
	if (!live)
		r->w->live = kmap ? 1 : WORKLOAD_LIVE_AREAS;
	if (r->w->method == WORKLOAD_KMAP_LOCAL && r->w->live > MM_KMAP_SLOTS)
		cfg_error(r->cfg, live, "a CPU has %d slots", MM_KMAP_SLOTS);
	if (r->w->method == WORKLOAD_CONTIGUOUS && r->w->bytes > r->w->host->page_bytes
									 << MAX_PAGE_ORDER)
		cfg_error(r->cfg, find(r, "bytes"), "more than the largest block has");
	if (r->w->bytes / r->w->host->page_bytes > WORKLOAD_MAX_OPERATIONS)
		cfg_error(r->cfg, find(r, "bytes"), "more than %d pages", WORKLOAD_MAX_OPERATIONS);
}

/* Steps of memory hotplug, which are checked here. */
static void read_steps(struct reader *r)
{
	const struct cfg_setting *list;
	struct workload *w = r->w;

	/* Processes have steps, too, and others. */
	if (!workload_takes(w->kind, "pause"))
		return;
	list = cfg_list(r->cfg, cfg_need(r->cfg, r->group, "steps"));
	cfg_time(r->cfg, find(r, "after"), &w->after_ps);
	cfg_time(r->cfg, find(r, "pause"), &w->pause_ps);
	if (list && (!cfg_length(list) || cfg_length(list) > WORKLOAD_MAX_STEPS))
		cfg_error(r->cfg, list, "%u steps; 1 to %d are possible", cfg_length(list),
			  WORKLOAD_MAX_STEPS);
	for (unsigned i = 0; list && i < cfg_length(list) && !cfg_status(r->cfg); i++) {
		const struct cfg_setting *s = cfg_element(list, i);
		struct mm_hotplug_step step;
		char wrong[512];

		if (!cfg_string(r->cfg, s, &w->steps[i]))
			return;
		if (hotplug_parse(w->steps[i], &step, wrong, sizeof(wrong)))
			cfg_error(r->cfg, s, "%s", wrong);
		w->nr_steps = i + 1;
	}
}

static const char *const order_keys[] = {"order", "max_order", NULL};

static void read_workload(struct reader *r)
{
	struct workload *w = r->w;
	struct cfg *c = r->cfg;

	read_mix(r, "gfp", &w->gfp, workload_parse_gfp);
	read_mix(r, "orders", &w->orders, workload_parse_orders);
	w->cpus = read_numbers(r, "cpus", w->host->nr_cpus, "CPU", &w->nr_cpus);
	w->nodes = read_numbers(r, "nodes", w->host->nr_nodes, "node", &w->nr_nodes);
	read_bytes(r);
	cfg_size(c, find(r, "beyond"), &w->beyond);
	cfg_integer(c, find(r, "operations"), 1, WORKLOAD_MAX_OPERATIONS, &w->operations);
	cfg_integer(c, find(r, "live"), 1, WORKLOAD_MAX_OPERATIONS, &w->live);
	cfg_integer(c, find(r, "burst"), 1, WORKLOAD_MAX_OPERATIONS, &w->burst);
	for (const char *const *key = order_keys; *key; key++)
		if (find(r, "orders") && find(r, *key))
			cfg_error(c, find(r, *key), "either %s or orders, not both", *key);
	read_order(r, "order", &w->order);
	read_order(r, "max_order", &w->max_order);
	cfg_bool(c, find(r, "write"), &w->writes);
	read_touch(r);
}

/* Its kind, and no key that the kind does not take. */
static bool read_kind(struct reader *r)
{
	const char *names[32] = {NULL}, *keys[32] = {"kind"};
	unsigned kind;

	for (int i = 0; workload_kinds[i] && i < 31; i++)
		names[i] = workload_kinds[i]->name;
	if (!cfg_choice(r->cfg, cfg_need(r->cfg, r->group, "kind"), "workload", names, &kind))
		return false;
	r->w->kind = workload_kinds[kind];
	for (int i = 0; r->w->kind->keys[i] && i < 30; i++)
		keys[i + 1] = r->w->kind->keys[i];
	cfg_keys(r->cfg, r->group, keys);
	return true;
}

/* Refuse what is too much before memory is taken for it. */
static int check_room(struct reader *r, const struct trace *t)
{
	uint64_t operations = r->w->kind->operations(r->w);

	if (operations > WORKLOAD_MAX_OPERATIONS - t->nr_events)
		cfg_error(r->cfg, r->group,
			  "%" PRIu64 " operations (allocations, touches and frees); at most %d are "
			  "possible in all workloads",
			  operations, WORKLOAD_MAX_OPERATIONS);
	return cfg_status(r->cfg);
}

static int generate_one(const struct scenario *s, const struct workload_host *host,
			const struct cfg_setting *setting, struct rng *rng, struct trace *t)
{
	struct workload w = workload_default();
	struct reader r = {s->cfg, cfg_group(s->cfg, setting), &w};
	int err;

	w.host = host;
	w.rng.state = rng_next(rng);
	if (r.group && read_kind(&r)) {
		read_workload(&r);
		read_access(&r);
		read_fault(&r, t);
		read_slab(&r, t);
		read_maps(&r);
		read_steps(&r);
	}
	err = cfg_status(s->cfg);
	if (!err && w.kind->read)
		err = w.kind->read(s->cfg, r.group, &w, t);
	w.plan = t->processes;
	w.kernel = t->kernel;
	if (!err)
		err = cfg_status(s->cfg);
	if (!err)
		err = check_room(&r, t);
	if (!err)
		err = w.kind->generate(&w, t);
	free(w.cpus);
	free(w.free_cpus);
	free(w.nodes);
	return err;
}

int scenario_generate(const struct scenario *s, const struct machine *m, struct diag *diag,
		      struct trace **out)
{
	const struct cfg_setting *root = cfg_root(s->cfg);
	const struct cfg_setting *list = cfg_find(s->cfg, root, "workloads");
	struct rng rng = {s->seed};
	struct trace *t = trace_new(s->file);
	struct workload_host host;
	int err = workload_host_of_machine(&host, m);

	if (!t)
		err = -ENOMEM;
	if (!err && !list)
		err = generate_one(s, &host, cfg_find(s->cfg, root, "workload"), &rng, t);
	if (!err && list && cfg_list(s->cfg, list)) {
		if (!cfg_length(list) || cfg_length(list) > MAX_WORKLOADS)
			cfg_error(s->cfg, list, "%u workloads; 1 to %d are possible",
				  cfg_length(list), MAX_WORKLOADS);
		err = cfg_status(s->cfg);
		for (unsigned i = 0; i < cfg_length(list) && !err; i++)
			err = generate_one(s, &host, cfg_element(list, i), &rng, t);
	}
	if (!err)
		err = cfg_status(s->cfg);
	if (err == -ENOMEM)
		diag_error(diag, err, s->file, 0, "its workloads need more memory than there is");
	workload_host_clear(&host);
	if (err) {
		trace_free(t);
		return err;
	}
	*out = t;
	return 0;
}

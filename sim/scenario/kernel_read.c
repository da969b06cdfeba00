/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls of the kernel's functions in scenario files. Which keys a call takes is in one table; a
 * name stands for what the last call before gave it, and has to be of a kind that the function
 * takes. It goes on to stand for that when it was given back: giving it back twice is a mistake
 * that a scenario may want to show.
 */
#include "sim/scenario/kernel_read.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "mm/mm.h"
#include "sim/config/gfp_parse.h"
#include "sim/show/show.h"
#include "sim/trace/trace.h"

#define MAX_NAMES 256
#define MAX_CALLS 4096
#define MAX_NR    65536 /* of a call */
#define MAX_BYTES (UINT64_C(1) << 44)
#define MAX_TOUCH (UINT64_C(64) << 20)

/* "!": needed. */
#define GETS  "name!", "gfp", "node"
#define MANY  GETS, "nr"
#define SIZED MANY, "bytes!"

static const char *const *keys_of(enum kernel_do what)
{
	static const char *const keys[KERNEL_NR_CALLS][12] = {
		[KERNEL_ALLOC_PAGES] = {MANY, "order"},
		[KERNEL_ALLOC_PAGES_BULK] = {GETS, "nr!"},
		[KERNEL_ALLOC_CONTIG_PAGES] = {GETS, "nr!"},
		[KERNEL_CMA_ALLOC] = {"name!", "nr!", "order"},
		[KERNEL_CMA_RELEASE] = {"of!"},
		[KERNEL_FREE_CONTIG_RANGE] = {"of!"},
		[KERNEL___FREE_PAGES] = {"of!", "order", "every"},
		[KERNEL_SPLIT_PAGE] = {"of!"},
		[KERNEL_DUMP_PAGE] = {"of!", "every"},
		[KERNEL_PAGE_ADDRESS] = {"of!", "every"},
		[KERNEL_SYSCTL] = {"key!", "value!"},
		[KERNEL_SHOW] = {"view!"},
		[KERNEL_GET_FREE_PAGES] = {MANY, "order"},
		[KERNEL_GET_ZEROED_PAGE] = {MANY},
		[KERNEL_ALLOC_PAGES_EXACT] = {SIZED},
		[KERNEL_FREE_PAGES] = {"of!", "order", "offset", "every"},
		[KERNEL_FREE_PAGES_EXACT] = {"of!", "every"},
		[KERNEL_KMALLOC] = {SIZED},
		[KERNEL_KZALLOC] = {SIZED},
		[KERNEL_KREALLOC] = {"of!", "bytes!", "gfp", "every"},
		[KERNEL_KSIZE] = {"of!"},
		[KERNEL_KFREE] = {"of!", "offset", "every"},
		[KERNEL_CACHE_CREATE] = {"name!", "cache!", "bytes!", "align", "flags"},
		[KERNEL_CACHE_ALLOC] = {MANY, "of!"},
		[KERNEL_CACHE_FREE] = {"of!", "from", "offset", "every"},
		[KERNEL_CACHE_SHRINK] = {"of!"},
		[KERNEL_CACHE_DESTROY] = {"of!"},
		[KERNEL_CACHE_VALIDATE] = {"of!"},
		[KERNEL_VMALLOC] = {SIZED},
		[KERNEL_VZALLOC] = {SIZED},
		[KERNEL_VMALLOC_USER] = {SIZED},
		[KERNEL_VMALLOC_HUGE] = {SIZED},
		[KERNEL_VFREE] = {"of!", "offset", "every"},
		[KERNEL_VMAP] = {"name!", "of!"},
		[KERNEL_VUNMAP] = {"of!", "offset", "every"},
		[KERNEL_VMALLOC_TO_PAGE] = {"name!", "of!", "offset"},
		[KERNEL_KMAP] = {"name", "of!"},
		[KERNEL_KUNMAP] = {"of!", "every"},
		[KERNEL_KMAP_LOCAL] = {"name!", "of!"},
		[KERNEL_KUNMAP_LOCAL] = {"of!"},
		[KERNEL_KMAP_ATOMIC] = {"name!", "of!"},
		[KERNEL_KUNMAP_ATOMIC] = {"of!"},
		[KERNEL_MSLEEP] = {"time!"},
		[KERNEL_TOUCH] = {"of!", "offset", "bytes", "write", "every"},
	};

	return keys[what];
}

static const struct {
	enum kernel_kind kind;
	const char *text;
} kinds[] = {
	{KERNEL_PAGES, "pages"},
	{KERNEL_LOWMEM, "an address of the direct mapping"},
	{KERNEL_OBJECT, "an object"},
	{KERNEL_CACHE, "a slab cache"},
	{KERNEL_AREA, "an address of vmalloc()"},
	{KERNEL_MAP, "pages that are mapped"},
};

#define NR_KINDS (sizeof(kinds) / sizeof(kinds[0]))

struct reader {
	struct cfg *c;
	struct workload *w;
	struct kernel_plan *plan;
	const struct cfg_setting *group; /* of the call */
	struct {
		const char *text;
		enum kernel_kind kind;
	} names[MAX_NAMES];
	unsigned nr_names;
	uint32_t first_name; /* its number in the plan */
	int err;
};

static const struct cfg_setting *find(const struct reader *r, const char *key)
{
	return cfg_find(r->c, r->group, key);
}

/* No other keys than the table's, and those of them that are needed. */
static void check_keys(struct reader *r, enum kernel_do what)
{
	const char *known[16] = {"do"};
	char texts[12][16];
	const char *const *keys = keys_of(what);

	for (int i = 0; keys[i]; i++) {
		size_t len = strcspn(keys[i], "!");

		memcpy(texts[i], keys[i], len);
		texts[i][len] = 0;
		known[i + 1] = texts[i];
		if (keys[i][len])
			cfg_need(r->c, r->group, texts[i]);
	}
	cfg_keys(r->c, r->group, known);
}

static const char *kind_text(enum kernel_kind kind)
{
	for (size_t i = 0; i < NR_KINDS; i++)
		if (kinds[i].kind == kind)
			return kinds[i].text;
	return "nothing";
}

/* A name that some call before made, of one of the kinds; KERNEL_NONE, with the error recorded. */
static uint32_t find_name(struct reader *r, const struct cfg_setting *s, enum kernel_do what,
			  unsigned needs)
{
	const char *names[MAX_NAMES + 1] = {NULL}, *text;
	char expected[256] = "";
	unsigned i;

	if (!r->nr_names && cfg_string(r->c, s, &text)) {
		cfg_error(r->c, s, "'%.60s': no call before gives anything a name", text);
		return KERNEL_NONE;
	}
	for (i = 0; i < r->nr_names; i++)
		names[i] = r->names[i].text;
	if (!cfg_choice(r->c, s, "name", names, &i))
		return KERNEL_NONE;
	if (r->names[i].kind & needs)
		return r->first_name + i;
	for (size_t k = 0; k < NR_KINDS; k++)
		if (kinds[k].kind & needs) {
			strcat(expected, *expected ? ", or " : "");
			strcat(expected, kinds[k].text);
		}
	cfg_error(r->c, s, "'%.60s' is %s; %s() takes %s", names[i], kind_text(r->names[i].kind),
		  kernel_do_name(what), expected);
	return KERNEL_NONE;
}

static uint32_t make_name(struct reader *r, const struct cfg_setting *s, enum kernel_kind kind)
{
	const char *text;
	unsigned i;

	if (!cfg_string(r->c, s, &text))
		return KERNEL_NONE;
	for (i = 0; i < r->nr_names && strcmp(r->names[i].text, text); i++)
		;
	if (i == MAX_NAMES) {
		cfg_error(r->c, s, "more than %d names", MAX_NAMES);
		return KERNEL_NONE;
	}
	if (i == r->nr_names)
		r->nr_names++;
	r->names[i].text = text;
	r->names[i].kind = kind;
	return r->first_name + i;
}

static void read_gfp(struct reader *r, struct kernel_call *call)
{
	const struct cfg_setting *s = find(r, "gfp");
	const char *text;
	char wrong[256];

	call->gfp = GFP_KERNEL;
	if (cfg_string(r->c, s, &text) && !gfp_parse(text, &call->gfp, wrong, sizeof(wrong)))
		cfg_error(r->c, s, "%s", wrong);
}

/* "SLAB_HWCACHE_ALIGN|SLAB_POISON" */
static void read_flags(struct reader *r, const struct cfg_setting *s, unsigned *flags)
{
	static const struct {
		const char *name;
		unsigned flag;
	} known[] = {
		{"SLAB_CONSISTENCY_CHECKS", MM_SLAB_CONSISTENCY},
		{"SLAB_RED_ZONE", MM_SLAB_RED_ZONE},
		{"SLAB_POISON", MM_SLAB_POISON},
		{"SLAB_STORE_USER", MM_SLAB_STORE_USER},
		{"SLAB_HWCACHE_ALIGN", MM_SLAB_HWCACHE_ALIGN},
		{"SLAB_CACHE_DMA", MM_SLAB_CACHE_DMA},
		{"SLAB_RECLAIM_ACCOUNT", MM_SLAB_RECLAIM_ACCOUNT},
		{"SLAB_TYPESAFE_BY_RCU", MM_SLAB_RCU},
		{"SLAB_ACCOUNT", MM_SLAB_ACCOUNT},
	};
	const char *text;

	if (!cfg_string(r->c, s, &text))
		return;
	while (*text) {
		size_t len = strcspn(text, "|"), i = 0, nr = sizeof(known) / sizeof(known[0]);

		while (i < nr &&
		       (strlen(known[i].name) != len || strncmp(known[i].name, text, len)))
			i++;
		if (i == nr) {
			cfg_error(r->c, s,
				  "unknown flag '%.*s'; expected SLAB_HWCACHE_ALIGN, "
				  "SLAB_RECLAIM_ACCOUNT, SLAB_CACHE_DMA, SLAB_TYPESAFE_BY_RCU, "
				  "SLAB_ACCOUNT, SLAB_CONSISTENCY_CHECKS, SLAB_RED_ZONE, "
				  "SLAB_POISON or SLAB_STORE_USER",
				  (int)(len < 60 ? len : 60), text);
			return;
		}
		*flags |= known[i].flag;
		text += len + (text[len] == '|');
	}
}

static void read_cache(struct reader *r, struct kernel_call *call)
{
	const struct cfg_setting *name = find(r, "cache"), *align = find(r, "align");
	uint64_t bytes = 0;
	const char *text;

	read_flags(r, find(r, "flags"), &call->flags);
	if (cfg_size(r->c, align, &bytes) &&
	    (!bytes || bytes & (bytes - 1) || bytes > r->w->host->page_bytes))
		cfg_error(r->c, align, "not a power of two, up to a page");
	call->align = (uint32_t)bytes;
	if (!cfg_string(r->c, name, &text))
		return;
	for (const char *p = text; *p; p++)
		if (!trace_cache_letter(*p)) {
			cfg_error(r->c, name,
				  "'%.60s' is no name of a slab cache: letters, "
				  "digits and \"_.:()-\"",
				  text);
			return;
		}
	if (!*text || strlen(text) >= MM_SLAB_NAME)
		cfg_error(r->c, name, "expected 1 to %d characters", MM_SLAB_NAME - 1);
	call->text = kernel_plan_text(r->plan, text);
	if (call->text == KERNEL_NONE)
		r->err = -ENOMEM;
}

/* Sizes, within what the function takes: what it refuses itself may be asked for. */
static void read_sizes(struct reader *r, struct kernel_call *call)
{
	const struct cfg_setting *bytes = find(r, "bytes"), *offset = find(r, "offset");
	uint64_t most = MAX_BYTES, order;

	if (call->what == KERNEL_CACHE_CREATE || call->what == KERNEL_KREALLOC)
		most = UINT32_MAX;
	if (call->what == KERNEL_TOUCH) {
		call->bytes = WORKLOAD_LINE_BYTES;
		most = MAX_TOUCH;
	}
	if (cfg_size(r->c, bytes, &call->bytes) && call->bytes > most)
		cfg_error(r->c, bytes, "more than %" PRIu64 " bytes", most);
	if (call->what == KERNEL_TOUCH && !call->bytes)
		cfg_error(r->c, bytes, "nothing to touch");
	if (cfg_size(r->c, offset, &call->offset) && call->offset > MAX_BYTES)
		cfg_error(r->c, offset, "more than %" PRIu64 " bytes", MAX_BYTES);
	cfg_integer(r->c, find(r, "nr"), 1, MAX_NR, &call->nr);
	cfg_integer(r->c, find(r, "every"), 1, MAX_NR, &call->every);
	if (call->what == KERNEL_ALLOC_CONTIG_PAGES && call->nr & (call->nr - 1))
		cfg_error(r->c, find(r, "nr"), "not a power of two");
	call->has_order = cfg_integer(r->c, find(r, "order"), 0, MAX_PAGE_ORDER, &order);
	call->order = call->has_order ? (unsigned)order : 0;
}

static void keep_text(struct reader *r, const char *key, uint32_t *index)
{
	const char *text;

	if (!cfg_string(r->c, find(r, key), &text))
		return;
	*index = kernel_plan_text(r->plan, text);
	if (*index == KERNEL_NONE)
		r->err = -ENOMEM;
}

static const char *sysctl_name(unsigned i, void *arg)
{
	(void)arg;
	return mm_sysctl_name(i);
}

/* Whether the kernel takes the value shows when it is written. */
static void read_sysctl(struct reader *r, struct kernel_call *call)
{
	const struct cfg_setting *s = find(r, "key");
	const char *key, *nearest;
	unsigned i = 0;

	keep_text(r, "value", &call->text);
	if (!cfg_string(r->c, s, &key) || !strncmp(key, "node", 4) ||
	    !strncmp(key, "hugepages-", 10))
		return;
	while (mm_sysctl_name(i) && strcmp(mm_sysctl_name(i), key))
		i++;
	if (mm_sysctl_name(i))
		return;
	nearest = diag_nearest(key, sysctl_name, NULL);
	cfg_error(r->c, s, "unknown sysctl '%.60s'%s%s%s", key, nearest ? ", did you mean '" : "",
		  nearest ? nearest : "", nearest ? "'?" : "");
}

static const char *view_name(unsigned i, void *arg)
{
	(void)arg;
	return show_kinds[i] ? show_kinds[i]->name : NULL;
}

static void read_view(struct reader *r, struct kernel_call *call)
{
	const struct cfg_setting *s = find(r, "view");
	const char *text, *nearest;
	struct show_request view;
	char why[256];
	int err;

	keep_text(r, "view", &call->text);
	if (!cfg_string(r->c, s, &text))
		return;
	err = show_parse(text, &view, why, sizeof(why));
	if (err == -EINVAL)
		cfg_error(r->c, s, "%s", why);
	if (err != -ENOENT)
		return;
	nearest = diag_nearest(text, view_name, NULL);
	cfg_error(r->c, s, "unknown view '%.60s'%s%s%s", text, nearest ? ", did you mean '" : "",
		  nearest ? nearest : "", nearest ? "'?" : "");
}

static void read_call(struct reader *r)
{
	const char *names[KERNEL_NR_CALLS + 1] = {NULL};
	struct kernel_call call = {
		.name = KERNEL_NONE,
		.of = KERNEL_NONE,
		.from = KERNEL_NONE,
		.about = KERNEL_NONE,
		.text = KERNEL_NONE,
		.nr = 1,
		.nid = MM_NO_NODE,
	};
	uint64_t node;
	unsigned what;

	for (unsigned i = 0; i < KERNEL_NR_CALLS; i++)
		names[i] = kernel_do_name(i);
	if (!cfg_choice(r->c, cfg_need(r->c, r->group, "do"), "function", names, &what))
		return;
	call.what = (enum kernel_do)what;
	check_keys(r, call.what);
	read_gfp(r, &call);
	read_sizes(r, &call);
	if (call.what == KERNEL_CACHE_CREATE)
		read_cache(r, &call);
	if (cfg_integer(r->c, find(r, "node"), 0, (uint64_t)r->w->host->nr_nodes - 1, &node))
		call.nid = (int)node;
	cfg_bool(r->c, find(r, "write"), &call.write);
	cfg_time(r->c, find(r, "time"), &call.time_ps);
	if (find(r, "of"))
		call.of = find_name(r, find(r, "of"), call.what, kernel_do_needs(call.what));
	if (find(r, "from"))
		call.from = find_name(r, find(r, "from"), call.what, KERNEL_CACHE);
	if (find(r, "name"))
		call.name = make_name(r, find(r, "name"), kernel_do_makes(call.what));
	if (call.what == KERNEL_SYSCTL)
		read_sysctl(r, &call);
	if (call.what == KERNEL_SHOW)
		read_view(r, &call);
	/* For reports, and which sysctl it is. */
	keep_text(r, find(r, "of") ? "of" : find(r, "key") ? "key" : "name", &call.about);
	if (!r->err && !cfg_status(r->c) && kernel_plan_call(r->plan, &call) == KERNEL_NONE)
		r->err = -ENOMEM;
}

int kernel_read(struct cfg *c, const struct cfg_setting *group, struct workload *w, struct trace *t,
		uint32_t *first, uint32_t *nr)
{
	const struct cfg_setting *list = cfg_list(c, cfg_need(c, group, "calls"));
	struct reader r = {.c = c, .w = w, .plan = kernel_plan_of(t)};

	if (!r.plan)
		return -ENOMEM;
	r.first_name = r.plan->nr_names;
	*first = (uint32_t)r.plan->nr_calls;
	if (list && (!cfg_length(list) || cfg_length(list) > MAX_CALLS))
		cfg_error(c, list, "%u calls; 1 to %d are possible", cfg_length(list), MAX_CALLS);
	for (unsigned i = 0; i < cfg_length(list) && !r.err && !cfg_status(c); i++) {
		r.group = cfg_group(c, cfg_element(list, i));
		if (r.group)
			read_call(&r);
	}
	r.plan->nr_names += r.nr_names;
	*nr = (uint32_t)r.plan->nr_calls - *first;
	return r.err;
}

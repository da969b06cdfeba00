/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes traces richer, event by event. Pages get new numbers, in the order in which they come; what
 * became of each is kept until it is freed. Where nothing is mixed in, events stay as they are, and
 * so do their times, which have random numbers of their own.
 */
#include "sim/scenario/mix_in.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WAIT_PS UINT64_C(10000000)

/* What a page of the workload is in the trace. */
struct mix_page {
	uint32_t page, half; /* half: the upper one of a block that was split */
	gfp_t gfp;
	uint8_t migratetype;
	bool is_object, is_split;
};

static const struct {
	const char *name, *what;
} ins[] = {
#define X(id, name, what) {name, what},
	MIX_INS(X)
#undef X
};

const char *mix_in_name(unsigned i)
{
	return i < MIX_NR_INS ? ins[i].name : NULL;
}

const char *mix_in_what(unsigned i)
{
	return i < MIX_NR_INS ? ins[i].what : NULL;
}

static const char *candidate(unsigned i, void *arg)
{
	(void)arg;
	return mix_in_name(i);
}

/* "slab:20" */
static bool parse_part(char *part, struct mix_ins *mix, char *wrong, size_t size)
{
	char *colon = strchr(part, ':'), *end = NULL;
	unsigned long percent = 0;
	const char *nearest;
	unsigned i = 0;

	if (colon)
		*colon++ = '\0';
	while (i < MIX_NR_INS && strcmp(ins[i].name, part) != 0)
		i++;
	if (i == MIX_NR_INS) {
		nearest = diag_nearest(part, candidate, NULL);
		snprintf(wrong, size, "unknown name '%.40s'%s%s%s", part,
			 nearest ? ", did you mean '" : "; expected NAME:PERCENT, as in slab:20",
			 nearest ? nearest : "", nearest ? "'?" : "");
		return false;
	}
	if (colon && colon[0] >= '0' && colon[0] <= '9')
		percent = strtoul(colon, &end, 10);
	if (!end || *end || !percent || percent > 100) {
		snprintf(wrong, size,
			 "'%s' needs a share, as in %s:20: from 1 to 100 percent%s%.40s%s", part,
			 part, colon ? ", found '" : "", colon ? colon : "", colon ? "'" : "");
		return false;
	}
	if (mix->percent[i]) {
		snprintf(wrong, size, "'%s' is there twice", part);
		return false;
	}
	mix->percent[i] = (unsigned)percent;
	return true;
}

bool mix_in_parse(const char *text, struct mix_ins *mix, char *wrong, size_t size)
{
	char *copy = strdup(text);
	bool good = copy;

	*mix = (struct mix_ins){0};
	if (!copy)
		snprintf(wrong, size, "no memory");
	for (char *part = copy, *next; good && part; part = next) {
		next = strchr(part, ',');
		if (next)
			*next++ = '\0';
		good = parse_part(part, mix, wrong, size);
	}
	free(copy);
	return good;
}

/* No random number is taken for what is not mixed in. */
static bool draw(struct mix_run *x, enum mix_in what)
{
	unsigned percent = x->mix->percent[what];

	return percent && rng_below(&x->rng, 100) < percent;
}

static struct trace_policy like(enum mm_policy_mode mode)
{
	return (struct trace_policy){.mm = {.mode = (uint8_t)mode, .home_nid = MM_NO_NODE},
				     .scope = TRACE_POLICY_TASK};
}

/* Over all nodes in turn; on one of them; on one if there is room; on those of a set if. */
static int make_policies(struct mix_run *x)
{
	static const enum mm_policy_mode modes[] = {MM_POLICY_INTERLEAVE, MM_POLICY_BIND,
						    MM_POLICY_PREFERRED, MM_POLICY_PREFERRED_MANY};
	int err = 0;

	for (unsigned i = 0; i < sizeof(modes) / sizeof(*modes) && !err; i++) {
		struct trace_policy p = like(modes[i]);
		int one = (int)rng_below(&x->rng, (uint64_t)x->host->nr_nodes);

		for (int nid = 0; nid < x->host->nr_nodes; nid++)
			if (nid == one || modes[i] == MM_POLICY_INTERLEAVE ||
			    (modes[i] == MM_POLICY_PREFERRED_MANY && nid % 2 == 0))
				p.mm.nodes.bits[nid / 64] |= UINT64_C(1) << (nid % 64);
		err = trace_add_policy(x->to, &p, &x->policies[x->nr_policies++]);
	}
	return err;
}

/* As in Debian's 6.1: bytes of an object, and what it takes. */
static int make_caches(struct mix_run *x)
{
	static const struct trace_cache caches[] = {
		{"dentry", 192, 192}, {"filp", 232, 256}, {"inode_cache", 608, 608}};
	int err = 0;

	for (unsigned i = 0; i < sizeof(caches) / sizeof(*caches) && !err; i++)
		err = trace_add_cache(x->to, &caches[i], &x->caches[i]);
	return err;
}

int mix_begin(struct mix_run *x, const struct trace *from)
{
	int err;

	x->pages = calloc((size_t)from->nr_pages + 1, sizeof(*x->pages));
	err = x->pages ? 0 : -ENOMEM;
	if (!err && x->mix->percent[MIX_IN_POLICY])
		err = make_policies(x);
	if (!err && x->mix->percent[MIX_IN_SLAB])
		err = make_caches(x);
	return err;
}

void mix_end(struct mix_run *x)
{
	free(x->pages);
	x->pages = NULL;
}

/* Each interval is uniform between 0 and twice the mean. */
int mix_append(struct mix_run *x, struct trace_event ev)
{
	if (x->most && x->nr == x->most)
		return 0;
	x->nr++;
	if (ev.op == TRACE_WAIT)
		return trace_append(x->to, &ev);
	ev.time_ps = x->time_ps;
	if (x->interval_ps)
		x->time_ps += rng_below(x->interval, 2 * x->interval_ps + 1);
	return trace_append(x->to, &ev);
}

static int wait_before(struct mix_run *x, const struct trace_event *ev)
{
	return mix_append(x, (struct trace_event){.op = TRACE_WAIT,
						  .page = TRACE_NO_PAGE,
						  .cpu = ev->cpu,
						  .time_ps = rng_below(&x->rng, 2 * WAIT_PS + 1)});
}

static int failed_like(struct mix_run *x, const struct trace_event *ev)
{
	struct trace_event failed = *ev;

	failed.page = TRACE_NO_PAGE;
	failed.flags = TRACE_F_FAILED;
	return mix_append(x, failed);
}

static uint8_t reclaim_flags(struct mix_run *x)
{
	if (!draw(x, MIX_IN_RECLAIM))
		return 0;
	return TRACE_F_RECLAIM | (rng_below(&x->rng, 2) ? TRACE_F_KSWAPD : 0);
}

/* Of one that nobody in the trace has allocated. */
static int free_before(struct mix_run *x, const struct trace_event *ev)
{
	return mix_append(x, (struct trace_event){.op = TRACE_FREE_HELD,
						  .page = x->to->nr_pages,
						  .cpu = ev->cpu,
						  .order = (uint8_t)rng_below(&x->rng, 4),
						  .flags = reclaim_flags(x)});
}

/* Large enough to be touched as the block would have been. */
static int alloc_object(struct mix_run *x, const struct trace_event *ev)
{
	unsigned cache = (unsigned)rng_below(&x->rng, 3);
	uint64_t bytes = UINT64_C(8) << rng_below(&x->rng, 10);
	struct trace_event object = {
		.op = TRACE_KMALLOC, .page = x->to->nr_pages, .cpu = ev->cpu, .gfp = GFP_KERNEL};

	if (rng_below(&x->rng, 2) && x->touch_bytes <= x->to->caches[x->caches[cache]].size) {
		object.op = TRACE_CACHE_ALLOC;
		object.bytes = x->caches[cache];
	} else {
		object.bytes = (uint32_t)(bytes > x->touch_bytes ? bytes : x->touch_bytes);
	}
	x->pages[ev->page] = (struct mix_page){.page = object.page, .is_object = true};
	return mix_append(x, object);
}

static void choose_node(struct mix_run *x, struct trace_event *ev)
{
	uint64_t nodes = (uint64_t)x->host->nr_nodes;

	if (draw(x, MIX_IN_NODE))
		trace_event_set_nid(ev, (int)rng_below(&x->rng, nodes));
	if (draw(x, MIX_IN_POLICY)) {
		unsigned i = (unsigned)rng_below(&x->rng, x->nr_policies);

		trace_event_set_policy(ev, x->policies[i],
				       i ? 0 : (uint32_t)rng_below(&x->rng, nodes));
	}
	if (draw(x, MIX_IN_MOBILITY))
		ev->migratetype =
			(uint8_t)((ev->migratetype + 1 + rng_below(&x->rng, 2)) % MM_NR_PCPTYPES);
}

static int alloc(struct mix_run *x, const struct trace_event *from)
{
	struct mix_page *p = &x->pages[from->page];
	struct trace_event ev = *from;
	int err = 0;

	if (draw(x, MIX_IN_FAILED))
		err = failed_like(x, from);
	if (!err && draw(x, MIX_IN_BEFORE))
		err = free_before(x, from);
	if (err)
		return err;
	if (!ev.order && draw(x, MIX_IN_SLAB))
		return alloc_object(x, from);
	choose_node(x, &ev);
	ev.page = x->to->nr_pages;
	*p = (struct mix_page){.page = ev.page, .gfp = ev.gfp, .migratetype = ev.migratetype};
	err = mix_append(x, ev);
	if (err || !ev.order || !draw(x, MIX_IN_SPLIT))
		return err;
	p->is_split = true;
	p->half = x->to->nr_pages;
	return mix_append(x, (struct trace_event){.op = TRACE_SPLIT,
						  .page = p->half,
						  .bytes = p->page,
						  .cpu = ev.cpu,
						  .order = (uint8_t)(ev.order - 1)});
}

/* The target first, then the old one goes. */
static int move(struct mix_run *x, const struct trace_event *ev, struct mix_page *p)
{
	struct trace_event old = {
		.op = TRACE_FREE, .page = p->page, .cpu = ev->cpu, .order = ev->order};
	struct trace_event target = {.op = TRACE_ALLOC,
				     .page = x->to->nr_pages,
				     .cpu = ev->cpu,
				     .order = ev->order,
				     .gfp = p->gfp,
				     .migratetype = p->migratetype,
				     .flags = TRACE_F_MIGRATE};
	int err = mix_append(x, target);

	p->page = target.page;
	return err ? err : mix_append(x, old);
}

static int give_back(struct mix_run *x, const struct trace_event *from)
{
	struct mix_page *p = &x->pages[from->page];
	struct trace_event ev = *from;
	int err = 0;

	if (p->is_object)
		return mix_append(x, (struct trace_event){.op = TRACE_OBJECT_FREE,
							  .page = p->page,
							  .cpu = ev.cpu});
	if (!p->is_split && draw(x, MIX_IN_MOVE))
		err = move(x, from, p);
	ev.flags |= reclaim_flags(x);
	ev.page = p->page;
	ev.order = (uint8_t)(ev.order - p->is_split);
	if (!err)
		err = mix_append(x, ev);
	ev.page = p->half;
	return err || !p->is_split ? err : mix_append(x, ev);
}

static int touch(struct mix_run *x, struct trace_event ev)
{
	ev.page = x->pages[ev.page].page;
	if (draw(x, MIX_IN_READ))
		ev.write = 0;
	return mix_append(x, ev);
}

int mix_event(struct mix_run *x, const struct trace_event *ev)
{
	int err = draw(x, MIX_IN_WAIT) ? wait_before(x, ev) : 0;

	if (err)
		return err;
	switch ((enum trace_op)ev->op) {
	case TRACE_ALLOC:
		return alloc(x, ev);
	case TRACE_FREE:
		return give_back(x, ev);
	case TRACE_TOUCH:
		return touch(x, *ev);
	default:
		return mix_append(x, *ev);
	}
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Traces in numasim's own format. Reading back what is written gives the same events: allocations
 * are named by their numbers, and a time is written where it differs from the line before.
 */
#include <inttypes.h>
#include <string.h>

#include "mm/gfp.h"
#include "sim/config/units.h"
#include "sim/trace/native.h"
#include "sim/trace/writer.h"

struct writer {
	FILE *out;
	const struct trace *trace;
	uint64_t last_ps;
	/* The flags of the last allocation as text: most are like the one before. */
	gfp_t gfp;
	char gfp_text[768]; /* every name of gfp_print() at once takes fewer */
};

static const char *gfp_text(struct writer *w, gfp_t gfp)
{
	if (!w->gfp_text[0] || w->gfp != gfp) {
		w->gfp = gfp;
		gfp_print(gfp, w->gfp_text, sizeof(w->gfp_text));
	}
	return w->gfp_text;
}

/* Where the page was, on the real machine. */
static void write_pfn(struct writer *w, const struct trace_event *ev)
{
	pfn_t pfn = trace_pfn(w->trace, ev->page);

	if (pfn != TRACE_NO_PFN)
		fprintf(w->out, " pfn=0x%" PRIx64, pfn);
}

/* Who it is, where that is somebody who reclaims. */
static void write_by(struct writer *w, const struct trace_event *ev)
{
	if (ev->flags & TRACE_F_RECLAIM)
		fputs(ev->flags & TRACE_F_KSWAPD ? " by=" NATIVE_KSWAPD : " by=" NATIVE_RECLAIM,
		      w->out);
}

static void write_alloc(struct writer *w, const struct trace_event *ev)
{
	if (ev->flags & TRACE_F_FAILED)
		fprintf(w->out, "alloc " NATIVE_NO_PAGE);
	else
		fprintf(w->out, "alloc %" PRIu32, ev->page);
	fprintf(w->out, " order=%u gfp=%s", ev->order, gfp_text(w, ev->gfp));
	if (ev->migratetype != gfp_migratetype(ev->gfp) && ev->migratetype < MM_NR_PCPTYPES)
		fprintf(w->out, " mobility=%s", native_mobilities[ev->migratetype]);
	if (trace_event_nid(ev) != MM_NO_NODE)
		fprintf(w->out, " node=%d", trace_event_nid(ev));
	if (ev->policy)
		fprintf(w->out, " policy=%u", ev->policy);
	if (trace_event_turn(ev))
		fprintf(w->out, " turn=%" PRIu32, trace_event_turn(ev));
	if (ev->flags & TRACE_F_MIGRATE)
		fputs(" for=" NATIVE_MIGRATION, w->out);
	if (ev->flags & TRACE_F_SLAB)
		fputs(" for=" NATIVE_SLAB, w->out);
	write_by(w, ev);
	write_pfn(w, ev);
}

/* Behind its size. */
static void write_object_keys(struct writer *w, const struct trace_event *ev)
{
	fprintf(w->out, " gfp=%s", gfp_text(w, ev->gfp));
	if (trace_object_nid(ev) != MM_NO_NODE)
		fprintf(w->out, " node=%d", trace_object_nid(ev));
	else if (ev->policy)
		fprintf(w->out, " policy=%u", ev->policy);
}

static void write_object(struct writer *w, const struct trace_event *ev)
{
	const struct trace_cache *cache = NULL;

	fputs(ev->op == TRACE_KMALLOC ? "kmalloc " : "cache_alloc ", w->out);
	if (ev->flags & TRACE_F_FAILED)
		fputs(NATIVE_NO_PAGE, w->out);
	else
		fprintf(w->out, "%" PRIu32, ev->page);
	if (ev->op == TRACE_CACHE_ALLOC)
		cache = &w->trace->caches[ev->bytes];
	if (cache)
		fprintf(w->out, " cache=%s size=%" PRIu32 " room=%" PRIu32,
			*cache->name ? cache->name : NATIVE_NO_PAGE, cache->size, cache->room);
	else
		fprintf(w->out, " bytes=%" PRIu32, ev->bytes);
	write_object_keys(w, ev);
}

static void write_cma(struct writer *w, const struct trace_event *ev)
{
	bool failed = ev->flags & TRACE_F_FAILED;

	fputs("cma_alloc ", w->out);
	if (failed)
		fputs(NATIVE_NO_PAGE, w->out);
	else
		fprintf(w->out, "%" PRIu32, ev->page);
	fprintf(w->out, " pages=%" PRIu32 " align=%" PRIu32, ev->bytes, ev->align);
	if (!failed)
		write_pfn(w, ev);
}

static void write_event(struct writer *w, const struct trace_event *ev)
{
	if (ev->op != TRACE_WAIT && ev->time_ps != w->last_ps) {
		fprintf(w->out, "%s ", units_time(ev->time_ps).text);
		w->last_ps = ev->time_ps;
	}
	fprintf(w->out, "cpu=%u ", ev->cpu);
	if (ev->flags & TRACE_F_INFERRED)
		fputs(NATIVE_INFERRED " ", w->out);
	switch (ev->op) {
	case TRACE_ALLOC:
		write_alloc(w, ev);
		break;
	case TRACE_FREE:
		fprintf(w->out, "free %" PRIu32, ev->page);
		write_by(w, ev);
		break;
	case TRACE_FREE_HELD:
		fprintf(w->out, "free " NATIVE_HELD " order=%u", ev->order);
		write_by(w, ev);
		write_pfn(w, ev);
		break;
	case TRACE_TOUCH:
		fprintf(w->out, "touch %" PRIu32 " %s %s", ev->page, ev->write ? "write" : "read",
			units_size(ev->bytes).text);
		break;
	case TRACE_SPLIT:
		fprintf(w->out, "split %" PRIu32 " %" PRIu32, ev->bytes, ev->page);
		break;
	case TRACE_KMALLOC:
	case TRACE_CACHE_ALLOC:
		write_object(w, ev);
		break;
	case TRACE_OBJECT_FREE:
		fprintf(w->out, "kfree %" PRIu32, ev->page);
		break;
	case TRACE_CMA_ALLOC:
		write_cma(w, ev);
		break;
	case TRACE_CMA_RELEASE:
		fprintf(w->out, "cma_release %" PRIu32, ev->page);
		break;
	case TRACE_HOTPLUG:
		fprintf(w->out, "hotplug %s", w->trace->steps[ev->bytes]);
		break;
	case TRACE_WAIT:
		fprintf(w->out, "wait %s", units_time(ev->time_ps).text);
		break;
	}
	putc('\n', w->out);
}

static void write_move(FILE *out, const struct trace_move *move)
{
	fprintf(out, NATIVE_MOVED " %s order=%u pfn=0x%" PRIx64 " mobility=%s%s\n",
		move->fallback ? "fallback"
		: move->taken  ? "out"
			       : "in",
		(unsigned)move->order, (uint64_t)move->pfn, native_mobilities[move->migratetype],
		move->percpu ? " list" : "");
}

int trace_write_native(const struct trace *t, FILE *out)
{
	struct writer w = {.out = out, .trace = t};
	size_t moves = 0, turns = 0;

	fprintf(out, NATIVE_MAGIC NATIVE_VERSION "\n");
	/* What cannot be seen from the events: of a trace that always was native nothing. */
	if (strcmp(trace_original_format(t), "native"))
		native_write_original(t, "", out);
	for (uint32_t i = 1; i < t->nr_policies; i++)
		native_write_policy(out, "", i, &t->policies[i]);
	for (size_t i = 0; i <= t->nr_events; i++) {
		for (; moves < t->nr_moves && t->moves[moves].event <= i; moves++)
			write_move(out, &t->moves[moves]);
		for (; i < t->nr_events && turns < t->nr_turns && t->turns[turns].event <= i;
		     turns++)
			native_write_task(
				out, t->turns[turns].task ? &t->tasks[t->turns[turns].task] : NULL);
		if (i < t->nr_events)
			write_event(&w, &t->events[i]);
	}
	return fflush(out) || ferror(out) ? -EIO : 0;
}

static int native_write(const struct trace *t, FILE *out, struct diag *diag)
{
	(void)diag;
	return trace_write_native(t, out);
}

const struct trace_writer trace_writer_native = {
	.name = "native",
	.summary = "text that people can read and edit",
	.is_text = true,
	.write = native_write,
};

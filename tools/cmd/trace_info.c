/* SPDX-License-Identifier: Apache-2.0 */
/*
 * numasim trace info: what a trace holds, and what of its lines a replay would not see.
 */
#include <errno.h>
#include <inttypes.h>

#include "sim/config/units.h"
#include "sim/trace/trace.h"
#include "tools/command.h"
#include "tools/json.h"
#include "tools/message.h"
#include "tools/output.h"
#include "tools/trace_in.h"
#include "tools/trace_policies.h"

static const char *const skip_meanings[] = {
#define X(id, name, what) what,
	TRACE_SKIPS(X)
#undef X
};

static const char *const infer_meanings[] = {
#define X(id, name, what) what,
	TRACE_INFERS(X)
#undef X
};

static bool has_pfns(const struct trace *t)
{
	return t->min_pfn <= t->max_pfn;
}

static void print_skips(const struct trace *t, FILE *out)
{
	fputs("\nlines that are no event of a replay\n", out);
	for (int i = 0; i < TRACE_NR_SKIPS; i++)
		if (t->skipped[i])
			fprintf(out, "  %12" PRIu64 "  %s\n", t->skipped[i], skip_meanings[i]);
	if (t->first_unreadable_line)
		fprintf(out, "  the first that could not be read, line %" PRIu32 ": %s\n",
			t->first_unreadable_line, t->first_unreadable);
	if (t->unknown_gfp)
		fprintf(out,
			"\n%" PRIu64 " gfp flags have names that are not known; "
			"their events are kept without them\n",
			t->unknown_gfp);
}

static void print_inferred(const struct trace *t, FILE *out)
{
	uint64_t sum = 0;

	for (int i = 0; i < TRACE_NR_INFERS; i++)
		sum += t->inferred[i];
	if (!sum)
		return;
	fputs("\nevents that have no line but follow from others\n", out);
	for (int i = 0; i < TRACE_NR_INFERS; i++)
		if (t->inferred[i])
			fprintf(out, "  %12" PRIu64 "  %s\n", t->inferred[i], infer_meanings[i]);
}

static void print_orders(const struct trace *t, FILE *out)
{
	fputs("\nallocations by order\n", out);
	for (int order = 0; order < NR_PAGE_ORDERS; order++)
		if (t->allocs_by_order[order])
			fprintf(out, "  %2d  %12" PRIu64 "\n", order, t->allocs_by_order[order]);
}

static int print_text(const struct trace *t, FILE *out)
{
	fprintf(out, "trace        %s\n", t->file);
	fprintf(out, "format       %s, compression %s\n", t->format, t->compression);
	fprintf(out, "lines        %" PRIu64 "\n", t->nr_lines);
	fprintf(out, "time span    %s\n", units_time(t->span_ps).text);
	fprintf(out, "CPUs         %d\n", t->nr_cpus);
	fprintf(out, "events       %zu\n", t->nr_events);
	fprintf(out, "  alloc      %" PRIu64 ", %" PRIu64 " pages\n", t->nr_allocs,
		t->pages_allocated);
	fprintf(out, "  failed     %" PRIu64 "\n", t->nr_failed);
	fprintf(out, "  free       %" PRIu64 ", %" PRIu64 " pages\n", t->nr_frees, t->pages_freed);
	fprintf(out, "  free       %" PRIu64 " of pages from before the window\n",
		t->nr_held_frees);
	fprintf(out, "  touch      %" PRIu64 "\n", t->nr_touches);
	fprintf(out, "  wait       %" PRIu64 "\n", t->nr_waits);
	if (t->nr_object_allocs + t->nr_object_frees)
		fprintf(out,
			"  objects    %" PRIu64 " allocated, %" PRIu64 " freed, of slabs; %" PRIu32
			" caches besides kmalloc's\n",
			t->nr_object_allocs, t->nr_object_frees, t->nr_caches);
	if (t->nr_cma_allocs + t->nr_cma_releases)
		fprintf(out,
			"  CMA        %" PRIu64 " allocated, %" PRIu64
			" released, rows of frames\n",
			t->nr_cma_allocs, t->nr_cma_releases);
	if (has_pfns(t))
		fprintf(out, "page frames  0x%" PRIx64 " to 0x%" PRIx64 "\n", t->min_pfn,
			t->max_pfn);
	print_orders(t, out);
	trace_policies_print(t, out);
	print_inferred(t, out);
	print_skips(t, out);
	return 0;
}

static json_t *skips_json(const struct trace *t)
{
	json_t *skipped = json_object();

	for (int i = 0; i < TRACE_NR_SKIPS; i++)
		json_object_set_new(skipped, trace_skip_name((enum trace_skip)i),
				    json_integer((json_int_t)t->skipped[i]));
	return skipped;
}

static json_t *inferred_json(const struct trace *t)
{
	json_t *inferred = json_object();

	for (int i = 0; i < TRACE_NR_INFERS; i++)
		json_object_set_new(inferred, trace_infer_name((enum trace_infer)i),
				    json_integer((json_int_t)t->inferred[i]));
	return inferred;
}

static json_t *orders_json(const struct trace *t)
{
	json_t *orders = json_array();

	for (int order = 0; order < NR_PAGE_ORDERS; order++)
		json_array_append_new(orders, json_integer((json_int_t)t->allocs_by_order[order]));
	return orders;
}

static json_t *pfns_json(const struct trace *t)
{
	if (!has_pfns(t))
		return json_null();
	return json_pack("{s:I, s:I}", "min", (json_int_t)t->min_pfn, "max",
			 (json_int_t)t->max_pfn);
}

static json_t *unreadable_json(const struct trace *t)
{
	if (!t->first_unreadable_line)
		return json_null();
	return json_pack("{s:I, s:o}", "line", (json_int_t)t->first_unreadable_line, "text",
			 json_text(t->first_unreadable));
}

static int print_json(const struct trace *t, FILE *out)
{
	json_t *events = json_pack(
		"{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "total",
		(json_int_t)t->nr_events, "alloc", (json_int_t)t->nr_allocs, "failed",
		(json_int_t)t->nr_failed, "free", (json_int_t)t->nr_frees, "free_before_window",
		(json_int_t)t->nr_held_frees, "touch", (json_int_t)t->nr_touches, "wait",
		(json_int_t)t->nr_waits, "object_alloc", (json_int_t)t->nr_object_allocs,
		"object_free", (json_int_t)t->nr_object_frees, "cma_alloc",
		(json_int_t)t->nr_cma_allocs, "cma_release", (json_int_t)t->nr_cma_releases);
	json_t *pages = json_pack("{s:I, s:I}", "allocated", (json_int_t)t->pages_allocated,
				  "freed", (json_int_t)t->pages_freed);

	return json_print(json_pack("{s:o, s:s, s:s, s:I, s:I, s:i, s:o, s:o, s:o, s:o, s:o, s:o, "
				    "s:o, s:I, s:I, s:o}",
				    "file", json_text(t->file), "format", t->format, "compression",
				    t->compression, "lines", (json_int_t)t->nr_lines, "span_ps",
				    (json_int_t)t->span_ps, "cpus", t->nr_cpus, "events", events,
				    "pages", pages, "page_frames", pfns_json(t), "allocs_by_order",
				    orders_json(t), "policies", trace_policies_json(t), "inferred",
				    inferred_json(t), "skipped", skips_json(t), "unknown_gfp",
				    (json_int_t)t->unknown_gfp, "unknown_policies",
				    (json_int_t)t->unknown_policies, "first_unreadable",
				    unreadable_json(t)),
			  out);
}

static int run(const struct arguments *args)
{
	struct output out;
	struct trace *t;
	int err, status;

	status = trace_in_read(args, args->operands[0], &t);
	if (status)
		return status;
	status = STATUS_FAILED;
	if (output_open(&out, arguments_value(args, &option_output)))
		goto out_trace;
	if (arguments_choice(args, &option_format) == FORMAT_JSON)
		err = print_json(t, out.stream);
	else
		err = print_text(t, out.stream);
	if (err) {
		output_discard(&out);
		status = message_error(&(struct diag)DIAG_INIT, err, t->file);
	} else if (!output_commit(&out)) {
		status = STATUS_DONE;
	}
out_trace:
	trace_free(t);
	return status;
}

static const struct option_def *const options[] = {&option_policies, &option_release,
						   &option_format, &option_output, NULL};

const struct command command_trace_info = {
	.name = "trace info",
	.summary = "count what is in a trace, and what a replay would not see",
	.operands = "TRACE",
	.description =
		"Read an allocation trace and print its format, its time span, its events by\n"
		"kind and order, and how many lines are no event, by reason. TRACE may be\n"
		"compressed with gzip or zstd; - is standard input.\n",
	.options = options,
	.min_operands = 1,
	.max_operands = 1,
	.run = run,
};

/* SPDX-License-Identifier: Apache-2.0 */
/* Statements of native traces, as writers of native traces and of the kernel's text need them. */
#include <inttypes.h>

#include "sim/trace/native.h"
#include "sim/trace/writer.h"

/* A text as one word: what is no printable character, a blank, '#' or '%' as "%20". */
static void write_text(FILE *out, const char *key, const char *text)
{
	fprintf(out, " %s=", key);
	for (size_t i = 0; text[i] && i < NATIVE_MAX_TEXT - 1; i++) {
		if (text[i] <= ' ' || text[i] > '~')
			fputs(text[i] == ' ' ? "%20" : "?", out);
		else if (text[i] == '#' || text[i] == '%')
			fprintf(out, "%%%02x", text[i]);
		else
			putc(text[i], out);
	}
}

void native_write_original(const struct trace *t, const char *before, FILE *out)
{
	fprintf(out, "%s" NATIVE_ORIGINAL, before);
	write_text(out, "file", trace_original(t));
	write_text(out, "format", trace_original_format(t));
	fprintf(out, "\n%s" NATIVE_ORIGINAL " lines=%" PRIu64 " lost=%" PRIu64, before, t->nr_lines,
		t->lost_events);
	if (t->unknown_policies)
		fprintf(out, " unknown_policies=%" PRIu64, t->unknown_policies);
	for (int i = 0; i < TRACE_NR_SKIPS; i++)
		if (t->skipped[i])
			fprintf(out, " skipped.%s=%" PRIu64, trace_skip_name((enum trace_skip)i),
				t->skipped[i]);
	putc('\n', out);
	for (int i = 0; i < TRACE_NR_INFERS; i++)
		if (t->inferred[i])
			fprintf(out, "%s" NATIVE_ORIGINAL " inferred.%s=%" PRIu64 "\n", before,
				trace_infer_name((enum trace_infer)i), t->inferred[i]);
	if (t->min_pfn <= t->max_pfn)
		fprintf(out, "%s" NATIVE_ORIGINAL " min_pfn=0x%" PRIx64 " max_pfn=0x%" PRIx64 "\n",
			before, t->min_pfn, t->max_pfn);
	if (t->unknown_gfp) {
		fprintf(out, "%s" NATIVE_ORIGINAL " unknown_gfp=%" PRIu64, before, t->unknown_gfp);
		write_text(out, "gfp", t->first_unknown_gfp);
		putc('\n', out);
	}
	if (t->kswapd_page_ps)
		fprintf(out, "%s" NATIVE_ORIGINAL " kswapd_page_ps=%" PRIu64 "\n", before,
			t->kswapd_page_ps);
	if (t->kswapd_wake_ps)
		fprintf(out, "%s" NATIVE_ORIGINAL " kswapd_wake_ps=%" PRIu64 "\n", before,
			t->kswapd_wake_ps);
	if (t->first_unreadable_line) {
		fprintf(out, "%s" NATIVE_ORIGINAL " unreadable_line=%" PRIu32, before,
			t->first_unreadable_line);
		write_text(out, "unreadable", t->first_unreadable);
		putc('\n', out);
	}
}

static void write_nodes(FILE *out, const struct mm_nodemask *nodes)
{
	const char *between = " nodes=";

	for (int first = 0; first < MM_MAX_NODES; first++) {
		int last = first;

		if (!mm_nodemask_has(nodes, first))
			continue;
		while (last + 1 < MM_MAX_NODES && mm_nodemask_has(nodes, last + 1))
			last++;
		fprintf(out, last == first ? "%s%d" : "%s%d-%d", between, first, last);
		between = ",";
		first = last;
	}
}

void native_write_policy(FILE *out, const char *before, uint32_t index,
			 const struct trace_policy *policy)
{
	fprintf(out, "%s" NATIVE_POLICY " %" PRIu32 " mode=%s", before, index,
		mm_policy_mode_name(policy->mm.mode));
	write_nodes(out, &policy->mm.nodes);
	if (policy->mm.home_nid != MM_NO_NODE)
		fprintf(out, " home=%d", policy->mm.home_nid);
	if (policy->scope != TRACE_POLICY_FILE)
		fprintf(out, " of=%s", native_scopes[policy->scope]);
	fputs(policy->mm.relative ? " relative\n" : "\n", out);
}

void native_write_task(FILE *out, const struct trace_task *task)
{
	if (!task) {
		fputs(NATIVE_TASK " " NATIVE_NOBODY "\n", out);
		return;
	}
	fprintf(out, NATIVE_TASK " pid=%" PRIu32, task->pid);
	write_text(out, "comm", task->comm);
	putc('\n', out);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Traces written as the kernel's text: all that they had is read back from it. */
#include <criterion/criterion.h>

#include "tests/trace_expect.h"
#include "tests/trace_forge.h"
#include "tests/trace_random.h"

static const char *const forms[] = {"ftrace", "perf", "trace-cmd"};

#define NR_FORMS (sizeof(forms) / sizeof(*forms))

/* What reads a form: ftrace's reader knows what trace-cmd report prints. */
static const char *reader_of(const char *form)
{
	return strcmp(form, "trace-cmd") ? form : "ftrace";
}

static struct bytes write_as(const struct trace *t, const char *form)
{
	struct diag diag = DIAG_INIT;
	struct bytes b = forge_write(t, form, &diag);

	cr_assert_not_null(b.data, "%s: %s", form, diag.failed ? diag.error.text : "");
	return b;
}

static struct trace *read_as(struct bytes b, const char *form)
{
	struct diag diag = DIAG_INIT;
	struct trace *t = NULL;

	cr_assert_eq(trace_parse(b.data, b.len, "bytes", &diag, &t), 0, "%s: %s", form,
		     diag.failed ? diag.error.text : "");
	cr_assert_str_eq(t->format, reader_of(form));
	return t;
}

static void expect_read_back(struct trace *t)
{
	for (size_t i = 0; i < NR_FORMS; i++) {
		struct bytes b = write_as(t, forms[i]);
		struct trace *back = read_as(b, forms[i]);

		expect_same_trace(back, t, false);
		cr_assert_str_eq(back->original, t->file);
		trace_free(back);
		free(b.data);
	}
	trace_free(t);
}

Test(trace_told, random_traces_read_back)
{
	uint64_t x = seed();

	for (int round = 0; round < 20; round++)
		expect_read_back(random_trace(&x, next(&x) % 2000, round % 2));
}

static void add(struct trace *t, struct trace_event ev, pfn_t pfn)
{
	if (ev.op == TRACE_ALLOC || ev.op == TRACE_FREE_HELD)
		ev.page = t->nr_pages;
	cr_assert_eq(trace_append(t, &ev), 0);
	if (pfn != TRACE_NO_PFN)
		cr_assert_eq(trace_set_pfn(t, ev.page, pfn), 0);
}

#define ADD(t, pfn, ...) add(t, (struct trace_event){__VA_ARGS__}, pfn)

/* Three pages at once in one frame, which no kernel has, but a trace by hand may. */
Test(trace_told, pages_in_one_frame_stay_apart)
{
	struct trace *t = trace_new("hand");

	ADD(t, 7, .op = TRACE_ALLOC);
	ADD(t, 7, .op = TRACE_ALLOC, .order = 3);
	ADD(t, 7, .op = TRACE_FREE_HELD, .order = 2);
	ADD(t, TRACE_NO_PFN, .op = TRACE_TOUCH, .page = 1, .bytes = 20000, .write = 1);
	ADD(t, TRACE_NO_PFN, .op = TRACE_FREE, .page = 0);
	ADD(t, 7, .op = TRACE_ALLOC);
	ADD(t, TRACE_NO_PFN, .op = TRACE_FREE, .page = 1, .order = 3);
	ADD(t, TRACE_NO_PFN, .op = TRACE_FREE, .page = 3);
	t->min_pfn = t->max_pfn = 7;
	expect_read_back(t);
}

/* Mixed: a frame that is not known is none of those that are. */
Test(trace_told, unknown_frames_stay_unknown)
{
	struct trace *t = trace_new("hand");

	ADD(t, TRACE_NO_PFN, .op = TRACE_ALLOC);
	ADD(t, TRACE_MAX_PFN, .op = TRACE_ALLOC);
	ADD(t, TRACE_NO_PFN, .op = TRACE_FREE_HELD, .order = 1);
	ADD(t, TRACE_NO_PFN, .op = TRACE_FREE, .page = 1);
	ADD(t, TRACE_NO_PFN, .op = TRACE_FREE, .page = 0);
	t->min_pfn = t->max_pfn = TRACE_MAX_PFN;
	expect_read_back(t);
}

/* A microsecond is what the kernel prints; who has picoseconds gets them. */
Test(trace_told, times_have_the_digits_that_they_need)
{
	static const struct {
		uint64_t ps;
		const char *text;
	} times[] = {{2000000, " 0.000002: "},
		     {2001000, " 0.000002001: "},
		     {UINT64_MAX, " 18446744.073709551615: "}};

	for (size_t i = 0; i < sizeof(times) / sizeof(*times); i++) {
		struct trace *t = trace_new("hand");
		struct bytes b;
		char *text;

		ADD(t, TRACE_NO_PFN, .op = TRACE_ALLOC, .time_ps = times[i].ps);
		b = write_as(t, "ftrace");
		text = strndup((const char *)b.data, b.len);
		cr_expect_not_null(strstr(text, times[i].text), "%s", text);
		free(text);
		free(b.data);
		expect_read_back(t);
	}
}

/* Flags without a name would be lost behind names. */
Test(trace_told, every_flag_comes_back)
{
	struct trace *t = trace_new("hand");

	for (int bit = 0; bit < 32; bit++)
		ADD(t, TRACE_NO_PFN, .op = TRACE_ALLOC, .gfp = UINT32_C(1) << bit | 0x400,
		    .migratetype = (uint8_t)(bit % MM_NR_PCPTYPES));
	ADD(t, TRACE_NO_PFN, .op = TRACE_ALLOC, .gfp = 0);
	expect_read_back(t);
}

/* Every other node: the longest list of nodes that a policy can have, in native text too. */
Test(trace_told, the_longest_list_of_nodes_fits_a_line)
{
	struct trace *t = trace_new("hand");
	struct trace_policy p = {.mm = {.mode = MM_POLICY_INTERLEAVE, .home_nid = MM_NO_NODE}};
	struct trace_event ev = {.op = TRACE_ALLOC};
	struct trace *back;
	struct bytes b;
	uint16_t index;

	for (int nid = 1; nid < MM_MAX_NODES; nid += 2)
		mm_nodemask_set(&p.mm.nodes, nid);
	cr_assert_eq(trace_add_policy(t, &p, &index), 0);
	trace_event_set_policy(&ev, index, UINT32_MAX);
	cr_assert_eq(trace_append(t, &ev), 0);
	b = write_as(t, "native");
	back = read_as(b, "native");
	cr_assert_eq(memcmp(&back->policies[1], &p, sizeof(p)), 0);
	trace_free(back);
	free(b.data);
	expect_read_back(t);
}

/*
 * What a text is shows in its first 64 KiB, wherever they end. Cut within "kmem:mm_page_alloc:" a
 * line of perf's looks like one of ftrace's, of a task called ":" with the number 1.
 */
Test(trace_told, a_form_is_known_wherever_the_look_at_it_ends)
{
	char name[161];

	for (size_t len = 1; len < sizeof(name); len++) {
		struct trace *t;
		struct bytes b;

		memset(name, 'n', len);
		name[len] = 0;
		t = trace_new(name);
		for (unsigned i = 0; i < 2000; i++)
			ADD(t, TRACE_NO_PFN, .op = TRACE_ALLOC);
		b = write_as(t, "perf");
		cr_assert_gt(b.len, 65536);
		trace_free(read_as(b, "perf"));
		free(b.data);
		trace_free(t);
	}
}

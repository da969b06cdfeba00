/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Native traces: policies, moves of free blocks, and what is said of an original; and that whatever
 * a trace holds is not lost on the way through text.
 */
#include <criterion/criterion.h>
#include <errno.h>

#include "tests/trace_expect.h"
#include "tests/trace_forge.h"
#include "tests/trace_random.h"

static struct trace *parse(const char *text, size_t len)
{
	struct diag diag = DIAG_INIT;
	struct trace *t = NULL;

	cr_assert_eq(trace_parse(text, len, "text", &diag, &t), 0, "line %u: %s", diag.error.line,
		     diag.failed ? diag.error.text : "");
	return t;
}

Test(trace_statements, policies_of_allocations)
{
	static const char text[] =
		"# numasim trace 1\n"
		"policy near mode=MPOL_PREFERRED nodes=1\n"
		"policy wide mode=MPOL_INTERLEAVE nodes=0,2-4,7 of=range relative\n"
		"cpu=0 alloc a gfp=GFP_KERNEL policy=wide turn=9\n"
		"policy tight mode=MPOL_BIND nodes=3 home=5 of=task\n"
		"cpu=1 alloc b gfp=GFP_KERNEL policy=tight for=migration\n"
		"cpu=1 alloc c gfp=GFP_KERNEL policy=near\n"
		"cpu=1 free c by=reclaim\n"
		"cpu=1 alloc d by=kswapd gfp=GFP_NOIO\n"
		"cpu=1 free - order=3 by=kswapd\n";
	struct trace *t = parse(text, sizeof(text) - 1);
	const struct trace_policy *p = t->policies;

	cr_assert_eq(t->nr_policies, 4);
	cr_expect_eq(p[1].mm.mode, MM_POLICY_PREFERRED);
	cr_expect_eq(p[1].scope, TRACE_POLICY_FILE);
	cr_expect_eq(p[1].mm.nodes.bits[0], 2);
	cr_expect_eq(p[2].mm.mode, MM_POLICY_INTERLEAVE);
	cr_expect_eq(p[2].scope, TRACE_POLICY_RANGE);
	cr_expect_eq(p[2].mm.nodes.bits[0], 0x9d);
	cr_expect(p[2].mm.relative && !p[1].mm.relative);
	cr_expect_eq(p[3].mm.home_nid, 5);
	cr_expect_eq(p[3].scope, TRACE_POLICY_TASK);
	cr_expect_eq(p[2].mm.home_nid, MM_NO_NODE);
	cr_assert_eq(t->nr_events, 6);
	cr_expect_eq(t->events[0].policy, 2);
	cr_expect_eq(trace_event_turn(&t->events[0]), 9);
	cr_expect_eq(t->events[1].policy, 3);
	cr_expect_eq(t->events[1].flags, TRACE_F_MIGRATE);
	cr_expect_eq(t->events[2].policy, 1);
	cr_expect_eq(t->events[3].flags, TRACE_F_RECLAIM);
	cr_expect_eq(t->events[4].flags, TRACE_F_RECLAIM | TRACE_F_KSWAPD);
	cr_expect_eq(t->events[4].op, TRACE_ALLOC);
	cr_expect_eq(t->events[5].flags, TRACE_F_RECLAIM | TRACE_F_KSWAPD);
	cr_expect_eq(t->events[5].op, TRACE_FREE_HELD);
	cr_expect_eq(t->skipped[TRACE_SKIP_OTHER_EVENT], 3);
	cr_expect_eq(t->nr_lines, 10);
	trace_free(t);
}

Test(trace_statements, moves_stand_before_the_next_event)
{
	static const char text[] = "# numasim trace 1\n"
				   "moved out order=0 pfn=0x12 mobility=movable list\n"
				   "cpu=0 alloc a gfp=GFP_KERNEL\n"
				   "moved in order=10 pfn=0x400 mobility=highatomic\n";
	struct trace *t = parse(text, sizeof(text) - 1);

	cr_assert_eq(t->nr_moves, 2);
	cr_expect(t->moves[0].event == 0 && t->moves[0].taken && t->moves[0].percpu);
	cr_expect(t->moves[0].pfn == 0x12 && t->moves[0].migratetype == MM_MOVABLE);
	cr_expect(t->moves[1].event == 1 && !t->moves[1].taken && !t->moves[1].percpu);
	cr_expect(t->moves[1].order == 10 && t->moves[1].migratetype == MM_HIGHATOMIC);
	trace_free(t);
}

/* An original's counts are the trace's, and this file's own lines are not counted. */
Test(trace_statements, what_the_original_had)
{
	static const char text[] =
		"# numasim trace 1\n"
		"original file=some%20trace%23.txt format=ftrace\n"
		"original lines=100 lost=7 skipped.comment=12 skipped.unreadable=3\n"
		"original inferred.untraced_bulk=5 min_pfn=0x10 max_pfn=0x20\n"
		"original unknown_gfp=2 gfp=__GFP_NEW unreadable_line=9 unreadable=50%25%20of\n"
		"# a comment\n";
	struct trace *t = parse(text, sizeof(text) - 1);

	cr_expect_str_eq(t->original, "some trace#.txt");
	cr_expect_str_eq(t->original_format, "ftrace");
	cr_expect_eq(t->nr_lines, 100);
	cr_expect_eq(t->lost_events, 7);
	cr_expect_eq(t->skipped[TRACE_SKIP_COMMENT], 12);
	cr_expect_eq(t->skipped[TRACE_SKIP_UNREADABLE], 3);
	cr_expect_eq(t->skipped[TRACE_SKIP_OTHER_EVENT], 0);
	cr_expect_eq(t->inferred[TRACE_INFER_BULK], 5);
	cr_expect(t->min_pfn == 0x10 && t->max_pfn == 0x20);
	cr_expect_eq(t->unknown_gfp, 2);
	cr_expect_str_eq(t->first_unknown_gfp, "__GFP_NEW");
	cr_expect_eq(t->first_unreadable_line, 9);
	cr_expect_str_eq(t->first_unreadable, "50% of");
	trace_free(t);
}

Test(trace_statements, mistakes_are_named)
{
	static const struct {
		const char *line, *message;
	} mistakes[] = {
		{"policy", "found the end of the line, expected the name of a policy"},
		{"policy a", "found the end of the line, expected mode= (\"mode=MPOL_BIND\")"},
		{"policy a nodes=1", "found \"nodes=1\", expected mode= (\"mode=MPOL_BIND\")"},
		{"policy a mode=MPOL_BINT nodes=1",
		 "unknown mode \"MPOL_BINT\"; did you mean \"MPOL_BIND\"?"},
		{"policy a mode=MPOL_BIND", "policy \"a\" has no nodes, which its mode needs"},
		{"policy a mode=MPOL_LOCAL nodes=1",
		 "policy \"a\" has nodes, which its mode does not take"},
		{"policy a mode=MPOL_INTERLEAVE nodes=1 home=0",
		 "policy \"a\" has a home node, which its mode does not take"},
		{"policy a mode=MPOL_BIND nodes=3-1",
		 "found \"3-1\", expected node numbers below 1024 (\"nodes=0,2-3\")"},
		{"policy a mode=MPOL_BIND nodes=1,,2",
		 "found \"\", expected node numbers below 1024 (\"nodes=0,2-3\")"},
		{"policy a mode=MPOL_BIND nodes=0-1024",
		 "found \"0-1024\", expected node numbers below 1024 (\"nodes=0,2-3\")"},
		{"policy a mode=MPOL_BIND nodes=1 home=1024",
		 "home node \"1024\" is not a number from 0 to 1023"},
		{"policy a mode=MPOL_BIND nodes=1 of=me",
		 "unknown scope \"me\"; expected task, range, file or pool"},
		{"policy a mode=MPOL_BIND nodes=1 now",
		 "found \"now\", expected mode=, nodes=, home=, of= or relative"},
		{"cpu=0 alloc a gfp=GFP_KERNEL policy=b",
		 "policy \"b\" is described by no line before"},
		{"cpu=0 alloc a gfp=GFP_KERNEL turn=1",
		 "turn= without the policy= whose turn it is"},
		{"cpu=0 alloc a gfp=GFP_KERNEL turn=4294967296",
		 "turn \"4294967296\" is not a number from 0 to 4294967295"},
		{"cpu=0 alloc a gfp=GFP_KERNEL for=fun",
		 "found \"fun\", expected migration or slab"},
		{"cpu=0 free - order=1 by=me", "found \"me\", expected reclaim or kswapd"},
		{"moved", "found the end of the line, expected in, out or fallback"},
		{"moved sideways", "unknown direction \"sideways\"; expected in, out or fallback"},
		{"moved in pfn=0x1", "found \"pfn=0x1\", expected order="},
		{"moved in order=11", "order 11 is too large: an order is 0 to 10"},
		{"moved in order=1 pfn=2",
		 "pfn \"2\" is not a page frame number from 0x0 to 0xfffffffffffff"},
		{"moved in order=1 pfn=0x2", "found the end of the line, expected mobility="},
		{"moved in order=1 pfn=0x2 mobility=cma list x",
		 "found \"x\", expected list or the end of the line"},
		{"original lines", "found \"lines\", expected a word with a value (\"lines=12\")"},
		{"original lines=x", "found \"x\", expected a number below 2^64 - 1"},
		{"original lines=18446744073709551615",
		 "found \"18446744073709551615\", expected a number below 2^64 - 1"},
		{"original skipped.fun=1", "found \"skipped.fun=1\", expected file=, format=, "
					   "lines= or another word that numasim writes"},
		{"original file=a%2", "found \"a%2\", expected two hex digits behind each %"},
		{"original file=a%0a", "found \"a%0a\", expected printable ASCII characters"},
		{"original format=a-name-of-more-than-thirty-one-bytes",
		 "the text \"a-name-of-more-than-thirty-one-bytes\" is longer than 31 bytes"},
	};

	for (size_t i = 0; i < sizeof(mistakes) / sizeof(*mistakes); i++) {
		struct diag diag = DIAG_INIT;
		struct trace *t = NULL;
		char text[256];

		snprintf(text, sizeof(text), "# numasim trace 1\n%s\n", mistakes[i].line);
		cr_assert_eq(trace_parse(text, strlen(text), "bad", &diag, &t), -EINVAL, "%s",
			     mistakes[i].line);
		cr_expect_eq(diag.error.line, 2);
		cr_expect_str_eq(diag.error.text, mistakes[i].message);
		diag_clear(&diag);
	}
}

static struct bytes write_as(const struct trace *t, const char *format)
{
	struct diag diag = DIAG_INIT;
	struct bytes b = forge_write(t, format, &diag);

	cr_assert_not_null(b.data, "%s", diag.failed ? diag.error.text : "");
	return b;
}

/*
 * Text to binary to text gives the same text: whatever one of the two did not keep would be missing
 * in the second. And binary to text to binary, but for the lines, which are those of the text.
 */
Test(trace_statements, nothing_is_lost_between_text_and_binary)
{
	uint64_t x = seed();

	for (int round = 0; round < 30; round++) {
		struct trace *t = random_trace(&x, next(&x) % 2000, round % 2), *of_text,
			     *of_binary;
		struct bytes text, binary, again, binary_again;

		t->format = round % 3 ? "ftrace" : "native";
		text = write_as(t, "native");
		of_text = parse((char *)text.data, text.len);
		binary = write_as(of_text, "binary");
		of_binary = parse((char *)binary.data, binary.len);
		again = write_as(of_binary, "native");
		cr_assert_eq(again.len, text.len, "round %d", round);
		cr_assert_eq(memcmp(again.data, text.data, text.len), 0, "round %d", round);

		cr_assert_eq(of_text->nr_events, t->nr_events);
		for (size_t i = 0; i < t->nr_events; i++) {
			of_text->events[i].line = t->events[i].line;
			cr_assert_eq(
				memcmp(&of_text->events[i], &t->events[i], sizeof(t->events[i])), 0,
				"round %d, event %zu", round, i);
		}
		free(binary.data);
		if (round % 3) {
			binary = write_as(t, "binary");
			binary_again = write_as(of_text, "binary");
			cr_assert_eq(binary.len, binary_again.len);
			cr_assert_eq(memcmp(binary.data, binary_again.data, binary.len), 0);
			free(binary.data);
			free(binary_again.data);
		}
		trace_free(t);
		trace_free(of_text);
		trace_free(of_binary);
		free(text.data);
		free(again.data);
	}
}

Test(trace_tasks, comms_are_kept_so_that_readers_find_what_is_behind_them)
{
	static const char *const comms[][2] = {
		{"make", "make"},
		{"  Web Content ", "Web Content"},
		{"a\tb", "a?b"},
		{"# 1", "? 1"},
		{"x-5 [3] 1.25: e", "x-5 [3] 1.25? e"},
		{"1.5:2.5:", "1.5?2.5?"},
		{"1.2.3:", "1.2.3?"},
		{"kworker/0:1-ev", "kworker/0:1-ev"},
	};
	char out[TRACE_MAX_COMM], all[200];

	for (size_t i = 0; i < sizeof(comms) / sizeof(*comms); i++) {
		trace_comm(out, comms[i][0], strlen(comms[i][0]));
		cr_expect_str_eq(out, comms[i][1]);
	}
	memset(all, 'x', sizeof(all));
	trace_comm(out, all, sizeof(all));
	cr_expect_eq(strlen(out), TRACE_MAX_COMM - 1);
}

/* What says nothing of who it was is nobody; a turn in which nothing was done is none. */
Test(trace_tasks, turns_are_where_the_task_changes)
{
	struct trace *t = trace_new("hand");
	uint32_t a, b, nobody;

	cr_assert_eq(trace_add_task(t, "<...>", 5, 1, &nobody), 0);
	cr_expect_eq(nobody, TRACE_NO_TASK);
	cr_assert_eq(trace_add_task(t, ":-1", 3, UINT32_MAX, &nobody), 0);
	cr_expect_eq(nobody, TRACE_NO_TASK);
	cr_assert_eq(trace_add_task(t, "a", 1, 7, &a), 0);
	cr_assert_eq(trace_add_task(t, "a", 1, 8, &b), 0);
	cr_expect(a == 1 && b == 2);
	for (uint32_t i = 0; i < 1000; i++) {
		char comm[16];
		uint32_t index, again;

		snprintf(comm, sizeof(comm), "t%u", i);
		cr_assert_eq(trace_add_task(t, comm, strlen(comm), 5, &index), 0);
		cr_assert_eq(trace_add_task(t, comm, strlen(comm), 5, &again), 0);
		cr_expect(index == i + 3 && again == index);
	}
	cr_assert_eq(trace_take_turn(t, 0, TRACE_NO_TASK), 0);
	cr_expect_eq(t->nr_turns, 0);
	cr_assert_eq(trace_take_turn(t, 1, a), 0);
	cr_assert_eq(trace_take_turn(t, 2, a), 0);
	cr_expect_eq(t->nr_turns, 1);
	cr_assert_eq(trace_take_turn(t, 3, b), 0);
	cr_assert_eq(trace_take_turn(t, 3, a), 0);
	cr_expect_eq(t->nr_turns, 1);
	cr_assert_eq(trace_take_turn(t, 4, TRACE_NO_TASK), 0);
	cr_expect(t->nr_turns == 2 && t->turns[1].event == 4);
	trace_free(t);
}

Test(trace_tasks, wrong_statements_are_refused)
{
	static const char *const wrong[][2] = {
		{"task", "expected pid= and a number below 2^31, or -"},
		{"task pid=x comm=a", "expected pid= and a number below 2^31, or -"},
		{"task pid=2147483648 comm=a", "expected pid= and a number below 2^31, or -"},
		{"task pid=1", "expected comm="},
		{"task pid=1 comm=a b", "expected the end of the line"},
		{"task - b", "expected the end of the line"},
	};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		struct diag diag = DIAG_INIT;
		struct trace *t = NULL;
		char text[200];
		int len = snprintf(text, sizeof(text), "# numasim trace 1\n%s\n", wrong[i][0]);

		cr_expect_eq(trace_parse(text, (size_t)len, "t.nst", &diag, &t), -EINVAL);
		cr_expect(diag.error.line == 2 && strstr(diag.error.text, wrong[i][1]), "%s",
			  diag.error.text);
		diag_clear(&diag);
	}
}

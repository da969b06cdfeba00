/* SPDX-License-Identifier: Apache-2.0 */
/* The result document: what it holds of a small run, and how its members are found. */
#include "sim/result/result.h"

#include <criterion/criterion.h>

#include "sim/trace/trace.h"
#include "tests/machine_builder.h"

static json_t *parse(const char *text)
{
	json_t *doc = json_loads(text, 0, NULL);

	cr_assert_not_null(doc);
	return doc;
}

Test(result, members_are_found_by_path)
{
	json_t *doc = parse("{\"a\": 1, \"b\": {\"c\": {\"d\": 7}, \"s\": \"text\"}}");

	cr_expect_eq(result_integer(doc, "a"), 1);
	cr_expect_eq(result_integer(doc, "b.c.d"), 7);
	cr_expect_str_eq(result_string(doc, "b.s"), "text");
	cr_expect_eq(result_member(doc, ""), doc);
	json_decref(doc);
}

Test(result, what_is_missing_is_zero_or_empty)
{
	json_t *doc = parse("{\"a\": 1, \"b\": {\"s\": \"text\"}, \"l\": [1]}");

	cr_expect_eq(result_integer(doc, "x"), 0);
	cr_expect_eq(result_integer(doc, "b.x.y"), 0);
	cr_expect_eq(result_integer(doc, "a.x"), 0, "of a number");
	cr_expect_eq(result_integer(doc, "l.0"), 0, "of an array");
	cr_expect_eq(result_integer(doc, "b.s"), 0, "a string");
	cr_expect_str_eq(result_string(doc, "a"), "");
	cr_expect_null(result_member(doc, "b.x"));
	cr_expect_null(result_member(NULL, "a"));
	json_decref(doc);
}

struct ran {
	struct machine *machine;
	struct trace *trace;
	struct sim *sim;
	struct costs costs;
	struct replay_counts counts;
};

/* Two nodes; CPU 1 asks for node 0 once. */
static json_t *document(struct ran *r, enum replay_timing timing)
{
	static const char text[] = "# numasim trace 1\n"
				   "0us cpu=0 alloc a order=2 gfp=GFP_KERNEL|__GFP_ZERO\n"
				   "1us cpu=1 alloc b gfp=GFP_KERNEL node=0\n"
				   "2us cpu=1 touch b write 64B\n"
				   "3us cpu=0 alloc - gfp=GFP_KERNEL\n"
				   "4us cpu=0 free a\n"
				   "cpu=0 wait 10us\n";
	const struct replay_options options = {.timing = timing};
	struct diag diag = DIAG_INIT;
	json_t *doc;

	*r = (struct ran){.machine = build_machine(2, 1)};
	cr_assert_eq(trace_parse(text, strlen(text), "a.nst", &diag, &r->trace), 0, "%s",
		     diag.error.text);
	cr_assert_eq(sim_create(r->machine, &r->costs, &diag, &r->sim), 0);
	cr_assert_eq(replay_run(r->sim, r->trace, &options, &r->counts), 0);
	doc = result_build(&(struct result_of){.sim = r->sim,
					       .timing_mode = "batched",
					       .trace = r->trace,
					       .counts = &r->counts,
					       .timing = timing,
					       .work = "the work"});
	cr_assert_not_null(doc);
	return doc;
}

static void finish(struct ran *r, json_t *doc)
{
	json_decref(doc);
	sim_destroy(r->sim);
	trace_free(r->trace);
	built_free(r->machine);
}

Test(result, says_what_ran_where)
{
	struct ran r;
	json_t *doc = document(&r, REPLAY_TRACE);

	cr_expect_str_eq(result_string(doc, "work"), "the work");
	cr_expect_str_eq(result_string(doc, "timing"), "trace");
	cr_expect_str_eq(result_string(doc, "machine.name"), "built");
	cr_expect_str_eq(result_string(doc, "machine.file"), "built.cfg");
	cr_expect_str_eq(result_string(doc, "machine.architecture"), "x86_64");
	cr_expect_str_eq(result_string(doc, "machine.memory_model"), "sparse-vmemmap");
	cr_expect_eq(result_integer(doc, "machine.nodes"), 2);
	cr_expect_eq(result_integer(doc, "machine.cpus"), 2);
	cr_expect_eq(result_integer(doc, "simulated_ps"), sim_elapsed_ps(r.sim));
	finish(&r, doc);
}

Test(result, counts_events_and_pages)
{
	struct ran r;
	json_t *doc = document(&r, REPLAY_ASAP);
	const json_t *node0 = json_array_get(result_member(doc, "nodes"), 0);

	cr_expect_str_eq(result_string(doc, "timing"), "asap");
	cr_expect_eq(result_integer(doc, "events.alloc"), 3);
	cr_expect_eq(result_integer(doc, "events.free"), 1);
	cr_expect_eq(result_integer(doc, "events.touch"), 1);
	cr_expect_eq(result_integer(doc, "events.wait"), 1);
	cr_expect_eq(result_integer(doc, "events.failed_in_trace"), 1);
	cr_expect_eq(result_integer(doc, "events.skipped.comment"), 1, "the first line");
	cr_expect_eq(result_integer(doc, "events.skipped.page_failed_here"), 0);
	cr_assert_eq(json_array_size(result_member(doc, "nodes")), 2);
	/* 2^2 of a, one of b, one of the allocation that failed in the trace. */
	cr_expect_eq(result_integer(node0, "pages_allocated"), 6);
	cr_expect_eq(result_integer(node0, "numa_hit"), 3);
	cr_expect_eq(result_integer(node0, "local_node"), 2);
	cr_expect_eq(result_integer(node0, "other_node"), 1);
	finish(&r, doc);
}

static uint64_t sum(const json_t *result, const char *array, const char *key)
{
	const json_t *element;
	uint64_t sum = 0;
	size_t i;

	json_array_foreach (result_member(result, array), i, element)
		sum += result_integer(element, key);
	return sum;
}

Test(result, sums_are_those_of_their_parts)
{
	static const char *const both[] = {"pages_allocated", "pages_managed", "pages_free"};
	struct ran r;
	json_t *doc = document(&r, REPLAY_ASAP);
	const struct cpu_account *remote = sim_account(r.sim, 1);
	uint64_t causes = 0;

	for (size_t i = 0; i < sizeof(both) / sizeof(*both); i++) {
		cr_expect_eq(sum(doc, "nodes", both[i]), sum(doc, "zones", both[i]), "%s", both[i]);
		cr_expect_gt(sum(doc, "nodes", both[i]), 0);
	}
	for (int i = 0; i < NR_CAUSES; i++) {
		char key[64], path[80];

		snprintf(key, sizeof(key), "%s_ps", time_cause_name((enum time_cause)i));
		snprintf(path, sizeof(path), "cost.%s", key);
		cr_expect_eq(result_integer(doc, path), sum(doc, "cpus", key), "%s", key);
		causes += result_integer(doc, path);
	}
	cr_expect_eq(result_integer(doc, "cost.total_ps"), causes);
	cr_expect_eq(causes, 2 * sim_elapsed_ps(r.sim));
	/* CPU 1 works on node 0's memory, CPU 0 on its own. */
	cr_expect_gt(remote->nodes[0].misses, 0);
	cr_expect_eq(result_integer(doc, "memory.remote_accesses"), remote->nodes[0].misses);
	finish(&r, doc);
}

Test(result, names_every_site)
{
	struct ran r;
	json_t *doc = document(&r, REPLAY_ASAP);

	cr_expect_eq(json_object_size(result_member(doc, "sites")), MM_NR_SITES);
	cr_expect_eq(result_integer(doc, "sites.touch.calls"), 1);
	cr_expect_eq(result_integer(doc, "sites.zero.calls"), 4, "pages of a");
	/* The trace's two frees: of a, and of what failed in the trace. */
	cr_expect_eq(result_integer(doc, "sites.free_entry.calls"), 2);
	finish(&r, doc);
}

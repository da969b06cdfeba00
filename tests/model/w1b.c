/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The trace W1b on its own machine, through the command as users run it: what the document holds,
 * where the real kernel put the pages, and what a longer way to the other node costs.
 */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>

#include "sim/json.h"
#include "sim/result/result.h"

#define W1B_MACHINE SOURCE_DIR "/configs/machines/W1b_touch_4k_2x512m.cfg"
#define W1B_TRACE   SOURCE_DIR "/traces/W1b_touch_4k_2x512m.trace.zst"

/* Allocations in the trace, and pages that the kernel put on node 1: traces/README.md, counted in
 * the capture. */
#define W1B_ALLOCS  143691
#define W1B_ON_NODE 41863

static json_t *replayed(const char *options)
{
	char command[1024];
	json_error_t error;
	json_t *doc;
	FILE *p;

	snprintf(command, sizeof(command),
		 "'" NUMASIM "' replay '" W1B_MACHINE "' '" W1B_TRACE "' --quiet --format json %s",
		 options);
	p = popen(command, "r");
	cr_assert_not_null(p);
	doc = json_loadf(p, 0, &error);
	cr_assert_eq(pclose(p), 0);
	cr_assert_not_null(doc, "%s", error.text);
	return doc;
}

static uint64_t of_node(const json_t *doc, size_t nid, const char *key)
{
	const json_t *node = json_array_get(result_member(doc, "nodes"), nid);

	cr_assert(json_is_integer(json_object_get(node, key)), "no %s", key);
	return json_get(node, key);
}

/* Within so many thousandths, which for 41,863 is 2093 pages at 50 and 419 at 10. */
static bool near(uint64_t found, uint64_t expected, uint64_t per_mille)
{
	uint64_t off = found > expected ? found - expected : expected - found;

	return off * 1000 <= expected * per_mille;
}

Test(w1b, pages_go_where_the_kernel_put_them)
{
	json_t *doc = replayed("--verify");
	uint64_t on_node = of_node(doc, 1, "pages_allocated");

	cr_expect(near(on_node, W1B_ON_NODE, 50), "%" PRIu64, on_node);
	cr_expect(near(on_node, W1B_ON_NODE, 10), "%" PRIu64, on_node);
	/* Two of the allocations are of two pages. */
	cr_expect_eq(on_node + of_node(doc, 0, "pages_allocated"), W1B_ALLOCS + 2);
	json_decref(doc);
}

Test(w1b, counters_add_up)
{
	json_t *doc = replayed("");
	uint64_t hit = 0, miss = 0, foreign = 0, local = 0, other = 0;

	for (size_t nid = 0; nid < 2; nid++) {
		hit += of_node(doc, nid, "numa_hit");
		miss += of_node(doc, nid, "numa_miss");
		foreign += of_node(doc, nid, "numa_foreign");
		local += of_node(doc, nid, "local_node");
		other += of_node(doc, nid, "other_node");
		cr_expect_eq(of_node(doc, nid, "interleave_hit"), 0);
	}
	cr_expect_eq(result_integer(doc, "events.alloc"), W1B_ALLOCS);
	cr_expect_eq(result_integer(doc, "events.free"), 268);
	cr_expect_eq(result_integer(doc, "events.failed"), 0);
	cr_expect_eq(result_integer(doc, "events.skipped.free_before_window"), 24);
	cr_expect_eq(hit + miss, W1B_ALLOCS);
	cr_expect_eq(local + other, W1B_ALLOCS);
	/* What misses on one node was meant for the other. */
	cr_expect_eq(miss, foreign);
	cr_expect_eq(of_node(doc, 1, "numa_miss"), of_node(doc, 0, "numa_foreign"));
	cr_expect_gt(miss, 0);
	json_decref(doc);
}

static uint64_t sum_of_array(const json_t *array)
{
	const json_t *value;
	uint64_t sum = 0;
	size_t i;

	json_array_foreach (array, i, value)
		sum += (uint64_t)json_integer_value(value);
	return sum;
}

/* total = sum of the causes, to the picosecond; two of them by node. */
static void check_account(const json_t *account)
{
	uint64_t sum = 0;

	for (int i = 0; i < NR_CAUSES; i++) {
		char key[64];

		snprintf(key, sizeof(key), "%s_ps", time_cause_name((enum time_cause)i));
		cr_assert(json_is_integer(json_object_get(account, key)), "no %s", key);
		sum += json_get(account, key);
	}
	cr_expect_eq(sum, json_get(account, "total_ps"));
	cr_expect_eq(sum_of_array(json_object_get(account, "remote_memory_by_node_ps")),
		     json_get(account, "remote_memory_ps"));
	cr_expect_eq(sum_of_array(json_object_get(account, "zeroing_by_node_ps")),
		     json_get(account, "zeroing_ps"));
}

Test(w1b, causes_add_up)
{
	json_t *doc = replayed("");
	const json_t *cpus = json_object_get(doc, "cpus"), *cpu;
	uint64_t elapsed = json_get(doc, "simulated_ps"), total = 0;
	size_t i;

	check_account(json_object_get(doc, "cost"));
	cr_assert_eq(json_array_size(cpus), 4);
	json_array_foreach (cpus, i, cpu) {
		check_account(cpu);
		cr_expect_eq(json_get(cpu, "total_ps"), elapsed);
		total += json_get(cpu, "total_ps");
	}
	cr_expect_eq(total, result_integer(doc, "cost.total_ps"));
	/* 10^3 picoseconds a nanosecond; a double holds this one to far below a picosecond. */
	cr_expect_float_eq(json_real_value(json_object_get(doc, "simulated_ns")) * 1000,
			   (double)elapsed, 0.5);
	json_decref(doc);
}

static uint64_t busy_ps(const json_t *doc, size_t cpu)
{
	const json_t *account = json_array_get(json_object_get(doc, "cpus"), cpu);

	return json_get(account, "total_ps") - json_get(account, "idle_ps");
}

static uint64_t node_1(const json_t *account, const char *key)
{
	return (uint64_t)json_integer_value(json_array_get(json_object_get(account, key), 1));
}

/*
 * The link's 65.3 ns become 208.5 ns, so that a remote access takes 286.4 ns rather than 143.2.
 * What zeroing takes on node 1 is latencies, of which the lines in flight overlap (12 * 64 B /
 * 143.2 ns are far below what the link carries); and so is what the other accesses take. Banks and
 * link have no queues here: the same bytes in more time would make those less, and they do not
 * double. All of these are CPU 0's: its work takes as much more as those two do, to the picosecond.
 * The elapsed time, which ends with CPU 0, is off that by how long CPU 0 waits for CPU 3: it frees
 * 14 pages that CPU 3 allocates, never longer than all of CPU 3's work.
 */
#define NO_QUEUES "--set bank.queueing=0ns --set interconnect.link.queueing=0ns "
Test(w1b, twice_the_remote_latency_costs_what_remote_accesses_account_for)
{
	static const char *const keys[] = {"remote_memory_by_node_ps", "zeroing_by_node_ps"};
	json_t *near_node = replayed(NO_QUEUES);
	json_t *far_node = replayed(NO_QUEUES "--set interconnect.link.latency=208.5ns");
	const json_t *a = json_array_get(json_object_get(near_node, "cpus"), 0);
	const json_t *b = json_array_get(json_object_get(far_node, "cpus"), 0);
	uint64_t accesses = result_integer(near_node, "memory.remote_accesses"), more = 0, busy;
	uint64_t elapsed = json_get(far_node, "simulated_ps") - json_get(near_node, "simulated_ps");

	cr_expect_gt(accesses, W1B_ON_NODE);
	cr_expect_eq(result_integer(far_node, "memory.remote_accesses"), accesses);
	cr_expect_eq(of_node(far_node, 1, "pages_allocated"),
		     of_node(near_node, 1, "pages_allocated"));
	for (size_t cpu = 1; cpu < 4; cpu++)
		cr_expect_eq(json_get(json_array_get(json_object_get(near_node, "cpus"), cpu),
				      "remote_memory_ps"),
			     0);
	for (size_t i = 0; i < 2; i++) {
		uint64_t before = node_1(a, keys[i]), after = node_1(b, keys[i]);

		/* But for what a division by the lines in flight rounds off. */
		cr_expect(near(after, 2 * before, 1), "%s: %" PRIu64 ", then %" PRIu64, keys[i],
			  before, after);
		more += after - before;
	}
	busy = busy_ps(far_node, 0) - busy_ps(near_node, 0);
	cr_expect(busy == more, "%" PRIu64 " more, by causes %" PRIu64, busy, more);
	cr_expect_lt(elapsed, busy + busy_ps(near_node, 3));
	cr_expect_gt(elapsed, busy - busy_ps(near_node, 3));
	json_decref(near_node);
	json_decref(far_node);
}

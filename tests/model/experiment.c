/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The same work on several machines: results that are the same bytes where nothing differs, and
 * what may and what may not differ between memory models.
 */
#include "sim/experiment.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sim/json.h"
#include "sim/scenario/scenario.h"

#define MACHINES  SOURCE_DIR "/configs/machines/"
#define SCENARIOS SOURCE_DIR "/configs/scenarios/"
#define GIB       (UINT64_C(1) << 30)
#define MIB       (UINT64_C(1) << 20)

struct fixture {
	struct diag diag;
	struct costs costs;
	struct machine *machines[4];
	size_t nr;
	struct scenario *scenario;
	struct trace *trace;
	struct experiment experiment;
};

static void add_machine(struct fixture *f, const char *file, const char *path, const char *value)
{
	const struct machine_override set = {path, value};

	cr_assert_eq(machine_load(file, &set, path ? 1 : 0, &f->diag, &f->machines[f->nr++]), 0,
		     "%s", f->diag.error.text);
}

/* The scenario's work, made for the first of the machines that are there. */
static void add_work(struct fixture *f, const char *file, const char *path, const char *value)
{
	const struct machine_override set = {path, value};

	cr_assert_eq(costs_load(SOURCE_DIR "/configs/costs/linux-6.x.cfg", &f->diag, &f->costs), 0);
	cr_assert_eq(scenario_load(file, &set, path ? 1 : 0, &f->diag, &f->scenario), 0);
	cr_assert_eq(scenario_generate(f->scenario, f->machines[0], &f->diag, &f->trace), 0);
	f->experiment = (struct experiment){
		.costs = &f->costs, .trace = f->trace, .work = "work", .verify = true};
}

static json_t *compared(struct fixture *f)
{
	json_t *results = NULL;

	cr_assert_eq(experiment_compare(&f->experiment, f->machines, f->nr, &f->diag, &results), 0,
		     "%s", f->diag.error.text);
	cr_assert_eq(json_array_size(results), f->nr);
	return results;
}

static void clear(struct fixture *f)
{
	for (size_t i = 0; i < f->nr; i++)
		machine_free(f->machines[i]);
	trace_free(f->trace);
	scenario_free(f->scenario);
	costs_clear(&f->costs);
	diag_clear(&f->diag);
}

/* Two processes, the same machine and work: the same bytes. */
Test(experiment, same_machine_same_bytes)
{
	struct fixture f = {0};
	json_t *results;
	char *first, *second;

	add_machine(&f, MACHINES "xeon-8269cy-2s.cfg", NULL, NULL);
	add_machine(&f, MACHINES "xeon-8269cy-2s.cfg", NULL, NULL);
	add_work(&f, SCENARIOS "contend.cfg", "workload.operations", "600");
	results = compared(&f);
	first = json_dumps(json_array_get(results, 0), JSON_INDENT(1));
	second = json_dumps(json_array_get(results, 1), JSON_INDENT(1));
	cr_assert_gt(strlen(first), 1000);
	cr_expect_str_eq(first, second);
	free(first);
	free(second);
	json_decref(results);
	clear(&f);
}

static void expect_same_members(const json_t *a, const json_t *b, const char *const *keys)
{
	for (; *keys; keys++) {
		cr_assert_not_null(json_object_get(a, *keys), "no %s", *keys);
		cr_expect(json_equal(json_object_get(a, *keys), json_object_get(b, *keys)),
			  "%s differs", *keys);
	}
}

static void expect_same_elements(const json_t *a, const json_t *b, const char *const *keys)
{
	cr_assert_eq(json_array_size(a), json_array_size(b));
	for (size_t i = 0; i < json_array_size(a); i++)
		expect_same_members(json_array_get(a, i), json_array_get(b, i), keys);
}

/*
 * What was decided, besides what it cost. How many pages there are, and in which blocks they lie,
 * is another matter: descriptors and tables take different room.
 */
static void expect_same_decisions(const json_t *a, const json_t *b)
{
	static const char *const nodes[] = {"node",       "pages_allocated", "numa_hit",
					    "numa_miss",  "numa_foreign",    "interleave_hit",
					    "local_node", "other_node",      NULL};
	static const char *const zones[] = {
		"node", "zone", "pages_allocated", "fallback_allocations", "lock_acquired", NULL};
	static const char *const counters[] = {
		"fallback_zone", "fallback_node", "slow_path", "kswapd_wakeups",
		"pcp_refills",   "pcp_drains",    NULL};

	cr_expect(json_equal(json_object_get(a, "events"), json_object_get(b, "events")));
	expect_same_elements(json_object_get(a, "nodes"), json_object_get(b, "nodes"), nodes);
	expect_same_elements(json_object_get(a, "zones"), json_object_get(b, "zones"), zones);
	expect_same_members(json_object_get(a, "allocator"), json_object_get(b, "allocator"),
			    counters);
}

/* A model changes how a page descriptor is found, not which zone serves whom. */
Test(experiment, decisions_do_not_depend_on_the_memory_model)
{
	struct fixture f = {0};
	json_t *results;

	add_machine(&f, MACHINES "holey-board-flat.cfg", NULL, NULL);
	add_machine(&f, MACHINES "holey-board-sparse.cfg", NULL, NULL);
	add_machine(&f, MACHINES "holey-board-sparse-vmemmap.cfg", NULL, NULL);
	add_work(&f, SCENARIOS "churn.cfg", "workload.max_order", "5");
	results = compared(&f);
	cr_expect_gt(result_integer(json_array_get(results, 0), "events.alloc"), 10000);
	for (size_t i = 1; i < f.nr; i++) {
		cr_expect_str_neq(result_string(json_array_get(results, i), "memory_model.name"),
				  result_string(json_array_get(results, 0), "memory_model.name"));
		expect_same_decisions(json_array_get(results, 0), json_array_get(results, i));
	}
	json_decref(results);
	clear(&f);
}

static void expect_model(const json_t *result, const char *name, uint64_t memmap, uint64_t holes,
			 uint64_t tables)
{
	cr_expect_str_eq(result_string(result, "memory_model.name"), name);
	cr_expect_eq(result_integer(result, "memory_model.memmap_bytes"), memmap, "%s", name);
	cr_expect_eq(result_integer(result, "memory_model.hole_bytes"), holes, "%s", name);
	cr_expect_eq(result_integer(result, "memory_model.table_bytes"), tables, "%s", name);
}

/*
 * 2 GiB from 2 GiB on and 6 GiB from 34 GiB on, descriptors of 64 B for 4 KiB: 1/64 of what they
 * describe. flat describes the span of 38 GiB, from 2 to 40 GiB; sparse its sections of 128 MiB, 64
 * of them, and discontig its nodes, neither of which has a hole in it.
 *
 * Tables. flat: none. discontig: 32 GiB is the largest power of two that separates 4 from 34 GiB: 2
 * entries of 2 bytes up to 40 GiB, and a pointer of 8 bytes for each of 2 nodes. sparse: 2^(48 -
 * 27) sections of arm64, 4096 / 32 = 128 to a root: 2^14 roots of 8 bytes; sections 16 to 31 are in
 * root 0, 272 to 319 in root 2, a page of entries each. sparse-vmemmap: also page tables above huge
 * pages; the descriptors of 40 GiB span 640 MiB, so one page at each of 3 levels.
 */
#define SPARSE_TABLES ((1 << 14) * 8 + 2 * 4096)
Test(experiment, page_descriptors_of_the_holey_board)
{
	static const char *const models[] = {"flat", "discontig", "sparse", "sparse-vmemmap"};
	struct fixture f = {0};
	json_t *results;

	for (size_t i = 0; i < 4; i++)
		add_machine(&f, MACHINES "holey-board-flat.cfg", "memory_model", models[i]);
	add_work(&f, SCENARIOS "churn.cfg", "workload.operations", "10");
	results = compared(&f);
	expect_model(json_array_get(results, 0), "flat", 38 * GIB / 64, 30 * GIB / 64, 0);
	expect_model(json_array_get(results, 1), "discontig", 8 * GIB / 64, 0, 2 * 2 + 2 * 8);
	expect_model(json_array_get(results, 2), "sparse", 64 * 2 * MIB, 0, SPARSE_TABLES);
	expect_model(json_array_get(results, 3), "sparse-vmemmap", 64 * 2 * MIB, 0,
		     SPARSE_TABLES + 3 * 4096);
	/* Each range a node of its own, where the others have one. */
	cr_expect_eq(json_array_size(result_member(json_array_get(results, 0), "nodes")), 1);
	cr_expect_eq(json_array_size(result_member(json_array_get(results, 1), "nodes")), 2);
	json_decref(results);
	clear(&f);
}

/* The reason comes back from the child process, and no result does. */
Test(experiment, one_refused_machine_fails_the_whole)
{
	struct fixture f = {0};
	json_t *results;

	add_machine(&f, MACHINES "holey-board-flat.cfg", NULL, NULL);
	add_machine(&f, MACHINES "xeon-8269cy-2s.cfg", "memory_model", "flat");
	add_machine(&f, MACHINES "holey-board-flat.cfg", NULL, NULL);
	add_work(&f, SCENARIOS "churn.cfg", "workload.operations", "10");
	cr_expect_eq(experiment_compare(&f.experiment, f.machines, f.nr, &f.diag, &results),
		     -EINVAL);
	cr_expect_null(results);
	cr_expect_str_eq(f.diag.error.file, MACHINES "xeon-8269cy-2s.cfg");
	cr_expect_not_null(strstr(f.diag.error.text, "the flat memory model has one node"));
	clear(&f);
}

/* What is wrong with the work is told of the work's file. */
Test(experiment, an_error_keeps_its_file)
{
	struct fixture f = {0};
	const struct trace_event wait = {
		.op = TRACE_WAIT, .page = TRACE_NO_PAGE, .time_ps = UINT64_MAX};
	json_t *results;

	add_machine(&f, MACHINES "holey-board-flat.cfg", NULL, NULL);
	add_work(&f, SCENARIOS "churn.cfg", "workload.operations", "10");
	cr_assert_eq(trace_append(f.trace, &wait), 0);
	cr_expect_eq(experiment_compare(&f.experiment, f.machines, f.nr, &f.diag, &results),
		     -ERANGE);
	cr_expect_str_eq(f.diag.error.file, SCENARIOS "churn.cfg");
	clear(&f);
}

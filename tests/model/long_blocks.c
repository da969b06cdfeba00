/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One CPU that loads a bank with blocks short and long: the latency for the load is that of a
 * steady stream, however much is moved at once. The machine is machine_builder.h's, 60 ns and
 * 20 B/ns, and two CPUs of 32 lines in flight, of which one does something.
 *
 * The cost file says 20 ns of queueing. 64 lines at 20 B/ns take 204.8 ns, so the queue is 144.8
 * there, of a capacity of 20 * (1 + (20 / 144.8)^2) = 20.3816; at 18, where the line begins,
 * 20 * sqrt(18 / 2.3816) = 54.984. A chase alone waits 4.700 of it (see memory_load.c). The CPU's
 * rate r, with 32 * 64 B in flight:
 *
 *	r * (60 - 4.700 + 54.984 + (r - 18) * (144.8 - 54.984) / 2) = 2048,  r = 18.068 B/ns
 */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <inttypes.h>

#include "tests/machine_builder.h"

#define MIB     ((uint64_t)1 << 20)
#define MOVED   (128 * MIB)
#define RATE    18.068
#define PERCENT 0.5

static const struct costs queueing = {.bank_queue_ps = 20000};

struct blocks {
	uint64_t bytes;
	enum sim_window window;
	int nid;          /* of as many nodes, the last */
	uint64_t took_ps; /* half of MOVED */
};

static void move(struct sim *s, int cpu, uint64_t bytes, uint64_t block, int nid)
{
	for (uint64_t moved = 0; moved < bytes; moved += block)
		sim_stream(s, cpu,
			   &(struct sim_stream){.at = built_address(nid), .bytes_read = block});
}

static void follow(struct sim *s, int cpu, void *arg)
{
	struct blocks *b = arg;
	uint64_t start_ps;

	move(s, cpu, MOVED / 2, b->bytes, b->nid);
	start_ps = sim_now_ps(s, cpu);
	move(s, cpu, MOVED / 2, b->bytes, b->nid);
	b->took_ps = sim_now_ps(s, cpu) - start_ps;
}

ParameterizedTestParameters(long_blocks, run_at_the_rate_of_a_stream)
{
	static struct blocks params[] = {
		{4096, SIM_WINDOW_SETTLE, 0, 0},      {65536, SIM_WINDOW_SETTLE, 0, 0},
		{2 * MIB, SIM_WINDOW_SETTLE, 0, 0},   {64 * MIB, SIM_WINDOW_SETTLE, 0, 0},
		{2 * MIB, SIM_WINDOW_TRANSFER, 0, 0}, {2 * MIB, SIM_WINDOW_CHARGE, 0, 0},
		{64 * MIB, SIM_WINDOW_CHARGE, 0, 0},  {64 * MIB, SIM_WINDOW_SETTLE, 2, 0},
	};

	return cr_make_param_array(struct blocks, params, sizeof(params) / sizeof(*params));
}

ParameterizedTest(struct blocks *b, long_blocks, run_at_the_rate_of_a_stream)
{
	struct machine *m = build_machine(b->nid + 1, 2);
	struct diag diag = DIAG_INIT;
	struct sim *s = NULL;
	double rate;

	build_cache(m, 32768, 8, 1000, false);
	for (int cpu = 0; cpu < m->mm.nr_cpus; cpu++)
		m->cpus[cpu].fill_buffers = m->cpus[cpu].prefetched = 32;
	cr_assert_eq(sim_create(m, &queueing, &diag, &s), 0);
	sim_set_window(s, b->window);
	cr_assert_eq(sim_spawn(s, 2 * b->nid, follow, b), 0);
	cr_assert_eq(sim_run(s), 0);
	sim_destroy(s);
	built_free(m);
	rate = (double)MOVED / 2 / ((double)b->took_ps / 1000);
	cr_expect(rate > RATE * (100 - PERCENT) / 100 && rate < RATE * (100 + PERCENT) / 100,
		  "blocks of %" PRIu64 " bytes: %.3f B/ns", b->bytes, rate);
}

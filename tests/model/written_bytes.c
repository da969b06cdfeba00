/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bytes written, which cost a bank more than bytes read, over links, where a byte is a byte:
 * against closed forms. Banks of 20 B/ns, links of 10 B/ns as in machine_builder.h; whoever streams
 * has all its lines in flight, so that it is bandwidth that counts. A transfer takes as long as the
 * slowest of what it needs: the bank, the links for reads, those for writes.
 */
#include <criterion/criterion.h>

#include "sim/time/load.h"
#include "tests/machine_builder.h"

static const struct costs no_costs;

#define GBS UINT64_C(1000000000)

/* GB/s of the bank of node 1 and the link to it, 0: as they are; and what each CPU of node 0 does.
 */
struct plan {
	uint64_t write, stream, link, link_write;
	uint64_t read, written;
	bool past_cache;
	bool queue; /* latency depends on load: by a picosecond */
	int others; /* CPUs, besides the first */
	bool step_by_step;
	enum sim_window window;
};

static void follow(struct sim *s, int cpu, void *arg)
{
	const struct plan *p = arg;

	sim_stream(s, cpu,
		   &(struct sim_stream){.at = built_address(1),
					.bytes_read = p->read,
					.bytes_written = p->written,
					.past_cache = p->past_cache});
}

static struct machine *machine_of(const struct plan *p)
{
	struct machine *m = build_machine(2, 1 + p->others);
	struct machine_link *link = &m->links[built_link(0, 1)];

	build_cache(m, 32768, 8, 1000, false);
	for (int cpu = 0; cpu < m->mm.nr_cpus; cpu++)
		m->cpus[cpu].fill_buffers = m->cpus[cpu].prefetched = 1024;
	m->banks[1].write_bytes_per_s = p->write * GBS;
	m->banks[1].stream_bytes_per_s = p->stream * GBS;
	if (p->link)
		link->bytes_per_s = p->link * GBS;
	link->write_bytes_per_s = p->link_write * GBS;
	m->banks[1].load.queue_ps = p->queue;
	build_routes(m);
	return m;
}

/* What the last CPU takes, picoseconds. */
static uint64_t takes_ps(struct plan p)
{
	struct machine *m = machine_of(&p);
	struct diag diag = DIAG_INIT;
	struct sim *s = NULL;
	uint64_t most = 0;

	cr_assert_eq(sim_create(m, &no_costs, &diag, &s), 0);
	sim_set_window(s, p.window);
	sim_set_lookahead(s, !p.step_by_step);
	for (int cpu = 0; cpu <= p.others; cpu++)
		cr_assert_eq(sim_spawn(s, cpu, follow, &p), 0);
	cr_assert_eq(sim_run(s), 0);
	for (int cpu = 0; cpu <= p.others; cpu++) {
		const struct cpu_account *a = sim_account(s, cpu);
		uint64_t ps = a->total_ps - a->cause_ps[CAUSE_IDLE];

		most = ps > most ? ps : most;
	}
	sim_destroy(s);
	built_free(m);
	return most;
}

/* A simulation a process: in each mode by itself. */
#define TAKES(name, ps, ...)                                                                       \
	Test(written_bytes, name)                                                                  \
	{                                                                                          \
		cr_expect_eq(takes_ps((struct plan){__VA_ARGS__}), ps);                            \
	}                                                                                          \
	Test(written_bytes, name##_charge_by_charge)                                               \
	{                                                                                          \
		cr_expect_eq(takes_ps((struct plan){.window = SIM_WINDOW_CHARGE, __VA_ARGS__}),    \
			     ps);                                                                  \
	}                                                                                          \
	Test(written_bytes, name##_in_simgrid)                                                     \
	{                                                                                          \
		uint64_t found = takes_ps((struct plan){.step_by_step = true, __VA_ARGS__});       \
                                                                                                   \
		cr_expect(found + 2 >= (ps) && found <= (ps) + 2, "%llu ps",                       \
			  (unsigned long long)found);                                              \
	}

/* 4096 B over the link: 409.6 ns; at the bank 4096 / 16 = 256. */
TAKES(a_link_does_not_pay_the_banks_factor, 409600, .write = 16, .written = 4096)
/* The bank is slower than the link: 4096 / 8 = 512 ns. */
TAKES(the_bank_does, 512000, .write = 8, .written = 4096)
/* Past the caches likewise: 4096 / 5 = 819.2 ns; by the caches 409.6. */
TAKES(so_do_stores_past_the_caches, 819200, .write = 16, .stream = 5, .written = 4096,
      .past_cache = true)
TAKES(other_stores_do_not, 409600, .write = 16, .stream = 5, .written = 4096)
/* A mix on a link that both share: 4096 / 10; at the bank 2048 / 20 + 2048 / 16 = 230.4. */
TAKES(a_mix_has_all_of_the_link, 409600, .write = 16, .read = 2048, .written = 2048)
/* Ways of their own: 3072 / 10 = 307.2 ns, 1024 / 5 = 204.8, and 4096 / 20 = 204.8 at the bank. */
TAKES(reads_and_writes_move_at_once, 307200, .link_write = 5, .read = 3072, .written = 1024)
/* 2048 / 5 = 409.6 ns of writes; stores past the caches are no more bytes to the link. */
TAKES(streaming_stores_are_bytes_to_a_link, 409600, .stream = 16, .link_write = 5, .read = 2048,
      .written = 2048, .past_cache = true)
/* Links that are wide: 2048 / 20 + 2048 / 10 = 307.2 ns of the bank, 2048 / 18 of each way. */
TAKES(a_mix_has_all_of_the_bank, 307200, .write = 10, .link = 18, .link_write = 18, .read = 2048,
      .written = 2048)
/* Four CPUs take four times as long, whatever is full: 4 * 307.2 ns. */
TAKES(four_share_the_link_for_reads, 1228800, .link_write = 5, .read = 3072, .written = 1024,
      .others = 3)
TAKES(four_share_the_bank, 1228800, .write = 10, .link = 18, .link_write = 18, .read = 2048,
      .written = 2048, .others = 3)
TAKES(four_share_a_link_of_both, 1638400, .write = 16, .read = 2048, .written = 2048, .others = 3)

/* A long one is settled in slices: 4 MiB written take 838860.8 ns of 5 B/ns, read 419430.4 of 10.
 */
TAKES(long_ones_are_cut_alike, 838860800, .write = 12, .link_write = 5, .queue = true,
      .read = 4 << 20, .written = 4 << 20)
TAKES(long_ones_of_writes_alone, 838860800, .write = 12, .link_write = 5, .queue = true,
      .written = 4 << 20)

#define TAU_PS UINT64_C(200000000) /* over which a load is averaged */

/*
 * 8 B/ns written at twice the cost: half of the link's 16 B/ns, which then adds 10 ns, and four
 * fifths of the bank's 20 B/ns: sqrt(0.8 / 0.2) * 10 = 20 ns. Alone, 64 B / 100 ns: of the link
 * sqrt(0.64 / 15.36) * 10 = 2.041, of the bank, 64 B / 60 ns, 2.374.
 */
Test(written_bytes, load_a_link_as_bytes_and_the_bank_by_their_cost)
{
	const uint64_t bytes = 8 * (TAU_PS / 1000);
	struct machine *m = machine_of(&(struct plan){.link = 16, .write = 10});
	struct loads *l;
	uint64_t ps;

	m->banks[1].load.queue_ps = m->links[built_link(0, 1)].load.queue_ps = 10000;
	cr_assert_eq(loads_create(m, &no_costs, &l), 0);
	loads_add(l,
		  &(struct load_moved){.from = 0,
				       .to = 1,
				       .bytes = 2 * bytes,
				       .bytes_written = bytes,
				       .more = bytes,
				       .took_ps = 1000},
		  1000);
	ps = loads_extra_ps(l, 0, 1, 1000);
	cr_expect(ps >= 25585 - 3 && ps <= 25585 + 3, "%llu ps", (unsigned long long)ps);
	loads_free(l);
	built_free(m);
}

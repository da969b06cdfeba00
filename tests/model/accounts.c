/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whole runs of random programs on the mm core: accounts that add up, and the same ones every time.
 * NUMASIM_TEST_SEED=... repeats a run. And machines that are refused before they run.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sim/time/cost_sink.h"
#include "tests/machine_builder.h"

#define NR_NODES 3
#define NR_CPUS  6
#define NR_STEPS 400
#define NR_KEPT  32

static const struct costs some_costs = {
	.cycles = {[MM_SITE_ALLOC_ENTRY] = 40,
		   [MM_SITE_RMQUEUE] = 35,
		   [MM_SITE_PCP_ALLOC] = 12,
		   [MM_SITE_PCP_FREE] = 11,
		   [MM_SITE_SPLIT] = 9,
		   [MM_SITE_ZERO] = 7,
		   [MM_SITE_LOCK] = 21,
		   [MM_SITE_TOUCH] = 3},
};

struct churn {
	uint64_t state[NR_CPUS]; /* of each CPU's random numbers */
	struct page *kept[NR_CPUS][NR_KEPT];
	unsigned order[NR_CPUS][NR_KEPT];
	uint64_t nr_events;
	uint64_t last_event_ps[NR_CPUS];
	bool event_went_back;
	int error;
};

static uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static void allocate_or_free(struct sim *s, int cpu, struct churn *churn)
{
	uint64_t r = next_random(&churn->state[cpu]);
	unsigned i = (unsigned)(r % NR_KEPT);
	struct page **page = &churn->kept[cpu][i];
	unsigned *order = &churn->order[cpu][i];

	if (*page) {
		if (mm_free_pages(sim_mm(s), cpu, *page, *order))
			churn->error = __LINE__;
		*page = NULL;
		return;
	}
	*order = (unsigned)(r >> 32) % 5;
	if (mm_alloc_pages(sim_mm(s),
			   &(struct mm_request){
				   .cpu = cpu,
				   .nid = (int)((r >> 40) % (NR_NODES + 1)) - 1,
				   .order = *order,
				   .gfp = r >> 60 ? GFP_KERNEL : GFP_KERNEL | __GFP_ZERO,
			   },
			   page))
		churn->error = __LINE__;
}

/* Every CPU but the first may sleep; the first wakes them now and then, and all in the end. */
static void sleep_or_wake(struct sim *s, int cpu, uint64_t r)
{
	if (cpu == 0)
		sim_wake(s, 1 + (int)(r % (NR_CPUS - 1)));
	else if (r % 8 == 0 && sim_account(s, 0)->total_ps < 50000000)
		sim_sleep(s, cpu);
}

static void churn_program(struct sim *s, int cpu, void *arg)
{
	struct churn *churn = arg;

	for (int step = 0; step < NR_STEPS; step++) {
		uint64_t r = next_random(&churn->state[cpu]);
		phys_addr_t at = built_address((int)((r >> 8) % NR_NODES)) + (r >> 20) % 65536;

		switch (r % 5) {
		case 0:
		case 1:
			allocate_or_free(s, cpu, churn);
			break;
		case 2:
			sim_touch(s, cpu, at, 1 + (r >> 40) % 300, r >> 63);
			break;
		case 3:
			sim_settle(s, cpu);
			sleep_or_wake(s, cpu, r >> 32);
			break;
		default:
			if (r >> 20 & 1)
				cost_sink_ops.read(s, cpu, 4096, MM_STORE_FILE);
			sim_idle_until(s, cpu, sim_now_ps(s, cpu) + (r >> 50));
		}
	}
	for (int other = 1; cpu == 0 && other < NR_CPUS; other++)
		sim_wake(s, other);
}

static void look_at_event(void *arg, int cpu, const struct mm_kthread *thread, uint64_t at_ps,
			  const struct mm_event *ev)
{
	struct churn *churn = arg;

	(void)thread;
	churn->nr_events += ev->type == MM_EVENT_PAGE_ALLOC || ev->type == MM_EVENT_PAGE_FREE;
	if (at_ps < churn->last_event_ps[cpu])
		churn->event_went_back = true;
	churn->last_event_ps[cpu] = at_ps;
}

static uint64_t seed_of_run(void)
{
	const char *given = getenv("NUMASIM_TEST_SEED");

	return given ? strtoull(given, NULL, 0) : 20240607;
}

static struct machine *churned_machine(void)
{
	struct machine *m = build_machine(NR_NODES, NR_CPUS / NR_NODES);

	build_cache(m, 4096, 4, 1500, false);
	build_cache(m, 65536, 16, 9700, true);
	/* Two alike, which meet at the same time, the others not. */
	for (int cpu = 1; cpu < NR_CPUS; cpu++)
		m->cpus[cpu].freq_hz = 2000000000 + 13700003 * (uint64_t)(cpu - 1);
	m->banks[1].bytes_per_s = 17300000000;
	m->links[0].latency_ps = 65301;
	build_disk(m, 1300000, 3100000000, 2);
	m->tlb = (struct machine_tlb){
		.first = {{{12, 21}, 2, 8, 4}},
		.nr_first = 1,
		.second = {{{12, 21}, 2, 32, 4}},
		.nr_second = 1,
		.second_cycles = 7,
		.walk_cycles = 23,
		.table_entries = 4,
		.spaces = 6,
	};
	build_routes(m);
	return m;
}

enum mode { LOOKAHEAD, STEP_BY_STEP, BY_TRANSFER, BY_CHARGE, EXACT };
static const enum sim_window windows[] = {
	[BY_TRANSFER] = SIM_WINDOW_TRANSFER,
	[BY_CHARGE] = SIM_WINDOW_CHARGE,
	[EXACT] = SIM_WINDOW_CHARGE,
};

/* Run the churn; the simulation is the caller's. */
static struct sim *run_churn(const struct machine *m, uint64_t seed, enum mode mode,
			     struct churn *churn)
{
	struct diag diag = DIAG_INIT;
	struct sim *s = NULL;

	*churn = (struct churn){0};
	if (sim_create(m, &some_costs, &diag, &s))
		return NULL;
	sim_set_event_hook(s, look_at_event, churn);
	sim_set_lookahead(s, mode != STEP_BY_STEP && mode != EXACT);
	sim_set_window(s, windows[mode]);
	for (int cpu = 0; cpu < NR_CPUS; cpu++) {
		churn->state[cpu] = (seed + (uint64_t)cpu) * 0x9e3779b97f4a7c15u | 1;
		sim_spawn(s, cpu, churn_program, churn);
	}
	/* Whether all could be woken is the seed's affair. */
	if (sim_run(s) == -ENOMEM)
		churn->error = __LINE__;
	return s;
}

/* total = sum of causes = elapsed, and by node too; and each cause did occur. */
static void expect_sums(enum mode mode)
{
	struct machine *m = churned_machine();
	uint64_t seed = seed_of_run(), seen[NR_CAUSES] = {0}, calls = 0;
	struct churn churn;
	struct sim *s = run_churn(m, seed, mode, &churn);

	cr_assert_not_null(s);
	cr_assert_eq(churn.error, 0, "NUMASIM_TEST_SEED=%" PRIu64 ", line %d", seed, churn.error);
	cr_assert_not(churn.event_went_back);
	for (int cpu = 0; cpu < NR_CPUS; cpu++) {
		const struct cpu_account *a = sim_account(s, cpu);
		uint64_t causes = 0, remote = 0, zeroing = 0;

		for (int cause = 0; cause < NR_CAUSES; cause++) {
			causes += a->cause_ps[cause];
			seen[cause] += a->cause_ps[cause];
		}
		for (int nid = 0; nid < NR_NODES; nid++) {
			remote += a->nodes[nid].remote_ps;
			zeroing += a->nodes[nid].zeroing_ps;
		}
		cr_assert_eq(a->total_ps, sim_elapsed_ps(s), "NUMASIM_TEST_SEED=%" PRIu64, seed);
		cr_assert_eq(causes, a->total_ps);
		cr_assert_eq(remote, a->cause_ps[CAUSE_REMOTE]);
		cr_assert_eq(zeroing, a->cause_ps[CAUSE_ZEROING]);
		cr_assert_eq(a->nodes[m->cpu_nid[cpu]].remote_ps, 0);
		calls += a->sites[MM_SITE_ALLOC_ENTRY].calls + a->sites[MM_SITE_FREE_ENTRY].calls;
	}
	for (int cause = 0; cause < NR_CAUSES; cause++)
		cr_assert_gt(seen[cause], 0, "nothing for %s, NUMASIM_TEST_SEED=%" PRIu64,
			     time_cause_name((enum time_cause)cause), seed);
	cr_assert_eq(churn.nr_events, calls, "a tracepoint for each request");
	sim_destroy(s);
	built_free(m);
}

Test(accounts, add_up)
{
	expect_sums(LOOKAHEAD);
}

Test(accounts, add_up_where_each_charge_is_settled)
{
	expect_sums(EXACT);
}

static void print_accounts(FILE *out, const struct sim *s)
{
	for (int cpu = 0; cpu < NR_CPUS; cpu++) {
		const struct cpu_account *a = sim_account(s, cpu);

		fprintf(out, "cpu %d hits %" PRIu64 " locks %" PRIu64 " %" PRIu64, cpu,
			a->cache_hits, a->locks[MM_LOCK_ZONE].acquired,
			a->locks[MM_LOCK_ZONE].contended);
		for (int cause = 0; cause < NR_CAUSES; cause++)
			fprintf(out, " %" PRIu64, a->cause_ps[cause]);
		for (int nid = 0; nid < NR_NODES; nid++)
			fprintf(out,
				" node %d %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64,
				nid, a->nodes[nid].remote_ps, a->nodes[nid].zeroing_ps,
				a->nodes[nid].misses, a->nodes[nid].bytes_read,
				a->nodes[nid].bytes_written);
		for (int site = 0; site < MM_NR_SITES; site++)
			fprintf(out, " %" PRIu64 " %" PRIu64, a->sites[site].calls,
				a->sites[site].ps);
		fputc('\n', out);
	}
}

/* What a run prints of its accounts, from a process of its own: SimGrid allows one a process. */
static size_t accounts_of_a_run(uint64_t seed, enum mode mode, char *text, size_t size)
{
	size_t len = 0;
	ssize_t n;
	int ends[2], status;
	pid_t child;

	cr_assert_eq(pipe(ends), 0);
	child = fork();
	if (child == 0) {
		struct churn churn;
		struct sim *s = run_churn(churned_machine(), seed, mode, &churn);
		FILE *out = fdopen(ends[1], "w");

		print_accounts(out, s);
		fclose(out);
		_exit(0);
	}
	close(ends[1]);
	while ((n = read(ends[0], text + len, size - 1 - len)) > 0)
		len += (size_t)n;
	text[len] = '\0';
	close(ends[0]);
	cr_assert_eq(waitpid(child, &status, 0), child);
	cr_assert_eq(status, 0);
	return len;
}

Test(accounts, same_run_same_accounts)
{
	static char first[65536], second[65536], other[65536];
	uint64_t seed = seed_of_run();

	cr_assert_gt(accounts_of_a_run(seed, LOOKAHEAD, first, sizeof(first)), 1000);
	accounts_of_a_run(seed, LOOKAHEAD, second, sizeof(second));
	accounts_of_a_run(seed + 1, LOOKAHEAD, other, sizeof(other));
	cr_assert_str_eq(first, second, "NUMASIM_TEST_SEED=%" PRIu64, seed);
	cr_assert_str_neq(first, other, "another seed, another run");
}

/* The texts are alike but for numbers, and those differ by `most` at most. */
static bool alike(const char *a, const char *b, uint64_t most)
{
	while (*a && *b) {
		uint64_t x, y;
		char *end;

		if (*a < '0' || *a > '9') {
			if (*a++ != *b++)
				return false;
			continue;
		}
		x = strtoull(a, &end, 10);
		a = end;
		y = strtoull(b, &end, 10);
		b = end;
		if ((x > y ? x - y : y - x) > most)
			return false;
	}
	return *a == *b;
}

static void expect_alike(enum mode one, enum mode other, uint64_t most)
{
	static char first[65536], second[65536];

	for (uint64_t seed = seed_of_run(); seed < seed_of_run() + 10; seed++) {
		accounts_of_a_run(seed, one, first, sizeof(first));
		accounts_of_a_run(seed, other, second, sizeof(second));
		cr_expect(alike(first, second, most), "NUMASIM_TEST_SEED=%" PRIu64 ":\n%s\n%s",
			  seed, first, second);
	}
}

/*
 * SimGrid for each step, or only where links that are short meet: it comes to the same, but for the
 * picosecond of the end of some transfers, which the two round differently.
 */
Test(accounts, lookahead_changes_nothing)
{
	expect_alike(LOOKAHEAD, STEP_BY_STEP, 100);
}

Test(accounts, an_activity_a_charge_changes_nothing)
{
	expect_alike(BY_CHARGE, EXACT, 100);
}

/* Where only what moves no bytes is summed up, all comes to the same, to the picosecond. */
Test(accounts, sums_without_bytes_change_nothing)
{
	expect_alike(BY_TRANSFER, BY_CHARGE, 0);
}

/* The mm core's refusal reaches the user with the file and the line of the memory model. */
Test(accounts, refused_model_is_told)
{
	struct machine *m = build_machine(2, 1);
	struct diag diag = DIAG_INIT;
	struct sim *s = NULL;

	m->mm.model = MM_FLAT;
	cr_assert_eq(sim_create(m, &some_costs, &diag, &s), -EINVAL);
	cr_assert_null(s);
	cr_assert_str_eq(diag.error.file, "built.cfg");
	cr_assert_eq(diag.error.line, 7);
	cr_assert_gt(strlen(diag.error.text), 10);
	diag_clear(&diag);
	/* It did not use up the process's one simulation. */
	m->mm.model = MM_DISCONTIG;
	cr_assert_eq(sim_create(m, &some_costs, &diag, &s), 0);
	sim_destroy(s);
	built_free(m);
}

Test(accounts, memory_out_of_reach_is_told)
{
	struct machine *m = build_machine(2, 1);
	struct diag diag = DIAG_INIT;
	struct sim *s = NULL;

	m->routes[1].bytes_per_s = 0;
	cr_assert_eq(sim_create(m, &some_costs, &diag, &s), -EINVAL);
	cr_assert_str_eq(diag.error.text, "cpu 0 on node 0 has no way to the memory of node 1");
	diag_clear(&diag);
	built_free(m);
}

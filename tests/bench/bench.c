/* SPDX-License-Identifier: Apache-2.0 */
/*
 * numasim-bench [NAME...]: one JSON line a figure, {"name": "core.pcp_pair", "value": 21.4,
 * "unit": "ns"}. Each is the best of several rounds, since these figures only ever come out worse
 * for what else the machine does. tests/bench/readme.sh prints those that the README quotes.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "mm/gfp.h"
#include "mm/mm.h"
#include "sim/rng.h"
#include "tests/bench/bench.h"

#define GiB    (UINT64_C(1) << 30)
#define ROUNDS 5

double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

void die(const char *what)
{
	fprintf(stderr, "numasim-bench: %s\n", what);
	exit(1);
}

/* One node of 4 GiB, one CPU, no sink. */
static struct mm *boot_4gib(void)
{
	static const int cpu_nid[] = {0};
	static const uint8_t distance[] = {10};
	static const struct mm_range memory[] = {{GiB, 4 * GiB, 0}};
	const struct mm_config config = {
		.arch = MM_X86_64,
		.model = MM_SPARSE_VMEMMAP,
		.nr_nodes = 1,
		.nr_cpus = 1,
		.cpu_nid = cpu_nid,
		.distance = distance,
		.memory = memory,
		.nr_memory = 1,
		.params = mm_params_default(),
	};
	struct mm_refusal refusal;
	struct mm *mm;

	if (mm_boot(&config, NULL, NULL, &mm, &refusal))
		die("the mm core does not boot");
	return mm;
}

static struct page *take(struct mm *mm)
{
	const struct mm_request req = {.nid = MM_NO_NODE, .gfp = GFP_KERNEL};
	struct page *page;

	return mm_alloc_pages(mm, &req, &page) ? NULL : page;
}

/* ns an operation, of `nr` that took `seconds`. */
static double per_op(double seconds, uint64_t nr)
{
	return seconds * 1e9 / (double)nr;
}

static double pcp_pair(void)
{
	const uint64_t nr = 5000000;
	struct mm *mm = boot_4gib();
	double start, seconds;

	mm_free_pages(mm, 0, take(mm), 0);
	start = now();
	for (uint64_t i = 0; i < nr; i++)
		mm_free_pages(mm, 0, take(mm), 0);
	seconds = now() - start;
	mm_destroy(mm);
	return per_op(seconds, nr);
}

#define NR_FILL (4 * GiB / 4096 * 9 / 10) /* pages: 90 % of the node */

/* An array for so many. The host's page faults on it are not the allocator's. */
static struct page **page_array(void)
{
	struct page **pages = malloc(NR_FILL * sizeof(*pages));

	if (!pages)
		die("no memory");
	memset(pages, 0, NR_FILL * sizeof(*pages));
	return pages;
}

/* Page by page. */
static void fill(struct mm *mm, struct page **pages)
{
	for (uint64_t i = 0; i < NR_FILL; i++) {
		pages[i] = take(mm);
		if (!pages[i])
			die("the node is full too early");
	}
}

static double bulk_fill(void)
{
	struct mm *mm = boot_4gib();
	struct page **pages = page_array();
	double start = now(), seconds;

	fill(mm, pages);
	seconds = now() - start;
	free(pages);
	mm_destroy(mm);
	return per_op(seconds, NR_FILL);
}

static double bulk_free(void)
{
	struct mm *mm = boot_4gib();
	struct page **pages = page_array();
	double start, seconds;

	fill(mm, pages);
	start = now();
	for (uint64_t i = 0; i < NR_FILL; i++)
		mm_free_pages(mm, 0, pages[i], 0);
	seconds = now() - start;
	free(pages);
	mm_destroy(mm);
	return per_op(seconds, NR_FILL);
}

/* The order is drawn before: what the bench itself would look up at random, in an array as large as
 * the host's caches, is no cost of the allocator. Its descriptors are as far apart as ever. */
static void shuffle(struct page **pages)
{
	struct rng rng = {1};

	for (uint64_t i = NR_FILL - 1; i > 0; i--) {
		uint64_t other = rng_below(&rng, i + 1);
		struct page *page = pages[i];

		pages[i] = pages[other];
		pages[other] = page;
	}
}

static double random_pair(void)
{
	const unsigned rounds = 2;
	struct mm *mm = boot_4gib();
	struct page **pages = page_array();
	double start, seconds;

	fill(mm, pages);
	shuffle(pages);
	start = now();
	for (unsigned round = 0; round < rounds; round++)
		for (uint64_t i = 0; i < NR_FILL; i++) {
			mm_free_pages(mm, 0, pages[i], 0);
			pages[i] = take(mm);
		}
	seconds = now() - start;
	free(pages);
	mm_destroy(mm);
	return per_op(seconds, rounds * NR_FILL);
}

/* A machine of 64 nodes and 1024 CPUs, as a ring, with so much memory a node. */
static struct mm *boot_64_nodes(uint64_t node_bytes)
{
	enum { NODES = 64, CPUS = 1024 };
	static int cpu_nid[CPUS];
	static uint8_t distance[NODES * NODES];
	static struct mm_range memory[NODES];
	const struct mm_config config = {
		.arch = MM_X86_64,
		.model = MM_SPARSE_VMEMMAP,
		.nr_nodes = NODES,
		.nr_cpus = CPUS,
		.cpu_nid = cpu_nid,
		.distance = distance,
		.memory = memory,
		.nr_memory = NODES,
		.params = mm_params_default(),
	};
	struct mm_refusal refusal;
	struct mm *mm;

	for (int cpu = 0; cpu < CPUS; cpu++)
		cpu_nid[cpu] = cpu / (CPUS / NODES);
	for (int a = 0; a < NODES; a++) {
		memory[a] = (struct mm_range){(uint64_t)a * node_bytes, node_bytes, a};
		for (int b = 0; b < NODES; b++) {
			int hops = abs(a - b);

			hops = hops < NODES - hops ? hops : NODES - hops;
			distance[a * NODES + b] = (uint8_t)(10 + 5 * hops);
		}
	}
	if (mm_boot(&config, NULL, NULL, &mm, &refusal))
		die(refusal.why);
	return mm;
}

static double boot_time(uint64_t node_bytes)
{
	double start = now(), seconds;
	struct mm *mm = boot_64_nodes(node_bytes);

	seconds = now() - start;
	mm_destroy(mm);
	return seconds;
}

/* Host memory of the whole process after boot; a round is a process of its own. */
static double boot_mib(uint64_t node_bytes)
{
	struct mm *mm = boot_64_nodes(node_bytes);
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	mm_destroy(mm);
	return (double)usage.ru_maxrss / 1024;
}

static double boot_1tib_seconds(void)
{
	return boot_time(16 * GiB);
}

static double boot_1tib_mib(void)
{
	return boot_mib(16 * GiB);
}

static double boot_16tib_seconds(void)
{
	return boot_time(256 * GiB);
}

static double boot_16tib_mib(void)
{
	return boot_mib(256 * GiB);
}

#define MORE 1 /* is better */
#define ONCE 2 /* is enough: it is the same each time, or takes too long */

static const struct figure {
	const char *name, *unit;
	double (*measure)(void);
	unsigned flags; /* MORE, ONCE */
} figures[] = {
	{"core.pcp_pair", "ns", pcp_pair, 0},
	{"core.bulk_fill", "ns", bulk_fill, 0},
	{"core.bulk_free", "ns", bulk_free, 0},
	{"core.random_pair", "ns", random_pair, 0},
	{"boot.1tib_64n_1024c.seconds", "s", boot_1tib_seconds, 0},
	{"boot.1tib_64n_1024c.mib", "MiB", boot_1tib_mib, 0},
	{"boot.16tib.seconds", "s", boot_16tib_seconds, 0},
	{"boot.16tib.mib", "MiB", boot_16tib_mib, 0},
	{"trace.decode.binary", "events/s", decode_binary, MORE},
	{"trace.decode.ftrace", "events/s", decode_ftrace, MORE},
	{"replay.binary", "events/s", replay_binary, MORE},
	{"replay.ftrace", "events/s", replay_ftrace, MORE},
	{"replay.zstd", "events/s", replay_zstd, MORE},
	{"replay.naive", "events/s", replay_naive, MORE | ONCE},
	{"replay.activities_per_event", "activities", replay_activities, ONCE},
	{"replay.activities_per_event.contended", "activities", replay_activities_contended, ONCE},
	{"replay.activities_per_event.exact", "activities", replay_activities_exact, ONCE},
	{"replay.batched_error", "%", replay_batched_error, ONCE},
	{"replay.ns_per_event.1cpu", "ns", replay_1cpu, 0},
	{"replay.ns_per_event.8cpu", "ns", replay_8cpu, 0},
	{"replay.ns_per_event.64cpu", "ns", replay_64cpu, 0},
	{"replay.ns_per_event.512cpu", "ns", replay_512cpu, 0},
	{"replay.simulated_ns_per_event.1cpu", "ns", replay_1cpu_simulated, ONCE},
	{"replay.simulated_ns_per_event.8cpu", "ns", replay_8cpu_simulated, ONCE},
	{"replay.simulated_ns_per_event.64cpu", "ns", replay_64cpu_simulated, ONCE},
	{"replay.simulated_ns_per_event.512cpu", "ns", replay_512cpu_simulated, ONCE},
	{"replay.ns_per_event.1gib", "ns", replay_1gib, 0},
	{"replay.ns_per_event.16tib", "ns", replay_16tib, 0},
	{"replay.ns_per_event.8node", "ns", replay_8node, 0},
};
#define NR_FIGURES (sizeof(figures) / sizeof(*figures))

/* A round in a process of its own: SimGrid allows one engine a process, and memory starts fresh. */
static double one_round(const struct figure *f)
{
	int ends[2], status;
	double value = 0;
	pid_t pid;

	if (pipe(ends))
		die(strerror(errno));
	fflush(NULL);
	pid = fork();
	if (pid < 0)
		die(strerror(errno));
	if (pid == 0) {
		value = f->measure();
		_exit(write(ends[1], &value, sizeof(value)) == (ssize_t)sizeof(value) ? 0 : 1);
	}
	close(ends[1]);
	if (read(ends[0], &value, sizeof(value)) != (ssize_t)sizeof(value) ||
	    waitpid(pid, &status, 0) < 0 || status)
		die("a round failed");
	close(ends[0]);
	return value;
}

static void print_figure(const struct figure *f)
{
	double best = one_round(f);

	for (int i = 1; i < ROUNDS && !(f->flags & ONCE); i++) {
		double value = one_round(f);

		if (f->flags & MORE ? value > best : value < best)
			best = value;
	}
	printf("{\"name\": \"%s\", \"value\": %.4g, \"unit\": \"%s\"}\n", f->name, best, f->unit);
	fflush(stdout);
}

static bool wanted(const char *name, int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (!strcmp(argv[i], name))
			return true;
	return argc < 2;
}

static bool known(const char *name)
{
	for (size_t i = 0; i < NR_FIGURES; i++)
		if (!strcmp(figures[i].name, name))
			return true;
	return false;
}

static void usage(FILE *out)
{
	fputs("Usage: numasim-bench [NAME...]\n"
	      "Measure, and print a line of JSON for each figure; all of them without a name:\n",
	      out);
	for (size_t f = 0; f < NR_FIGURES; f++)
		fprintf(out, "  %-36s %s\n", figures[f].name, figures[f].unit);
}

int main(int argc, char **argv)
{
	if (argc > 1 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))) {
		usage(stdout);
		return 0;
	}
	for (int i = 1; i < argc; i++)
		if (!known(argv[i])) {
			fprintf(stderr, "numasim-bench: unknown figure '%s'; known are", argv[i]);
			for (size_t f = 0; f < NR_FIGURES; f++)
				fprintf(stderr, "%s %s", f ? "," : "", figures[f].name);
			fputc('\n', stderr);
			return 2;
		}
	for (size_t f = 0; f < NR_FIGURES; f++)
		if (wanted(figures[f].name, argc, argv))
			print_figure(&figures[f]);
	return 0;
}

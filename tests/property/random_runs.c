/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random scenarios and random traces on random machines, by the command itself: everything is
 * verified at the end of a run, the causes of each CPU's time add up (sim_run() stops where they do
 * not), and a second run gives the same bytes. Machines have one to four nodes, some without CPUs
 * or memory, on all memory models; scenarios have several workloads of all kinds, sysctls and
 * hotplug; traces have blocks, splits, policies, slab objects, failed allocations and hotplug.
 *
 * NUMASIM_SEED and NUMASIM_RUNS come from the environment, if they are there; each run prints its
 * seed. Files of a run that fails are left where the message says.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../mm_fixture.h"

#define SHIPPED SOURCE_DIR "/configs/machines/"
#define PAGES   400 /* of a trace, in use at a time */

struct run {
	uint64_t rng;
	char dir[64];
	int nodes, cpus;
	int with_cpus[8]; /* by CPU: its node */
	bool memory[8];   /* by node */
	bool hotplug;     /* the model has it */
	bool i386;
};

static uint64_t below(struct run *r, uint64_t n)
{
	return random_below(&r->rng, n);
}

static const char *pick(struct run *r, const char *const *words, size_t nr)
{
	return words[below(r, nr)];
}
#define PICK(r, ...)                                                                               \
	pick(r, (const char *const[]){__VA_ARGS__},                                                \
	     sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

static FILE *create(const struct run *r, const char *name)
{
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", r->dir, name);
	f = fopen(path, "w");
	cr_assert_not_null(f, "%s: %s", path, strerror(errno));
	return f;
}

static int any_cpu(struct run *r)
{
	return (int)below(r, (uint64_t)r->cpus);
}

/* One that has memory. */
static int any_node(struct run *r)
{
	int n = (int)below(r, (uint64_t)r->nodes);

	while (!r->memory[n])
		n = (n + 1) % r->nodes;
	return n;
}

/* Of a node with memory, in place of that of all nodes. */
static void write_bank(struct run *r, FILE *f)
{
	fprintf(f,
		" bank = { latency = \"90ns\"; bandwidth = \"30GB/s\"; channels = %" PRIu64
		"; channel_interleave = \"%s\"; };",
		1 + below(r, 12), PICK(r, "64B", "256B", "4KiB"));
}

/* The last node and one before it become one, if both have memory: the kernel has a node less. */
static void write_interleave(struct run *r, FILE *f)
{
	int last = r->nodes - 1, with = last - 1;

	while (with >= 0 && !r->memory[with])
		with--;
	if (with < 0 || !r->memory[last] || below(r, 3))
		return;
	fprintf(f, "interleave = ( { nodes = ( %d, %d ); granularity = \"%s\"; } );\n", with, last,
		PICK(r, "64B", "256B", "4KiB", "2MiB"));
	for (int cpu = 0; cpu < r->cpus; cpu++)
		if (r->with_cpus[cpu] == last)
			r->with_cpus[cpu] = with;
	r->nodes--;
}

/* The first has CPUs and memory, further ones either or both. 16 to 48 MiB each. */
static void write_nodes(struct run *r, FILE *f)
{
	uint64_t at = 1;

	r->nodes = 1 + (int)below(r, 4);
	r->cpus = 0;
	fprintf(f, "nodes = (\n");
	for (int n = 0; n < r->nodes; n++) {
		uint64_t mib = 32 + 8 * below(r, 5);
		int cpus = n && !below(r, 4) ? 0 : 1 + (int)below(r, 2);

		r->memory[n] = !n || !cpus || below(r, 4);
		fprintf(f, "%s\t{", n ? ",\n" : "");
		if (r->memory[n])
			fprintf(f,
				" memory = ( { base = \"%" PRIu64 "MiB\"; size = \"%" PRIu64
				"MiB\"; } );",
				at, n ? mib : mib - 1);
		if (r->memory[n] && !below(r, 3))
			write_bank(r, f);
		at += r->memory[n] ? n ? mib : mib - 1 : 0;
		if (cpus)
			fprintf(f, " cpus = { count = %d; frequency = \"2.5GHz\"; };", cpus);
		fprintf(f, " }");
		while (cpus--)
			r->with_cpus[r->cpus++] = n;
	}
	fprintf(f, "\n);\ndistances = (");
	for (int a = 0; a < r->nodes; a++) {
		fprintf(f, "%s(", a ? ", " : "");
		for (int b = 0; b < r->nodes; b++)
			fprintf(f, "%s%d", b ? ", " : "", a == b ? 10 : 20 + (a + b) % 2);
		fprintf(f, ")");
	}
	fprintf(f, ");\n");
}

static void write_machine(struct run *r)
{
	FILE *f = create(r, "machine.cfg");
	const char *model = PICK(r, "flat", "discontig", "sparse", "sparse-vmemmap");

	fprintf(f, "name = \"random\";\ndescription = \"\";\nsource = \"random\";\n"
		   "architecture = \"x86_64\";\n");
	write_nodes(r, f);
	write_interleave(r, f);
	if (r->nodes > 1 && !strcmp(model, "flat"))
		model = "sparse";
	r->hotplug = !strncmp(model, "sparse", 6);
	fprintf(f, "memory_model = \"%s\";\n", model);
	for (int i = 0; i < 3; i++) {
		static const char *const includes[] = {"xeon-8269cy-wires.inc",
						       "xeon-8269cy-caches.inc", "sata-ssd.inc"};

		fprintf(f, "@include \"" SHIPPED "%s\"\n", includes[i]);
	}
	fprintf(f, "kernel = {\n\ttransparent_hugepage = \"%s\";\n",
		PICK(r, "never", "always", "madvise"));
	if (below(r, 2))
		fprintf(f, "\tmin_free_kbytes = %" PRIu64 ";\n", 200 + below(r, 800));
	if (!below(r, 3))
		fprintf(f, "\thugepages = %" PRIu64 ";\n", 1 + below(r, 3));
	if (!below(r, 3))
		fprintf(f, "\tcma = \"4MiB\";\n");
	if (!below(r, 4))
		fprintf(f, "\tkernelcore = \"24MiB\";\n");
	if (!below(r, 2))
		fprintf(f, "\tswap = \"64MiB\";\n");
	fprintf(f, "};\n");
	fclose(f);
}

static void write_policy(struct run *r, FILE *f, const char *key)
{
	const char *mode =
		PICK(r, "bind", "interleave", "preferred", "preferred_many", "weighted_interleave");

	if (!below(r, 3))
		fprintf(f, " %s = \"%s\";", key, PICK(r, "local", "default"));
	else
		fprintf(f, " %s = \"%s:%d\";", key, mode, any_node(r));
}

static void write_step(struct run *r, FILE *f, const char *range)
{
	switch (below(r, 11)) {
	case 0:
		fprintf(f,
			"{ do = \"touch\"; range = \"%s\"; access = \"%s\"; operations = %" PRIu64
			"; write = %s; }",
			range, PICK(r, "random", "zipf", "sequential"), 100 + below(r, 2000),
			PICK(r, "true", "false"));
		break;
	case 1:
		fprintf(f, "{ do = \"touch\"; range = \"%s\"; passes = %" PRIu64 "; }", range,
			1 + below(r, 2));
		break;
	case 2:
		fprintf(f, "{ do = \"%s\"; file = \"%s\"; bytes = \"%" PRIu64 "KiB\"; }",
			PICK(r, "read", "write"), PICK(r, "/data/a", "/data/b", "/dev/shm/c"),
			4 * (1 + below(r, 500)));
		break;
	case 3:
		fprintf(f, "{ do = \"mlock\"; range = \"%s\"; bytes = \"%" PRIu64 "KiB\"; }", range,
			4 * (1 + below(r, 16)));
		break;
	case 4:
		fprintf(f, "{ do = \"munlock\"; range = \"%s\"; }", range);
		break;
	case 5:
		fprintf(f, "{ do = \"mbind\"; range = \"%s\";", range);
		write_policy(r, f, "policy");
		fprintf(f, " move = %s; }", PICK(r, "true", "false"));
		break;
	case 6:
		fprintf(f, "{ do = \"set_policy\";");
		write_policy(r, f, "policy");
		fprintf(f, " }");
		break;
	case 7:
		fprintf(f, "{ do = \"run_on\"; cpus = [ %d ]; }", any_cpu(r));
		break;
	case 8:
		fprintf(f, "{ do = \"migrate_pages\"; node = %d; }", any_node(r));
		break;
	case 9:
		fprintf(f, "{ do = \"munmap\"; range = \"%s\"; bytes = \"%" PRIu64 "KiB\"; }",
			range, 4 * (1 + below(r, 16)));
		break;
	default:
		fprintf(f, "{ do = \"sleep\"; time = \"%" PRIu64 "us\"; }", 1 + below(r, 3000));
	}
}

/* Two ranges, some steps, a child that does some with the same ranges. */
static void write_process(struct run *r, FILE *f)
{
	static const char *const ranges[] = {"r0", "r1"};

	fprintf(f, "kind = \"process\"; name = \"p%" PRIu64 "\"; cpus = [ %d ]; steps = (",
		below(r, 1000), any_cpu(r));
	for (int i = 0; i < 2; i++) {
		fprintf(f,
			"\n\t{ do = \"mmap\"; range = \"r%d\"; bytes = \"%" PRIu64
			"KiB\"; madvise = %s; shared = %s;",
			i, 64 + 4 * below(r, 2500), PICK(r, "true", "false"),
			PICK(r, "true", "false", "false"));
		if (!below(r, 3))
			fprintf(f, " file = \"%s\";", PICK(r, "/data/a", "/dev/shm/c"));
		if (below(r, 2))
			write_policy(r, f, "policy");
		fprintf(f, " },");
	}
	for (uint64_t i = below(r, 6); i; i--) {
		fprintf(f, "\n\t");
		write_step(r, f, ranges[i % 2]);
		fprintf(f, ",");
	}
	fprintf(f, "\n\t{ do = \"fork\"; name = \"c\"; cpus = [ %d ]; steps = (", any_cpu(r));
	for (uint64_t i = 1 + below(r, 4); i; i--) {
		fprintf(f, "\n\t\t");
		write_step(r, f, ranges[i % 2]);
		fprintf(f, ",");
	}
	fprintf(f, "\n\t\t{ do = \"exit\"; } ); },");
	for (uint64_t i = below(r, 5); i; i--) {
		fprintf(f, "\n\t");
		write_step(r, f, ranges[i % 2]);
		fprintf(f, ",");
	}
	fprintf(f, "\n\t%s );",
		PICK(r, "{ do = \"wait\"; name = \"c\"; }", "{ do = \"exit\"; }",
		     "{ do = \"exec\"; }"));
}

/* Text of a step as --hotplug has it; mostly one that the machine takes. */
static void write_hotplug(struct run *r, FILE *f)
{
	uint64_t block = 32 + below(r, 4); /* 128 MiB each: from 4 GiB on */

	switch (below(r, 7)) {
	case 0:
	case 1:
		fprintf(f, "add:0x%" PRIx64 "+%dM@%d", block << 27, below(r, 2) ? 128 : 256,
			any_node(r));
		break;
	case 2:
		fprintf(f, "%s:memory%" PRIu64,
			PICK(r, "online", "online_kernel", "online_movable"), block);
		break;
	case 3:
		fprintf(f, "offline:memory%" PRIu64, below(r, 4) ? block : 0);
		break;
	case 4:
		fprintf(f, "remove:memory%" PRIu64, block);
		break;
	default:
		fprintf(f, "auto_online_blocks:%s",
			PICK(r, "online", "online_kernel", "online_movable", "offline"));
	}
}

static void write_cpus(struct run *r, FILE *f)
{
	int first = any_cpu(r), second = any_cpu(r);

	if (below(r, 2))
		return;
	fprintf(f, " cpus = [ %d", first);
	if (second != first)
		fprintf(f, ", %d", second);
	fprintf(f, " ];");
}

static void write_steps(struct run *r, FILE *f)
{
	fprintf(f, "kind = \"hotplug\"; cpus = [ %d ]; pause = \"%" PRIu64 "us\"; steps = [ ",
		any_cpu(r), below(r, 1000));
	for (uint64_t i = 1 + below(r, 6); i; i--) {
		fprintf(f, "\"");
		write_hotplug(r, f);
		fprintf(f, "\"%s", i > 1 ? ", " : " ];");
	}
}

static void write_workload(struct run *r, FILE *f)
{
	const char *gfp = PICK(r, "GFP_KERNEL", "GFP_HIGHUSER_MOVABLE", "GFP_ATOMIC:1,GFP_KERNEL:3",
			       "GFP_HIGHUSER_MOVABLE:3,GFP_KERNEL|__GFP_RECLAIMABLE:1");
	uint64_t operations = 200 + below(r, 2000), kib = 64 + 4 * below(r, 2500);

	switch (below(r, 12)) {
	case 0:
		fprintf(f,
			"kind = \"churn\"; gfp = \"%s\"; operations = %" PRIu64
			"; orders = \"0:9,1,3,9\"; live = 200;",
			gfp, operations);
		break;
	case 1:
		fprintf(f, "kind = \"fill\"; gfp = \"%s\"; bytes = \"%" PRIu64 "KiB\";", gfp, kib);
		break;
	case 2:
		fprintf(f,
			"kind = \"contend\"; gfp = \"%s\"; operations = %" PRIu64 "; burst = 64;",
			gfp, operations);
		break;
	case 3:
		fprintf(f, "kind = \"interleave\"; bytes = \"%" PRIu64 "KiB\"; nodes = [ %d ];",
			kib, any_node(r));
		break;
	case 4:
		fprintf(f,
			"kind = \"fault\"; bytes = \"%" PRIu64 "KiB\"; madvise = %s; unmap = %s;",
			kib, PICK(r, "true", "false"), PICK(r, "true", "false"));
		write_policy(r, f, "policy");
		break;
	case 5:
		fprintf(f, "kind = \"anon\"; bytes = \"%" PRIu64 "KiB\"; access = \"%s\";", 4 * kib,
			PICK(r, "sequential", "random"));
		break;
	case 6:
		fprintf(f, "kind = \"file\"; bytes = \"%" PRIu64 "KiB\"; write = %s;", 2 * kib,
			PICK(r, "true", "false"));
		break;
	case 7:
		fprintf(f,
			"kind = \"slab\"; operations = %" PRIu64
			"; sizes = \"64:4,192,1024:2,6000\"; live = %" PRIu64 ";",
			operations, 1 + below(r, 300));
		write_policy(r, f, "policy");
		break;
	case 8:
		fprintf(f,
			"kind = \"vmalloc\"; bytes = \"%" PRIu64 "KiB\"; operations = 20; method = "
			"\"%s\";",
			4 * (1 + below(r, 300)), PICK(r, "vmalloc", "huge"));
		break;
	case 9:
		fprintf(f, "kind = \"kmap\"; bytes = \"256KiB\"; operations = 200; live = 4;");
		break;
	case 10:
		if (r->hotplug) {
			write_steps(r, f);
			return;
		}
		/* fall through */
	default:
		write_process(r, f);
		return;
	}
	write_cpus(r, f);
}

static void write_scenario(struct run *r)
{
	FILE *f = create(r, "scenario.cfg");
	uint64_t nr = 1 + below(r, 4);

	fprintf(f, "machine = \"machine.cfg\";\nseed = %" PRIu64 ";\nworkloads = (\n",
		1 + below(r, 1000));
	for (uint64_t i = 0; i < nr; i++) {
		fprintf(f, "{ ");
		write_workload(r, f);
		fprintf(f, " }%s\n", i + 1 < nr ? "," : "");
	}
	fprintf(f, ");\n");
	fclose(f);
}

struct held {
	unsigned name, order;
	bool object;
};

static void write_alloc(struct run *r, FILE *f, struct held *h)
{
	static const char *const policies[] = {"bound", "turns", "near", "many"};
	const char *gfp = PICK(r, "GFP_KERNEL", "GFP_HIGHUSER_MOVABLE|__GFP_ZERO", "GFP_ATOMIC",
			       "GFP_HIGHUSER_MOVABLE", "GFP_NOWAIT|__GFP_RECLAIMABLE");
	uint64_t how = below(r, 4);

	h->object = !below(r, 3);
	h->order = below(r, 3) ? 0 : (unsigned)below(r, 6);
	if (h->object && below(r, 2))
		fprintf(f, "kmalloc p%u bytes=%" PRIu64 " gfp=GFP_KERNEL", h->name,
			1 + below(r, 9000));
	else if (h->object)
		fprintf(f, "cache_alloc p%u cache=%s size=100 room=104 gfp=GFP_KERNEL", h->name,
			PICK(r, "a", "b"));
	else
		fprintf(f, "alloc p%u order=%u gfp=%s", h->name, h->order, gfp);
	if (how == 0)
		fprintf(f, " node=%d", any_node(r));
	else if (how == 1)
		fprintf(f, " policy=%s", policies[below(r, 4)]);
	fprintf(f, "\n");
}

/* A line of what is in use, or of what is not any more. */
static void write_use(struct run *r, FILE *f, struct held *live, size_t *nr, unsigned *next)
{
	struct held *h = &live[below(r, *nr)];
	uint64_t what = below(r, 5);

	if (!h->object && what == 0) {
		fprintf(f, "touch p%u %s %" PRIu64 "B\n", h->name, PICK(r, "read", "write"),
			1 + below(r, UINT64_C(4096) << h->order));
	} else if (!h->object && h->order && what == 1 && *nr < PAGES) {
		h->order--;
		fprintf(f, "split p%u p%u\n", h->name, *next);
		live[(*nr)++] = (struct held){(*next)++, h->order, false};
	} else {
		fprintf(f, "%s p%u\n", h->object ? "kfree" : "free", h->name);
		*h = live[--*nr];
	}
}

static void write_trace(struct run *r)
{
	FILE *f = create(r, "trace.txt");
	struct held live[PAGES];
	size_t nr = 0;
	unsigned next = 0;
	uint64_t us = 0;

	fprintf(f, "# numasim trace 1\npolicy bound mode=MPOL_BIND nodes=%d of=task\n",
		any_node(r));
	fprintf(f, "policy turns mode=MPOL_INTERLEAVE nodes=%d of=task\n", any_node(r));
	fprintf(f, "policy near mode=MPOL_PREFERRED nodes=%d of=range\n", any_node(r));
	fprintf(f, "policy many mode=MPOL_PREFERRED_MANY nodes=%d\n", any_node(r));
	for (uint64_t i = 0; i < 3000; i++) {
		if (!below(r, 60)) {
			fprintf(f, "cpu=%d wait %" PRIu64 "us\n", any_cpu(r), 1 + below(r, 50));
			continue;
		}
		us += below(r, 3);
		fprintf(f, "%" PRIu64 "us cpu=%d ", us, any_cpu(r));
		if (!below(r, 100)) {
			fprintf(f, "hotplug ");
			write_hotplug(r, f);
			fprintf(f, "\n");
		} else if (!below(r, 80)) {
			fprintf(f, "alloc - order=9 gfp=GFP_KERNEL\n");
		} else if (!nr || (nr < PAGES && below(r, 2))) {
			live[nr].name = next++;
			write_alloc(r, f, &live[nr++]);
		} else {
			write_use(r, f, live, &nr, &next);
		}
	}
	fclose(f);
}

/* Its output goes to `out`, messages to `out`.err. */
static int run_once(const struct run *r, const char *command, const char *out)
{
	char line[512];
	int status;

	snprintf(line, sizeof(line),
		 "cd %s && timeout 300 " NUMASIM " %s --verify --quiet --format json >%s 2>%s.err",
		 r->dir, command, out, out);
	status = system(line);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

/* Twice the same: 0, or 1 where the run says that nothing goes on any more. */
static void must_repeat(const struct run *r, uint64_t seed, const char *command)
{
	char line[256];
	int status = run_once(r, command, "first");

	cr_assert(status == 0 || status == 1, "NUMASIM_SEED=%lu: status %d of %s in %s",
		  (unsigned long)seed, status, command, r->dir);
	snprintf(line, sizeof(line),
		 "cd %s && { [ %d = 0 ] || ! grep -q verif first.err; } && ! grep -q runtime.error "
		 "first.err",
		 r->dir, status);
	cr_assert_eq(system(line), 0, "NUMASIM_SEED=%lu: see first.err of %s in %s",
		     (unsigned long)seed, command, r->dir);
	cr_assert_eq(run_once(r, command, "second"), status);
	snprintf(line, sizeof(line), "cd %s && cmp first second && cmp first.err second.err",
		 r->dir);
	cr_assert_eq(system(line), 0, "NUMASIM_SEED=%lu: another run of %s in %s differs",
		     (unsigned long)seed, command, r->dir);
}

static void set_up(struct run *r, uint64_t seed)
{
	*r = (struct run){.rng = seed, .dir = "/tmp/numasim-random-XXXXXX"};
	cr_assert_not_null(mkdtemp(r->dir));
	fprintf(stderr, "NUMASIM_SEED=%lu NUMASIM_RUNS=1\n", (unsigned long)seed);
	write_machine(r);
}

static void tear_down(const struct run *r)
{
	char line[128];

	snprintf(line, sizeof(line), "rm -r %s", r->dir);
	cr_assert_eq(system(line), 0);
}

Test(random_runs, scenarios_verify_and_repeat)
{
	uint64_t seed = random_seed(1), runs = number_from_env("NUMASIM_RUNS", 12);
	struct run r;

	for (uint64_t i = 0; i < runs; i++) {
		set_up(&r, seed + i);
		write_scenario(&r);
		must_repeat(&r, seed + i, "run scenario.cfg");
		tear_down(&r);
	}
}

Test(random_runs, traces_verify_and_repeat)
{
	uint64_t seed = random_seed(2001), runs = number_from_env("NUMASIM_RUNS", 12);
	struct run r;

	for (uint64_t i = 0; i < runs; i++) {
		set_up(&r, seed + i);
		write_trace(&r);
		must_repeat(&r, seed + i,
			    below(&r, 2) ? "replay machine.cfg trace.txt --timing trace"
					 : "replay machine.cfg trace.txt");
		tear_down(&r);
	}
}

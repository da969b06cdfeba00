/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SimGrid behind engine.h. Owns SimGrid's settings, the only place where they are, and the mapping
 * of CPUs to actors. Must not know of the mm core, of costs or of accounts.
 *
 * One SimGrid second is one simulated nanosecond: its own precision is made for seconds, and a
 * memory access would vanish in it.
 */
#define _GNU_SOURCE
#include "sim/time/engine.h"

#include <errno.h>
#include <locale.h>
#include <simgrid/actor.h>
#include <simgrid/engine.h>
#include <simgrid/host.h>
#include <simgrid/semaphore.h>
#include <simgrid/version.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "sim/sim.h"
#include "sim/time/bug.h"

#define PS_PER_NS 1000

#ifdef __has_feature
#if __has_feature(address_sanitizer)
#define WITH_SANITIZER 1
#endif
#endif
#ifdef __SANITIZE_ADDRESS__
#define WITH_SANITIZER 1
#endif

/* SimGrid's command line. */
static const char *const settings[] = {
	"numasim",
	/* Nothing on the terminal unless SimGrid is about to give up. */
	"--log=root.thresh:error",
	/* An interrupt ends the process as it does any other, without a list of actors. */
	"--cfg=debug/verbose-exit:0",
	/* Latency plus bytes by the max-min fair share of the narrowest link. The default, LV08, is
	 * fitted to TCP over Ethernet. */
	"--cfg=network/model:CM02",
	/* No acknowledgements that take bandwidth in the other direction. */
	"--cfg=network/crosstraffic:0",
	/* No TCP window that bounds a transfer's rate by its latency. */
	"--cfg=network/TCP-gamma:0",
	/* Links carry what they say, whole. */
	"--cfg=network/bandwidth-factor:1",
	/* The latency is charged by cpu.c, for all accesses of a settle in one sleep. SimGrid would
	 * also give a transfer with half the latency twice the share of a link, as TCP does; a
	 * memory controller does not know how far away its reader is. */
	"--cfg=network/latency-factor:0",
	"--cfg=network/weight-S:0",
/* Events within 0.1 ps (in simulated nanoseconds) are one: far below what is read off the clock,
 * and above the clock's last bit for the first 1000 s, so that rounding cannot make it stand. */
#if SIMGRID_VERSION < 33300
	"--cfg=surf/precision:1e-4",
#else
	"--cfg=precision/timing:1e-4",
#endif
	/* KiB a stack. 8 MiB, the default, times 8192 CPUs asks for more than some hosts grant. */
	"--cfg=contexts/stack-size:512",
	/* Pages that fault below each stack. */
	"--cfg=contexts/guard-size:1",
#ifdef WITH_SANITIZER
	/* The sanitizers know threads, and not SimGrid's own way of switching stacks. */
	"--cfg=contexts/factory:thread",
#endif
};

#define NR_SETTINGS (sizeof(settings) / sizeof(settings[0]))

/* SimGrid's nanoseconds, rounded to the picosecond. */
static uint64_t to_ps(double ns)
{
	return (uint64_t)(ns * PS_PER_NS + 0.5);
}

struct engine_actor {
	void (*main)(void *arg);
	void *arg;
	int cpu;
	sg_sem_t unblocked; /* counts engine_unblock() minus engine_block() */
};

struct engine {
	int nr_nodes, nr_cpus, nr_threads;
	sg_host_t *node, *bank;      /* (C) by node id; bank NULL where there is no memory */
	struct engine_actor *actors; /* (C) by number */
};

/* SimGrid wants a file. Returns 0 or -errno. */
static int load_platform(const char *xml)
{
	char path[64];
	size_t len = strlen(xml), done = 0;
	int err = 0, fd = memfd_create("numasim-platform", MFD_CLOEXEC);
	/* SimGrid reads numbers by the locale in force, and would take "2.5" for 2 in some. */
	locale_t c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0), before;

	if (fd < 0 || !c_locale) {
		err = -errno;
		goto out;
	}
	while (done < len) {
		ssize_t n = write(fd, xml + done, len - done);

		if (n < 0 && errno != EINTR) {
			err = -errno;
			goto out;
		}
		if (n > 0)
			done += (size_t)n;
	}
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	before = uselocale(c_locale);
	simgrid_load_platform(path);
	uselocale(before);
out:
	if (c_locale)
		freelocale(c_locale);
	if (fd >= 0)
		close(fd);
	return err;
}

static void init_simgrid(void)
{
	/* SimGrid keeps pointers into argv, and takes its own options out of it. */
	static char *argv[NR_SETTINGS + 1];
	int argc = NR_SETTINGS;

	for (size_t i = 0; i < NR_SETTINGS; i++)
		argv[i] = (char *)settings[i];
	simgrid_init(&argc, argv);
}

static void find_hosts(struct engine *e, const struct machine *m)
{
	char name[32];

	for (int nid = 0; nid < e->nr_nodes; nid++) {
		snprintf(name, sizeof(name), "node%d", nid);
		e->node[nid] = sg_host_by_name(name);
		snprintf(name, sizeof(name), "bank%d", nid);
		if (m->banks[nid].bytes_per_s)
			e->bank[nid] = sg_host_by_name(name);
	}
}

int engine_start(const struct machine *m, struct diag *diag, struct engine **out)
{
	/* SimGrid's limit, not ours: one engine and one platform a process, and no way back. */
	static bool started;
	struct engine *e;
	char *xml;
	int err = -ENOMEM;

	if (started)
		return diag_error(
			diag, -EBUSY, m->file, 0,
			"SimGrid allows one simulation a process, and this one has had it");
	xml = platform_xml(m);
	e = calloc(1, sizeof(*e));
	if (!xml || !e)
		goto out;
	e->nr_nodes = m->mm.nr_nodes;
	e->nr_cpus = m->mm.nr_cpus;
	e->node = calloc((size_t)e->nr_nodes, sizeof(*e->node));
	e->bank = calloc((size_t)e->nr_nodes, sizeof(*e->bank));
	e->actors = calloc((size_t)e->nr_cpus, sizeof(*e->actors));
	if (!e->node || !e->bank || !e->actors)
		goto out;
	started = true;
	init_simgrid();
	err = load_platform(xml);
	if (err)
		diag_error(diag, err, m->file, 0, "cannot hand the platform to SimGrid: %s",
			   strerror(-err));
	else
		find_hosts(e, m);
out:
	free(xml);
	if (err)
		engine_stop(e);
	else
		*out = e;
	return err;
}

void engine_stop(struct engine *e)
{
	if (!e)
		return;
	for (int i = 0; e->actors && i < e->nr_cpus + e->nr_threads; i++)
		if (e->actors[i].unblocked)
			sg_sem_destroy(e->actors[i].unblocked);
	free(e->actors);
	free(e->node);
	free(e->bank);
	free(e);
}

static void run_actor(int argc, char **argv)
{
	struct engine_actor *actor = sg_actor_self_get_data();

	(void)argc;
	(void)argv;
	actor->main(actor->arg);
}

int engine_add_threads(struct engine *e, int nr)
{
	size_t all = (size_t)e->nr_cpus + (size_t)nr;
	struct engine_actor *actors = realloc(e->actors, all * sizeof(*actors));

	if (!actors)
		return -ENOMEM;
	memset(actors + e->nr_cpus, 0, (size_t)nr * sizeof(*actors));
	e->actors = actors;
	e->nr_threads = nr;
	return 0;
}

void engine_add_actor(struct engine *e, int number, void (*main)(void *arg), void *arg)
{
	bool thread = number >= e->nr_cpus;
	char name[32], host[32];
	sg_actor_t actor;

	if (number < 0 || number >= e->nr_cpus + e->nr_threads || e->actors[number].main)
		SIM_BUG("there is no actor %d of %d CPUs and %d threads, or it is made already",
			number, e->nr_cpus, e->nr_threads);
	e->actors[number] = (struct engine_actor){
		.main = main,
		.arg = arg,
		.cpu = thread ? MM_NO_CPU : number,
		.unblocked = sg_sem_init(0),
	};
	/* A host is only a name here: sleeps and transfers know theirs. */
	snprintf(host, sizeof(host), "cpu%d", thread ? 0 : number);
	snprintf(name, sizeof(name), thread ? "thread%d" : "cpu%d",
		 thread ? number - e->nr_cpus : number);
	actor = sg_actor_init(name, sg_host_by_name(host));
	sg_actor_set_data(actor, &e->actors[number]);
	sg_actor_start_(actor, run_actor, 0, NULL);
}

void engine_set_cpu(struct engine *e, int number, int cpu)
{
	e->actors[number].cpu = cpu;
}

int engine_current_cpu(const struct engine *e)
{
	const struct engine_actor *actor;

	(void)e;
	if (!sg_actor_self())
		return MM_NO_CPU;
	actor = sg_actor_self_get_data();
	return actor ? actor->cpu : MM_NO_CPU;
}

void engine_run(struct engine *e)
{
	(void)e;
	simgrid_run();
}

uint64_t engine_now_ps(const struct engine *e)
{
	(void)e;
	return to_ps(simgrid_get_clock());
}

void engine_sleep_until(struct engine *e, uint64_t when_ps)
{
	(void)e;
	/* To a time rather than for one: rounding does not add up. */
	sg_actor_sleep_until((double)when_ps / PS_PER_NS);
}

void engine_transfer(struct engine *e, int nid, int bank, uint64_t bytes)
{
	if (!e->bank[bank])
		SIM_BUG("node %d moves %llu bytes to the bank of node %d, which has none", nid,
			(unsigned long long)bytes, bank);
	sg_host_sendto(e->node[nid], e->bank[bank], (double)bytes);
}

void engine_block(struct engine *e, int number)
{
	sg_sem_acquire(e->actors[number].unblocked);
}

bool engine_block_for(struct engine *e, int number, uint64_t ps)
{
	return !sg_sem_acquire_timeout(e->actors[number].unblocked, (double)ps / PS_PER_NS);
}

void engine_unblock(struct engine *e, int number)
{
	sg_sem_release(e->actors[number].unblocked);
}

uint64_t engine_route_latency_ps(const struct engine *e, int nid, int bank)
{
	return to_ps(sg_host_get_route_latency(e->node[nid], e->bank[bank]));
}

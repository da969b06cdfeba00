/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SimGrid behind engine.h. Owns SimGrid's settings, the only place where they are, and the mapping
 * of CPUs to actors. Must not know of the mm core, of costs or of accounts.
 *
 * One SimGrid second is one simulated nanosecond: its own precision is made for seconds, and a
 * memory access would vanish in it.
 *
 * An actor that is alone needs no SimGrid: while all others block or sleep, it sleeps and moves
 * bytes by adding to a clock of its own, which is ahead of SimGrid's, up to the moment when the
 * first of the others wakes. Before it lets one of them go on, SimGrid's clock is brought to where
 * it is. So nobody can tell, but for the time that the host takes.
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

/* What an actor does, as far as others have to know. */
enum actor_state {
	ACTIVE, /* runs, is about to, or moves bytes */
	ASLEEP, /* until wake_ps */
	BLOCKED,
	NAPPING, /* blocked, but until wake_ps at most */
};

struct engine_actor {
	struct engine *engine;
	void (*main)(void *arg);
	void *arg;
	int cpu;
	sg_sem_t unblocked; /* counts engine_unblock() minus engine_block() */
	enum actor_state state;
	uint64_t wake_ps; /* ASLEEP, NAPPING */
	unsigned tokens;  /* engine_unblock() that came before it blocked */
	bool granted;     /* NAPPING: it was unblocked */
};

struct engine {
	int nr_nodes, nr_cpus, nr_threads;
	const struct machine *machine;
	sg_host_t *node, *bank;      /* (C) by node id; bank NULL where there is no memory */
	sg_host_t storage, *disk;    /* (C) where there are disks; by number */
	double *bytes_per_ns;        /* (C) [write][node * nr_nodes + bank] of a transfer alone */
	struct engine_actor *actors; /* (C) by number */
	int nr_active;               /* actors that are ACTIVE */
	uint64_t ahead_ps;           /* clock of the actor that is alone; else behind SimGrid's */
	uint64_t alone_until_ps;     /* when the first of the others wakes; 0: to be found */
	uint64_t nr_activities;
	bool no_lookahead;
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
		for (int bank = 0; bank < e->nr_nodes; bank++) {
			double *rate = &e->bytes_per_ns[nid * e->nr_nodes + bank];

			rate[0] = (double)machine_route(m, nid, bank)->bytes_per_s / 1e9;
			rate[e->nr_nodes * e->nr_nodes] =
				(double)platform_write_rate(m, nid, bank) / 1e9;
		}
	}
	for (int i = 0; i < m->nr_disks; i++) {
		snprintf(name, sizeof(name), "disk%d", i);
		e->disk[i] = sg_host_by_name(name);
		e->storage = sg_host_by_name("storage");
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
	e->machine = m;
	e->nr_nodes = m->mm.nr_nodes;
	e->nr_cpus = m->mm.nr_cpus;
	e->node = calloc((size_t)e->nr_nodes, sizeof(*e->node));
	e->bank = calloc((size_t)e->nr_nodes, sizeof(*e->bank));
	e->disk = calloc((size_t)m->nr_disks + 1, sizeof(struct sg_host_s *));
	e->actors = calloc((size_t)e->nr_cpus, sizeof(*e->actors));
	e->bytes_per_ns =
		calloc(2 * (size_t)e->nr_nodes * (size_t)e->nr_nodes, sizeof(*e->bytes_per_ns));
	if (!e->node || !e->bank || !e->disk || !e->actors || !e->bytes_per_ns)
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
	free(e->bytes_per_ns);
	free(e->node);
	free(e->bank);
	free(e->disk);
	free(e);
}

static void run_actor(int argc, char **argv)
{
	const struct engine_actor *actor = sg_actor_self_get_data();

	(void)argc;
	(void)argv;
	actor->main(actor->arg);
	actor->engine->nr_active--;
	actor->engine->alone_until_ps = 0;
}

int engine_add_threads(struct engine *e, int nr)
{
	size_t before = (size_t)e->nr_cpus + (size_t)e->nr_threads, all = before + (size_t)nr;
	struct engine_actor *actors = realloc(e->actors, all * sizeof(*actors));

	if (!actors)
		return -ENOMEM;
	memset(actors + before, 0, (size_t)nr * sizeof(*actors));
	e->actors = actors;
	e->nr_threads += nr;
	return 0;
}

static void catch_up(struct engine *e);

void engine_add_actor(struct engine *e, int number, void (*main)(void *arg), void *arg)
{
	bool thread = number >= e->nr_cpus;
	char name[32], host[32];
	sg_actor_t actor;

	if (number < 0 || number >= e->nr_cpus + e->nr_threads || e->actors[number].main)
		SIM_BUG("there is no actor %d of %d CPUs and %d threads, or it is made already",
			number, e->nr_cpus, e->nr_threads);
	/* Made by another, it begins at that one's time. */
	if (sg_actor_self())
		catch_up(e);
	e->actors[number] = (struct engine_actor){
		.engine = e,
		.main = main,
		.arg = arg,
		.cpu = thread ? MM_NO_CPU : number,
		.unblocked = sg_sem_init(0),
	};
	e->nr_active++;
	e->alone_until_ps = 0;
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
	uint64_t simgrid_ps = to_ps(simgrid_get_clock());

	return simgrid_ps > e->ahead_ps ? simgrid_ps : e->ahead_ps;
}

void engine_set_lookahead(struct engine *e, bool on)
{
	e->no_lookahead = !on;
}

uint64_t engine_activities(const struct engine *e)
{
	return e->nr_activities;
}

/* Until when the actor that runs is the only one that does anything; 0: it is not. */
static uint64_t alone_until(struct engine *e)
{
	if (e->nr_active != 1 || e->no_lookahead)
		return 0;
	if (e->alone_until_ps)
		return e->alone_until_ps;
	e->alone_until_ps = UINT64_MAX;
	for (int i = 0; i < e->nr_cpus + e->nr_threads; i++) {
		const struct engine_actor *a = &e->actors[i];

		if ((a->state == ASLEEP || a->state == NAPPING) && a->wake_ps < e->alone_until_ps)
			e->alone_until_ps = a->wake_ps;
	}
	return e->alone_until_ps;
}

/* The actor gives way to others, and comes back. */
static void leave(struct engine *e, struct engine_actor *a, enum actor_state state,
		  uint64_t wake_ps)
{
	a->state = state;
	a->wake_ps = wake_ps;
	e->nr_active--;
	e->alone_until_ps = 0;
}

static void come_back(struct engine *e, struct engine_actor *a)
{
	if (a->state != ACTIVE)
		e->nr_active++;
	a->state = ACTIVE;
	e->alone_until_ps = 0;
}

static void sleep_in_simgrid(struct engine *e, uint64_t when_ps)
{
	struct engine_actor *self = sg_actor_self_get_data();

	e->nr_activities++;
	leave(e, self, ASLEEP, when_ps);
	/* To a time rather than for one: rounding does not add up. */
	sg_actor_sleep_until((double)when_ps / PS_PER_NS);
	come_back(e, self);
}

/* SimGrid's clock to that of the actor, which is alone until then. */
static void catch_up(struct engine *e)
{
	if (e->ahead_ps > to_ps(simgrid_get_clock()))
		sleep_in_simgrid(e, e->ahead_ps);
}

void engine_sleep_until(struct engine *e, uint64_t when_ps)
{
	if (when_ps <= engine_now_ps(e))
		return;
	if (when_ps < alone_until(e))
		e->ahead_ps = when_ps;
	else
		sleep_in_simgrid(e, when_ps);
}

void engine_transfer(struct engine *e, int nid, int bank, uint64_t bytes, bool write)
{
	int nr = e->nr_nodes;
	double rate = e->bytes_per_ns[(write ? nr * nr : 0) + nid * nr + bank];
	uint64_t end_ps;

	if (!e->bank[bank])
		SIM_BUG("node %d moves %llu bytes to the bank of node %d, which has none", nid,
			(unsigned long long)bytes, bank);
	end_ps = to_ps((double)engine_now_ps(e) / PS_PER_NS + (double)bytes / rate);
	if (end_ps < alone_until(e)) {
		e->ahead_ps = end_ps;
		return;
	}
	catch_up(e);
	e->nr_activities++;
	if (write)
		sg_host_sendto(e->node[nid], e->bank[bank], (double)bytes);
	else
		sg_host_sendto(e->bank[bank], e->node[nid], (double)bytes);
	e->alone_until_ps = 0;
}

void engine_disk_transfer(struct engine *e, int disk, bool write, uint64_t bytes)
{
	const struct machine_disk *d = &e->machine->disks[disk];
	double rate = (double)(write ? d->write_bytes_per_s : d->read_bytes_per_s) / 1e9;
	uint64_t end_ps = to_ps((double)engine_now_ps(e) / PS_PER_NS + (double)bytes / rate);
	struct engine_actor *self = sg_actor_self_get_data();

	if (end_ps < alone_until(e)) {
		e->ahead_ps = end_ps;
		return;
	}
	catch_up(e);
	/* Others that share the disk can only make it later: until then one may be alone. */
	leave(e, self, ASLEEP, end_ps - 1);
	sg_host_sendto(write ? e->storage : e->disk[disk], write ? e->disk[disk] : e->storage,
		       (double)bytes);
	come_back(e, self);
}

void engine_block(struct engine *e, int number)
{
	struct engine_actor *self = &e->actors[number];

	if (self->tokens)
		self->tokens--;
	else
		leave(e, self, BLOCKED, 0);
	sg_sem_acquire(self->unblocked);
	come_back(e, self);
}

bool engine_block_for(struct engine *e, int number, uint64_t ps)
{
	struct engine_actor *self = &e->actors[number];
	bool in_time;

	catch_up(e);
	self->granted = false;
	if (self->tokens)
		self->tokens--;
	else
		leave(e, self, NAPPING, engine_now_ps(e) + ps);
	in_time = !sg_sem_acquire_timeout(self->unblocked, (double)ps / PS_PER_NS);
	/* Unblocked in the very moment when its time was up. */
	if (!in_time && self->granted)
		self->tokens++;
	come_back(e, self);
	return in_time;
}

void engine_unblock(struct engine *e, int number)
{
	struct engine_actor *a = &e->actors[number];

	catch_up(e);
	if (a->state == BLOCKED || a->state == NAPPING) {
		a->granted = true;
		come_back(e, a);
	} else {
		a->tokens++;
	}
	sg_sem_release(a->unblocked);
	e->alone_until_ps = 0;
}

uint64_t engine_route_latency_ps(const struct engine *e, int nid, int bank)
{
	return to_ps(sg_host_get_route_latency(e->node[nid], e->bank[bank]));
}

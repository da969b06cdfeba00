/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SimGrid behind engine.h. Owns SimGrid's settings, the only place where they are, and the mapping
 * of CPUs to actors. Must not know of the mm core, of costs or of accounts.
 *
 * One SimGrid second is one simulated nanosecond: its own precision is made for seconds, and a
 * memory access would vanish in it.
 *
 * The actors are those of schedule.h, and go on in its order, by themselves until transfers
 * compete. From then on an actor of SimGrid's, the conductor, runs them, and SimGrid says when
 * those transfers end; without lookahead from the beginning, for all transfers, and nobody goes on
 * before SimGrid's clock is there: each sleep and each transfer is an activity of SimGrid's.
 * Transfers are movers' each, since an actor of SimGrid's C interface can wait for one transfer
 * only.
 */
#define _GNU_SOURCE
#include "sim/time/engine.h"

#include <errno.h>
#include <locale.h>
#include <simgrid/actor.h>
#include <simgrid/engine.h>
#include <simgrid/host.h>
#include <simgrid/link.h>
#include <simgrid/semaphore.h>
#include <simgrid/version.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sim/sim.h"
#include "sim/time/bug.h"
#include "sim/time/schedule.h"

#define PS_PER_NS 1000
#define SAME_TIME 1e-4 /* simulated nanoseconds; schedule.c has it, too */
/* What is left of a transfer is no whole number of bytes, and SimGrid takes no others: to it,
 * movers move parts of bytes, and links carry that many times more. */
#define PARTS (1 << 24)

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
/* Events within SAME_TIME are one: far below what is read off the clock, and above the clock's last
 * bit for the first 1000 s, so that rounding cannot make it stand. */
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

/* SimGrid's nanoseconds, rounded to the picosecond; what is past SIM_MAX_PS is just past it. */
static uint64_t to_ps(double ns)
{
	if (ns * PS_PER_NS > (double)SIM_MAX_PS)
		return SIM_MAX_PS + 1;
	return (uint64_t)(ns * PS_PER_NS + 0.5);
}

/* What it is after that. */
static double part_of(double ns)
{
	return ns * PS_PER_NS - (double)to_ps(ns);
}

struct engine_actor {
	bool made;
	int cpu;
};

/* An actor of SimGrid's that moves bytes for one of the schedule's. */
struct mover {
	struct engine *engine;
	sg_sem_t go;
	bool stop;
	int who; /* of the schedule's */
	sg_host_t from, to;
	double amount;        /* PARTS of bytes */
	struct mover *next;   /* of those that have nothing to do, or are done */
	struct mover *before; /* that was made before it */
};

struct engine {
	int nr_nodes, nr_cpus, nr_threads;
	const struct machine *machine;
	sg_host_t *node, *bank; /* (C) by node id; bank NULL where there is no memory */
	sg_host_t *gate;        /* (C) by node id; NULL where no way needs it */
	sg_host_t **sets; /* (C) by node id, then the number of a set of the bank's channels */
	sg_host_t storage, *disk;    /* (C) where there are disks; by number */
	struct engine_actor *actors; /* (C) by number */
	uint64_t nr_activities;
	bool simgrid; /* it is started */
	bool no_lookahead;

	struct schedule *schedule; /* NULL until there is an actor */
	sg_sem_t moved;            /* a mover is done */
	int nr_moving;
	struct mover *movers; /* all, the last one first */
	struct mover *idle;
	struct mover *done, *last_done; /* in order */
	int schedule_error;
};

/* SimGrid wants a file. Returns 0 or -errno. */
static int load_platform(const struct machine *m)
{
	char path[64];
	int fd = platform_file(m);
	/* SimGrid reads numbers by the locale in force, and would take "2.5" for 2 in some. */
	locale_t c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0), before;

	if (fd >= 0 && c_locale) {
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		before = uselocale(c_locale);
		simgrid_load_platform(path);
		uselocale(before);
	}
	if (c_locale)
		freelocale(c_locale);
	if (fd >= 0)
		close(fd);
	return fd < 0 ? fd : c_locale ? 0 : -ENOMEM;
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

/* Those of the sets of a bank's channels. Returns 0 or -ENOMEM. */
static int find_sets(struct engine *e, const struct machine_bank *bank, int nid)
{
	unsigned nr = channel_sets(bank->channels);
	char name[64];

	e->sets[nid] = calloc(nr, sizeof(struct sg_host_s *));
	if (!e->sets[nid])
		return -ENOMEM;
	for (unsigned i = 0; i < nr; i++) {
		struct channel_set set = channel_set_at(bank->channels, i);

		snprintf(name, sizeof(name), "bank%d.%u.%u", nid, set.apart, set.first);
		e->sets[nid][i] = sg_host_by_name(name);
	}
	return 0;
}

static int find_hosts(struct engine *e, const struct machine *m)
{
	char name[32];

	for (int nid = 0; nid < e->nr_nodes; nid++) {
		snprintf(name, sizeof(name), "node%d", nid);
		e->node[nid] = sg_host_by_name(name);
		snprintf(name, sizeof(name), "bank%d", nid);
		if (m->banks[nid].bytes_per_s)
			e->bank[nid] = sg_host_by_name(name);
		snprintf(name, sizeof(name), "gate%d", nid);
		if (platform_has_gate(m, nid))
			e->gate[nid] = sg_host_by_name(name);
		if (bank_has_channels(&m->banks[nid]) && find_sets(e, &m->banks[nid], nid))
			return -ENOMEM;
	}
	for (int i = 0; i < m->nr_disks; i++) {
		snprintf(name, sizeof(name), "disk%d", i);
		e->disk[i] = sg_host_by_name(name);
		e->storage = sg_host_by_name("storage");
	}
	return 0;
}

int engine_start(const struct machine *m, struct diag *diag, struct engine **out)
{
	/* SimGrid's limit, not ours: one engine and one platform a process, and no way back. */
	static bool started;
	struct engine *e;

	if (started)
		return diag_error(
			diag, -EBUSY, m->file, 0,
			"SimGrid allows one simulation a process, and this one has had it");
	e = calloc(1, sizeof(*e));
	if (!e)
		return -ENOMEM;
	e->machine = m;
	e->nr_nodes = machine_nr_places(m);
	e->nr_cpus = m->mm.nr_cpus;
	e->node = calloc((size_t)e->nr_nodes, sizeof(*e->node));
	e->bank = calloc((size_t)e->nr_nodes, sizeof(*e->bank));
	e->gate = calloc((size_t)e->nr_nodes, sizeof(*e->gate));
	e->sets = calloc((size_t)e->nr_nodes, sizeof(*e->sets));
	e->disk = calloc((size_t)m->nr_disks + 1, sizeof(struct sg_host_s *));
	e->actors = calloc((size_t)e->nr_cpus, sizeof(*e->actors));
	if (!e->node || !e->bank || !e->gate || !e->sets || !e->disk || !e->actors) {
		engine_stop(e);
		return -ENOMEM;
	}
	started = true;
	*out = e;
	return 0;
}

/*
 * SimGrid, when it is first needed: its table of routes grows with the square of the nodes, and a
 * run in which nobody competes has none of it.
 */
static void start_simgrid(struct engine *e)
{
	int err;

	if (e->simgrid)
		return;
	e->simgrid = true;
	init_simgrid();
	err = load_platform(e->machine);
	if (!err)
		err = find_hosts(e, e->machine);
	if (err)
		SIM_BUG("cannot hand the platform to SimGrid: %s", strerror(-err));
}

static void free_movers(struct mover *m)
{
	struct mover *next;

	for (; m; m = next) {
		next = m->before;
		sg_sem_destroy(m->go);
		free(m);
	}
}

void engine_stop(struct engine *e)
{
	if (!e)
		return;
	free_movers(e->movers);
	if (e->moved)
		sg_sem_destroy(e->moved);
	schedule_free(e->schedule);
	free(e->actors);
	for (int nid = 0; e->sets && nid < e->nr_nodes; nid++)
		free(e->sets[nid]);
	free(e->sets);
	free(e->node);
	free(e->bank);
	free(e->gate);
	free(e->disk);
	free(e);
}

/* SimGrid's hosts at the ends of a way. */
static void find_ends(const struct engine *e, const struct flow_way *way, sg_host_t *from,
		      sg_host_t *to)
{
	sg_host_t near = way->nid < 0 ? e->storage : e->node[way->nid];
	sg_host_t far = way->nid < 0 ? e->disk[way->bank] : e->bank[way->bank];

	if (way->channels.apart > 1)
		far = e->sets[way->bank][channel_set_index(e->machine->banks[way->bank].channels,
							   way->channels)];
	if (!far)
		SIM_BUG("node %d moves bytes to the bank of node %d, which has none", way->nid,
			way->bank);
	if (way->over == FLOW_LINKS)
		far = e->gate[way->bank];
	if (way->over == FLOW_BANK)
		near = far;
	*from = way->write ? near : far;
	*to = way->write ? far : near;
}

/* The schedule's wishes. */

static void mover_main(int argc, char **argv)
{
	struct mover *m = sg_actor_self_get_data();
	struct engine *e = m->engine;

	(void)argc;
	(void)argv;
	for (;;) {
		sg_sem_acquire(m->go);
		if (m->stop)
			return;
		sg_host_sendto(m->from, m->to, m->amount);
		m->next = NULL;
		*(e->done ? &e->last_done->next : &e->done) = m;
		e->last_done = m;
		sg_sem_release(e->moved);
	}
}

static struct mover *get_mover(struct engine *e)
{
	struct mover *m = e->idle;
	sg_actor_t actor;

	if (m) {
		e->idle = m->next;
		return m;
	}
	m = calloc(1, sizeof(*m));
	if (!m)
		SIM_BUG("no memory for one more transfer");
	m->engine = e;
	m->before = e->movers;
	e->movers = m;
	m->go = sg_sem_init(0);
	actor = sg_actor_init("mover", e->node[0]);
	sg_actor_set_data(actor, m);
	sg_actor_start_(actor, mover_main, 0, NULL);
	return m;
}

static bool has_come(double ns)
{
	return ns - simgrid_get_clock() <= SAME_TIME;
}

static void move(void *arg, int who, const struct flow *flow)
{
	struct engine *e = arg;
	struct mover *m = get_mover(e);
	double at = ((double)flow->at_ps + flow->at_part) / PS_PER_NS;

	if (!has_come(at)) {
		e->nr_activities++;
		sg_actor_sleep_until(at);
	}
	e->nr_moving++;
	m->who = who;
	m->amount = flow->left * PARTS;
	find_ends(e, &flow->way, &m->from, &m->to);
	e->nr_activities++;
	sg_sem_release(m->go);
}

/* Those who are done, at the time that it is now. */
static void tell_moved(struct engine *e)
{
	double now = simgrid_get_clock();
	struct mover *m;

	while ((m = e->done)) {
		e->done = m->next;
		e->nr_moving--;
		schedule_moved(e->schedule, m->who, to_ps(now), part_of(now));
		m->next = e->idle;
		e->idle = m;
	}
}

/*
 * Until somebody is done, or SimGrid's clock is there. As long as somebody moves he may be done
 * before the picosecond that is nearest is over.
 */
static uint64_t wait_for_movers(void *arg, uint64_t until_ps)
{
	double until = (double)until_ps / PS_PER_NS, now = simgrid_get_clock();
	struct engine *e = arg;

	if (until_ps == UINT64_MAX) {
		sg_sem_acquire(e->moved);
	} else if (!has_come(until) && !e->nr_moving) {
		e->nr_activities++;
		sg_actor_sleep_until(until);
	} else if (!has_come(until)) {
		e->nr_activities += sg_sem_acquire_timeout(e->moved, until - now);
	}
	tell_moved(e);
	if (until_ps != UINT64_MAX && has_come(until))
		return until_ps;
	now = simgrid_get_clock();
	if (e->nr_moving && now * PS_PER_NS < (double)SIM_MAX_PS)
		return (uint64_t)(now * PS_PER_NS);
	return to_ps(now);
}

/* Those that wait for work; there will be none. */
static void stop_movers(struct engine *e)
{
	for (struct mover *m = e->idle; m; m = m->next) {
		m->stop = true;
		sg_sem_release(m->go);
	}
}

static void conduct(int argc, char **argv)
{
	struct engine *e = sg_actor_self_get_data();

	(void)argc;
	(void)argv;
	e->schedule_error = schedule_run(e->schedule);
	if (e->schedule_error == -EOVERFLOW)
		sg_actor_kill_all();
	stop_movers(e);
}

static void carry_parts(void)
{
	size_t nr = sg_link_count();
	sg_link_t *links = sg_link_list();

	for (size_t i = 0; i < nr; i++)
		sg_link_set_bandwidth(links[i], sg_link_get_bandwidth(links[i]) * PARTS);
	free(links);
}

/* The schedule's actors go on in SimGrid: from now on somebody competes. */
static void start_conductor(struct engine *e)
{
	const struct schedule_ops ops = {.move = move, .wait = wait_for_movers, .arg = e};
	sg_actor_t actor;

	start_simgrid(e);
	schedule_set_ops(e->schedule, &ops);
	carry_parts();
	e->moved = sg_sem_init(0);
	actor = sg_actor_init("conductor", e->node[0]);
	sg_actor_set_data(actor, e);
	sg_actor_start_(actor, conduct, 0, NULL);
}

int engine_nr_actors(const struct engine *e)
{
	return e->nr_cpus + e->nr_threads;
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

void engine_add_actor(struct engine *e, int number, void (*main)(void *arg), void *arg)
{
	if (number < 0 || number >= e->nr_cpus + e->nr_threads || e->actors[number].made)
		SIM_BUG("there is no actor %d of %d CPUs and %d threads, or it is made already",
			number, e->nr_cpus, e->nr_threads);
	e->actors[number] = (struct engine_actor){
		.made = true,
		.cpu = number >= e->nr_cpus ? MM_NO_CPU : number,
	};
	if (!e->schedule)
		e->schedule = schedule_create(e->machine, e->nr_cpus + e->nr_threads, NULL);
	if (!e->schedule)
		SIM_BUG("no memory for %d actors", e->nr_cpus + e->nr_threads);
	if (schedule_add(e->schedule, number, main, arg))
		SIM_BUG("no memory for the stack of actor %d", number);
}

void engine_set_cpu(struct engine *e, int number, int cpu)
{
	e->actors[number].cpu = cpu;
}

int engine_current_cpu(const struct engine *e)
{
	int number = e->schedule ? schedule_current(e->schedule) : -1;

	return number < 0 ? MM_NO_CPU : e->actors[number].cpu;
}

int engine_run(struct engine *e)
{
	if (e->schedule && e->no_lookahead)
		schedule_always_ask(e->schedule);
	else if (e->schedule)
		e->schedule_error = schedule_run(e->schedule);
	if (e->schedule && (e->no_lookahead || e->schedule_error == -EAGAIN))
		start_conductor(e);
	if (e->simgrid)
		simgrid_run();
	if (e->schedule_error && e->schedule_error != -EOVERFLOW)
		SIM_BUG("no memory to run the actors");
	return e->schedule_error;
}

uint64_t engine_now_ps(const struct engine *e)
{
	return e->schedule ? schedule_now_ps(e->schedule) : 0;
}

void engine_set_lookahead(struct engine *e, bool on)
{
	e->no_lookahead = !on;
}

uint64_t engine_activities(const struct engine *e)
{
	return e->nr_activities;
}

void engine_sleep_until(struct engine *e, uint64_t when_ps)
{
	schedule_sleep_until(e->schedule, when_ps);
}

void engine_transfer(struct engine *e, const struct flow_part *parts, int nr)
{
	schedule_transfer(e->schedule, parts, nr);
}

void engine_block(struct engine *e)
{
	schedule_block(e->schedule);
}

bool engine_block_for(struct engine *e, uint64_t ps)
{
	return schedule_block_for(e->schedule, ps);
}

void engine_unblock(struct engine *e, int number)
{
	schedule_unblock(e->schedule, number);
}

uint64_t engine_route_latency_ps(struct engine *e, int nid, int bank)
{
	start_simgrid(e);
	return to_ps(sg_host_get_route_latency(e->node[nid], e->bank[bank]));
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A simulation from its making to its accounts: boots the mm core, builds CPUs, caches and engine,
 * runs the programs. Owns the order of these; what things cost is in cost_sink.c and cpu.c.
 */
#include "sim/machine/hotplug.h"
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "mm/kthread.h"
#include "mm/walk.h"
#include "sim/machine/boot.h"
#include "sim/time/bug.h"
#include "sim/time/cost_sink.h"
#include "sim/time/internal.h"

static bool reaches(const struct machine *m, int place, int nid)
{
	for (unsigned i = 0; i < machine_nr_ways(m, nid); i++)
		if (!machine_route(m, place, machine_way(m, nid, i))->bytes_per_s)
			return false;
	return true;
}

/* Every CPU can reach all memory: else an access in the middle of a run would have no cost. */
static int check_routes(const struct machine *m, struct diag *diag)
{
	for (int cpu = 0; cpu < m->mm.nr_cpus; cpu++)
		for (size_t i = 0; i < m->mm.nr_memory; i++)
			if (!reaches(m, m->cpus[cpu].place, m->mm.memory[i].nid))
				return diag_error(diag, -EINVAL, m->file, 0,
						  "cpu %d on node %d has no way to the memory of "
						  "node %d",
						  cpu, m->cpu_nid[cpu], m->mm.memory[i].nid);
	return 0;
}

/* What is added has to be at a bank, which a node without memory has where it is given one. */
static int check_step(const struct machine *m, const struct machine_hotplug *h, struct diag *diag)
{
	struct mm_hotplug_step step;
	char wrong[128];

	if (hotplug_parse(h->text, &step, wrong, sizeof(wrong)) || !hotplug_step_end(&step) ||
	    step.nid >= m->mm.nr_nodes || m->banks[machine_way(m, step.nid, 0)].bytes_per_s)
		return 0;
	return diag_error(diag, -EINVAL, m->file, h->line,
			  "%s: node %d has neither memory nor a `bank` of its own in the machine "
			  "file, so that nothing says how fast what is added there is",
			  h->text, step.nid);
}

static int check_steps(const struct machine *m, struct diag *diag)
{
	int err = 0;

	for (size_t i = 0; i < m->nr_hotplug && !err; i++)
		err = check_step(m, &m->hotplug[i], diag);
	for (size_t i = 0; i < m->nr_planned && !err; i++)
		err = check_step(m, &m->planned[i], diag);
	return err;
}

/* Threads of a core in a ring. */
static void link_threads(struct sim *s)
{
	for (int cpu = 0; cpu < s->machine->mm.nr_cpus; cpu++) {
		struct cpu *c = &s->cpus[cpu], *core = &s->cpus[s->machine->cpus[cpu].core];

		if (c == core)
			continue;
		c->next_thread = core->next_thread ? core->next_thread : core;
		core->next_thread = c;
	}
}

/* Memory of our own, before the engine, of which there is one a process. */
static int allocate(struct sim *s)
{
	const struct machine *m = s->machine;
	size_t nr_cpus = (size_t)m->mm.nr_cpus;
	int err;

	s->nr_cpus = m->mm.nr_cpus;
	s->cpus = calloc(nr_cpus, sizeof(*s->cpus));
	s->actors = calloc(nr_cpus, sizeof(*s->actors));
	if (!s->cpus || !s->actors)
		return -ENOMEM;
	err = cache_create(m, &s->cache);
	while (s->cache && 1u << s->line_shift < m->cache_line_bytes)
		s->line_shift++;
	if (!err)
		err = bank_map_init(&s->banks, m);
	if (!err)
		err = loads_create(m, s->costs, &s->loads);
	if (!err && m->ways) {
		s->moving = calloc((size_t)machine_nr_places(m), sizeof(*s->moving));
		err = s->moving ? 0 : -ENOMEM;
	}
	if (!err)
		err = tlb_create(m, &s->tlb);
	for (int cpu = 0; !err && cpu < m->mm.nr_cpus; cpu++) {
		err = cpu_init(&s->cpus[cpu], m, cpu);
		if (s->cache)
			s->cpus[cpu].nearest = cache_nearest(s->cache, cpu);
		if (s->tlb)
			s->cpus[cpu].tlb_hand = tlb_hand(s->tlb, cpu);
	}
	if (!err)
		link_threads(s);
	return err;
}

int sim_create(const struct machine *m, const struct costs *costs, struct diag *diag,
	       struct sim **out)
{
	struct mm_ops ops = m->tlb.nr_first ? cost_sink_with_tlb() : cost_sink_ops;
	struct sim *s;
	int err = check_routes(m, diag);

	if (!err)
		err = check_steps(m, diag);
	if (err)
		return err;
	s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	s->machine = m;
	s->costs = costs;
	err = allocate(s);
	if (!err)
		err = boot_machine(s->machine, &ops, s, diag, &s->mm);
	if (!err)
		s->direct = mm_direct_map(s->mm);
	if (!err)
		err = engine_start(m, diag, &s->engine);
	if (err) {
		sim_destroy(s);
		return err;
	}
	for (int cpu = 0; cpu < m->mm.nr_cpus; cpu++) {
		s->cpus[cpu].engine = s->engine;
		s->cpus[cpu].loads = s->loads;
		s->cpus[cpu].moving = s->moving;
	}
	s->waits = (struct waits){
		.engine = s->engine,
		.cpus = s->cpus,
		.nr_cpus = m->mm.nr_cpus,
	};
	s->kthreads = (struct kthreads){
		.mm = s->mm,
		.engine = s->engine,
		.waits = &s->waits,
		.cpus = s->cpus,
		.nr_cpus = m->mm.nr_cpus,
	};
	mm_listen(s->mm, COST_SINK_EVENTS);
	err = kthreads_init(&s->kthreads);
	if (!err)
		err = disks_init(&s->disks, m, s->mm, s->engine, &s->kthreads);
	if (err) {
		sim_destroy(s);
		return err;
	}
	*out = s;
	return 0;
}

void sim_destroy(struct sim *s)
{
	if (!s)
		return;
	engine_stop(s->engine);
	disks_clear(&s->disks);
	kthreads_clear(&s->kthreads);
	if (s->mm)
		mm_destroy(s->mm);
	for (int cpu = 0; s->cpus && cpu < s->machine->mm.nr_cpus; cpu++)
		cpu_clear(&s->cpus[cpu]);
	bank_map_clear(&s->banks);
	loads_free(s->loads);
	free(s->moving);
	tlb_free(s->tlb);
	cache_free(s->cache);
	free(s->actors);
	free(s->cpus);
	free(s);
}

void sim_plug(struct sim *s, const struct mm_hotplug_step *step)
{
	bank_map_plug(&s->banks, s->mm, step);
}

struct mm *sim_mm(struct sim *s)
{
	return s->mm;
}

const struct machine *sim_machine(const struct sim *s)
{
	return s->machine;
}

void sim_set_event_hook(struct sim *s, sim_event_hook hook, void *arg)
{
	s->hook = hook;
	s->hook_arg = arg;
	mm_listen(s->mm, hook ? MM_ALL_EVENTS : COST_SINK_EVENTS);
}

void sim_set_owner(struct sim *s, const struct sim_owner *owner)
{
	s->owner = owner;
}

void sim_set_reclaim_pace(struct sim *s, const struct sim_reclaim_pace *pace)
{
	s->kthreads.pace.set = *pace;
}

void sim_forget_loads(struct sim *s)
{
	if (s->loads)
		loads_forget(s->loads);
}

void sim_set_lookahead(struct sim *s, bool on)
{
	engine_set_lookahead(s->engine, on);
}

void sim_set_window(struct sim *s, enum sim_window window)
{
	for (int cpu = 0; cpu < s->machine->mm.nr_cpus; cpu++)
		cpu_set_window(&s->cpus[cpu], window);
}

uint64_t sim_activities(const struct sim *s)
{
	return engine_activities(s->engine);
}

int sim_spawn(struct sim *s, int cpu, sim_program program, void *arg)
{
	if (cpu < 0 || cpu >= s->machine->mm.nr_cpus || !program)
		return -EINVAL;
	if (s->phase != SIM_BUILT || s->actors[cpu].program)
		return -EBUSY;
	s->actors[cpu] = (struct sim_actor){
		.sim = s,
		.cpu = cpu,
		.program = program,
		.arg = arg,
	};
	return 0;
}

int sim_spawn_stand_ins(struct sim *s, int cpu, int nr, const struct sim_stand_in *work)
{
	struct cpu *c;

	if (cpu < 0 || cpu >= s->machine->mm.nr_cpus || nr < 1)
		return -EINVAL;
	c = &s->cpus[cpu];
	if (s->phase != SIM_BUILT || c->nr_stand_ins)
		return -EBUSY;
	return kthreads_add_stand_ins(&s->kthreads, c, nr, work);
}

void sim_call_stand_in(struct sim *s, int cpu)
{
	kthreads_call_stand_in(&s->kthreads, &s->cpus[cpu]);
}

static void actor_main(void *arg)
{
	const struct sim_actor *actor = arg;
	struct sim *s = actor->sim;
	struct cpu *c = &s->cpus[actor->cpu];

	actor->program(s, actor->cpu, actor->arg);
	cpu_settle(c);
	kthreads_offer(&s->kthreads, c);
	kthreads_program_done(&s->kthreads);
	wait_done(&s->waits, c);
}

/* In the order of the CPUs, so that the order in which they were spawned does not matter. */
static void start_actors(struct sim *s)
{
	int nr_programs = 0;

	for (int cpu = 0; cpu < s->machine->mm.nr_cpus; cpu++) {
		if (!s->actors[cpu].program)
			continue;
		engine_add_actor(s->engine, cpu, actor_main, &s->actors[cpu]);
		wait_begin(&s->waits, &s->cpus[cpu]);
		s->cpus[cpu].idle = false;
		nr_programs++;
	}
	kthreads_start(&s->kthreads, nr_programs);
}

static void finish_accounts(struct sim *s)
{
	for (int cpu = 0; cpu < s->machine->mm.nr_cpus; cpu++)
		if (s->cpus[cpu].now_ps > s->elapsed_ps)
			s->elapsed_ps = s->cpus[cpu].now_ps;
	for (int cpu = 0; cpu < s->machine->mm.nr_cpus; cpu++)
		cpu_finish(&s->cpus[cpu], s->elapsed_ps);
}

int sim_tell_overflow(const struct machine *m, struct diag *diag)
{
	return diag_error(diag, -EOVERFLOW, m->file, 0,
			  "simulated time passes %" PRIu64 " s, the most that can be simulated: is "
			  "a bandwidth or another rate of the machine far too low?",
			  SIM_MAX_PS / UINT64_C(1000000000000));
}

int sim_run(struct sim *s)
{
	int err;

	if (s->phase != SIM_BUILT)
		return -EBUSY;
	s->phase = SIM_RUNNING;
	s->nr_charged = (unsigned)s->nr_cpus;
	start_actors(s);
	err = engine_run(s->engine);
	s->phase = SIM_OVER;
	s->nr_charged = 0;
	if (err)
		return err;
	finish_accounts(s);
	if (s->error)
		return s->error;
	return s->waits.deadlock ? -EDEADLK : 0;
}

static struct cpu *cpu_of(const struct sim *s, int cpu)
{
	if (cpu < 0 || cpu >= s->machine->mm.nr_cpus)
		SIM_BUG("cpu %d of %d", cpu, s->machine->mm.nr_cpus);
	return &s->cpus[cpu];
}

/* For what a program does on its own CPU only. */
static struct cpu *running_cpu(struct sim *s, int cpu)
{
	struct cpu *c = cpu_of(s, cpu);

	if (s->phase != SIM_RUNNING || (c->state != CPU_RUNNING && !c->standing_in))
		SIM_BUG("cpu %d is asked to run outside its program", cpu);
	return c;
}

void sim_settle(struct sim *s, int cpu)
{
	struct cpu *c = running_cpu(s, cpu);

	if (c->standing_in) {
		kthread_resched(&s->kthreads, c->guest);
		return;
	}
	cpu_settle(c);
	kthreads_give_way(&s->kthreads, c);
}

uint64_t sim_now_ps(const struct sim *s, int cpu)
{
	return cpu_of(s, cpu)->now_ps;
}

/*
 * A CPU that will idle for longer stops its tick; of a CPU that a trace does not mention for longer
 * it is likely that it has idled.
 */
#define TICK_PS (MM_TICK_US * UINT64_C(1000000))

void sim_idle_until(struct sim *s, int cpu, uint64_t when_ps)
{
	struct cpu *c = running_cpu(s, cpu);

	cpu_settle(c);
	if (when_ps <= c->now_ps)
		return;
	if (c->standing_in) {
		kthread_sleep(&s->kthreads, c->guest, when_ps - c->now_ps, NULL);
		return;
	}
	if (when_ps - c->now_ps > TICK_PS && !kthreads_has_work(c)) {
		mm_cpu_idles(s->mm, cpu);
		cpu_settle(c);
	}
	kthreads_offer(&s->kthreads, c);
	cpu_sleep_until(c, when_ps);
	kthreads_reclaim(&s->kthreads, c);
}

int sim_sleep(struct sim *s, int cpu)
{
	struct cpu *c = running_cpu(s, cpu);
	int err;

	cpu_settle(c);
	kthreads_offer(&s->kthreads, c);
	err = wait_sleep(&s->waits, c);
	kthreads_reclaim(&s->kthreads, c);
	return err;
}

void sim_wake(struct sim *s, int cpu)
{
	wait_wake(&s->waits, cpu_of(s, cpu));
}

static void by_address(struct sim *s, struct cpu *c, uint64_t address, phys_addr_t at,
		       uint64_t bytes, enum mm_access kind)
{
	if (s->tlb && !translated_at_hand(c, address, bytes))
		translate_kernel(s, c, address, bytes, kind);
	cost_sink_access(s, c, at, bytes, kind);
}

void sim_touch(struct sim *s, int cpu, phys_addr_t at, uint64_t bytes, bool write)
{
	sim_touch_kernel(s, cpu, translate_direct(s, at), at, bytes, write);
}

void sim_touch_kernel(struct sim *s, int cpu, uint64_t address, phys_addr_t at, uint64_t bytes,
		      bool write)
{
	struct cpu *c = running_cpu(s, cpu);

	cost_sink_ops.work(s, cpu, MM_SITE_TOUCH, 1);
	by_address(s, c, address, at, bytes, write ? MM_STORE : MM_READ);
}

void sim_touch_mapped(struct sim *s, int cpu, const struct sim_mapping *mapping, phys_addr_t at,
		      uint64_t bytes, bool write)
{
	struct cpu *c = running_cpu(s, cpu);

	cost_sink_ops.work(s, cpu, MM_SITE_TOUCH, 1);
	if (s->tlb)
		translate_mapped(s, c, mapping);
	cost_sink_access(s, c, at, bytes, write ? MM_STORE : MM_READ);
}

void sim_copy(struct sim *s, int cpu, phys_addr_t at, uint64_t bytes, bool write)
{
	struct cpu *c = running_cpu(s, cpu);

	cost_sink_ops.work(s, cpu, MM_SITE_COPY, 1);
	by_address(s, c, translate_direct(s, at), at, bytes, write ? MM_COPY_TO : MM_COPY_FROM);
}

/* The translation of the huge page at `at`. */
static void translate_huge(struct sim *s, struct cpu *c, phys_addr_t at)
{
	const struct mm_arch *arch = mm_get_arch(s->mm);
	const struct sim_mapping huge = {
		.address = at,
		.shift = arch->page_shift + arch->pageblock_order,
	};

	if (s->tlb)
		translate_mapped(s, c, &huge);
}

void sim_chase(struct sim *s, int cpu, phys_addr_t at)
{
	struct cpu *c = running_cpu(s, cpu);

	translate_huge(s, c, at);
	cost_sink_access(s, c, at, 1, MM_READ);
}

void sim_stream(struct sim *s, int cpu, const struct sim_stream *stream)
{
	struct cpu *c = running_cpu(s, cpu);
	phys_addr_t at = stream->at, end = at + stream_span(s->machine, stream);
	const struct mm_arch *arch = mm_get_arch(s->mm);
	uint64_t huge = UINT64_C(1) << (arch->page_shift + arch->pageblock_order);

	for (; at < end; at = (at | (huge - 1)) + 1)
		translate_huge(s, c, at);
	cost_sink_stream(s, c, stream);
	sim_settle(s, cpu);
}

void sim_compute(struct sim *s, int cpu, uint64_t cycles)
{
	cpu_charge_cycles(running_cpu(s, cpu), MM_SITE_TOUCH, cycles);
}

uint64_t sim_elapsed_ps(const struct sim *s)
{
	return s->elapsed_ps;
}

const struct disk_account *sim_disk_account(const struct sim *s, int disk)
{
	return &s->disks.disks[disk].account;
}

const struct cpu_account *sim_account(const struct sim *s, int cpu)
{
	return &cpu_of(s, cpu)->account;
}

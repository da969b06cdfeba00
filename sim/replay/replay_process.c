/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Does what processes do, slice by slice: their ranges have addresses here, and each access goes
 * through the mm core to the physical address that it has just then, and from there through caches
 * and banks.
 */
#include "sim/replay/replay_process.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "mm/boot/boot_time.h"
#include "mm/slab/dcache.h"
#include "mm/user/khugepaged.h"
#include "sim/scenario/process_plan.h"

#define SHM "/dev/shm/" /* what lies there is of tmpfs */

struct replay_processes {
	struct sim *sim;
	struct mm *mm;
	const struct replay_policies *policies;
	const struct process_plan *plan;
	struct replay_process_counts *counts;
	uint64_t *ranges; /* by process and name: where; 0: nowhere */
	uint64_t *sizes;  /* likewise, bytes */
	uint32_t *left;   /* by step: slices that are not done */
	bool *given_up;   /* by step: no memory, so the rest of it is left out */
};

static struct mm_file *file_of(struct replay_processes *r, uint32_t name)
{
	const char *text = r->plan->names[name];

	return mm_file_open(r->mm, text, !strncmp(text, SHM, strlen(SHM)));
}

/* A file is as long as anything that is done with it reaches. */
static int size_files(struct replay_processes *r)
{
	unsigned shift = mm_get_arch(r->mm)->page_shift;

	for (size_t i = 0; i < r->plan->nr_steps; i++) {
		const struct process_step *s = &r->plan->steps[i];
		bool io = s->what == PROCESS_READ || s->what == PROCESS_WRITE;
		uint32_t name = io ? s->name : s->what == PROCESS_MMAP ? s->file : PROCESS_NONE;
		struct mm_file *file = name == PROCESS_NONE ? NULL : file_of(r, name);

		if (name != PROCESS_NONE && !file)
			return -ENOMEM;
		if (file)
			mm_file_extend(file, (s->offset + s->bytes + (UINT64_C(1) << shift) - 1) >>
						     shift);
	}
	return 0;
}

int replay_processes_new(struct sim *s, const struct replay_policies *p,
			 struct replay_process_counts *counts, struct replay_processes **out)
{
	const struct process_plan *plan = p->trace->processes;
	struct replay_processes *r;

	*out = NULL;
	if (!plan || !plan->nr_slices)
		return 0;
	r = calloc(1, sizeof(*r));
	if (!r)
		return -ENOMEM;
	*out = r;
	*r = (struct replay_processes){
		.sim = s,
		.mm = sim_mm(s),
		.policies = p,
		.plan = plan,
		.counts = counts,
		.ranges = calloc(plan->nr_processes * (plan->nr_names + 1), sizeof(*r->ranges)),
		.sizes = calloc(plan->nr_processes * (plan->nr_names + 1), sizeof(*r->sizes)),
		.left = calloc(plan->nr_steps, sizeof(*r->left)),
		.given_up = calloc(plan->nr_steps, sizeof(*r->given_up)),
	};
	counts->of = calloc(plan->nr_processes, sizeof(*counts->of));
	counts->times = calloc(plan->nr_steps, sizeof(*counts->times));
	if (!r->ranges || !r->sizes || !r->left || !r->given_up || !counts->of || !counts->times)
		return -ENOMEM;
	for (size_t i = 0; i < plan->nr_steps; i++)
		r->left[i] = plan->steps[i].parts;
	mm_khugepaged_start(r->mm);
	return size_files(r);
}

void replay_processes_free(struct replay_processes *r)
{
	if (!r)
		return;
	free(r->ranges);
	free(r->sizes);
	free(r->left);
	free(r->given_up);
	free(r);
}

static const struct process_step *step_of(const struct replay_processes *r,
					  const struct trace_event *ev)
{
	return &r->plan->steps[r->plan->slices[ev->bytes].step];
}

uint32_t replay_step_process(const struct replay_processes *r, const struct trace_event *ev)
{
	return step_of(r, ev)->process;
}

uint32_t replay_step_after(const struct replay_processes *r, const struct trace_event *ev)
{
	return step_of(r, ev)->after;
}

uint32_t replay_step_awaits(const struct replay_processes *r, const struct trace_event *ev)
{
	const struct process_step *s = step_of(r, ev);

	return s->what == PROCESS_WAIT ? s->name : TRACE_NO_PAGE;
}

static struct replay_process *process_of(struct replay_processes *r, const struct process_step *s)
{
	return &r->counts->of[s->process];
}

static size_t range_of(const struct replay_processes *r, uint32_t process, uint32_t name)
{
	return process * (r->plan->nr_names + 1) + name;
}

static uint64_t address_of(const struct replay_processes *r, const struct process_step *s)
{
	uint64_t at = r->ranges[range_of(r, s->process, s->name)];

	return at ? at + s->offset : 0;
}

static const struct mm_policy *policy_of(const struct replay_processes *r,
					 const struct process_step *s)
{
	return s->has_policy ? &r->policies->policies[s->policy] : NULL;
}

static int do_mmap(struct replay_processes *r, int cpu, const struct process_step *s,
		   struct mm_space *space)
{
	size_t slot = range_of(r, s->process, s->name);
	const struct mm_mmap_args args = {
		.bytes = s->bytes,
		.file = s->file == PROCESS_NONE ? NULL : file_of(r, s->file),
		.offset = s->offset,
		.shared = s->shared,
		.advised = s->advised,
		.hugetlb = s->hugetlb,
		.huge_bytes = s->huge_bytes,
		.noreserve = s->noreserve,
		.policy = policy_of(r, s),
	};

	if (s->file != PROCESS_NONE && !args.file)
		return -ENOMEM;
	r->sizes[slot] = s->bytes;
	return mm_mmap(r->mm, cpu, space, &args, &r->ranges[slot]);
}

/* A process that is not forked begins with its first step. */
static int begin(struct replay_processes *r, int cpu, const struct process_step *s)
{
	struct replay_process *p = process_of(r, s);
	const struct process *plan = &r->plan->processes[s->process];
	int err = 0;

	if (!p->begun) {
		p->begun = true;
		p->begin_ps = sim_now_ps(r->sim, cpu);
		if (!plan->forked)
			err = mm_space_new(r->mm, cpu, plan->name,
					   &r->policies->policies[plan->policy], &p->space);
	}
	if (!err && p->space)
		mm_space_run(r->mm, cpu, p->space);
	return err;
}

static int do_fork(struct replay_processes *r, int cpu, const struct process_step *s,
		   struct mm_space *space)
{
	struct replay_process *child = &r->counts->of[s->child];
	size_t nr = r->plan->nr_names + 1;
	int err =
		mm_space_fork(r->mm, cpu, space, r->plan->processes[s->child].name, &child->space);

	if (err)
		return err;
	memcpy(&r->ranges[s->child * nr], &r->ranges[s->process * nr], nr * sizeof(*r->ranges));
	memcpy(&r->sizes[s->child * nr], &r->sizes[s->process * nr], nr * sizeof(*r->sizes));
	return 0;
}

static void note(struct replay_processes *r, struct replay_process *p)
{
	struct mm_space_info info;

	mm_space_info(r->mm, p->space, &info);
	p->faults = info.faults;
	p->major = info.major;
	p->zeroed = info.zeroed;
	p->zeroed_huge = info.zeroed_huge;
	p->fallback = info.fallback;
	p->copied = info.copied;
	p->reused = info.reused;
	p->around = info.around;
}

static void do_exit(struct replay_processes *r, int cpu, struct replay_process *p)
{
	note(r, p);
	mm_space_exit(r->mm, cpu, p->space);
	p->space = NULL;
}

static int do_exec(struct replay_processes *r, int cpu, const struct process_step *s,
		   struct mm_space *space)
{
	size_t nr = r->plan->nr_names + 1;
	int err = mm_space_exec(r->mm, cpu, space);

	if (!err)
		memset(&r->ranges[s->process * nr], 0, nr * sizeof(*r->ranges));
	return err;
}

/* Past the end of a pass the next one begins a line further. */
static uint64_t strided(const struct process_step *s, uint64_t i)
{
	uint64_t each = (s->bytes + s->stride - 1) / s->stride;
	uint64_t at = i % each * s->stride + i / each * s->touch % s->stride;

	return at < s->bytes ? at : s->bytes - 1;
}

/* Not over the end of a page: what is behind it may be elsewhere. */
static uint64_t clip(const struct replay_processes *r, uint64_t at, uint64_t bytes)
{
	uint64_t page = UINT64_C(1) << mm_get_arch(r->mm)->page_shift,
		 left = page - (at & (page - 1));

	return bytes < left ? bytes : left;
}

static int touch(struct replay_processes *r, int cpu, const struct process_step *s,
		 const struct process_slice *slice, struct replay_process *p)
{
	unsigned shift = mm_get_arch(r->mm)->page_shift;
	uint64_t start = address_of(r, s), pages = s->bytes >> shift;

	if (!start)
		return -EFAULT;
	for (uint64_t i = slice->from; i < slice->from + slice->nr; i++) {
		uint64_t at =
			start + (s->access == PROCESS_STRIDED ? strided(s, i)
							      : process_page(s, i, pages) << shift);
		phys_addr_t phys;
		int result = mm_user_access(r->mm, cpu, p->space, at, s->write, &phys);

		if (result < 0)
			return result;
		if (s->touch)
			sim_touch_mapped(r->sim, cpu,
					 &(struct sim_mapping){.space = p->space, .address = at},
					 phys, clip(r, at, s->touch), s->write);
		p->accesses++;
		if (result != MM_USER_PRESENT)
			sim_settle(r->sim, cpu);
	}
	return 0;
}

static int file_io(struct replay_processes *r, int cpu, const struct process_step *s,
		   const struct process_slice *slice, struct replay_process *p)
{
	unsigned shift = mm_get_arch(r->mm)->page_shift;
	uint64_t first = s->offset >> shift, pages = s->bytes >> shift;
	struct mm_file *file = file_of(r, s->name);

	for (uint64_t i = slice->from; file && i < slice->from + slice->nr; i++) {
		uint64_t page = first + process_page(s, i, pages);
		bool whole = s->touch >> shift;
		phys_addr_t phys;
		int result = mm_file_access(r->mm, cpu, p->space, file, page, s->ahead, s->write,
					    whole, &phys);

		if (result < 0)
			return result;
		sim_copy(r->sim, cpu, phys, s->touch, s->write);
		mm_file_used(r->mm, cpu, file, page);
		p->accesses++;
		sim_settle(r->sim, cpu);
	}
	return file ? 0 : -ENOMEM;
}

static int stat_files(struct replay_processes *r, int cpu, const struct process_step *s,
		      const struct process_slice *slice, struct replay_process *p)
{
	struct mm_directory *dir = mm_directory_open(r->mm, r->plan->names[s->name], s->bytes);

	for (uint64_t i = slice->from; dir && i < slice->from + slice->nr; i++) {
		int result = mm_directory_stat(r->mm, cpu, dir, process_page(s, i, s->bytes));

		if (result < 0)
			return result;
		p->accesses++;
		sim_settle(r->sim, cpu);
	}
	return dir ? 0 : -ENOMEM;
}

static int on_range(struct replay_processes *r, int cpu, const struct process_step *s,
		    struct mm_space *space)
{
	uint64_t at = address_of(r, s);
	size_t slot = range_of(r, s->process, s->name);

	if (!at)
		return -EFAULT;
	if (s->what == PROCESS_MBIND)
		return mm_mbind(r->mm, cpu, space, at, s->bytes, policy_of(r, s), s->move);
	if (s->what == PROCESS_MADVISE)
		return mm_madvise(r->mm, cpu, space, at, s->bytes, (enum mm_advice)s->advice);
	if (s->what != PROCESS_MUNMAP)
		return mm_mlock(r->mm, cpu, space, at, s->bytes, s->what == PROCESS_MLOCK);
	if (s->bytes == r->sizes[slot])
		r->ranges[slot] = 0;
	return mm_munmap(r->mm, cpu, space, at, s->bytes);
}

static int migrate(struct replay_processes *r, int cpu, const struct process_step *s,
		   struct replay_process *p)
{
	int64_t failed = mm_space_migrate(r->mm, cpu, p->space, s->nid % mm_nr_nodes(r->mm));

	p->not_moved += failed > 0 ? (uint64_t)failed : 0;
	return failed < 0 ? (int)failed : 0;
}

static int do_it(struct replay_processes *r, int cpu, const struct process_step *s,
		 const struct process_slice *slice, struct replay_process *p)
{
	switch (s->what) {
	case PROCESS_MMAP:
		return do_mmap(r, cpu, s, p->space);
	case PROCESS_MUNMAP:
	case PROCESS_MLOCK:
	case PROCESS_MUNLOCK:
	case PROCESS_MBIND:
	case PROCESS_MADVISE:
		return on_range(r, cpu, s, p->space);
	case PROCESS_TOUCH:
		return touch(r, cpu, s, slice, p);
	case PROCESS_READ:
	case PROCESS_WRITE:
		return file_io(r, cpu, s, slice, p);
	case PROCESS_FORK:
		return do_fork(r, cpu, s, p->space);
	case PROCESS_EXEC:
		return do_exec(r, cpu, s, p->space);
	case PROCESS_SET_POLICY:
		mm_space_set_policy(p->space, policy_of(r, s));
		return 0;
	case PROCESS_MIGRATE_PAGES:
		return migrate(r, cpu, s, p);
	case PROCESS_STAT:
		return stat_files(r, cpu, s, slice, p);
	case PROCESS_SLEEP:
		sim_settle(r->sim, cpu);
		sim_idle_until(r->sim, cpu, sim_now_ps(r->sim, cpu) + s->time_ps);
		return 0;
	case PROCESS_EXIT:
		do_exit(r, cpu, p);
		return 0;
	default: /* WAIT and RUN_ON: whoever is here has waited, and is there */
		return 0;
	}
}

/* Of a deferred phase the CPU does what it has of each node, one after the other. */
static void boot(struct replay_processes *r, int cpu, const struct process_step *s)
{
	enum mm_boot_phase phase = (enum mm_boot_phase)(s->what - PROCESS_BOOT_MEMBLOCK);
	bool deferred = s->deferred && mm_boot_can_defer(r->mm);
	struct mm_boot_part part = {.deferred = deferred, .nid = mm_cpu_to_node(r->mm, cpu)};

	if (phase != MM_BOOT_DEFERRED) {
		mm_boot_charge(r->mm, cpu, phase, &part);
		return;
	}
	for (int nid = 0; deferred && nid < mm_nr_nodes(r->mm); nid++)
		if (mm_boot_part_of(r->mm, cpu, nid, s->threads, &part))
			mm_boot_charge(r->mm, cpu, phase, &part);
}

static int run_step(struct replay_processes *r, int cpu, const struct process_slice *slice,
		    struct replay_process *p)
{
	const struct process_step *s = &r->plan->steps[slice->step];
	int err;

	if (s->what > PROCESS_EXIT) {
		boot(r, cpu, s);
		return 0;
	}
	err = begin(r, cpu, s);
	/* A child whose fork found no memory, and what a step could not get, is left out. */
	if (!err && !p->space)
		return -ESRCH;
	return err || r->given_up[slice->step] ? err : do_it(r, cpu, s, slice, p);
}

bool replay_step(struct replay_processes *r, int cpu, const struct trace_event *ev)
{
	const struct process_slice *slice = &r->plan->slices[ev->bytes];
	const struct process_step *s = &r->plan->steps[slice->step];
	struct replay_process *p = process_of(r, s);
	struct replay_step_times *times = &r->counts->times[slice->step];
	uint64_t began = sim_now_ps(r->sim, cpu);
	int err;

	if (!times->begun)
		*times = (struct replay_step_times){.begun = true, .begin_ps = began};
	err = run_step(r, cpu, slice, p);
	if (err && !r->given_up[slice->step]) {
		p->failed++;
		times->err = err;
		r->given_up[slice->step] = true;
	}
	sim_settle(r->sim, cpu);
	r->counts->steps++;
	p->end_ps = times->end_ps = sim_now_ps(r->sim, cpu);
	p->busy_ps += s->what == PROCESS_SLEEP ? 0 : p->end_ps - began;
	if (--r->left[slice->step])
		return false;
	if (p->space)
		note(r, p);
	return true;
}

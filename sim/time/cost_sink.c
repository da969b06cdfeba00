/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From what the mm core did to what it costs: work becomes cycles, an access goes through the
 * caches to the bank that holds its address, locks make CPUs wait for each other.
 *
 * - With caches, an access touches whole lines. Each line that misses pays the latency of its route
 *   and moves one line; one that hits pays the latency of that level.
 * - Lines of one access do not wait for each other: on a CPU that is known to have fill buffers as
 *   many are in flight as it can have of a stream. What depends on something is another access.
 * - Without caches, an access pays one latency and moves its own bytes.
 * - A store that nothing waits for (MM_STORE) goes through the store buffer of a CPU that is known
 *   to have fill buffers: it takes its part of the latency. So does what is prefetched.
 * - Zeroing and copying: one latency or those of its lines in flight, all the bytes, of the source
 *   and of the target. What is written so is in the CPU's caches afterwards (fresh.h): the kernel's
 *   clear_page() and copy_page() are `rep stos` and `rep movs`, which allocate lines without
 * reading them; non-temporal stores it keeps for huge copies to devices. Their bytes count as
 * written at once, since a page is soon pushed out by the next ones.
 * - A line that another CPU has written and holds comes from its cache where the machine says what
 *   that takes, else from the next cache that has it, or memory. The lock word of a lock that is
 *   waited for goes to and fro like that: who leaves it has to get it back from who came, who is
 * let in gets it from who left.
 * - A modified line that leaves its last cache is written to its bank: bytes, no latency.
 * - Charges are settled before a lock is taken or left, so that the time a lock is held, and the
 *   order in which CPUs come to it, are those of simulated time.
 */
#include "sim/time/cost_sink.h"

#include <errno.h>
#include <inttypes.h>

#include "mm/page.h"
#include "sim/time/bug.h"
#include "sim/time/internal.h"

#define PS_PER_US UINT64_C(1000000)

static inline const struct mm_range *range_of(const struct sim *s, struct cpu *c, phys_addr_t at)
{
	const struct mm_range *range = bank_map_find(&s->banks, at, &c->last_range);

	if (!range)
		SIM_BUG("cpu %d at site %s touches %#" PRIx64 ", where there is no memory", c->id,
			mm_site_name(c->site), at);
	return range;
}

static inline struct bank_place bank_of(const struct sim *s, struct cpu *c, phys_addr_t at)
{
	return sim_bank_of(s, range_of(s, c, at), at);
}

/* After the interrupts that it has had since its last work. */
static NOINLINE void work_interrupted(const struct sim *s, struct cpu *c, enum mm_site site,
				      uint32_t nr)
{
	if (c->nr_answers)
		cost_sink_site(s, c, MM_SITE_TLB_ANSWER, c->nr_answers);
	c->nr_answers = 0;
	if (c->nr_io_done)
		cost_sink_site(s, c, MM_SITE_IO_DONE, c->nr_io_done);
	c->nr_io_done = 0;
	cost_sink_site(s, c, site, nr);
}

static void sink_work(void *ctx, int cpu, enum mm_site site, uint32_t nr)
{
	struct sim *s = ctx;
	struct cpu *c = charged_cpu(s, cpu);

	if (!c)
		return;
	if (UNLIKELY(c->nr_answers | c->nr_io_done))
		work_interrupted(s, c, site, nr);
	else
		cost_sink_site(s, c, site, nr);
}

/* Past the caches: a latency and its bytes for each bank that the block lies in. */
static NOINLINE void access_memory(struct sim *s, struct cpu *c, phys_addr_t at, uint64_t bytes,
				   enum mm_access kind)
{
	while (bytes) {
		const struct mm_range *range = range_of(s, c, at);
		uint64_t left = range->start + range->bytes - at;
		uint64_t part = bytes < left ? bytes : left;
		bool read = kind < MM_WRITE || kind == MM_COPY_FROM;

		cost_sink_block(s, c, range, at,
				&(struct cpu_memory_charge){
					.purpose = kind == MM_ZERO ? CPU_ZEROING : CPU_DATA,
					.nr_latencies = 1,
					.nr_lines = lines_of(s, part),
					.past_cache = true,
					.bytes_read = read ? part : 0,
					.bytes_written = read ? 0 : part,
				});
		at += part;
		bytes -= part;
	}
}

/* Lines that the CPU writes as a whole, whatever they were. */
static void write_block(struct sim *s, struct cpu *c, phys_addr_t at, uint64_t bytes,
			enum mm_access kind)
{
	access_memory(s, c, at, bytes, kind);
	if (s->cache)
		fresh_add(&c->fresh, at, bytes);
}

/*
 * What an access bears of a latency of which so many are under way at once. Most bear all, and a
 * division takes as long as a look-up.
 */
static uint64_t part(uint64_t ps, unsigned share)
{
	return share == 1 ? ps : ps / share;
}

/*
 * The line at `at` comes from memory, unless the CPU has just written the block around it. One that
 * the prefetcher has seen coming is in the second level by now, or the only one, if the prefetcher
 * could get it there in time: it has a stream's lines in flight and no more. Its bytes have moved
 * all the same.
 */
static NOINLINE void charge_miss(struct sim *s, struct cpu *c, phys_addr_t at, unsigned share)
{
	const struct machine *m = s->machine;
	unsigned line_bytes = m->cache_line_bytes;
	int level = fresh_level(&c->fresh, m, at);
	struct bank_place place;
	uint64_t hit_ps, stream_ps;
	bool ahead;

	if (level < m->nr_caches) {
		cpu_charge_hit(c, part(m->caches[level].latency_ps, share));
		return;
	}
	place = bank_of(s, c, at);
	ahead = prefetcher_miss(&c->prefetcher, at >> s->line_shift, line_bytes);
	stream_ps = cpu_charge_memory(c, &(struct cpu_memory_charge){
						 .bank = place.bank,
						 .at = place.at,
						 .nr_latencies = !ahead,
						 .prefetched = ahead,
						 .overlapped = share,
						 .bytes_read = line_bytes,
					 });
	c->fresh.filled += line_bytes;
	if (!ahead)
		return;
	hit_ps = part(m->caches[m->nr_caches > 1].latency_ps, share);
	cpu_charge_hit(c, hit_ps > stream_ps ? hit_ps - stream_ps : 0);
}

uint64_t cost_sink_transfer_ps(const struct sim *s, struct cpu *c, int owner, phys_addr_t at)
{
	const struct machine_transfers *t = &s->machine->transfers;
	int place = s->cpus[owner].place;

	if (place == c->place && t->same_node_far_ps &&
	    !cache_last_is_shared(s->cache, owner, c->id))
		return t->same_node_far_ps;
	if (place == c->place)
		return t->same_node_ps;
	return bank_of(s, c, at).bank == place ? t->home_at_owner_ps : t->home_elsewhere_ps;
}

/* The line at `at` comes from the caches of another CPU. */
static NOINLINE void charge_transfer(const struct sim *s, struct cpu *c, int owner, phys_addr_t at,
				     unsigned share)
{
	c->account.line_transfers++;
	cpu_charge_hit(c, part(cost_sink_transfer_ps(s, c, owner, at), share));
}

/* The same of one that is as in memory. */
static NOINLINE void charge_clean_transfer(const struct sim *s, struct cpu *c, unsigned share)
{
	c->account.line_transfers++;
	cpu_charge_hit(c, part(s->machine->transfers.same_node_clean_ps, share));
}

void cost_sink_write_back(const struct sim *s, struct cpu *c, uint64_t line)
{
	struct bank_place place = bank_of(s, c, line << s->line_shift);

	cpu_charge_memory(c, &(struct cpu_memory_charge){
				     .bank = place.bank,
				     .at = place.at,
				     .bytes_written = s->machine->cache_line_bytes,
			     });
}

/* Of so many lines, how many are in flight. */
static unsigned overlap(const struct cpu *c, uint64_t nr_lines, enum mm_access kind)
{
	if (!c->fill_buffers)
		return 1;
	if (!access_waits(kind))
		return c->fill_buffers;
	return nr_lines < c->prefetched ? (unsigned)nr_lines : c->prefetched;
}

/* One line, of which each takes a share; `at` is its first byte that is accessed. */
static inline void access_line(struct sim *s, struct cpu *c, phys_addr_t at, enum mm_access kind,
			       unsigned share)
{
	const struct machine *m = s->machine;
	struct cache_result result;
	int err = cache_access(s->cache, c->id, at >> s->line_shift, kind >= MM_WRITE, &result);

	if (err)
		s->error = err;
	if (result.owner != MM_NO_CPU)
		charge_transfer(s, c, result.owner, at, share);
	else if (result.sharer != MM_NO_CPU)
		charge_clean_transfer(s, c, share);
	else if (result.level < m->nr_caches)
		cpu_charge_hit(c, part(m->caches[result.level].latency_ps, share));
	else
		charge_miss(s, c, at, share);
	if (result.wrote_back)
		cost_sink_write_back(s, c, result.victim);
}

static NOINLINE void access_now(struct sim *s, struct cpu *c, phys_addr_t at, uint64_t bytes,
				enum mm_access kind)
{
	phys_addr_t end = at + bytes;
	unsigned share;

	if (kind == MM_ZERO || kind == MM_COPY_TO) {
		write_block(s, c, at, bytes, kind);
		return;
	}
	if (!s->cache || kind == MM_COPY_FROM) {
		access_memory(s, c, at, bytes, kind);
		return;
	}
	if (at >= end)
		return;
	share = overlap(c, ((end - 1) >> s->line_shift) - (at >> s->line_shift) + 1, kind);
	if ((end - 1) >> s->line_shift == at >> s->line_shift &&
	    cache_hit_second(c->nearest, c->id, at >> s->line_shift, kind >= MM_WRITE)) {
		cpu_charge_hit(c, part(s->machine->caches[0].latency_ps, share));
		return;
	}
	while (at < end) {
		access_line(s, c, at, kind, share);
		at = ((at >> s->line_shift) + 1) << s->line_shift;
	}
}

/* Most accesses are to a part of one line that is at hand. */
static inline bool is_at_hand(const struct sim *s, const struct cpu *c, phys_addr_t at,
			      uint64_t bytes, enum mm_access kind)
{
	uint64_t line = at >> s->line_shift;

	return c->nearest && kind <= MM_STORE && (at + bytes - 1) >> s->line_shift == line &&
	       cache_at_hand(c->nearest, c->id, line, kind >= MM_WRITE);
}

static inline void access_any(struct sim *s, struct cpu *c, phys_addr_t at, uint64_t bytes,
			      enum mm_access kind)
{
	if (LIKELY(is_at_hand(s, c, at, bytes, kind)))
		cpu_charge_hit(c, c->at_hand_ps[!access_waits(kind)]);
	else
		access_now(s, c, at, bytes, kind);
}

static void sink_access(void *ctx, int cpu, phys_addr_t at, uint64_t bytes, enum mm_access kind)
{
	struct sim *s = ctx;
	struct cpu *c = charged_cpu(s, cpu);

	if (c)
		access_any(s, c, at, bytes, kind);
}

const struct mm_range *sim_range_of(const struct sim *s, struct cpu *c, phys_addr_t at)
{
	return range_of(s, c, at);
}

void cost_sink_access(struct sim *s, struct cpu *c, phys_addr_t at, uint64_t bytes,
		      enum mm_access kind)
{
	access_any(s, c, at, bytes, kind);
}

static NOINLINE void translate_and_access(struct sim *s, struct cpu *c, uint64_t address,
					  phys_addr_t at, uint64_t bytes, enum mm_access kind)
{
	if (tlb_again(s->tlb, c->id, address, address + bytes - 1))
		c->account.tlb_hits++;
	else
		translate_kernel(s, c, address, bytes, kind);
	access_any(s, c, at, bytes, kind);
}

/* Each of these calls is the last thing that is done: nothing has to be saved for it. */
static inline void access_by(struct sim *s, int cpu, uint64_t address, phys_addr_t at,
			     uint64_t bytes, enum mm_access kind)
{
	struct cpu *c = charged_cpu(s, cpu);

	if (!c)
		return;
	if (UNLIKELY(!translated_at_hand(c, address, bytes)))
		translate_and_access(s, c, address, at, bytes, kind);
	else
		access_any(s, c, at, bytes, kind);
}

/* Where the machine describes a TLB. */
static void sink_access_by(void *ctx, int cpu, uint64_t address, phys_addr_t at, uint64_t bytes,
			   enum mm_access kind)
{
	access_by(ctx, cpu, address, at, bytes, kind);
}

static void sink_access_direct(void *ctx, int cpu, phys_addr_t at, uint64_t bytes,
			       enum mm_access kind)
{
	access_by(ctx, cpu, translate_direct(ctx, at), at, bytes, kind);
}

static void sink_forget(void *ctx, int cpu, const struct mm_forget *what)
{
	translate_forget(ctx, cpu, what);
}

static void sink_lock(void *ctx, int cpu, struct mm_lock *lock)
{
	struct sim *s = ctx;
	struct cpu *c = charged_cpu(s, cpu);
	bool contended;

	if (!c)
		return;
	cpu_settle(c);
	contended = lock->sink != NULL;
	wait_lock(&s->waits, c, lock);
	if (contended && s->machine->transfers.same_node_ps)
		access_line(s, c, lock->at, MM_WRITE, 1);
}

static void sink_unlock(void *ctx, int cpu, struct mm_lock *lock)
{
	struct sim *s = ctx;
	struct cpu *c = charged_cpu(s, cpu);

	if (!c)
		return;
	if (s->machine->transfers.same_node_ps && wait_wanted(lock))
		access_line(s, c, lock->at, MM_STORE, overlap(c, 1, MM_STORE));
	cpu_settle(c);
	wait_unlock(&s->waits, c, lock);
}

/* For its pace. */
static void note_reclaim(struct sim *s, struct cpu *c, const struct mm_event *ev)
{
	bool program = c && (!c->guest || c->standing_in);

	if (!c)
		return;
	if (!program && ev->type == MM_EVENT_PAGE_FREE)
		kthread_freed(c->guest, UINT64_C(1) << ev->order);
	if (program && (ev->type == MM_EVENT_DIRECT_BEGIN || ev->type == MM_EVENT_NODE_BEGIN))
		reclaim_step_begin(&c->reclaim, c);
	if (program && (ev->type == MM_EVENT_DIRECT_END || ev->type == MM_EVENT_NODE_END))
		reclaim_step_of_program(&s->kthreads.pace, &c->reclaim, c, ev->scan.reclaimed);
}

static void sink_event(void *ctx, int cpu, const struct mm_event *ev)
{
	struct sim *s = ctx;

	note_reclaim(s, charged_cpu(s, cpu), ev);
	if (s->hook)
		s->hook(s->hook_arg, cpu, sim_thread_on(s, cpu), sim_time_on(s, cpu), ev);
}

static bool sink_wake(void *ctx, int cpu, struct mm_kthread *thread)
{
	struct sim *s = ctx;
	struct cpu *c = charged_cpu(s, cpu);

	if (s->phase != SIM_RUNNING)
		return false;
	/* The thread is woken when the waker has got there. */
	if (c)
		cpu_settle(c);
	if (c && (!c->guest || c->standing_in) && thread->index < mm_nr_nodes(s->mm) &&
	    kthread_would_run(&s->kthreads, thread))
		cpu_charge_delay(c, s->kthreads.pace.set.wake_ps);
	return kthread_wake(&s->kthreads, thread);
}

/* A program may be made to wait for a thread, a thread for a program. */
static int sink_resched(void *ctx, int cpu)
{
	struct sim *s = ctx;
	struct cpu *c = charged_cpu(s, cpu);

	if (!c)
		return cpu;
	if (c->guest)
		return kthread_resched(&s->kthreads, c->guest);
	cpu_settle(c);
	kthreads_give_way(&s->kthreads, c);
	return cpu;
}

/* Reclaim sleeps: for a disk, while one is at work. */
static int sink_sleep(void *ctx, int cpu, uint64_t us, const void *channel)
{
	struct sim *s = ctx;
	struct cpu *c = charged_cpu(s, cpu);
	uint64_t ps = us * PS_PER_US;
	bool for_disk;

	if (!c)
		return cpu;
	if (c->guest && !c->standing_in)
		return kthread_sleep(&s->kthreads, c->guest, ps, channel);
	cpu_settle(c);
	for_disk = disks_busy(&s->disks);
	c->nr_disk_waits += for_disk;
	if (c->guest) {
		kthread_sleep(&s->kthreads, c->guest, ps, channel);
		c->nr_disk_waits -= for_disk;
		return cpu;
	}
	kthreads_offer(&s->kthreads, c);
	wait_channel(&s->waits, c->id, ps, channel);
	if (!c->guest)
		cpu_catch_up(c, cpu_idle_cause(c));
	c->nr_disk_waits -= for_disk;
	kthreads_reclaim(&s->kthreads, c);
	return cpu;
}

/* Others run, or a disk does: they may free something. */
static bool sink_starve(void *ctx, int cpu, uint64_t us)
{
	struct sim *s = ctx;
	struct cpu *c = charged_cpu(s, cpu);

	if (!c || (c->guest && !c->standing_in) ||
	    (s->waits.nr_running - s->waits.nr_starving <= 1 && !disks_busy(&s->disks)))
		return false;
	s->waits.nr_starving++;
	sink_sleep(ctx, cpu, us, NULL);
	s->waits.nr_starving--;
	return true;
}

static void sink_wakeup(void *ctx, int cpu, const void *channel)
{
	struct sim *s = ctx;

	(void)cpu;
	if (s->phase == SIM_RUNNING)
		wait_wake_channel(&s->waits, channel);
}

/* The disk of that sort of pages; -1: none. */
static int disk_of(const struct sim *s, enum mm_store store)
{
	const struct machine *m = s->machine;

	if (!m->nr_disks)
		return -1;
	return store == MM_STORE_SWAP ? m->swap_disk : m->file_disk;
}

static bool sink_write(void *ctx, int cpu, struct page *page, uint64_t bytes, enum mm_store to,
		       bool may_wait)
{
	struct sim *s = ctx;
	struct cpu *c = charged_cpu(s, cpu);

	if (!c || disk_of(s, to) < 0)
		return false;
	return disks_write(&s->disks, disk_of(s, to), c, page, bytes, may_wait);
}

static bool sink_read_ahead(void *ctx, int cpu, uint64_t bytes, enum mm_store from,
			    struct mm_read *read)
{
	struct sim *s = ctx;
	struct cpu *c = charged_cpu(s, cpu);

	if (!c || disk_of(s, from) < 0)
		return false;
	return disks_read_ahead(&s->disks, disk_of(s, from), c, read, bytes);
}

static void sink_read(void *ctx, int cpu, uint64_t bytes, enum mm_store from)
{
	struct sim *s = ctx;
	struct cpu *c = charged_cpu(s, cpu);

	if (!c || disk_of(s, from) < 0)
		return;
	cpu_settle(c);
	disks_read(&s->disks, disk_of(s, from), c, bytes);
}

static void sink_reclaimed(void *ctx, int cpu, struct page *page, bool swapped, uint64_t shadow)
{
	struct sim *s = ctx;

	if (s->owner)
		s->owner->reclaimed(s->owner->arg, cpu, page, swapped, shadow);
}

static void sink_moved(void *ctx, int cpu, struct page *from, struct page *to)
{
	struct sim *s = ctx;

	if (s->owner)
		s->owner->moved(s->owner->arg, cpu, from, to);
}

static bool sink_may_move(void *ctx, const struct page *page)
{
	const struct sim *s = ctx;

	return s->owner && s->owner->may_move(s->owner->arg, page);
}

/* A program only: no thread of the kernel waits for what programs give back. */
static int sink_wait(void *ctx, int cpu, struct mm_waitq *queue)
{
	struct sim *s = ctx;
	struct cpu *c = charged_cpu(s, cpu);
	uint64_t seen = queue->nr_wakes;
	int err = c && !c->guest ? 0 : -EDEADLK;

	if (err)
		return err;
	c->waits_in = queue;
	while (!err && queue->nr_wakes == seen)
		err = sim_sleep(s, cpu);
	c->waits_in = NULL;
	return err;
}

static void sink_wake_all(void *ctx, int cpu, struct mm_waitq *queue)
{
	struct sim *s = ctx;
	struct cpu *c = charged_cpu(s, cpu);

	if (!c)
		return;
	cpu_settle(c);
	for (int other = 0; other < s->machine->mm.nr_cpus; other++)
		if (s->cpus[other].waits_in == queue)
			sim_wake(s, other);
}

void sim_check_uncharged(const struct sim *s, int cpu)
{
	if (s->phase == SIM_RUNNING && cpu != MM_NO_CPU)
		SIM_BUG("a charge for cpu %d of %d", cpu, s->nr_cpus);
}

const struct mm_ops cost_sink_ops = {
	.work = sink_work,
	.access = sink_access,
	.lock = sink_lock,
	.unlock = sink_unlock,
	.event = sink_event,
	.who = sim_who,
	.wake = sink_wake,
	.resched = sink_resched,
	.sleep = sink_sleep,
	.starve = sink_starve,
	.wakeup = sink_wakeup,
	.write = sink_write,
	.read = sink_read,
	.read_ahead = sink_read_ahead,
	.reclaimed = sink_reclaimed,
	.moved = sink_moved,
	.may_move = sink_may_move,
	.tlb_shootdown = cost_sink_shootdown,
	.wait = sink_wait,
	.wake_all = sink_wake_all,
};

struct mm_ops cost_sink_with_tlb(void)
{
	struct mm_ops ops = cost_sink_ops;

	ops.access = sink_access_direct;
	ops.access_by = sink_access_by;
	ops.forget = sink_forget;
	return ops;
}

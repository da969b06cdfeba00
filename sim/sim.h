/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A simulation: a machine's SimGrid platform, the mm core booted on it, an actor a simulated CPU,
 * and the cost sink between them. SimGrid allows one engine a process, so one simulation too.
 *
 * Time is in integer picoseconds since the start. Every picosecond of a CPU has a cause. SimGrid
 * holds the clock as a double in nanoseconds: a picosecond is resolved up to about 1000 simulated
 * seconds.
 *
 * What the mm core does outside sim_run(), or for MM_NO_CPU, costs nothing.
 */
#ifndef SIM_SIM_H
#define SIM_SIM_H

#include "mm/mm.h"
#include "sim/config/diag.h"
#include "sim/machine/costs.h"
#include "sim/machine/machine.h"

enum time_cause {
	CAUSE_COMPUTE,   /* cycles of the CPU itself, and hits in its caches */
	CAUSE_LOCAL,     /* memory of the CPU's own node */
	CAUSE_REMOTE,    /* memory of other nodes; by node in struct cpu_account */
	CAUSE_LOCK_WAIT, /* a lock that another CPU holds; by its kind in struct cpu_account */
	CAUSE_ZEROING,   /* streaming zeroes into new pages */
	CAUSE_TLB,       /* translations that the first level of the TLB has not */
	CAUSE_DISK,      /* waiting for a disk: reads, and reclaim that waits for writes */
	CAUSE_IDLE,      /* nothing to do yet: waiting for a time or for another CPU */
	NR_CAUSES
};
const char *time_cause_name(enum time_cause cause);

/* Of a CPU, with the bank of one place (a node, but where memory is interleaved). */
struct cpu_node_account {
	uint64_t remote_ps;   /* sums to cause_ps[CAUSE_REMOTE]; the own node's is 0 */
	uint64_t zeroing_ps;  /* sums to cause_ps[CAUSE_ZEROING] */
	uint64_t misses;      /* latencies paid (accesses and zeroings that reached the bank) */
	uint64_t walk_misses; /* of these, entries of page tables that no cache had */
	uint64_t bytes_read, bytes_written;
};

/* Of a CPU, at one site. */
struct cpu_site_account {
	uint64_t calls; /* units of work */
	uint64_t ps;    /* cycles and uncontended latencies charged there */
};

/* Locks of a kind. */
struct lock_account {
	uint64_t acquired, contended; /* taken; of these, those that another CPU held */
	uint64_t wait_ps;             /* for them */
};

/*
 * What a CPU's time went into. Sum of cause_ps == total_ps, exactly. What goes together is in one
 * place: of a machine of hundreds of CPUs, the host's caches hold little of each.
 */
struct cpu_account {
	uint64_t total_ps;
	uint64_t cause_ps[NR_CAUSES];
	struct cpu_node_account *nodes; /* by place */
	/* By channel, of all banks that have such in a row: of the bytes those of accesses that not
	 * all channels have a part of. NULL: there are none. */
	uint64_t *channel_bytes;
	uint64_t tlb_hits, tlb_second_hits, tlb_walks; /* look-ups, by where they ended */
	uint64_t walk_reads;                           /* entries that walks read */
	uint64_t cache_hits;
	uint64_t line_transfers; /* of those, from another CPU's caches */
	struct cpu_site_account sites[MM_NR_SITES];
	struct lock_account locks[MM_NR_LOCK_KINDS]; /* waits sum to cause_ps[CAUSE_LOCK_WAIT] */
};

/* What a disk did until the last program ended. */
struct disk_account {
	uint64_t reads, writes;             /* done */
	uint64_t bytes_read, bytes_written; /* of these */
	uint64_t unfinished;                /* requests that were not done when the run ended */
	uint64_t busy_ps;                   /* with any request */
	uint64_t wait_ps;      /* of requests, all together, until the disk began them */
	uint64_t most_waiting; /* requests at once */
};

struct sim;
struct mm_hotplug_step;

/**
 * Build the platform, boot the mm core, make the CPUs. `m` and `costs` are borrowed until
 * sim_destroy(). Returns 0 and *out; -EINVAL with the reason in diag: the mm core refuses the
 * machine, or a CPU has no way to some memory; -EBUSY, also in diag, where this process has had a
 * simulation already, even a destroyed one; -ENOMEM.
 */
int sim_create(const struct machine *m, const struct costs *costs, struct diag *diag,
	       struct sim **out);
void sim_destroy(struct sim *s);

struct mm *sim_mm(struct sim *s);
/** Before such a step is taken with sim_mm(): says at which bank the memory is that it adds. */
void sim_plug(struct sim *s, const struct mm_hotplug_step *step);
const struct machine *sim_machine(const struct sim *s);

/** What CPU `cpu` runs once sim_run() is called. */
typedef void (*sim_program)(struct sim *s, int cpu, void *arg);
/**
 * Give `cpu` its program: at most one a CPU, before sim_run(). `arg` is borrowed until sim_run()
 * has returned. Returns 0; -EINVAL where there is no such CPU; -EBUSY where it has a program, or
 * the run has begun.
 */
int sim_spawn(struct sim *s, int cpu, sim_program program, void *arg);

/* What a program leaves to others of its CPU while it sleeps or waits for a disk. */
struct sim_stand_in {
	/** Is there anything that could be done now on that CPU? No simulated time passes. */
	bool (*is_there)(void *arg, int cpu);
	/** Do it, as the CPU's program would; returns when nothing is left that could be done. */
	void (*run)(void *arg, int cpu);
	void *arg;
};
/**
 * Let `nr` others at most stand in for the program of `cpu`, each while those before it sleep:
 * before sim_run(). `work` is borrowed until that has returned. What they do must be done when the
 * program returns, and sim_sleep() is not for them. Returns 0; -EINVAL, -EBUSY as sim_spawn();
 * -ENOMEM.
 */
int sim_spawn_stand_ins(struct sim *s, int cpu, int nr, const struct sim_stand_in *work);
/** On any CPU's program: `cpu` may have something to do now that it had not. */
void sim_call_stand_in(struct sim *s, int cpu);

/**
 * What who runs on a CPU is called: a thread of the kernel or, where that is NULL, its program.
 * Returns the number.
 */
int sim_task_name(int cpu, const struct mm_kthread *thread, char *comm, size_t size);

/**
 * Told of each tracepoint of the mm core. `at_ps` is the CPU's clock plus what it has charged
 * since it was settled, without contention that is still to come; `thread` is the kernel's that
 * runs there, or NULL: the CPU's program. Must not call into the mm core
 * nor let simulated time pass.
 */
typedef void (*sim_event_hook)(void *arg, int cpu, const struct mm_kthread *thread, uint64_t at_ps,
			       const struct mm_event *ev);
/** Set the hook (NULL: none). At most one. */
void sim_set_event_hook(struct sim *s, sim_event_hook hook, void *arg);
#define SIM_MAX_USERS 2 /* CPUs that an owner remembers of a page */

/*
 * Whoever owns the pages that programs allocate. All are called without simulated time passing, and
 * must not call into the mm core but to look.
 */
struct sim_owner {
	/** A page is taken from him, as mm_ops.reclaimed. */
	void (*reclaimed)(void *arg, int cpu, struct page *page, bool swapped, uint64_t shadow);
	/** A page of his has moved, as mm_ops.moved. */
	void (*moved)(void *arg, int cpu, struct page *from, struct page *to);
	/** Is it a page of his, as he knows? mm_ops.may_move. */
	bool (*may_move)(void *arg, const struct page *page);
	/** CPUs that may have a page of his in their TLBs: fills `cpus`, returns how many. */
	int (*users)(void *arg, const struct page *page, int cpus[SIM_MAX_USERS]);
	void *arg;
};
/** Set him; NULL: nobody. At most one, borrowed. */
void sim_set_owner(struct sim *s, const struct sim_owner *owner);

/*
 * How slow reclaim is, where that is known of another machine than the simulated one; 0: as the
 * simulated one is. Picoseconds.
 */
struct sim_reclaim_pace {
	uint64_t page_ps; /* for a page that is freed: who reclaims takes that long at least */
	uint64_t wake_ps; /* from a wake-up of kswapd to its running, if a CPU is idle */
};
/** Set it, before sim_run(). */
void sim_set_reclaim_pace(struct sim *s, const struct sim_reclaim_pace *pace);

/**
 * As if nothing had been moved for very long: no bank and no link is busy. Before sim_run(), or by
 * a program while no other moves anything.
 */
void sim_forget_loads(struct sim *s);

/**
 * Is SimGrid left out where nothing is to be solved (the default)? Off, each sleep and each
 * transfer is SimGrid's: slower, and the same. Before sim_run().
 */
void sim_set_lookahead(struct sim *s, bool on);

/*
 * What a CPU sums up before simulated time passes. Only bytes can meet others' on their way, so
 * the last two come to the same to the picosecond; the first one moves its bytes when all else is
 * done, which is how much they wait for others' changed a little.
 */
enum sim_window {
	SIM_WINDOW_SETTLE, /* all up to where CPUs may meet in the mm core: a lock, a sleep, ... */
	SIM_WINDOW_TRANSFER, /* what has no bytes, up to the next bytes */
	SIM_WINDOW_CHARGE,   /* nothing: each charge is a sleep, or a transfer, of its own. Slow */
};
/** Set it (the default: SIM_WINDOW_SETTLE), for all CPUs; before sim_run(). */
void sim_set_window(struct sim *s, enum sim_window window);

/** The latest that a clock may be, 4,611,686 s: so far no sum of two times wraps. */
#define SIM_MAX_PS (UINT64_C(1) << 62)

/**
 * Run until every program has returned; once a simulation. Returns 0; -EDEADLK where all that had
 * not returned slept: then sim_sleep() told them so; -EOVERFLOW where a clock would have passed
 * SIM_MAX_PS: then programs were left where they stood, and nothing but sim_destroy() is to be
 * called; -ENOMEM; -EBUSY where it has run already.
 * CPUs whose program returned early, or which have none, are idle until the end, so that all have
 * the same total.
 */
int sim_run(struct sim *s);
/** Say of -EOVERFLOW what it means for who runs that machine. Returns it. */
int sim_tell_overflow(const struct machine *m, struct diag *diag);

/* For programs, on their own CPU: */

/** Charge all that is pending and let simulated time reach this CPU's clock. */
void sim_settle(struct sim *s, int cpu);
/** The CPU's clock: pending charges not included. */
uint64_t sim_now_ps(const struct sim *s, int cpu);
/** Sit idle until `when_ps`; returns at once where that is past. */
void sim_idle_until(struct sim *s, int cpu, uint64_t when_ps);
/**
 * Sit idle until another CPU calls sim_wake(cpu). A wake that came first is not lost, several
 * count as one. Returns 0; -EDEADLK where no CPU is left that could wake this one: return from
 * the program then.
 */
int sim_sleep(struct sim *s, int cpu);
/** Wake `cpu`, or let its next sim_sleep() return at once. Happens at the caller's clock: settle
 * first where pending charges should come before it. */
void sim_wake(struct sim *s, int cpu);
/** An access of the program itself to memory: charged at site `touch`. */
void sim_touch(struct sim *s, int cpu, phys_addr_t at, uint64_t bytes, bool write);
/** A copy from memory or, with `write`, to it, past the caches: charged at site `copy`. */
void sim_copy(struct sim *s, int cpu, phys_addr_t at, uint64_t bytes, bool write);
/*
 * How a program has mapped what it accesses. Whatever is accessed without one is by the kernel's
 * direct mapping. It matters where the machine describes a TLB.
 */
struct sim_mapping {
	const struct mm_space
		*space;   /* NULL: a program without page tables, whose walks find all */
	uint64_t address; /* virtual; without a space, a program's own everywhere */
	unsigned shift;   /* without a space: log2 of the page */
};
/** As sim_touch(), of memory mapped so; it does not reach over the end of a page. */
void sim_touch_mapped(struct sim *s, int cpu, const struct sim_mapping *mapping, phys_addr_t at,
		      uint64_t bytes, bool write);
/** As sim_touch(), by an address of the kernel: of the vmalloc area, of a window of kmap. */
void sim_touch_kernel(struct sim *s, int cpu, uint64_t address, phys_addr_t at, uint64_t bytes,
		      bool write);
/** Load a line at an address that the load before it gave: no instruction besides. Its memory is
 * mapped by huge pages. */
void sim_chase(struct sim *s, int cpu, phys_addr_t at);

/* Traffic of a program that runs through far more memory than the caches hold, by huge pages. */
struct sim_stream {
	phys_addr_t at; /* where the bytes begin */
	uint64_t bytes_read, bytes_written;
	bool past_cache; /* stores stream past the caches; else lines are read before, and count */
	uint64_t stride; /* from a line to the next; 0: they follow each other */
};
/**
 * Lines that the CPU sees coming, as many in flight as it can have; with a stride those that its
 * fill buffers hold, all of one node's memory. Settles.
 */
void sim_stream(struct sim *s, int cpu, const struct sim_stream *stream);
/** Compute for so many cycles: charged at site `touch`. */
void sim_compute(struct sim *s, int cpu, uint64_t cycles);

/* After sim_run(): */

/** Simulated time of the whole run: the last CPU's clock. */
uint64_t sim_elapsed_ps(const struct sim *s);
/** Sleeps and transfers that were SimGrid's; those that end at the same time sleep in one. */
uint64_t sim_activities(const struct sim *s);
const struct cpu_account *sim_account(const struct sim *s, int cpu);
/** Of the machine's disk of that number. */
const struct disk_account *sim_disk_account(const struct sim *s, int disk);

/**
 * The platform as SimGrid's XML, for `show platform` and for the engine; NULL where there is no
 * memory, free() it. One SimGrid second stands for one simulated nanosecond.
 */
char *platform_xml(const struct machine *m);
/** The same in a file without a name: a descriptor to close(), or -errno. */
int platform_file(const struct machine *m);
/** Do bytes move apart over links and bank, on some way to the bank of that node? */
bool platform_has_gate(const struct machine *m, int nid);
/** Bytes per second that a lone CPU of `from` can write to the bank of `to` by its links. */
uint64_t platform_write_rate(const struct machine *m, int from, int to);
/** Bytes per second that the machine's link of that number carries of bytes written. */
uint64_t platform_link_write_rate(const struct machine *m, int nr);

#endif

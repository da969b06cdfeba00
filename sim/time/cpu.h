/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A simulated CPU: what it has charged since it was last settled, its clock, and its account.
 *
 * Charges add up privately, at no cost in host time beyond an addition. cpu_settle() turns them
 * into simulated time: one sleep for the cycles, the cache hits and every latency paid, then one
 * transfer for the bytes of each bank and purpose, in the order in which they were first touched.
 * So a lone access takes latency + bytes / bandwidth, k dependent ones k * latency + bytes /
 * bandwidth (where lines are known the latency has the first one in it), and whatever a transfer
 * takes longer is contention and goes to that bank's cause.
 * With a smaller window (enum sim_window) a CPU keeps its charges apart, and settles one after the
 * other: a sleep or a transfer each, or the same with sleeps that nobody sees the ends of in one.
 *
 * A CPU that is known to have a bound of lines in flight (fill_buffers) overlaps the two: the bytes
 * are under way while it waits for latencies, and the longer of both counts. n lines that do not
 * depend on each other, f of them in flight, take max(1, n / f) latencies. So a lone stream runs at
 * f lines a latency, and a chain of dependent accesses at the latency.
 *
 *	clock = total = sum of the causes	(after each call here)
 *
 * Letters: (C) constant after cpu_init(), (O) whoever runs on the CPU only, (W) see wait.h, (T) see
 * kthread.h.
 */
#ifndef SIM_CPU_H
#define SIM_CPU_H

#include "sim/sim.h"
#include "sim/time/cache.h"
#include "sim/time/engine.h"
#include "sim/time/fresh.h"
#include "sim/time/load.h"
#include "sim/time/prefetch.h"

/* Pending traffic with one bank for one purpose: a line of most hosts. */
struct cpu_traffic {
	int bank;               /* (C) by place */
	uint8_t cause;          /* (C) of what it is for; enum time_cause */
	bool touched;           /* is in the list */
	uint64_t latency_ps;    /* */
	uint64_t extra_ps;      /* while touched: latency for the load that the bank has */
	uint64_t bytes;         /* read and written, by what they cost the bank, */
	uint64_t bytes_written; /* of them, */
	uint64_t more;          /* and what these cost it more than as many read */
	uint64_t unspread;      /* of the bytes, those that not all channels carry alike, */
	uint64_t *by_channel;   /* and where they are; NULL: the bank has no channels */
} __attribute__((aligned(64)));

enum cpu_purpose { CPU_DATA, CPU_ZEROING, CPU_WALK, NR_CPU_PURPOSES };

/* A charge that is kept apart. */
struct cpu_charge {
	int index; /* into traffic; -1: cycles and cache hits */
	uint64_t ps;
	uint64_t bytes, bytes_written, more; /* as of traffic */
	struct channel_set channels;
};

enum cpu_state { CPU_NO_PROGRAM, CPU_RUNNING, CPU_SLEEPING, CPU_WAITING_LOCK, CPU_DONE };

/* What a kswapd, or a program, has reclaimed since somebody looked. See reclaim_pace.h. */
struct reclaim_step {
	uint64_t since_ps; /* by the clock of its CPU */
	uint64_t freed;    /* pages */
};

struct cpu {
	/* What each step needs: as few lines of the host's as may be. */
	int id;                              /* (C) */
	enum mm_site site;                   /* (O) of the last work: accesses are charged there */
	enum sim_window window;              /* (C) from the run on */
	uint64_t compute_ps;                 /* (O) pending cycles and cache hits */
	const struct tlb_hand *tlb_hand;     /* (C) where there is a TLB */
	const struct cache_nearest *nearest; /* (C) NULL: there are no caches */
	uint64_t at_hand_ps[2];              /* (C) a hit there; of a store, its part */
	uint64_t cycle_ps;                   /* (C) of a cycle; 0: no whole number */

	int nid;                            /* (C) */
	int place;                          /* (C) */
	int nr_banks;                       /* (C) one a place */
	uint64_t freq_hz;                   /* (C) */
	const struct machine_route *routes; /* (C) by place: the way to its bank */
	const struct machine_bank *banks;   /* (C) by place */
	unsigned fill_buffers, prefetched;  /* (C) lines in flight; 0: not known */
	struct cpu *next_thread;            /* (C) of the core, in a ring; NULL: it is alone */
	unsigned line_bytes;                /* (C) 0: there are no caches */
	unsigned thread_share;              /* (C) per cent, while all threads are busy */
	struct engine *engine;              /* (C) set before the run */
	int *moving; /* (W) by place: CPUs that move bytes there; NULL: no memory is interleaved */
	struct loads *loads; /* (C) NULL: latency does not depend on load */

	uint64_t now_ps;            /* (O) the clock; pending charges not included */
	struct cpu_account account; /* (O) */

	uint64_t cycle_rest;         /* (O) of the division by freq_hz: cycles do not drift */
	uint64_t latency_ps;         /* (O) pending latencies, summed over the traffic */
	struct cpu_traffic *traffic; /* (O) [bank * NR_CPU_PURPOSES + purpose] */
	int *touched;                /* (O) indexes into traffic, in order */
	int nr_touched;              /* (O) */
	struct cpu_charge *charges;  /* (O) pending, in order, where they are kept apart */
	size_t nr_charges, charges_room;
	struct cpu_charge *delay; /* (O) the last of these, if it is time of its own; else NULL */
	unsigned *first_channel;  /* (C) by bank, in the account's; NULL: no bank has channels */
	uint64_t *by_channel;     /* (C) what traffic points into */
	struct prefetcher prefetcher;
	struct fresh fresh;              /* (O) */
	uint64_t second_tlb_ps, walk_ps; /* (C) of a hit in the second level; of a walk */
	size_t last_range;               /* (O) memo of bank_map_find() */
	uint32_t nr_answers; /* TLB flushes asked of it by others, that it has not charged yet */
	uint32_t nr_io_done; /* interrupts by disks, likewise */

	struct reclaim_step reclaim; /* (O) that the program is at */

	enum cpu_state state;            /* (W) */
	bool woken;                      /* (W) a wake came before the sleep */
	int sleep_result;                /* (W) of the sleep that is going on */
	unsigned nr_locks;               /* (W) held */
	const struct mm_waitq *waits_in; /* (O) that its program sleeps in; NULL: none */
	const struct mm_lock *wanted;    /* (W) while waiting for a lock */
	struct cpu *next_waiter;         /* (W) for the same lock */
	struct cpu *last_waiter;         /* (W) of the list that it is the first of */

	/* Threads of the kernel; see kthread.h. */
	bool idle;              /* (T) its program has nothing to do, or has none */
	unsigned nr_disk_waits; /* (T) of its program and those in its place: if idle, for a disk */
	struct kthread *guest;  /* (T) that runs in the program's place; NULL: none */
	bool wanted_back;       /* (T) the program waits for the guest to leave */
	bool back_now;          /* (T) as soon as it can: the program has slept */
	bool standing_in;       /* (T) the guest goes on with the program's work */
	uint64_t since_ps;      /* (T) when the program got the CPU back */
	uint64_t space;         /* (T) number of the address space that it ran when it left */
	struct kthread *stand_ins;       /* (C) owned; NULL: none */
	int nr_stand_ins;                /* (C) */
	const struct sim_stand_in *work; /* (C) */
};

/** Does nobody run a program there, of its own or in its place? */
static inline bool cpu_is_quiet(const struct cpu *c)
{
	return c->idle && !c->standing_in;
}

static inline enum time_cause cpu_idle_cause(const struct cpu *c)
{
	return c->nr_disk_waits ? CAUSE_DISK : CAUSE_IDLE;
}

/** CPU `id` of the machine, its clock at 0, no engine yet. Returns 0, or -ENOMEM; cpu_clear() in
 * either case. */
int cpu_init(struct cpu *c, const struct machine *m, int id);
void cpu_clear(struct cpu *c);

/** How much is settled in one; before the run. */
void cpu_set_window(struct cpu *c, enum sim_window window);

/** What so many cycles take, and what is left of the last picosecond is kept for the next ones. */
uint64_t cpu_cycles_ps(struct cpu *c, uint64_t cycles);
/** A CPU that does not settle all in one keeps time of its own apart. */
void cpu_keep_delay(struct cpu *c, uint64_t ps);

/* The charges of most steps are inline: they are but additions. */

/** Charge time of its own, at the site of the last work. */
static inline void cpu_charge_delay(struct cpu *c, uint64_t ps)
{
	c->compute_ps += ps;
	c->account.sites[c->site].ps += ps;
	if (UNLIKELY(c->window != SIM_WINDOW_SETTLE))
		cpu_keep_delay(c, ps);
}

/** Charge cycles of no whole picoseconds, or that threads of the core share. */
void cpu_charge_divided(struct cpu *c, uint64_t cycles);
/** Charge `cycles` at `site`, which the next accesses belong to. */
static inline void cpu_charge_cycles(struct cpu *c, enum mm_site site, uint64_t cycles)
{
	c->site = site;
	/* A division takes as long as all the rest. */
	if (LIKELY(c->cycle_ps && !c->next_thread))
		cpu_charge_delay(c, cycles * c->cycle_ps);
	else
		cpu_charge_divided(c, cycles);
}

/** Charge a hit in a cache. */
static inline void cpu_charge_hit(struct cpu *c, uint64_t latency_ps)
{
	c->account.cache_hits++;
	cpu_charge_delay(c, latency_ps);
}

/** Charge time that a translation takes: hits in the second level of the TLB, walks. */
void cpu_charge_translation(struct cpu *c, uint64_t ps);

/* Traffic with a bank, which the CPU must have a way to. */
struct cpu_memory_charge {
	int bank;
	uint64_t at; /* where the bytes begin, as the bank counts addresses */
	enum cpu_purpose purpose;
	unsigned nr_latencies; /* of accesses one after the other */
	/* A block of so many lines, which do not wait for each other; 0: what it says above. */
	uint64_t nr_lines;
	/* A stream of them, that the CPU has seen coming; of no latencies: a line of a stream. */
	bool prefetched;
	unsigned
		overlapped; /* so many such are in flight, it takes its part; 0 or 1: it is alone */
	bool past_cache;    /* its stores stream past the caches */
	/* Of a block of which other banks have parts: as much of `all_bytes` is here of its time.
	 * 0: all. */
	uint64_t part_bytes, all_bytes;
	bool counted; /* a latency that counts with another part */
	uint64_t bytes_read, bytes_written;
};
/** Returns the latency that it was charged with. */
uint64_t cpu_charge_memory(struct cpu *c, const struct cpu_memory_charge *charge);

/** The clock plus the pending charges, as far as they are known without contention. */
uint64_t cpu_pending_until_ps(const struct cpu *c);

/* Simulated time passes in these; on the CPU's own actor. */

/** Let simulated time reach the clock plus the pending charges. */
void cpu_settle(struct cpu *c);
/** Settled, sleep until `when_ps`, and attribute what nobody else has used until then to idle. */
void cpu_sleep_until(struct cpu *c, uint64_t when_ps);

/** Attribute the time that passed while the CPU was blocked, up to the engine's clock: so much. */
uint64_t cpu_catch_up(struct cpu *c, enum time_cause cause);
/**
 * After the run, off the actor: idle until `end_ps`, where the last CPU ended. Then the account's
 * equations are checked, and an account that does not add up stops the process.
 */
void cpu_finish(struct cpu *c, uint64_t end_ps);
/** Clock = total = sum of the causes; remote and zeroing time by place; waits for locks by lock. */
void cpu_check_account(const struct cpu *c);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a simulation is made of: shared by sim.c, which builds and runs it, and cost_sink.c, which
 * charges what the mm core reports. Nobody else looks inside.
 */
#ifndef SIM_INTERNAL_H
#define SIM_INTERNAL_H

#include "mm/walk.h"
#include "sim/sim.h"
#include "sim/time/bank_map.h"
#include "sim/time/cache.h"
#include "sim/time/cpu.h"
#include "sim/time/disk.h"
#include "sim/time/engine.h"
#include "sim/time/kthread.h"
#include "sim/time/tlb.h"
#include "sim/time/wait.h"

struct sim_actor {
	struct sim *sim;
	int cpu;
	sim_program program; /* NULL: none */
	void *arg;
};

enum sim_phase { SIM_BUILT, SIM_RUNNING, SIM_OVER };

struct sim {
	const struct machine *machine; /* (C) borrowed */
	const struct costs *costs;     /* (C) borrowed */
	struct mm *mm;
	struct engine *engine;
	struct bank_map banks;       /* (C) */
	struct cache *cache;         /* NULL where the machine has none */
	unsigned line_shift;         /* (C) log2 of the bytes of a line, where there are caches */
	struct tlb *tlb;             /* NULL where the machine describes none */
	struct mm_direct_map direct; /* (C) */
	struct loads *loads;         /* NULL where no latency depends on load */
	int *moving;                 /* as struct cpu has it */
	int nr_cpus;                 /* (C) */
	struct cpu *cpus;            /* by id */
	struct sim_actor *actors;    /* by CPU; constant once the run has begun */
	struct waits waits;
	struct kthreads kthreads;
	struct disks disks;
	enum sim_phase phase;          /* charges count while SIM_RUNNING, */
	unsigned nr_charged;           /* of so many CPUs: then all, else 0 */
	int error;                     /* -ENOMEM where the host's memory ran out while it ran */
	uint64_t elapsed_ps;           /* once SIM_OVER */
	const struct sim_owner *owner; /* NULL: nobody */
	sim_event_hook hook;
	void *hook_arg;
};

/* cost_sink.c */
/** Stops the process if that CPU should have been charged. */
void sim_check_uncharged(const struct sim *s, int cpu);
/** The CPU to charge; NULL where nothing is: nobody does it, or outside the run. */
static inline struct cpu *charged_cpu(struct sim *s, int cpu)
{
	if (UNLIKELY((unsigned)cpu >= s->nr_charged)) {
		sim_check_uncharged(s, cpu);
		return NULL;
	}
	return &s->cpus[cpu];
}
/** The range that holds `at`: there is one. */
const struct mm_range *sim_range_of(const struct sim *s, struct cpu *c, phys_addr_t at);
/* The bank that has an address, and what that is to the bank. */
struct bank_place {
	int bank; /* by place */
	uint64_t at;
};
/* ways.c */
struct bank_place ways_bank(const struct machine_ways *w, phys_addr_t at);
static inline struct bank_place sim_bank_of(const struct sim *s, const struct mm_range *range,
					    phys_addr_t at)
{
	if (UNLIKELY(s->machine->ways != NULL))
		return ways_bank(&s->machine->ways[range->nid], at);
	return (struct bank_place){range->nid, at};
}
/* The block below, of memory that may be at several places by turns. */
void ways_charge_block(struct cpu *c, const struct machine_ways *w, phys_addr_t at,
		       struct cpu_memory_charge *block);
/** Charge a block, all of that range; its bank and address are found. `block` is written to. */
static inline void cost_sink_block(const struct sim *s, struct cpu *c, const struct mm_range *range,
				   phys_addr_t at, struct cpu_memory_charge *block)
{
	if (UNLIKELY(s->machine->ways != NULL)) {
		ways_charge_block(c, &s->machine->ways[range->nid], at, block);
		return;
	}
	block->bank = range->nid;
	block->at = at;
	cpu_charge_memory(c, block);
}
/** An access whose address is translated already, or need not be. */
void cost_sink_access(struct sim *s, struct cpu *c, phys_addr_t at, uint64_t bytes,
		      enum mm_access kind);

/** What it takes to get the line at `at` from the caches of CPU `owner`, which wrote it. */
uint64_t cost_sink_transfer_ps(const struct sim *s, struct cpu *c, int owner, phys_addr_t at);
/** A modified line leaves the caches. */
void cost_sink_write_back(const struct sim *s, struct cpu *c, uint64_t line);

/** Charge `nr` units of work there. */
static inline void cost_sink_site(const struct sim *s, struct cpu *c, enum mm_site site,
				  uint32_t nr)
{
	c->account.sites[site].calls += nr;
	cpu_charge_cycles(c, site, (uint64_t)s->costs->cycles[site] * nr);
}

/* shootdown.c: mm_ops.tlb_shootdown(). */
void cost_sink_shootdown(void *ctx, int cpu, struct page *page);

/* who.c */
/** The thread of the mm core that runs on the CPU; NULL: its program. */
const struct mm_kthread *sim_thread_on(const struct sim *s, int cpu);
/** The CPU's own time. */
uint64_t sim_time_on(const struct sim *s, int cpu);
/** mm_ops.who */
void sim_who(void *ctx, int cpu, struct mm_who *who);

/* translate.c; where there is a TLB. */
/** Where the kernel has it in its direct mapping; 0: nowhere (high memory). */
static inline uint64_t translate_direct(const struct sim *s, phys_addr_t at)
{
	return at < s->direct.bytes ? s->direct.start + at : 0;
}

/**
 * The same as translate_kernel(), if that changes nothing but the number of hits; else false, and
 * nothing is done.
 */
static inline bool translated_at_hand(struct cpu *c, uint64_t address, uint64_t bytes)
{
	if (!tlb_at_hand(c->tlb_hand, address, address + bytes - 1))
		return false;
	c->account.tlb_hits++;
	return true;
}
/** What the kernel accesses by that address; 0: what it has to map first. */
void translate_kernel(struct sim *s, struct cpu *c, uint64_t address, uint64_t bytes,
		      enum mm_access kind);
void translate_mapped(struct sim *s, struct cpu *c, const struct sim_mapping *mapping);
void translate_forget(struct sim *s, int cpu, const struct mm_forget *what);

/* Lines of a block, as they are in flight; without caches what a CPU moves at a time is not known.
 */
static inline uint64_t lines_of(const struct sim *s, uint64_t bytes)
{
	unsigned line_bytes = s->machine->cache_line_bytes;

	return line_bytes ? (bytes + line_bytes - 1) / line_bytes : 0;
}

/* stream.c: charge a program's stream; and how many bytes it runs over. */
uint64_t stream_span(const struct machine *m, const struct sim_stream *stream);
void cost_sink_stream(struct sim *s, struct cpu *c, const struct sim_stream *stream);

/* Whether the CPU goes on only once the line is there, if it is known to do otherwise at all. */
static inline bool access_waits(enum mm_access kind)
{
	return kind != MM_STORE && kind != MM_PREFETCH;
}

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What processes of a scenario do: their steps, and how these are cut into slices that CPUs do in
 * turn. A plan belongs to its trace, whose TRACE_STEP events name slices; addresses and pages are
 * known only when it runs.
 */
#ifndef SIM_PROCESS_PLAN_H
#define SIM_PROCESS_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sim/rng.h"

struct trace;

/* X(enumerator, name in scenario files) */
#define PROCESS_STEPS(X)                                                                           \
	X(MMAP, "mmap")                                                                            \
	X(MUNMAP, "munmap")                                                                        \
	X(TOUCH, "touch")                                                                          \
	X(READ, "read")                                                                            \
	X(WRITE, "write")                                                                          \
	X(FORK, "fork")                                                                            \
	X(WAIT, "wait")                                                                            \
	X(EXEC, "exec")                                                                            \
	X(MLOCK, "mlock")                                                                          \
	X(MUNLOCK, "munlock")                                                                      \
	X(MADVISE, "madvise")                                                                      \
	X(MBIND, "mbind")                                                                          \
	X(SET_POLICY, "set_policy")                                                                \
	X(RUN_ON, "run_on")                                                                        \
	X(MIGRATE_PAGES, "migrate_pages")                                                          \
	X(SLEEP, "sleep")                                                                          \
	X(STAT, "stat")                                                                            \
	X(EXIT, "exit")                                                                            \
	/* Of a boot workload only. */                                                             \
	X(BOOT_MEMBLOCK, "memblock")                                                               \
	X(BOOT_MEMMAP, "memmap")                                                                   \
	X(BOOT_ZONES, "zones")                                                                     \
	X(BOOT_FREE_LISTS, "free_lists")                                                           \
	X(BOOT_CPUS, "cpus")                                                                       \
	X(BOOT_DEFERRED, "deferred")

enum process_do {
#define X(id, name) PROCESS_##id,
	PROCESS_STEPS(X)
#undef X
		PROCESS_NR_STEPS
};

enum process_access {
	PROCESS_SEQUENTIAL, /* page after page, from the first on */
	PROCESS_RANDOM,     /* any page, each as likely */
	PROCESS_STRIDED,    /* every `stride` bytes; past the end a line further */
	PROCESS_SHUFFLED,   /* each page once, in no order; in another one each pass */
	PROCESS_ZIPF,       /* page k (from 1) with a probability in proportion to 1 / k */
};

#define PROCESS_NR_STATEMENTS (PROCESS_EXIT + 1) /* those that a scenario can name */

#define PROCESS_NONE UINT32_MAX

struct process_step {
	enum process_do what;
	uint32_t process;
	uint32_t name;          /* of a range or file, among the plan's names; NONE */
	uint32_t file;          /* MMAP: of a file; NONE: anonymous */
	uint32_t child;         /* FORK, WAIT */
	uint32_t cpus;          /* set of CPUs that do it */
	uint64_t offset, bytes; /* of the range or file; 0 bytes: all of it; STAT: files */
	uint64_t operations;    /* TOUCH: accesses, READ, WRITE: pages, STAT: files */
	uint64_t touch, stride; /* bytes of each access; between accesses */
	uint64_t time_ps;       /* SLEEP */
	uint64_t seed;          /* of what is drawn */
	enum process_access access;
	bool deferred;    /* BOOT_*: descriptors are */
	unsigned threads; /* BOOT_DEFERRED: of a node; 0: as the kernel has them */
	bool write, shared, advised, hugetlb, noreserve, move;
	unsigned advice;     /* MADVISE: enum mm_advice */
	uint64_t huge_bytes; /* MMAP, hugetlb: of which size; 0: the default one */
	uint16_t policy;     /* MMAP, MBIND, SET_POLICY: of the trace; 0: none */
	bool has_policy;
	int nid;        /* MIGRATE_PAGES */
	unsigned ahead; /* READ: most pages of a window; MM_READ_AHEAD: as the kernel has it */
	uint32_t number, after; /* of the trace's pages: this step's, and the one before or NONE */
	uint32_t parts;         /* slices that it is cut into */
};

/* Accesses [from, from + nr) of a step, by one of its CPUs. */
struct process_slice {
	uint64_t from;
	uint32_t nr, step;
};

struct process_cpus {
	int *of; /* owned */
	int nr;
};

struct process {
	char *name;           /* owned */
	const char *workload; /* kind of it that has the process; static */
	uint16_t policy;      /* of the trace, of one that is not forked */
	bool forked;
	uint32_t parent;
	uint32_t *steps; /* owned; indexes into the plan's */
	size_t nr_steps, room;
};

/* All lists are owned, and grow. */
struct process_plan {
	struct process *processes;
	struct process_step *steps;
	struct process_slice *slices;
	struct process_cpus *cpus;
	char **names; /* of ranges and files */
	size_t nr_processes, nr_steps, nr_slices, nr_cpus, nr_names;
	size_t processes_room, steps_room, slices_room, cpus_room, names_room;
};

const char *process_do_name(unsigned what); /* NULL past the last */

/** The trace's plan, made at first; NULL where there is no memory. */
struct process_plan *process_plan_of(struct trace *t);
void process_plan_free(struct process_plan *plan);

/* Append one; each returns its index, or PROCESS_NONE where there is no memory. */
uint32_t process_plan_process(struct process_plan *plan, const char *name);
/** To the process that it names. */
uint32_t process_plan_step(struct process_plan *plan, const struct process_step *step);
uint32_t process_plan_cpus(struct process_plan *plan, const int *cpus, int nr);
/** A name that is there already has its index. */
uint32_t process_plan_name(struct process_plan *plan, const char *name);

/** How many slices so many accesses of a CPU become. */
uint64_t process_plan_slices(uint64_t accesses);
/** How many events all steps of processes from `first` on become. */
uint64_t process_plan_events(const struct process_plan *plan, uint32_t first);
/**
 * Cut the steps of processes from `first` on into slices, and append events for them: those of
 * processes that run at the same time by turns. 0 or -ENOMEM.
 */
int process_plan_emit(struct process_plan *plan, uint32_t first, struct trace *t);

/** Which of `nr` pages access number i of a step goes to; not for STRIDED. nr > 0. */
uint64_t process_page(const struct process_step *step, uint64_t i, uint64_t nr);

#endif

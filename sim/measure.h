/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What people run on real machines to measure them, run on the simulated one: each
 * sim/measure/NAME.c defines `const struct measure_kind measure_NAME`, and the build makes a table
 * of them. Programs on the simulated CPUs make the accesses and calls, and their clocks are read;
 * nothing is taken from the machine file.
 *
 * Nodes are those of the kernel, as its /sys shows them to who measures real machines: with
 * numa_fake there are more than of the machine, with numa_off there is one. Where a UMA kernel
 * makes a node of each range of memory (discontig) nobody sees them, and there is one, too.
 *
 * A measurement is made of phases, one after the other on all CPUs: each begins when the last CPU
 * has ended the one before. Results are integers: picoseconds, bytes a second.
 */
#ifndef SIM_MEASURE_H
#define SIM_MEASURE_H

#include <jansson.h>
#include <stdio.h>

#include "sim/sim.h"

/* Reads and writes that go to memory, as Intel Memory Latency Checker counts them: a store reads
 * its line first, unless it streams past the caches (triad). */
struct measure_mix {
	const char *name;  /* of --mix */
	const char *title; /* MLC's */
	unsigned reads, writes;
	bool past_cache;
};
extern const struct measure_mix measure_mixes[]; /* name NULL at the end */

struct measure {
	const struct machine *machine;
	const struct costs *costs;
	struct diag *diag;
	const struct measure_mix *mix; /* of matrices and loads */
	uint64_t stride;               /* of streams, bytes from line to line; 0: one line */
	int from, to;                  /* only these CPUs, this memory; MM_NO_NODE: all */
	bool to_cpus;                  /* `to` is about CPUs, too: as its kind says */
	int nr_cpus;                   /* of pagealloc; 0: 1, 2, 4, ... */
	int test;                      /* of pagealloc: an enum measure_test */
	uint64_t seed;
	/** Told now and then how much is done; NULL: nobody is. */
	void (*progress)(void *arg, uint64_t done, uint64_t total);
	void *progress_arg;
	/** Told of each row, in order, as soon as it is there; `doc` has all but rows that are to
	 * come. NULL: nobody is. */
	void (*row)(void *arg, const json_t *doc, const json_t *row);
	void *row_arg;
	/* Of measure_boot(): */
	struct sim *sim; /* as it has booted; measured once */
	int nr_nodes;
	struct measure_node *nodes;
};

struct measure_node {
	int first_cpu; /* MM_NO_CPU: it has none */
	bool memory;   /* it has some that is online */
};

/**
 * Boot the machine; once a process. `machine`, `costs` and `diag` are set. As sim_create().
 * measure_end() in either case.
 */
int measure_boot(struct measure *m);
void measure_end(struct measure *m);

enum measure_test { MEASURE_ALL_TESTS, MEASURE_BULK, MEASURE_REPEAT, MEASURE_RANDOM };

struct measure_kind {
	const char *name;
	const char *summary; /* a line for the help */
	bool streams;        /* goes by the mix */
	bool allocates;      /* goes by the test, the number of CPUs and the seed */
	bool to_cpus;        /* is between CPUs, not between CPUs and memory */
	/** Measure on m->sim. Members go into `doc`. 0, or -errno with the reason in diag. */
	int (*run)(const struct measure *m, json_t *doc);
	/** Print in the layout that people know, and as comma-separated values: one table, whose
	 * header is the first line; what was not measured is empty. Of kinds that have rows, what
	 * stands above them. */
	void (*text)(const json_t *doc, FILE *out);
	void (*csv)(const json_t *doc, FILE *out);
	const char *rows; /* member of the document; NULL: it has none that come one by one */
	void (*text_row)(const json_t *row, FILE *out);
	void (*csv_row)(const json_t *row, FILE *out);
};
extern const struct measure_kind *const measure_kinds[]; /* NULL at the end */

/** Run a kind, once it has booted, once: *doc is "measure", "machine" and what the kind adds.
 * json_decref() it. */
int measure_run(const struct measure_kind *kind, const struct measure *m, json_t **doc);

/* For the kinds: */

struct measure_team;
/** What CPU `cpu` does in a phase; others do theirs at the same time. */
typedef void (*measure_work)(struct measure_team *t, int cpu, int phase);

struct measure_team {
	struct sim *sim;
	int nr_phases;
	measure_work work;
	/** Has that CPU anything to do in that phase? The others sleep. */
	bool (*joins)(const struct measure_team *t, int cpu, int phase);
	/** Told by the last CPU that ends a phase; NULL: nobody is. */
	void (*ended)(struct measure_team *t, int phase);
	void *arg;
	const struct measure *m; /* whose progress is told; NULL: nobody's */
	uint64_t total;          /* steps, as told by measure_step(); 0: phases */
	bool rested;             /* nothing has moved for long where a phase begins */
	/* Of the team itself. */
	int phase; /* that is under way; nr_phases: none is any more */
	int left;  /* CPUs that have not ended it */
	uint64_t done;
};
/** Run all phases on all CPUs. `sim`, nr_phases, work, joins and arg are set. As sim_run(). */
int measure_team_run(struct measure_team *t);
/** So many steps more are done. */
void measure_step(struct measure_team *t, uint64_t nr);

/* Memory of one node, taken from the mm core block by block. */
struct measure_buffer {
	phys_addr_t *blocks; /* owned; of block_bytes each */
	uint64_t nr, block_bytes;
	uint64_t next; /* lines looked at, in an order that jumps about and comes to all of them */
	int nid;
};
/**
 * Take up to `bytes` on `nid`, in blocks as large as there are; before the run, at no cost. It is
 * given back with the simulation. 0; -ENOMEM; -ENOSPC where the node has none free, also in diag.
 */
int measure_buffer_take(const struct measure *m, int nid, uint64_t bytes, struct measure_buffer *b);
void measure_buffer_clear(struct measure_buffer *b);
/** One buffer a node with memory that is measured, `bytes` each; free with measure_buffers_free. */
int measure_buffers(const struct measure *m, uint64_t bytes, struct measure_buffer **out);
void measure_buffers_free(const struct measure *m, struct measure_buffer *buffers);

/** Are CPUs of node `from`, and memory (to_cpus: CPUs) of node `to`, measured? */
bool measure_from(const struct measure *m, int from);
bool measure_to(const struct measure *m, int to);
/** Is it a CPU of that node? It may be one of several. */
bool measure_has_cpu(const struct measure *m, int nid, int cpu);
/** Is `cpu` the first one of node `from`, whose CPUs are measured? */
bool measure_is_first(const struct measure *m, int cpu, int from);
/** The node that `cpu` is measured as a CPU of: `from`, or its own; MM_NO_NODE: it is not. */
int measure_node_of(const struct measure *m, int cpu);
/** The node with memory that is measured that `cpu` reaches soonest; of those alike its own. */
int measure_nearest(const struct measure *m, int cpu);
/** Bytes that are far more than the largest cache holds. */
uint64_t measure_beyond_caches(const struct machine *m);

/* How long a load runs: until it is steady, then as long as it is measured, and on while others are
 * still measuring. */
struct measure_times {
	uint64_t warm_ps, measure_ps, after_ps;
	bool fine; /* chunks that are as small as the CPU can have them */
};
/* A pause belongs to each 4 lines: a thread of MLC's goes through the delay after each 2, and a
 * core of the machines whose figures are published has two. */
#define MEASURE_PAUSE_BYTES 256
/**
 * Stream from `b`, with a loop of `pause` cycles to every 4 lines, which does not wait for them.
 * Returns bytes a second.
 */
uint64_t measure_stream(struct measure_team *t, int cpu, const struct measure_mix *mix,
			const struct measure_buffer *b, const struct measure_times *times,
			uint64_t pause);
/** Follow pointers through `b`, to and fro, to each line once a round, until `ps` have passed and
 * not less than `least` times. Returns picoseconds each. */
uint64_t measure_chase(struct measure_team *t, int cpu, struct measure_buffer *b, uint64_t ps,
		       uint64_t least);

#define MEASURE_NONE UINT64_MAX /* a cell that cannot be measured: null, - or empty */
/** A matrix: members "cpu_nodes", "memory_nodes" (to_cpus: "writer_nodes") and `key`, a row a node
 * with CPUs. */
void measure_put_matrix(const struct measure *m, json_t *doc, const char *key,
			const uint64_t *values);
/** Print it as MLC does: `unit` base units with one decimal. */
void measure_print_matrix(const json_t *doc, const char *key, uint64_t unit, FILE *out);
/** Matrices of those keys (NULL at the end) as one table: from, to, and a column each. */
void measure_csv_matrices(const json_t *doc, const char *const *keys, FILE *out);

/* A line that MLC prints above what all CPUs do. */
#define MEASURE_ALL_THREADS "Using all the threads from each core if Hyper-threading is enabled\n"

/** value / unit with so many decimals (1 to 9), or one, rounded. */
struct measure_decimal {
	char text[32];
};
struct measure_decimal measure_digits(uint64_t value, uint64_t unit, int digits);
struct measure_decimal measure_decimal(uint64_t value, uint64_t unit);
/** The same of a member or element, - where there is none or it is null. */
struct measure_decimal measure_value(const json_t *value, uint64_t unit);
/** A comma and the integer; where there is none, or it is null, the comma alone. */
void measure_csv_value(const json_t *value, FILE *out);

#endif

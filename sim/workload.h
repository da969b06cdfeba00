/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Synthetic work: kinds of it, and what they share. A workload becomes operations of a trace; it
 * comes from a scenario file or from `numasim trace generate`.
 */
#ifndef SIM_WORKLOAD_H
#define SIM_WORKLOAD_H

#include "sim/rng.h"
#include "sim/trace/trace.h"

struct cfg;
struct cfg_setting;
struct kernel_plan;
struct process_plan;

/* Of all workloads of a trace together. They are held in memory: 2 GiB of them. */
#define WORKLOAD_MAX_OPERATIONS (1 << 26)

/* What a workload has to know of the machine that it is for. */
struct workload_host {
	uint64_t page_bytes;
	uint64_t huge_bytes;     /* of a transparent huge page, and the smallest of a pool */
	uint64_t gigantic_bytes; /* of the largest of a pool; 0: the same */
	uint64_t pool_bytes;     /* of one of a pool where nothing is said */
	int nr_cpus, nr_nodes;
	int *cpu_nid;         /* by CPU; owned */
	uint64_t *node_bytes; /* of memory, by node; owned */
};

#define WORKLOAD_MAX_MIX    32
#define WORKLOAD_LIVE_AREAS 8 /* of vmalloc, where nothing is said */
#define WORKLOAD_MAX_STEPS  64
#define WORKLOAD_MAX_PASSES 1000000
#define WORKLOAD_LINE_BYTES 64        /* of a page that is used, where nothing is said */
#define WORKLOAD_MAX_OBJECT (4 << 20) /* bytes: the largest block of 4 KiB pages */

/* Values to draw from, each as often as its weight says. */
struct workload_mix {
	unsigned nr;
	uint64_t total; /* of the weights */
	struct {
		uint64_t weight;
		uint32_t value;
	} of[WORKLOAD_MAX_MIX];
};

/* How a kind does what it does, where it has several ways. */
enum workload_method {
	WORKLOAD_VMALLOC,
	WORKLOAD_VMALLOC_HUGE,
	WORKLOAD_CONTIGUOUS,
	WORKLOAD_KMAP,
	WORKLOAD_KMAP_LOCAL,
};

/* What the keys of a workload say; which of them a kind takes is in its `keys`. */
struct workload {
	const struct workload_kind *kind;
	const struct workload_host *host;
	struct rng rng;
	int *cpus; /* owned; those that work */
	int nr_cpus;
	int *nodes; /* owned; those asked for in turn */
	int nr_nodes;
	uint64_t bytes;      /* to allocate; 0: not given */
	uint64_t beyond;     /* bytes to allocate beyond the memory of a node */
	uint64_t operations; /* of each CPU */
	uint64_t live;       /* blocks that a CPU holds at most */
	uint64_t burst;      /* blocks that a CPU takes before it gives them back */
	unsigned order, max_order;
	struct workload_mix orders; /* instead of the two, where nr is not 0 */
	struct workload_mix gfp;
	uint64_t passes;    /* how often all of it is used; 1 at least */
	uint64_t readahead; /* bytes that are read at once */
	enum workload_method method;
	uint64_t leak; /* mappings that are not undone */
	bool writes;
	bool random;               /* access: in no order */
	bool advised;              /* madvise(MADV_HUGEPAGE) */
	bool hugetlb;              /* pages of a pool, */
	uint64_t pool_bytes;       /* of that size */
	bool unmap;                /* at the end */
	struct workload_mix sizes; /* bytes of objects */
	int *free_cpus;            /* owned; which free what the first, second, ... CPU takes */
	int nr_free_cpus;          /* 0: who took it */
	bool on_nodes;             /* `nodes` was given */
	uint16_t task_policy,
		memory_policy;  /* of the trace; the latter is the task's or a range's */
	uint64_t touch_bytes;   /* of each block, written once after its allocation; 0: none */
	uint32_t first_process; /* in the plan of the trace */
	const struct process_plan *plan;  /* borrowed */
	uint32_t first_call, nr_calls;    /* of a kernel's functions, in the plan of the trace */
	const struct kernel_plan *kernel; /* borrowed */
	const char *steps[WORKLOAD_MAX_STEPS]; /* borrowed: of memory hotplug */
	unsigned nr_steps;
	uint64_t after_ps, pause_ps; /* before the first of them; between two */
};

/* A kind of workload: one file in sim/workload/, found by the build. */
struct workload_kind {
	const char *name;
	const char *summary;     /* a line for the help */
	const char *const *keys; /* that it takes besides `kind`; NULL at the end */
	bool runs_only;          /* what it does depends on the kernel: no trace file can have it */
	/** Read keys of its own; NULL: it has none. What is wrong is recorded. 0 or -ENOMEM. */
	int (*read)(struct cfg *c, const struct cfg_setting *group, struct workload *w,
		    struct trace *t);
	/** How many operations generate() appends at most; asked before it is. */
	uint64_t (*operations)(const struct workload *w);
	/** Append its operations to the trace. Returns 0 or -ENOMEM. */
	int (*generate)(struct workload *w, struct trace *t);
};
extern const struct workload_kind *const workload_kinds[];

/** What a workload has where nothing is said. */
struct workload workload_default(void);
bool workload_takes(const struct workload_kind *kind, const char *key);

/**
 * Parse "0:90,3:8,9:2", orders with their weights, or one without; and the same of allocation
 * flags, and of bytes for kmalloc(). True, or false with what is wrong in `wrong`.
 */
bool workload_parse_orders(const char *text, struct workload_mix *mix, char *wrong, size_t size);
bool workload_parse_sizes(const char *text, struct workload_mix *mix, char *wrong, size_t size);
bool workload_parse_gfp(const char *text, struct workload_mix *mix, char *wrong, size_t size);

/** Of which size huge pages of a pool are, where they are asked for. `s` NULL: the default one. */
void workload_read_huge(struct cfg *c, const struct cfg_setting *s,
			const struct workload_host *host, bool hugetlb, uint64_t *bytes);
/** A policy (NULL: none, *index stays), among the trace's then. What is wrong is recorded. */
void workload_read_policy(struct cfg *c, const struct cfg_setting *s,
			  const struct workload_host *host, struct trace *t,
			  enum trace_policy_scope scope, uint16_t *index);

/* For the kinds: */

/** One of the mix. Takes no random number where there is one value only. */
uint32_t workload_draw(struct rng *rng, const struct workload_mix *mix);
/** The order of the next block, for kinds with `order`. */
unsigned workload_order(struct workload *w);
/** Blocks that hold so many bytes, of the smallest order that there may be. */
uint64_t workload_blocks(const struct workload *w, uint64_t bytes);
uint64_t workload_block_bytes(const struct workload *w, unsigned order);
/** Operations that an allocation is, with its touch. */
uint64_t workload_alloc_operations(const struct workload *w);
/** Append an allocation; *page is its number. `nid` MM_NO_NODE: the CPU's own. Touches it too. */
int workload_alloc(struct workload *w, struct trace *t, int cpu, unsigned order, int nid,
		   uint32_t *page);
int workload_free(struct trace *t, int cpu, unsigned order, uint32_t page);

#endif

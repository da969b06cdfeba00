/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Allocation traces: where they come from (plain, gzip or zstd; a file or standard input), in which
 * format (one reader a kind, recognised by content), and the events that a replay needs.
 */
#ifndef SIM_TRACE_TRACE_H
#define SIM_TRACE_TRACE_H

#include <stdio.h>

#include "mm/mempolicy.h"
#include "mm/slab/slab_types.h"
#include "mm/types.h"
#include "sim/config/diag.h"

enum trace_op {
	TRACE_ALLOC,
	TRACE_FREE,
	TRACE_TOUCH,
	TRACE_WAIT,
	TRACE_FREE_HELD, /* a free of a page that was in use before the window */
	/*
	 * A block in use becomes two: its upper half is the new page `page`; what is left of it has
	 * the order of the event, too. `bytes` is the number of the page that is split.
	 */
	TRACE_SPLIT,
	/* Of workloads only: read() or write() of a page of a file; `page` is its number. */
	TRACE_FILE,
	/*
	 * Slab objects: `page` is the object's number, from the same numbers as pages. What pages
	 * they take is up to the kernel that runs them.
	 */
	TRACE_KMALLOC,     /* of `bytes`; by policy or node, see trace_object_nid() */
	TRACE_CACHE_ALLOC, /* of the cache with the index `bytes` */
	TRACE_OBJECT_FREE, /* kfree() or kmem_cache_free() */
	/* Of workloads only: mappings of the kernel. `page` is the number of an area, or a page. */
	TRACE_VMALLOC, /* `bytes` is how many pages */
	TRACE_VFREE,
	TRACE_KMAP, /* `bytes` of it are touched */
	TRACE_KUNMAP,
	/*
	 * Of workloads only: a part of a step of a process; `page` is the step's number, `bytes`
	 * the index of the slice in the trace's plan of processes.
	 */
	TRACE_STEP,
	TRACE_HOTPLUG, /* memory comes or goes: the step with the index `bytes` */
	/* Of workloads only: `bytes` is the index of the call in the trace's plan of calls. */
	TRACE_CALL,
	/* `bytes` frames in a row of the CMA area; the number of their first, `page`, is for all */
	TRACE_CMA_ALLOC,
	TRACE_CMA_RELEASE, /* of all of them */
};

/** Is it about a slab object? */
static inline bool trace_op_is_slab(unsigned op)
{
	return op == TRACE_KMALLOC || op == TRACE_CACHE_ALLOC || op == TRACE_OBJECT_FREE;
}

#define TRACE_NO_PAGE       UINT32_MAX
#define TRACE_MAX_CMA       (UINT32_C(1) << 28) /* frames that are allocated from the area at once */
#define TRACE_MAX_CMA_ALIGN 31

/* One operation of a CPU. 32 bytes: a trace is held in memory while it is replayed. */
struct trace_event {
	uint64_t time_ps; /* by the trace's clock; WAIT: how long */
	uint32_t page;    /* number of the allocation, from 0 in the order of the trace */
	/* TOUCH, FILE: how many; ALLOC: node or turn, see trace_event_nid(); SPLIT */
	uint32_t bytes;
	union {
		gfp_t gfp; /* ALLOC */
		struct {
			uint32_t touch : 13; /* VMALLOC: bytes of each page that are stored */
			uint32_t huge : 1;   /* VMALLOC: vmalloc_huge() */
			uint32_t local : 1;  /* KMAP, KUNMAP: in a slot of the CPU */
		} area;                      /* VMALLOC, KMAP, KUNMAP */
		uint32_t align;              /* CMA_ALLOC: from a multiple of 2^align frames */
		struct {
			uint16_t ahead; /* pages behind it that are read with it if it is not there
					 */
		} file;                 /* FILE */
	};
	uint16_t cpu;
	uint16_t policy; /* ALLOC: index into the trace's policies; 0: the default */
	uint8_t op;      /* enum trace_op */
	uint8_t order;   /* ALLOC, FREE and FREE_HELD; SPLIT: of each half */
	uint8_t migratetype;
	uint8_t write : 1; /* TOUCH, FILE: 1 writes, 0 reads */
	uint8_t flags : 7; /* TRACE_F_* */
	uint32_t line;     /* of the file, saturating */
};

/*
 * An allocation without a policy may ask for a node. One that has a policy may have a turn: which
 * of the nodes it is that interleaving is at, modulo their number (or the sum of their weights).
 */

/** The node that an allocation asks for; MM_NO_NODE: the CPU's own, or as the policy says. */
static inline int trace_event_nid(const struct trace_event *ev)
{
	return ev->bytes && !ev->policy ? (int)ev->bytes - 1 : MM_NO_NODE;
}

/** Ask for a node, by no policy. */
static inline void trace_event_set_nid(struct trace_event *ev, int nid)
{
	ev->policy = 0;
	ev->bytes = nid == MM_NO_NODE ? 0 : (uint32_t)nid + 1;
}

/** The turn of an allocation by an interleaving policy; 0 where it has none. */
static inline uint32_t trace_event_turn(const struct trace_event *ev)
{
	return ev->policy ? ev->bytes : 0;
}

/** Allocate by the policy with that index (trace_add_policy()), at that turn. */
static inline void trace_event_set_policy(struct trace_event *ev, uint16_t policy, uint32_t turn)
{
	ev->policy = policy;
	ev->bytes = policy ? turn : 0;
}

/* ALLOC, and other allocations, that failed on the real machine: page is TRACE_NO_PAGE */
#define TRACE_F_FAILED 1
/* FREE and FREE_HELD by kswapd, kcompactd or direct reclaim; ALLOC by who frees memory itself */
#define TRACE_F_RECLAIM  2
#define TRACE_F_MIGRATE  4  /* ALLOC of a page that another one moves to */
#define TRACE_F_INFERRED 8  /* no line says so: it follows from another one, see TRACE_INFERS */
#define TRACE_F_SLAB     16 /* ALLOC by the slab allocator, for the object that comes next */
#define TRACE_F_ON_NODE  32 /* KMALLOC, CACHE_ALLOC: `policy` is a node */
#define TRACE_F_KSWAPD   64 /* with RECLAIM: by kswapd */

/** The node that an allocation of an object asks for; MM_NO_NODE: none. */
static inline int trace_object_nid(const struct trace_event *ev)
{
	return ev->flags & TRACE_F_ON_NODE ? ev->policy : MM_NO_NODE;
}

/** What of such frames a touch may be of: as of a block of that order. 0 < nr. */
static inline unsigned trace_cma_order(uint32_t nr)
{
	unsigned order = 0;

	while (order < MAX_PAGE_ORDER && nr >> (order + 1))
		order++;
	return order;
}

/* Whose policy it is. */
enum trace_policy_scope {
	TRACE_POLICY_TASK,  /* set_mempolicy, or inherited */
	TRACE_POLICY_RANGE, /* mbind */
	TRACE_POLICY_FILE,  /* a policy file or a trace in our own formats says so */
	TRACE_POLICY_POOL,  /* none's: a pool of huge pages grows, on all nodes in turn */
	TRACE_NR_POLICY_SCOPES
};

/* By what an allocation chooses its node. Nodes are those of the machine of the trace. */
struct trace_policy {
	struct mm_policy mm;
	uint8_t scope; /* enum trace_policy_scope */
};

/* A slab cache that objects of a trace are from. */
struct trace_cache {
	char name[MM_SLAB_NAME]; /* "": the trace does not say */
	uint32_t size, room;     /* bytes that were asked for, and that an object takes */
};

#define TRACE_MAX_CACHES   4096       /* different ones in a trace */
#define TRACE_MAX_OBJECT   (64 << 20) /* bytes, more than any kernel gives */
#define TRACE_MAX_POLICIES UINT16_MAX /* different ones in a trace */

/* Why lines of a trace are not among its events. Never dropped in silence. */
#define TRACE_SKIPS(X)                                                                             \
	X(COMMENT, "comment", "a comment or an empty line")                                        \
	X(TASK, "task", "what a task does: a system call, a fault, a fork, ...")                   \
	X(OTHER_EVENT, "other_event", "an event of another kind")                                  \
	X(BATCHED, "free_batched", "mm_page_free_batched, which repeats mm_page_free")             \
	X(ORDER_MISMATCH, "order_mismatch", "a free of another order or size than its allocation") \
	X(OBJECT, "object_before_window", "a free of a slab object from before the trace")         \
	X(CMA_PART, "cma_part", "a step of a CMA allocation or release that another line tells")   \
	X(CMA_HELD, "cma_before_window", "a release of CMA frames from before the trace")          \
	X(LOST, "lost", "a note that the kernel's trace buffer lost events")                       \
	X(UNREADABLE, "unreadable", "a line that could not be read")

enum trace_skip {
#define X(id, name, what) TRACE_SKIP_##id,
	TRACE_SKIPS(X)
#undef X
		TRACE_NR_SKIPS
};

const char *trace_skip_name(enum trace_skip skip); /* "free_before_window" */
const char *trace_skip_what(enum trace_skip skip); /* "a free of a page allocated before ..." */

#define TRACE_MAX_KSWAPD_PS UINT64_C(1000000000000) /* a second */

/* Events that no line says but that another line shows (frames.h), by what they are. */
#define TRACE_INFERS(X)                                                                            \
	X(OBJECT, "untraced_object_free", "a free of a slab object, whose place has another one")  \
	X(FREE, "untraced_free", "a free, of pages that are allocated again")                      \
	X(BULK, "untraced_bulk", "an allocation from a per-CPU list, as of many pages at once")    \
	X(TARGET, "untraced_target", "an allocation from the buddy lists, as for compaction")      \
	X(SPLIT, "untraced_split", "a block that becomes two, as a part of it is freed")

enum trace_infer {
#define X(id, name, what) TRACE_INFER_##id,
	TRACE_INFERS(X)
#undef X
		TRACE_NR_INFERS
};

const char *trace_infer_name(enum trace_infer what); /* "untraced_bulk" */

/*
 * A free block that the real kernel moved from or to its buddy lists (mm_page_alloc_zone_locked,
 * mm_page_pcpu_drain). Nothing to replay, but with the frees of large blocks they say how many
 * pages of a zone were free when. Or one that it took from another mobility's lists although it is
 * smaller than a page block (mm_page_alloc_extfrag with fragmenting=1): that moves nothing, but
 * raises the zone's watermarks.
 */
struct trace_move {
	uint64_t pfn : 52;
	uint64_t order : 4;
	uint64_t taken : 1;  /* from the buddy lists; 0: given back */
	uint64_t percpu : 1; /* to or from a per-CPU list */
	uint64_t migratetype : 4;
	uint64_t fallback : 1; /* from another mobility, `migratetype`; neither taken nor percpu */
	uint32_t event;        /* it came before this one of trace->events */
};

#define TRACE_MAX_COMM  64                  /* bytes with the NUL; kernels have 16 */
#define TRACE_MAX_TASKS (UINT32_C(1) << 22) /* different ones in a trace */
#define TRACE_NO_TASK   0                   /* the trace does not say who it was */

/* Who did it: as a line has it, "make-16810". */
struct trace_task {
	char comm[TRACE_MAX_COMM]; /* by trace_comm() */
	uint32_t pid;              /* of the thread, up to INT32_MAX */
};

/* Events from this one on are of that task, up to the next turn's. */
struct trace_turn {
	uint32_t event;
	uint32_t task; /* an index into trace->tasks, or TRACE_NO_TASK */
};

/*
 * Each line is an event or was skipped, and some events have no line:
 *
 *   nr_lines = nr_events - sum of inferred[] + sum of skipped[]
 */
struct trace {
	char *file;              /* "-" for standard input */
	const char *format;      /* name of the reader: "ftrace", "native" */
	const char *compression; /* "none", "gzip", "zstd" */
	char *original; /* what it was converted from, and the format of that; NULL, "" where not */
	char original_format[32];
	struct trace_event *events; /* in the order of the trace */
	size_t nr_events;
	struct trace_policy *policies; /* [0] is the default; all are different */
	uint32_t nr_policies;          /* 1 at least */
	char **steps;                  /* of memory hotplug, as sim/machine/hotplug.h reads them */
	uint32_t nr_steps;
	struct trace_cache *caches;
	uint32_t nr_caches;
	uint32_t nr_pages; /* allocations and pages from before, so page numbers are below it */
	pfn_t *pfns; /* by page below nr_pfns: where the real machine had it; see trace_pfn() */
	size_t nr_pfns;
	struct trace_task *tasks; /* [0] means nothing; NULL where it names none */
	uint32_t nr_tasks;
	struct trace_turn *turns; /* in the order of events; before the first one it is nobody's */
	size_t nr_turns;
	struct trace_move *moves; /* in the order of the trace; NULL where it has none */
	size_t nr_moves;
	uint64_t nr_object_allocs, nr_object_frees; /* of slabs */
	uint64_t nr_cma_allocs, nr_cma_releases;    /* that were had, not failed ones */
	uint64_t nr_allocs, nr_frees, nr_touches, nr_waits, nr_failed, nr_held_frees;
	uint64_t pages_allocated, pages_freed; /* 2^order each */
	uint64_t skipped[TRACE_NR_SKIPS];
	uint64_t inferred[TRACE_NR_INFERS];
	uint64_t
		lost_events; /* that the lines of skipped[LOST] speak of, where they say how many */
	uint64_t unknown_policies;  /* calls whose nodes no marker tells: as if not made */
	uint64_t unknown_gfp;       /* gfp names that are not known (the event is kept) */
	char first_unknown_gfp[48]; /* printable characters */
	/* kswapd on the traced machine, means up to TRACE_MAX_KSWAPD_PS; 0: it does not show. */
	uint64_t kswapd_page_ps; /* for a page that it frees */
	uint64_t kswapd_wake_ps; /* from a wake-up to its running */
	uint64_t nr_lines;
	int nr_cpus;            /* highest CPU + 1 */
	uint64_t first_ps;      /* time of the first event, waits apart */
	uint64_t span_ps;       /* last time - first */
	pfn_t min_pfn, max_pfn; /* of traced allocations; min > max where there is none */
	uint64_t allocs_by_order[NR_PAGE_ORDERS];
	char first_unreadable[120]; /* text of the first unreadable line, printable characters */
	uint32_t first_unreadable_line;
	/* trace_append()'s own */
	size_t events_room, pfns_room, moves_room, policies_room, turns_room;
	uint32_t *task_slots; /* of trace_add_task() */
	uint32_t nr_task_slots;
	bool any_time;
	struct process_plan *processes; /* of TRACE_STEP; owned; NULL: none */
	struct kernel_plan *kernel;     /* of TRACE_CALL; likewise */
	/* A reader's of a kernel's lines: who wrote them, as sim/trace/gfp_bits.h has releases. */
	unsigned release;     /* KERNEL_UNKNOWN: nobody has said */
	bool release_assumed; /* it is the machine's that it is for; the trace may say otherwise */
	/* A reader's that knows tasks. */
	struct policy_rules *rules; /* borrowed while it reads; NULL: none */
	bool names_tasks;
};

#define TRACE_NO_PFN  UINT64_MAX
#define TRACE_MAX_PFN ((UINT64_C(1) << 52) - 1) /* of a 64-bit physical address in 4 KiB pages */

/** The first frame of the page on the real machine, or TRACE_NO_PFN where the trace is silent. */
static inline pfn_t trace_pfn(const struct trace *t, uint32_t page)
{
	return page < t->nr_pfns ? t->pfns[page] : TRACE_NO_PFN;
}

struct policy_rules;

struct trace_progress {
	void (*report)(void *arg, uint64_t bytes_read, uint64_t bytes_total /* 0 unknown */);
	void *arg;
};

/**
 * Read a whole trace from `path` ("-": standard input). `progress` may be NULL.
 * Returns 0 and *out (free with trace_free); -EINVAL where it is no trace or damaged (diag names
 * file and line), -ENOENT, -EIO, -ENOMEM.
 */
int trace_load(const char *path, const struct trace_progress *progress, struct diag *diag,
	       struct trace **out);
/* What is known of a trace beside it. */
struct trace_hints {
	/* Policies (sim/policy/rules.h) for the tasks whose policies the trace does not tell. NULL:
	 * none. */
	struct policy_rules *rules;
	/* Release of the kernel that wrote it (sim/trace/gfp_bits.h), or KERNEL_UNKNOWN. */
	unsigned release;
	bool release_assumed; /* that of the machine; what the trace says goes before */
};

/**
 * The same with hints. -EINVAL where there are rules and the trace names no tasks. Warns of rules
 * without effect, and of numbers in gfp_flags where it is not sure of which kernel they are.
 */
int trace_load_with(const char *path, const struct trace_hints *hints,
		    const struct trace_progress *progress, struct diag *diag, struct trace **out);
/** The same from bytes in memory (fuzzing, tests); may be compressed. */
int trace_parse(const void *data, size_t len, const char *name, struct diag *diag,
		struct trace **out);
/** An empty trace to build one by hand with trace_append() (workloads, tests). */
struct trace *trace_new(const char *name);
/**
 * Append one event and keep the counts; nr_pages becomes the highest page number + 1. Times do not
 * decrease (waits apart, whose time is a duration). Returns 0, -EINVAL where the order is beyond
 * MAX_PAGE_ORDER, or -ENOMEM.
 */
int trace_append(struct trace *t, const struct trace_event *ev);
/** The same of an allocation that found nothing. */
int trace_append_failed(struct trace *t, struct trace_event *ev);
/**
 * The index of a policy, which is added where the trace does not have it yet. Returns 0 and *index;
 * -ENOSPC beyond TRACE_MAX_POLICIES, -ENOMEM.
 */
int trace_add_policy(struct trace *t, const struct trace_policy *policy, uint16_t *index);
/** May a slab cache have a name with that character? Letters, digits and "_.:()-". */
bool trace_cache_letter(char c);
/** The index of a cache, added where the trace does not have it. 0; -ENOSPC, -ENOMEM. */
int trace_add_cache(struct trace *t, const struct trace_cache *cache, uint32_t *index);
#define TRACE_MAX_STEPS 65536
/** A step of memory hotplug as text; *index is what its event says. 0, -ENOSPC, -ENOMEM. */
int trace_add_step(struct trace *t, const char *text, uint32_t *index);
/** Say where the real machine had a page. Returns 0 or -ENOMEM. */
int trace_set_pfn(struct trace *t, uint32_t page, pfn_t pfn);
/**
 * A comm as traces keep it: printable, without blanks around it, cut where it is too long, and such
 * that no reader takes a part of it for something else.
 */
void trace_comm(char out[TRACE_MAX_COMM], const char *text, size_t len);
/**
 * The index of a task, added where the trace does not have it; TRACE_NO_TASK for "<...>-1", what
 * the kernel's text says of nobody, and pids beyond INT32_MAX. 0; -ENOSPC, -ENOMEM.
 */
int trace_add_task(struct trace *t, const char *comm, size_t len, uint32_t pid, uint32_t *index);
/** Events from number `event` on are of that task; no turn is beyond that. 0 or -ENOMEM. */
int trace_take_turn(struct trace *t, size_t event, uint32_t task);
/** Append a move, which came before the next event. Returns 0 or -ENOMEM. */
int trace_append_move(struct trace *t, const struct trace_move *move);
/**
 * Where event `i` is the target of a move by kcompactd, which no line says: the event behind it, by
 * which that frees what has moved. NULL where it is none.
 */
const struct trace_event *trace_moved_from(const struct trace *t, size_t i);
/** NULL, or what is wrong with a policy as a phrase: "has no nodes, which its mode needs". */
const char *trace_policy_wrong(const struct trace_policy *policy);
/** `t` may be NULL. */
void trace_free(struct trace *t);

/** Write in the native format (docs/trace-format.md). Returns 0 or -EIO. */
int trace_write_native(const struct trace *t, FILE *out);

#endif

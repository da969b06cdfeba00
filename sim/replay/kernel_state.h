/* SPDX-License-Identifier: Apache-2.0 */
/* What the files share that do calls of the kernel's functions (replay_kernel.h). */
#ifndef SIM_KERNEL_STATE_H
#define SIM_KERNEL_STATE_H

#include "mm/vmalloc/vm_map.h"
#include "sim/replay/replay_kernel.h"
#include "sim/trace/livemap.h"

/* One block of pages, object, area or mapping. */
struct kernel_item {
	struct page *page; /* PAGES, MAP */
	uint64_t at;       /* the kernel's address; OBJECT: the physical one. 0: nothing, as NULL */
};

/* What a name stands for. */
struct kernel_value {
	enum kernel_kind kind;
	struct kernel_item *items; /* owned */
	uint64_t nr;
	struct page **mapped; /* AREA by vmap(): blocks that it maps; owned */
	uint64_t nr_mapped;
	uint64_t bytes;              /* of each */
	unsigned order;              /* of each block */
	struct mm_kmem_cache *cache; /* CACHE; NULL once it is destroyed */
	uint32_t cache_name;         /* OBJECT: whose cache it is from; NONE: kmalloc's */
};

/* A CPU of the trace. */
struct kernel_task {
	struct kernel_value *values; /* by name */
	unsigned atomic;             /* preempt_count */
};

/* What a CPU of the machine has mapped in its own slots. */
struct kernel_slots {
	struct page *pages[MM_KMAP_SLOTS];
	unsigned nr;
};

struct replay_kernel {
	struct sim *sim;
	struct mm *mm;
	const struct kernel_plan *plan;
	struct replay_kernel_counts *counts;
	struct kernel_task *tasks; /* by CPU of the trace */
	int nr_tasks;
	struct kernel_slots *slots; /* by CPU of the machine */
	/* Blocks that calls have got and not given back, by frame; `page` is how often mapped. */
	struct livemap pages;
};

/* A call that is being done. */
struct kernel_run {
	struct replay_kernel *k;
	struct mm *mm;
	const struct kernel_call *call;
	struct kernel_task *task;
	struct kernel_value *of; /* NULL where the function takes nothing */
	struct replay_kernel_sum *sum;
	int cpu;
	int err; /* -EDEADLK: the run is over */
};

/** Does each `every`th item of x->of; `one` says whether it went well. Those done with are gone. */
void kernel_each(struct kernel_run *x, bool (*one)(struct kernel_run *x, struct kernel_item *i),
		 bool gives_back);
/** Makes call->nr items by `one`, and has the name stand for those that went well. */
void kernel_make(struct kernel_run *x, struct kernel_value like,
		 bool (*one)(struct kernel_run *x, struct kernel_value *v, struct kernel_item *i));
/** Has the name stand for `v`, which it owns from now on. */
void kernel_store(struct kernel_run *x, const struct kernel_value *v);

/** Keep a line of what is printed. */
void kernel_print(struct kernel_run *x, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/** Is the caller atomic, and the function may sleep? Warns, and counts it as refused. */
bool kernel_sleeps(struct kernel_run *x);

/*
 * Blocks that calls have got: what is not among them, or is mapped somewhere, is not given back,
 * since nobody looks whether what a scenario frees is somebody else's by then.
 */
bool kernel_owns(struct kernel_run *x, struct page *page, unsigned order);
/** May it be given back? Says in `why` what is wrong, a phrase. */
bool kernel_may_free(struct kernel_run *x, struct page *page, unsigned order, const char **why);
/** Mapped once more, or (-1) less. */
void kernel_map(struct kernel_run *x, struct page *page, int by);
bool kernel_own(struct kernel_run *x, struct page *page, unsigned order);
void kernel_disown(struct kernel_run *x, struct page *page);

/** The kernel's address of an item of the value. */
uint64_t kernel_address(struct kernel_run *x, const struct kernel_value *v,
			const struct kernel_item *i);

/* The functions, by what they are about. Each does x->call. */
void kernel_pages(struct kernel_run *x);
void kernel_slab(struct kernel_run *x);
void kernel_maps(struct kernel_run *x);

#endif

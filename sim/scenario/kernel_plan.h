/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Programs of a scenario that call the kernel's functions: alloc_pages(), kmalloc(), vmap() and so
 * on, one after the other, with what they gave kept under names. A plan belongs to its trace, whose
 * TRACE_CALL events name calls; what a name stands for is known only when it runs.
 */
#ifndef SIM_KERNEL_PLAN_H
#define SIM_KERNEL_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mm/slab/slab_types.h"
#include "mm/types.h"

struct trace;

/* What a name stands for. A set of them is an OR. */
enum kernel_kind {
	KERNEL_NOTHING = 0,
	KERNEL_PAGES = 1 << 0,  /* struct page *, blocks of one order */
	KERNEL_LOWMEM = 1 << 1, /* addresses of the direct mapping, of whole pages */
	KERNEL_OBJECT = 1 << 2, /* objects of slabs */
	KERNEL_CACHE = 1 << 3,
	KERNEL_AREA = 1 << 4, /* addresses between VMALLOC_START and VMALLOC_END */
	KERNEL_MAP = 1 << 5,  /* pages that are mapped for a while, by the CPU or for all */
	KERNEL_ADDRESS = KERNEL_LOWMEM | KERNEL_OBJECT | KERNEL_AREA,
	KERNEL_MEMORY = KERNEL_PAGES | KERNEL_ADDRESS | KERNEL_MAP,
};

/*
 * X(enumerator, name in scenario files, what `of` has to be, what `name` becomes). The ones that
 * need nothing and make nothing take no names.
 */
#define KERNEL_CALLS(X)                                                                            \
	X(ALLOC_PAGES, "alloc_pages", KERNEL_NOTHING, KERNEL_PAGES)                                \
	X(ALLOC_PAGES_BULK, "alloc_pages_bulk", KERNEL_NOTHING, KERNEL_PAGES)                      \
	X(ALLOC_CONTIG_PAGES, "alloc_contig_pages", KERNEL_NOTHING, KERNEL_PAGES)                  \
	X(CMA_ALLOC, "cma_alloc", KERNEL_NOTHING, KERNEL_PAGES)                                    \
	X(CMA_RELEASE, "cma_release", KERNEL_PAGES, KERNEL_NOTHING)                                \
	X(FREE_CONTIG_RANGE, "free_contig_range", KERNEL_PAGES, KERNEL_NOTHING)                    \
	X(__FREE_PAGES, "__free_pages", KERNEL_PAGES, KERNEL_NOTHING)                              \
	X(SPLIT_PAGE, "split_page", KERNEL_PAGES, KERNEL_NOTHING)                                  \
	X(DUMP_PAGE, "dump_page", KERNEL_MEMORY, KERNEL_NOTHING)                                   \
	X(PAGE_ADDRESS, "page_address", KERNEL_PAGES, KERNEL_NOTHING)                              \
	X(GET_FREE_PAGES, "__get_free_pages", KERNEL_NOTHING, KERNEL_LOWMEM)                       \
	X(GET_ZEROED_PAGE, "get_zeroed_page", KERNEL_NOTHING, KERNEL_LOWMEM)                       \
	X(ALLOC_PAGES_EXACT, "alloc_pages_exact", KERNEL_NOTHING, KERNEL_LOWMEM)                   \
	X(FREE_PAGES, "free_pages", KERNEL_ADDRESS, KERNEL_NOTHING)                                \
	X(FREE_PAGES_EXACT, "free_pages_exact", KERNEL_ADDRESS, KERNEL_NOTHING)                    \
	X(KMALLOC, "kmalloc", KERNEL_NOTHING, KERNEL_OBJECT)                                       \
	X(KZALLOC, "kzalloc", KERNEL_NOTHING, KERNEL_OBJECT)                                       \
	X(KREALLOC, "krealloc", KERNEL_OBJECT, KERNEL_NOTHING)                                     \
	X(KSIZE, "ksize", KERNEL_OBJECT, KERNEL_NOTHING)                                           \
	X(KFREE, "kfree", KERNEL_ADDRESS, KERNEL_NOTHING)                                          \
	X(CACHE_CREATE, "kmem_cache_create", KERNEL_NOTHING, KERNEL_CACHE)                         \
	X(CACHE_ALLOC, "kmem_cache_alloc", KERNEL_CACHE, KERNEL_OBJECT)                            \
	X(CACHE_FREE, "kmem_cache_free", KERNEL_OBJECT, KERNEL_NOTHING)                            \
	X(CACHE_SHRINK, "kmem_cache_shrink", KERNEL_CACHE, KERNEL_NOTHING)                         \
	X(CACHE_DESTROY, "kmem_cache_destroy", KERNEL_CACHE, KERNEL_NOTHING)                       \
	X(CACHE_VALIDATE, "validate_slab_cache", KERNEL_CACHE, KERNEL_NOTHING)                     \
	X(VMALLOC, "vmalloc", KERNEL_NOTHING, KERNEL_AREA)                                         \
	X(VZALLOC, "vzalloc", KERNEL_NOTHING, KERNEL_AREA)                                         \
	X(VMALLOC_USER, "vmalloc_user", KERNEL_NOTHING, KERNEL_AREA)                               \
	X(VMALLOC_HUGE, "vmalloc_huge", KERNEL_NOTHING, KERNEL_AREA)                               \
	X(VFREE, "vfree", KERNEL_ADDRESS, KERNEL_NOTHING)                                          \
	X(VMAP, "vmap", KERNEL_PAGES, KERNEL_AREA)                                                 \
	X(VUNMAP, "vunmap", KERNEL_ADDRESS, KERNEL_NOTHING)                                        \
	X(VMALLOC_TO_PAGE, "vmalloc_to_page", KERNEL_AREA, KERNEL_PAGES)                           \
	X(VM_UNMAP_ALIASES, "vm_unmap_aliases", KERNEL_NOTHING, KERNEL_NOTHING)                    \
	X(KMAP, "kmap", KERNEL_PAGES, KERNEL_MAP)                                                  \
	X(KUNMAP, "kunmap", KERNEL_PAGES, KERNEL_NOTHING)                                          \
	X(KMAP_LOCAL, "kmap_local_page", KERNEL_PAGES, KERNEL_MAP)                                 \
	X(KUNMAP_LOCAL, "kunmap_local", KERNEL_MAP, KERNEL_NOTHING)                                \
	X(KMAP_ATOMIC, "kmap_atomic", KERNEL_PAGES, KERNEL_MAP)                                    \
	X(KUNMAP_ATOMIC, "kunmap_atomic", KERNEL_MAP, KERNEL_NOTHING)                              \
	X(PREEMPT_DISABLE, "preempt_disable", KERNEL_NOTHING, KERNEL_NOTHING)                      \
	X(PREEMPT_ENABLE, "preempt_enable", KERNEL_NOTHING, KERNEL_NOTHING)                        \
	X(MSLEEP, "msleep", KERNEL_NOTHING, KERNEL_NOTHING)                                        \
	X(SYSCTL, "sysctl", KERNEL_NOTHING, KERNEL_NOTHING)                                        \
	X(SHOW, "show", KERNEL_NOTHING, KERNEL_NOTHING)                                            \
	X(TOUCH, "touch", KERNEL_MEMORY, KERNEL_NOTHING)

enum kernel_do {
#define X(id, name, of, makes) KERNEL_##id,
	KERNEL_CALLS(X)
#undef X
		KERNEL_NR_CALLS
};

#define KERNEL_NONE UINT32_MAX

struct kernel_call {
	enum kernel_do what;
	uint32_t name, of; /* numbers of names; NONE */
	uint32_t from;     /* CACHE_FREE: the cache that it is said to be of, likewise */
	uint32_t about;    /* of `of`, else `name`: as the scenario has it, among the plan's texts;
			      NONE */
	uint32_t text; /* CACHE_CREATE: what the kernel calls it; SYSCTL: the value; SHOW: the view;
			  likewise */
	uint64_t nr;   /* how many; pages of a run */
	uint64_t every; /* only each so-manieth of `of`, from the first on; 0: all */
	uint64_t bytes, offset;
	uint32_t align; /* bytes of an object */
	unsigned order; /* of blocks; CMA_ALLOC: where the run may begin */
	bool has_order; /* of what is freed: another than it was allocated with */
	gfp_t gfp;
	int nid;          /* MM_NO_NODE: the CPU's own */
	unsigned flags;   /* CACHE_CREATE: MM_SLAB_* */
	uint64_t time_ps; /* MSLEEP */
	bool write;       /* TOUCH */
};

/* Lists are owned, and grow. Names are numbered; two programs share none. */
struct kernel_plan {
	struct kernel_call *calls;
	char **texts;
	size_t nr_calls, nr_texts;
	size_t calls_room, texts_room;
	uint32_t nr_names;
};

const char *kernel_do_name(unsigned what); /* NULL past the last */
/** What `of` has to be, and what `name` becomes. */
unsigned kernel_do_needs(enum kernel_do what);
enum kernel_kind kernel_do_makes(enum kernel_do what);

/** The trace's plan, made at first; NULL where there is no memory. */
struct kernel_plan *kernel_plan_of(struct trace *t);
void kernel_plan_free(struct kernel_plan *plan);

/* Append one; each returns its index, or KERNEL_NONE where there is no memory. */
uint32_t kernel_plan_call(struct kernel_plan *plan, const struct kernel_call *call);
uint32_t kernel_plan_text(struct kernel_plan *plan, const char *text);

#endif

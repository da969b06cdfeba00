/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Slabs, caches, and the steps that the files of the slab allocator share. Within the mm core.
 *
 *	slab_alloc.c: an allocation; slab_free.c: a free; slab_partial.c: nodes' and CPUs' lists
 *	slab_flush.c: putting CPU slabs away; slab_page.c: slabs from and to the page allocator
 *	slab_cache.c: caches come and go; slab_boot.c: those of the boot; slab_order.c: sizes
 *	kmalloc.c; slab_debug.c: misuse; slab_verify.c, slab_info.c
 *
 * What guards a field: (C)onstant, (N)ode's list lock, (P)er-CPU owner, (A)tomic: one step of a
 * compare-and-exchange in the kernel, so that it is read again after every lock; (S)tatistics.
 */
#ifndef MM_SLUB_H
#define MM_SLUB_H

#include "mm/internal.h"
#include "mm/slab/slab.h"

#define SLAB_NONE          UINT16_MAX /* no object; the end of a list of free ones */
#define SLAB_LOCK_BYTES    8
#define SLAB_CPU_BYTES     32 /* struct kmem_cache_cpu of a 64-bit kernel */
#define SLAB_NR_KMALLOC    13 /* at most: 8 to 8192 bytes, 96 and 192 */
#define SLAB_MAX_REPORTS   64
#define SLAB_DEFRAG_CYCLES 1024

/* Which list a slab is on. None: it is a CPU's, full, or on its way. */
enum mm_slab_place { SLAB_NOWHERE, SLAB_OF_CPU, SLAB_CPU_PARTIAL, SLAB_NODE_PARTIAL };

/* What is wrong around an object that debugging looks at. */
enum {
	SLAB_HURT_LEFT = 1,
	SLAB_HURT_RIGHT = 2,
	SLAB_HURT_POISON = 4,
	SLAB_HURT_TRACK = 8,
};

/*
 * A block of pages with objects. An object is on one list or in somebody's hands:
 *
 *   objects = inuse + length of the slab's list
 *   inuse   = used + length of the list of the CPU that has the slab
 *
 * A slab is frozen while it is a CPU's: then nobody else moves it. One with cache NULL is a block
 * of kmalloc() itself: its one object has all of it.
 */
struct mm_slab {
	struct mm_kmem_cache *cache; /* (C) */
	struct page *page;           /* (C) the first */
	pfn_t pfn;                   /* (C) */
	phys_addr_t at;              /* (C) */
	int nid;                     /* (C) */
	uint8_t order;               /* (C) */
	uint8_t place;               /* (N) enum mm_slab_place */
	bool frozen;                 /* (A) */
	bool condemned;   /* (N) damaged: its free objects are given up, and counted as in use */
	uint16_t objects; /* (C) */
	uint16_t inuse, freelist;    /* (A) */
	uint16_t used;               /* (A) objects in somebody's hands */
	unsigned behind;             /* (P) on a CPU's partial list: slabs with it and behind it */
	struct mm_slab *next, *prev; /* (N), (P) on a list */
	uint64_t *in_use;            /* (A) bit by object */
	uint8_t *hurt;               /* SLAB_HURT_*; NULL without debugging */
	uint16_t next_free[];        /* (A) by object; of those that are on a list */
};

struct mm_cache_cpu {
	struct mm_slab *slab;    /* (P) */
	struct mm_slab *partial; /* (P) frozen slabs with free objects, last come first */
	uint16_t freelist;       /* (P) of the slab, apart from the slab's own */
};

struct mm_cache_node {
	struct mm_lock list_lock;
	phys_addr_t at;                         /* (C) 0: the node has none */
	struct mm_slab *partial, *partial_tail; /* (N) */
	unsigned nr_partial;                    /* (N) */
	uint64_t nr_slabs, nr_objects;          /* (S) */
};

struct mm_kmem_cache {
	char *name;
	struct mm_slab_layout l; /* (C) but object_size and inuse, which merging raises */
	int refs;                /* caches merged into it, itself too */
	phys_addr_t at;          /* its descriptor */
	uint64_t cpu_offset;     /* in each CPU's area */
	struct mm_cache_cpu *cpu;
	struct mm_cache_node *node;
	uint64_t pages;                   /* (S) of all its slabs */
	uint64_t stats[MM_NR_SLAB_STATS]; /* (S) */
};

/* A name for a cache that another one serves for. */
struct mm_slab_alias {
	char *name;
	struct mm_kmem_cache *cache;
};

/* Kinds of kmalloc caches, in the order in which they are made. */
enum mm_kmalloc_type {
	MM_KMALLOC_NORMAL,
	MM_KMALLOC_CGROUP,
	MM_KMALLOC_RECLAIM,
	MM_KMALLOC_DMA,
	MM_NR_KMALLOC_TYPES
};

/* A frame of a slab, or the first one of a block of kmalloc(). Hashed. */
struct mm_slab_entry {
	pfn_t pfn;
	struct mm_slab *slab; /* NULL: a free entry */
};

struct mm_slab_state {
	struct mm_kmem_cache **caches; /* oldest first */
	unsigned nr_caches, room;
	struct mm_slab_alias *aliases;
	unsigned nr_aliases;
	struct mm_kmem_cache *cache_cache, *node_cache; /* of the descriptors of caches and nodes */
	struct mm_kmem_cache *kmalloc[MM_NR_KMALLOC_TYPES][SLAB_NR_KMALLOC];
	struct mm_slab_entry *map; /* 2^map_bits, at most half of them in use */
	unsigned map_bits;
	size_t map_used;
	uint64_t nr_slabs;     /* in the map, blocks of kmalloc() too */
	uint64_t percpu_used;  /* bytes of each CPU's area that caches have had */
	uint64_t *percpu_free; /* places in it of caches that are gone */
	unsigned nr_percpu_free;
	uint32_t nr_policy_pages; /* slabs that were asked for by a policy */
	uint64_t searches;        /* of other nodes' partial lists; see slab_partial.c */
	int start_err;            /* of mm_slab_start(): without its caches there are no others */
	char *reports[SLAB_MAX_REPORTS];
	uint64_t nr_reports;
};

static inline void slab_count(struct mm_kmem_cache *cache, enum mm_slab_stat what, uint64_t nr)
{
	cache->stats[what] += nr;
}

static inline bool slab_debugged(const struct mm_kmem_cache *cache)
{
	return cache->l.flags & MM_SLAB_DEBUG;
}

/** The CPU's node or, where that has no memory, the nearest one that has. */
int mm_slab_near(const struct mm *mm, int cpu);
/** Does the node have slabs: any memory that the kernel reaches by itself? */
bool mm_slab_node_has(const struct mm *mm, int nid);

/* slab_order.c */
uint32_t mm_slab_word(const struct mm *mm); /* bytes of a pointer */
unsigned mm_slab_bytes_order(const struct mm *mm, uint64_t bytes);

/* slab_page.c */
/** The slab or block of kmalloc() that the address is in; NULL where it is in none. */
struct mm_slab *mm_slab_of(const struct mm *mm, phys_addr_t at);
/** Which object begins at the address; SLAB_NONE where none does. */
uint16_t mm_slab_index(const struct mm_slab *slab, phys_addr_t at);
phys_addr_t mm_slab_object(const struct mm_slab *slab, uint16_t index);
/** Where the link to the next one is in a free object. */
phys_addr_t mm_slab_link(const struct mm_slab *slab, uint16_t index);
static inline bool slab_in_use(const struct mm_slab *slab, uint16_t i)
{
	return slab->in_use[i / 64] >> (i % 64) & 1;
}
/** Give the object to somebody, or take it back: the bit and its count. */
void mm_slab_mark(struct mm_slab *slab, uint16_t index, bool used);
/** A new slab with all objects on its list, not frozen, on no list. NULL: no memory. Time passes.
 */
struct mm_slab *mm_slab_new(struct mm *mm, struct mm_kmem_cache *cache,
			    const struct mm_slab_request *req, int nid);
/** Give an empty slab, which is nowhere, back to the page allocator. Time may pass. */
void mm_slab_discard(struct mm *mm, int cpu, struct mm_slab *slab);
/** A block of kmalloc() itself. NULL: no memory. */
struct mm_slab *mm_slab_new_block(struct mm *mm, const struct mm_slab_request *req, unsigned order);
/** Forget all of it, at the end. */
void mm_slab_map_free(struct mm_slab_state *s);

/* slab_partial.c: lists of slabs with free objects */
void mm_slab_lock(struct mm *mm, int cpu, struct mm_cache_node *n);
void mm_slab_unlock(struct mm *mm, int cpu, struct mm_cache_node *n);
/** Under the node's lock. */
void mm_slab_add_partial(struct mm *mm, int cpu, struct mm_slab *slab, bool tail);
void mm_slab_remove_partial(struct mm *mm, int cpu, struct mm_slab *slab);
/**
 * A slab with free objects for the CPU: frozen, its list taken (in *list) and all of it counted as
 * in use. Others go to the CPU's partial list. NULL where no node that may serve has any.
 */
struct mm_slab *mm_slab_get_partial(struct mm *mm, struct mm_kmem_cache *cache,
				    const struct mm_slab_request *req, int nid, uint16_t *list);
/** The nodes where to look: `nid`, or the near one and then others. See its file. */
typedef struct mm_slab *mm_slab_take(struct mm *mm, struct mm_kmem_cache *cache, int cpu, int nid,
				     uint16_t *list);
struct mm_slab *mm_slab_search(struct mm *mm, struct mm_kmem_cache *cache,
			       const struct mm_slab_request *req, int nid, mm_slab_take *take,
			       uint16_t *list);
/** A frozen slab to the CPU's partial list; `drain`: if that is full, it goes to the nodes first.
 */
void mm_slab_put_cpu_partial(struct mm *mm, int cpu, struct mm_slab *slab, bool drain);
/** A chain of frozen slabs, which are nowhere, to the lists of their nodes. */
void mm_slab_unfreeze(struct mm *mm, int cpu, struct mm_kmem_cache *cache, struct mm_slab *chain);

/* slab_flush.c */
/** Put the slab of CPU `of` away, if it has any. Done on `cpu`. */
void mm_slab_deactivate(struct mm *mm, int cpu, struct mm_kmem_cache *cache, int of);
/** All CPUs' slabs and partial lists. */
void mm_slab_flush_all(struct mm *mm, int cpu, struct mm_kmem_cache *cache);

/* slab_alloc.c */
/** Allocate without looking at who asks; the rest as mm_kmem_cache_alloc(). 0 or -ENOMEM. */
int mm_slab_take_object(struct mm *mm, struct mm_kmem_cache *cache,
			const struct mm_slab_request *req, phys_addr_t *object);
/** May the request be made there? 0, -EWOULDBLOCK or -EINVAL, and that is reported. */
int mm_slab_check_request(struct mm *mm, const char *what, const struct mm_slab_request *req);

/* slab_free.c */
void mm_slab_give_object(struct mm *mm, int cpu, struct mm_slab *slab, uint16_t index);

/* slab_debug.c */
__attribute__((format(printf, 2, 3))) void mm_slab_say(struct mm *mm, const char *fmt, ...);
int mm_slab_debug_alloc(struct mm *mm, struct mm_kmem_cache *cache,
			const struct mm_slab_request *req, phys_addr_t *object);
/** Of an object in use: false where it is damaged, and then it is not freed. */
bool mm_slab_debug_free(struct mm *mm, int cpu, struct mm_slab *slab, uint16_t index);
/** What was wrong with a free that is refused. */
void mm_slab_bad_free(struct mm *mm, const char *what, const struct mm_kmem_cache *cache,
		      phys_addr_t object);

/* slab_cache.c */
/** A cache of that layout, in the list, still without a descriptor. NULL: no memory. */
struct mm_kmem_cache *mm_slab_make_cache(struct mm *mm, const char *name,
					 const struct mm_slab_layout *l);
/** Descriptors for it and its nodes, which it needs to be used. 0 or -ENOMEM. */
/*
 * Memory hotplug: a node gets its first memory that slabs can be in, so all caches need lists for
 * it, which lie on other nodes. 0 or -ENOMEM. And before memory goes: empty slabs are given up.
 */
int mm_slab_going_online(struct mm *mm, int cpu, int nid);
void mm_slab_going_offline(struct mm *mm, int cpu);
int mm_slab_place_cache(struct mm *mm, int cpu, struct mm_kmem_cache *cache);
/** The same for kmem_cache and kmem_cache_node themselves. */
int mm_slab_place_first(struct mm *mm, int cpu, struct mm_kmem_cache *cache);
/** Take it off the list and forget it; it has no slabs. */
void mm_slab_drop_cache(struct mm *mm, int cpu, struct mm_kmem_cache *cache);

/* slab_boot.c */
/** What a cache of the boot is made from on this machine. */
struct mm_cache_args mm_boot_cache_args(const struct mm *mm, const struct mm_boot_cache *b);

/* kmalloc.c */
int mm_kmalloc_start(struct mm *mm);
/** How many caches it has on this architecture. */
unsigned mm_kmalloc_nr_caches(const struct mm *mm);
/** What the i-th of them is made from, in the order in which they are made. */
void mm_kmalloc_args(const struct mm *mm, unsigned i, char name[MM_SLAB_NAME],
		     struct mm_cache_args *args);

/* slab_verify.c */
/** Every object in exactly one place. Returns 0, or -EINVAL with the first violation in why[]. */
int mm_slab_verify(const struct mm *mm, char *why, size_t size);

/* Tracepoints; costs nothing where nobody listens. `cache` NULL: whole pages of kmalloc(). */
void mm_slab_emit_alloc(struct mm *mm, const struct mm_slab_request *req,
			const struct mm_kmem_cache *cache, bool is_kmalloc, uint64_t bytes,
			phys_addr_t object);
/** `cache` NULL: by kfree(). */
void mm_slab_emit_free(struct mm *mm, int cpu, const struct mm_kmem_cache *cache,
		       phys_addr_t object);

#endif

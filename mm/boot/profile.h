/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a kernel takes from memblock before it hands memory to the page allocator, beyond the mm
 * core's own structures: hash tables that grow with memory, bounce buffers, page tables of fixed
 * mappings, the area of a crash kernel. A profile is the kernel's rules, with its numbers.
 *
 * Which zone each piece falls in is meant to be right; its address within that is not.
 */
#ifndef MM_PROFILE_H
#define MM_PROFILE_H

#include "mm/slab/slab_types.h"
#include "mm/types.h"

#define MM_MAX_HASH_TABLES 8
#define MM_MAX_TAKES       16

/* A table of alloc_large_system_hash() with HASH_EARLY. */
struct mm_hash_table {
	uint64_t bucket_bytes;
	uint64_t memory_per_bucket; /* bytes of memory for each bucket; a power of two */
};

/* One piece, or one a node; where there is no room the kernel does without. */
struct mm_take {
	uint64_t bytes;             /* in one piece; 0: by the node's sections */
	uint64_t bytes_per_section; /* in one piece a node with memory; 0: not */
	/* In one piece, for each pair of nodes, where firmware or numa=fake tells distances. */
	uint64_t bytes_per_distance;
	bool early;                     /* before SRAT is read, and nodes are known */
	bool if_top_down, if_bottom_up; /* only where memblock allocates in that direction then */
	uint64_t align;                 /* a power of two */
	phys_addr_t below;              /* ends there at most; 0: where the kernel can reach it */
	/* Only where memory ends above; and where it may ever, with what can be plugged in. */
	phys_addr_t if_memory_above, if_possible_above; /* 0: always */
};

/* crashkernel=: below a limit; where it has no room there, anywhere, and a smaller one below. */
struct mm_crash_rule {
	uint64_t align;
	phys_addr_t below;
	bool anywhere;      /* the kernel can do with one above the limit, */
	uint64_t low_bytes; /* which takes this much below it as well */
};

/*
 * How the kernel keeps free pages by CPU. Sizes are in batches; a batch is a quarter of 1/1024 of
 * the zone and of `batch_bytes`, whichever is less, made one less than a power of two: the one
 * below one and a half of that, or above it. Where that makes 0, `low` and `high` are 0, too.
 */
struct mm_pcp_rule {
	const char *kind; /* as mm_pcp_kind_name() spells it; NULL: those of 6.1, with its sizes */
	unsigned low, high; /* of kinds that have them by rule */
	uint64_t batch_bytes;
	bool round_up;
	bool gather; /* what goes back is taken off the lists before the zone's lock is taken */
};

/* Which of these a kind goes by. */
enum mm_pcp_rules {
	MM_PCP_SIZES = 1 << 0, /* high, batch_bytes, round_up */
	MM_PCP_LOW = 1 << 1,
	MM_PCP_GATHER = 1 << 2,
};

/** Names of the kinds of per-CPU lists; NULL past the last. */
const char *mm_pcp_kind_name(unsigned index);
/** What of struct mm_pcp_rule that kind goes by. */
unsigned mm_pcp_kind_rules(unsigned index);

struct mm_profile {
	struct mm_pcp_rule pcp;
	struct mm_hash_table hash_tables[MM_MAX_HASH_TABLES];
	int nr_hash_tables;
	/* With memory on several nodes they are spread over them, by vmalloc(): later. */
	bool hash_tables_spread;
	struct mm_take takes[MM_MAX_TAKES];
	int nr_takes;
	struct mm_crash_rule crash;
	struct mm_boot_cache *caches; /* in the order in which they are made */
	unsigned nr_caches;
	uint32_t xstate_bytes; /* of a CPU's registers, where the machine does not say */
};

#endif

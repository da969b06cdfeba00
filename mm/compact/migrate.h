/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Moving pages in use to other frames, of the same node or of another. Their content is copied,
 * CPUs drop the old translation, and the owner is told by mm_ops.moved(); page descriptors that he
 * keeps elsewhere name frames of somebody else then.
 */
#ifndef MM_MIGRATE_H
#define MM_MIGRATE_H

#include "mm/mm.h"

/* How long a move may wait for. */
enum mm_migrate_mode { MM_MIGRATE_ASYNC, MM_MIGRATE_SYNC_LIGHT, MM_MIGRATE_SYNC };

/* What for. In the kernel's order. */
enum mm_migrate_reason {
	MM_MIGRATE_COMPACTION,
	MM_MIGRATE_MEMORY_FAILURE,
	MM_MIGRATE_MEMORY_HOTPLUG,
	MM_MIGRATE_SYSCALL,
	MM_MIGRATE_MBIND,
	MM_MIGRATE_NUMA_MISPLACED,
	MM_MIGRATE_CONTIG_RANGE,
	MM_MIGRATE_LONGTERM_PIN,
	MM_MIGRATE_DEMOTION,
	MM_NR_MIGRATE_REASONS
};

/* As the tracepoints name them: "MIGRATE_SYNC_LIGHT", "compaction". Static storage. */
const char *mm_migrate_mode_name(enum mm_migrate_mode mode);
const char *mm_migrate_reason_name(enum mm_migrate_reason reason);

/* Where pages go, on whose behalf. */
struct mm_migrate_request {
	int cpu;
	int nid;                         /* preferred node */
	const struct mm_nodemask *nodes; /* no others than these; NULL: none but nid */
	enum mm_migrate_reason reason;
};

/**
 * Move blocks of user memory in use, as move_pages(2) and mbind(2) do; those that are where they
 * may be already stay. pages[i] becomes the new head of a block that is moved. Compaction that
 * makes room for targets may move any of them besides, which only mm_ops.moved() tells. Each target
 * is an allocation, with its tracepoint; a huge page is one of order 9. Simulated time passes: the
 * caller sees to it that nobody frees a page before it is isolated, all of which comes first.
 * Returns how many blocks were not moved though they should have been, and are what they were: the
 * kernel's own, in use for reclaim or a disk, or without room where they were to go.
 */
size_t mm_migrate_pages(struct mm *mm, const struct mm_migrate_request *req, struct page **pages,
			size_t nr);

/* Within the mm core. */

struct page_list;

/* A list of isolated pages on its way. */
struct mm_migration {
	int cpu; /* changes where it gives way */
	enum mm_migrate_mode mode;
	enum mm_migrate_reason reason;
	/** A frame in no place for a block; NULL: none left. Time may pass. */
	struct page *(*get)(struct mm *mm, struct mm_migration *m, const struct page *page);
	/** Back, as it was not needed. */
	void (*put)(struct mm *mm, struct mm_migration *m, struct page *target);
	/** A block has moved; may be NULL. */
	void (*moved)(struct mm *mm, struct mm_migration *m, struct page *from, struct page *to);
	void *arg;
	struct mm_event_migrate done; /* out */
};

/**
 * Move isolated pages, from the list's head; what could not be moved is left on it. Returns how
 * many blocks failed, or -ENOMEM where there were no targets left. Time passes.
 */
int mm_migrate_list(struct mm *mm, struct mm_migration *m, struct page_list *pages);

#endif

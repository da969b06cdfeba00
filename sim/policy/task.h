/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of sim/policy share: a task as a trace shows it, and the steps that one file
 * offers to another. Others include tasks.h.
 */
#ifndef SIM_POLICY_TASK_H
#define SIM_POLICY_TASK_H

#include "sim/policy/tasks.h"
#include "sim/policy/vmas.h"

/* System calls that matter here. */
enum call {
	CALL_NONE,
	CALL_OTHER,
	CALL_BRK,
	CALL_CLONE,
	CALL_CLONE3,
	CALL_EXEC,
	CALL_FORK,
	CALL_HOME_NODE,
	CALL_MADVISE,
	CALL_MBIND,
	CALL_MIGRATE_PAGES,
	CALL_MMAP,
	CALL_MMAP_PGOFF,
	CALL_MOVE_PAGES,
	CALL_MPROTECT,
	CALL_MREMAP,
	CALL_MUNMAP,
	CALL_SET_MEMPOLICY,
	CALL_VFORK,
};

#define CALL_MAX_ARGS   6
#define CALL_MAX_PASSES 64 /* nodes that a marker of migrate_pages() can tell */

/* What a marker says about the call that follows. */
struct marker {
	enum call call; /* CALL_NONE: there is none */
	struct mm_policy policy;
	bool has_mode, has_nodes;
	uint64_t start, len;
	int node; /* that pages are to move to; MM_NO_NODE where it is not one */
	/*
	 * Where pages go to several nodes: these, in the order in which lists of pages move. With
	 * move_pages() each time that the next page's node is another one.
	 */
	int16_t passes[CALL_MAX_PASSES];
	unsigned nr_passes;
};

/* An address space. Threads share one. */
struct space {
	unsigned users;
	struct vmas *vmas;
	uint64_t brk; /* 0: not known */
};

/* Pages of a system call that populates memory: one after the other, without faults. */
struct populate {
	bool on;
	uint64_t next;  /* address, or distance from a beginning that is not known yet */
	size_t *events; /* allocations that wait for that beginning */
	size_t nr, room;
};

struct task {
	uint32_t pid;
	struct task *next; /* of the same hash */
	struct space *space;
	uint16_t policy;   /* of the task; index among the trace's policies */
	bool policy_known; /* the trace told, be it the default */
	uint32_t turns;    /* that interleaving took outside faults since the policy was set */
	uint32_t rule;     /* of the policy file; 0: none */

	enum call call; /* that it is in */
	uint64_t args[CALL_MAX_ARGS];
	unsigned nr_args;
	struct marker marker; /* of the call to come */
	struct marker now;    /* of the call that it is in */
	uint16_t call_policy; /* mbind(): the policy that it sets */
	unsigned pass;        /* lists of pages that have moved */

	bool faulting, writing; /* in a page fault: */
	uint64_t address;
	bool many_failed; /* PREFERRED_MANY found nothing on its nodes: what follows is for all */
	bool reclaiming;  /* in direct reclaim */
	bool compacts;    /* for a block that it is about to get, */
	bool compacting;  /* and just now */

	struct space *before_exec; /* while it is in execve() */
	uint64_t stack_page;       /* that exec fills next */
	uint32_t fork_turns;       /* as a child gets them */
	struct populate populate;
	struct {
		size_t *events; /* allocations of pages that others move to */
		size_t nr, room;
	} moves;
};

#define TASK_BUCKETS 1024

struct tasks {
	struct task *buckets[TASK_BUCKETS];
	uint32_t seen;    /* system calls that the trace has shown, as bits */
	uint64_t highest; /* address of a fault; 0: none yet */
	/* By page number: its turn, so that a page that it moves to has the same. */
	uint32_t *turns;
	size_t turns_room;
	uint32_t pool_turns[NR_PAGE_ORDERS]; /* nodes that pools of huge pages have asked */
	/* Of the allocation between tasks_alloc() and tasks_allocated(). */
	enum { PAGE_KERNEL, PAGE_USER, PAGE_POPULATED, PAGE_MOVED } kind;
	uint32_t turn;
};

/** The task of that id, made where it is new; NULL where there is no memory. */
struct task *task_get(struct tasks *ts, uint32_t pid);
/** The task of that id, or NULL. */
struct task *task_find(struct tasks *ts, uint32_t pid);
/** Add to an array of events. Returns 0 or -ENOMEM. */
int events_push(size_t **events, size_t *nr, size_t *room, size_t event);

/* space.c */
struct space *space_new(void);
struct space *space_fork(struct space *s);
void space_put(struct space *s);

/* place.c */
/** Give the turns that waited for the beginning of what has been populated. */
void populate_done(struct task *task, uint64_t start, struct trace *t);

/* remap.c */
/**
 * The nodes that migrate_pages() moves pages to, in the order of its passes over the nodes that
 * they come from; fills `passes` and returns how many, none where `from` has more than `most`.
 */
unsigned remap_passes(const struct mm_nodemask *from, const struct mm_nodemask *to, int16_t *passes,
		      unsigned most);

/* fields.c: texts of events */
/** "key: value" or "key=value": a hexadecimal number, with or without 0x. */
const char *fields_hex(const char *p, uint64_t *out);
/** A decimal number after `key` ("pid=") somewhere in the text. False where there is none. */
bool fields_decimal(const char *text, const char *key, uint64_t *out);
/** The call by its name without "sys_", "sys_enter_", "sys_exit_". */
enum call fields_call(const char *name, size_t len);
/** "0,2-3" into a mask; returns what follows, NULL where it is no list. */
const char *fields_nodes(const char *p, struct mm_nodemask *nodes);
/** "MPOL_BIND|MPOL_F_STATIC_NODES" or a name without MPOL_; returns false where unknown. */
bool fields_mode(const char *p, size_t len, struct mm_policy *policy);
/** What comes after "numasim: ". */
void fields_marker(const char *text, struct marker *m);

/* calls.c */
/** The task enters a call, whose arguments are in task->args. Returns 0 or -ENOMEM. */
int call_enter(struct tasks *ts, struct task *task, struct trace *t);
/** It returns from it. */
int call_exit(struct tasks *ts, struct task *task, int64_t result, struct trace *t);
/** A marker whose call the trace does not show is in force from here. */
int call_unseen(struct tasks *ts, struct task *task, struct trace *t);

#endif

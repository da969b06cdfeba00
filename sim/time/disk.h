/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Disks at work. A request waits in the disk's queue; the disk works on queue_depth of them at
 * once, each taking the disk's latency and then its bytes, which share what the disk moves. What
 * works on one is an actor, a server, that is made when it is first needed.
 *
 * A write, and what is read ahead, goes on beside who asked for it, whose CPU is interrupted when
 * it is done; who reads waits, while threads may have its CPU. Writes that one CPU asks for in a
 * row are one request while it waits, up to MERGED_BYTES; and who asks for more of them than
 * nr_requests allows waits until one is done.
 *
 * Which goes first follows Linux 6.1 block/mq-deadline.c but for sectors, which nothing has here:
 * 16 requests of a direction in a row, reads before writes, but not three times in a row, and three
 * quarters of nr_requests for writes. Or block layer's "none": first come, first served.
 */
#ifndef SIM_DISK_H
#define SIM_DISK_H

#include "sim/time/kthread.h"

struct disk;
struct disk_request;

struct disk_server {
	struct disk *disk;
	int number; /* of its actor */
	bool started, idle;
};

struct disk {
	struct disks *all;
	const struct machine_disk *config;
	int index; /* of the machine's */
	struct disk_queue {
		struct disk_request *first, *last;
	} queues[2];                     /* that wait, in order: reads, writes; "none": all */
	unsigned direction, batch;       /* of the last one that was begun, and how many in a row */
	unsigned starved;                /* times that reads went before writes */
	uint64_t nr_waiting, nr_pending; /* of these; and those it works on, too */
	uint64_t nr_writes;              /* of these */
	struct disk_wait *first_wait, *last_wait; /* for a write to be done, in order */
	uint64_t busy_since_ps;                   /* where nr_pending is not 0 */
	struct disk_server *servers;              /* queue_depth of them */
	struct disk_account account;
};

struct disks {
	struct mm *mm;
	struct engine *engine;
	struct kthreads *kthreads;
	struct disk *disks;
	int nr;
	bool counted; /* the last program has ended: nothing more is counted */
	bool over;    /* so have all threads: nothing more is begun */
};

/** After the threads, before the run. Returns 0 or -ENOMEM. */
int disks_init(struct disks *d, const struct machine *m, struct mm *mm, struct engine *engine,
	       struct kthreads *kthreads);
void disks_clear(struct disks *d);

/** mm_ops.write, which the CPU has come to with what it has charged. Time passes where there are as
 * many as there may be, and who asks may wait. Returns false where there is no memory for the
 * request. */
bool disks_write(struct disks *d, int disk, struct cpu *c, struct page *page, uint64_t bytes,
		 bool may_wait);
/** The same of mm_ops.read_ahead. */
bool disks_read_ahead(struct disks *d, int disk, struct cpu *c, struct mm_read *read,
		      uint64_t bytes);
/** mm_ops.read, on whoever runs on `c`, settled. Time passes. */
void disks_read(struct disks *d, int disk, struct cpu *c, uint64_t bytes);
/** Has any of them anything to do? */
bool disks_busy(const struct disks *d);

#endif

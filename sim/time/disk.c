/* SPDX-License-Identifier: Apache-2.0 */
/* Queues of disks and who works on them. Knows pages only to say that they are written. */
#include "sim/time/disk.h"

#include <errno.h>
#include <stdlib.h>

#include "mm/reclaim/lru.h"
#include "mm/user/user.h"

#define MERGED_BYTES   (UINT64_C(128) << 10) /* BLK_PLUG_FLUSH_SIZE */
#define FIFO_BATCH     16
#define WRITES_STARVED 2

enum { READS, WRITES };

struct disk_request {
	struct disk_request *next;
	struct disk_request *joined; /* pages that are written with this one */
	struct page *page;           /* to be written; NULL: a read */
	struct mm_read *read;        /* that nobody waits for; NULL: somebody does */
	struct cpu *cpu;             /* of who asked */
	int waiter;                  /* actor of who reads */
	uint64_t bytes;              /* of those that have joined, too */
	uint64_t since_ps;           /* when the CPU will have got to asking */
	bool done;
};

/* Who is to write, and waits for his turn. */
struct disk_wait {
	struct disk_wait *next;
	int number; /* of the actor */
	bool done;
};

static void stop_counting(void *arg);
static void end(void *arg);

static void disk_init(struct disks *d, int index, const struct machine_disk *config, int number)
{
	struct disk *disk = &d->disks[index];

	*disk = (struct disk){
		.all = d,
		.config = config,
		.index = index,
		.servers = calloc(config->queue_depth, sizeof(*disk->servers)),
	};
	for (unsigned i = 0; disk->servers && i < config->queue_depth; i++)
		disk->servers[i] = (struct disk_server){.disk = disk, .number = number + (int)i};
}

int disks_init(struct disks *d, const struct machine *m, struct mm *mm, struct engine *engine,
	       struct kthreads *kthreads)
{
	int number = m->mm.nr_cpus + kthreads->nr, nr_servers = 0;

	*d = (struct disks){.mm = mm, .engine = engine, .kthreads = kthreads};
	kthreads->programs_over = stop_counting;
	kthreads->over = end;
	kthreads->over_arg = d;
	d->disks = calloc((size_t)m->nr_disks + 1, sizeof(*d->disks));
	if (!d->disks)
		return -ENOMEM;
	d->nr = m->nr_disks;
	for (int i = 0; i < m->nr_disks; i++) {
		disk_init(d, i, &m->disks[i], number + nr_servers);
		if (!d->disks[i].servers)
			return -ENOMEM;
		nr_servers += (int)m->disks[i].queue_depth;
	}
	return engine_add_threads(engine, nr_servers);
}

static void free_request(struct disk_request *q)
{
	for (struct disk_request *next; q; q = next) {
		next = q->joined;
		free(q);
	}
}

static void drop_queue(struct disk_queue *queue)
{
	struct disk_request *q;

	while ((q = queue->first)) {
		queue->first = q->next;
		free_request(q);
	}
	queue->last = NULL;
}

void disks_clear(struct disks *d)
{
	for (int i = 0; d->disks && i < d->nr; i++) {
		drop_queue(&d->disks[i].queues[READS]);
		drop_queue(&d->disks[i].queues[WRITES]);
		free(d->disks[i].servers);
	}
	free(d->disks);
}

bool disks_busy(const struct disks *d)
{
	for (int i = 0; i < d->nr; i++)
		if (d->disks[i].nr_pending)
			return true;
	return false;
}

/* Whose turn it is, where any waits: those of the last direction up to a batch, then reads if not
 * too often. */
static struct disk_queue *choose(struct disk *disk)
{
	struct disk_queue *reads = &disk->queues[READS], *writes = &disk->queues[WRITES];
	bool go_on = disk->batch < FIFO_BATCH && disk->queues[disk->direction].first;

	if (go_on) {
		disk->batch++;
		return &disk->queues[disk->direction];
	}
	disk->direction = WRITES;
	if (reads->first && (!writes->first || disk->starved++ < WRITES_STARVED))
		disk->direction = READS;
	else
		disk->starved = 0;
	disk->batch = 1;
	return &disk->queues[disk->direction];
}

static struct disk_request *take(struct disk *disk)
{
	struct disk_queue *queue;
	struct disk_request *q;

	if (!disk->nr_waiting || disk->all->over)
		return NULL;
	queue = choose(disk);
	q = queue->first;
	queue->first = q->next;
	if (!queue->first)
		queue->last = NULL;
	disk->nr_waiting--;
	return q;
}

/* Requests to write that there may be. */
static uint64_t most_writes(const struct disk *disk)
{
	uint64_t most = disk->config->nr_requests;

	if (disk->config->scheduler == DISK_DEADLINE)
		most = most * 3 / 4;
	return most ? most : 1;
}

/* One is done: the next may ask. */
static void let_write(struct disk *disk)
{
	struct disk_wait *w = disk->first_wait;

	disk->nr_writes--;
	if (!w || disk->nr_writes >= most_writes(disk))
		return;
	disk->nr_writes++;
	disk->first_wait = w->next;
	w->done = true;
	engine_unblock(disk->all->engine, w->number);
}

static void account(struct disk *disk, const struct disk_request *q)
{
	struct disk_account *a = &disk->account;

	if (disk->all->counted)
		return;
	*(q->page ? &a->writes : &a->reads) += 1;
	*(q->page ? &a->bytes_written : &a->bytes_read) += q->bytes;
	if (!disk->nr_pending)
		a->busy_ps += engine_now_ps(disk->all->engine) - disk->busy_since_ps;
}

static void work_on(struct disk *disk, struct disk_request *q)
{
	struct disks *d = disk->all;
	uint64_t from_ps = engine_now_ps(d->engine);

	if (from_ps < q->since_ps)
		from_ps = q->since_ps;
	if (!d->counted)
		disk->account.wait_ps += from_ps - q->since_ps;
	engine_sleep_until(d->engine, from_ps + disk->config->latency_ps);
	engine_transfer(d->engine,
			&(struct flow_part){
				.way = {.nid = -1, .bank = disk->index, .write = q->page},
				.bytes = q->bytes,
			},
			1);
	disk->nr_pending--;
	account(disk, q);
	if (!q->page && !q->read) {
		q->cpu->nr_io_done++;
		q->done = true;
		engine_unblock(d->engine, q->waiter);
		return;
	}
	/* Who has nothing to do is not held up. */
	if (!q->cpu->idle || q->cpu->guest)
		q->cpu->nr_io_done++;
	if (q->page)
		let_write(disk);
	if (!d->over && q->read)
		mm_read_interrupt(d->mm, q->cpu->id, q->read);
	for (struct disk_request *w = q->page ? q : NULL; w && !d->over; w = w->joined)
		mm_write_interrupt(d->mm, w->cpu->id, w->page);
	free_request(q);
}

static void serve(void *arg)
{
	struct disk_server *s = arg;
	struct disk_request *q;

	for (;;) {
		while (!(q = take(s->disk))) {
			if (s->disk->all->over)
				return;
			s->idle = true;
			engine_block(s->disk->all->engine);
		}
		work_on(s->disk, q);
	}
}

/* One that has nothing to do, or a new one, if there may be one more. */
static void call_server(struct disk *disk)
{
	struct engine *e = disk->all->engine;

	for (unsigned i = 0; i < disk->config->queue_depth; i++) {
		struct disk_server *s = &disk->servers[i];
		bool started = s->started;

		if (started && !s->idle)
			continue;
		/* Others may call one, too, before these return. */
		s->started = true;
		s->idle = false;
		if (started)
			engine_unblock(e, s->number);
		else
			engine_add_actor(e, s->number, serve, s);
		return;
	}
}

static struct disk_queue *queue_of(struct disk *disk, bool writes)
{
	return &disk->queues[writes && disk->config->scheduler == DISK_DEADLINE ? WRITES : READS];
}

static void submit(struct disk *disk, struct disk_request *q)
{
	struct disk_queue *queue = queue_of(disk, q->page);

	if (queue->last)
		queue->last->next = q;
	else
		queue->first = q;
	queue->last = q;
	if (!disk->nr_pending++)
		disk->busy_since_ps = q->since_ps; /* the CPU has charges before it */
	disk->nr_waiting++;
	if (!disk->all->counted && disk->nr_waiting > disk->account.most_waiting)
		disk->account.most_waiting = disk->nr_waiting;
	call_server(disk);
}

/* Whoever runs on `c`, settled, waits until it is done; others may have the CPU. */
static void wait_for(struct disks *d, struct cpu *c, const bool *done)
{
	struct kthread *guest = c->guest;

	c->nr_disk_waits++;
	if (guest) {
		kthread_wait(d->kthreads, guest, done);
	} else {
		kthreads_offer(d->kthreads, c);
		do
			engine_block(d->engine);
		while (!*done);
		if (!c->guest)
			cpu_catch_up(c, CAUSE_DISK);
	}
	c->nr_disk_waits--;
	if (!guest)
		kthreads_reclaim(d->kthreads, c);
}

static int actor_on(const struct cpu *c)
{
	return c->guest ? kthread_number(c->guest) : c->id;
}

/* Joins the request that waits last, if the same CPU has asked for that. */
static bool join(struct disk *disk, const struct cpu *c, struct disk_request *q)
{
	struct disk_request *last = queue_of(disk, true)->last;

	if (!last || !last->page || last->cpu != c || last->bytes + q->bytes > MERGED_BYTES)
		return false;
	q->joined = last->joined;
	last->joined = q;
	last->bytes += q->bytes;
	return true;
}

static void wait_to_write(struct disk *disk, struct cpu *c)
{
	struct disk_wait w = {.number = actor_on(c)};

	if (disk->first_wait)
		disk->last_wait->next = &w;
	else
		disk->first_wait = &w;
	disk->last_wait = &w;
	cpu_settle(c);
	wait_for(disk->all, c, &w.done);
}

bool disks_write(struct disks *d, int disk, struct cpu *c, struct page *page, uint64_t bytes,
		 bool may_wait)
{
	struct disk *to = &d->disks[disk];
	struct disk_request *q = malloc(sizeof(*q));

	if (!q)
		return false;
	*q = (struct disk_request){.page = page, .bytes = bytes, .cpu = c};
	if (join(to, c, q))
		return true;
	if (may_wait && to->nr_writes >= most_writes(to))
		wait_to_write(to, c);
	else
		to->nr_writes++;
	q->since_ps = cpu_pending_until_ps(c);
	submit(to, q);
	return true;
}

bool disks_read_ahead(struct disks *d, int disk, struct cpu *c, struct mm_read *read,
		      uint64_t bytes)
{
	struct disk_request *q = malloc(sizeof(*q));

	if (!q)
		return false;
	*q = (struct disk_request){
		.read = read, .bytes = bytes, .cpu = c, .since_ps = cpu_pending_until_ps(c)};
	submit(&d->disks[disk], q);
	return true;
}

void disks_read(struct disks *d, int disk, struct cpu *c, uint64_t bytes)
{
	struct disk_request q = {
		.cpu = c, .waiter = actor_on(c), .bytes = bytes, .since_ps = c->now_ps};

	submit(&d->disks[disk], &q);
	wait_for(d, c, &q.done);
}

static void stop_counting(void *arg)
{
	struct disks *d = arg;

	d->counted = true;
	for (int i = 0; i < d->nr; i++) {
		struct disk *disk = &d->disks[i];

		disk->account.unfinished = disk->nr_pending;
		if (disk->nr_pending)
			disk->account.busy_ps += engine_now_ps(d->engine) - disk->busy_since_ps;
	}
}

/* On the last actor of all others. */
static void end(void *arg)
{
	struct disks *d = arg;

	d->over = true;
	for (int i = 0; i < d->nr; i++) {
		struct disk *disk = &d->disks[i];

		for (unsigned n = 0; n < disk->config->queue_depth; n++) {
			struct disk_server *s = &disk->servers[n];

			if (s->started && s->idle)
				engine_unblock(d->engine, s->number);
			s->idle = false;
		}
	}
}

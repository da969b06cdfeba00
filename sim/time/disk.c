/* SPDX-License-Identifier: Apache-2.0 */
/* Queues of disks and who works on them. Knows pages only to say that they are written. */
#include "sim/time/disk.h"

#include <errno.h>
#include <stdlib.h>

#include "mm/reclaim/lru.h"
#include "mm/user/user.h"

struct disk_request {
	struct disk_request *next;
	struct page *page;    /* to be written; NULL: a read */
	struct mm_read *read; /* that nobody waits for; NULL: somebody does */
	struct cpu *cpu;      /* of who asked */
	int waiter;           /* actor of who reads */
	uint64_t bytes;
	uint64_t since_ps; /* when the CPU will have got to asking */
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

static void drop_queue(struct disk *disk)
{
	struct disk_request *q;

	while ((q = disk->first)) {
		disk->first = q->next;
		free(q);
	}
	disk->last = NULL;
}

void disks_clear(struct disks *d)
{
	for (int i = 0; d->disks && i < d->nr; i++) {
		drop_queue(&d->disks[i]);
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

static struct disk_request *take(struct disk *disk)
{
	struct disk_request *q = disk->first;

	if (!q || disk->all->over)
		return NULL;
	disk->first = q->next;
	if (!disk->first)
		disk->last = NULL;
	disk->nr_waiting--;
	return q;
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
	engine_disk_transfer(d->engine, disk->index, q->page, q->bytes);
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
	if (!d->over && q->page)
		mm_write_interrupt(d->mm, q->cpu->id, q->page);
	else if (!d->over)
		mm_read_interrupt(d->mm, q->cpu->id, q->read);
	free(q);
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
			engine_block(s->disk->all->engine, s->number);
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

static void submit(struct disk *disk, struct disk_request *q)
{
	if (disk->last)
		disk->last->next = q;
	else
		disk->first = q;
	disk->last = q;
	if (!disk->nr_pending++)
		disk->busy_since_ps = q->since_ps; /* the CPU has charges before it */
	disk->nr_waiting++;
	if (!disk->all->counted && disk->nr_waiting > disk->account.most_waiting)
		disk->account.most_waiting = disk->nr_waiting;
	call_server(disk);
}

/* What goes on beside who asks for it. */
static bool begin(struct disks *d, int disk, struct cpu *c, struct disk_request like)
{
	struct disk_request *q = malloc(sizeof(*q));

	if (!q)
		return false;
	*q = like;
	q->cpu = c;
	q->since_ps = cpu_pending_until_ps(c);
	submit(&d->disks[disk], q);
	return true;
}

bool disks_write(struct disks *d, int disk, struct cpu *c, struct page *page, uint64_t bytes)
{
	return begin(d, disk, c, (struct disk_request){.page = page, .bytes = bytes});
}

bool disks_read_ahead(struct disks *d, int disk, struct cpu *c, struct mm_read *read,
		      uint64_t bytes)
{
	return begin(d, disk, c, (struct disk_request){.read = read, .bytes = bytes});
}

void disks_read(struct disks *d, int disk, struct cpu *c, uint64_t bytes)
{
	int number = c->guest ? kthread_number(c->guest) : c->id;
	struct disk_request q = {.cpu = c, .waiter = number, .bytes = bytes, .since_ps = c->now_ps};
	struct kthread *guest = c->guest;

	c->nr_disk_waits++;
	submit(&d->disks[disk], &q);
	if (guest) {
		kthread_wait(d->kthreads, guest, &q.done);
	} else {
		kthreads_offer(d->kthreads, c);
		while (!q.done)
			engine_block(d->engine, number);
		if (!c->guest)
			cpu_catch_up(c, CAUSE_DISK);
	}
	c->nr_disk_waits--;
	if (!guest)
		kthreads_reclaim(d->kthreads, c);
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

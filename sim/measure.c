/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What measurements share: phases, buffers, streams and chains of accesses. Printing is in
 * measure_text.c, what is measured in sim/measure/.
 */
#include "sim/measure.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "sim/json.h"

/* Bytes between two looks at the clock: a page, a microsecond of a CPU's share of its bank. */
#define LINE_BYTES   64
#define PAUSE_LINES  4  /* a pause comes after so many lines */
#define MOST_PAUSES  16 /* of a chunk */
#define PAUSE_CYCLES 1600
#define STAGGER_PS   UINT64_C(61000) /* between the starts of streams, */
#define NR_STAGGERED 24              /* up to about the time of a chunk */
#define WINDOW_LINES 4096            /* 256 KiB */
#define CHASE_STEPS  8               /* between two looks at the clock */

const struct measure_mix measure_mixes[] = {
	{"reads", "ALL Reads        ", 1, 0, false}, {"3:1", "3:1 Reads-Writes ", 3, 1, false},
	{"2:1", "2:1 Reads-Writes ", 2, 1, false},   {"1:1", "1:1 Reads-Writes ", 1, 1, false},
	{"triad", "Stream-triad like", 2, 1, true},  {NULL, NULL, 0, 0, false},
};

int measure_run(const struct measure_kind *kind, const struct measure *m, json_t **doc)
{
	json_t *machine;
	int err;

	*doc = json_object();
	if (!*doc)
		return -ENOMEM;
	json_put_string(*doc, "measure", kind->name);
	machine = json_put_object(*doc, "machine");
	json_put_string(machine, "name", m->machine->name);
	json_put_string(machine, "file", m->machine->file);
	err = kind->run(m, *doc);
	if (err) {
		json_decref(*doc);
		*doc = NULL;
	}
	return err;
}

void measure_step(struct measure_team *t, uint64_t nr)
{
	uint64_t total = t->total ? t->total : (uint64_t)t->nr_phases;

	t->done += nr;
	if (t->m && t->m->progress)
		t->m->progress(t->m->progress_arg, t->done, total);
}

/* The last one to come wakes the others. */
static void meet(struct measure_team *t, int cpu)
{
	int nr_cpus = sim_machine(t->sim)->mm.nr_cpus;

	sim_settle(t->sim, cpu);
	if (++t->arrived < nr_cpus) {
		sim_sleep(t->sim, cpu);
		return;
	}
	t->arrived = 0;
	if (!t->total)
		measure_step(t, 1);
	for (int other = 0; other < nr_cpus; other++)
		if (other != cpu)
			sim_wake(t->sim, other);
}

static void member(struct sim *s, int cpu, void *arg)
{
	struct measure_team *t = arg;

	(void)s;
	for (int phase = 0; phase < t->nr_phases; phase++) {
		t->work(t, cpu, phase);
		meet(t, cpu);
	}
}

int measure_team_run(struct measure_team *t)
{
	int err = 0;

	for (int cpu = 0; cpu < sim_machine(t->sim)->mm.nr_cpus && !err; cpu++)
		err = sim_spawn(t->sim, cpu, member, t);
	return err ? err : sim_run(t->sim);
}

/* A block of 2^order of that node, or NULL. */
static struct page *take(struct mm *mm, int nid, unsigned order)
{
	struct mm_request req = {
		.nid = nid,
		.order = order,
		.gfp = ((GFP_HIGHUSER_MOVABLE | __GFP_THISNODE | __GFP_NOWARN) & ~__GFP_RECLAIM),
	};
	struct page *page;

	return mm_alloc_pages(mm, &req, &page) ? NULL : page;
}

int measure_buffer_take(const struct measure *m, struct sim *s, int nid, uint64_t bytes,
			struct measure_buffer *b)
{
	struct mm *mm = sim_mm(s);
	unsigned order = MAX_PAGE_ORDER, page_shift = mm_get_arch(mm)->page_shift;
	struct page *page = take(mm, nid, order);
	uint64_t most;

	*b = (struct measure_buffer){.nid = nid};
	while (!page && order)
		page = take(mm, nid, --order);
	if (!page)
		return diag_error(m->diag, -ENOSPC, m->machine->file, 0,
				  "node %d has no free memory to measure with", nid);
	b->block_bytes = UINT64_C(1) << (page_shift + order);
	if ((MOST_PAUSES * PAUSE_LINES + 1) * m->stride > b->block_bytes)
		return diag_error(m->diag, -ENOSPC, m->machine->file, 0,
				  "node %d has no free blocks of memory large enough for a stride "
				  "of %" PRIu64 " B",
				  nid, m->stride);
	most = bytes / b->block_bytes + 1;
	b->blocks = calloc(most, sizeof(*b->blocks));
	if (!b->blocks)
		return -ENOMEM;
	while (page) {
		b->blocks[b->nr++] = mm_page_to_pfn(mm, MM_NO_CPU, page) << page_shift;
		page = b->nr < most ? take(mm, nid, order) : NULL;
	}
	return 0;
}

void measure_buffer_clear(struct measure_buffer *b)
{
	free(b->blocks);
}

int measure_buffers(const struct measure *m, struct sim *s, uint64_t bytes,
		    struct measure_buffer **out)
{
	int nr_nodes = m->machine->mm.nr_nodes, err = 0;
	struct measure_buffer *buffers = calloc((size_t)nr_nodes, sizeof(*buffers));

	*out = buffers;
	if (!buffers)
		return -ENOMEM;
	for (int nid = 0; nid < nr_nodes && !err; nid++)
		if (measure_to(m, nid))
			err = measure_buffer_take(m, s, nid, bytes, &buffers[nid]);
	return err;
}

void measure_buffers_free(const struct measure *m, struct measure_buffer *buffers)
{
	for (int nid = 0; buffers && nid < m->machine->mm.nr_nodes; nid++)
		measure_buffer_clear(&buffers[nid]);
	free(buffers);
}

int measure_first_cpu(const struct machine *m, int nid)
{
	for (int cpu = 0; cpu < m->mm.nr_cpus; cpu++)
		if (m->cpus[cpu].nid == nid)
			return cpu;
	return MM_NO_CPU;
}

bool measure_from(const struct measure *m, int from)
{
	return measure_first_cpu(m->machine, from) != MM_NO_CPU &&
	       (m->from == MM_NO_NODE || m->from == from);
}

bool measure_to(const struct measure *m, int to)
{
	return m->machine->banks[to].bytes_per_s && (m->to == MM_NO_NODE || m->to == to);
}

uint64_t measure_beyond_caches(const struct machine *m)
{
	uint64_t bytes = UINT64_C(16) << 20;

	for (int i = 0; i < m->nr_caches; i++)
		if (4 * m->caches[i].size_bytes > bytes)
			bytes = 4 * m->caches[i].size_bytes;
	return bytes;
}

/* Of a chunk: as few as there are lines in flight, which less would leave idle. */
static uint64_t most_pauses(const struct machine_cpu *c, const struct measure_times *times)
{
	uint64_t most = ((uint64_t)c->prefetched + PAUSE_LINES - 1) / PAUSE_LINES;

	return times->fine && c->prefetched && most < MOST_PAUSES ? most : MOST_PAUSES;
}

/* Lines of a stride are at its multiples, in all blocks: those of one channel stay there. */
static uint64_t first_line(const struct measure_buffer *b, uint64_t block, uint64_t stride)
{
	uint64_t beyond = stride ? b->blocks[block] % stride : 0;

	return beyond ? stride - beyond : 0;
}

/* Stream for `ps`; returns bytes a second. */
static uint64_t stream_for(struct measure_team *t, int cpu, const struct measure_mix *mix,
			   const struct measure_buffer *b, const struct measure_times *times,
			   uint64_t pause, uint64_t ps)
{
	uint64_t block = (uint64_t)cpu % b->nr, done = 0;
	uint64_t start_ps = sim_now_ps(t->sim, cpu), now_ps = start_ps, bytes = 0;
	uint64_t most = most_pauses(&sim_machine(t->sim)->cpus[cpu], times);
	uint64_t pauses = pause > PAUSE_CYCLES / most ? PAUSE_CYCLES / pause : most;
	uint64_t chunk = (pauses ? pauses : 1) * PAUSE_LINES * LINE_BYTES;
	uint64_t span = t->m->stride ? chunk / LINE_BYTES * t->m->stride : chunk;
	uint64_t read = chunk * mix->reads / (mix->reads + mix->writes);
	struct sim_stream stream = {
		.bytes_read = read,
		.bytes_written = chunk - read,
		.past_cache = mix->past_cache,
		.stride = t->m->stride,
	};

	done = first_line(b, block, t->m->stride);

	while (now_ps - start_ps < ps) {
		/* A block whose last chunk is cut off is left for the next one. */
		if (done + span > b->block_bytes) {
			block = (block + 1) % b->nr;
			done = first_line(b, block, t->m->stride);
		}
		stream.at = b->blocks[block] + done;
		done += span;
		sim_stream(t->sim, cpu, &stream);
		if (pause) {
			sim_compute(t->sim, cpu, pause * (pauses ? pauses : 1));
			sim_settle(t->sim, cpu);
		}
		bytes += chunk;
		now_ps = sim_now_ps(t->sim, cpu);
	}
	return (uint64_t)((__uint128_t)bytes * UINT64_C(1000000000000) / (now_ps - start_ps));
}

uint64_t measure_stream(struct measure_team *t, int cpu, const struct measure_mix *mix,
			const struct measure_buffer *b, const struct measure_times *times,
			uint64_t pause)
{
	uint64_t now_ps = sim_now_ps(t->sim, cpu), rate;

	/* Real threads are not in step with each other. */
	sim_idle_until(t->sim, cpu, now_ps + STAGGER_PS * (uint64_t)(cpu % NR_STAGGERED));
	stream_for(t, cpu, mix, b, times, pause, times->warm_ps);
	rate = stream_for(t, cpu, mix, b, times, pause, times->measure_ps);
	/* Others are still measuring. */
	stream_for(t, cpu, mix, b, times, pause, times->warm_ps / 8);
	return rate;
}

/* The golden section of n, made prime to it: multiples of it, modulo n, are far apart. */
static uint64_t far_step(uint64_t n)
{
	uint64_t step = n * 618 / 1000 | 1, a, b;

	for (;; step += 2) {
		for (a = n, b = step; b;) {
			uint64_t rest = a % b;

			a = b;
			b = rest;
		}
		if (a == 1)
			return step;
	}
}

/* Lines in the order in which they are visited: each far from those before it. */
struct order {
	uint64_t lines, window, step;
};

/*
 * Where there is a TLB, one window of huge pages after the other and at random within it, as MLC
 * goes about it to measure memory and not the TLB.
 */
static struct order order_of(const struct machine *m, uint64_t lines)
{
	struct order o = {.lines = lines, .window = lines};

	if (m->tlb.nr_first && lines > WINDOW_LINES)
		o.window = WINDOW_LINES;
	o.step = far_step(o.window);
	return o;
}

static uint64_t line_at(const struct order *o, uint64_t i)
{
	uint64_t window = i / o->window % (o->lines / o->window);

	return window * o->window + i % o->window * o->step % o->window;
}

uint64_t measure_chase(struct measure_team *t, int cpu, struct measure_buffer *b, uint64_t ps,
		       uint64_t least)
{
	uint64_t start_ps = sim_now_ps(t->sim, cpu), now_ps = start_ps, steps = 0;
	uint64_t lines = b->block_bytes / LINE_BYTES;
	const struct order order = order_of(sim_machine(t->sim), b->nr * lines);

	while (now_ps - start_ps < ps || steps < least) {
		for (int i = 0; i < CHASE_STEPS; i++) {
			uint64_t line = line_at(&order, b->next++);

			sim_chase(t->sim, cpu, b->blocks[line / lines] + line % lines * LINE_BYTES);
		}
		sim_settle(t->sim, cpu);
		steps += CHASE_STEPS;
		now_ps = sim_now_ps(t->sim, cpu);
	}
	return (now_ps - start_ps) / steps;
}

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
#include "sim/mul_div.h"

#define PS_PER_S     UINT64_C(1000000000000)
#define LINE_BYTES   64
#define PAUSE_LINES  (MEASURE_PAUSE_BYTES / LINE_BYTES)
#define MOST_PAUSES  16 /* of a chunk */
#define PAUSE_CYCLES 1600
#define MOST_BYTES   (UINT64_C(16) << 10) /* of a chunk, where nothing is computed between, */
#define CHUNKS       50                   /* but so many while it is measured; */
#define WARM_BYTES   (UINT64_C(64) << 10) /* while the load is becoming steady */
#define WARM_CHUNKS  128
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
	struct measure of_kind = *m;
	json_t *machine;
	int err;

	of_kind.to_cpus = kind->to_cpus;
	*doc = json_object();
	if (!*doc)
		return -ENOMEM;
	json_put_string(*doc, "measure", kind->name);
	machine = json_put_object(*doc, "machine");
	json_put_string(machine, "name", m->machine->name);
	json_put_string(machine, "file", m->machine->file);
	err = kind->run(&of_kind, *doc);
	if (err == -EOVERFLOW)
		sim_tell_overflow(m->machine, m->diag);
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

/* The next phase that anybody is in: how many are. Past the last one: none. */
static void next_phase(struct measure_team *t)
{
	int nr_cpus = sim_machine(t->sim)->mm.nr_cpus;

	t->left = 0;
	while (!t->left && ++t->phase < t->nr_phases) {
		if (t->phase && !t->total)
			measure_step(t, 1);
		for (int cpu = 0; cpu < nr_cpus; cpu++)
			t->left += t->joins(t, cpu, t->phase);
	}
	if (t->rested)
		sim_forget_loads(t->sim);
}

/* All are there: wake who is in the next phase, or everybody once there is none. */
static void go_on(struct measure_team *t, int cpu)
{
	int nr_cpus = sim_machine(t->sim)->mm.nr_cpus;

	if (t->ended)
		t->ended(t, t->phase);
	next_phase(t);
	for (int other = 0; other < nr_cpus; other++)
		if (other != cpu && (t->phase >= t->nr_phases || t->joins(t, other, t->phase)))
			sim_wake(t->sim, other);
}

/* Whoever has nothing to do in a phase sleeps through it. */
static void member(struct sim *s, int cpu, void *arg)
{
	struct measure_team *t = arg;
	int done = -1, err = 0;

	while (t->phase < t->nr_phases && !err) {
		if (done == t->phase || !t->joins(t, cpu, t->phase)) {
			err = sim_sleep(s, cpu);
			continue;
		}
		done = t->phase;
		t->work(t, cpu, done);
		sim_settle(s, cpu);
		if (--t->left == 0)
			go_on(t, cpu);
	}
}

int measure_team_run(struct measure_team *t)
{
	int err = 0;

	t->phase = -1;
	next_phase(t);
	for (int cpu = 0; cpu < sim_machine(t->sim)->mm.nr_cpus && !err; cpu++)
		err = sim_spawn(t->sim, cpu, member, t);
	return err ? err : sim_run(t->sim);
}

/* A block of 2^order of that node, or NULL. */
static struct page *take(const struct measure *m, int nid, unsigned order)
{
	struct mm *mm = sim_mm(m->sim);
	struct mm_request req = {
		.nid = nid,
		.order = order,
		.gfp = (GFP_HIGHUSER_MOVABLE | __GFP_NOWARN) & ~__GFP_RECLAIM,
	};
	struct page *page;

	if (m->nr_nodes == mm_nr_nodes(mm))
		req.gfp |= __GFP_THISNODE;
	return mm_alloc_pages(mm, &req, &page) ? NULL : page;
}

int measure_buffer_take(const struct measure *m, int nid, uint64_t bytes, struct measure_buffer *b)
{
	struct mm *mm = sim_mm(m->sim);
	unsigned order = MAX_PAGE_ORDER, page_shift = mm_get_arch(mm)->page_shift;
	struct page *page = take(m, nid, order);
	uint64_t most;

	*b = (struct measure_buffer){.nid = nid};
	while (!page && order)
		page = take(m, nid, --order);
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
		page = b->nr < most ? take(m, nid, order) : NULL;
	}
	return 0;
}

void measure_buffer_clear(struct measure_buffer *b)
{
	free(b->blocks);
}

int measure_buffers(const struct measure *m, uint64_t bytes, struct measure_buffer **out)
{
	int err = 0;
	struct measure_buffer *buffers = calloc((size_t)m->nr_nodes, sizeof(*buffers));

	*out = buffers;
	if (!buffers)
		return -ENOMEM;
	for (int nid = 0; nid < m->nr_nodes && !err; nid++)
		if (measure_to(m, nid))
			err = measure_buffer_take(m, nid, bytes, &buffers[nid]);
	return err;
}

void measure_buffers_free(const struct measure *m, struct measure_buffer *buffers)
{
	for (int nid = 0; buffers && nid < m->nr_nodes; nid++)
		measure_buffer_clear(&buffers[nid]);
	free(buffers);
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

/* What a CPU streams through. */
struct streamer {
	const struct measure_mix *mix;
	const struct measure_buffer *b;
	const struct measure_times *times;
	uint64_t stride;        /* from line to line; 0: one line */
	uint64_t pause;         /* cycles, */
	uint64_t pauses;        /* so many in a chunk */
	uint64_t chunk;         /* bytes; grows, where it may, */
	uint64_t most, most_ps; /* to so many, and while it takes no longer */
	uint64_t block, offset; /* where the next one begins */
};

/*
 * A pause is a loop that does not wait for the lines that were asked for before it: what they took
 * has passed of it already.
 */
static void go_through_pause(struct measure_team *t, int cpu, uint64_t cycles, uint64_t took_ps)
{
	uint64_t took = mul_div(took_ps, sim_machine(t->sim)->cpus[cpu].freq_hz, PS_PER_S);

	if (took >= cycles)
		return;
	sim_compute(t->sim, cpu, cycles - took);
	sim_settle(t->sim, cpu);
}

/* The next chunk. */
static void stream_chunk(struct measure_team *t, int cpu, struct streamer *w)
{
	const struct measure_mix *mix = w->mix;
	uint64_t read = w->chunk * mix->reads / (mix->reads + mix->writes);
	uint64_t span = w->stride ? w->chunk / LINE_BYTES * w->stride : w->chunk, before_ps;
	struct sim_stream stream = {
		.bytes_read = read,
		.bytes_written = w->chunk - read,
		.past_cache = mix->past_cache,
		.stride = w->stride,
	};

	/* A block whose last chunk is cut off is left for the next one. */
	if (w->offset + span > w->b->block_bytes) {
		w->block = (w->block + 1) % w->b->nr;
		w->offset = first_line(w->b, w->block, w->stride);
	}
	stream.at = w->b->blocks[w->block] + w->offset;
	w->offset += span;
	before_ps = sim_now_ps(t->sim, cpu);
	sim_stream(t->sim, cpu, &stream);
	if (w->pause)
		go_through_pause(t, cpu, w->pause * w->pauses, sim_now_ps(t->sim, cpu) - before_ps);
}

/* The next chunk may be larger: it is short, and there is room for it in each block. */
static bool may_grow(const struct streamer *w, uint64_t took_ps)
{
	return w->chunk < w->most && 4 * w->chunk <= w->b->block_bytes && 2 * took_ps <= w->most_ps;
}

/* Stream for `ps`; returns bytes a second. */
static uint64_t stream_for(struct measure_team *t, int cpu, struct streamer *w, uint64_t ps)
{
	uint64_t start_ps = sim_now_ps(t->sim, cpu), now_ps = start_ps, bytes = 0;

	w->block = (uint64_t)cpu % w->b->nr;
	w->offset = first_line(w->b, w->block, w->stride);
	while (now_ps - start_ps < ps) {
		uint64_t before_ps = now_ps;

		stream_chunk(t, cpu, w);
		bytes += w->chunk;
		now_ps = sim_now_ps(t->sim, cpu);
		if (may_grow(w, now_ps - before_ps))
			w->chunk *= 2;
	}
	return mul_div(bytes, PS_PER_S, now_ps - start_ps);
}

/* Until the load is steady: in large chunks first, which are fewer, then in those measured. */
static void warm_up(struct measure_team *t, int cpu, struct streamer *w)
{
	uint64_t chunk = w->chunk, ps = w->times->warm_ps, fine_ps = ps;

	if (!w->pause && !w->stride && !w->times->fine) {
		w->most = WARM_BYTES;
		w->most_ps = ps / WARM_CHUNKS;
		fine_ps = 2 * w->times->measure_ps;
		stream_for(t, cpu, w, ps - fine_ps);
		w->chunk = chunk;
		w->most = MOST_BYTES;
		w->most_ps = w->times->measure_ps / CHUNKS;
	}
	stream_for(t, cpu, w, fine_ps);
}

uint64_t measure_stream(struct measure_team *t, int cpu, const struct measure_mix *mix,
			const struct measure_buffer *b, const struct measure_times *times,
			uint64_t pause)
{
	uint64_t now_ps = sim_now_ps(t->sim, cpu), rate;
	uint64_t most = most_pauses(&sim_machine(t->sim)->cpus[cpu], times);
	struct streamer w = {
		.mix = mix,
		.b = b,
		.times = times,
		.stride = t->m->stride,
		.pause = pause,
		.pauses = pause > PAUSE_CYCLES / most ? PAUSE_CYCLES / pause : most,
	};

	if (!w.pauses)
		w.pauses = 1;
	w.chunk = w.pauses * PAUSE_LINES * LINE_BYTES;
	/* Real threads are not in step with each other. */
	sim_idle_until(t->sim, cpu, now_ps + STAGGER_PS * (uint64_t)(cpu % NR_STAGGERED));
	warm_up(t, cpu, &w);
	rate = stream_for(t, cpu, &w, times->measure_ps);
	/* Others are still measuring. */
	stream_for(t, cpu, &w, times->after_ps);
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

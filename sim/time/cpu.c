/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A simulated CPU: how what it is charged with (charge.c) becomes simulated time, and where that
 * went (account.c: the equations of it). Must not know of the mm core's structures, nor of SimGrid
 * beyond engine.h.
 */
#include "sim/time/cpu.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "sim/mul_div.h"
#include "sim/time/bug.h"

#define PS_PER_S UINT64_C(1000000000000)
/* What is moved on is settled in slices no smaller than that: it bounds what they cost the host. */
#define SLICE_BYTES 4096

/* Rounded to the nearest. */
static uint64_t ps_of(uint64_t cycles, uint64_t freq_hz)
{
	return (cycles * PS_PER_S + freq_hz / 2) / freq_hz;
}

static enum time_cause cause_of(const struct cpu *c, int purpose, int nid)
{
	if (purpose == CPU_WALK)
		return CAUSE_TLB;
	if (purpose == CPU_ZEROING)
		return CAUSE_ZEROING;
	return nid == c->nid ? CAUSE_LOCAL : CAUSE_REMOTE;
}

/* Room for what is on which channel. Returns 0 or -ENOMEM. */
static int init_channels(struct cpu *c, const struct machine *m)
{
	size_t nr_banks = (size_t)c->nr_banks, nr;

	c->first_channel = calloc(nr_banks, sizeof(*c->first_channel));
	if (!c->first_channel)
		return -ENOMEM;
	nr = channels_number(m, c->first_channel);
	if (!nr) {
		free(c->first_channel);
		c->first_channel = NULL;
		return 0;
	}
	c->by_channel = calloc(NR_CPU_PURPOSES * nr, sizeof(*c->by_channel));
	c->account.channel_bytes = calloc(nr, sizeof(*c->account.channel_bytes));
	if (!c->by_channel || !c->account.channel_bytes)
		return -ENOMEM;
	for (size_t i = 0; i < NR_CPU_PURPOSES * nr_banks; i++) {
		size_t bank = i / NR_CPU_PURPOSES, purpose = i % NR_CPU_PURPOSES;

		if (bank_has_channels(&m->banks[bank]))
			c->traffic[i].by_channel =
				&c->by_channel[purpose * nr + c->first_channel[bank]];
	}
	return 0;
}

int cpu_init(struct cpu *c, const struct machine *m, int id)
{
	size_t nr_banks = (size_t)machine_nr_places(m);
	struct cpu_account *account = &c->account;

	*c = (struct cpu){
		.id = id,
		.nid = m->cpu_nid[id],
		.place = m->cpus[id].place,
		.nr_banks = machine_nr_places(m),
		.freq_hz = m->cpus[id].freq_hz,
		.cycle_ps = PS_PER_S % m->cpus[id].freq_hz ? 0 : PS_PER_S / m->cpus[id].freq_hz,
		.routes = machine_route(m, m->cpus[id].place, 0),
		.banks = m->banks,
		.fill_buffers = m->cpus[id].fill_buffers,
		.prefetched = m->cpus[id].prefetched,
		.line_bytes = m->cache_line_bytes,
		.thread_share = m->cpus[id].thread_share,
		.second_tlb_ps = ps_of(m->tlb.second_cycles, m->cpus[id].freq_hz),
		.walk_ps = ps_of(m->tlb.walk_cycles, m->cpus[id].freq_hz),
		.site = MM_SITE_TOUCH,
		.traffic = aligned_alloc(sizeof(*c->traffic),
					 NR_CPU_PURPOSES * nr_banks * sizeof(*c->traffic)),
		.touched = calloc(NR_CPU_PURPOSES * nr_banks, sizeof(*c->touched)),
	};
	if (m->nr_caches)
		c->at_hand_ps[false] = c->at_hand_ps[true] = m->caches[0].latency_ps;
	if (c->fill_buffers)
		c->at_hand_ps[true] /= c->fill_buffers;
	account->nodes = calloc(nr_banks, sizeof(*account->nodes));
	for (int i = 0; c->traffic && i < NR_CPU_PURPOSES * c->nr_banks; i++)
		c->traffic[i] = (struct cpu_traffic){
			.bank = i / NR_CPU_PURPOSES,
			.cause = (uint8_t)cause_of(c, i % NR_CPU_PURPOSES,
						   machine_place_nid(m, i / NR_CPU_PURPOSES)),
		};
	if (prefetcher_init(&c->prefetcher, m->cpus[id].streams))
		return -ENOMEM;
	if (!c->traffic || !c->touched || !account->nodes)
		return -ENOMEM;
	return init_channels(c, m);
}

void cpu_clear(struct cpu *c)
{
	free(c->traffic);
	free(c->touched);
	prefetcher_clear(&c->prefetcher);
	free(c->charges);
	free(c->first_channel);
	free(c->by_channel);
	free(c->account.channel_bytes);
	free(c->account.nodes);
}

void cpu_set_window(struct cpu *c, enum sim_window window)
{
	c->window = window;
}

uint64_t cpu_pending_until_ps(const struct cpu *c)
{
	return c->now_ps + c->compute_ps + c->latency_ps;
}

/* The only place where an account's time grows. `bank` counts for the causes that go by place. */
static void attribute(struct cpu *c, uint64_t ps, enum time_cause cause, int bank)
{
	c->account.total_ps += ps;
	c->account.cause_ps[cause] += ps;
	if (cause == CAUSE_REMOTE)
		c->account.nodes[bank].remote_ps += ps;
	if (cause == CAUSE_ZEROING)
		c->account.nodes[bank].zeroing_ps += ps;
}

/* What moves the clock on to the engine's. The engine's may be less than half a picosecond behind
 * ours, where it could not hold ours exactly; never set back. */
static uint64_t follow_engine(struct cpu *c)
{
	uint64_t before = c->now_ps, now = engine_now_ps(c->engine);

	if (now > before)
		c->now_ps = now;
	return c->now_ps - before;
}

uint64_t cpu_catch_up(struct cpu *c, enum time_cause cause)
{
	uint64_t ps = follow_engine(c);

	attribute(c, ps, cause, c->place);
	return ps;
}

/* Bytes that are settled, of one bank and purpose. */
struct moving {
	int bank;
	uint64_t bytes, bytes_written, more; /* as of traffic */
	struct channel_set channels;
};

/* What links move, and what the bank does, at the same time. On links a byte is a byte. */
static NOINLINE void move_apart(struct cpu *c, const struct moving *m, uint64_t apart)
{
	const struct flow_way links = {.nid = c->place, .bank = m->bank, .over = FLOW_LINKS};
	struct flow_part parts[FLOW_PARTS];
	uint64_t rest = m->bytes - m->more - apart;
	int nr = 0;

	if (rest)
		parts[nr++] = (struct flow_part){.way = links, .bytes = rest};
	if (apart) {
		parts[nr] = (struct flow_part){.way = links, .bytes = apart};
		parts[nr++].way.write = true;
	}
	parts[nr++] = (struct flow_part){
		.way = {.nid = c->place,
			.bank = m->bank,
			.over = FLOW_BANK,
			.channels = m->channels},
		.bytes = m->bytes,
	};
	engine_transfer(c->engine, parts, nr);
}

/* A CPU's bytes: all at once, those written apart where links carry them apart. */
static void move_bytes(struct cpu *c, const struct moving *m)
{
	const struct machine_route *route = &c->routes[m->bank];
	uint64_t apart = route->two_ways ? m->bytes_written : 0;
	struct flow_part all = {
		.way = {.nid = c->place, .bank = m->bank, .write = apart, .channels = m->channels},
		.bytes = m->bytes,
	};

	if (UNLIKELY(c->moving != NULL))
		c->moving[m->bank]++;
	if (route->nr_links && (m->more || (apart && apart < m->bytes)))
		move_apart(c, m, apart);
	else if (m->bytes)
		engine_transfer(c->engine, &all, 1);
	if (UNLIKELY(c->moving != NULL))
		c->moving[m->bank]--;
}

/* They have moved, in `took_ps` up to the clock. */
static void count_load(struct cpu *c, const struct moving *m, uint64_t took_ps)
{
	if (c->loads && m->bytes)
		loads_add(c->loads,
			  &(struct load_moved){.from = c->place,
					       .to = m->bank,
					       .bytes = m->bytes,
					       .bytes_written = m->bytes_written,
					       .more = m->more,
					       .took_ps = took_ps,
					       .channels = m->channels},
			  c->now_ps);
}

/* All that is pending of it. */
static struct moving all_of(const struct cpu *c, const struct cpu_traffic *traffic)
{
	struct moving m = {.bank = traffic->bank,
			   .bytes = traffic->bytes,
			   .bytes_written = traffic->bytes_written,
			   .more = traffic->more};

	if (UNLIKELY(traffic->unspread))
		m.channels = channel_set_of(c->banks[traffic->bank].channels, traffic->by_channel,
					    traffic->bytes - traffic->unspread);
	return m;
}

/* What was pending of it is settled. */
static void end_traffic(const struct cpu *c, struct cpu_traffic *traffic)
{
	if (UNLIKELY(traffic->unspread))
		memset(traffic->by_channel, 0,
		       c->banks[traffic->bank].channels * sizeof(*traffic->by_channel));
	*traffic = (struct cpu_traffic){
		.bank = traffic->bank, .cause = traffic->cause, .by_channel = traffic->by_channel};
}

/*
 * Slices that so many bytes and latencies are settled in. What a bank or a link carries decides on
 * the latency of who moves more, so what takes longer than that can be told ahead asks again.
 */
static uint64_t slices_of(const struct cpu *c, int bank, uint64_t bytes, uint64_t latency_ps)
{
	uint64_t ps, nr;

	if (LIKELY(bytes < 2 * SLICE_BYTES) || !c->loads || !c->fill_buffers)
		return 1;
	ps = mul_div(bytes, PS_PER_S, c->routes[bank].bytes_per_s);
	nr = (ps > latency_ps ? ps : latency_ps) / LOAD_HOLDS_PS;
	if (nr > bytes / SLICE_BYTES)
		nr = bytes / SLICE_BYTES;
	return nr ? nr : 1;
}

/* One slice of so many. */
static uint64_t slice(uint64_t all, uint64_t nr)
{
	return nr == 1 ? all : all / nr;
}

struct part {
	uint64_t num, den;
};

/* A part of bytes as of traffic: of each kind by itself, so that what is left adds up, too. */
static void cut(uint64_t *bytes, uint64_t *written, uint64_t *more, struct part part)
{
	uint64_t read = *bytes - *written - *more;

	*written = mul_div(*written, part.num, part.den);
	*more = mul_div(*more, part.num, part.den);
	*bytes = mul_div(read, part.num, part.den) + *written + *more;
}

/* The same latencies with what the load adds to each by now instead of *extra_ps. */
static uint64_t renewed(const struct cpu *c, int bank, uint64_t latency_ps, uint64_t *extra_ps)
{
	uint64_t before_ps = c->routes[bank].latency_ps + *extra_ps;

	*extra_ps = loads_extra_ps(c->loads, c->place, bank, c->now_ps);
	return mul_div(latency_ps, c->routes[bank].latency_ps + *extra_ps, before_ps);
}

/*
 * What one charge takes, or a slice of it; its bytes after its latency, or meanwhile. The engine's
 * clock may be left behind where it has no bytes: nobody meets the CPU before it moves some, or has
 * settled.
 */
static void settle_slice(struct cpu *c, const struct cpu_charge *charge)
{
	uint64_t start_ps = c->now_ps, until_ps = start_ps + charge->ps;
	enum time_cause cause = CAUSE_COMPUTE;
	struct moving m = {.bank = c->place,
			   .bytes = charge->bytes,
			   .bytes_written = charge->bytes_written,
			   .more = charge->more,
			   .channels = charge->channels};

	if (charge->index >= 0) {
		m.bank = c->traffic[charge->index].bank;
		cause = c->traffic[charge->index].cause;
	}
	if (c->fill_buffers && charge->bytes) {
		engine_sleep_until(c->engine, start_ps);
		move_bytes(c, &m);
	}
	if (charge->bytes || c->window == SIM_WINDOW_CHARGE)
		engine_sleep_until(c->engine, until_ps);
	c->now_ps = until_ps;
	attribute(c, charge->ps, cause, m.bank);
	if (!c->fill_buffers && charge->bytes)
		move_bytes(c, &m);
	if (charge->bytes) {
		attribute(c, follow_engine(c), cause, m.bank);
		count_load(c, &m, c->now_ps - start_ps);
	}
}

static void settle_one(struct cpu *c, const struct cpu_charge *charge)
{
	int bank = charge->index < 0 ? c->place : c->traffic[charge->index].bank;
	uint64_t extra_ps = charge->index < 0 ? 0 : c->traffic[charge->index].extra_ps;
	struct cpu_charge left = *charge;

	for (uint64_t nr = slices_of(c, bank, left.bytes, left.ps); nr > 1; nr--) {
		struct cpu_charge one = left;

		one.ps /= nr;
		cut(&one.bytes, &one.bytes_written, &one.more, (struct part){1, nr});
		settle_slice(c, &one);
		left.ps = renewed(c, bank, left.ps - one.ps, &extra_ps);
		left.bytes -= one.bytes;
		left.bytes_written -= one.bytes_written;
		left.more -= one.more;
	}
	settle_slice(c, &left);
}

/* One charge after the other; latencies and bytes are those that settling in one would take. */
static void settle_each(struct cpu *c)
{
	for (size_t i = 0; i < c->nr_charges; i++)
		settle_one(c, &c->charges[i]);
	engine_sleep_until(c->engine, c->now_ps);
	c->nr_charges = 0;
	c->delay = NULL;
	c->compute_ps = 0;
	c->latency_ps = 0;
	for (int i = 0; i < c->nr_touched; i++)
		end_traffic(c, &c->traffic[c->touched[i]]);
	c->nr_touched = 0;
}

/* Of pending bytes one slice of so many: first of those that all channels carry alike. */
static NOINLINE struct moving cut_off(const struct cpu_traffic *traffic, uint64_t nr)
{
	uint64_t even = traffic->bytes - traffic->unspread;
	struct moving m = {.bank = traffic->bank,
			   .bytes = traffic->bytes,
			   .bytes_written = traffic->bytes_written,
			   .more = traffic->more};

	if (traffic->unspread)
		cut(&m.bytes, &m.bytes_written, &m.more, (struct part){even, traffic->bytes});
	cut(&m.bytes, &m.bytes_written, &m.more, (struct part){1, nr});
	return m;
}

static struct moving slice_of(const struct cpu *c, const struct cpu_traffic *traffic, uint64_t nr)
{
	return LIKELY(nr == 1) ? all_of(c, traffic) : cut_off(traffic, nr);
}

/* Of all pending latencies. */
static uint64_t latency_slice(const struct cpu *c, uint64_t nr)
{
	uint64_t ps = 0;

	for (int i = 0; i < c->nr_touched; i++)
		ps += c->traffic[c->touched[i]].latency_ps / nr;
	return ps;
}

/*
 * Bytes move while the CPU waits for latencies: what they take beyond those is contention. Of all
 * that is pending, one slice of `nr`.
 */
static ALWAYS_INLINE void overlap_slice(struct cpu *c, uint64_t nr)
{
	uint64_t start_ps = c->now_ps, until_ps = cpu_pending_until_ps(c);
	uint64_t compute_ps = slice(c->compute_ps, nr);

	if (UNLIKELY(nr > 1))
		until_ps = start_ps + compute_ps + latency_slice(c, nr);
	attribute(c, compute_ps, CAUSE_COMPUTE, c->place);
	for (int i = 0; i < c->nr_touched; i++) {
		const struct cpu_traffic *traffic = &c->traffic[c->touched[i]];
		const struct moving m = slice_of(c, traffic, nr);
		uint64_t now_ps;

		attribute(c, slice(traffic->latency_ps, nr), traffic->cause, m.bank);
		move_bytes(c, &m);
		now_ps = engine_now_ps(c->engine);
		if (now_ps > until_ps) {
			attribute(c, now_ps - until_ps, traffic->cause, m.bank);
			until_ps = now_ps;
		}
	}
	engine_sleep_until(c->engine, until_ps);
	c->now_ps = until_ps;
	c->compute_ps -= compute_ps;
	for (int i = 0; i < c->nr_touched; i++) {
		struct cpu_traffic *traffic = &c->traffic[c->touched[i]];
		const struct moving m = slice_of(c, traffic, nr);

		count_load(c, &m, until_ps - start_ps);
		if (nr == 1) {
			end_traffic(c, traffic);
			continue;
		}
		traffic->latency_ps -= traffic->latency_ps / nr;
		traffic->bytes -= m.bytes;
		traffic->bytes_written -= m.bytes_written;
		traffic->more -= m.more;
	}
}

/* What is left takes the latencies that there are by now; those of walks are as they were. */
static void renew_latencies(struct cpu *c)
{
	c->latency_ps = 0;
	for (int i = 0; i < c->nr_touched; i++) {
		struct cpu_traffic *traffic = &c->traffic[c->touched[i]];

		if (c->touched[i] % NR_CPU_PURPOSES != CPU_WALK)
			traffic->latency_ps =
				renewed(c, traffic->bank, traffic->latency_ps, &traffic->extra_ps);
		c->latency_ps += traffic->latency_ps;
	}
}

/* All but the last slice. */
static NOINLINE void overlap_slices(struct cpu *c, uint64_t nr)
{
	for (; nr > 1; nr--) {
		overlap_slice(c, nr);
		renew_latencies(c);
	}
}

static void settle_overlapped(struct cpu *c)
{
	uint64_t nr = 1;

	for (int i = 0; i < c->nr_touched; i++) {
		const struct cpu_traffic *traffic = &c->traffic[c->touched[i]];
		uint64_t slices = slices_of(c, traffic->bank, traffic->bytes, traffic->latency_ps);

		if (slices > nr)
			nr = slices;
	}
	if (UNLIKELY(nr > 1))
		overlap_slices(c, nr);
	overlap_slice(c, 1);
	c->latency_ps = 0;
	c->nr_touched = 0;
}

void cpu_settle(struct cpu *c)
{
	uint64_t until_ps = cpu_pending_until_ps(c);

	if (engine_current_cpu(c->engine) != c->id)
		SIM_BUG("the program of cpu %d settles cpu %d", engine_current_cpu(c->engine),
			c->id);
	if (until_ps == c->now_ps && !c->nr_touched && until_ps <= engine_now_ps(c->engine))
		return;
	if (c->window != SIM_WINDOW_SETTLE) {
		settle_each(c);
		return;
	}
	if (c->fill_buffers) {
		settle_overlapped(c);
		return;
	}
	if (until_ps > c->now_ps) {
		engine_sleep_until(c->engine, until_ps);
		c->now_ps = until_ps;
		attribute(c, c->compute_ps, CAUSE_COMPUTE, c->place);
		c->compute_ps = 0;
		c->latency_ps = 0;
	}
	for (int i = 0; i < c->nr_touched; i++) {
		struct cpu_traffic *traffic = &c->traffic[c->touched[i]];
		const struct moving m = all_of(c, traffic);

		attribute(c, traffic->latency_ps, traffic->cause, m.bank);
		if (m.bytes) {
			uint64_t took_ps;

			move_bytes(c, &m);
			took_ps = follow_engine(c);
			attribute(c, took_ps, traffic->cause, m.bank);
			count_load(c, &m, took_ps);
		}
		end_traffic(c, traffic);
	}
	c->nr_touched = 0;
}

void cpu_sleep_until(struct cpu *c, uint64_t when_ps)
{
	engine_sleep_until(c->engine, when_ps);
	/* A guest that is there moves the clock, one that was has moved it. */
	if (c->guest || when_ps <= c->now_ps)
		return;
	attribute(c, when_ps - c->now_ps, CAUSE_IDLE, c->place);
	c->now_ps = when_ps;
}

void cpu_finish(struct cpu *c, uint64_t end_ps)
{
	if (end_ps < c->now_ps)
		SIM_BUG("cpu %d is at %" PRIu64 " ps, after the end at %" PRIu64 " ps", c->id,
			c->now_ps, end_ps);
	attribute(c, end_ps - c->now_ps, CAUSE_IDLE, c->place);
	c->now_ps = end_ps;
	cpu_check_account(c);
}

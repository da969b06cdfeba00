/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a simulated CPU is charged with: cycles, of which threads of its core have their part, and
 * lines of memory, of which so many are in flight. No simulated time passes here; cpu.c settles.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "sim/mul_div.h"
#include "sim/time/bug.h"
#include "sim/time/cpu.h"
#include "sim/time/spread.h"

#define PS_PER_S UINT64_C(1000000000000)
/* So many seconds of them, and a rest below 2^63 Hz, fit 64 bits. */
#define FEW_CYCLES UINT64_C(8000000)

static void keep_apart(struct cpu *c, const struct cpu_charge *charge)
{
	struct cpu_charge *last;

	if (!(charge->ps | charge->bytes))
		return;
	/* Nobody sees where a time without bytes is cut. */
	last = c->nr_charges ? &c->charges[c->nr_charges - 1] : NULL;
	if (c->window == SIM_WINDOW_TRANSFER && last && last->index == charge->index &&
	    !last->bytes && !charge->bytes) {
		last->ps += charge->ps;
		return;
	}
	if (c->nr_charges == c->charges_room) {
		size_t room = c->charges_room ? 2 * c->charges_room : 256;
		struct cpu_charge *grown = realloc(c->charges, room * sizeof(*grown));

		if (!grown)
			SIM_BUG("no memory for %zu charges of cpu %d", room, c->id);
		c->charges = grown;
		c->charges_room = room;
	}
	c->charges[c->nr_charges++] = *charge;
	c->delay = charge->index < 0 ? &c->charges[c->nr_charges - 1] : NULL;
}

/* Threads of its core that are busy, itself among them. */
static unsigned busy_threads(const struct cpu *c)
{
	unsigned nr = 1;

	for (const struct cpu *t = c->next_thread; t && t != c; t = t->next_thread)
		nr += !cpu_is_quiet(t);
	return nr;
}

/*
 * What takes a core a while takes one of `busy` threads as long, times *num / *den. Each gets an
 * equal part of the core; where the file says that all threads together do more than one
 * (thread_share), the more of them are busy, the more of that there is.
 */
static void slowdown(const struct cpu *c, unsigned busy, uint64_t *num, uint64_t *den)
{
	uint64_t nr = 1, others, all;

	for (const struct cpu *t = c->next_thread; t != c; t = t->next_thread)
		nr++;
	*num = busy;
	*den = 1;
	if (c->thread_share == 100 / nr)
		return;
	others = 100 * (nr - 1);
	all = nr * c->thread_share;
	*num = busy * others;
	*den = all >= 100 ? others + (all - 100) * (busy - 1) : others - (100 - all) * (busy - 1);
}

uint64_t cpu_cycles_ps(struct cpu *c, uint64_t cycles)
{
	unsigned busy = c->next_thread ? busy_threads(c) : 1;
	bool shared = busy > 1;
	__uint128_t dividend;

	if (!shared && c->cycle_ps)
		return cycles * c->cycle_ps;
	if (!shared && cycles < FEW_CYCLES) {
		uint64_t few = cycles * PS_PER_S + c->cycle_rest;

		c->cycle_rest = few % c->freq_hz;
		return few / c->freq_hz;
	}
	dividend = (__uint128_t)cycles * PS_PER_S;
	if (shared) {
		uint64_t num, den;

		slowdown(c, busy, &num, &den);
		dividend = dividend * num / den;
	}
	dividend += c->cycle_rest;
	c->cycle_rest = (uint64_t)(dividend % c->freq_hz);
	return (uint64_t)(dividend / c->freq_hz);
}

void cpu_keep_delay(struct cpu *c, uint64_t ps)
{
	/* Nobody sees where a time without bytes is cut. */
	if (c->window == SIM_WINDOW_TRANSFER && c->delay)
		c->delay->ps += ps;
	else
		keep_apart(c, &(struct cpu_charge){.index = -1, .ps = ps});
}

void cpu_charge_divided(struct cpu *c, uint64_t cycles)
{
	cpu_charge_delay(c, cpu_cycles_ps(c, cycles));
}

/* What so many bytes written cost the bank, in bytes read. */
static uint64_t write_cost(const struct cpu *c, const struct cpu_memory_charge *charge)
{
	const struct machine_bank *bank = &c->banks[charge->bank];
	uint64_t rate = bank->write_bytes_per_s;

	if (charge->past_cache && bank->stream_bytes_per_s)
		rate = bank->stream_bytes_per_s;
	if (!rate || !charge->bytes_written)
		return charge->bytes_written;
	return mul_div(charge->bytes_written, bank->bytes_per_s, rate);
}

/*
 * By Little's law: a core has so many lines in flight, whatever the number of its threads. Each of
 * those that are busy gets its part of them, and does not wait where it needs less.
 */
static uint64_t latency_of(const struct cpu *c, const struct cpu_memory_charge *charge,
			   uint64_t extra_ps)
{
	uint64_t one = c->routes[charge->bank].latency_ps + extra_ps;
	uint64_t in_flight = charge->prefetched ? c->prefetched : c->fill_buffers;
	uint64_t busy = c->next_thread ? busy_threads(c) : 1;
	uint64_t nr = charge->nr_latencies, of_cores = nr * busy;

	if (!in_flight)
		return charge->prefetched && !nr ? 0 : nr * one;
	if (charge->prefetched && !nr)
		return one * busy / in_flight;
	if (charge->overlapped > 1) {
		if (in_flight < charge->overlapped)
			in_flight = charge->overlapped;
		if (charge->overlapped * busy <= in_flight)
			return nr * one / charge->overlapped;
		return of_cores * one / in_flight;
	}
	if (nr && charge->nr_lines > nr)
		of_cores = charge->nr_lines * busy;
	return of_cores > nr * in_flight ? mul_div(of_cores, one, in_flight) : nr * one;
}

/* Into the list, once. */
static inline void touch_traffic(struct cpu *c, int index)
{
	int bank = c->traffic[index].bank;

	c->traffic[index].touched = true;
	c->touched[c->nr_touched++] = index;
	if (c->loads)
		c->traffic[index].extra_ps =
			loads_extra_ps(c->loads, c->place, bank, engine_now_ps(c->engine));
}

void cpu_charge_translation(struct cpu *c, uint64_t ps)
{
	int index = c->place * NR_CPU_PURPOSES + CPU_WALK;
	struct cpu_traffic *traffic = &c->traffic[index];

	if (!traffic->touched)
		touch_traffic(c, index);
	traffic->latency_ps += ps;
	if (c->window != SIM_WINDOW_SETTLE)
		keep_apart(c, &(struct cpu_charge){.index = index, .ps = ps});
	c->latency_ps += ps;
	c->account.sites[c->site].ps += ps;
}

/* Where a bank has channels: over which of them the bytes go. */
static NOINLINE struct channel_set take_channels(struct cpu *c, struct cpu_traffic *traffic,
						 const struct cpu_memory_charge *charge,
						 uint64_t written)
{
	const struct machine_bank *bank = &c->banks[charge->bank];
	const struct spread_block block = {.at = charge->at,
					   .length = charge->bytes_read + charge->bytes_written,
					   .bytes_read = charge->bytes_read,
					   .written = written};
	uint64_t *counted = &c->account.channel_bytes[c->first_channel[charge->bank]];
	struct channel_set set;

	traffic->unspread += spread_over(bank, &block, traffic->by_channel, &set);
	/* Of what is spread, each has its part of what is left of the account. */
	for (unsigned i = set.first; set.apart > 1 && i < bank->channels; i += set.apart)
		counted[i] += block.length / (bank->channels / set.apart);
	return set;
}

static uint64_t extra_of(const struct cpu *c, const struct cpu_traffic *traffic,
			 struct channel_set set)
{
	int bank = traffic->bank;

	if (set.apart <= 1 || !c->loads || set.apart != c->banks[bank].channels)
		return traffic->extra_ps;
	return loads_channel_extra_ps(c->loads, c->place, bank, set.first,
				      engine_now_ps(c->engine));
}

/*
 * Who has no lines in flight waits for bytes after latencies: each of these, which is what one lone
 * line takes, is over when that line begins to move.
 */
static uint64_t before_line(const struct cpu *c, const struct cpu_memory_charge *charge,
			    uint64_t latency_ps)
{
	uint64_t line_ps = mul_div(c->line_bytes, PS_PER_S, c->routes[charge->bank].bytes_per_s);
	uint64_t moves_ps = charge->nr_latencies * line_ps;

	return latency_ps > moves_ps ? latency_ps - moves_ps : 0;
}

uint64_t cpu_charge_memory(struct cpu *c, const struct cpu_memory_charge *charge)
{
	const struct machine_route *route = &c->routes[charge->bank];
	int index = charge->bank * NR_CPU_PURPOSES + (int)charge->purpose;
	struct cpu_traffic *traffic = &c->traffic[index];
	struct cpu_node_account *account = &c->account.nodes[charge->bank];
	uint64_t latency_ps, written = write_cost(c, charge);
	struct channel_set set = {0};

	if (!route->bytes_per_s)
		SIM_BUG("cpu %d at place %d reaches for the memory of place %d, with no way there",
			c->id, c->place, charge->bank);
	if (!traffic->touched)
		touch_traffic(c, index);
	if (UNLIKELY(traffic->by_channel != NULL))
		set = take_channels(c, traffic, charge, written);
	latency_ps = latency_of(c, charge, extra_of(c, traffic, set));
	if (!c->fill_buffers && c->line_bytes && charge->bytes_read + written)
		latency_ps = before_line(c, charge, latency_ps);
	if (UNLIKELY(charge->all_bytes))
		latency_ps = mul_div(latency_ps, charge->part_bytes, charge->all_bytes);
	traffic->latency_ps += latency_ps;
	if (c->window != SIM_WINDOW_SETTLE)
		keep_apart(c, &(struct cpu_charge){.index = index,
						   .ps = latency_ps,
						   .bytes = charge->bytes_read + written,
						   .bytes_written = charge->bytes_written,
						   .more = written - charge->bytes_written,
						   .channels = set});
	traffic->bytes += charge->bytes_read + written;
	traffic->bytes_written += charge->bytes_written;
	traffic->more += written - charge->bytes_written;
	c->latency_ps += latency_ps;
	account->misses += charge->counted ? 0 : charge->nr_latencies;
	account->bytes_read += charge->bytes_read;
	account->bytes_written += charge->bytes_written;
	c->account.sites[c->site].ps += latency_ps;
	return latency_ps;
}

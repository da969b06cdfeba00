/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The average is exponential, with backward steps: a gap of dt makes the sum TAU / (TAU + dt) of
 * what it was. So it needs no more than a multiplication and a division of integers. Latency feeds
 * back on what CPUs with a bound of lines in flight ask for; a first-order lag keeps that stable.
 */
#include "sim/time/load.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "sim/mul_div.h"

/*
 * Long against moving a page (a microsecond at a CPU's share), by more than latency is steep near
 * saturation, where it may grow 30 times as fast as load; short against what a program does next.
 */
#define TAU_PS   UINT64_C(200000000)
#define PS_PER_S UINT64_C(1000000000000) /* a whole number of TAU_PS */
#define FRACTION 16                      /* bits below a byte, which decay would lose */

struct load {
	const struct machine_load *curve; /* NULL: latency does not depend on it */
	uint64_t capacity;                /* bytes a second */
	/* What one CPU adds that loads line after line: idle latencies are measured so. */
	uint64_t alone_ps;
	uint64_t sum; /* bytes << FRACTION of about TAU_PS until at_ps */
	uint64_t at_ps;
};

struct loads {
	const struct machine *machine; /* (C) borrowed */
	struct load *banks, *links;    /* as the machine's */
};

static bool depends(const struct machine_load *curve)
{
	return curve->nr || curve->queue_ps;
}

/* On the straight line between two points; beyond the last one its latency. */
static uint64_t on_curve(const struct machine_load *curve, uint64_t rate)
{
	const struct machine_load_point *p = curve->points;
	uint64_t width, height;
	int i = 1;

	while (i < curve->nr && p[i].bytes_per_s < rate)
		i++;
	if (i == curve->nr)
		return p[i - 1].latency_ps - p[0].latency_ps;
	width = p[i].bytes_per_s - p[i - 1].bytes_per_s;
	height = p[i].latency_ps - p[i - 1].latency_ps;
	return p[i - 1].latency_ps - p[0].latency_ps +
	       mul_div(height, rate - p[i - 1].bytes_per_s, width);
}

/* The largest root with root^2 <= n; that of the double may be one off. */
static uint64_t square_root(uint64_t n)
{
	uint64_t root = (uint64_t)sqrt((double)n);

	while (root > UINT32_MAX || root * root > n)
		root--;
	while (root < UINT32_MAX && (root + 1) * (root + 1) <= n)
		root++;
	return root;
}

/*
 * queue * sqrt(u / (1 - u)): what published curves of bandwidth and latency follow within a few per
 * cent with one constant (see configs/machines/xeon-8269cy-2s.cfg), where a single server's queue
 * would be u / (1 - u), too flat first and too steep then for banks of many channels. Up to
 * 99.9 % of the capacity: an average may stand above it for a while.
 */
static uint64_t in_queue(const struct load *load, uint64_t rate)
{
	uint64_t most = load->capacity / 1000 * 999, fraction;

	if (rate > most)
		rate = most;
	fraction = mul_div(rate, UINT64_C(1) << 32, load->capacity - rate);
	return (uint64_t)((__uint128_t)load->curve->queue_ps * square_root(fraction) >> 16);
}

static uint64_t at_rate(const struct load *load, uint64_t rate)
{
	return load->curve->nr ? on_curve(load->curve, rate) : in_queue(load, rate);
}

/* `idle_ps`: of a read, to the bank at the end of a link. */
static struct load load_init(const struct machine *m, const struct machine_load *curve,
			     uint64_t capacity, uint64_t idle_ps)
{
	struct load load = {.curve = curve, .capacity = capacity};

	load.alone_ps = at_rate(&load, m->cache_line_bytes * PS_PER_S / idle_ps);
	return load;
}

int loads_create(const struct machine *m, struct loads **out)
{
	struct loads *l;
	bool any = false;

	*out = NULL;
	for (int nid = 0; nid < m->mm.nr_nodes; nid++)
		any |= depends(&m->banks[nid].load);
	for (int i = 0; i < m->nr_links; i++)
		any |= depends(&m->links[i].load);
	if (!any)
		return 0;
	l = calloc(1, sizeof(*l));
	if (!l)
		return -ENOMEM;
	l->machine = m;
	l->banks = calloc((size_t)m->mm.nr_nodes, sizeof(*l->banks));
	l->links = calloc((size_t)m->nr_links + 1, sizeof(*l->links));
	if (!l->banks || !l->links) {
		loads_free(l);
		return -ENOMEM;
	}
	for (int nid = 0; nid < m->mm.nr_nodes; nid++) {
		const struct machine_bank *bank = &m->banks[nid];

		if (depends(&bank->load))
			l->banks[nid] =
				load_init(m, &bank->load, bank->bytes_per_s, bank->latency_ps);
	}
	for (int i = 0; i < m->nr_links; i++) {
		const struct machine_link *link = &m->links[i];

		if (depends(&link->load))
			l->links[i] = load_init(m, &link->load, link->bytes_per_s,
						link->latency_ps + m->banks[link->to].latency_ps);
	}
	*out = l;
	return 0;
}

void loads_free(struct loads *l)
{
	if (!l)
		return;
	free(l->banks);
	free(l->links);
	free(l);
}

static void decay(struct load *load, uint64_t now_ps)
{
	uint64_t past_ps, whole_ps, lost;

	/* Clocks of CPUs may be half a picosecond apart. */
	if (now_ps <= load->at_ps)
		return;
	past_ps = now_ps - load->at_ps;
	whole_ps = TAU_PS + past_ps;
	/* sum * TAU / whole, or what it loses of sum, rounded up: that fits 64 bits mostly. */
	if (__builtin_mul_overflow(load->sum, past_ps, &lost))
		load->sum = mul_div(load->sum, TAU_PS, whole_ps);
	else
		load->sum -= lost / whole_ps + (lost % whole_ps != 0);
	load->at_ps = now_ps;
}

/* Of a transfer that took longer than the average looks back, its last part. */
static void add(struct load *load, uint64_t bytes, uint64_t took_ps, uint64_t now_ps)
{
	__uint128_t part = (__uint128_t)bytes << FRACTION;

	if (!load->curve)
		return;
	decay(load, now_ps);
	if (took_ps > TAU_PS)
		part = part * TAU_PS / took_ps;
	load->sum += (uint64_t)part;
}

void loads_add(struct loads *l, int from, int to, uint64_t bytes, uint64_t took_ps, uint64_t now_ps)
{
	const struct machine_route *route = machine_route(l->machine, from, to);

	add(&l->banks[to], bytes, took_ps, now_ps);
	for (int i = 0; i < route->nr_links; i++)
		add(&l->links[route->links[i]], bytes, took_ps, now_ps);
}

static uint64_t extra(struct load *load, uint64_t now_ps)
{
	uint64_t ps;

	if (!load->curve)
		return 0;
	decay(load, now_ps);
	ps = at_rate(load, (uint64_t)((__uint128_t)load->sum * (PS_PER_S / TAU_PS) >> FRACTION));
	return ps > load->alone_ps ? ps - load->alone_ps : 0;
}

uint64_t loads_extra_ps(struct loads *l, int from, int to, uint64_t now_ps)
{
	const struct machine_route *route = machine_route(l->machine, from, to);
	uint64_t ps = extra(&l->banks[to], now_ps);

	for (int i = 0; i < route->nr_links; i++)
		ps += extra(&l->links[route->links[i]], now_ps);
	return ps;
}

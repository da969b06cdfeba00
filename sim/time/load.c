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
#define TAU_PS   (8 * LOAD_HOLDS_PS)
#define PS_PER_S UINT64_C(1000000000000) /* a whole number of TAU_PS */
#define SHORT    256
#define FRACTION 16 /* bits below a byte, which decay would lose */
/*
 * Per cent of a bandwidth from which a default's latency rises on a straight line: by more than
 * that it follows the load so fast that averages and CPUs' answers to them swing.
 */
#define KNEE 90

struct average {
	uint64_t sum; /* bytes << FRACTION of about TAU_PS until at_ps */
	uint64_t at_ps;
};

struct load {
	const struct machine_load *curve; /* NULL: a queue */
	bool depends;                     /* else the other members mean nothing */
	bool reads; /* what is written takes another way, and nobody waits for it */
	uint64_t queue_ps, capacity; /* bytes a second, at which the queue would have no end */
	uint64_t knee, knee_ps;      /* bytes a second, from which a line leads to */
	uint64_t most, most_ps;      /* the longest queue there is, from here on */
	/* What one CPU adds that loads line after line: idle latencies are measured so. */
	uint64_t alone_ps;
	struct average carried;
};

/*
 * A channel is as busy as its bank if all that the bank carries is spread over all channels alike.
 * Of what is not, each byte counts at its channel as often as makes a bank's bandwidth of the
 * channel's:
 *
 *	load of a channel = load of the bank - all that is not spread + what is of it at the channel
 */
struct loads {
	const struct machine *machine; /* (C) borrowed */
	struct load *banks, *links;    /* as the machine's */
	struct average *unspread;      /* by bank */
	struct average *channels;      /* of what is not spread: of all banks in a row */
	unsigned *first_channel;       /* (C) in it, by bank */
	size_t nr_channels;            /* (C) of all banks */
};

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
 * would be u / (1 - u), too flat first and too steep then for banks of many channels.
 */
static uint64_t in_queue(const struct load *load, uint64_t rate)
{
	uint64_t fraction;

	if (rate >= load->most)
		return load->most_ps;
	if (rate > load->knee)
		return load->knee_ps + mul_div(load->most_ps - load->knee_ps, rate - load->knee,
					       load->most - load->knee);
	if (load->capacity - rate < rate >> 20)
		rate = load->capacity - (load->capacity >> 20);
	fraction = mul_div(rate, UINT64_C(1) << 32, load->capacity - rate);
	return (uint64_t)((__uint128_t)load->queue_ps * square_root(fraction) >> 16);
}

static uint64_t at_rate(const struct load *load, uint64_t rate)
{
	return load->curve ? on_curve(load->curve, rate) : in_queue(load, rate);
}

static uint64_t beyond_alone(const struct load *load, uint64_t rate)
{
	uint64_t ps = load->depends ? at_rate(load, rate) : 0;

	return ps > load->alone_ps ? ps - load->alone_ps : 0;
}

/* A bank or a link being prepared, and the shortest of the routes over it. */
struct place {
	struct load *load;
	const struct machine_load *said;
	uint64_t bytes_per_s;
	uint64_t default_ps; /* of its queue */
	const struct machine_route *route;
	int from, to;          /* of the route */
	const uint64_t *lines; /* in flight, by node */
};

/* Lines that CPUs of each node have on their way; 0: of some of them it is not known. */
static void count_lines(const struct machine *m, uint64_t *lines)
{
	for (int cpu = 0; cpu < m->mm.nr_cpus; cpu++)
		/* Threads of a core have them together. */
		if (m->cpus[cpu].core == cpu)
			lines[m->cpus[cpu].place] += m->cpus[cpu].prefetched;
	for (int cpu = 0; cpu < m->mm.nr_cpus; cpu++)
		if (!m->cpus[cpu].fill_buffers)
			lines[m->cpus[cpu].place] = 0;
}

/* What else on the way adds to latency while so much is carried. */
static uint64_t of_others(const struct loads *l, const struct place *p)
{
	uint64_t ps = 0;

	if (p->load != &l->banks[p->to])
		ps = beyond_alone(&l->banks[p->to], p->bytes_per_s);
	for (int i = 0; i < p->route->nr_links; i++) {
		const struct load *link = &l->links[p->route->links[i]];

		if (link != p->load)
			ps += beyond_alone(link, p->bytes_per_s);
	}
	return ps;
}

/* With so many lines in flight, at that latency without load, a bandwidth was measured. */
struct measured {
	uint64_t lines, latency_ps;
};

/*
 * By the CPUs whose way is the shortest. A bank that shares a node's memory with others has but its
 * part of their lines, and CPUs of a node that is several places come from all of these.
 */
static struct measured measured_by(const struct machine *m, const struct place *p)
{
	unsigned nr_ways = machine_nr_ways(m, machine_place_nid(m, p->to)), nr = 0;
	struct measured by = {p->lines[p->from], p->route->latency_ps};
	uint64_t lines = 0, sum_ps = 0;

	if (nr_ways == 1)
		return by;
	for (int from = 0; from < machine_nr_places(m); from++) {
		const struct machine_route *route = machine_route(m, from, p->to);

		if (!route->bytes_per_s ||
		    machine_place_nid(m, from) != machine_place_nid(m, p->from))
			continue;
		lines += p->lines[from];
		sum_ps += route->latency_ps;
		nr++;
	}
	return (struct measured){lines / nr_ways, sum_ps / nr};
}

/* The queue as it is at that rate is the longest. */
static void set_end(struct load *load, uint64_t most, uint64_t knee)
{
	load->most = load->knee = most + 1;
	load->knee_ps = in_queue(load, knee);
	load->most_ps = in_queue(load, most);
	load->most = most;
	load->knee = knee;
}

/* Up to 99.9 % of the bandwidth: an average may stand above it for a while. */
static void set_said(const struct place *p)
{
	uint64_t most = p->bytes_per_s / 1000 * 999;

	*p->load = (struct load){
		.depends = true, .queue_ps = p->said->queue_ps, .capacity = p->bytes_per_s};
	set_end(p->load, most, most);
}

/*
 * Where the file says nothing. The bandwidth it has was measured with so many lines in flight as
 * the nearest node's CPUs have, so by Little's law each of them took lines / bandwidth then: what
 * that is beyond the idle latency, `left`, is what the queue adds at that bandwidth. Hence
 *
 *	wait(rate) = queue * sqrt(u / (1 - u)),  u = rate / capacity,  wait(bandwidth) = left
 *
 * and CPUs get all of the bandwidth and wait as long as lines in flight make them; the last tenth
 * is a straight line. With fewer lines than fill it (left <= queue) capacity is twice the
 * bandwidth, and the queue no more than `left` is away from 0: who has just enough lines for the
 * bandwidth did not wait when it was measured.
 */
static void set_default(const struct loads *l, const struct place *p)
{
	const struct measured by = measured_by(l->machine, p);
	__uint128_t bytes = (__uint128_t)by.lines * l->machine->cache_line_bytes;
	uint64_t full_ps = (uint64_t)(bytes * PS_PER_S / p->bytes_per_s);
	uint64_t empty_ps = by.latency_ps + of_others(l, p);
	uint64_t left = full_ps > empty_ps ? full_ps - empty_ps : empty_ps - full_ps;
	uint64_t queue = p->default_ps, more;

	if (!bytes)
		return;
	*p->load = (struct load){.depends = true};
	p->load->queue_ps = left < queue ? left : queue;
	p->load->capacity = 2 * p->bytes_per_s;
	more = mul_div(mul_div(p->bytes_per_s, queue, left + 1), queue, left + 1);
	if (full_ps > empty_ps && left > queue)
		p->load->capacity = p->bytes_per_s + more + 1;
	set_end(p->load, p->bytes_per_s, p->bytes_per_s / 100 * KNEE);
}

static void set_load(const struct loads *l, const struct place *p)
{
	struct load *load = p->load;

	if (p->said->nr)
		*load = (struct load){.depends = true, .curve = p->said};
	else if (p->said->queue_ps)
		set_said(p);
	else if (p->route && p->default_ps && !p->said->none)
		set_default(l, p);
	if (load->depends && p->route)
		load->alone_ps = at_rate(load, l->machine->cache_line_bytes * PS_PER_S /
						       p->route->latency_ps);
}

static void use(struct place *p, const struct machine *m, int from, int to)
{
	const struct machine_route *route = machine_route(m, from, to);

	if (p->route && p->route->latency_ps <= route->latency_ps)
		return;
	p->route = route;
	p->from = from;
	p->to = to;
}

/* Banks, then links. */
static void find_places(struct loads *l, const struct costs *costs, struct place *places)
{
	const struct machine *m = l->machine;
	int nr = machine_nr_places(m);

	for (int nid = 0; nid < nr; nid++)
		places[nid] = (struct place){
			.load = &l->banks[nid],
			.said = &m->banks[nid].load,
			.bytes_per_s = m->banks[nid].bytes_per_s,
			.default_ps = costs->bank_queue_ps,
		};
	for (int i = 0; i < m->nr_links; i++)
		places[nr + i] = (struct place){
			.load = &l->links[i],
			.said = &m->links[i].load,
			.bytes_per_s = m->links[i].bytes_per_s,
			.default_ps = costs->link_queue_ps,
		};
	for (int from = 0; from < nr; from++)
		for (int to = 0; to < nr; to++) {
			const struct machine_route *route = machine_route(m, from, to);

			if (!route->bytes_per_s)
				continue;
			use(&places[to], m, from, to);
			for (int i = 0; i < route->nr_links; i++)
				use(&places[nr + route->links[i]], m, from, to);
		}
}

/* Widest first: what they add is known when that comes which is full before them. */
static int by_rate(const void *a, const void *b)
{
	const struct place *x = a, *y = b;

	if (x->bytes_per_s != y->bytes_per_s)
		return x->bytes_per_s < y->bytes_per_s ? 1 : -1;
	return (x->load > y->load) - (x->load < y->load);
}

static int set_all(struct loads *l, const struct costs *costs, bool *any)
{
	const struct machine *m = l->machine;
	int nr_banks = machine_nr_places(m);
	struct place *places = calloc((size_t)nr_banks + (size_t)m->nr_links, sizeof(*places));
	uint64_t *lines = calloc((size_t)nr_banks, sizeof(*lines));

	if (!places || !lines) {
		free(places);
		free(lines);
		return -ENOMEM;
	}
	count_lines(m, lines);
	find_places(l, costs, places);
	qsort(places + nr_banks, (size_t)m->nr_links, sizeof(*places), by_rate);
	for (int i = 0; i < nr_banks + m->nr_links; i++) {
		places[i].lines = lines;
		if (places[i].bytes_per_s)
			set_load(l, &places[i]);
		*any |= places[i].load->depends;
	}
	for (int i = 0; i < m->nr_links; i++)
		l->links[i].reads = m->links[i].write_bytes_per_s != 0;
	free(places);
	free(lines);
	return 0;
}

int loads_create(const struct machine *m, const struct costs *costs, struct loads **out)
{
	struct loads *l = calloc(1, sizeof(*l));
	bool any = false;
	int err = -ENOMEM;

	*out = NULL;
	if (!l)
		return -ENOMEM;
	l->machine = m;
	l->banks = calloc((size_t)machine_nr_places(m), sizeof(*l->banks));
	l->links = calloc((size_t)m->nr_links + 1, sizeof(*l->links));
	l->unspread = calloc((size_t)machine_nr_places(m), sizeof(*l->unspread));
	l->first_channel = calloc((size_t)machine_nr_places(m), sizeof(*l->first_channel));
	if (l->first_channel) {
		l->nr_channels = channels_number(m, l->first_channel);
		l->channels = calloc(l->nr_channels + 1, sizeof(*l->channels));
	}
	if (l->banks && l->links && l->unspread && l->channels)
		err = set_all(l, costs, &any);
	if (err || !any)
		loads_free(l);
	else
		*out = l;
	return err;
}

void loads_free(struct loads *l)
{
	if (!l)
		return;
	free(l->banks);
	free(l->links);
	free(l->unspread);
	free(l->channels);
	free(l->first_channel);
	free(l);
}

void loads_forget(struct loads *l)
{
	const struct machine *m = l->machine;

	for (int place = 0; place < machine_nr_places(m); place++) {
		l->banks[place].carried = (struct average){0};
		l->unspread[place] = (struct average){0};
	}
	for (int i = 0; i < m->nr_links; i++)
		l->links[i].carried = (struct average){0};
	for (size_t i = 0; i < l->nr_channels; i++)
		l->channels[i] = (struct average){0};
}

static void decay(struct average *a, uint64_t now_ps)
{
	uint64_t past_ps, whole_ps, lost;

	/* Clocks of CPUs may be half a picosecond apart. */
	if (now_ps <= a->at_ps)
		return;
	past_ps = now_ps - a->at_ps;
	whole_ps = TAU_PS + past_ps;
	/* sum * TAU / whole, or what it loses of sum, rounded up: that fits 64 bits mostly. */
	if (__builtin_mul_overflow(a->sum, past_ps, &lost))
		a->sum = mul_div(a->sum, TAU_PS, whole_ps);
	else
		a->sum -= lost / whole_ps + (lost % whole_ps != 0);
	a->at_ps = now_ps;
}

/*
 * A transfer counts by what of it has not been forgotten when it ends: so an average of nothing but
 * transfers one after the other is their rate, however long they are. Of a short one that is all.
 * So it is, too, with many CPUs: what each has on its way, and is not in the average yet, makes up
 * for what the others' have there too early. What is between, by the part that it has of the load.
 */
static void carry(struct average *a, uint64_t bytes, uint64_t took_ps, uint64_t now_ps)
{
	__uint128_t part = (__uint128_t)bytes << FRACTION;

	decay(a, now_ps);
	if (took_ps >= TAU_PS / SHORT) {
		__uint128_t alone_ps = part * TAU_PS / (a->sum + 1);

		part = part * TAU_PS / (TAU_PS + (alone_ps < took_ps ? alone_ps : took_ps));
	}
	a->sum += (uint64_t)part;
}

static void add(struct load *load, uint64_t bytes, const struct load_moved *moved, uint64_t now_ps)
{
	if (load->depends)
		carry(&load->carried, bytes, moved->took_ps, now_ps);
}

/* Over a link a byte written is a byte. */
static uint64_t over_link(const struct load *link, const struct load_moved *moved)
{
	return moved->bytes - moved->more - (link->reads ? moved->bytes_written : 0);
}

static void add_to_channels(struct loads *l, const struct load_moved *moved, uint64_t now_ps)
{
	const struct channel_set *set = &moved->channels;
	struct average *channels = &l->channels[l->first_channel[moved->to]];

	if (set->apart <= 1 || !l->banks[moved->to].depends)
		return;
	carry(&l->unspread[moved->to], moved->bytes, moved->took_ps, now_ps);
	for (unsigned i = set->first; i < l->machine->banks[moved->to].channels; i += set->apart)
		carry(&channels[i], set->apart * moved->bytes, moved->took_ps, now_ps);
}

void loads_add(struct loads *l, const struct load_moved *moved, uint64_t now_ps)
{
	const struct machine_route *route = machine_route(l->machine, moved->from, moved->to);

	add(&l->banks[moved->to], moved->bytes, moved, now_ps);
	add_to_channels(l, moved, now_ps);
	for (int i = 0; i < route->nr_links; i++) {
		struct load *link = &l->links[route->links[i]];

		add(link, over_link(link, moved), moved, now_ps);
	}
}

static uint64_t rate_of(uint64_t sum)
{
	return (uint64_t)((__uint128_t)sum * (PS_PER_S / TAU_PS) >> FRACTION);
}

static uint64_t extra(struct load *load, uint64_t now_ps)
{
	if (!load->depends)
		return 0;
	decay(&load->carried, now_ps);
	return beyond_alone(load, rate_of(load->carried.sum));
}

static uint64_t links_extra_ps(struct loads *l, int from, int to, uint64_t now_ps)
{
	const struct machine_route *route = machine_route(l->machine, from, to);
	uint64_t ps = 0;

	for (int i = 0; i < route->nr_links; i++)
		ps += extra(&l->links[route->links[i]], now_ps);
	return ps;
}

uint64_t loads_extra_ps(struct loads *l, int from, int to, uint64_t now_ps)
{
	return extra(&l->banks[to], now_ps) + links_extra_ps(l, from, to, now_ps);
}

uint64_t loads_channel_extra_ps(struct loads *l, int from, int to, unsigned channel,
				uint64_t now_ps)
{
	struct average *own = &l->channels[l->first_channel[to] + channel];
	struct load *bank = &l->banks[to];
	uint64_t sum, ps = links_extra_ps(l, from, to, now_ps);

	if (!bank->depends)
		return ps;
	decay(&bank->carried, now_ps);
	decay(&l->unspread[to], now_ps);
	decay(own, now_ps);
	sum = bank->carried.sum + own->sum;
	/* Each is rounded by itself. */
	sum -= l->unspread[to].sum < sum ? l->unspread[to].sum : sum;
	return ps + beyond_alone(bank, rate_of(sum));
}

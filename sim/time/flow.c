/* SPDX-License-Identifier: Apache-2.0 */
/* Which links a way has is the platform's (platform.c); here they are numbered, banks first. */
#include "sim/time/flow.h"

#include <errno.h>
#include <stdlib.h>

#include "sim/sim.h"

#define PS_PER_NS 1000
/* Of a sum of rates against what it adds up to. */
#define ROUNDING 1e-9

struct link {
	uint64_t carries;             /* (C) bytes a second */
	uint64_t asked;               /* */
	uint64_t looked_at;           /* number of the look of is_plain() */
	struct flow_on *first, *last; /* who is on it: */
	unsigned nr, nr_simgrid;      /* so many; of these, SimGrid's */
	unsigned weights;             /* of all of them */
};

/* What a lone transfer moves. */
struct rate {
	uint64_t bytes_per_s;
	double bytes_per_ns;
};

struct flows {
	const struct machine *machine; /* (C) borrowed */
	int first_link, first_disk;    /* (C) of links: those of banks come before, */
	unsigned *first_channel;       /* (C) and those of their channels last, by bank */
	struct link *links;
	/* (C) [write][node * nr_nodes + bank], the same over links only, [disk][write], [bank] */
	struct rate *alone;
	int nr;              /* under way */
	bool always_simgrid; /* (C) */
	double part;         /* of a picosecond, after the one of the change that is under way */
	uint64_t nr_looks;   /* of is_plain() */
	uint64_t nr_changes; /* of rates, and of who is on which link */
	struct flow *first_new, *last_new; /* that SimGrid does not know */
	void (*changed)(void *arg, struct flow *flow);
	void *arg;
};

/* How many channels are left out between two that the way goes over, and one more. */
static unsigned apart_of(const struct flow_way *way)
{
	return way->channels.apart ? way->channels.apart : 1;
}

/* The links of a bank, its channels where it has such: the i-th of *nr. */
static int bank_link(const struct flows *f, const struct flow_way *way, int i, int *nr)
{
	const struct machine_bank *bank = &f->machine->banks[way->bank];
	unsigned apart = apart_of(way);

	*nr = 1;
	if (!bank_has_channels(bank))
		return way->bank;
	*nr = (int)(bank->channels / apart);
	return f->first_disk + 3 * f->machine->nr_disks +
	       (int)(f->first_channel[way->bank] + way->channels.first + (unsigned)i * apart);
}

/* The links of a way, in any order: the i-th; -1: there are no more. */
static int link_of(const struct flows *f, const struct flow_way *way, int i, unsigned *weight)
{
	const struct machine_route *route;
	int link, nr = 0;

	*weight = 1;
	if (way->nid < 0)
		return i < 2 ? f->first_disk + 3 * way->bank + (i ? 1 + way->write : 0) : -1;
	if (way->over != FLOW_LINKS) {
		link = bank_link(f, way, i, &nr);
		if (i < nr) {
			*weight = apart_of(way);
			return link;
		}
	}
	route = machine_route(f->machine, way->nid, way->bank);
	if (way->over == FLOW_BANK || i - nr >= route->nr_links)
		return -1;
	link = route->links[i - nr];
	return f->first_link + 2 * link + (way->write && f->machine->links[link].write_bytes_per_s);
}

/* Some channels of a bank carry their part of what it does. */
static struct rate part_rate(const struct flows *f, const struct flow_way *way, struct rate all)
{
	uint64_t most = f->machine->banks[way->bank].bytes_per_s / apart_of(way);

	if (most >= all.bytes_per_s)
		return all;
	return (struct rate){.bytes_per_s = most, .bytes_per_ns = (double)most / 1e9};
}

/* Of `alone`: those of disks, and of banks behind them. */
static int first_disk_rate(const struct machine *m)
{
	int nr = machine_nr_places(m);

	return 4 * nr * nr;
}

static int first_bank_rate(const struct machine *m)
{
	return first_disk_rate(m) + 2 * m->nr_disks;
}

static inline struct rate alone_rate(const struct flows *f, const struct flow_way *way)
{
	int nr = machine_nr_places(f->machine), table = way->write + 2 * (way->over == FLOW_LINKS);
	struct rate all;

	if (way->nid < 0)
		return f->alone[first_disk_rate(f->machine) + 2 * way->bank + way->write];
	if (way->over == FLOW_BANK)
		all = f->alone[first_bank_rate(f->machine) + way->bank];
	else
		all = f->alone[(table * nr + way->nid) * nr + way->bank];
	return way->channels.apart > 1 ? part_rate(f, way, all) : all;
}

/* The narrowest link of a way. */
static uint64_t narrowest(const struct flows *f, const struct flow_way *way)
{
	uint64_t rate = UINT64_MAX;
	unsigned weight;
	int link;

	for (int i = 0; (link = link_of(f, way, i, &weight)) >= 0; i++)
		if (f->links[link].carries < rate)
			rate = f->links[link].carries;
	return rate;
}

/* Links are known. */
static void find_rates(struct flows *f)
{
	const struct machine *m = f->machine;
	int nr = machine_nr_places(m), banks = first_bank_rate(m);

	for (int nid = 0; nid < nr; nid++)
		for (int bank = 0; bank < nr; bank++) {
			struct rate *rate = &f->alone[nid * nr + bank];
			struct flow_way way = {.nid = nid, .bank = bank, .over = FLOW_LINKS};

			rate[0].bytes_per_s = machine_route(m, nid, bank)->bytes_per_s;
			rate[nr * nr].bytes_per_s = platform_write_rate(m, nid, bank);
			rate[2 * nr * nr].bytes_per_s = narrowest(f, &way);
			way.write = true;
			rate[3 * nr * nr].bytes_per_s = narrowest(f, &way);
		}
	for (int i = 0; i < m->nr_disks; i++) {
		struct rate *rate = &f->alone[first_disk_rate(m) + 2 * i];

		rate[0].bytes_per_s = m->disks[i].read_bytes_per_s;
		rate[1].bytes_per_s = m->disks[i].write_bytes_per_s;
	}
	for (int nid = 0; nid < nr; nid++)
		f->alone[banks + nid].bytes_per_s = m->banks[nid].bytes_per_s;
	for (int i = 0; i < banks + nr; i++)
		f->alone[i].bytes_per_ns = (double)f->alone[i].bytes_per_s / 1e9;
}

static void find_links(struct flows *f)
{
	const struct machine *m = f->machine;

	for (int nid = 0; nid < machine_nr_places(m); nid++)
		f->links[nid].carries = m->banks[nid].bytes_per_s;
	for (int i = 0; i < m->nr_links; i++) {
		f->links[f->first_link + 2 * i].carries = m->links[i].bytes_per_s;
		f->links[f->first_link + 2 * i + 1].carries = platform_link_write_rate(m, i);
	}
	for (int i = 0; i < m->nr_disks; i++) {
		struct link *links = &f->links[f->first_disk + 3 * i];

		links[1].carries = m->disks[i].read_bytes_per_s;
		links[2].carries = m->disks[i].write_bytes_per_s;
		links[0].carries =
			links[1].carries > links[2].carries ? links[1].carries : links[2].carries;
	}
	for (int nid = 0; nid < machine_nr_places(m); nid++) {
		struct link *channels =
			&f->links[f->first_disk + 3 * m->nr_disks + (int)f->first_channel[nid]];

		for (unsigned i = 0;
		     bank_has_channels(&m->banks[nid]) && i < m->banks[nid].channels; i++)
			channels[i].carries = m->banks[nid].bytes_per_s;
	}
}

struct flows *flows_create(const struct machine *m, void (*changed)(void *arg, struct flow *flow),
			   void *arg)
{
	struct flows *f = calloc(1, sizeof(*f));
	size_t nr_nodes = (size_t)machine_nr_places(m), nr_channels = 0;

	if (!f)
		return NULL;
	f->machine = m;
	f->changed = changed;
	f->arg = arg;
	f->first_link = machine_nr_places(m);
	f->first_disk = f->first_link + 2 * m->nr_links;
	f->first_channel = calloc(nr_nodes, sizeof(*f->first_channel));
	if (f->first_channel)
		nr_channels = channels_number(m, f->first_channel);
	f->links = calloc((size_t)f->first_disk + 3 * (size_t)m->nr_disks + nr_channels,
			  sizeof(*f->links));
	f->alone = calloc((size_t)first_bank_rate(m) + nr_nodes, sizeof(*f->alone));
	if (!f->first_channel || !f->links || !f->alone) {
		flows_free(f);
		return NULL;
	}
	find_links(f);
	find_rates(f);
	return f;
}

void flows_free(struct flows *f)
{
	if (!f)
		return;
	free(f->first_channel);
	free(f->links);
	free(f->alone);
	free(f);
}

void flows_always_simgrid(struct flows *f)
{
	f->always_simgrid = true;
}

void flow_clear(struct flow *flow)
{
	free(flow->on);
}

bool flows_none(const struct flows *f)
{
	return !f->nr;
}

/* From a part of a picosecond on, to another one that many whole ones later; SIM_MAX_PS of them
 * stand for all that are more. */
static uint64_t take_ps(double bytes, double rate, double *part)
{
	double ps = bytes / rate * PS_PER_NS + *part;
	int64_t whole; /* hosts are slow with the unsigned ones */

	if (ps > (double)SIM_MAX_PS) {
		*part = 0;
		return SIM_MAX_PS;
	}
	whole = (int64_t)(ps + 0.5);
	*part = ps - (double)whole;
	return (uint64_t)whole;
}

/*
 * Do they share no link? One over links and one at the bank do not; bytes read and written do where
 * a link has no way of its own for these.
 */
static bool are_apart(const struct flows *f, const struct flow_part *parts, int nr)
{
	const struct machine_route *route =
		machine_route(f->machine, parts[0].way.nid, parts[0].way.bank);

	if (nr == 2 && parts[1].way.over == FLOW_BANK)
		return true;
	for (int i = 0; i < route->nr_links; i++)
		if (!f->machine->links[route->links[i]].write_bytes_per_s)
			return false;
	return true;
}

static inline uint64_t part_alone_ps(const struct flows *f, const struct flow_part *what,
				     double *part)
{
	return take_ps((double)what->bytes, alone_rate(f, &what->way).bytes_per_ns, part);
}

/* The last of them ends it. */
static uint64_t all_alone_ps(const struct flows *f, const struct flow_part *parts, int nr,
			     double *part)
{
	double from = *part;
	uint64_t most = part_alone_ps(f, parts, part);

	if (!are_apart(f, parts, nr))
		return UINT64_MAX;
	for (int i = 1; i < nr; i++) {
		double end = from;
		uint64_t ps = part_alone_ps(f, &parts[i], &end);

		if (ps > most || (ps == most && end > *part)) {
			most = ps;
			*part = end;
		}
	}
	return most;
}

uint64_t flows_alone_ps(const struct flows *f, const struct flow_part *parts, int nr, double *part)
{
	return nr > 1 ? all_alone_ps(f, parts, nr, part) : part_alone_ps(f, parts, part);
}

static bool is_short(const struct link *l)
{
	return l->asked > l->carries;
}

static void set_rate(struct flows *f, struct flow *flow, double rate, uint64_t now_ps)
{
	double took_ps = (double)(now_ps - flow->at_ps) + (f->part - flow->at_part);
	double moved = took_ps / PS_PER_NS * flow->rate;

	flow->left = flow->left > moved ? flow->left - moved : 0;
	flow->at_ps = now_ps;
	flow->at_part = flow->end_part = f->part;
	flow->rate = rate;
	flow->end_ps = now_ps + take_ps(flow->left, rate, &flow->end_part);
	f->nr_changes++;
	f->changed(f->arg, flow);
}

/*
 * Of the short link, what each of its users gets at most. Who is slower alone than an equal part
 * of what is left gets what he asks for; then there is more for the others.
 */
static double fair_part(const struct link *l)
{
	unsigned nr = l->weights, nr_slower = 0, nr_before; /* who takes more of it is several */
	double part = (double)l->carries / 1e9 / nr;

	do {
		uint64_t given = 0;

		nr_before = nr_slower;
		nr_slower = 0;
		for (const struct flow_on *on = l->first; on; on = on->after) {
			if (on->flow->alone >= part)
				continue;
			given += on->flow->asks * on->weight;
			nr_slower += on->weight;
		}
		part = (double)(l->carries - given) / 1e9 / (nr - nr_slower);
	} while (nr_slower != nr_before);
	return part;
}

static double share_of(const struct flow *flow, double part)
{
	return flow->alone < part ? flow->alone : part;
}

/* The short link between its users. */
static void share(struct flows *f, const struct link *l, double part, uint64_t now_ps)
{
	for (struct flow_on *on = l->first; on; on = on->after) {
		double rate = share_of(on->flow, part);

		if (rate != on->flow->rate || on->flow->end_ps == UINT64_MAX)
			set_rate(f, on->flow, rate, now_ps);
	}
}

static void give_to_simgrid(struct flows *f, struct flow *flow, uint64_t now_ps)
{
	if (flow->simgrid)
		return;
	flow->simgrid = true;
	flow->next = NULL;
	*(f->last_new ? &f->last_new->next : &f->first_new) = flow;
	f->last_new = flow;
	for (int i = 0; i < flow->nr_on; i++)
		f->links[flow->on[i].link].nr_simgrid++;
	set_rate(f, flow, flow->alone, now_ps);
}

/* A long way of SimGrid's has links of hundreds of users each: nobody looks through these in vain.
 */
static bool all_are_simgrids(const struct link *l)
{
	return l->nr_simgrid == l->nr;
}

/* It is SimGrid's from now on, and so are all that short links join it with. */
static void give_all_to_simgrid(struct flows *f, struct flow *flow, uint64_t now_ps)
{
	for (give_to_simgrid(f, flow, now_ps); flow; flow = flow->next)
		for (int i = 0; i < flow->nr_on; i++) {
			const struct link *l = &f->links[flow->on[i].link];

			if (!is_short(l) || all_are_simgrids(l))
				continue;
			for (struct flow_on *on = l->first; on; on = on->after)
				give_to_simgrid(f, on->flow, now_ps);
		}
}

struct flow *flows_next_for_simgrid(struct flows *f)
{
	struct flow *flow = f->first_new;

	if (flow)
		f->first_new = flow->next;
	if (!f->first_new)
		f->last_new = NULL;
	return flow;
}

/* Another short link of somebody who gets his part of this one: is it none that matters, since all
 * its users get theirs here, and that is no more than it carries? */
static bool is_covered(const struct flows *f, const struct link *other)
{
	double carried = 0, most = (double)other->carries / 1e9;

	for (const struct flow_on *on = other->first; on; on = on->after) {
		if (on->flow->looked_at != f->nr_looks)
			return false;
		carried += on->flow->share * on->weight;
	}
	return carried <= most * (1 + ROUNDING);
}

/*
 * Is what its users, none of them SimGrid's, get told by this link alone? Each other link is looked
 * at once.
 */
static bool is_plain(struct flows *f, struct link *link, double part)
{
	link->looked_at = ++f->nr_looks;
	for (struct flow_on *on = link->first; on; on = on->after) {
		on->flow->looked_at = f->nr_looks;
		on->flow->share = share_of(on->flow, part);
	}
	for (const struct flow_on *on = link->first; on; on = on->after) {
		const struct flow *flow = on->flow;

		for (int i = 0; flow->nr_short > 1 && i < flow->nr_on; i++) {
			struct link *other = &f->links[flow->on[i].link];

			if (other->looked_at == f->nr_looks || !is_short(other))
				continue;
			other->looked_at = f->nr_looks;
			if (!is_covered(f, other))
				return false;
		}
	}
	return true;
}

static void share_now(struct flows *f, struct flow *flow, uint64_t now_ps)
{
	if (!flow->nr_short) {
		if (flow->rate != flow->alone || flow->end_ps == UINT64_MAX)
			set_rate(f, flow, flow->alone, now_ps);
		return;
	}
	for (int i = 0; i < flow->nr_on; i++) {
		struct link *link = &f->links[flow->on[i].link];
		double part;

		if (!is_short(link) || link->nr_simgrid)
			continue;
		part = fair_part(link);
		if (is_plain(f, link, part)) {
			share(f, link, part, now_ps);
			return;
		}
	}
	give_all_to_simgrid(f, flow, now_ps);
}

/*
 * One that is not SimGrid's, and those that short links join it with. Nothing comes of doing so
 * once more: who leaves a long way would have it done for each of its links.
 */
static void share_all(struct flows *f, struct flow *flow, uint64_t now_ps)
{
	if (flow->shared_at == f->nr_changes)
		return;
	share_now(f, flow, now_ps);
	flow->shared_at = f->nr_changes;
}

static void put_on(struct flows *f, struct flow_on *on)
{
	struct link *l = &f->links[on->link];
	bool was_short = is_short(l);

	f->nr_changes++;
	on->before = l->last;
	on->after = NULL;
	*(l->last ? &l->last->after : &l->first) = on;
	l->last = on;
	l->asked += on->flow->asks * on->weight;
	l->weights += on->weight;
	l->nr++;
	if (!is_short(l))
		return;
	for (struct flow_on *user = was_short ? on : l->first; user; user = user->after)
		user->flow->nr_short++;
}

/* Returns whether the link was short. */
static bool take_off(struct flows *f, struct flow_on *on)
{
	struct link *l = &f->links[on->link];
	bool was_short = is_short(l);

	f->nr_changes++;
	*(on->before ? &on->before->after : &l->first) = on->after;
	*(on->after ? &on->after->before : &l->last) = on->before;
	l->asked -= on->flow->asks * on->weight;
	l->weights -= on->weight;
	l->nr--;
	l->nr_simgrid -= on->flow->simgrid;
	if (was_short && !is_short(l))
		for (struct flow_on *user = l->first; user; user = user->after)
			user->flow->nr_short--;
	return was_short;
}

/* Those that stay have more now. */
static void share_again(struct flows *f, const struct link *l, uint64_t now_ps)
{
	if (all_are_simgrids(l))
		return;
	for (struct flow_on *on = l->first; on; on = on->after) {
		if (!on->flow->simgrid)
			share_all(f, on->flow, now_ps);
		/* All of them with it. */
		if (is_short(l))
			break;
	}
}

static bool is_over(const struct flow *flow, uint64_t now_ps, double part)
{
	return flow->end_ps < now_ps || (flow->end_ps == now_ps && flow->end_part <= part);
}

/* Those whose time is over, but who have not got to saying so, hold nobody up. */
static void end_those_over(struct flows *f, const struct link *l, uint64_t now_ps, double part)
{
	struct flow_on *after;

	if (all_are_simgrids(l))
		return;
	for (struct flow_on *on = l->first; on; on = after) {
		after = on->after;
		if (!on->flow->simgrid && is_over(on->flow, now_ps, part))
			flows_end(f, on->flow, now_ps);
	}
}

static int find_way(const struct flows *f, struct flow *flow)
{
	unsigned weight;
	int link;

	flow->nr_on = 0;
	if (f->always_simgrid)
		return 0;
	while ((link = link_of(f, &flow->way, flow->nr_on, &weight)) >= 0) {
		if (flow->nr_on == flow->room) {
			int room = 2 * flow->room + 2;
			struct flow_on *grown = realloc(flow->on, (size_t)room * sizeof(*grown));

			if (!grown)
				return -ENOMEM;
			flow->on = grown;
			flow->room = room;
		}
		flow->on[flow->nr_on++] =
			(struct flow_on){.flow = flow, .link = link, .weight = weight};
	}
	return 0;
}

int flows_begin(struct flows *f, struct flow *flow, const struct flow_part *what, uint64_t now_ps,
		double part)
{
	int err;

	flow->way = what->way;
	err = find_way(f, flow);
	if (err)
		return err;
	flow->asks = alone_rate(f, &what->way).bytes_per_s;
	flow->left = (double)what->bytes;
	flow->alone = (double)flow->asks / 1e9;
	flow->rate = flow->alone;
	flow->at_ps = now_ps;
	flow->at_part = part;
	flow->end_ps = UINT64_MAX;
	flow->simgrid = false;
	flow->nr_short = 0;
	flow->under_way = true;
	f->nr++;
	for (int i = 0; i < flow->nr_on; i++) {
		const struct link *l = &f->links[flow->on[i].link];

		if (l->asked + flow->asks * flow->on[i].weight > l->carries)
			end_those_over(f, l, now_ps, part);
	}
	for (int i = 0; i < flow->nr_on; i++)
		put_on(f, &flow->on[i]);
	f->part = part;
	if (f->always_simgrid)
		give_to_simgrid(f, flow, now_ps);
	else
		share_all(f, flow, now_ps);
	return 0;
}

void flows_end(struct flows *f, struct flow *flow, uint64_t now_ps)
{
	bool was_short = false;

	if (!flow->under_way)
		return;
	flow->under_way = false;
	f->nr--;
	f->part = now_ps == flow->end_ps ? flow->end_part : 0;
	for (int i = 0; i < flow->nr_on; i++)
		was_short |= take_off(f, &flow->on[i]);
	for (int i = 0; was_short && i < flow->nr_on; i++)
		share_again(f, &f->links[flow->on[i].link], now_ps);
}

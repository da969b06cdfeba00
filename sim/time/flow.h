/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bytes on their way: how fast they move, and who has to say so.
 *
 * One that is alone moves at the rate of the narrowest link on its way. As long as what those on a
 * link move alone adds up to no more than the link carries, on all the links of one's way, the
 * max-min fair share of each is just that. Where more is asked of a link than it carries, the link
 * is short. If it is the only short one on the ways of all that use it, its fair share is plain:
 * what it carries, by those on it, where who is slower alone leaves the rest to the others. The
 * same holds if another of their short links has no further users, and carries what these get here.
 * Where short links meet otherwise, their shares depend on each other, and SimGrid has to solve that
 * for all who are joined by them.
 *
 * A bank that has channels is a link a channel, of which each carries as much as the bank: a byte
 * that goes to one channel of n takes n of it there, one that is spread over all 1 of each.
 *
 *	asked of a link = sum of the lone rates of those under way on it, times what a byte takes
 *	short           = asked > carries
 *	on a short link all are SimGrid's, or none
 *
 * Rates are bytes per nanosecond, times picoseconds. A transfer ends at any time, and who waits for
 * it is told at the nearest picosecond. What it leaves of its links is for others from the very
 * time on, and what the same CPU moves next begins then, if that is the later of both. Such a time
 * is a picosecond and a part of one, from half a one before it to half a one after it.
 */
#ifndef SIM_FLOW_H
#define SIM_FLOW_H

#include "sim/machine/channels.h"

/* Where bytes go: between the CPUs of a node and a bank, or to or from a disk. */
struct flow_way {
	int nid;  /* -1: to a disk */
	int bank; /* or the disk's number */
	bool write;
	/* All of the way, or only a part of it. */
	enum flow_over { FLOW_ALL, FLOW_LINKS, FLOW_BANK } over;
	struct channel_set channels; /* of the bank, evenly */
};

/*
 * Of a transfer, which is over once all its parts have moved, at the same time: where bytes are not
 * as much to the bank as they are to each link, what the bank has to do, and what the links have.
 */
#define FLOW_PARTS 3
struct flow_part {
	struct flow_way way;
	uint64_t bytes; /* above 0 */
};

/* A flow on one of its links. */
struct flow_on {
	struct flow *flow;
	struct flow_on *before, *after; /* in the order in which they began */
	int link;
	unsigned weight; /* what a byte takes of the link */
};

/* Zero before it begins for the first time. */
struct flow {
	struct flow_way way;
	uint64_t asks;      /* bytes a second, of each link: its rate if it is alone */
	double alone;       /* that, a nanosecond */
	double rate;        /* from at_ps on; of SimGrid's, the most possible */
	double left;        /* bytes, at at_ps */
	uint64_t at_ps;     /* */
	double at_part;     /* of a picosecond after that */
	uint64_t end_ps;    /* if all stays as it is; of SimGrid's, the earliest possible */
	double end_part;    /* */
	bool under_way;     /* */
	bool simgrid;       /* it is SimGrid's */
	struct flow *next;  /* of those that are new there */
	int nr_short;       /* of its links */
	uint64_t looked_at; /* number of the look at one of its links, */
	double share;       /* and what it would get of that */
	uint64_t shared_at; /* after so many changes of all flows */
	struct flow_on *on; /* its links; owned */
	int nr_on, room;
};

struct flows;

/**
 * None under way. changed(arg, flow) is called when end_ps of one is known, or another than it was.
 * The machine is borrowed. NULL: no memory.
 */
struct flows *flows_create(const struct machine *m, void (*changed)(void *arg, struct flow *flow),
			   void *arg);
void flows_free(struct flows *f);
/** All are to be SimGrid's; before the first. */
void flows_always_simgrid(struct flows *f);

/**
 * What a transfer takes that nobody competes with, picoseconds, if it begins *part of one after a
 * whole one; that then is the part at which it ends. UINT64_MAX: its own parts compete.
 */
uint64_t flows_alone_ps(const struct flows *f, const struct flow_part *parts, int nr, double *part);
bool flows_none(const struct flows *f);

/**
 * Bytes begin to move, `part` of a picosecond after now_ps, `flow` with them until flows_end().
 * Returns 0 or -ENOMEM.
 */
int flows_begin(struct flows *f, struct flow *flow, const struct flow_part *what, uint64_t now_ps,
		double part);
/** Of those that have become SimGrid's, and have `left` to move, the next; NULL: there are no more.
 */
struct flow *flows_next_for_simgrid(struct flows *f);
/** They have moved. */
void flows_end(struct flows *f, struct flow *flow, uint64_t now_ps);
/** Free what it has of its own. */
void flow_clear(struct flow *flow);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Node distances of a machine file: the matrix that firmware tells the kernel (ACPI SLIT), which
 * orders the zonelists, and a warning where it does not tell what the latencies do.
 */
#include "sim/machine/read.h"

#include "sim/machine/interconnect.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define REMOTE_DISTANCE 20 /* the kernel's default where there is no matrix */
#define UNREACHABLE     255

static void put_distance(struct machine_reader *r, const struct cfg_setting *s,
			 const struct node_pair *pair, uint64_t d)
{
	if (pair->from == pair->to && d != LOCAL_DISTANCE)
		cfg_error(r->cfg, s,
			  "expected %d on the diagonal, the distance of a node to itself, found "
			  "%" PRIu64,
			  LOCAL_DISTANCE, d);
	if (pair->from != pair->to && d < LOCAL_DISTANCE)
		cfg_error(r->cfg, s,
			  "expected a distance from %d to 254, or 255 for unreachable, found "
			  "%" PRIu64,
			  LOCAL_DISTANCE, d);
	r->m->distance[pair->from * r->m->mm.nr_nodes + pair->to] = (uint8_t)d;
}

/* "10 21 21": a row as the kernel's nodeN/distance has it. */
static void read_text_row(struct machine_reader *r, const struct cfg_setting *s, int from)
{
	struct node_pair pair = {.from = from};
	const char *text = "", *p;
	int nr = r->m->mm.nr_nodes;

	cfg_string(r->cfg, s, &text);
	for (p = text + strspn(text, " "); *p && !cfg_status(r->cfg); p += strspn(p, " ")) {
		size_t len = strspn(p, "0123456789");
		unsigned long d = len && len < 4 ? strtoul(p, NULL, 10) : UNREACHABLE + 1;

		if (d > UNREACHABLE || (p[len] && p[len] != ' '))
			cfg_error(r->cfg, s,
				  "expected distances from %d to %d with blanks between, found "
				  "'%.20s'",
				  LOCAL_DISTANCE, UNREACHABLE, p);
		else if (pair.to < nr)
			put_distance(r, s, &pair, d);
		pair.to++;
		p += len;
	}
	if (!cfg_status(r->cfg) && pair.to != nr)
		cfg_error(r->cfg, s, "expected %d distances, one a node, found %d", nr, pair.to);
}

static void read_list_row(struct machine_reader *r, const struct cfg_setting *s, int from)
{
	const struct cfg_setting *row = cfg_list(r->cfg, s);
	struct node_pair pair = {.from = from};
	unsigned nr = (unsigned)r->m->mm.nr_nodes;
	uint64_t d;

	if (row && cfg_length(row) != nr)
		cfg_error(r->cfg, row, "expected %u columns, one a node, found %u", nr,
			  cfg_length(row));
	for (; pair.to < (int)nr && !cfg_status(r->cfg); pair.to++) {
		const struct cfg_setting *cell = cfg_element(row, (unsigned)pair.to);

		if (cfg_integer(r->cfg, cell, 0, UNREACHABLE, &d))
			put_distance(r, cell, &pair, d);
	}
}

void machine_read_distances(struct machine_reader *r, const struct cfg_setting *root)
{
	const struct cfg_setting *s = cfg_find(r->cfg, root, "distances");
	const struct cfg_setting *matrix = cfg_list(r->cfg, s);
	unsigned nr = (unsigned)r->m->mm.nr_nodes;

	r->m->distance = machine_array(r, (size_t)nr * nr, 1);
	if (!r->m->distance)
		return;
	r->m->mm.distance = r->m->distance;
	for (unsigned i = 0; !s && i < nr * nr; i++)
		r->m->distance[i] = i % (nr + 1) ? REMOTE_DISTANCE : LOCAL_DISTANCE;
	if (matrix && cfg_length(matrix) != nr)
		cfg_error(r->cfg, matrix, "expected %u rows, one a node, found %u", nr,
			  cfg_length(matrix));
	for (unsigned i = 0; matrix && i < nr && !cfg_status(r->cfg); i++) {
		const struct cfg_setting *row = cfg_element(matrix, i);

		if (cfg_is_string(row))
			read_text_row(r, row, (int)i);
		else
			read_list_row(r, row, (int)i);
	}
}

/* How far distance and latency of a pair are apart, as a share of the latency; in 1/10000. */
static uint64_t disagreement(const struct machine *m, int from, int to)
{
	const struct machine_route *local = machine_route(m, from, from);
	const struct machine_route *route = machine_route(m, from, to);
	unsigned distance = m->distance[from * m->mm.nr_nodes + to];
	uint64_t by_distance = distance * local->latency_ps;
	uint64_t by_latency = LOCAL_DISTANCE * route->latency_ps;
	uint64_t apart;

	if (from == to || distance == UNREACHABLE || !local->bytes_per_s || !route->bytes_per_s)
		return 0;
	apart = by_distance > by_latency ? by_distance - by_latency : by_latency - by_distance;
	return (uint64_t)((unsigned __int128)apart * 10000 / by_latency);
}

void machine_check_distances(struct machine_reader *r, const struct cfg_setting *root)
{
	const struct cfg_setting *s = cfg_find(r->cfg, root, "distances");
	const struct machine *m = r->m;
	struct node_pair worst = {0};
	uint64_t most = 0;
	unsigned distance;

	for (int from = 0; s && from < m->mm.nr_nodes; from++) {
		for (int to = 0; to < m->mm.nr_nodes; to++) {
			uint64_t apart = disagreement(m, from, to);

			if (apart > most) {
				most = apart;
				worst = (struct node_pair){.from = from, .to = to};
			}
		}
	}
	if (most <= 1500)
		return;
	distance = m->distance[worst.from * m->mm.nr_nodes + worst.to];
	cfg_warn(r->cfg, s,
		 "distances and latencies disagree by more than 15 %%, most from node %d to node "
		 "%d: %u.%ux the local one by distance, %.2fx by latency",
		 worst.from, worst.to, distance / LOCAL_DISTANCE, distance % LOCAL_DISTANCE,
		 (double)machine_route(m, worst.from, worst.to)->latency_ps /
			 (double)machine_route(m, worst.from, worst.from)->latency_ps);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Node distances of a machine file: the matrix that firmware tells the kernel (ACPI SLIT), which
 * orders the zonelists, and a warning where it does not tell what the latencies do.
 */
#include "sim/machine/read.h"

#include "sim/machine/interconnect.h"

#include <inttypes.h>
#include <stdlib.h>

#define LOCAL_DISTANCE  10 /* ACPI, and the kernel's default where there is no matrix */
#define REMOTE_DISTANCE 20
#define UNREACHABLE     255

static void read_distance(struct machine_reader *r, const struct cfg_setting *s, int from, int to)
{
	uint8_t *distance = &r->m->distance[from * r->m->mm.nr_nodes + to];
	uint64_t d;

	if (!cfg_integer(r->cfg, s, 0, UNREACHABLE, &d))
		return;
	if (from == to && d != LOCAL_DISTANCE)
		cfg_error(r->cfg, s,
			  "expected %d on the diagonal, the distance of a node to itself, found "
			  "%" PRIu64,
			  LOCAL_DISTANCE, d);
	if (from != to && d < LOCAL_DISTANCE)
		cfg_error(r->cfg, s,
			  "expected a distance from %d to 254, or 255 for unreachable, found "
			  "%" PRIu64,
			  LOCAL_DISTANCE, d);
	*distance = (uint8_t)d;
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
		const struct cfg_setting *row = cfg_list(r->cfg, cfg_element(matrix, i));

		if (row && cfg_length(row) != nr)
			cfg_error(r->cfg, row, "expected %u columns, one a node, found %u", nr,
				  cfg_length(row));
		for (unsigned j = 0; j < nr && !cfg_status(r->cfg); j++)
			read_distance(r, cfg_element(row, j), (int)i, (int)j);
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

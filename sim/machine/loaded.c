/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Latency that rises with load, of banks and links of a machine file: the list `loaded`, and what a
 * bank has besides latency and bandwidth. wires.c reads the rest.
 */
#include "sim/machine/read.h"

#include "sim/machine/interconnect.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_POINTS 256

static bool rises(const struct machine_load_point *before, const struct machine_load_point *p)
{
	return p->bytes_per_s > before->bytes_per_s && p->latency_ps >= before->latency_ps;
}

/* One element; points[0] is left for load 0. */
static void read_point(struct machine_reader *r, const struct cfg_setting *s,
		       struct machine_load *load)
{
	static const char *const keys[] = {"bandwidth", "latency", "source", NULL};
	const struct cfg_setting *group = cfg_group(r->cfg, s);
	struct machine_load_point *p = &load->points[load->nr];

	cfg_keys(r->cfg, group, keys);
	machine_read_source(r, group);
	machine_read_rate(r, cfg_need(r->cfg, group, "bandwidth"), &p->bytes_per_s);
	machine_read_latency(r, cfg_need(r->cfg, group, "latency"), &p->latency_ps);
	if (!cfg_status(r->cfg) && load->nr > 1 && !rises(p - 1, p))
		cfg_error(r->cfg, group,
			  "expected a larger bandwidth than the point before it has, and no less "
			  "latency");
	load->nr++;
}

void machine_read_load(struct machine_reader *r, const struct cfg_setting *group,
		       struct machine_load *load)
{
	const struct cfg_setting *list = cfg_list(r->cfg, cfg_find(r->cfg, group, "loaded"));
	unsigned nr = cfg_length(list);

	const struct cfg_setting *queueing = cfg_find(r->cfg, group, "queueing");

	*load = (struct machine_load){0};
	if (cfg_time(r->cfg, queueing, &load->queue_ps) && !load->queue_ps)
		load->none = true;
	else
		machine_read_latency(r, queueing, &load->queue_ps);
	if (!list)
		return;
	if (queueing)
		cfg_error(r->cfg, queueing, "`loaded` says it already: one of the two");
	if (nr == 0 || nr > MAX_POINTS) {
		cfg_error(r->cfg, list, "expected 1 to %d points, found %u", MAX_POINTS, nr);
		return;
	}
	load->points = machine_array(r, nr + 1, sizeof(*load->points));
	if (!load->points)
		return;
	load->nr = 1;
	for (unsigned i = 0; i < nr && !cfg_status(r->cfg); i++)
		read_point(r, cfg_element(list, i), load);
}

void machine_check_load(struct machine_reader *r, const struct cfg_setting *group,
			const struct machine_load *load, uint64_t bytes_per_s)
{
	const struct cfg_setting *list = cfg_list(r->cfg, cfg_find(r->cfg, group, "loaded"));
	const struct machine_load_point *last;

	if (cfg_status(r->cfg) || !load->nr || !bytes_per_s)
		return;
	last = &load->points[load->nr - 1];
	if (last->bytes_per_s <= bytes_per_s)
		return;
	cfg_error(r->cfg, list ? cfg_element(list, cfg_length(list) - 1) : group,
		  "a point at %" PRIu64 " bytes a second is never reached: no more than %" PRIu64
		  " are carried",
		  last->bytes_per_s, bytes_per_s);
}

void machine_read_bank(struct machine_reader *r, const struct cfg_setting *group,
		       struct machine_bank *bank)
{
	machine_read_rate(r, cfg_find(r->cfg, group, "bandwidth"), &bank->bytes_per_s);
	machine_read_rate(r, cfg_find(r->cfg, group, "write_bandwidth"), &bank->write_bytes_per_s);
	machine_read_rate(r, cfg_find(r->cfg, group, "streaming_write_bandwidth"),
			  &bank->stream_bytes_per_s);
	free(bank->load.points);
	machine_read_load(r, group, &bank->load);
	machine_read_channels(r, group, bank);
}

/* A bank's bus has its fastest way in reads: writes turn it around. */
static void check_writes(struct machine_reader *r, const struct cfg_setting *group,
			 const struct machine_bank *bank, const char *key, uint64_t rate)
{
	if (!cfg_status(r->cfg) && bank->bytes_per_s && rate > bank->bytes_per_s)
		cfg_error(r->cfg, cfg_find(r->cfg, group, key),
			  "%" PRIu64 " bytes a second are more than the bank carries (%" PRIu64 ")",
			  rate, bank->bytes_per_s);
}

void machine_check_bank(struct machine_reader *r, const struct cfg_setting *group,
			const struct machine_bank *bank)
{
	check_writes(r, group, bank, "write_bandwidth", bank->write_bytes_per_s);
	check_writes(r, group, bank, "streaming_write_bandwidth", bank->stream_bytes_per_s);
	machine_check_load(r, group, &bank->load, bank->bytes_per_s);
}

static void read_banks_of(struct machine_reader *r, const struct cfg_setting *s, bool *given)
{
	static const char *const keys[] = {"nodes", MACHINE_BANK_KEYS, NULL};
	const struct cfg_setting *group = cfg_group(r->cfg, s);
	const struct cfg_setting *nodes = cfg_list(r->cfg, cfg_need(r->cfg, group, "nodes"));

	cfg_keys(r->cfg, group, keys);
	machine_read_source(r, group);
	for (unsigned i = 0; i < cfg_length(nodes) && !cfg_status(r->cfg); i++) {
		const struct cfg_setting *node = cfg_element(nodes, i);
		int nid;

		if (!machine_read_nid(r, node, &nid))
			return;
		if (given[nid])
			cfg_error(r->cfg, node, "the bank of node %d is given already", nid);
		else if (!machine_has_memory(r->m, nid))
			cfg_error(r->cfg, node, "node %d has no memory", nid);
		else
			machine_read_bank(r, group, &r->m->banks[nid]);
		given[nid] = true;
	}
}

/* No bank carries less than CPUs were measured to read from it. */
static void check_cells(struct machine_reader *r, const struct cfg_setting *s, int nid,
			const struct wire *pairs)
{
	const struct machine_bank *bank = &r->m->banks[nid];
	int nr = r->m->mm.nr_nodes;

	for (int from = 0; from < nr && bank->bytes_per_s; from++)
		if (pairs[from * nr + nid].bytes_per_s > bank->bytes_per_s)
			cfg_error(r->cfg, cfg_find(r->cfg, s, "bandwidth"),
				  "the bank of node %d carries %" PRIu64
				  " bytes a second, less than the %" PRIu64
				  " that CPUs of node %d get from it",
				  nid, bank->bytes_per_s, pairs[from * nr + nid].bytes_per_s, from);
}

void machine_check_measured_banks(struct machine_reader *r, const struct cfg_setting *group,
				  const struct wire *pairs)
{
	const struct cfg_setting *list = cfg_list(r->cfg, cfg_find(r->cfg, group, "banks"));

	for (unsigned i = 0; i < cfg_length(list) && !cfg_status(r->cfg); i++) {
		const struct cfg_setting *s = cfg_group(r->cfg, cfg_element(list, i));
		const struct cfg_setting *nodes = cfg_list(r->cfg, cfg_find(r->cfg, s, "nodes"));

		for (unsigned j = 0; j < cfg_length(nodes) && !cfg_status(r->cfg); j++) {
			int nid;

			if (!machine_read_nid(r, cfg_element(nodes, j), &nid))
				return;
			check_cells(r, s, nid, pairs);
			machine_check_bank(r, s, &r->m->banks[nid]);
		}
	}
}

void machine_read_measured_banks(struct machine_reader *r, const struct cfg_setting *group)
{
	const struct cfg_setting *list = cfg_list(r->cfg, cfg_find(r->cfg, group, "banks"));
	bool *given = machine_array(r, (size_t)r->m->mm.nr_nodes, sizeof(*given));

	for (unsigned i = 0; given && i < cfg_length(list) && !cfg_status(r->cfg); i++)
		read_banks_of(r, cfg_element(list, i), given);
	free(given);
}

/* Load 0 is the idle latency, which is known only now. */
static void set_idle(struct machine_reader *r, const struct cfg_setting *at,
		     struct machine_load *load, uint64_t idle_ps, const char *what)
{
	if (!load->nr)
		return;
	load->points[0] = (struct machine_load_point){.latency_ps = idle_ps};
	if (load->points[1].latency_ps < idle_ps)
		cfg_error(r->cfg, at,
			  "%s: the first point of `loaded` has less latency (%" PRIu64
			  " ps) than there is without load (%" PRIu64 " ps)",
			  what, load->points[1].latency_ps, idle_ps);
}

void machine_finish_loads(struct machine_reader *r, const struct cfg_setting *at)
{
	struct machine *m = r->m;
	char what[32];

	for (int nid = 0; nid < m->mm.nr_nodes && !cfg_status(r->cfg); nid++) {
		snprintf(what, sizeof(what), "bank of node %d", nid);
		set_idle(r, at, &m->banks[nid].load, m->banks[nid].latency_ps, what);
	}
	for (int i = 0; i < m->nr_links && !cfg_status(r->cfg); i++) {
		struct machine_link *link = &m->links[i];

		set_idle(r, at, &link->load, link->latency_ps + m->banks[link->to].latency_ps,
			 link->name);
	}
}

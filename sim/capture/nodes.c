/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Nodes and CPUs of a capture: nodeN.cpulist, nodeN.distance, cpuinfo. A kernel without NUMA has no
 * node files, and then there is one node. With numa=fake each CPU is on several nodes; the first
 * one is where its tasks find themselves.
 */
#include "sim/capture/machine.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The one line of a file as sysfs has it. */
static int only_line(const struct capture_file *f, struct diag *diag, const char **line)
{
	for (size_t i = 1; i < f->nr_lines; i++)
		if (f->lines[i][0])
			return capture_wrong(f, i, diag, "expected one line, found another: '%s'",
					     capture_quote(f->lines[i]).text);
	*line = f->nr_lines ? f->lines[0] : "";
	return 0;
}

/* "3" or "0-3" of a list; a comma where there is more. */
static bool scan_cpus(const char **p, uint64_t *first, uint64_t *last)
{
	if (!scan_decimal(p, first))
		return false;
	*last = *first;
	if (scan_text(p, "-") && !scan_decimal(p, last))
		return false;
	if (*last < *first || *last >= MM_MAX_CPUS)
		return false;
	return scan_text(p, ",") ? **p != '\0' : !**p;
}

int capture_parse_cpulist(const struct capture_file *f, struct diag *diag,
			  int (*each)(void *arg, int cpu), void *arg)
{
	const char *p;
	int err = only_line(f, diag, &p);

	while (!err && *p) {
		uint64_t first, last;

		if (!scan_cpus(&p, &first, &last))
			return capture_wrong(
				f, 0, diag,
				"expected a list of CPUs from 0 to %d like 0-3,8, found '%s'",
				MM_MAX_CPUS - 1, capture_quote(f->lines[0]).text);
		for (uint64_t cpu = first; !err && cpu <= last; cpu++)
			err = each(arg, (int)cpu);
	}
	return err;
}

int capture_parse_distances(const struct capture_file *f, struct diag *diag, uint8_t *row, int max,
			    int *nr)
{
	const char *p;
	int err = only_line(f, diag, &p);

	*nr = 0;
	while (!err && scan_blanks(&p) && *p) {
		uint64_t distance;

		if (!scan_decimal(&p, &distance) || distance < 10 || distance > 255 ||
		    (*p && *p != ' '))
			return capture_wrong(f, 0, diag,
					     "expected distances from 10 to 255, found '%s'",
					     capture_quote(f->lines[0]).text);
		if (*nr < max)
			row[*nr] = (uint8_t)distance;
		if (++*nr > CAPTURE_MAX_NODES)
			return capture_wrong(f, 0, diag, "expected at most %d distances",
					     CAPTURE_MAX_NODES);
	}
	return err;
}

/* "cpu MHz         : 2500.012" in kHz */
static bool scan_mhz(const char *p, uint64_t *khz)
{
	uint64_t mhz, digit = 100;

	if (!scan_decimal(&p, &mhz) || mhz > 1000000)
		return false;
	*khz = mhz * 1000;
	if (*p == '.')
		for (p++; *p >= '0' && *p <= '9'; p++, digit /= 10)
			*khz += (uint64_t)(*p - '0') * digit;
	return !*p && *khz > 0;
}

int capture_parse_cpuinfo(const struct capture_file *f, struct diag *diag, int *nr_cpus,
			  uint64_t *freq_khz)
{
	*nr_cpus = 0;
	*freq_khz = 0;
	for (size_t i = 0; i < f->nr_lines; i++) {
		const char *p = f->lines[i], *value = strchr(p, ':');
		uint64_t khz;

		if (!value)
			continue;
		value++;
		scan_blanks(&value);
		if (scan_text(&p, "processor") && scan_blanks(&p) && *p == ':') {
			uint64_t cpu;

			if (!scan_whole(value, &cpu) || cpu >= MM_MAX_CPUS)
				return capture_wrong(f, i, diag,
						     "expected a CPU from 0 to %d, found '%s'",
						     MM_MAX_CPUS - 1, capture_quote(value).text);
			++*nr_cpus;
		} else if (scan_text(&p, "cpu MHz")) {
			if (!scan_mhz(value, &khz))
				return capture_wrong(f, i, diag,
						     "expected a number of MHz, found '%s'",
						     capture_quote(value).text);
			if (khz > *freq_khz)
				*freq_khz = khz;
		}
	}
	if (!*nr_cpus)
		return capture_wrong(f, f->nr_lines - 1, diag,
				     "expected a line 'processor : N' a CPU, found none");
	return 0;
}

/* What walking over the CPUs of a node needs. */
struct node_cpus {
	struct captured_machine *m;
	const struct capture_file *f;
	struct diag *diag;
	int nid;
	bool fake; /* a CPU may be on several nodes */
};

static int add_cpu(void *arg, int cpu)
{
	struct node_cpus *n = arg;
	int *nid = &n->m->cpu_nid[cpu];

	if (*nid == n->nid || (*nid >= 0 && !n->fake))
		return capture_wrong(n->f, 0, n->diag, "CPU %d is on node %d already", cpu, *nid);
	if (*nid < 0)
		*nid = n->nid;
	else
		n->m->shares_cpus_with[n->nid] = n->m->shares_cpus_with[*nid];
	if (cpu >= n->m->nr_cpus)
		n->m->nr_cpus = cpu + 1;
	return 0;
}

static int read_cpulists(struct captured_machine *m, const struct capture *c, struct diag *diag)
{
	struct node_cpus n = {
		.m = m, .diag = diag, .fake = strstr(m->command_line, "numa=fake") != NULL};
	int err = 0;

	for (n.nid = 0; !err && n.nid < CAPTURE_MAX_NODES; n.nid++) {
		struct capture_file f;
		char name[40];

		snprintf(name, sizeof(name), "node%d.cpulist.txt", n.nid);
		err = capture_read(c, name, diag, &f);
		if (!err) {
			n.f = &f;
			m->nr_nodes = n.nid + 1;
			err = capture_parse_cpulist(&f, diag, add_cpu, &n);
			capture_close(&f);
		} else if (err == -ENOENT && n.nid - m->nr_nodes < 64) {
			err = 0; /* perhaps a gap: look a little further */
		}
	}
	return err == -ENOENT ? 0 : err;
}

/* Each node up to the last has its list, each CPU up to the last its node. */
static int check_gaps(const struct captured_machine *m, const struct capture *c,
		      int nr_memory_nodes, struct diag *diag)
{
	int nr = m->nr_nodes > nr_memory_nodes ? m->nr_nodes : nr_memory_nodes;

	for (int nid = 0; nid < nr; nid++) {
		struct capture_file f;
		char name[40];
		int err;

		snprintf(name, sizeof(name), "node%d.cpulist.txt", nid);
		err = capture_need(c, name, diag, &f);
		capture_close(&f);
		if (err)
			return err;
	}
	for (int cpu = 0; cpu < m->nr_cpus; cpu++)
		if (m->cpu_nid[cpu] < 0)
			return diag_error(diag, -EINVAL, capture_path(c), 0,
					  "CPU %d is in no node's cpulist: expected CPUs 0 to %d",
					  cpu, m->nr_cpus - 1);
	return 0;
}

static int read_distances(struct captured_machine *m, const struct capture *c, struct diag *diag)
{
	int nr = m->nr_nodes, err = 0;

	for (int nid = 0; !err && nid < nr; nid++) {
		uint8_t *row = &m->distance[nid * nr];
		struct capture_file f;
		char name[40];
		int found;

		snprintf(name, sizeof(name), "node%d.distance.txt", nid);
		err = nr == 1 ? capture_read(c, name, diag, &f) : capture_need(c, name, diag, &f);
		if (err == -ENOENT && nr == 1) {
			*row = 10;
			return 0;
		}
		if (err)
			return err;
		err = capture_parse_distances(&f, diag, row, nr, &found);
		if (!err && found != nr)
			err = capture_wrong(&f, 0, diag,
					    "expected %d distances, one a node, found %d", nr,
					    found);
		if (!err && row[nid] != 10)
			err = capture_wrong(&f, 0, diag,
					    "expected 10 from node %d to itself, found %d", nid,
					    row[nid]);
		capture_close(&f);
	}
	return err;
}

/* cpuinfo against the nodes' lists; without those it tells how many CPUs there are. */
static int read_cpuinfo(struct captured_machine *m, const struct capture *c, struct diag *diag)
{
	struct capture_file f;
	int nr_cpus, err;

	err = m->nr_nodes ? capture_read(c, "cpuinfo.txt", diag, &f)
			  : capture_need(c, "cpuinfo.txt", diag, &f);
	if (err)
		return err == -ENOENT && m->nr_nodes ? 0 : err;
	err = capture_parse_cpuinfo(&f, diag, &nr_cpus, &m->freq_khz);
	if (!err && !m->nr_nodes) {
		m->nr_nodes = 1;
		m->nr_cpus = nr_cpus;
		for (int cpu = 0; cpu < nr_cpus && cpu < MM_MAX_CPUS; cpu++)
			m->cpu_nid[cpu] = 0;
	}
	if (!err && nr_cpus != m->nr_cpus)
		err = capture_wrong(&f, f.nr_lines - 1, diag,
				    "has %d CPUs, but the nodes' cpulists have %d", nr_cpus,
				    m->nr_cpus);
	capture_close(&f);
	return err;
}

int captured_nodes_read(struct captured_machine *m, const struct capture *c, int nr_memory_nodes,
			struct diag *diag)
{
	int err;

	m->cpu_nid = malloc(MM_MAX_CPUS * sizeof(*m->cpu_nid));
	m->shares_cpus_with = malloc(CAPTURE_MAX_NODES * sizeof(*m->shares_cpus_with));
	if (!m->cpu_nid || !m->shares_cpus_with)
		return -ENOMEM;
	for (int nid = 0; nid < CAPTURE_MAX_NODES; nid++)
		m->shares_cpus_with[nid] = nid;
	for (int cpu = 0; cpu < MM_MAX_CPUS; cpu++)
		m->cpu_nid[cpu] = -1;
	err = read_cpulists(m, c, diag);
	if (!err && (m->nr_nodes || nr_memory_nodes > 1))
		err = check_gaps(m, c, nr_memory_nodes, diag);
	if (!err)
		err = read_cpuinfo(m, c, diag);
	if (!err && !m->nr_cpus)
		err = diag_error(diag, -EINVAL, capture_path(c), 0,
				 "no node has a CPU: each cpulist is empty");
	if (err)
		return err;
	m->distance = calloc((size_t)m->nr_nodes, (size_t)m->nr_nodes);
	return m->distance ? read_distances(m, c, diag) : -ENOMEM;
}

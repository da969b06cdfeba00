/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Nodes and CPUs of a capture: nodeN.cpulist, nodeN.distance, cpuinfo. A kernel without NUMA has no
 * node files, and then there is one node. With numa=fake each CPU is on several nodes; the first
 * one is where its tasks find themselves, or, without SRAT, the one that it was dealt to. A node
 * that SRAT has but that got neither CPUs nor memory (mem=) is in no file: its distances are not
 * known.
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

/* What there is of the nodes' files. */
struct node_files {
	const struct capture *c;
	struct diag *diag;
	bool is_there[CAPTURE_MAX_NODES]; /* its cpulist */
	int nr;                           /* that are */
	int nr_srat;                      /* nodes of SRAT; 0: there is none */
};

static int find_files(struct node_files *files, int nr)
{
	for (int nid = 0; nid < nr; nid++) {
		struct capture_file f;
		char name[40];
		int err;

		snprintf(name, sizeof(name), "node%d.cpulist.txt", nid);
		err = capture_read(files->c, name, files->diag, &f);
		capture_close(&f);
		if (err && err != -ENOENT)
			return err;
		files->is_there[nid] = !err;
		files->nr += !err;
	}
	return 0;
}

static bool has_memory(const struct captured_machine *m, int nid)
{
	for (size_t i = 0; i < m->memory.nr; i++)
		if (m->memory.at[i].nid == nid)
			return true;
	return false;
}

/* How many distances the first node has: as many as there are nodes online. 0 or an error. */
static int count_online(const struct node_files *files, int *nr)
{
	struct capture_file f;
	uint8_t ignored[1];
	int err = capture_read(files->c, "node0.distance.txt", files->diag, &f);

	*nr = 0;
	if (err)
		return err == -ENOENT ? 0 : err;
	err = capture_parse_distances(&f, files->diag, ignored, 1, nr);
	capture_close(&f);
	return err;
}

/*
 * Each node up to the last has its list, but for those that SRAT has and that are offline; each CPU
 * up to the last has its node.
 */
static int check_gaps(struct captured_machine *m, const struct node_files *files, int nr)
{
	int online, err = count_online(files, &online);

	for (int nid = 0; nid < nr && !err; nid++) {
		bool offline = nid < files->nr_srat && !has_memory(m, nid) && online == files->nr;
		struct capture_file f;
		char name[40];

		if (files->is_there[nid] || offline)
			continue;
		if (nid >= m->nr_nodes && nid >= online && !has_memory(m, nid))
			continue;
		snprintf(name, sizeof(name), "node%d.cpulist.txt", nid);
		err = capture_need(files->c, name, files->diag, &f);
		capture_close(&f);
	}
	if (!err && files->nr_srat > m->nr_nodes && online == files->nr)
		m->nr_nodes = files->nr_srat;
	for (int cpu = 0; cpu < m->nr_cpus && !err; cpu++)
		if (m->cpu_nid[cpu] < 0)
			err = diag_error(files->diag, -EINVAL, capture_path(files->c), 0,
					 "CPU %d is in no node's cpulist: expected CPUs 0 to %d",
					 cpu, m->nr_cpus - 1);
	return err;
}

/* A row of the nodes that are online, into one of all. */
static void spread_row(const struct captured_machine *m, const struct node_files *files,
		       const uint8_t *online, uint8_t *row)
{
	for (int nid = 0, next = 0; nid < m->nr_nodes; nid++)
		if (files->is_there[nid])
			row[nid] = online[next++];
}

static int read_row(struct captured_machine *m, const struct node_files *files, int nid)
{
	uint8_t online[CAPTURE_MAX_NODES], *row = &m->distance[nid * m->nr_nodes];
	struct capture_file f;
	char name[40];
	int found, err;

	snprintf(name, sizeof(name), "node%d.distance.txt", nid);
	err = m->nr_nodes == 1 ? capture_read(files->c, name, files->diag, &f)
			       : capture_need(files->c, name, files->diag, &f);
	if (err)
		return err == -ENOENT && m->nr_nodes == 1 ? 0 : err;
	err = capture_parse_distances(&f, files->diag, online, CAPTURE_MAX_NODES, &found);
	if (!err && found != files->nr)
		err = capture_wrong(&f, 0, files->diag,
				    "expected %d distances, one a node, found %d", files->nr,
				    found);
	if (!err)
		spread_row(m, files, online, row);
	if (!err && row[nid] != 10)
		err = capture_wrong(&f, 0, files->diag,
				    "expected 10 from node %d to itself, found %d", nid, row[nid]);
	capture_close(&f);
	return err;
}

/* Those of a node that is offline, and to it, are taken to be the kernel's default. */
static int read_distances(struct captured_machine *m, const struct node_files *files)
{
	int nr = m->nr_nodes, err = 0;

	for (int nid = 0; nid < nr && !err; nid++) {
		for (int to = 0; to < nr; to++)
			m->distance[nid * nr + to] = nid == to ? 10 : 20;
		if (files->is_there[nid] || nr == 1)
			err = read_row(m, files, nid);
		else
			diag_warn(files->diag, capture_path(files->c), 0,
				  "node %d is in SRAT only: its distances are taken to be 20", nid);
	}
	return err;
}

/* numa_init_array(): without SRAT, which would tell, CPUs go to the nodes of numa=fake in turn. */
static void deal_out_cpus(struct captured_machine *m)
{
	for (int nid = 0; nid < m->nr_nodes; nid++)
		if (m->shares_cpus_with[nid] != 0)
			return;
	for (int cpu = 0; cpu < m->nr_cpus; cpu++)
		m->cpu_nid[cpu] = cpu % m->nr_nodes;
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

/* Nodes and CPUs by the lists, then distances. */
static int read_nodes(struct captured_machine *m, struct node_files *files, int nr_memory_nodes)
{
	int nr = nr_memory_nodes, err = read_cpulists(m, files->c, files->diag);

	nr = nr > files->nr_srat ? nr : files->nr_srat;
	nr = nr > m->nr_nodes ? nr : m->nr_nodes;
	if (!err)
		err = find_files(files, nr);
	if (!err && (m->nr_nodes || nr_memory_nodes > 1))
		err = check_gaps(m, files, nr);
	if (!err)
		err = read_cpuinfo(m, files->c, files->diag);
	if (!err && !m->nr_cpus)
		err = diag_error(files->diag, -EINVAL, capture_path(files->c), 0,
				 "no node has a CPU: each cpulist is empty");
	if (err)
		return err;
	if (!files->nr_srat)
		deal_out_cpus(m);
	if (!files->nr)
		files->nr = 1; /* a kernel without NUMA; its distances may be there */
	m->distance = calloc((size_t)m->nr_nodes, (size_t)m->nr_nodes);
	return m->distance ? read_distances(m, files) : -ENOMEM;
}

int captured_nodes_read(struct captured_machine *m, const struct capture *c, int nr_memory_nodes,
			int nr_srat, struct diag *diag)
{
	struct node_files *files = calloc(1, sizeof(*files));
	int err = -ENOMEM;

	m->cpu_nid = malloc(MM_MAX_CPUS * sizeof(*m->cpu_nid));
	m->shares_cpus_with = malloc(CAPTURE_MAX_NODES * sizeof(*m->shares_cpus_with));
	if (!m->cpu_nid || !m->shares_cpus_with || !files)
		goto out_free;
	files->c = c;
	files->diag = diag;
	files->nr_srat = nr_srat < CAPTURE_MAX_NODES ? nr_srat : CAPTURE_MAX_NODES;
	for (int nid = 0; nid < CAPTURE_MAX_NODES; nid++)
		m->shares_cpus_with[nid] = nid;
	for (int cpu = 0; cpu < MM_MAX_CPUS; cpu++)
		m->cpu_nid[cpu] = -1;
	err = read_nodes(m, files, nr_memory_nodes);
out_free:
	free(files);
	return err;
}

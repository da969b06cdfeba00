/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A captured machine as a machine file for people: comments, units, columns. What was not captured
 * says so.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "sim/capture/hardware.h"
#include "sim/capture/machine.h"
#include "sim/config/units.h"

#define MANY_NODES 16

/* A string of the file: what libconfig would end it with, or could not read, is a question mark. */
static void write_string(FILE *out, const char *text)
{
	fputc('"', out);
	for (; *text; text++)
		fputc(*text == '"' || *text == '\\' || (unsigned char)*text < ' ' ||
				      (unsigned char)*text > '~'
			      ? '?'
			      : *text,
		      out);
	fputc('"', out);
}

/* In the padding of a column. */
static void write_padded(FILE *out, const char *key, const char *value, int width)
{
	fprintf(out, " %s = \"%s\";%*s", key, value, width - (int)strlen(value), "");
}

static void write_place(FILE *out, const struct captured_range *range)
{
	char base[24];

	snprintf(base, sizeof(base), range->start ? "0x%" PRIx64 : "0", range->start);
	write_padded(out, "base", base, 11);
	write_padded(out, "size", units_size(range->end - range->start).text, 10);
}

static void write_head(const struct captured_machine *m, const struct hardware *hw, FILE *out)
{
	fputs("# A machine as its kernel saw it, made by `numasim import capture`.\n"
	      "#\n# Memory, nodes, CPUs, distances and reservations are the captured machine's. "
	      "Latencies,\n# bandwidths and caches are NOT: replace them by your own figures.\n",
	      out);
	fputs("name = ", out);
	write_string(out, m->name);
	fputs(";\ndescription = ", out);
	if (m->kernel) {
		char text[200];

		snprintf(text, sizeof(text), "captured under Linux %.150s", m->kernel);
		write_string(out, text);
	} else {
		write_string(out, "captured under Linux");
	}
	fprintf(out,
		";\nsource = \"Memory (%s), nodes, CPUs, distances and reservations: a capture of "
		"the "
		"running\"\n\t\" machine. Hardware figures: not measured: %s; replace by "
		"your own.\";\n",
		m->memory_from, hw->source);
	fprintf(out, "architecture = \"%s\";\nmemory_model = \"%s\";\n\n", m->arch->name,
		mm_model_name(m->model));
}

static void write_memory(const struct captured_machine *m, int nid, FILE *out)
{
	const char *separator = "";

	for (size_t i = 0; i < m->memory.nr; i++) {
		const struct captured_range *range = &m->memory.at[i];

		if (range->nid != nid)
			continue;
		fputs(*separator ? separator : "\t\tmemory = (\n", out);
		fputs("\t\t\t{", out);
		write_place(out, range);
		if (range->hotpluggable)
			fputs(" hotpluggable = true;", out);
		if (range->mirrored)
			fputs(" mirrored = true;", out);
		fputs(" }", out);
		separator = ",\n";
	}
	fputs(*separator ? "\n\t\t);\n" : "\t\t# no memory\n", out);
}

static void write_cpus(const struct captured_machine *m, int nid, const struct hardware *hw,
		       FILE *out)
{
	uint64_t hz = m->freq_khz ? m->freq_khz * 1000 : hw->freq_hz;
	int nr = 0;

	for (int cpu = 0; cpu < m->nr_cpus; cpu++) {
		if (m->cpu_nid[cpu] != nid)
			continue;
		fputs(nr ? "," : "\t\tcpus = { ids = [", out);
		if (nr && nr % 16 == 0)
			fputs("\n\t\t\t", out);
		fprintf(out, " %d", cpu);
		nr++;
	}
	if (!nr) {
		fputs("\t\t# no CPUs\n", out);
		return;
	}
	fprintf(out, " ]; frequency = \"%s\"; # %s\n", units_frequency(hz).text,
		m->freq_khz ? "cpuinfo, when captured" : "not in the capture");
	fprintf(out,
		"\t\t\tfill_buffers = %" PRIu64 "; prefetched = %" PRIu64
		"; prefetch_streams = %" PRIu64 "; }; # not measured\n",
		hw->fill_buffers, hw->prefetched, hw->prefetch_streams);
}

static void write_nodes(const struct captured_machine *m, const struct hardware *hw, FILE *out)
{
	fputs("nodes = (\n", out);
	for (int nid = 0; nid < m->nr_nodes; nid++) {
		fprintf(out, "\t{\n\t\tid = %d;\n", nid);
		write_memory(m, nid, out);
		write_cpus(m, nid, hw, out);
		if (m->shares_cpus_with[nid] != nid)
			fprintf(out, "\t\tshares_cpus_with = %d; # numa=fake\n",
				m->shares_cpus_with[nid]);
		fprintf(out, "\t}%s\n", nid + 1 < m->nr_nodes ? "," : "");
	}
	fputs(");\n\n", out);
}

/* A matrix of the nodes, a row a line. */
static void write_matrix(const struct captured_machine *m, const char *key, const char *indent,
			 FILE *out,
			 void (*cell)(const struct captured_machine *m, uint8_t distance,
				      const struct hardware *hw, FILE *out),
			 const struct hardware *hw)
{
	int nr = m->nr_nodes;

	fprintf(out, "%s%s = (\n", indent, key);
	for (int from = 0; from < nr; from++) {
		fprintf(out, "%s\t( ", indent);
		for (int to = 0; to < nr; to++) {
			cell(m, m->distance[from * nr + to], hw, out);
			fputs(to + 1 < nr ? ", " : " )", out);
		}
		fputs(from + 1 < nr ? ",\n" : "\n", out);
	}
	fprintf(out, "%s);\n", indent);
}

static void distance_cell(const struct captured_machine *m, uint8_t distance,
			  const struct hardware *hw, FILE *out)
{
	(void)m;
	(void)hw;
	fprintf(out, "%3d", distance);
}

/* local * distance / 10 */
static void latency_cell(const struct captured_machine *m, uint8_t distance,
			 const struct hardware *hw, FILE *out)
{
	(void)m;
	fprintf(out, "\"%s\"", units_time(hw->latency_ps * distance / 10).text);
}

/* local * 10 / distance, in whole MB/s */
static void bandwidth_cell(const struct captured_machine *m, uint8_t distance,
			   const struct hardware *hw, FILE *out)
{
	const uint64_t mb = 1000000;

	(void)m;
	fprintf(out, "\"%s\"", units_rate(hw->bytes_per_s / mb * 10 / distance * mb).text);
}

static void write_caches(const struct hardware *hw, FILE *out)
{
	fprintf(out, "\n# Not measured: %s.\ncache_line = \"%s\";\ncaches = (\n", hw->source,
		units_size(hw->cache_line_bytes).text);
	for (int i = 0; i < hw->nr_caches; i++) {
		const struct hardware_cache *cache = &hw->caches[i];

		fprintf(out, "\t{ name = \"%s\"; size = \"%s\"; ways = %" PRIu64, cache->name,
			units_size(cache->size_bytes).text, cache->ways);
		fprintf(out, "; latency = \"%s\"; shared_by = \"%s\"; }%s\n",
			units_time(cache->latency_ps).text, cache->shared_by,
			i + 1 < hw->nr_caches ? "," : "");
	}
	fputs(");\n", out);
}

/* Without swap there is nothing that says what the machine's disks are called. */
static void write_disk(const struct captured_machine *m, const struct hardware *hw, FILE *out)
{
	if (!m->swap_bytes)
		return;
	fprintf(out, "\n# Swap and files are on it. Not measured: %s.\ndisks = (\n\t{ name = ",
		hw->disk.source);
	write_string(out, m->swap_disk);
	fprintf(out, "; bandwidth_read = \"%s\"; bandwidth_write = \"%s\";",
		units_rate(hw->disk.read_bytes_per_s).text,
		units_rate(hw->disk.write_bytes_per_s).text);
	fprintf(out, " latency = \"%s\"; queue_depth = %" PRIu64 "; }\n);\n",
		units_time(hw->disk.latency_ps).text, hw->disk.queue_depth);
}

/* More columns than a person reads across: rows as nodeN/distance has them, and no cell a pair. */
static void write_many_nodes(const struct captured_machine *m, const struct hardware *hw, FILE *out)
{
	int nr = m->nr_nodes;

	fputs("distances = (\n", out);
	for (int from = 0; from < nr; from++) {
		fputs("\t\"", out);
		for (int to = 0; to < nr; to++)
			fprintf(out, "%s%d", to ? " " : "", m->distance[from * nr + to]);
		fprintf(out, "\"%s\n", from + 1 < nr ? "," : "");
	}
	fprintf(out,
		");\n\n# Not measured: %s,\n# by distance: latency times distance / 10, "
		"bandwidth times 10 / distance.\ninterconnect = {\n"
		"\tby_distance = { latency = \"%s\"; bandwidth = \"%s\"; };\n};\n",
		hw->source, units_time(hw->latency_ps).text, units_rate(hw->bytes_per_s).text);
}

static void write_hardware(const struct captured_machine *m, const struct hardware *hw, FILE *out)
{
	if (m->nr_nodes > 1)
		fputs("# What the firmware says; orders the zonelists.\n", out);
	if (m->nr_nodes > MANY_NODES) {
		write_many_nodes(m, hw, out);
	} else if (m->nr_nodes > 1) {
		write_matrix(m, "distances", "", out, distance_cell, hw);
		fprintf(out,
			"\n# Not measured: %s,\n# by distance: latency times distance / 10, "
			"bandwidth times 10 / distance.\ninterconnect = {\n",
			hw->source);
		write_matrix(m, "latency", "\t", out, latency_cell, hw);
		write_matrix(m, "bandwidth", "\t", out, bandwidth_cell, hw);
		fputs("};\n", out);
	} else {
		fprintf(out,
			"# Not measured: %s.\nbank = { latency = \"%s\"; bandwidth = \"%s\"; };\n",
			hw->source, units_time(hw->latency_ps).text,
			units_rate(hw->bytes_per_s).text);
	}
	write_caches(hw, out);
	write_disk(m, hw, out);
}

static void write_kernel(const struct captured_machine *m, FILE *out)
{
	fputs("\n# Kernel command line: ", out);
	for (const char *p = m->command_line; *p; p++)
		fputc((unsigned char)*p < ' ' || (unsigned char)*p > '~' ? '?' : *p, out);
	fputs("\nkernel = {\n", out);
	if (m->profile)
		fprintf(out, "\tprofile = \"%s\"; # by its release\n", m->profile);
	else if (!m->complete)
		fputs("\t# No profile is known for this kernel: what it reserves for hash tables, "
		      "bounce buffers\n\t# and the like is left out, managed pages are too many.\n",
		      out);
	if (m->xsave_bytes)
		fprintf(out, "\txsave = \"%" PRIu64 "B\"; # a CPU's registers, in task_struct\n",
			m->xsave_bytes);
	for (int i = 0; i < 3; i++)
		if (m->slab_options[i])
			fprintf(out, "\t%s\n", m->slab_options[i]);
	if (m->hotplug_end)
		fprintf(out,
			"\thotplug_end = \"0x%" PRIx64 "\"; # SRAT: memory can be plugged in\n",
			m->hotplug_end);
	if (m->page_owner)
		fputs("\tpage_owner = true;\n", out);
	if (m->page_table_check)
		fputs("\tpage_table_check = true;\n", out);
	if (m->movable_node)
		fputs("\tmovable_node = true; # and kernelcore and movablecore have no effect\n",
		      out);
	if (m->kernelcore_mirror)
		fputs("\tkernelcore = \"mirror\";\n", out);
	else if (m->kernelcore)
		fprintf(out, "\tkernelcore = \"%s\";\n", units_size(m->kernelcore).text);
	if (m->movablecore)
		fprintf(out, "\tmovablecore = \"%s\";\n", units_size(m->movablecore).text);
	if (m->vmalloc)
		fprintf(out, "\tvmalloc = \"%s\";\n", units_size(m->vmalloc).text);
	if (m->thp)
		fprintf(out, "\ttransparent_hugepage = \"%s\";\n", m->thp);
	if (m->thp_defrag)
		fprintf(out, "\ttransparent_hugepage_defrag = \"%s\";\n", m->thp_defrag);
	if (m->swap_bytes)
		fprintf(out, "\tswap = \"%s\";\n", units_size(m->swap_bytes).text);
	captured_huge_write(m, out);
	fputs("};\n", out);
}

static bool starts(const char *text, const char *with)
{
	return !strncmp(text, with, strlen(with));
}

/* What of the kernel's own is in a range, by the function that asked for it. */
static const char *holds(const struct captured_machine *m, const struct captured_range *range)
{
	uint64_t bytes = range->end - range->start, page = UINT64_C(1) << m->arch->page_shift;
	const char *what = range->what;

	/* sparse_init_nid() also asks for the small bitmaps of sections. */
	if (!strcmp(what, "memmap_alloc") || (!strcmp(what, "sparse_init_nid") && bytes >= page))
		return "memmap";
	if (starts(what, "NODE_DATA") && bytes == m->arch->node_struct_bytes)
		return "node-descriptor";
	if (!strcmp(what, "pcpu_fc_alloc") || starts(what, "pcpu_embed"))
		return "per-cpu";
	if (!strcmp(what, "sparse_init") || !strcmp(what, "sparse_index_alloc"))
		return "section-table";
	if (starts(what, "vmemmap_alloc_block") || !strcmp(what, "spp_getpage"))
		return "page-tables";
	/* Only there it matters. These are called before SRAT is read. */
	if (m->movable_node && range->allocated && !starts(what, "setup_arch") &&
	    strcmp(what, "alloc_low_pages") && strcmp(what, "reserve_real_mode") &&
	    strcmp(what, "numa_alloc_distance"))
		return "allocated";
	return NULL;
}

static void write_reserved(const struct captured_machine *m, FILE *out)
{
	if (m->complete)
		fputs("\n# All that memblock held when the kernel handed memory to the page "
		      "allocator, and who\n# asked for it.\nreservations = \"complete\";\n",
		      out);
	else
		fputs("\n# What boot loader and kernel image take. The capture does not tell what "
		      "the kernel took\n# for itself: that is worked out, by its profile.\n"
		      "reservations = \"partial\";\n",
		      out);
	fputs("reserved = (\n", out);
	for (size_t i = 0; i < m->reserved.nr; i++) {
		const struct captured_range *range = &m->reserved.at[i];
		const char *what = holds(m, range);

		fputs("\t{", out);
		write_place(out, range);
		fputs(" what = ", out);
		write_string(out, range->what);
		if (what)
			fprintf(out, "; holds = \"%s\"", what);
		fprintf(out, "; }%s\n", i + 1 < m->reserved.nr ? "," : "");
	}
	fputs(");\n", out);
}

static void write_late(const struct captured_machine *m, FILE *out)
{
	fputs("\n# Of these, what the kernel gives back once it is up.\nreleased_late = (\n", out);
	for (size_t i = 0; i < m->late.nr; i++) {
		const struct captured_range *range = &m->late.at[i];

		fputs("\t{", out);
		write_place(out, range);
		fputs(" what = ", out);
		write_string(out, range->what);
		/* check_bugs() frees them, before any initcall computes a watermark. */
		if (!strcmp(range->what, "SMP alternatives"))
			fputs("; before_initcalls = true", out);
		fprintf(out, "; }%s\n", i + 1 < m->late.nr ? "," : "");
	}
	fputs(");\n", out);
}

int captured_machine_write(const struct captured_machine *m, struct diag *diag, FILE *out)
{
	struct hardware hw;
	int err = hardware_load(diag, &hw);

	if (err)
		return err;
	write_head(m, &hw, out);
	write_nodes(m, &hw, out);
	write_hardware(m, &hw, out);
	write_kernel(m, out);
	write_reserved(m, out);
	write_late(m, out);
	return 0;
}

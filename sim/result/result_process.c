/* SPDX-License-Identifier: Apache-2.0 */
/* Processes in results and in the report. */
#include "sim/result/result_process.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sim/json.h"
#include "sim/scenario/process_plan.h"
#include "sim/text.h"

static void put_memory(json_t *of, const struct mm *mm, const struct mm_space *space)
{
	uint64_t *nodes = calloc((size_t)mm_nr_nodes(mm), sizeof(*nodes));
	struct mm_space_info info = {0};
	json_t *by_node, *lines;
	char line[4096];

	if (space)
		mm_space_info(mm, space, &info);
	json_put(of, "mapped_pages", info.mapped);
	json_put(of, "anon_pages", info.anon);
	json_put(of, "file_pages", info.file);
	json_put(of, "shmem_pages", info.shmem);
	json_put(of, "swapped_pages", info.swapped);
	json_put(of, "locked_pages", info.locked);
	json_put(of, "huge_mappings", info.huge);
	json_put(of, "page_tables", info.tables);
	if (space && nodes)
		mm_space_nodes(mm, space, nodes);
	by_node = json_put_array(of, "pages_by_node");
	for (int n = 0; nodes && n < mm_nr_nodes(mm); n++)
		json_array_append_new(by_node, json_integer((json_int_t)nodes[n]));
	free(nodes);
	lines = json_put_array(of, "numa_maps");
	for (unsigned i = 0; space && mm_numa_maps_line(mm, space, i, line, sizeof(line)); i++)
		json_array_append_new(lines, json_string(line));
}

/* As the kernel's headers call what steps may fail with. */
static const char *error_name(int err)
{
	switch (-err) {
	case ENOMEM:
		return "ENOMEM";
	case EAGAIN:
		return "EAGAIN";
	case EBUSY:
		return "EBUSY";
	case ESRCH:
		return "ESRCH";
	case ENOSPC:
		return "ENOSPC";
	case EIO:
		return "SIGBUS";
	case EFAULT:
		return "EFAULT";
	default:
		return "EINVAL";
	}
}

static void put_steps(json_t *of, const struct process_plan *plan, uint32_t process,
		      const struct replay_step_times *times)
{
	json_t *list = json_put_array(of, "steps");

	for (size_t i = 0; i < plan->processes[process].nr_steps; i++) {
		uint32_t step = plan->processes[process].steps[i];
		json_t *s = json_append_object(list);

		json_put_string(s, "do", process_do_name(plan->steps[step].what));
		json_put(s, "begin_ps", times[step].begin_ps);
		json_put(s, "end_ps", times[step].end_ps);
		if (times[step].err)
			json_put_string(s, "error", error_name(times[step].err));
	}
}

struct replay_process processes_sum(const struct result_of *w)
{
	const struct replay_process *of = w->counts->processes.of;
	struct replay_process sum = {0};

	for (size_t i = 0; of && i < w->trace->processes->nr_processes; i++) {
		sum.faults += of[i].faults;
		sum.zeroed_huge += of[i].zeroed_huge;
		sum.fallback += of[i].fallback;
		sum.failed += of[i].failed;
	}
	return sum;
}

void processes_put(json_t *doc, const struct result_of *w)
{
	const struct process_plan *plan = w->trace->processes;
	const struct replay_process *of = w->counts->processes.of;
	json_t *list = json_put_array(doc, "processes");

	for (size_t i = 0; of && i < plan->nr_processes; i++) {
		json_t *p = json_append_object(list);

		json_put_string(p, "name", plan->processes[i].name);
		json_put_string(p, "workload", plan->processes[i].workload);
		json_put_string(p, "state", of[i].space ? "alive" : "exited");
		json_put(p, "begin_ps", of[i].begin_ps);
		json_put(p, "end_ps", of[i].end_ps);
		json_put(p, "busy_ps", of[i].busy_ps);
		json_put(p, "accesses", of[i].accesses);
		json_put(p, "faults", of[i].faults);
		json_put(p, "faults_major", of[i].major);
		json_put(p, "faults_zeroed", of[i].zeroed);
		json_put(p, "faults_zeroed_huge", of[i].zeroed_huge);
		json_put(p, "faults_fallback", of[i].fallback);
		json_put(p, "faults_copied", of[i].copied);
		json_put(p, "faults_reused", of[i].reused);
		json_put(p, "mapped_around", of[i].around);
		json_put(p, "failed", of[i].failed);
		json_put(p, "not_moved", of[i].not_moved);
		put_steps(p, plan, (uint32_t)i, w->counts->processes.times);
		put_memory(p, sim_mm(w->sim), of[i].space);
	}
}

static struct text count(const json_t *of, const char *key)
{
	return text_count(json_get(of, key));
}

static void print_one(const json_t *p, FILE *out)
{
	fprintf(out, "%-16.16s%-8s%12s%12s%10s%10s%10s", json_get_string(p, "name"),
		json_get_string(p, "state"), text_time(json_get(p, "busy_ps")).text,
		count(p, "accesses").text, count(p, "faults").text, count(p, "faults_copied").text,
		count(p, "faults_major").text);
	fprintf(out, "%12s%9s%8s\n", count(p, "mapped_pages").text, count(p, "page_tables").text,
		count(p, "failed").text);
}

static void print_steps(const json_t *p, FILE *out)
{
	const json_t *s;
	size_t i;

	fprintf(out, "\nSteps of %-16.16s%12s%12s\n", json_get_string(p, "name"), "begin", "takes");
	json_array_foreach (result_member(p, "steps"), i, s) {
		const char *error = json_string_value(json_object_get(s, "error"));

		fprintf(out, "  %-23s%12s%12s%s%s\n", json_get_string(s, "do"),
			text_time(json_get(s, "begin_ps")).text,
			text_time(json_get(s, "end_ps") - json_get(s, "begin_ps")).text,
			error ? "  " : "", error ? error : "");
	}
}

void processes_print(const json_t *doc, FILE *out)
{
	const json_t *list = result_member(doc, "processes"), *p, *line;
	size_t i, j;

	if (!json_array_size(list))
		return;
	fprintf(out, "\n%-16s%-8s%12s%12s%10s%10s%10s%12s%9s%8s\n", "Process", "", "busy",
		"accesses", "faults", "copied", "major", "mapped", "tables", "failed");
	json_array_foreach (list, i, p)
		print_one(p, out);
	/* What tasks of other workloads do, these say. */
	json_array_foreach (list, i, p)
		if (strcmp(json_get_string(p, "workload"), "fault"))
			print_steps(p, out);
	json_array_foreach (list, i, p) {
		const json_t *lines = result_member(p, "numa_maps");

		if (!json_array_size(lines))
			continue;
		fprintf(out, "\nnuma_maps of %s\n", json_get_string(p, "name"));
		json_array_foreach (lines, j, line)
			fprintf(out, "%s\n", json_string_value(line));
	}
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the kernel prints when an allocation fails, or when it would kill a process for one: the
 * request, Mem-Info (show_mem.c) and, in the second case, the processes and which of them it would
 * be. Nobody is killed here, so the line that says so is missing, as are the stack and what only a
 * real machine has a name of. Layout and rules: Linux 6.1 mm/page_alloc.c (warn_alloc),
 * mm/oom_kill.c (dump_header, oom_badness, constrained_alloc).
 */
#include "mm/alloc/oom.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "mm/alloc/show_mem.h"
#include "mm/slab/slab.h"
#include "mm/user/user_state.h"

#define COMM_LEN 15 /* of a task's name: TASK_COMM_LEN less its end */

struct mm_oom_reports {
	struct report {
		char *text; /* NULL: nothing of the kind has happened */
		size_t size;
	} warning, killer;
};

/* What the kernel calls oom_control. */
struct oom {
	const struct alloc_context *ac;
	bool by_policy; /* some nodes have memory that the request may not have */
	const struct mm_nodemask *nodes;
};

static struct mm_oom_reports *reports_of(struct mm *mm)
{
	if (!mm->oom)
		mm->oom = calloc(1, sizeof(*mm->oom));
	return mm->oom;
}

/* Who asks: the process that the CPU runs, or the CPU where there are none. */
static void current_name(const struct mm *mm, int cpu, char name[COMM_LEN + 1], uint64_t *pid)
{
	const struct mm_space *space = mm->user ? mm->user->running[cpu] : NULL;

	*pid = space ? space->id : 0;
	if (space)
		snprintf(name, COMM_LEN + 1, "%s", space->name);
	else
		snprintf(name, COMM_LEN + 1, "cpu%d", cpu);
}

static void print_cpu(const struct mm *mm, int cpu, FILE *out)
{
	char name[COMM_LEN + 1];
	uint64_t pid;

	current_name(mm, cpu, name, &pid);
	fprintf(out, "CPU: %d PID: %" PRIu64 " Comm: %s Not tainted\n", cpu, pid, name);
}

static void nodes_with_memory(const struct mm *mm, struct mm_nodemask *nodes)
{
	*nodes = (struct mm_nodemask){{0}};
	for (int nid = 0; nid < mm->nr_nodes; nid++)
		if (mm->nodes[nid].present)
			mm_nodemask_set(nodes, nid);
}

/* There is one group of processes, that of all, and it may use all nodes with memory. */
static void print_cpuset(const struct mm *mm, FILE *out)
{
	struct mm_nodemask all;

	nodes_with_memory(mm, &all);
	fputs(",cpuset=/,mems_allowed=", out);
	mm_print_nodemask(mm, &all, out);
}

/* Nodes that the request may not have are of no interest, unless who asks may after all. */
static void print_warning(const struct mm *mm, const struct alloc_context *ac, FILE *out)
{
	bool any = ac->req->atomic || !(ac->gfp & __GFP_DIRECT_RECLAIM) ||
		   (ac->req->pf_memalloc && !(ac->gfp & __GFP_NOMEMALLOC));
	char name[COMM_LEN + 1], flags[768];
	uint64_t pid;

	current_name(mm, ac->cpu, name, &pid);
	gfp_print(ac->gfp, flags, sizeof(flags));
	fprintf(out, "%s: page allocation failure: order:%u, mode:0x%x(%s), nodemask=", name,
		ac->order, ac->gfp, flags);
	mm_print_nodemask(mm, ac->nodes, out);
	print_cpuset(mm, out);
	putc('\n', out);
	print_cpu(mm, ac->cpu, out);
	mm_show_mem(mm,
		    &(struct mm_show_mem){.cpu = ac->cpu,
					  .highest = gfp_zone(mm->arch, ac->gfp),
					  .nodes = any ? NULL : ac->nodes},
		    out);
}

/* Of a request for ZONE_DMA where no node has one, nothing is to be learnt. */
static bool has_managed_dma(const struct mm *mm)
{
	int dma = mm_arch_zone_index(mm->arch, MM_ZONE_DMA);

	for (int nid = 0; nid < mm->nr_nodes && dma >= 0; nid++)
		if (mm->nodes[nid].zones[dma].managed)
			return true;
	return false;
}

void mm_warn_alloc(struct mm *mm, const struct alloc_context *ac)
{
	struct mm_oom_reports *reports;
	FILE *out;

	if ((ac->gfp & __GFP_NOWARN) || ((ac->gfp & __GFP_DMA) && !has_managed_dma(mm)))
		return;
	reports = reports_of(mm);
	if (!reports || reports->warning.text)
		return;
	out = open_memstream(&reports->warning.text, &reports->warning.size);
	if (!out)
		return;
	print_warning(mm, ac, out);
	fclose(out);
}

static bool slabs_are_most(const struct mm *mm)
{
	static const enum mm_node_stat others[] = {
		MM_NS_ACTIVE_ANON,   MM_NS_INACTIVE_ANON, MM_NS_ACTIVE_FILE, MM_NS_INACTIVE_FILE,
		MM_NS_ISOLATED_ANON, MM_NS_ISOLATED_FILE, MM_NS_UNEVICTABLE};
	int64_t slabs = 0, lists = 0;

	for (int nid = 0; nid < mm->nr_nodes; nid++) {
		const int64_t *stat = mm->nodes[nid].vm_stat;

		slabs += stat[MM_NS_SLAB_UNRECLAIMABLE];
		for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
			lists += stat[others[i]];
	}
	return slabs > (lists < 0 ? 0 : lists);
}

static void print_slabs(const struct mm *mm, FILE *out)
{
	struct mm_slab_info cache;

	fputs("Unreclaimable slab info:\n"
	      "Name                      Used          Total\n",
	      out);
	for (unsigned i = 0; mm_slab_info(mm, i, &cache); i++)
		if (!(cache.layout.flags & MM_SLAB_RECLAIM_ACCOUNT) && cache.nr_objs)
			fprintf(out, "%-17s %10" PRIu64 "KB %10" PRIu64 "KB\n", cache.name,
				cache.active_objs * cache.layout.size / 1024,
				cache.nr_objs * cache.layout.size / 1024);
}

/* May the process have memory where the request would? */
static bool is_eligible(const struct mm *mm, const struct oom *oom, const struct mm_space *space)
{
	return !oom->by_policy || mm_policy_may_use(mm, &space->policy, oom->nodes);
}

static uint64_t rss_of(const struct mm_space_info *info)
{
	return info->anon + info->file + info->shmem;
}

/* All but the topmost, which the kernel does not count. A process that is just being made has none.
 */
static uint64_t counted_tables(const struct mm_space_info *info)
{
	return info->tables ? info->tables - 1 : 0;
}

static void print_task(const struct mm *mm, const struct mm_space *space,
		       const struct mm_space_info *info, FILE *out)
{
	uint64_t total = 0;

	for (const struct mm_vma *v = space->vmas; v; v = v->next)
		total += (v->end - v->start) >> mm->arch->page_shift;
	fprintf(out,
		"[%7" PRIu64 "] %5d %5" PRIu64 " %8" PRIu64 " %8" PRIu64 " %8" PRIu64 " %8" PRIu64
		"         %5d %.*s\n",
		space->id, 0, space->id, total, rss_of(info),
		counted_tables(info) << mm->arch->page_shift, info->swapped, 0, COMM_LEN,
		space->name);
}

/* Who holds most, and of those that hold as much the last. NULL: there is nobody to kill. */
static const struct mm_space *print_tasks(const struct mm *mm, const struct oom *oom, FILE *out)
{
	const struct mm_space *space = NULL, *chosen = NULL;
	uint64_t most = 0;

	fputs("Tasks state (memory values in pages):\n"
	      "[  pid  ]   uid  tgid total_vm      rss pgtables_bytes swapents oom_score_adj "
	      "name\n",
	      out);
	while ((space = mm_space_next(mm, space))) {
		struct mm_space_info info;
		uint64_t points;

		if (!is_eligible(mm, oom, space))
			continue;
		mm_space_info(mm, space, &info);
		print_task(mm, space, &info, out);
		points = rss_of(&info) + info.swapped + counted_tables(&info);
		if (chosen && points < most)
			continue;
		most = points;
		chosen = space;
	}
	return chosen;
}

static void print_killer(const struct mm *mm, const struct oom *oom, FILE *out)
{
	const struct alloc_context *ac = oom->ac;
	char name[COMM_LEN + 1], flags[768];
	const struct mm_space *chosen;
	uint64_t pid;

	current_name(mm, ac->cpu, name, &pid);
	gfp_print(ac->gfp, flags, sizeof(flags));
	fprintf(out, "%s invoked oom-killer: gfp_mask=0x%x(%s), order=%u, oom_score_adj=0\n", name,
		ac->gfp, flags, ac->order);
	print_cpu(mm, ac->cpu, out);
	mm_show_mem(mm,
		    &(struct mm_show_mem){.cpu = ac->cpu,
					  .highest = gfp_zone(mm->arch, ac->gfp),
					  .nodes = oom->nodes},
		    out);
	if (slabs_are_most(mm))
		print_slabs(mm, out);
	chosen = print_tasks(mm, oom, out);
	if (!chosen) {
		fputs("Out of memory and no killable processes...\n", out);
		return;
	}
	fprintf(out, "oom-kill:constraint=%s,nodemask=",
		oom->by_policy ? "CONSTRAINT_MEMORY_POLICY" : "CONSTRAINT_NONE");
	mm_print_nodemask(mm, oom->nodes, out);
	print_cpuset(mm, out);
	fprintf(out, ",global_oom,task_memcg=/,task=%.*s,pid=%" PRIu64 ",uid=0\n", COMM_LEN,
		chosen->name, chosen->id);
}

void mm_out_of_memory(struct mm *mm, const struct alloc_context *ac)
{
	struct mm_oom_reports *reports = reports_of(mm);
	struct oom oom = {.ac = ac};
	FILE *out;

	mm_count(mm, ac->cpu, MM_VM_OOM_KILL, 1);
	if (!reports || reports->killer.text)
		return;
	for (int nid = 0; nid < mm->nr_nodes && ac->nodes; nid++)
		oom.by_policy |= mm->nodes[nid].present && !mm_nodemask_has(ac->nodes, nid);
	oom.nodes = oom.by_policy ? ac->nodes : NULL;
	out = open_memstream(&reports->killer.text, &reports->killer.size);
	if (!out)
		return;
	print_killer(mm, &oom, out);
	fclose(out);
}

const char *mm_failure_report(const struct mm *mm)
{
	return mm->oom ? mm->oom->warning.text : NULL;
}

const char *mm_oom_report(const struct mm *mm)
{
	return mm->oom ? mm->oom->killer.text : NULL;
}

void mm_oom_free(struct mm *mm)
{
	if (!mm->oom)
		return;
	free(mm->oom->warning.text);
	free(mm->oom->killer.text);
	free(mm->oom);
}

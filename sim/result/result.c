/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Gathers what a run counted, from the simulation, the mm core and the trace, into one JSON
 * document. Nothing is computed here but sums.
 */
#include <stdlib.h>
#include <string.h>

#include "mm/page_ext/page_ext.h"
#include "mm/user/khugepaged.h"
#include "mm/vm_event.h"
#include "sim/json.h"
#include "sim/result/result.h"
#include "sim/result/result_banks.h"
#include "sim/result/result_hotplug.h"
#include "sim/result/result_kernel.h"
#include "sim/result/result_maps.h"
#include "sim/result/result_process.h"
#include "sim/result/result_slab.h"

/* One member of the account of each node. */
static json_t *by_node(const struct cpu_node_account *nodes, size_t offset, int nr)
{
	json_t *array = json_array();

	for (int n = 0; n < nr; n++)
		json_append(array, *(const uint64_t *)((const char *)&nodes[n] + offset));
	return array;
}
#define BY_NODE(account, member, nr)                                                               \
	by_node((account)->nodes, offsetof(struct cpu_node_account, member), nr)

static void put_machine(json_t *doc, const struct result_of *w)
{
	const struct machine *m = sim_machine(w->sim);
	const struct mm *mm = sim_mm(w->sim);
	json_t *machine = json_put_object(doc, "machine");

	json_put_string(machine, "name", m->name);
	json_put_string(machine, "file", m->file);
	json_put_string(machine, "architecture", mm_get_arch(mm)->name);
	json_put_string(machine, "memory_model", mm_model_name(mm_get_model(mm)));
	json_put(machine, "nodes", (uint64_t)m->mm.nr_nodes);
	json_put(machine, "cpus", (uint64_t)m->mm.nr_cpus);
}

static void put_events(json_t *doc, const struct result_of *w)
{
	const struct replay_counts *c = w->counts;
	const struct replay_process p = processes_sum(w);
	json_t *events = json_put_object(doc, "events"), *skipped, *inferred;

	json_put(events, "alloc", c->allocs);
	json_put(events, "free", c->frees);
	json_put(events, "free_held", c->held_frees);
	json_put(events, "split", c->splits);
	json_put(events, "touch", c->touches);
	json_put(events, "wait", c->waits);
	json_put(events, "step", c->processes.steps);
	json_put(events, "fault", p.faults);
	json_put(events, "fault_huge", p.zeroed_huge);
	json_put(events, "fault_fallback", p.fallback);
	json_put(events, "vmalloc", c->maps.vmallocs);
	json_put(events, "vfree", c->maps.vfrees);
	json_put(events, "map", c->maps.maps);
	json_put(events, "unmap_page", c->maps.unmaps);
	json_put(events, "kernel_call", c->kernel.events);
	json_put(events, "file_read", c->files.read);
	json_put(events, "file_written", c->files.written);
	json_put(events, "file_cached", c->files.cached);
	json_put(events, "file_brought_in", c->files.brought_in);
	json_put(events, "huge_replaced", c->huge.replaced);
	json_put(events, "huge_missing_pages", c->huge.missing);
	json_put(events, "object_alloc", c->slab.allocs);
	json_put(events, "object_free", c->slab.frees);
	json_put(events, "object_failed", c->slab.failed);
	json_put(events, "object_not_replayed", c->slab.not_replayed);
	json_put(events, "slab_pages_left_out", c->slab.pages_left_out);
	json_put(events, "cma_alloc", c->cma.allocs);
	json_put(events, "cma_release", c->cma.releases);
	json_put(events, "cma_failed", c->cma.failed);
	json_put(events, "failed", c->failed + p.failed);
	json_put(events, "failed_in_trace", c->failed_in_trace);
	inferred = json_put_object(events, "inferred");
	for (int i = 0; i < TRACE_NR_INFERS; i++)
		json_put(inferred, trace_infer_name((enum trace_infer)i), w->trace->inferred[i]);
	skipped = json_put_object(events, "skipped");
	for (int i = 0; i < TRACE_NR_SKIPS; i++)
		json_put(skipped, trace_skip_name((enum trace_skip)i), w->trace->skipped[i]);
	json_put(skipped, "free_before_window", c->unknown);
	json_put(skipped, "page_failed_here", c->lost);
	json_put(events, "unknown_gfp_names", w->trace->unknown_gfp);
	json_put(events, "cpus_folded", c->folded_cpus);
}

/* What reclaim did, by the kernel's names, and to pages of the trace. */
static void put_reclaim(json_t *doc, const struct result_of *w)
{
	const struct mm *mm = sim_mm(w->sim);
	const struct replay_reclaim_counts *c = &w->counts->reclaim;
	json_t *reclaim = json_put_object(doc, "reclaim");
	struct mm_khugepaged_info khugepaged;
	uint64_t stalls = 0, skipped = 0;

	for (int i = 0; i < MM_NR_VM_EVENTS; i++)
		json_put(reclaim, mm_vm_event_name((enum mm_vm_event)i),
			 mm_vm_event(mm, (enum mm_vm_event)i));
	for (int z = 0; z < mm_get_arch(mm)->nr_zones; z++) {
		stalls += mm_allocstall(mm, z);
		skipped += mm_pgskip(mm, z);
	}
	json_put(reclaim, "allocstall", stalls);
	json_put(reclaim, "pgskip", skipped);
	mm_khugepaged_info(mm, &khugepaged);
	json_put(reclaim, "khugepaged_pages_collapsed", khugepaged.pages_collapsed);
	json_put(reclaim, "khugepaged_full_scans", khugepaged.full_scans);
	json_put(reclaim, "trace_frees_left_out", c->left_out);
	json_put(reclaim, "trace_frees_already_gone", c->already_gone);
	json_put(reclaim, "swapped_in", c->swapped_in);
	json_put(reclaim, "read_again", c->read_again);
	json_put(reclaim, "moved", c->moved);
	if (mm_failure_report(mm))
		json_put_string(reclaim, "failure", mm_failure_report(mm));
	if (mm_oom_report(mm))
		json_put_string(reclaim, "out_of_memory", mm_oom_report(mm));
}

struct node_sums {
	uint64_t allocated, managed, free;
};

/* By order, in thousandths. */
static void put_fragmentation(json_t *z, const struct mm *mm, int nid, int zone)
{
	json_t *index = json_put_array(z, "extfrag_index");
	json_t *unusable = json_put_array(z, "unusable_index");

	for (unsigned order = 0; order <= MAX_PAGE_ORDER; order++) {
		json_array_append_new(index,
				      json_integer(mm_zone_extfrag_index(mm, nid, zone, order)));
		json_append(unusable, mm_zone_unusable_index(mm, nid, zone, order));
	}
}

static void put_zone(json_t *zones, const struct mm *mm, int nid, int zone, struct node_sums *sums)
{
	struct mm_zone_info info;
	json_t *z;

	mm_zone_info(mm, nid, zone, &info);
	sums->allocated += info.alloc_pages;
	sums->managed += info.managed;
	sums->free += info.free;
	if (!info.spanned)
		return;
	z = json_append_object(zones);
	json_put(z, "node", (uint64_t)nid);
	json_put_string(z, "zone", info.name);
	json_put(z, "pages_allocated", info.alloc_pages);
	json_put(z, "fallback_allocations", info.fallbacks);
	json_put(z, "pages_managed", info.managed);
	json_put(z, "pages_free", info.free);
	json_put(z, "min", info.min);
	json_put(z, "low", info.low);
	json_put(z, "high", info.high);
	json_put(z, "lock_acquired", info.lock_acquired);
	put_fragmentation(z, mm, nid, zone);
}

static void put_nodes_and_zones(json_t *doc, const struct mm *mm)
{
	json_t *nodes = json_put_array(doc, "nodes"), *zones = json_put_array(doc, "zones");

	for (int nid = 0; nid < mm_nr_nodes(mm); nid++) {
		struct node_sums s = {0};
		struct mm_numastat stat;
		json_t *node = json_append_object(nodes);

		for (int z = 0; z < mm_get_arch(mm)->nr_zones; z++)
			put_zone(zones, mm, nid, z, &s);
		mm_node_numastat(mm, nid, &stat);
		json_put(node, "node", (uint64_t)nid);
		json_put(node, "machine_node", (uint64_t)mm_node_home(mm, nid));
		json_put_numastat(node, &stat);
		json_put(node, "pages_allocated", s.allocated);
		json_put(node, "pages_managed", s.managed);
		json_put(node, "pages_free", s.free);
	}
}

/* Sum of the accounts of all CPUs; its arrays are owned. */
struct totals {
	struct cpu_account sum;
	int nr_nodes;
};

static void add_array(uint64_t *to, const uint64_t *from, int nr)
{
	for (int i = 0; i < nr; i++)
		to[i] += from[i];
}

static void add_sites(struct cpu_site_account *to, const struct cpu_site_account *from)
{
	for (int i = 0; i < MM_NR_SITES; i++) {
		to[i].calls += from[i].calls;
		to[i].ps += from[i].ps;
	}
}

/* What is by place, by the node that each is of. */
static void add_nodes(struct cpu_node_account *by_node, const struct cpu_node_account *from,
		      const struct machine *m)
{
	for (int place = 0; place < machine_nr_places(m); place++) {
		struct cpu_node_account *to = &by_node[machine_place_nid(m, place)];

		to->remote_ps += from[place].remote_ps;
		to->zeroing_ps += from[place].zeroing_ps;
		to->misses += from[place].misses;
		to->walk_misses += from[place].walk_misses;
		to->bytes_read += from[place].bytes_read;
		to->bytes_written += from[place].bytes_written;
	}
}

static void add_locks(struct lock_account *sum, const struct lock_account *of)
{
	for (int kind = 0; kind < MM_NR_LOCK_KINDS; kind++) {
		sum[kind].acquired += of[kind].acquired;
		sum[kind].contended += of[kind].contended;
		sum[kind].wait_ps += of[kind].wait_ps;
	}
}

static bool sum_accounts(const struct result_of *w, struct totals *t)
{
	struct cpu_account *s = &t->sum;
	size_t n;

	memset(t, 0, sizeof(*t));
	t->nr_nodes = sim_machine(w->sim)->mm.nr_nodes;
	n = (size_t)t->nr_nodes;
	s->nodes = calloc(n, sizeof(*s->nodes));
	if (!s->nodes)
		return false;
	for (int cpu = 0; cpu < mm_nr_cpus(sim_mm(w->sim)); cpu++) {
		const struct cpu_account *a = sim_account(w->sim, cpu);

		s->total_ps += a->total_ps;
		s->cache_hits += a->cache_hits;
		s->tlb_hits += a->tlb_hits;
		s->tlb_second_hits += a->tlb_second_hits;
		s->tlb_walks += a->tlb_walks;
		s->walk_reads += a->walk_reads;
		add_locks(s->locks, a->locks);
		add_array(s->cause_ps, a->cause_ps, NR_CAUSES);
		add_sites(s->sites, a->sites);
		add_nodes(s->nodes, a->nodes, sim_machine(w->sim));
	}
	return true;
}

static void put_account(json_t *cost, const struct cpu_account *a, int nr_nodes)
{
	json_put(cost, "total_ps", a->total_ps);
	for (int i = 0; i < NR_CAUSES; i++) {
		char key[64];

		snprintf(key, sizeof(key), "%s_ps", time_cause_name((enum time_cause)i));
		json_put(cost, key, a->cause_ps[i]);
	}
	json_object_set_new(cost, "remote_memory_by_node_ps", BY_NODE(a, remote_ps, nr_nodes));
	json_object_set_new(cost, "zeroing_by_node_ps", BY_NODE(a, zeroing_ps, nr_nodes));
}

/* Latencies that CPUs paid for memory of other nodes: what a longer way there makes longer. */
static uint64_t remote_misses(const struct result_of *w)
{
	const struct machine *m = sim_machine(w->sim);
	uint64_t sum = 0;

	for (int cpu = 0; cpu < m->mm.nr_cpus; cpu++)
		for (int place = 0; place < machine_nr_places(m); place++)
			if (machine_place_nid(m, place) != m->cpu_nid[cpu])
				sum += sim_account(w->sim, cpu)->nodes[place].misses;
	return sum;
}

static void put_cost(json_t *doc, const struct result_of *w, const struct totals *t)
{
	json_t *cost = json_put_object(doc, "cost"), *memory, *tlb, *cpus;

	put_account(cost, &t->sum, t->nr_nodes);
	memory = json_put_object(doc, "memory");
	json_put(memory, "cache_hits", t->sum.cache_hits);
	json_put(memory, "remote_accesses", remote_misses(w));
	json_object_set_new(memory, "accesses_by_node", BY_NODE(&t->sum, misses, t->nr_nodes));
	json_object_set_new(memory, "bytes_read_by_node",
			    BY_NODE(&t->sum, bytes_read, t->nr_nodes));
	json_object_set_new(memory, "bytes_written_by_node",
			    BY_NODE(&t->sum, bytes_written, t->nr_nodes));
	result_put_banks(memory, w->sim);
	tlb = json_put_object(doc, "tlb");
	json_put(tlb, "hits", t->sum.tlb_hits);
	json_put(tlb, "second_level_hits", t->sum.tlb_second_hits);
	json_put(tlb, "walks", t->sum.tlb_walks);
	json_put(tlb, "entries_read", t->sum.walk_reads);
	json_object_set_new(tlb, "entries_from_memory_by_node",
			    BY_NODE(&t->sum, walk_misses, t->nr_nodes));
	cpus = json_put_array(doc, "cpus");
	for (int cpu = 0; cpu < mm_nr_cpus(sim_mm(w->sim)); cpu++) {
		json_t *c = json_append_object(cpus);

		json_put(c, "cpu", (uint64_t)cpu);
		json_put(c, "node", (uint64_t)sim_machine(w->sim)->cpu_nid[cpu]);
		put_account(c, sim_account(w->sim, cpu), t->nr_nodes);
	}
}

static void put_sites(json_t *doc, const struct totals *t)
{
	json_t *sites = json_put_object(doc, "sites");

	for (int i = 0; i < MM_NR_SITES; i++) {
		json_t *site = json_put_object(sites, mm_site_name((enum mm_site)i));

		json_put(site, "calls", t->sum.sites[i].calls);
		json_put(site, "ps", t->sum.sites[i].ps);
	}
}

/* Of each kind that was taken. */
static void put_locks(json_t *doc, const struct totals *t)
{
	json_t *locks = json_put_array(doc, "locks");

	for (int kind = 0; kind < MM_NR_LOCK_KINDS; kind++) {
		const struct lock_account *a = &t->sum.locks[kind];
		json_t *lock;

		if (!a->acquired)
			continue;
		lock = json_append_object(locks);
		json_put_string(lock, "lock", mm_lock_name((enum mm_lock_kind)kind));
		json_put(lock, "acquired", a->acquired);
		json_put(lock, "contended", a->contended);
		json_put(lock, "wait_ps", a->wait_ps);
	}
}

static void put_allocator(json_t *doc, const struct mm *mm)
{
	struct mm_counters c;
	struct mm_model_info info;
	json_t *allocator = json_put_object(doc, "allocator"), *model;

	mm_counters(mm, &c);
	json_put(allocator, "fallback_zone", c.fallback_zone);
	json_put(allocator, "fallback_node", c.fallback_node);
	json_put(allocator, "slow_path", c.slow_path);
	json_put(allocator, "kswapd_wakeups", c.kswapd_wakeups);
	json_put(allocator, "from_reserves", c.from_reserves);
	json_put(allocator, "pcp_refills", c.pcp_refills);
	json_put(allocator, "pcp_drains", c.pcp_drains);
	json_put(allocator, "splits", c.splits);
	json_put(allocator, "merges", c.merges);

	mm_model_info(mm, &info);
	model = json_put_object(doc, "memory_model");
	json_put_string(model, "name", mm_model_name(mm_get_model(mm)));
	json_put(model, "memmap_bytes", info.memmap_bytes);
	json_put(model, "hole_bytes", info.hole_bytes);
	json_put(model, "table_bytes", info.table_bytes);
	json_put(model, "page_ext_bytes", mm_page_ext_bytes(mm));
}

static void put_disks(json_t *doc, const struct result_of *w)
{
	const struct machine *m = sim_machine(w->sim);
	json_t *disks = json_put_array(doc, "disks");

	for (int i = 0; i < m->nr_disks; i++) {
		const struct disk_account *a = sim_disk_account(w->sim, i);
		json_t *disk = json_append_object(disks);

		json_put_string(disk, "name", m->disks[i].name);
		json_put(disk, "reads", a->reads);
		json_put(disk, "writes", a->writes);
		json_put(disk, "bytes_read", a->bytes_read);
		json_put(disk, "bytes_written", a->bytes_written);
		json_put(disk, "unfinished", a->unfinished);
		json_put(disk, "busy_ps", a->busy_ps);
		json_put(disk, "wait_ps", a->wait_ps);
		json_put(disk, "most_waiting", a->most_waiting);
	}
}

static const char *const timings[] = {
	[REPLAY_ASAP] = "asap",
	[REPLAY_TRACE] = "trace",
	[REPLAY_ORDER] = "order",
};

json_t *result_build(const struct result_of *w)
{
	uint64_t elapsed = sim_elapsed_ps(w->sim);
	struct totals t;
	json_t *doc = json_object();

	if (!doc || !sum_accounts(w, &t)) {
		json_decref(doc);
		return NULL;
	}
	json_put_string(doc, "work", w->work);
	json_put_string(doc, "timing", timings[w->timing]);
	json_put_string(doc, "timing_mode", w->timing_mode);
	put_machine(doc, w);
	json_object_set_new(doc, "simulated_ns", json_real((double)elapsed / 1000));
	json_put(doc, "simulated_ps", elapsed);
	json_put(doc, "activities", sim_activities(w->sim));
	put_events(doc, w);
	put_nodes_and_zones(doc, sim_mm(w->sim));
	put_cost(doc, w, &t);
	put_allocator(doc, sim_mm(w->sim));
	put_locks(doc, &t);
	put_sites(doc, &t);
	result_put_slab(doc, sim_mm(w->sim));
	put_reclaim(doc, w);
	maps_put(doc, sim_mm(w->sim));
	hotplug_put(doc, w);
	put_disks(doc, w);
	processes_put(doc, w);
	kernel_calls_put(doc, w);
	if (w->placement)
		placement_put(doc, w->placement);
	if (w->start && w->start->after)
		start_put_after(doc, w->start, sim_mm(w->sim));
	free(t.sum.nodes);
	return doc;
}

const json_t *result_member(const json_t *result, const char *path)
{
	while (result && *path) {
		size_t len = strcspn(path, ".");
		char key[64];

		snprintf(key, sizeof(key), "%.*s", (int)len, path);
		result = json_object_get(result, key);
		path += len + (path[len] == '.');
	}
	return result;
}

uint64_t result_integer(const json_t *result, const char *path)
{
	return (uint64_t)json_integer_value(result_member(result, path));
}

const char *result_string(const json_t *result, const char *path)
{
	const char *s = json_string_value(result_member(result, path));

	return s ? s : "";
}

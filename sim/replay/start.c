/* SPDX-License-Identifier: Apache-2.0 */
/* From the files of a capture to the mm core, and back at the end of a replay. */
#include "sim/replay/start.h"

#include <errno.h>
#include <string.h>

#include "sim/json.h"
#include "sim/replay/cpu_lists.h"

static int apply_settings(struct mm *mm, const struct captured_state *s, struct diag *diag)
{
	for (size_t i = 0; i < s->nr_settings; i++) {
		const struct captured_setting *one = &s->settings[i];
		struct mm_refusal refusal = {0};
		int err = mm_sysctl(mm, one->key, one->value, &refusal);

		/* A kernel has many that mean nothing to the mm core. */
		if (err && err != -ENOENT && err != -ENODEV)
			return diag_error(diag, -EINVAL, s->dir, 0, "sysctl_vm.txt: %s = %s: %s",
					  one->key, one->value, refusal.why);
	}
	return 0;
}

int start_from(struct mm *mm, const char *dir, const struct trace *t, struct diag *diag,
	       struct start *out)
{
	struct mm_refusal refusal = {0};
	struct capture *c;
	int err = capture_open(dir, diag, &c);

	*out = (struct start){0};
	if (!err)
		err = captured_state_read(c, "before", false, mm, diag, &out->before);
	if (!err)
		err = captured_state_read(c, "after", true, mm, diag, &out->after);
	capture_free(c);
	if (!err && t)
		err = cpu_lists_at_start(t, mm, out->before);
	if (!err)
		err = apply_settings(mm, out->before, diag);
	if (!err) {
		err = mm_start_from(mm, out->before->zones, out->before->nr_zones, &refusal);
		if (err == -EINVAL)
			diag_error(diag, err, out->before->dir, 0, "%s", refusal.why);
	}
	if (err)
		start_clear(out);
	return err;
}

void start_clear(struct start *s)
{
	captured_state_free(s->before);
	captured_state_free(s->after);
	*s = (struct start){0};
}

static void put_zones(json_t *after, const struct start *s, const struct mm *mm)
{
	json_t *zones = json_put_array(after, "zones");

	for (size_t i = 0; i < s->after->nr_zones; i++) {
		const struct mm_zone_state *z = &s->after->zones[i];
		json_t *zone = json_append_object(zones);
		uint64_t listed = 0, real_listed = 0;
		struct mm_zone_info info;

		mm_zone_info(mm, z->nid, z->zone, &info);
		for (int cpu = 0; cpu < s->after->nr_cpus; cpu++) {
			listed += mm_pcp_count(mm, z->nid, z->zone, cpu);
			real_listed += z->pcp[cpu].count;
		}
		json_put(zone, "node", (uint64_t)z->nid);
		json_put_string(zone, "zone", info.name);
		json_put(zone, "pages_free", info.free_counter);
		json_put(zone, "pages_free_real", s->after->nr_free_pages[i]);
		json_put(zone, "pages_on_cpu_lists", listed);
		json_put(zone, "pages_on_cpu_lists_real", real_listed);
		json_put(zone, "boost", info.boost);
		json_put(zone, "boost_real", z->boost);
	}
}

static void put_counter(json_t *node, const char *key, uint64_t here, uint64_t after,
			uint64_t before)
{
	json_t *pair = json_put_object(node, key);

	json_put(pair, "simulated", here);
	json_put(pair, "real", after >= before ? after - before : 0);
}

/* Counters of the simulated kernel begin at 0: what the real one had before does not count. */
static void put_nodes(json_t *after, const struct start *s, const struct mm *mm)
{
	json_t *nodes = json_put_array(after, "nodes");

	for (int nid = 0; nid < s->after->nr_nodes; nid++) {
		const struct mm_numastat *a = &s->after->numastat[nid],
					 *b = &s->before->numastat[nid];
		struct mm_numastat here;
		json_t *node;

		if (!s->after->has_numastat[nid] || !s->before->has_numastat[nid])
			continue;
		mm_node_numastat(mm, nid, &here);
		node = json_append_object(nodes);
		json_put(node, "node", (uint64_t)nid);
		put_counter(node, "numa_hit", here.numa_hit, a->numa_hit, b->numa_hit);
		put_counter(node, "numa_miss", here.numa_miss, a->numa_miss, b->numa_miss);
		put_counter(node, "numa_foreign", here.numa_foreign, a->numa_foreign,
			    b->numa_foreign);
		put_counter(node, "interleave_hit", here.interleave_hit, a->interleave_hit,
			    b->interleave_hit);
		put_counter(node, "local_node", here.local_node, a->local_node, b->local_node);
		put_counter(node, "other_node", here.other_node, a->other_node, b->other_node);
	}
}

void start_put_after(json_t *doc, const struct start *s, const struct mm *mm)
{
	json_t *after;

	if (!s->after)
		return;
	after = json_put_object(doc, "after");
	put_zones(after, s, mm);
	put_nodes(after, s, mm);
}

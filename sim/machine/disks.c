/* SPDX-License-Identifier: Apache-2.0 */
/* Disks of a machine file, and which of them swap and the files of the page cache are on. */
#include "sim/machine/read.h"

#include <stdlib.h>
#include <string.h>

#define MAX_DISKS     16
#define MAX_DEPTH     1024
#define DEFAULT_DEPTH 32 /* commands that a SATA disk takes at once (NCQ) */
#define MAX_REQUESTS  65536
#define DEFAULT_RQ    128 /* BLKDEV_DEFAULT_RQ */

static void check_name(struct machine_reader *r, const struct cfg_setting *s,
		       const struct machine_disk *disk)
{
	if (!*disk->name)
		cfg_error(r->cfg, s, "expected a name, found nothing");
	for (const struct machine_disk *other = r->m->disks; other < disk; other++)
		if (!strcmp(other->name, disk->name))
			cfg_error(r->cfg, s, "there is a disk '%s' already", disk->name);
}

/* blk_mq_init_sched(): twice what the disk takes at once, or as much without a scheduler. */
static void read_queue(struct machine_reader *r, const struct cfg_setting *group,
		       struct machine_disk *disk)
{
	static const char *const schedulers[] = {"mq-deadline", "none", NULL};
	unsigned scheduler = DISK_DEADLINE, depth = disk->queue_depth;
	uint64_t requests;

	cfg_choice(r->cfg, cfg_find(r->cfg, group, "scheduler"), "scheduler", schedulers,
		   &scheduler);
	disk->scheduler = (enum disk_scheduler)scheduler;
	requests = scheduler == DISK_NONE ? depth : 2 * (depth < DEFAULT_RQ ? depth : DEFAULT_RQ);
	cfg_integer(r->cfg, cfg_find(r->cfg, group, "nr_requests"), 1, MAX_REQUESTS, &requests);
	disk->nr_requests = (unsigned)requests;
}

static void read_disk(struct machine_reader *r, const struct cfg_setting *s)
{
	static const char *const keys[] = {"name",      "bandwidth_read", "bandwidth_write",
					   "latency",   "queue_depth",    "nr_requests",
					   "scheduler", "source",         NULL};
	const struct cfg_setting *group = cfg_group(r->cfg, s), *named;
	struct machine_disk *disk = &r->m->disks[r->m->nr_disks];
	uint64_t depth = DEFAULT_DEPTH;
	const char *name;

	cfg_keys(r->cfg, group, keys);
	machine_read_source(r, group);
	named = cfg_need(r->cfg, group, "name");
	if (!cfg_string(r->cfg, named, &name))
		return;
	disk->name = strdup(name);
	if (!disk->name) {
		cfg_no_memory(r->cfg);
		return;
	}
	check_name(r, named, disk);
	r->m->nr_disks++;
	machine_read_rate(r, cfg_need(r->cfg, group, "bandwidth_read"), &disk->read_bytes_per_s);
	machine_read_rate(r, cfg_need(r->cfg, group, "bandwidth_write"), &disk->write_bytes_per_s);
	machine_read_latency(r, cfg_need(r->cfg, group, "latency"), &disk->latency_ps);
	cfg_integer(r->cfg, cfg_find(r->cfg, group, "queue_depth"), 1, MAX_DEPTH, &depth);
	disk->queue_depth = (unsigned)depth;
	read_queue(r, group, disk);
}

/* Where it is not said, the first one. */
static void choose(struct machine_reader *r, const struct cfg_setting *s, int *disk)
{
	const char *names[MAX_DISKS + 1] = {NULL};
	unsigned index = 0;

	for (int i = 0; i < r->m->nr_disks; i++)
		names[i] = r->m->disks[i].name;
	if (s && !r->m->nr_disks)
		cfg_error(r->cfg, s, "the machine has no 'disks'");
	else if (cfg_choice(r->cfg, s, "disk", names, &index))
		*disk = (int)index;
}

void machine_read_disks(struct machine_reader *r, const struct cfg_setting *root)
{
	const struct cfg_setting *disks = cfg_list(r->cfg, cfg_find(r->cfg, root, "disks"));
	const struct cfg_setting *kernel = cfg_find(r->cfg, root, "kernel");
	const struct cfg_setting *swap = cfg_find(r->cfg, kernel, "swap_disk");
	unsigned nr = cfg_length(disks);

	if (nr > MAX_DISKS) {
		cfg_error(r->cfg, disks, "expected at most %d disks, found %u", MAX_DISKS, nr);
		return;
	}
	r->m->disks = machine_array(r, nr, sizeof(*r->m->disks));
	for (unsigned i = 0; i < nr && !cfg_status(r->cfg); i++)
		read_disk(r, cfg_element(disks, i));
	if (cfg_status(r->cfg))
		return;
	choose(r, swap, &r->m->swap_disk);
	choose(r, cfg_find(r->cfg, kernel, "file_disk"), &r->m->file_disk);
	if (swap && !r->m->mm.params.swap_bytes)
		cfg_error(r->cfg, swap, "needs 'swap', how much of it there is");
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All parts of the mm core at once, on random machines: pages by all policies, CPUs' lists, slab,
 * vmalloc, kmap, processes, files, huge pages, reclaim, swap, compaction, migration, hotplug, CMA
 * and sysctls. All is verified after each operation; in the end all is given back, and nothing is
 * left. First one operation after the other; then with CPUs that go on wherever another one waits.
 *
 * NUMASIM_SEED, NUMASIM_OPS (operations a machine) and NUMASIM_MACHINES come from the environment,
 * if they are there. Each machine prints its seed: with that and one machine it comes again.
 */
#include <criterion/criterion.h>
#include <stdio.h>

#include "../world/world.h"

struct sums {
	uint64_t allocs, failed, reclaimed, moved, nested, hotplugs, slab_allocs, vmallocs, faults;
};

static void run(uint64_t seed, uint64_t ops, bool concurrent, struct sums *sums)
{
	uint64_t rng = seed;
	struct machine m = world_machine(&rng);
	struct world *w;

	fprintf(stderr, "NUMASIM_SEED=%lu NUMASIM_MACHINES=1: %s\n", (unsigned long)seed,
		world_machine_name(&m));
	w = world_begin(&m, rng, concurrent);
	for (uint64_t i = 0; i < ops; i++) {
		world_step(w);
		world_verify(w, i);
	}
	sums->allocs += w->allocs;
	sums->failed += w->failed;
	sums->reclaimed += w->reclaimed;
	sums->moved += w->moved;
	sums->nested += w->nested;
	sums->hotplugs += w->hotplugs;
	sums->slab_allocs += w->slab_allocs;
	sums->vmallocs += w->vmallocs;
	sums->faults += w->faults;
	world_end(w);
}

static void run_all(uint64_t otherwise, bool concurrent)
{
	uint64_t seed = random_seed(otherwise), ops = number_from_env("NUMASIM_OPS", 400);
	uint64_t machines = number_from_env("NUMASIM_MACHINES", 25);
	struct sums s = {0};

	for (uint64_t i = 0; i < machines; i++)
		run(seed + i, ops, concurrent, &s);
	if (machines * ops < 10000)
		return;
	cr_expect(s.allocs && s.failed && s.reclaimed && s.moved && s.hotplugs && s.slab_allocs &&
			  s.vmallocs && s.faults && (s.nested || !concurrent),
		  "%lu allocations, %lu failed, %lu reclaimed, %lu moved, %lu interleaved, %lu "
		  "steps of hotplug, %lu objects, %lu areas, %lu faults: a test of too little",
		  s.allocs, s.failed, s.reclaimed, s.moved, s.nested, s.hotplugs, s.slab_allocs,
		  s.vmallocs, s.faults);
}

Test(world, everything_holds_after_each_operation)
{
	run_all(1, false);
}

Test(world, everything_holds_where_cpus_interleave)
{
	run_all(1001, true);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Random machines, small enough that all of their memory is in use after some hundred operations.
 */
#include <stdio.h>

#include "mm/memmodel.h"
#include "world.h"

enum shape { UMA, NUMA, MEMORYLESS, HIGHMEM, HOTPLUG, NR_SHAPES };

static uint64_t between(uint64_t *rng, uint64_t least, uint64_t most)
{
	return least + random_below(rng, most - least + 1);
}

/* `nodes` ranges, one after the other, some with a hole behind them; then one more of node 0. */
static void ranges(struct machine *m, uint64_t *rng, int nodes, phys_addr_t at)
{
	int i = 0;

	for (; i < nodes; i++) {
		uint64_t bytes = between(rng, 1, 6 / (uint64_t)nodes) * 4 * MiB;

		m->memory[i] = (struct mm_range){at, bytes, i};
		at += bytes;
		if (m->model != MM_DISCONTIG && !random_below(rng, 3))
			at += between(rng, 1, 600) * 4 * KiB;
	}
	if (m->model != MM_DISCONTIG && !random_below(rng, 3))
		m->memory[i] = (struct mm_range){at, between(rng, 1, 4) * MiB + 12 * KiB, 0};
}

static void numa(struct machine *m, uint64_t *rng, int nodes)
{
	static const enum mm_memory_model models[] = {MM_DISCONTIG, MM_SPARSE, MM_SPARSE_VMEMMAP};

	m->model = models[random_below(rng, 3)];
	ranges(m, rng, nodes, random_below(rng, 3) ? 0 : 12 * MiB);
	for (int n = 0; n < nodes; n++)
		m->cpus[n] = (int)between(rng, 1, 2);
	for (int a = 0; a < nodes; a++)
		for (int b = 0; b < nodes; b++)
			m->distance[a][b] = a == b ? 10 : (uint8_t)(20 + 10 * ((a + b) % 2));
}

/* As the kernel has it: low memory, a hole, and some on both sides of the direct mapping's end. */
static void highmem(struct machine *m, uint64_t *rng)
{
	static const enum mm_memory_model models[] = {MM_FLAT, MM_DISCONTIG, MM_SPARSE};

	m->arch = random_below(rng, 2) ? MM_I386 : MM_I386_NOPAE;
	m->model = models[random_below(rng, m->arch == MM_I386 ? 3 : 2)];
	m->memory[0] = (struct mm_range){MiB, between(rng, 15, 31) * MiB, 0};
	m->memory[1] = (struct mm_range){880 * MiB, between(rng, 18, 32) * MiB, 0};
	m->cpus[0] = 3;
	if (random_below(rng, 2))
		m->vm.vmalloc_bytes = 16 * MiB;
}

static void hotplug(struct machine *m, uint64_t *rng)
{
	m->model = random_below(rng, 2) ? MM_SPARSE : MM_SPARSE_VMEMMAP;
	m->memory[0] = (struct mm_range){0, between(rng, 130, 256) * MiB, 0};
	if (random_below(rng, 2))
		m->memory[1] = (struct mm_range){384 * MiB, 128 * MiB, 1};
	m->cpus[0] = 2;
	m->cpus[1] = 1;
	m->nodes = 3;
	m->hotplug_end = 16 * 128 * MiB;
	if (!random_below(rng, 3))
		m->kernelcore_bytes = 96 * MiB;
}

static void options(struct machine *m, uint64_t *rng, bool small)
{
	m->min_free_kbytes = small ? between(rng, 64, 512) : 2048;
	m->homes = !small || m->memory[0].bytes >= 16 * MiB ? random_below(rng, 2) : 0;
	m->no_thp = !random_below(rng, 3);
	m->hot_cold = !random_below(rng, 6);
	m->by_mobility = !m->hot_cold && !random_below(rng, 5);
	m->slab_nomerge = random_below(rng, 2);
	m->no_slab_defrag = !random_below(rng, 4);
	if (!random_below(rng, 4))
		m->slab_debug = 1 + (unsigned)random_below(rng, MM_SLAB_DEBUG);
	if (small && !random_below(rng, 4))
		m->kernelcore_bytes = 6 * MiB;
	if (m->memory[0].bytes >= 8 * MiB && !random_below(rng, 4))
		m->cma_bytes = 4 * MiB;
	if (!random_below(rng, 4))
		m->hugepages = 1;
}

static uint64_t total(const struct machine *m)
{
	uint64_t bytes = 0;

	for (int i = 0; i < MACHINE_RANGES && m->memory[i].bytes; i++)
		bytes += m->memory[i].bytes;
	return bytes;
}

struct machine world_machine(uint64_t *rng)
{
	static const enum mm_memory_model models[] = {MM_FLAT, MM_DISCONTIG, MM_SPARSE,
						      MM_SPARSE_VMEMMAP};
	struct machine m = {.arch = MM_X86_64};
	enum shape shape = (enum shape)random_below(rng, NR_SHAPES);

	switch (shape) {
	case UMA:
		m.model = models[random_below(rng, 4)];
		ranges(&m, rng, 1, 0);
		m.cpus[0] = 3;
		break;
	case NUMA:
		numa(&m, rng, (int)between(rng, 2, 3));
		break;
	case MEMORYLESS:
		/* One node has no CPUs, and a further one only those. */
		numa(&m, rng, 2);
		m.cpus[random_below(rng, 2)] = 0;
		m.cpus[2] = 2;
		m.memory[2] = (struct mm_range){0};
		break;
	case HIGHMEM:
		highmem(&m, rng);
		break;
	default:
		hotplug(&m, rng);
	}
	options(&m, rng, shape != HOTPLUG);
	/* It takes 64 bytes a frame, of whole sections; those that are plugged in have theirs. */
	if (m.arch == MM_X86_64 && shape != HOTPLUG && total(&m) >= 16 * MiB) {
		m.page_owner = random_below(rng, 2);
		m.page_table_check = !random_below(rng, 4);
	}
	m.reserved[0] =
		(struct mm_reservation){.start = 0, .bytes = 4 * KiB}; /* address 0 is NULL */
	return m;
}

const char *world_machine_name(const struct machine *m)
{
	static const char *const archs[] = {"x86_64", "i386", "i386 without PAE", "arm64"};
	static char name[160];
	int cpus = 0, nodes = 0;

	for (int n = 0; n < MACHINE_NODES; n++) {
		cpus += m->cpus[n];
		nodes += m->cpus[n] > 0;
	}
	snprintf(name, sizeof(name), "%s %s, %lu KiB, %d CPUs on %d nodes%s%s%s%s%s",
		 archs[m->arch], mm_model_name(m->model), (unsigned long)(total(m) / KiB), cpus,
		 nodes, m->hotplug_end ? ", hotplug" : "", m->cma_bytes ? ", cma" : "",
		 m->homes ? ", homes" : "", m->slab_debug ? ", slub_debug" : "",
		 m->page_owner ? ", page_owner" : "");
	return name;
}

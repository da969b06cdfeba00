/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which nodes the kernel has: the machine's; one for all where NUMA is off; pieces of them with
 * numa=fake; or, with discontig on a UMA machine, one for each range of memory. Gives memory in
 * memblock its node and CPUs theirs, and makes the distances between them.
 *
 * numa=fake follows Linux 6.1 arch/x86/mm/numa_emulation.c: nodes of equal size, so many or so
 * large, taken in turn from the machine's nodes, or so many of each.
 */
#include <errno.h>
#include <stdlib.h>

#include "mm/internal.h"

#define FAKE_LEAST (UINT64_C(32) << 20) /* sizes of fake nodes are multiples of it */

/* By node of the kernel: the machine's node that it is on. */
struct homes {
	int of[MM_MAX_NODES];
	int nr;
};

/*
 * Discontig on a UMA machine: each contiguous range is a node. Ranges that share a block of the
 * largest order stay together, since a node's map is aligned to that.
 */
static void split_ranges(struct mm *mm, struct homes *h)
{
	struct memblock_list *memory = &mm->memblock.memory;
	unsigned shift = mm->arch->page_shift;

	mm->ranges_are_nodes = true;
	h->nr = 1;
	for (size_t i = 1; i < memory->nr; i++) {
		pfn_t prev_end = mm_round_block_up(memory->regions[i - 1].end >> shift);
		pfn_t start = mm_round_block_down(memory->regions[i].start >> shift);

		if (start >= prev_end)
			h->nr++;
		memory->regions[i].nid = h->nr - 1;
	}
}

static int join_all(struct mm *mm, struct homes *h)
{
	h->nr = 1;
	return memblock_set_node(&mm->memblock, 0, UINT64_MAX, 0);
}

/* What is left to cut: a machine's node's memory from `start` on; end 0: nothing. */
struct block {
	phys_addr_t start, end;
	int nid;
};

/* A block for each run of one node's memory. The first starts at 0, as SRAT has it. */
static struct block *find_blocks(const struct mm *mm, size_t *nr)
{
	const struct memblock_list *memory = &mm->memblock.memory;
	struct block *blocks = calloc(memory->nr, sizeof(*blocks));

	*nr = 0;
	for (size_t i = 0; blocks && i < memory->nr; i++) {
		const struct memblock_region *m = &memory->regions[i];

		if (*nr && blocks[*nr - 1].nid == m->nid)
			blocks[*nr - 1].end = m->end;
		else
			blocks[(*nr)++] = (struct block){i ? m->start : 0, m->end, m->nid};
	}
	return blocks;
}

static struct block *next_block(struct block *blocks, size_t nr, int nid)
{
	for (size_t i = 0; i < nr; i++)
		if (blocks[i].nid == nid && blocks[i].start < blocks[i].end)
			return &blocks[i];
	return NULL;
}

/* A node that takes up to `end` goes further where what would be left over is too little. */
static phys_addr_t reach_on(const struct mm *mm, const struct block *b, phys_addr_t end,
			    uint64_t least_left)
{
	int dma32 = mm_arch_zone_index(mm->arch, MM_ZONE_DMA32);
	phys_addr_t low = dma32 < 0 ? 0 : mm->arch->zones[dma32].limit;

	/* Below 4 GiB, or in the machine's node. */
	if (end < low && memblock_memory_in(&mm->memblock, end, low) < FAKE_LEAST)
		end = low;
	if (end < b->end && memblock_memory_in(&mm->memblock, end, b->end) < least_left)
		end = b->end;
	return end < b->end ? end : b->end;
}

/* Where the fake node that starts with the block ends. `size`: of one; `more`: one more unit. */
static phys_addr_t fake_end(const struct mm *mm, const struct block *b, uint64_t size, bool more)
{
	phys_addr_t end = b->start + size + (more ? FAKE_LEAST : 0);

	while (end < b->end && memblock_memory_in(&mm->memblock, b->start, end) < size)
		end += FAKE_LEAST;
	return reach_on(mm, b, end, size);
}

/* What is being cut, and how far it is. */
struct cutting {
	struct homes *h;
	struct block *blocks;
	size_t nr;
	int nr_machine; /* nodes of the machine */
	int fakes;      /* numbers of nodes begin again behind so many */
	int next;       /* cut so far */
};

/* The block up to `end` becomes the next fake node. */
static int cut_off(struct mm *mm, struct cutting *c, struct block *b, phys_addr_t end)
{
	int nid = c->next % c->fakes;
	phys_addr_t start = b->start;

	if (c->next++ < c->fakes) {
		c->h->of[nid] = b->nid;
		c->h->nr = nid + 1;
	}
	b->start = end;
	return memblock_set_node(&mm->memblock, start, end - start, nid);
}

/* In turn a piece of each of the machine's nodes, until all of all of them is given away. */
static int cut_in_turn(struct mm *mm, struct cutting *c, uint64_t size, uint64_t nr_more)
{
	bool found = true;
	int err = 0;

	while (found && !err) {
		found = false;
		for (int n = 0; n < c->nr_machine && !err; n++) {
			struct block *b = next_block(c->blocks, c->nr, n);

			if (!b)
				continue;
			found = true;
			err = cut_off(mm, c, b, fake_end(mm, b, size, (uint64_t)c->next < nr_more));
		}
	}
	return err;
}

static int cut_to_number(struct mm *mm, struct cutting *c, struct mm_refusal *r)
{
	unsigned shift = mm->arch->page_shift;
	uint64_t fakes = mm->params.numa_fake;
	uint64_t all = memblock_memory_in(&mm->memblock, 0, UINT64_MAX) >> shift;
	uint64_t size = (all / fakes) << shift, more = size % FAKE_LEAST * fakes / FAKE_LEAST;

	size -= size % FAKE_LEAST;
	if (!size)
		return mm_refuse(r, MM_ABOUT_MACHINE, 0,
				 "numa_fake: no 32 MiB of memory for each of %d nodes", (int)fakes);
	c->fakes = (int)fakes;
	return cut_in_turn(mm, c, size, more);
}

static uint64_t round_up_fake(uint64_t bytes)
{
	return bytes ? (bytes + FAKE_LEAST - 1) & ~(FAKE_LEAST - 1) : FAKE_LEAST;
}

/* Sizes are multiples of 32 MiB, rounded down, and so large that there are nodes enough. */
static int cut_to_size(struct mm *mm, struct cutting *c)
{
	unsigned shift = mm->arch->page_shift;
	uint64_t all = memblock_memory_in(&mm->memblock, 0, UINT64_MAX) >> shift;
	uint64_t least = round_up_fake(all / (uint64_t)c->fakes << shift);
	uint64_t size = mm->params.numa_fake_bytes;

	size = size < least ? least : size & ~(FAKE_LEAST - 1);
	return cut_in_turn(mm, c, size, 0);
}

/*
 * Each of the machine's nodes by itself, from the lowest on, in pieces of a size: its first block's
 * over the number, rounded up. Holes count; a node that lies in two places makes more nodes.
 */
static int cut_each(struct mm *mm, struct cutting *c, struct mm_refusal *r)
{
	uint64_t each = mm->params.numa_fake_each;
	unsigned shift = mm->arch->page_shift;
	int err = 0;

	for (size_t i = 0; i < c->nr && !err; i++) {
		struct block *b = &c->blocks[i];
		uint64_t size = round_up_fake(((b->end - b->start) >> shift) / each << shift);
		int nid = b->nid;

		while (!err && (b = next_block(c->blocks, c->nr, nid)))
			err = cut_off(mm, c, b, reach_on(mm, b, b->start + size, 0));
		if (!err && (uint64_t)c->next < each)
			err = mm_refuse(r, MM_ABOUT_MACHINE, 0,
					"numa_fake: node %d has 32 MiB for %d nodes, not for %d: "
					"the kernel would go on without",
					nid, c->next, (int)each);
	}
	return err;
}

static int fake_nodes(struct mm *mm, struct homes *h, int nr_machine, struct mm_refusal *r)
{
	struct cutting c = {.h = h, .nr_machine = nr_machine, .fakes = 1 << mm->arch->nodes_shift};
	int err;

	c.blocks = find_blocks(mm, &c.nr);
	if (!c.blocks)
		return -ENOMEM;
	if (mm->params.numa_fake)
		err = cut_to_number(mm, &c, r);
	else if (mm->params.numa_fake_bytes)
		err = cut_to_size(mm, &c);
	else
		err = cut_each(mm, &c, r);
	free(c.blocks);
	return err;
}

static bool is_faked(const struct mm_params *p)
{
	return p->numa_fake || p->numa_fake_bytes || p->numa_fake_each;
}

static int find_nodes(struct mm *mm, const struct mm_config *c, struct homes *h,
		      struct mm_refusal *r)
{
	h->nr = c->nr_nodes;
	for (int n = 0; n < c->nr_nodes; n++)
		h->of[n] = n;
	if (c->params.numa_off)
		return join_all(mm, h);
	if (is_faked(&c->params))
		return fake_nodes(mm, h, c->nr_nodes, r);
	return 0;
}

static bool has_memory(const struct mm *mm, int nid)
{
	for (size_t i = 0; i < mm->memblock.memory.nr; i++)
		if (mm->memblock.memory.regions[i].nid == nid)
			return true;
	return false;
}

/*
 * A CPU is on the first node that is on its own of the machine. Where the machine has but one, no
 * SRAT says which CPUs it has, and numa_init_array() deals them out.
 */
static int kernel_nid(const struct mm *mm, const struct mm_config *c, const struct homes *h,
		      int cpu)
{
	int nid = 0;

	if (is_faked(&c->params) && c->nr_nodes == 1) {
		for (int left = cpu; left > 0 || !has_memory(mm, nid); nid = (nid + 1) % h->nr)
			left -= has_memory(mm, nid);
		return nid;
	}
	for (int n = 0; n < h->nr; n++)
		if (h->of[n] == c->cpu_nid[cpu])
			return n;
	return 0;
}

static int make_nodes(struct mm *mm, const struct mm_config *c, const struct homes *h)
{
	size_t nr = (size_t)h->nr;

	mm->nr_nodes = h->nr;
	mm->nodes = calloc(nr, sizeof(*mm->nodes));
	mm->distance = malloc(nr * nr);
	mm->cpu_nid = malloc((size_t)mm->nr_cpus * sizeof(*mm->cpu_nid));
	mm->percpu_at = calloc((size_t)mm->nr_cpus, sizeof(*mm->percpu_at));
	if (!mm->nodes || !mm->distance || !mm->cpu_nid || !mm->percpu_at)
		return -ENOMEM;
	for (int a = 0; a < h->nr; a++) {
		mm->nodes[a].nid = a;
		mm->nodes[a].home = h->of[a];
		mm->nodes[a].cpus_of =
			c->shares_cpus_with ? c->shares_cpus_with[h->of[a]] : h->of[a];
		mm->nodes[a].interleave_weight =
			c->interleave_weight ? c->interleave_weight[h->of[a]] : 1;
		for (int b = 0; b < h->nr; b++)
			mm->distance[a * h->nr + b] =
				c->distance[h->of[a] * c->nr_nodes + h->of[b]];
	}
	for (int cpu = 0; cpu < mm->nr_cpus; cpu++)
		mm->cpu_nid[cpu] = kernel_nid(mm, c, h, cpu);
	return 0;
}

bool mm_node_has_cpu(const struct mm *mm, int nid, int cpu)
{
	return mm->nodes[mm->cpu_nid[cpu]].cpus_of == mm->nodes[nid].cpus_of;
}

bool mm_node_online(const struct mm *mm, int nid)
{
	bool online = mm->nodes[nid].present > 0;

	for (int cpu = 0; cpu < mm->nr_cpus && !online; cpu++)
		online = mm_node_has_cpu(mm, nid, cpu);
	return online;
}

int mm_nodes_init(struct mm *mm, const struct mm_config *c, struct mm_refusal *r)
{
	struct homes h = {.nr = 0};
	int err = find_nodes(mm, c, &h, r), most = 1 << mm->arch->nodes_shift;
	bool split = c->model == MM_DISCONTIG && h.nr == 1;

	if (err)
		return err;
	if (split)
		split_ranges(mm, &h);
	if (h.nr > most)
		return mm_refuse(r, MM_ABOUT_MACHINE, 0,
				 "%d nodes%s, but page->flags of %s holds a node below %d", h.nr,
				 split ? ", one for each range of memory" : "", mm->arch->name,
				 most);
	return make_nodes(mm, c, &h);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Who does what next, what the mm core tells its owner, and what has to hold; see world.h. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "mm/hotplug/hotplug.h"
#include "mm/page_ext/page_ext.h"
#include "mm/reclaim/lru.h"
#include "mm/user/user_readahead.h"
#include "mm/vmalloc/vmalloc.h"
#include "world.h"

#define DEEPEST 3 /* operations under way at a time, at most, and */
#define OTHERS  8 /* within one, in all */

static bool disk_is_at(const struct world *w, const struct mm_file *file, uint64_t index)
{
	for (size_t i = 0; i < w->nr_reads; i++)
		if (w->reads[i]->file == file && index - w->reads[i]->first < w->reads[i]->nr)
			return true;
	return false;
}

/*
 * Is a page to be read that no disk is at yet? Who comes upon it would wait for who reads it, and
 * both are on one stack.
 */
static bool about_to_read(const struct world *w)
{
	for (const struct mm_file *f = w->mm->user ? w->mm->user->files : NULL; f; f = f->next)
		for (uint64_t i = 0; i < f->nr; i++) {
			const struct page *page = e_pointer(f->entries[i]);

			if (e_kind(f->entries[i]) == E_PAGE && page->locked && !disk_is_at(w, f, i))
				return true;
		}
	return false;
}

/* Others go on here, if they may. */
static void others(struct world *w)
{
	const char *doing = w->doing;

	if (!w->concurrent || w->locks_held || w->depth >= DEEPEST || !w->others ||
	    !world_one_in(w, 24) || about_to_read(w))
		return;
	w->others--;
	w->nested++;
	world_step(w);
	w->doing = doing;
}

/* What has no place in memory yet is not touched; the image of a real boot may begin at 0. */
static void on_access(void *ctx, int cpu, phys_addr_t at, uint64_t bytes, enum mm_access kind)
{
	const struct world *w = ctx;

	(void)cpu;
	(void)bytes;
	(void)kind;
	cr_assert(at >= 4096 || w->machine.homes, "%s: address 0x%lx", w->doing, (unsigned long)at);
}

static void on_lock(void *ctx, int cpu, struct mm_lock *lock)
{
	struct world *w = ctx;

	(void)cpu;
	others(w);
	cr_assert_eq(lock->holder, MM_NO_CPU, "%s: a lock that is held", w->doing);
	w->locks_held++;
}

static void on_unlock(void *ctx, int cpu, struct mm_lock *lock)
{
	(void)cpu;
	(void)lock;
	((struct world *)ctx)->locks_held--;
}

static int on_resched(void *ctx, int cpu)
{
	others(ctx);
	return cpu;
}

/* Of what is read ahead, any one is there. */
void world_read_done(struct world *w, int cpu)
{
	size_t i = world_below(w, w->nr_reads);
	struct mm_read *read = w->reads[i];

	w->reads[i] = w->reads[--w->nr_reads];
	mm_read_interrupt(w->mm, cpu, read);
}

static int on_sleep(void *ctx, int cpu, uint64_t us, const void *channel)
{
	(void)us;
	(void)channel;
	cr_assert_eq(((struct world *)ctx)->locks_held, 0, "asleep with a lock");
	if (((struct world *)ctx)->nr_reads)
		world_read_done(ctx, cpu);
	others(ctx);
	return cpu;
}

/* Who comes upon a page that is being read would wait for who reads it, and both are on one stack.
 */
static void on_read(void *ctx, int cpu, uint64_t bytes, enum mm_store from)
{
	(void)cpu;
	(void)bytes;
	if (from == MM_STORE_SWAP)
		others(ctx);
}

/* At once, or when its turn comes; a thread of another CPU never here. */
static bool on_wake(void *ctx, int cpu, struct mm_kthread *thread)
{
	struct world *w = ctx;

	return w->concurrent || (thread->cpu != MM_NO_CPU && thread->cpu != cpu) ||
	       world_one_in(w, 2);
}

static bool on_write(void *ctx, int cpu, struct page *page, uint64_t bytes, enum mm_store to,
		     bool may_wait)
{
	struct world *w = ctx;

	(void)cpu;
	(void)bytes;
	(void)to;
	(void)may_wait;
	if (w->nr_writes == WORLD_WRITES || world_one_in(w, 2))
		return false;
	w->writes[w->nr_writes++] = page;
	return true;
}

static bool on_read_ahead(void *ctx, int cpu, uint64_t bytes, enum mm_store from,
			  struct mm_read *read)
{
	struct world *w = ctx;

	(void)cpu;
	(void)bytes;
	(void)from;
	if (w->nr_reads == WORLD_WRITES || world_one_in(w, 4))
		return false;
	w->reads[w->nr_reads++] = read;
	return true;
}

static struct world_block *block_of(struct world *w, const struct page *page)
{
	for (size_t i = 0; i < WORLD_BLOCKS; i++)
		if (w->blocks[i].page == page)
			return &w->blocks[i];
	return NULL;
}

static void on_reclaimed(void *ctx, int cpu, struct page *page, bool swapped, uint64_t shadow)
{
	struct world *w = ctx;
	struct world_block *b = block_of(w, page);

	(void)cpu;
	(void)shadow;
	cr_assert(b && b->followed && !b->pins, "%s: a page of nobody is reclaimed", w->doing);
	w->in_swap += swapped ? UINT64_C(1) << b->order : 0;
	b->page = NULL;
	w->reclaimed++;
}

/* What somebody is about to have is nobody's yet. */
static bool on_may_move(void *ctx, const struct page *page)
{
	const struct world_block *b = block_of(ctx, page);

	return b && b->movable && !b->pins;
}

static void on_moved(void *ctx, int cpu, struct page *from, struct page *to)
{
	struct world *w = ctx;
	struct world_block *b = block_of(w, from);

	(void)cpu;
	cr_assert(b && b->movable && !b->pins, "%s: a page of nobody moves", w->doing);
	cr_assert_eq(to->order, b->order);
	b->page = to;
	w->moved++;
}

static const struct mm_ops ops = {
	.access = on_access,
	.lock = on_lock,
	.unlock = on_unlock,
	.resched = on_resched,
	.sleep = on_sleep,
	.read = on_read,
	.read_ahead = on_read_ahead,
	.wake = on_wake,
	.write = on_write,
	.reclaimed = on_reclaimed,
	.moved = on_moved,
	.may_move = on_may_move,
};

struct world *world_begin(const struct machine *m, uint64_t seed, bool concurrent)
{
	struct world *w = calloc(1, sizeof(*w));

	cr_assert_not_null(w);
	w->machine = *m;
	w->rng = seed;
	w->concurrent = concurrent;
	w->mm = boot_with(m, &ops, w);
	cr_assert_leq(mm_nr_cpus(w->mm), WORLD_CPUS);
	mm_set_swap(w->mm, WORLD_SWAP);
	w->files[0] = mm_file_open(w->mm, "/data/a", false);
	w->files[1] = mm_file_open(w->mm, "/data/b", false);
	w->files[2] = mm_file_open(w->mm, "/dev/shm/c", true);
	return w;
}

static const struct kind {
	const char *name;
	void (*run)(struct world *w, int cpu);
	unsigned weight;
} kinds[] = {
	{"pages", world_pages, 40},    {"process", world_process, 25},
	{"slab", world_slab, 20},      {"files", world_files, 12},
	{"vmap", world_vmap, 10},      {"hotplug", world_hotplug, 6},
	{"threads", world_threads, 6}, {"moves", world_moves, 3},
	{"pool", world_pool, 3},       {"system", world_system, 3},
};

static const struct kind *any_kind(struct world *w)
{
	unsigned sum = 0;
	uint64_t at;
	size_t i = 0;

	for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++)
		sum += kinds[k].weight;
	for (at = world_below(w, sum); at >= kinds[i].weight; i++)
		at -= kinds[i].weight;
	return &kinds[i];
}

static int idle_cpu(struct world *w)
{
	int nr = mm_nr_cpus(w->mm), first = (int)world_below(w, (uint64_t)nr);

	for (int i = 0; i < nr; i++)
		if (!w->cpu_busy[(first + i) % nr])
			return (first + i) % nr;
	return MM_NO_CPU;
}

/* Memory is short all the time, but not so that nothing goes any more. */
static void relieve(struct world *w, int cpu)
{
	w->relieved = w->failed + 4;
	world_kill(w, cpu);
	world_free_some(w, cpu);
}

void world_step(struct world *w)
{
	static const struct kind relief = {.name = "relief", .run = relieve};
	const struct kind *kind = w->failed > w->relieved ? &relief : any_kind(w);
	int cpu = idle_cpu(w);

	if (cpu == MM_NO_CPU)
		return;
	w->cpu_busy[cpu] = true;
	w->others = w->depth++ ? w->others : OTHERS;
	w->doing = kind->name;
	kind->run(w, cpu);
	w->depth--;
	w->cpu_busy[cpu] = false;
	cr_assert(w->depth || !w->locks_held, "%s: a lock is left held", kind->name);
}

void world_verify(struct world *w, uint64_t operation)
{
	char where[80];

	snprintf(where, sizeof(where), "operation %lu, %s", (unsigned long)operation, w->doing);
	must_verify(w->mm, where);
	cr_assert_leq(mm_swap_free_pages(w->mm) + w->in_swap, WORLD_SWAP, "%s", where);
	for (size_t i = 0; i < WORLD_BLOCKS; i++) {
		const struct world_block *b = &w->blocks[i];

		cr_assert(!b->page || (b->page->refcount && b->page->order == b->order &&
				       !b->page->user && !b->page->slab && !b->busy),
			  "%s: a block is not what it was", where);
	}
}

/* Pages that neither are free nor belong to the slab caches, page tables or descriptors. */
static uint64_t pages_left(struct world *w)
{
	struct mm_vmalloc_info v;
	struct mm_slab_info cache;
	uint64_t left = 0;

	for (int cpu = 0; cpu < mm_nr_cpus(w->mm); cpu++)
		mm_lru_drain(w->mm, cpu);
	drain_all(w->mm);
	mm_vmalloc_info(w->mm, &v);
	for (int n = 0; n < mm_nr_nodes(w->mm); n++)
		for (int z = 0; z < mm_get_arch(w->mm)->nr_zones; z++)
			left += zone_info(w->mm, n, z).managed - zone_info(w->mm, n, z).free;
	for (unsigned i = 0; mm_slab_info(w->mm, i, &cache); i++)
		left -= cache.nr_pages;
	/* By sections it is from the buddy lists; else from memblock. */
	if (mm_get_model(w->mm) >= MM_SPARSE)
		left -= mm_page_ext_bytes(w->mm) >> mm_get_arch(w->mm)->page_shift;
	return left - v.tables;
}

void world_end(struct world *w)
{
	struct mm_range range;
	bool kmem;

	w->concurrent = false;
	w->doing = "the end";
	world_process_end(w);
	world_kernel_end(w);
	world_pages_end(w);
	world_threads_end(w);
	world_hotplug_end(w);
	must_verify(w->mm, "all given back");
	cr_expect_eq(mm_kmap_leaks(w->mm), 0);
	cr_expect_eq(mm_swap_free_pages(w->mm) + w->in_swap, WORLD_SWAP, "swap leaks");
	if (!mm_hotplug_range(w->mm, false, 0, &range, &kmem))
		cr_expect_eq(pages_left(w), 0, "%lu pages are left", pages_left(w));
	mm_destroy(w->mm);
	free(w);
}

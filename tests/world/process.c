/* SPDX-License-Identifier: Apache-2.0 */
/* Processes: fork, exec, exit, ranges of memory, of files and of the pool, faults, mlock, mbind. */
#include <criterion/criterion.h>
#include <errno.h>

#include "mm/alloc/pageblock.h"
#include "mm/mempolicy.h"
#include "world.h"

#define PAGE UINT64_C(4096)

static void note(struct world *w, int64_t err)
{
	bool full = err == -ENOSPC || err == -EIO; /* a tmpfs */

	cr_assert(err >= 0 || err == -ENOMEM || full, "%s: error %ld", w->doing, err);
	w->failed += err < 0;
}

/* What cannot be a huge page, or not just now, is no failure. */
static void note_advice(struct world *w, int err)
{
	note(w, err == -EINVAL || err == -EAGAIN ? 0 : err);
}

static void map(struct world *w, int cpu, struct world_space *s)
{
	struct world_range *range = &s->ranges[world_below(w, WORLD_RANGES)];
	struct mm_policy policy;
	struct mm_mmap_args args = {
		.bytes = (1 + world_below(w, world_one_in(w, 3) ? 1500 : 300)) * PAGE,
		.shared = world_one_in(w, 3),
		.advised = world_one_in(w, 2),
		.file = world_one_in(w, 3) ? w->files[world_below(w, WORLD_FILES)] : NULL,
		.policy = world_one_in(w, 4) ? &policy : NULL,
	};
	int err;

	if (range->pages)
		return;
	world_policy(w, &policy);
	if (world_one_in(w, 8)) {
		args.hugetlb = true;
		args.shared = false;
		args.file = NULL;
		args.bytes = (1 + world_below(w, 2)) * mm_pageblock_pages(w->mm) * PAGE;
	}
	err = mm_mmap(w->mm, cpu, s->space, &args, &range->at);
	note(w, err);
	if (!err)
		*range = (struct world_range){range->at, args.bytes / PAGE, args.hugetlb};
}

static struct world_range *any_range(struct world *w, struct world_space *s)
{
	struct world_range *range = &s->ranges[world_below(w, WORLD_RANGES)];

	return range->pages ? range : NULL;
}

static void touch(struct world *w, int cpu, struct world_space *s)
{
	struct world_range *range = any_range(w, s);
	uint64_t first, nr;
	bool write = !world_one_in(w, 3);

	if (!range)
		return;
	first = world_below(w, range->pages);
	nr = world_one_in(w, 4) ? range->pages : world_below(w, 20);
	for (uint64_t i = 0; i < nr; i++) {
		phys_addr_t at;
		int err = mm_user_access(w->mm, cpu, s->space,
					 range->at + (first + i) % range->pages * PAGE, write, &at);

		note(w, err == -EFAULT ? 0 : err); /* a hole of munmap() */
		w->faults += err > 0;
		if (err == -ENOMEM)
			break; /* a kernel would kill it */
	}
}

/* Whole huge pages of the pool, else any. */
static void part(struct world *w, const struct world_range *range, uint64_t *at, uint64_t *bytes)
{
	uint64_t unit = range->hugetlb ? mm_pageblock_pages(w->mm) : 1;
	uint64_t first = world_below(w, range->pages / unit);

	*at = range->at + first * unit * PAGE;
	*bytes = (1 + world_below(w, range->pages / unit - first)) * unit * PAGE;
}

static void change(struct world *w, int cpu, struct world_space *s)
{
	struct world_range *range = any_range(w, s);
	struct mm_policy policy;
	uint64_t at, bytes;

	if (!range)
		return;
	part(w, range, &at, &bytes);
	world_policy(w, &policy);
	switch (world_below(w, 9)) {
	case 0:
		note(w, mm_munmap(w->mm, cpu, s->space, at, bytes));
		break;
	case 1:
		note(w, mm_munmap(w->mm, cpu, s->space, range->at, range->pages * PAGE));
		range->pages = 0;
		break;
	case 2:
		if (bytes < 60 * PAGE)
			note(w, mm_mlock(w->mm, cpu, s->space, at, bytes, true));
		break;
	case 3:
		note(w, mm_mlock(w->mm, cpu, s->space, range->at, range->pages * PAGE, false));
		break;
	case 4:
		note(w, mm_mbind(w->mm, cpu, s->space, at, bytes,
				 world_one_in(w, 3) ? NULL : &policy, world_one_in(w, 2)));
		break;
	case 5:
		mm_space_set_policy(s->space, &policy);
		break;
	case 6:
		note_advice(w, mm_madvise(w->mm, cpu, s->space, at, bytes,
					  world_one_in(w, 2) ? MM_ADVICE_HUGEPAGE
							     : MM_ADVICE_NOHUGEPAGE));
		break;
	case 7:
		note_advice(w, mm_madvise(w->mm, cpu, s->space, range->at, range->pages * PAGE,
					  MM_ADVICE_COLLAPSE));
		break;
	default:
		note(w, mm_space_migrate(w->mm, cpu, s->space, world_node(w)));
	}
}

static void forget(struct world_space *s)
{
	for (int i = 0; i < WORLD_RANGES; i++)
		s->ranges[i].pages = 0;
}

static void fork_one(struct world *w, int cpu, struct world_space *child,
		     struct world_space *parent)
{
	int err;

	parent->busy = true;
	err = mm_space_fork(w->mm, cpu, parent->space, "child", &child->space);
	parent->busy = false;
	note(w, err);
	if (err)
		child->space = NULL;
	for (int i = 0; i < WORLD_RANGES && !err; i++)
		if (!parent->ranges[i].hugetlb)
			child->ranges[i] = parent->ranges[i];
}

static void live(struct world *w, int cpu, struct world_space *s)
{
	struct world_space *other = &w->spaces[world_below(w, WORLD_SPACES)];
	struct mm_policy policy;
	int err = 0;

	if (!s->space && other->space && !other->users && !other->busy) {
		fork_one(w, cpu, s, other);
	} else if (!s->space) {
		world_policy(w, &policy);
		err = mm_space_new(w->mm, cpu, "new", world_one_in(w, 2) ? &policy : NULL,
				   &s->space);
		note(w, err);
		if (err)
			s->space = NULL;
	} else if (world_one_in(w, 3)) {
		err = mm_space_exec(w->mm, cpu, s->space);
		note(w, err);
		if (!err)
			forget(s);
	} else {
		mm_space_exit(w->mm, cpu, s->space);
		s->space = NULL;
		forget(s);
	}
}

static void look(struct world *w, const struct world_space *s)
{
	struct mm_space_info info;
	char line[512];
	uint64_t nodes[MACHINE_NODES];

	mm_space_info(w->mm, s->space, &info);
	mm_space_nodes(w->mm, s->space, nodes);
	for (unsigned i = 0; mm_numa_maps_line(w->mm, s->space, i, line, sizeof(line)); i++)
		cr_assert(line[0]);
}

void world_process(struct world *w, int cpu)
{
	struct world_space *s = &w->spaces[world_below(w, WORLD_SPACES)];
	uint64_t what = world_below(w, 30);

	if (s->busy)
		return;
	if (s->space && what >= 16) {
		s->users++;
		mm_space_run(w->mm, cpu, s->space);
		touch(w, cpu, s);
		s->users--;
		return;
	}
	if (s->users)
		return;
	s->busy = true;
	if (!s->space || what == 1)
		live(w, cpu, s);
	else if (what < 8)
		map(w, cpu, s);
	else if (what < 15)
		change(w, cpu, s);
	else
		look(w, s);
	s->busy = false;
}

void world_files(struct world *w, int cpu)
{
	struct world_space *s = &w->spaces[world_below(w, WORLD_SPACES)];
	struct mm_file *file = w->files[world_below(w, WORLD_FILES)];
	bool write = world_one_in(w, 2), whole = write && world_one_in(w, 2);
	phys_addr_t at;

	if (w->nr_reads && world_one_in(w, 4))
		world_read_done(w, cpu);
	if (world_one_in(w, 40)) {
		mm_file_drop(w->mm, cpu, file);
		return;
	}
	if (!s->space || s->busy)
		return;
	s->users++;
	note(w, mm_file_access(w->mm, cpu, s->space, file, world_below(w, 800),
			       (unsigned)world_below(w, 16), write, whole, &at));
	if (world_one_in(w, 2))
		mm_file_used(w->mm, cpu, file, world_below(w, 800));
	s->users--;
}

void world_kill(struct world *w, int cpu)
{
	struct world_space *s = &w->spaces[world_below(w, WORLD_SPACES)];

	if (!s->space || s->busy || s->users)
		return;
	s->busy = true;
	mm_space_exit(w->mm, cpu, s->space);
	s->space = NULL;
	forget(s);
	s->busy = false;
}

void world_process_end(struct world *w)
{
	for (int s = 0; s < WORLD_SPACES; s++)
		if (w->spaces[s].space)
			mm_space_exit(w->mm, 0, w->spaces[s].space);
	for (int i = 0; i < WORLD_FILES; i++)
		mm_file_drop(w->mm, 0, w->files[i]);
}

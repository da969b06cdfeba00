/* SPDX-License-Identifier: Apache-2.0 */
/*
 * numa_maps, line by line as a real kernel has it (tests/reference/numa_maps-6.1.txt): the same
 * mappings, loads and stores as of the program whose lines they are
 * (tools/oracle.d/workloads/mappings.c), with what that kernel read ahead and mapped around. But
 * fork() leaves the pool to the parent here.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "../mm_fixture.h"
#include "mm/page.h"
#include "mm/user/user.h"

#define PAGE     UINT64_C(4096)
#define HUGE     512 /* pages */
#define MAPPINGS 32

static const struct machine machine = {
	.model = MM_SPARSE_VMEMMAP,
	.memory = {{0, 64 * MiB, 0}, {64 * MiB, 64 * MiB, 1}},
	.cpus = {1, 1},
	.hugepages = 4,
};

struct bench {
	struct mm *mm;
	struct mm_space *space, *child;
	const char *names[MAPPINGS];
	uint64_t at[MAPPINGS], pages[MAPPINGS];
	unsigned nr;
};

static uint64_t map(struct bench *b, const char *name, uint64_t pages, struct mm_mmap_args args)
{
	args.bytes = pages * PAGE;
	cr_assert_eq(mm_mmap(b->mm, 0, b->space, &args, &b->at[b->nr]), 0, "%s", name);
	b->names[b->nr] = name;
	b->pages[b->nr] = pages;
	return b->at[b->nr++];
}

static void use(struct bench *b, struct mm_space *space, uint64_t at, uint64_t pages, bool store)
{
	phys_addr_t where;

	for (uint64_t i = 0; i < pages; i++)
		cr_assert_geq(mm_user_access(b->mm, 0, space, at + i * PAGE, store, &where), 0);
}

static void by_policy(struct bench *b, const char *name, enum mm_policy_mode mode, uint64_t nodes,
		      uint64_t pages)
{
	struct mm_policy policy = {
		.mode = (uint8_t)mode, .home_nid = MM_NO_NODE, .nodes = {.bits = {nodes}}};

	use(b, b->space, map(b, name, pages + pages % 2, (struct mm_mmap_args){.policy = &policy}),
	    pages, true);
}

static void huge(struct bench *b)
{
	const struct mm_mmap_args advised = {.advised = true};
	uint64_t at;

	use(b, b->space, map(b, "thp", 2 * HUGE, advised), 2 * HUGE, true);
	at = map(b, "thp_read", 2 * HUGE, advised);
	use(b, b->space, at, 1, false);
	use(b, b->space, at + HUGE * PAGE, 1, true);
	at = map(b, "thp_split", 2 * HUGE, advised);
	use(b, b->space, at, 2 * HUGE, true);
	cr_assert_eq(mm_munmap(b->mm, 0, b->space, at + HUGE * PAGE, HUGE / 2 * PAGE), 0);
	at = map(b, "pool", 2 * HUGE, (struct mm_mmap_args){.hugetlb = true});
	use(b, b->space, at, 1, true);
}

/* On a disk, of which nothing is in memory. */
static void disk_files(struct bench *b)
{
	struct mm_file *file = mm_file_open(b->mm, "/run/disk/file", false);
	uint64_t at;

	mm_file_extend(file, 64);
	at = map(b, "file_private", 64, (struct mm_mmap_args){.file = file});
	use(b, b->space, at, 20, false);
	use(b, b->space, at, 5, true);
	at = map(b, "file_shared", 64, (struct mm_mmap_args){.shared = true, .file = file});
	use(b, b->space, at, 12, false);
	use(b, b->space, at, 7, true);
}

/*
 * Written by somebody on the other CPU before, and then drop_caches was written: of what is dirty
 * that only says that it is to be reclaimed soon, by the bit that marks windows of readahead.
 */
static struct mm_file *written_tmpfs(struct bench *b)
{
	struct mm_file *file = mm_file_open(b->mm, "/run/file", true);
	phys_addr_t where;

	for (uint64_t i = 0; i < 64; i++) {
		cr_assert_geq(mm_file_access(b->mm, 1, b->space, file, i, 0, true, true, &where),
			      0);
		mm_pfn_to_page(b->mm, MM_NO_CPU, where / PAGE)->flags |= PG_RECLAIM;
	}
	return file;
}

static void files(struct bench *b)
{
	struct mm_file *file = written_tmpfs(b);
	uint64_t at;

	disk_files(b);
	at = map(b, "tmpfs_shared", 64, (struct mm_mmap_args){.shared = true, .file = file});
	use(b, b->space, at, 10, true);
	use(b, b->space, at + 10 * PAGE, 6, false);
	at = map(b, "tmpfs_private", 64, (struct mm_mmap_args){.file = file});
	use(b, b->space, at, 4, false);
	use(b, b->space, at, 3, true);
	at = map(b, "shared", 16, (struct mm_mmap_args){.shared = true});
	use(b, b->space, at, 12, true);
}

static void set_up(struct bench *b)
{
	const struct mm_mmap_args anonymous = {.file = NULL};
	uint64_t at;

	b->mm = boot(&machine);
	b->mm->params.thp = MM_THP_MADVISE;
	cr_assert_eq(mm_space_new(b->mm, 0, "mappings", NULL, &b->space), 0);
	use(b, b->space, map(b, "stores", 64, anonymous), 64, true);
	at = map(b, "loads", 64, anonymous);
	use(b, b->space, at, 32, false);
	use(b, b->space, at, 16, true);
	map(b, "nothing", 8, anonymous);
	at = map(b, "locked", 16, anonymous);
	cr_assert_eq(mm_mlock(b->mm, 0, b->space, at, 16 * PAGE, true), 0);
	by_policy(b, "bind", MM_POLICY_BIND, 2, 40);
	by_policy(b, "interleave", MM_POLICY_INTERLEAVE, 3, 41);
	by_policy(b, "preferred", MM_POLICY_PREFERRED, 2, 8);
	by_policy(b, "local", MM_POLICY_LOCAL, 0, 8);
	by_policy(b, "many", MM_POLICY_PREFERRED_MANY, 3, 8);
	huge(b);
	files(b);
	at = map(b, "forked", 32, anonymous);
	use(b, b->space, at, 10, true);
	cr_assert_eq(mm_space_fork(b->mm, 0, b->space, "child", &b->child), 0);
	use(b, b->child, at, 3, true);
}

/* The smallest that has the address: where part of one is unmapped, others may be. */
static const char *mapping_at(const struct bench *b, uint64_t at)
{
	unsigned found = b->nr;

	for (unsigned m = 0; m < b->nr; m++)
		if (at >= b->at[m] && at < b->at[m] + b->pages[m] * PAGE &&
		    (found == b->nr || b->pages[m] < b->pages[found]))
			found = m;
	return found < b->nr ? b->names[found] : "";
}

/* The `nth` line of a mapping, without its address. */
static bool line_of(const struct bench *b, const char *name, unsigned nth, char *text, size_t size)
{
	char line[512], *rest;

	for (unsigned i = 0; mm_numa_maps_line(b->mm, b->space, i, line, sizeof(line)); i++) {
		uint64_t at = strtoull(line, &rest, 16);

		if (!strcmp(mapping_at(b, at), name) && !nth--) {
			snprintf(text, size, "%s", rest);
			return true;
		}
	}
	return false;
}

static void take_out(char *line, const char *word)
{
	char *at = strstr(line, word);

	cr_assert_not_null(at);
	memmove(at, at + strlen(word), strlen(at + strlen(word)) + 1);
}

Test(numa_maps, lines_are_those_of_a_kernel)
{
	FILE *f = fopen(SOURCE_DIR "/tests/reference/numa_maps-6.1.txt", "r");
	static struct bench b;
	char line[512], name[64], last[64] = "", ours[512];
	unsigned nth = 0, same = 0;
	int skip;

	cr_assert_not_null(f);
	set_up(&b);
	while (fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = 0;
		if (line[0] == '#')
			continue;
		cr_assert_eq(sscanf(line, "%63s%n", name, &skip), 1);
		nth = strcmp(name, last) ? 0 : nth + 1;
		strcpy(last, name);
		cr_assert(line_of(&b, name, nth, ours, sizeof(ours)), "%s: no such line", name);
		if (!strcmp(name, "pool"))
			take_out(line, " mapmax=2");
		cr_expect_str_eq(ours, line + skip, "%s\n  here  %s\n  there %s", name, ours,
				 line + skip);
		same++;
	}
	cr_expect_eq(same, 20);
	fclose(f);
	must_verify(b.mm, "at the end");
	mm_destroy(b.mm);
}

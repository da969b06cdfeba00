/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mappings FILE TMPFS: maps memory in each of the ways that tests/unit/mm_numa_maps.c does with the
 * mm core, and prints the lines that /proc/self/numa_maps has of it, each begun with its name
 * instead of the address. FILE is on a disk, TMPFS on a tmpfs; both have 64 pages. Nodes 0 and 1
 * have memory.
 */
#include "memory.h"

#include <fcntl.h>
#include <signal.h>

#define BASE 0x100000000ul
#define STEP 0x1000000ul /* from one mapping to the next */
#define HUGE (512 * PAGE)

enum { PREFERRED = 1, BIND, INTERLEAVE, LOCAL, PREFERRED_MANY };

static const char *names[64];
static unsigned nr;

static char *map_at(const char *name, size_t pages, int flags, int fd)
{
	char *at = mmap((void *)(BASE + STEP * nr), pages * PAGE, PROT_READ | PROT_WRITE,
			flags | MAP_FIXED_NOREPLACE, fd, 0);

	if (at == MAP_FAILED) {
		perror(name);
		exit(1);
	}
	names[nr++] = name;
	return at;
}

static char *anon(const char *name, size_t pages)
{
	return map_at(name, pages, MAP_PRIVATE | MAP_ANONYMOUS, -1);
}

static void store(char *at, size_t first, size_t pages)
{
	for (size_t i = first; i < first + pages; i++)
		((volatile char *)at)[i * PAGE] = 1;
}

static void load(char *at, size_t first, size_t pages)
{
	for (size_t i = first; i < first + pages; i++)
		(void)((volatile char *)at)[i * PAGE];
}

static void by_policy(const char *name, int mode, unsigned long mask, size_t pages)
{
	char *at = anon(name, pages);

	if (syscall(SYS_mbind, at, pages * PAGE, mode, mask ? &mask : NULL, mask ? 64 : 0, 0))
		perror(name);
	store(at, 0, pages);
}

static void policies(void)
{
	by_policy("bind", BIND, 2, 40);
	by_policy("interleave", INTERLEAVE, 3, 41);
	by_policy("preferred", PREFERRED, 2, 8);
	by_policy("local", LOCAL, 0, 8);
	by_policy("many", PREFERRED_MANY, 3, 8);
}

static void huge(void)
{
	char *at = anon("thp", 1024);

	madvise(at, 2 * HUGE, MADV_HUGEPAGE);
	store(at, 0, 1024);
	at = anon("thp_read", 1024);
	madvise(at, 2 * HUGE, MADV_HUGEPAGE);
	load(at, 0, 1);
	store(at, 512, 1);
	at = anon("thp_split", 1024);
	madvise(at, 2 * HUGE, MADV_HUGEPAGE);
	store(at, 0, 1024);
	munmap(at + HUGE, HUGE / 2);
	at = map_at("pool", 1024, MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1);
	store(at, 0, 1);
}

static void files(const char *disk, const char *tmpfs)
{
	int on_disk = open(disk, O_RDWR), in_memory = open(tmpfs, O_RDWR);
	char *at = map_at("file_private", 64, MAP_PRIVATE, on_disk);

	load(at, 0, 20);
	store(at, 0, 5);
	at = map_at("file_shared", 64, MAP_SHARED, on_disk);
	load(at, 0, 12);
	store(at, 0, 7);
	at = map_at("tmpfs_shared", 64, MAP_SHARED, in_memory);
	store(at, 0, 10);
	load(at, 10, 6);
	at = map_at("tmpfs_private", 64, MAP_PRIVATE, in_memory);
	load(at, 0, 4);
	store(at, 0, 3);
	at = map_at("shared", 16, MAP_SHARED | MAP_ANONYMOUS, -1);
	store(at, 0, 12);
}

/* In the order of their addresses, as numa_maps has them. A range cut in two has two lines. */
static void print(void)
{
	FILE *f = fopen("/proc/self/numa_maps", "r");
	char line[1024];

	while (f && fgets(line, sizeof(line), f)) {
		char *rest;
		unsigned long at = strtoul(line, &rest, 16);

		if (at >= BASE && at < BASE + nr * STEP)
			printf("numa_maps %s%s", names[(at - BASE) / STEP], rest);
	}
}

int main(int argc, char **argv)
{
	char *at;
	int ready[2];
	pid_t child;
	char c;

	if (argc != 3 || pipe(ready))
		return 2;
	run_on(0);
	store(anon("stores", 64), 0, 64);
	at = anon("loads", 64);
	load(at, 0, 32);
	store(at, 0, 16);
	anon("nothing", 8);
	at = anon("locked", 16);
	mlock(at, 16 * PAGE);
	policies();
	huge();
	files(argv[1], argv[2]);
	at = anon("forked", 32);
	store(at, 0, 10);
	child = fork();
	if (!child) {
		store(at, 0, 3);
		(void)!write(ready[1], "x", 1);
		pause();
	}
	(void)!read(ready[0], &c, 1);
	print();
	kill(child, SIGTERM);
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Slab layouts of all captures: on a machine with as many CPUs and nodes, the caches of the kernel
 * profile come out as the real kernel's did: size, objects and pages a slab. Those that every
 * machine has are made, so that none of them is merged into another by mistake.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mm/slab/slab.h"
#include "sim/machine/profile.h"

#define FILE_NAME  "tests/reference/slabs.txt"
#define MAX_ROWS   256
#define MAX_TABLES 32

struct row {
	char name[40];
	unsigned size, objects, pages;
};

struct table {
	char profile[40], captures[2048];
	int cpus, nodes;
	struct row rows[MAX_ROWS];
	unsigned nr;
};

static struct table tables[MAX_TABLES];
static unsigned nr_tables;

static struct row *find(struct table *t, const char *name)
{
	for (unsigned i = 0; i < t->nr; i++)
		if (!strcmp(t->rows[i].name, name))
			return &t->rows[i];
	return NULL;
}

static void take_out(struct table *t, const char *name)
{
	struct row *row = find(t, name);

	cr_assert(row, "%s is not in the base", name);
	*row = t->rows[--t->nr];
}

static void put_in(struct table *t, const char *line)
{
	struct row row, *old;

	cr_assert_eq(sscanf(line, "%39s %u %u %u", row.name, &row.size, &row.objects, &row.pages),
		     4, "%s", line);
	old = find(t, row.name);
	cr_assert(old || t->nr < MAX_ROWS);
	*(old ? old : &t->rows[t->nr++]) = row;
}

static void read_line(const char *line)
{
	struct table *t = nr_tables ? &tables[nr_tables - 1] : NULL;
	unsigned base;

	if (*line == '#')
		return;
	if (!strncmp(line, "machine ", 8)) {
		cr_assert_lt(nr_tables, MAX_TABLES);
		t = &tables[nr_tables++];
		cr_assert_eq(sscanf(line, "machine %39s %d %d", t->profile, &t->cpus, &t->nodes),
			     3);
	} else if (!strncmp(line, "capture ", 8)) {
		snprintf(t->captures, sizeof(t->captures), "%s", line + 8);
	} else if (sscanf(line, "base %u", &base) == 1) {
		memcpy(t->rows, tables[base].rows, sizeof(t->rows));
		t->nr = tables[base].nr;
	} else if (!strncmp(line, "- ", 2)) {
		take_out(t, line + 2);
	} else {
		put_in(t, line);
	}
}

static void read_tables(void)
{
	char line[2048];
	FILE *f;

	f = fopen(SOURCE_DIR "/" FILE_NAME, "r");
	cr_assert(f);
	while (fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = '\0';
		read_line(line);
	}
	fclose(f);
	cr_assert_gt(nr_tables, 10);
}

/* 64 MiB a node; where that is does not matter here. */
static struct mm *boot_like(const struct table *t, const struct kernel_profile *profile)
{
	struct mm_range memory[64];
	uint8_t distance[64 * 64];
	int cpu_nid[64];
	struct mm_config c = {.arch = profile->arch,
			      .model = t->nodes > 1 ? MM_SPARSE_VMEMMAP : MM_FLAT,
			      .nr_nodes = t->nodes,
			      .nr_cpus = t->cpus,
			      .cpu_nid = cpu_nid,
			      .distance = distance,
			      .memory = memory,
			      .nr_memory = (size_t)t->nodes,
			      .params = mm_params_default(),
			      .profile = &profile->mm,
			      .bare = true};
	struct mm_refusal refusal;
	struct mm *mm;

	for (int n = 0; n < t->nodes; n++) {
		memory[n] = (struct mm_range){(phys_addr_t)n << 26, UINT64_C(1) << 26, n};
		for (int m = 0; m < t->nodes; m++)
			distance[n * t->nodes + m] = n == m ? 10 : 20;
	}
	for (int cpu = 0; cpu < t->cpus; cpu++)
		cpu_nid[cpu] = cpu % t->nodes;
	cr_assert_eq(mm_boot(&c, NULL, NULL, &mm, &refusal), 0, "%s", refusal.why);
	cr_assert_eq(mm_slab_start(mm), 0);
	return mm;
}

static bool made(const struct mm *mm, const char *name, struct mm_slab_layout *l)
{
	struct mm_slab_info info;

	for (unsigned i = 0; mm_slab_info(mm, i, &info); i++)
		if (!strcmp(info.name, name)) {
			*l = info.layout;
			return true;
		}
	return false;
}

static bool optional(const struct kernel_profile *profile, const char *name)
{
	for (unsigned i = 0; i < profile->mm.nr_caches; i++)
		if (!strcmp(profile->mm.caches[i].name, name))
			return profile->mm.caches[i].optional;
	return false;
}

static bool planned(const struct mm *mm, const char *name, struct mm_slab_layout *l)
{
	char other[MM_SLAB_NAME];

	for (unsigned i = 0; mm_slab_boot_cache(mm, i, other, l); i++)
		if (!strcmp(other, name))
			return true;
	return false;
}

static unsigned compare(const struct table *t, const struct mm *mm,
			const struct kernel_profile *profile)
{
	unsigned equal = 0;

	for (unsigned i = 0; i < t->nr; i++) {
		const struct row *row = &t->rows[i];
		struct mm_slab_layout l;
		bool found = optional(profile, row->name) ? planned(mm, row->name, &l)
							  : made(mm, row->name, &l);

		if (!found)
			printf("%s: there is no cache %s\n", t->captures, row->name);
		else if (l.size != row->size || l.objects != row->objects ||
			 1u << l.order != row->pages)
			printf("%s: %s has %u %u %u, not %u %u %u\n", t->captures, row->name,
			       l.size, l.objects, 1u << l.order, row->size, row->objects,
			       row->pages);
		else
			equal++;
	}
	return equal;
}

Test(slab_reference, layouts_of_all_captures_are_equal)
{
	unsigned equal = 0, all = 0;

	read_tables();
	for (unsigned i = 0; i < nr_tables; i++) {
		char *path = kernel_profile_path(tables[i].profile, "");
		struct diag d = DIAG_INIT;
		struct kernel_profile profile;
		struct mm *mm;

		cr_assert(path);
		cr_assert_eq(kernel_profile_load(path, &d, &profile), 0, "%s", d.error.text);
		mm = boot_like(&tables[i], &profile);
		equal += compare(&tables[i], mm, &profile);
		all += tables[i].nr;
		mm_destroy(mm);
		kernel_profile_clear(&profile);
		diag_clear(&d);
		free(path);
	}
	printf("slab layouts: %u of %u caches equal\n", equal, all);
	cr_assert_eq(equal, all);
}

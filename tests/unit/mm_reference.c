/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Boots the machines whose boot was captured, from the memory that they had and what memblock had
 * taken of it, and compares every figure that their kernels showed: zones, watermarks,
 * lowmem_reserve, per-CPU lists, min_free_kbytes, zonelists, the layout of page->flags; one machine
 * again after each of a series of sysctls. Prints `N of M figures equal`.
 */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "../reference/reference.h"

struct score {
	const char *name; /* of the machine */
	unsigned equal, all;
};

__attribute__((format(printf, 4, 5))) static void compare(struct score *s, uint64_t is,
							  uint64_t want, const char *fmt, ...)
{
	char what[128];
	va_list args;

	s->all++;
	s->equal += is == want;
	if (is == want)
		return;
	va_start(args, fmt);
	vsnprintf(what, sizeof(what), fmt, args);
	va_end(args);
	printf("%s: %s is %" PRIu64 ", not %" PRIu64 "\n", s->name, what, is, want);
}

static void compare_text(struct score *s, const char *what, const char *is, const char *want)
{
	s->all++;
	s->equal += strcmp(is, want) == 0;
	if (strcmp(is, want) != 0)
		printf("%s: %s is\n  %s, not\n  %s\n", s->name, what, is, want);
}

static void print_score(const struct score *s)
{
	printf("%s: %u of %u figures equal\n", s->name, s->equal, s->all);
}

#define SAME(field)                                                                                \
	compare(s, (uint64_t)info.field, (uint64_t)z->field, "node %d %s: " #field, z->nid, z->name)

static void compare_zone(struct score *s, const struct mm *mm, const struct reference_zone *z)
{
	int index = mm_arch_zone_by_name(mm_get_arch(mm), z->name);
	struct mm_zone_info info = zone_info(mm, z->nid, index);

	SAME(start_pfn);
	SAME(spanned);
	SAME(present);
	SAME(managed);
	SAME(min);
	SAME(low);
	SAME(high);
	SAME(pcp_high);
	SAME(pcp_batch);
	SAME(stat_threshold);
	for (int i = 0; i < mm_get_arch(mm)->nr_zones; i++)
		compare(s, info.protection[i], z->protection[i], "node %d %s: protection[%d]",
			z->nid, z->name, i);
}

static void compare_flags(struct score *s, const struct mm *mm, const unsigned *want)
{
	struct mm_flags_layout l;

	mm_flags_layout(mm, &l);
	const unsigned is[NR_REFERENCE_FLAGS] = {
		l.section_width, l.node_width, l.zone_width, l.last_cpupid_width,
		l.section_shift, l.node_shift, l.zone_shift, l.last_cpupid_shift};

	for (int i = 0; i < NR_REFERENCE_FLAGS; i++)
		compare(s, is[i], want[i], "page->flags: %s of field %d", i < 4 ? "width" : "shift",
			i % 4);
}

/* The part of "A=...; B=...; ..." (or "A: ...") that is about `key`, in text[]; "" for none. */
static void cut_entry(const char *list, const char *key, char *text, size_t size)
{
	size_t len = strlen(key);

	text[0] = '\0';
	for (const char *p = list; p; p = strstr(p, "; "), p = p ? p + 2 : NULL)
		if (!strncmp(p, key, len)) {
			snprintf(text, size, "%.*s", (int)(strcspn(p + len, ";")), p + len);
			return;
		}
}

/* A node comes first in its own order even where it has no memory. */
static void compare_order(struct score *s, const struct mm *mm, int nid, const char *all)
{
	int order[MACHINE_NODES], nr = mm_node_order(mm, nid, order);
	char is[256] = "", want[256], key[16];
	size_t len = 0;

	snprintf(key, sizeof(key), "%d: ", nid);
	cut_entry(all, key, want, sizeof(want));
	if (nr == 0 || order[0] != nid)
		len += (size_t)snprintf(is, sizeof(is), "%d", nid);
	for (int i = 0; i < nr; i++)
		len += (size_t)snprintf(is + len, sizeof(is) - len, "%s%d", len ? " " : "",
					order[i]);
	compare_text(s, "fallback order", is, want);
}

static void compare_list(struct score *s, const struct mm *mm, int nid, int zone, bool this_node,
			 const char *all)
{
	const struct mm_arch *arch = mm_get_arch(mm);
	struct mm_zoneref refs[MACHINE_NODES * MM_MAX_ZONES];
	size_t nr = mm_zonelist(mm, nid, this_node, refs, sizeof(refs) / sizeof(refs[0])), len = 0;
	char is[2048] = "", want[2048], key[32];

	snprintf(key, sizeof(key), "%d:%s=", nid, arch->zones[zone].name);
	cut_entry(all, key, want, sizeof(want));
	for (size_t i = 0; i < nr; i++)
		if (refs[i].zone <= zone)
			len += (size_t)snprintf(is + len, sizeof(is) - len, "%s%d:%s",
						len ? " " : "", refs[i].nid,
						arch->zones[refs[i].zone].name);
	compare_text(s, this_node ? "thisnode zonelist" : "general zonelist", is, want);
}

/* A kernel without NUMA says nothing of orders, nor of lists of one node only. */
static void compare_lists(struct score *s, const struct mm *mm, const struct reference_shape *shape)
{
	for (int n = 0; n < mm_nr_nodes(mm); n++) {
		if (shape->fallback[0])
			compare_order(s, mm, n, shape->fallback);
		for (int z = 0; z < mm_get_arch(mm)->nr_zones; z++) {
			if (!zone_info(mm, n, z).present)
				continue;
			compare_list(s, mm, n, z, false, shape->general);
			if (shape->thisnode[0])
				compare_list(s, mm, n, z, true, shape->thisnode);
		}
	}
}

static void compare_shape(struct score *s, const struct reference_shape *shape)
{
	struct mm *mm = boot(&shape->machine);

	for (const struct reference_zone *z = shape->zones; z->name; z++)
		compare_zone(s, mm, z);
	compare(s, mm_min_free_kbytes(mm), shape->min_free_kbytes, "min_free_kbytes");
	compare_lists(s, mm, shape);
	compare_flags(s, mm, shape->flags);
	mm_destroy(mm);
}

Test(reference, every_figure_is_that_of_the_captured_boot)
{
	struct score all = {.name = "all machines"};

	for (size_t i = 0; i < NR_REFERENCE_SHAPES; i++) {
		struct score s = {.name = reference_shapes[i].name};

		compare_shape(&s, &reference_shapes[i]);
		print_score(&s);
		all.equal += s.equal;
		all.all += s.all;
	}
	print_score(&all);
	cr_assert_geq(all.all, 3366, "where are the captures?");
	cr_assert_eq(all.equal, all.all);
}

static const struct reference_shape *find_shape(const char *name)
{
	for (size_t i = 0; i < NR_REFERENCE_SHAPES; i++)
		if (!strcmp(reference_shapes[i].name, name))
			return &reference_shapes[i];
	return NULL;
}

static void must_do(struct mm *mm, const char *key, const char *value)
{
	struct mm_refusal refusal;

	cr_assert_eq(mm_sysctl(mm, key, value, &refusal), 0, "%s: %s", key, refusal.why);
}

/* From values at one end of what is possible to those at the other; all on one boot, in order. */
Test(reference, every_figure_is_that_after_a_sysctl)
{
	struct mm *mm = boot(&find_shape(REFERENCE_STEPS_OF)->machine);
	struct score s = {.name = REFERENCE_STEPS_OF ", steps"};

	must_do(mm, "lowmem_reserve_ratio", NULL);
	for (size_t i = 0; i < NR_REFERENCE_STEPS; i++) {
		const struct reference_step *step = &reference_steps[i];
		struct score one = {.name = step->name};

		must_do(mm, step->key, step->value);
		for (const struct reference_zone *z = step->zones; z->name; z++)
			compare_zone(&one, mm, z);
		compare(&one, mm_min_free_kbytes(mm), step->min_free_kbytes, "min_free_kbytes");
		s.equal += one.equal;
		s.all += one.all;
	}
	print_score(&s);
	cr_assert_geq(s.all, 1976, "where are the steps?");
	cr_assert_eq(s.equal, s.all);
	mm_destroy(mm);
}

static bool holds(const struct machine *m, enum mm_holds what, phys_addr_t at)
{
	for (const struct mm_reservation *r = m->reserved; r->bytes; r++)
		if (r->holds == what && at >= r->start && at - r->start < r->bytes)
			return true;
	return false;
}

/* Of i386's node descriptor the dump says nothing: it is in the kernel's image. */
Test(reference, homes_are_those_of_the_captured_boot)
{
	for (size_t i = 0; i < NR_REFERENCE_SHAPES; i++) {
		const struct machine *m = &reference_shapes[i].machine;
		const char *name = reference_shapes[i].name;
		struct mm *mm;

		if (!m->reservations_complete)
			continue;
		mm = boot(m);
		for (const struct mm_range *r = m->memory; r->bytes; r++)
			for (phys_addr_t at = r->start; at < r->start + r->bytes; at += 2 * MiB)
				cr_assert(
					holds(m, MM_HOLDS_MEMMAP,
					      mm->model->descriptor_at(
						      mm, mm_pfn_to_page(mm, MM_NO_CPU, at / 4096),
						      NULL)),
					"%s: the descriptor for 0x%lx", name, at);
		for (int cpu = 0; cpu < mm->nr_cpus; cpu++)
			cr_expect(holds(m, MM_HOLDS_PER_CPU, mm->percpu_at[cpu]), "%s: CPU %d",
				  name, cpu);
		for (int n = 0; n < mm->nr_nodes && m->arch != MM_I386; n++)
			cr_expect(holds(m, MM_HOLDS_NODE_DESCRIPTOR, mm->nodes[n].at),
				  "%s: node %d", name, n);
		mm_destroy(mm);
	}
}

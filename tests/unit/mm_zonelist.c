/* SPDX-License-Identifier: Apache-2.0 */
/* In which order nodes and zones are asked: against the boot messages of real kernels. */
#include <criterion/criterion.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../reference/reference.h"

struct text {
	char s[8192];
	size_t len;
};

__attribute__((format(printf, 2, 3))) static void add(struct text *t, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	t->len += (size_t)vsnprintf(t->s + t->len, sizeof(t->s) - t->len, fmt, args);
	va_end(args);
	cr_assert_lt(t->len, sizeof(t->s));
}

/* "0: 0 1; 1: 1 0", as the kernel's "Fallback order for Node" lines; they begin with the node
 * itself even where it has no memory. */
static void write_orders(const struct mm *mm, struct text *t)
{
	int order[MACHINE_NODES];

	for (int n = 0; n < mm_nr_nodes(mm); n++) {
		int nr = mm_node_order(mm, n, order);

		add(t, "%s%d:", n ? "; " : "", n);
		if (nr == 0 || order[0] != n)
			add(t, " %d", n);
		for (int i = 0; i < nr; i++)
			add(t, " %d", order[i]);
	}
}

/* As the kernel's "mminit::zonelist" lines: for each zone with memory, what a request up to it
 * looks at. */
static void write_lists(const struct mm *mm, bool this_node_only, struct text *t)
{
	const struct mm_arch *arch = mm_get_arch(mm);
	struct mm_zoneref refs[MACHINE_NODES * MM_MAX_ZONES];

	for (int n = 0; n < mm_nr_nodes(mm); n++)
		for (int z = 0; z < arch->nr_zones; z++) {
			size_t nr = mm_zonelist(mm, n, this_node_only, refs,
						sizeof(refs) / sizeof(refs[0]));

			if (!zone_info(mm, n, z).present)
				continue;
			add(t, "%s%d:%s=", t->len ? "; " : "", n, arch->zones[z].name);
			for (size_t i = 0, listed = 0; i < nr; i++)
				if (refs[i].zone <= z)
					add(t, "%s%d:%s", listed++ ? " " : "", refs[i].nid,
					    arch->zones[refs[i].zone].name);
		}
}

Test(zonelist, node_orders_are_those_of_captures)
{
	for (size_t i = 0; i < NR_REFERENCE_SHAPES; i++) {
		const struct reference_shape *shape = &reference_shapes[i];
		struct mm *mm = boot(&shape->machine);
		struct text t = {.len = 0};

		write_orders(mm, &t);
		/* A kernel without NUMA prints none. */
		if (shape->fallback[0])
			cr_expect_str_eq(t.s, shape->fallback, "%s: %s, not %s", shape->name, t.s,
					 shape->fallback);
		mm_destroy(mm);
	}
}

Test(zonelist, lists_are_those_of_captures)
{
	for (size_t i = 0; i < NR_REFERENCE_SHAPES; i++) {
		const struct reference_shape *shape = &reference_shapes[i];
		struct mm *mm = boot(&shape->machine);
		struct text general = {.len = 0}, thisnode = {.len = 0};

		write_lists(mm, false, &general);
		write_lists(mm, true, &thisnode);
		cr_expect_str_eq(general.s, shape->general, "%s: %s, not %s", shape->name,
				 general.s, shape->general);
		/* A kernel without NUMA has none. */
		if (shape->thisnode[0])
			cr_expect_str_eq(thisnode.s, shape->thisnode, "%s: %s, not %s", shape->name,
					 thisnode.s, shape->thisnode);
		mm_destroy(mm);
	}
}

/*
 * A ring of eight, 6 more for each hop. Node 0 takes its neighbours in ascending order: 1 and 7, 2
 * and 6, 3 and 5, 4. The first at each new distance gains load: 1, 2, 3, 4. So node 1, after 2 (0
 * has the lower number, which counts against it), takes 7 before 3 and 6 before 4, and 5 last.
 */
Test(zonelist, load_spreads_ties_over_a_ring)
{
	const int want[2][8] = {{0, 1, 7, 2, 6, 3, 5, 4}, {1, 2, 0, 7, 3, 6, 4, 5}};
	struct machine m = {.model = MM_SPARSE};
	int order[MACHINE_NODES];
	struct mm *mm;

	for (int a = 0; a < 8; a++) {
		m.memory[a] = (struct mm_range){(uint64_t)a * 4 * MiB, 4 * MiB, a};
		for (int b = 0; b < 8; b++) {
			int hops = (b - a + 8) % 8;

			m.distance[a][b] = (uint8_t)(10 + 6 * (hops <= 4 ? hops : 8 - hops));
		}
	}
	mm = boot(&m);
	for (int n = 0; n < 2; n++) {
		cr_assert_eq(mm_node_order(mm, n, order), 8);
		cr_expect_eq(memcmp(order, want[n], sizeof(want[n])), 0,
			     "node %d: %d %d %d %d %d %d %d %d", n, order[0], order[1], order[2],
			     order[3], order[4], order[5], order[6], order[7]);
	}
	mm_destroy(mm);
}

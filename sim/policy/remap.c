/* SPDX-License-Identifier: Apache-2.0 */
/*
 * migrate_pages(2) from several nodes to several: which node's pages go where, and in which order.
 * Nodes keep their place in the masks; where these differ in size, nodes that are in both stay. A
 * node's pages leave before others come, as far as the masks allow.
 *
 * Follows Linux 6.1 mm/mempolicy.c (do_migrate_pages) and lib/bitmap.c (bitmap_bitremap).
 */
#include "sim/policy/task.h"

static int weight(const struct mm_nodemask *mask)
{
	int nr = 0;

	for (int nid = 0; nid < MM_MAX_NODES; nid++)
		nr += mm_nodemask_has(mask, nid);
	return nr;
}

/* The node that takes the place of `nid`: as manieth of `to` as that is of `from`, in a ring. */
static int remap(int nid, const struct mm_nodemask *from, const struct mm_nodemask *to)
{
	int nth = 0, nr = weight(to);

	if (!nr)
		return nid;
	for (int n = 0; n < nid; n++)
		nth += mm_nodemask_has(from, n);
	nth %= nr;
	for (int n = 0; n < MM_MAX_NODES; n++)
		if (mm_nodemask_has(to, n) && nth-- == 0)
			return n;
	return nid;
}

unsigned remap_passes(const struct mm_nodemask *from, const struct mm_nodemask *to, int16_t *passes,
		      unsigned most)
{
	struct mm_nodemask left = *from;
	bool same = weight(from) == weight(to);
	unsigned nr = 0;

	if (weight(from) > (int)most)
		return 0;
	while (nr < most) {
		int source = MM_NO_NODE, dest = 0;

		for (int s = 0; s < MM_MAX_NODES; s++) {
			int d;

			if (!mm_nodemask_has(&left, s) || (!same && mm_nodemask_has(to, s)))
				continue;
			d = remap(s, from, to);
			if (s == d)
				continue;
			source = s;
			dest = d;
			if (!mm_nodemask_has(&left, dest))
				break;
		}
		if (source == MM_NO_NODE)
			break;
		left.bits[source / 64] &= ~(UINT64_C(1) << (source % 64));
		passes[nr++] = (int16_t)dest;
	}
	return nr;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Layouts of slab caches: from a captured /proc/slabinfo, and those of the mm core. */
#include "sim/capture/slabinfo.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "mm/slab/slab.h"

static void add(struct figures *out, const char *name, uint64_t size, uint64_t objects,
		uint64_t pages)
{
	figures_number(out, FIGURES_SLABS, size, "slab %s: objsize", name);
	figures_number(out, FIGURES_SLABS, objects, "slab %s: objperslab", name);
	figures_number(out, FIGURES_SLABS, pages, "slab %s: pagesperslab", name);
}

/* "dentry  10416  10416  192  21  1 : tunables ..." */
static bool parse_line(const char *line, struct figures *out)
{
	uint64_t size, objects, pages;
	char name[64];

	if (sscanf(line, "%63s %*u %*u %" SCNu64 " %" SCNu64 " %" SCNu64 " :", name, &size,
		   &objects, &pages) != 4)
		return false;
	add(out, name, size, objects, pages);
	return true;
}

int figures_parse_slabinfo(const struct capture_file *f, struct diag *diag, struct figures *out)
{
	if (!f->nr_lines || strncmp(f->lines[0], "slabinfo - version: 2", 21) != 0)
		return diag_error(diag, -EINVAL, f->path, 1,
				  "expected \"slabinfo - version: 2.1\", found \"%.40s\"",
				  f->nr_lines ? f->lines[0] : "");
	for (size_t i = 1; i < f->nr_lines; i++) {
		const char *line = f->lines[i];

		out->line = i;
		if (*line && *line != '#' && !parse_line(line, out))
			return diag_error(diag, -EINVAL, f->path, (unsigned)i + 1,
					  "expected \"NAME ACTIVE OBJECTS OBJSIZE OBJPERSLAB "
					  "PAGESPERSLAB : ...\", found \"%.60s\"",
					  line);
	}
	return out->failed ? -ENOMEM : 0;
}

void figures_add_slabs(const struct mm *mm, struct figures *out)
{
	char name[MM_SLAB_NAME];
	struct mm_slab_layout l;

	for (unsigned i = 0; mm_slab_boot_cache(mm, i, name, &l); i++)
		/* The first two are in the profile's list as well. */
		if (i < 2 || (strcmp(name, "kmem_cache") && strcmp(name, "kmem_cache_node")))
			add(out, name, l.size, l.objects, UINT64_C(1) << l.order);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * /proc/slabinfo, once the caches of the boot are made: those that every machine of the kernel
 * profile has. Nobody has used them yet, but caches themselves. Behind work that used no slabs
 * there are none, for who looks changes nothing.
 */
#include <inttypes.h>

#include "mm/slab/slab.h"
#include "sim/json.h"
#include "sim/show/show.h"

static json_t *json(const struct show_subject *s)
{
	json_t *caches = json_array();
	struct mm_slab_info info;

	if (!s->ran && mm_slab_start(s->mm)) {
		json_decref(caches);
		return NULL;
	}
	for (unsigned i = 0; mm_slab_info(s->mm, i, &info); i++) {
		json_t *cache = json_append_object(caches);

		json_put_string(cache, "name", info.name);
		json_put(cache, "active_objs", info.active_objs);
		json_put(cache, "num_objs", info.nr_objs);
		json_put(cache, "objsize", info.layout.size);
		json_put(cache, "objperslab", info.layout.objects);
		json_put(cache, "pagesperslab", UINT64_C(1) << info.layout.order);
		json_put(cache, "num_slabs", info.nr_slabs);
		json_put(cache, "object_size", info.layout.object_size);
		json_put(cache, "align", info.layout.align);
		json_put(cache, "free_pointer", info.layout.free_pointer);
		json_put(cache, "min_partial", info.layout.min_partial);
		json_put(cache, "cpu_partial", info.layout.cpu_partial);
	}
	return caches;
}

static void print(const json_t *caches, FILE *out)
{
	const json_t *c;
	size_t i;

	fputs("slabinfo - version: 2.1\n"
	      "# name            <active_objs> <num_objs> <objsize> <objperslab> <pagesperslab> : "
	      "tunables <limit> <batchcount> <sharedfactor> : slabdata <active_slabs> <num_slabs> "
	      "<sharedavail>\n",
	      out);
	json_array_foreach (caches, i, c)
		fprintf(out,
			"%-17s %6" PRIu64 " %6" PRIu64 " %6" PRIu64 " %4" PRIu64 " %4" PRIu64
			" : tunables %4u %4u %4u : slabdata %6" PRIu64 " %6" PRIu64 " %6u\n",
			json_get_string(c, "name"), json_get(c, "active_objs"),
			json_get(c, "num_objs"), json_get(c, "objsize"), json_get(c, "objperslab"),
			json_get(c, "pagesperslab"), 0, 0, 0, json_get(c, "num_slabs"),
			json_get(c, "num_slabs"), 0);
}

static int text(const struct show_subject *s, FILE *out)
{
	return show_document(json(s), print, out);
}

const struct show_kind show_slabinfo = {
	.name = "slabinfo",
	.summary = "slab caches and their layouts, as /proc/slabinfo",
	.boots = true,
	.text = text,
	.json = json,
};

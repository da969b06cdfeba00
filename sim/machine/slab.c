/* SPDX-License-Identifier: Apache-2.0 */
/* `kernel` of a machine file: what its command line says of slab caches, as the kernel spells it.
 */
#include <inttypes.h>
#include <string.h>

#include "sim/machine/read.h"

#define MOST_XSAVE_BYTES 65536

static const char debug_letters[] = "FZPU"; /* in the order of MM_SLAB_* */

/* "FZ", "U,kmalloc-64,dentry*"; "": all letters; "-": none. */
static void read_debug(struct machine_reader *r, const struct cfg_setting *s,
		       struct mm_slab_params *slab)
{
	const char *text, *p;

	if (!cfg_string(r->cfg, s, &text))
		return;
	slab->debug = *text && *text != ',' ? 0 : MM_SLAB_DEBUG;
	for (p = text; *p && *p != ','; p++) {
		const char *letter = strchr(debug_letters, *p);

		if (letter)
			slab->debug |= 1u << (letter - debug_letters);
		else if (strcmp(text, "-") != 0)
			return cfg_error(
				r->cfg, s,
				"expected letters of FZPU (F: consistency, Z: red zones, P: "
				"poison, U: users), then names of caches behind commas, found "
				"'%s'",
				text);
	}
	if (*p == ',')
		p++;
	if (strlen(p) >= sizeof(slab->debug_caches))
		cfg_error(r->cfg, s, "expected at most %zu characters of names",
			  sizeof(slab->debug_caches) - 1);
	else
		strcpy(slab->debug_caches, p);
}

static void read_number(struct machine_reader *r, const struct cfg_setting *s, uint64_t most,
			unsigned *out)
{
	uint64_t value;

	if (cfg_integer(r->cfg, s, 0, most, &value))
		*out = (unsigned)value;
}

void machine_read_slab(struct machine_reader *r, const struct cfg_setting *kernel)
{
	struct mm_slab_params *slab = &r->m->mm.params.slab;
	const struct cfg_setting *min = cfg_find(r->cfg, kernel, "slub_min_order");
	const struct cfg_setting *xsave = cfg_find(r->cfg, kernel, "xsave");
	uint64_t bytes;

	read_debug(r, cfg_find(r->cfg, kernel, "slub_debug"), slab);
	cfg_bool(r->cfg, cfg_find(r->cfg, kernel, "slab_nomerge"), &slab->nomerge);
	read_number(r, cfg_find(r->cfg, kernel, "slub_max_order"), MAX_PAGE_ORDER,
		    &slab->max_order);
	read_number(r, min, MAX_PAGE_ORDER, &slab->min_order);
	read_number(r, cfg_find(r->cfg, kernel, "slub_min_objects"), INT16_MAX, &slab->min_objects);
	if (slab->min_order > slab->max_order)
		cfg_error(r->cfg, min, "expected at most slub_max_order, %u, found %u",
			  slab->max_order, slab->min_order);
	if (!cfg_size(r->cfg, xsave, &bytes))
		return;
	if (!bytes || bytes > MOST_XSAVE_BYTES)
		cfg_error(r->cfg, xsave, "expected from 1 to %d bytes", MOST_XSAVE_BYTES);
	else
		slab->xstate_bytes = (uint32_t)bytes;
}

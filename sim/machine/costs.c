/* SPDX-License-Identifier: Apache-2.0 */
/* Cost files: cycles a unit of work at each site, every site exactly once. */
#include "sim/machine/costs.h"

#include "sim/config/config.h"

#include <stdlib.h>
#include <string.h>

#define MAX_CYCLES 1000000

static char *copy(struct cfg *cfg, const char *text)
{
	char *copied = strdup(text);

	if (!copied)
		cfg_no_memory(cfg);
	return copied;
}

static void read_site(struct cfg *cfg, const struct cfg_setting *s, uint32_t *cycles)
{
	static const char *const keys[] = {"cycles", "source", NULL};
	const struct cfg_setting *site = cfg_group(cfg, s);
	const char *source;
	uint64_t value;

	cfg_keys(cfg, site, keys);
	cfg_string(cfg, cfg_need(cfg, site, "source"), &source);
	if (cfg_integer(cfg, cfg_need(cfg, site, "cycles"), 0, MAX_CYCLES, &value))
		*cycles = (uint32_t)value;
}

/* That no site is there twice is a rule for the keys of any group. */
static void read_costs(struct cfg *cfg, struct costs *out)
{
	static const char *const keys[] = {"name", "source", "sites", NULL};
	const struct cfg_setting *root = cfg_root(cfg);
	const struct cfg_setting *sites = cfg_group(cfg, cfg_need(cfg, root, "sites"));
	const char *known[MM_NR_SITES + 1] = {NULL};
	const char *text;

	for (int i = 0; i < MM_NR_SITES; i++)
		known[i] = mm_site_name((enum mm_site)i);
	cfg_keys(cfg, root, keys);
	if (cfg_string(cfg, cfg_need(cfg, root, "name"), &text))
		out->name = copy(cfg, text);
	if (cfg_string(cfg, cfg_need(cfg, root, "source"), &text))
		out->source = copy(cfg, text);
	cfg_keys(cfg, sites, known);
	for (int i = 0; i < MM_NR_SITES; i++)
		read_site(cfg, cfg_need(cfg, sites, known[i]), &out->cycles[i]);
}

int costs_load(const char *path, struct diag *diag, struct costs *out)
{
	struct cfg *cfg;
	int err = cfg_load(path, diag, &cfg);

	*out = (struct costs){0};
	if (err)
		return err;
	read_costs(cfg, out);
	err = cfg_status(cfg);
	cfg_free(cfg);
	if (err)
		costs_clear(out);
	return err;
}

void costs_clear(struct costs *c)
{
	free(c->name);
	free(c->source);
	*c = (struct costs){0};
}

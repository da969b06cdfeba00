/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cost files: cycles a unit of work at each site, every site exactly once; those that a file does
 * not have are its base's.
 */
#define _GNU_SOURCE /* asprintf */
#include "sim/machine/costs.h"

#include "sim/config/config.h"
#include "sim/machine/interconnect.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_CYCLES 100000000

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

static void read_queue(struct cfg *cfg, const struct cfg_setting *s, uint64_t *out)
{
	uint64_t ps;

	if (!cfg_time(cfg, s, &ps))
		return;
	if (ps > INTERCONNECT_MAX_PS)
		cfg_error(cfg, s, "expected a time up to 1s, found more");
	*out = ps;
}

/* Waiting for banks and links of which the machine's file says nothing; may be missing. */
static void read_queueing(struct cfg *cfg, const struct cfg_setting *s, struct costs *out)
{
	static const char *const keys[] = {"bank", "link", "source", NULL};
	const struct cfg_setting *group = cfg_group(cfg, s);
	const char *source;

	if (!group)
		return;
	cfg_keys(cfg, group, keys);
	cfg_string(cfg, cfg_need(cfg, group, "source"), &source);
	read_queue(cfg, cfg_need(cfg, group, "bank"), &out->bank_queue_ps);
	read_queue(cfg, cfg_need(cfg, group, "link"), &out->link_queue_ps);
}

/* That no site is there twice is a rule for the keys of any group. */
static void read_costs(struct cfg *cfg, bool has_base, struct costs *out)
{
	static const char *const keys[] = {"name", "source", "base", "sites", "queueing", NULL};
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
	read_queueing(cfg, cfg_find(cfg, root, "queueing"), out);
	cfg_keys(cfg, sites, known);
	for (int i = 0; i < MM_NR_SITES; i++)
		if (!has_base || cfg_find(cfg, sites, known[i]))
			read_site(cfg, cfg_need(cfg, sites, known[i]), &out->cycles[i]);
}

static int load(const char *path, bool may_have_base, struct diag *diag, struct costs *out);

/* Cycles of the base, which is in the folder of `path` and has no base itself. */
static int read_base(struct cfg *cfg, const char *path, const struct cfg_setting *s,
		     struct diag *diag, struct costs *out)
{
	const char *slash = strrchr(path, '/'), *name;
	struct costs base;
	char *at;
	int err;

	if (!cfg_string(cfg, s, &name))
		return cfg_status(cfg);
	if (asprintf(&at, "%.*s%s", slash ? (int)(slash + 1 - path) : 0, path, name) < 0)
		return -ENOMEM;
	err = load(at, false, diag, &base);
	free(at);
	if (err)
		return err;
	memcpy(out->cycles, base.cycles, sizeof(out->cycles));
	out->bank_queue_ps = base.bank_queue_ps;
	out->link_queue_ps = base.link_queue_ps;
	costs_clear(&base);
	return 0;
}

static int load(const char *path, bool may_have_base, struct diag *diag, struct costs *out)
{
	const struct cfg_setting *base;
	struct cfg *cfg;
	int err = cfg_load(path, diag, &cfg);

	*out = (struct costs){0};
	if (err)
		return err;
	base = cfg_find(cfg, cfg_root(cfg), "base");
	if (base && !may_have_base)
		cfg_error(cfg, base, "this file is a base itself");
	else if (base)
		err = read_base(cfg, path, base, diag, out);
	if (!err)
		read_costs(cfg, base != NULL, out);
	err = err ? err : cfg_status(cfg);
	cfg_free(cfg);
	if (err)
		costs_clear(out);
	return err;
}

int costs_load(const char *path, struct diag *diag, struct costs *out)
{
	return load(path, true, diag, out);
}

void costs_clear(struct costs *c)
{
	free(c->name);
	free(c->source);
	*c = (struct costs){0};
}

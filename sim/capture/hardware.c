/* SPDX-License-Identifier: Apache-2.0 */
/* Reads configs/import/hardware.inc. */
#include "sim/capture/hardware.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "sim/config/config.h"
#include "sim/machine/costs.h"

#define HARDWARE_FILE "import/hardware.inc"

static void read_text(struct cfg *c, const struct cfg_setting *s, char *out, size_t size)
{
	const char *text;

	if (cfg_string(c, s, &text))
		snprintf(out, size, "%s", text);
}

static void read_cache(struct cfg *c, const struct cfg_setting *s, struct hardware_cache *cache)
{
	static const char *const keys[] = {"name", "size", "ways", "latency", "shared_by", NULL};
	const struct cfg_setting *group = cfg_group(c, s);

	cfg_keys(c, group, keys);
	read_text(c, cfg_need(c, group, "name"), cache->name, sizeof(cache->name));
	cfg_size(c, cfg_need(c, group, "size"), &cache->size_bytes);
	cfg_integer(c, cfg_need(c, group, "ways"), 1, 1024, &cache->ways);
	cfg_time(c, cfg_need(c, group, "latency"), &cache->latency_ps);
	read_text(c, cfg_need(c, group, "shared_by"), cache->shared_by, sizeof(cache->shared_by));
}

static void read_disk(struct cfg *c, const struct cfg_setting *s, struct hardware *out)
{
	static const char *const keys[] = {"source",  "bandwidth_read", "bandwidth_write",
					   "latency", "queue_depth",    NULL};
	const struct cfg_setting *group = cfg_group(c, s);

	cfg_keys(c, group, keys);
	read_text(c, cfg_need(c, group, "source"), out->disk.source, sizeof(out->disk.source));
	cfg_rate(c, cfg_need(c, group, "bandwidth_read"), &out->disk.read_bytes_per_s);
	cfg_rate(c, cfg_need(c, group, "bandwidth_write"), &out->disk.write_bytes_per_s);
	cfg_time(c, cfg_need(c, group, "latency"), &out->disk.latency_ps);
	cfg_integer(c, cfg_need(c, group, "queue_depth"), 1, 1024, &out->disk.queue_depth);
}

static void read_all(struct cfg *c, struct hardware *out)
{
	static const char *const keys[] = {
		"source",       "latency",    "bandwidth",  "frequency",
		"fill_buffers", "prefetched", "cache_line", "prefetch_streams",
		"caches",       "disk",       NULL};
	const struct cfg_setting *root = cfg_root(c), *caches;

	cfg_keys(c, root, keys);
	read_text(c, cfg_need(c, root, "source"), out->source, sizeof(out->source));
	cfg_time(c, cfg_need(c, root, "latency"), &out->latency_ps);
	cfg_rate(c, cfg_need(c, root, "bandwidth"), &out->bytes_per_s);
	cfg_frequency(c, cfg_need(c, root, "frequency"), &out->freq_hz);
	cfg_integer(c, cfg_need(c, root, "fill_buffers"), 1, 1024, &out->fill_buffers);
	cfg_integer(c, cfg_need(c, root, "prefetched"), out->fill_buffers, 1024, &out->prefetched);
	cfg_integer(c, cfg_need(c, root, "prefetch_streams"), 0, 1024, &out->prefetch_streams);
	cfg_size(c, cfg_need(c, root, "cache_line"), &out->cache_line_bytes);
	read_disk(c, cfg_need(c, root, "disk"), out);
	caches = cfg_list(c, cfg_need(c, root, "caches"));
	for (unsigned i = 0; i < cfg_length(caches) && out->nr_caches < 8; i++)
		read_cache(c, cfg_element(caches, i), &out->caches[out->nr_caches++]);
}

int hardware_load(struct diag *diag, struct hardware *out)
{
	char *path = shipped_config(HARDWARE_FILE);
	struct cfg *c;
	int err;

	*out = (struct hardware){0};
	if (!path)
		return diag_error(
			diag, -ENOENT, HARDWARE_FILE, 0,
			"not among the shipped files; set NUMASIM_CONFIGS to their folder");
	err = cfg_load(path, diag, &c);
	if (!err) {
		read_all(c, out);
		err = cfg_status(c);
		cfg_free(c);
	}
	free(path);
	return err;
}

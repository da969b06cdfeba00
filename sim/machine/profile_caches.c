/* SPDX-License-Identifier: Apache-2.0 */
/* `caches` of a kernel profile: the slab caches that the kernel makes at boot. */
#include <stdlib.h>
#include <string.h>

#include "sim/machine/profile_read.h"

#define MOST_CACHES    1024
#define LARGEST_OBJECT (1 << 20)

/* By bit of MM_SLAB_*. */
static const struct {
	const char *name;
	unsigned flag;
} flag_names[] = {
	{"hwcache_align", MM_SLAB_HWCACHE_ALIGN},
	{"reclaim_account", MM_SLAB_RECLAIM_ACCOUNT},
	{"rcu", MM_SLAB_RCU},
	{"account", MM_SLAB_ACCOUNT},
	{"ctor", MM_SLAB_CTOR},
	{"usercopy", MM_SLAB_USERCOPY},
	{"dma", MM_SLAB_CACHE_DMA},
};

#define NR_FLAGS (sizeof(flag_names) / sizeof(flag_names[0]))

static void read_flags(struct cfg *c, const struct cfg_setting *list, unsigned *flags)
{
	const char *names[NR_FLAGS + 1] = {NULL};
	unsigned choice;

	for (size_t i = 0; i < NR_FLAGS; i++)
		names[i] = flag_names[i].name;
	for (unsigned i = 0; i < cfg_length(list); i++)
		if (cfg_choice(c, cfg_element(list, i), "flag", names, &choice))
			*flags |= flag_names[choice].flag;
}

static void read_bytes(struct cfg *c, const struct cfg_setting *s, uint32_t *out)
{
	uint64_t bytes;

	if (!cfg_size(c, s, &bytes))
		return;
	if (bytes > LARGEST_OBJECT)
		cfg_error(c, s, "expected at most %d bytes", LARGEST_OBJECT);
	else
		*out = (uint32_t)bytes;
}

static void read_cache(struct cfg *c, const struct cfg_setting *s, struct mm_boot_cache *cache)
{
	static const char *const keys[] = {"name",          "size",          "align",
					   "size_per_node", "size_per_cpus", "flags",
					   "xstate",        "optional",      NULL};
	const struct cfg_setting *group = cfg_group(c, s);
	const struct cfg_setting *align = cfg_find(c, group, "align");
	const char *name;

	cfg_keys(c, group, keys);
	if (cfg_string(c, cfg_need(c, group, "name"), &name)) {
		if (!*name || strlen(name) >= sizeof(cache->name))
			cfg_error(c, cfg_find(c, group, "name"),
				  "expected a name of 1 to %zu characters",
				  sizeof(cache->name) - 1);
		else
			strcpy(cache->name, name);
	}
	read_bytes(c, cfg_need(c, group, "size"), &cache->size);
	read_bytes(c, align, &cache->align);
	if (cache->align & (cache->align - 1))
		cfg_error(c, align, "expected a power of two");
	read_bytes(c, cfg_find(c, group, "size_per_node"), &cache->size_per_node);
	read_bytes(c, cfg_find(c, group, "size_per_cpus"), &cache->size_per_cpus);
	cfg_bool(c, cfg_find(c, group, "xstate"), &cache->has_xstate);
	cfg_bool(c, cfg_find(c, group, "optional"), &cache->optional);
	read_flags(c, cfg_list(c, cfg_find(c, group, "flags")), &cache->flags);
	if (!cache->size)
		cfg_error(c, group, "expected a 'size' above 0");
}

void profile_read_caches(struct cfg *c, const struct cfg_setting *root, struct mm_profile *out)
{
	const struct cfg_setting *list = cfg_list(c, cfg_find(c, root, "caches"));
	unsigned nr = cfg_length(list);

	read_bytes(c, cfg_find(c, root, "xstate"), &out->xstate_bytes);
	if (nr > MOST_CACHES) {
		cfg_error(c, list, "expected at most %d, found %u", MOST_CACHES, nr);
		return;
	}
	if (!nr)
		return;
	out->caches = calloc(nr, sizeof(*out->caches));
	if (!out->caches) {
		cfg_no_memory(c);
		return;
	}
	for (unsigned i = 0; i < nr; i++)
		read_cache(c, cfg_element(list, i), &out->caches[i]);
	out->nr_caches = nr;
}

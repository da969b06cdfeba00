/* SPDX-License-Identifier: Apache-2.0 */
/* Reads kernel profiles and finds those that come with numasim. */
#define _GNU_SOURCE /* asprintf */
#include "sim/machine/profile.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/config/config.h"
#include "sim/machine/costs.h"
#include "sim/machine/profile_read.h"

#define FOLDER "kernels"
#define SUFFIX ".cfg"

static char *read_text(struct cfg *c, const struct cfg_setting *s)
{
	const char *text;
	char *copy;

	if (!cfg_string(c, s, &text))
		return NULL;
	copy = strdup(text);
	if (!copy)
		cfg_no_memory(c);
	return copy;
}

/* A size that is a power of two. */
static void read_power(struct cfg *c, const struct cfg_setting *s, uint64_t *out)
{
	uint64_t size;

	if (!cfg_size(c, s, &size))
		return;
	if (size == 0 || (size & (size - 1)))
		cfg_error(c, s, "expected a power of two");
	else
		*out = size;
}

/* Of at most `max` groups; NULL where there are none, or too many. */
static const struct cfg_setting *read_list(struct cfg *c, const char *key, unsigned max, int *nr)
{
	const struct cfg_setting *list = cfg_list(c, cfg_find(c, cfg_root(c), key));

	*nr = 0;
	if (cfg_length(list) > max)
		cfg_error(c, list, "expected at most %u, found %u", max, cfg_length(list));
	else
		*nr = (int)cfg_length(list);
	return list;
}

static void read_hash_table(struct cfg *c, const struct cfg_setting *s, struct mm_hash_table *table)
{
	static const char *const keys[] = {"what", "bucket", "memory_per_bucket", NULL};
	const struct cfg_setting *group = cfg_group(c, s);
	const char *what;

	cfg_keys(c, group, keys);
	cfg_string(c, cfg_need(c, group, "what"), &what);
	read_power(c, cfg_need(c, group, "bucket"), &table->bucket_bytes);
	read_power(c, cfg_need(c, group, "memory_per_bucket"), &table->memory_per_bucket);
}

static void read_take(struct cfg *c, const struct cfg_setting *s, struct mm_take *take)
{
	static const char *const keys[] = {
		"what",  "size",        "size_per_section", "size_per_distance",
		"align", "below",       "if_memory_above",  "if_possible_above",
		"early", "if_top_down", "if_bottom_up",     NULL,
	};
	const struct cfg_setting *group = cfg_group(c, s);
	const char *what;

	take->align = 64;
	cfg_keys(c, group, keys);
	cfg_string(c, cfg_need(c, group, "what"), &what);
	cfg_size(c, cfg_find(c, group, "size"), &take->bytes);
	cfg_size(c, cfg_find(c, group, "size_per_section"), &take->bytes_per_section);
	cfg_size(c, cfg_find(c, group, "size_per_distance"), &take->bytes_per_distance);
	cfg_bool(c, cfg_find(c, group, "early"), &take->early);
	cfg_bool(c, cfg_find(c, group, "if_top_down"), &take->if_top_down);
	cfg_bool(c, cfg_find(c, group, "if_bottom_up"), &take->if_bottom_up);
	read_power(c, cfg_find(c, group, "align"), &take->align);
	cfg_address(c, cfg_find(c, group, "below"), &take->below);
	cfg_address(c, cfg_find(c, group, "if_memory_above"), &take->if_memory_above);
	cfg_address(c, cfg_find(c, group, "if_possible_above"), &take->if_possible_above);
	if (!!take->bytes + !!take->bytes_per_section + !!take->bytes_per_distance != 1)
		cfg_error(c, group,
			  "expected one of 'size', 'size_per_section' and 'size_per_distance', "
			  "above 0");
	if (take->early && take->bytes_per_section)
		cfg_error(c, group, "sections are not known so 'early'");
}

static void read_crash(struct cfg *c, struct mm_crash_rule *crash)
{
	static const char *const keys[] = {"align", "below", "low_size", NULL};
	const struct cfg_setting *group = cfg_group(c, cfg_find(c, cfg_root(c), "crash_kernel"));

	crash->align = 1;
	if (!group)
		return;
	cfg_keys(c, group, keys);
	read_power(c, cfg_need(c, group, "align"), &crash->align);
	cfg_address(c, cfg_need(c, group, "below"), &crash->below);
	crash->anywhere = cfg_size(c, cfg_find(c, group, "low_size"), &crash->low_bytes);
}

static void read_profile(struct cfg *c, struct kernel_profile *out)
{
	static const char *const keys[] = {
		"name",
		"source",
		"architecture",
		"release",
		"brk",
		"hash_tables",
		"hash_tables_spread",
		"reserves",
		"crash_kernel",
		"caches",
		"xstate",
		"per_cpu_lists",
		NULL,
	};
	const struct cfg_setting *root = cfg_root(c), *list;
	const char *archs[MM_NR_ARCHS + 1] = {NULL}, *source;
	unsigned arch = 0;

	for (int i = 0; i < MM_NR_ARCHS; i++)
		archs[i] = mm_arch((enum mm_arch_id)i)->name;
	cfg_keys(c, root, keys);
	out->name = read_text(c, cfg_need(c, root, "name"));
	cfg_string(c, cfg_need(c, root, "source"), &source);
	out->release = read_text(c, cfg_find(c, root, "release"));
	cfg_choice(c, cfg_need(c, root, "architecture"), "architecture", archs, &arch);
	out->arch = (enum mm_arch_id)arch;
	cfg_size(c, cfg_find(c, root, "brk"), &out->brk_bytes);
	cfg_bool(c, cfg_find(c, root, "hash_tables_spread"), &out->mm.hash_tables_spread);
	list = read_list(c, "hash_tables", MM_MAX_HASH_TABLES, &out->mm.nr_hash_tables);
	for (int i = 0; i < out->mm.nr_hash_tables; i++)
		read_hash_table(c, cfg_element(list, (unsigned)i), &out->mm.hash_tables[i]);
	list = read_list(c, "reserves", MM_MAX_TAKES, &out->mm.nr_takes);
	for (int i = 0; i < out->mm.nr_takes; i++)
		read_take(c, cfg_element(list, (unsigned)i), &out->mm.takes[i]);
	read_crash(c, &out->mm.crash);
	profile_read_caches(c, root, &out->mm);
	profile_read_lists(c, root, &out->mm.pcp);
}

int kernel_profile_load(const char *path, struct diag *diag, struct kernel_profile *out)
{
	struct cfg *c;
	int err = cfg_load(path, diag, &c);

	*out = (struct kernel_profile){0};
	if (err)
		return err;
	read_profile(c, out);
	err = cfg_status(c);
	cfg_free(c);
	if (err)
		kernel_profile_clear(out);
	return err;
}

void kernel_profile_clear(struct kernel_profile *p)
{
	free(p->name);
	free(p->release);
	free(p->mm.caches);
	*p = (struct kernel_profile){0};
}

static char *shipped_path(const char *name)
{
	char *rel, *path;

	if (asprintf(&rel, FOLDER "/%s" SUFFIX, name) < 0)
		return NULL;
	path = shipped_config(rel);
	free(rel);
	return path;
}

char *kernel_profile_path(const char *name, const char *file)
{
	const char *slash = strrchr(file, '/');
	char *path;

	if (!strchr(name, '/'))
		return shipped_path(name);
	if (*name == '/' || !slash)
		return strdup(name);
	return asprintf(&path, "%.*s/%s", (int)(slash - file), file, name) < 0 ? NULL : path;
}

static int is_profile(const struct dirent *entry)
{
	size_t len = strlen(entry->d_name), suffix = strlen(SUFFIX);

	return len > suffix && !strcmp(entry->d_name + len - suffix, SUFFIX);
}

/* Names of the shipped profiles, sorted; *nr of them. */
static struct dirent **list_shipped(int *nr)
{
	struct dirent **entries = NULL;
	char *folder = shipped_config(FOLDER);

	*nr = folder ? scandir(folder, &entries, is_profile, alphasort) : 0;
	free(folder);
	if (*nr < 0)
		*nr = 0;
	for (int i = 0; i < *nr; i++)
		entries[i]->d_name[strlen(entries[i]->d_name) - strlen(SUFFIX)] = '\0';
	return entries;
}

static void free_list(struct dirent **entries, int nr)
{
	for (int i = 0; i < nr; i++)
		free(entries[i]);
	free(entries);
}

struct names {
	struct dirent **entries;
	int nr;
};

static const char *name_at(unsigned i, void *arg)
{
	const struct names *names = arg;

	return i < (unsigned)names->nr ? names->entries[i]->d_name : NULL;
}

char *kernel_profile_nearest(const char *name)
{
	struct names names;
	const char *nearest;
	char *copy;

	names.entries = list_shipped(&names.nr);
	nearest = diag_nearest(name, name_at, &names);
	copy = nearest ? strdup(nearest) : NULL;
	free_list(names.entries, names.nr);
	return copy;
}

/* Does the release read as the pattern, whose N is a number? */
static bool matches(const char *pattern, const char *release)
{
	for (; *pattern; pattern++) {
		size_t digits = strspn(release, "0123456789");

		if (*pattern == 'N' && !digits)
			return false;
		if (*pattern != 'N' && *release != *pattern)
			return false;
		release += *pattern == 'N' ? digits : 1;
	}
	return !*release;
}

/* -ENOENT: it is of other kernels. */
static int load_if_of(const char *name, const char *release, const struct mm_arch *arch,
		      struct diag *diag, struct kernel_profile *out)
{
	char *path = shipped_path(name);
	int err = path ? kernel_profile_load(path, diag, out) : -ENOMEM;

	free(path);
	if (err || (out->release && out->arch == arch->id && matches(out->release, release)))
		return err;
	kernel_profile_clear(out);
	return -ENOENT;
}

int kernel_profile_of(const char *release, const struct mm_arch *arch, struct diag *diag,
		      struct kernel_profile *out)
{
	int nr, err = -ENOENT;
	struct dirent **entries = list_shipped(&nr);

	*out = (struct kernel_profile){0};
	for (int i = 0; i < nr && err == -ENOENT; i++)
		err = load_if_of(entries[i]->d_name, release, arch, diag, out);
	free_list(entries, nr);
	return err;
}

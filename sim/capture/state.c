/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The state of a running kernel's memory: zones from zoneinfo, their free blocks from pagetypeinfo
 * (lists.c), checked against each other, and what else is there.
 */
#define _GNU_SOURCE /* asprintf */
#include "sim/capture/state.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/capture/figures.h"
#include "sim/capture/lists.h"

struct state_reader {
	struct captured_state *s;
	const struct mm *mm;
	struct diag *diag;
	struct capture_file zoneinfo;
	struct figures sorted;
};

static int zone_by_name(const struct mm *mm, const char *name)
{
	const struct mm_arch *arch = mm_get_arch(mm);

	for (int z = 0; z < arch->nr_zones; z++)
		if (!strcmp(arch->zones[z].name, name))
			return z;
	return -1;
}

/* A figure of a zone; where there is none, false and *out stays. */
static bool find(const struct state_reader *r, const struct mm_zone_state *z, const char *key,
		 uint64_t *out, size_t *line)
{
	const struct figure *figure;
	char name[96];

	snprintf(name, sizeof(name), "node %d, zone %s: %s", z->nid,
		 mm_get_arch(r->mm)->zones[z->zone].name, key);
	figure = figures_find(&r->sorted, name);
	if (!figure)
		return false;
	scan_whole(figure->value, out);
	if (line)
		*line = figure->line;
	return true;
}

/* A figure that is the machine's own: another one is another machine. */
static int check_same(struct state_reader *r, const struct mm_zone_state *z, const char *key,
		      uint64_t here)
{
	uint64_t there = here;
	size_t line = 0;

	if (!find(r, z, key, &there, &line) || here == there)
		return 0;
	return capture_wrong(&r->zoneinfo, line, r->diag,
			     "node %d, zone %s: %s is %" PRIu64 ", but %" PRIu64
			     " on the machine: is it of another one?",
			     z->nid, mm_get_arch(r->mm)->zones[z->zone].name, key, there, here);
}

static int check_zone(struct state_reader *r, const struct mm_zone_state *z)
{
	struct mm_zone_info info;
	int err;

	mm_zone_info(r->mm, z->nid, z->zone, &info);
	err = check_same(r, z, "present", info.present);
	if (!err && info.spanned)
		err = check_same(r, z, "spanned", info.spanned);
	if (!err && info.spanned)
		err = check_same(r, z, "start_pfn", info.start_pfn);
	return err;
}

static int read_pcp(struct state_reader *r, const struct mm_zone_state *z, struct mm_pcp_state *pcp)
{
	static const char *const keys[] = {"count", "high", "batch", "vm stats threshold"};

	for (int cpu = 0; cpu < mm_nr_cpus(r->mm); cpu++) {
		uint64_t value[4] = {0};

		for (int k = 0; k < 4; k++) {
			const struct figure *figure;
			char name[96];

			snprintf(name, sizeof(name), "node %d, zone %s, cpu %d: %s", z->nid,
				 mm_get_arch(r->mm)->zones[z->zone].name, cpu, keys[k]);
			figure = figures_find(&r->sorted, name);
			if (!figure)
				return capture_wrong(
					&r->zoneinfo, 0, r->diag,
					"%s is missing: expected it, since the machine "
					"has %d CPUs",
					name, mm_nr_cpus(r->mm));
			scan_whole(figure->value, &value[k]);
		}
		pcp[cpu] = (struct mm_pcp_state){.count = value[0],
						 .high = value[1],
						 .batch = value[2],
						 .stat_threshold = (int)value[3]};
	}
	return 0;
}

static int read_zone(struct state_reader *r, struct mm_zone_state *z, size_t index)
{
	static const char *const lru[MM_NR_LRU] = {"nr_zone_inactive_anon", "nr_zone_active_anon",
						   "nr_zone_inactive_file", "nr_zone_active_file",
						   "nr_zone_unevictable"};
	struct mm_pcp_state *pcp = r->s->pcp + index * (size_t)mm_nr_cpus(r->mm);
	int nr = mm_get_arch(r->mm)->nr_zones;
	uint64_t beyond;
	char key[32];

	find(r, z, "managed", &z->managed, NULL);
	find(r, z, "min", &z->min, NULL);
	find(r, z, "low", &z->low, NULL);
	find(r, z, "high", &z->high, NULL);
	find(r, z, "boost", &z->boost, NULL);
	if (!find(r, z, "pages free", &r->s->nr_free_pages[index], NULL))
		return capture_wrong(&r->zoneinfo, 0, r->diag,
				     "zone %s of node %d has no 'pages free'",
				     mm_get_arch(r->mm)->zones[z->zone].name, z->nid);
	for (int i = 0; i < nr; i++) {
		snprintf(key, sizeof(key), "protection[%d]", i);
		if (!find(r, z, key, &z->protection[i], NULL))
			return capture_wrong(&r->zoneinfo, 0, r->diag,
					     "zone %s of node %d: expected %d zones in protection",
					     mm_get_arch(r->mm)->zones[z->zone].name, z->nid, nr);
	}
	snprintf(key, sizeof(key), "protection[%d]", nr);
	if (find(r, z, key, &beyond, NULL))
		return capture_wrong(
			&r->zoneinfo, 0, r->diag,
			"zone %s of node %d: expected %d zones in protection, found more",
			mm_get_arch(r->mm)->zones[z->zone].name, z->nid, nr);
	for (int i = 0; i < MM_NR_LRU; i++)
		find(r, z, lru[i], &z->lru[i], NULL);
	z->pcp = pcp;
	return read_pcp(r, z, pcp);
}

/* "node 3, zone DMA32: present", of a zone that has pages. */
static bool is_present(const struct figure *figure, int *nid, char *zone)
{
	const char *p = figure->name, *colon = strchr(figure->name, ':');
	uint64_t n;

	if (!colon || strcmp(colon, ": present") || !strcmp(figure->value, "0"))
		return false;
	if (!scan_text(&p, "node ") || !scan_decimal(&p, &n) || !scan_text(&p, ", zone ") ||
	    colon - p > 16)
		return false;
	snprintf(zone, 24, "%.*s", (int)(colon - p), p);
	*nid = (int)n;
	return true;
}

static int add_zone(struct state_reader *r, const struct figure *figure, int nid, const char *name)
{
	int zone = zone_by_name(r->mm, name);
	struct mm_zone_info info = {0};

	if (zone >= 0 && nid < mm_nr_nodes(r->mm))
		mm_zone_info(r->mm, nid, zone, &info);
	if (!info.present)
		return capture_wrong(&r->zoneinfo, figure->line, r->diag,
				     "node %d, zone %s has %s pages, but the machine has no such "
				     "zone: is it of another one?",
				     nid, name, figure->value);
	r->s->zones[r->s->nr_zones++] = (struct mm_zone_state){.nid = nid, .zone = zone};
	return 0;
}

/* The other way round: a zone of the machine that zoneinfo does not have. */
static int check_all_there(struct state_reader *r)
{
	for (int nid = 0; nid < mm_nr_nodes(r->mm); nid++)
		for (int zone = 0; zone < mm_get_arch(r->mm)->nr_zones; zone++) {
			struct mm_zone_info info;
			size_t i = 0;

			mm_zone_info(r->mm, nid, zone, &info);
			while (i < r->s->nr_zones &&
			       (r->s->zones[i].nid != nid || r->s->zones[i].zone != zone))
				i++;
			if (info.present && i == r->s->nr_zones)
				return diag_error(
					r->diag, -EINVAL, r->zoneinfo.path, 0,
					"node %d, zone %s is missing, but the machine has "
					"%" PRIu64 " pages there",
					nid, info.name, info.present);
		}
	return 0;
}

static int read_zones(struct state_reader *r, const struct figures *found)
{
	size_t most = (size_t)mm_nr_nodes(r->mm) * MM_MAX_ZONES, cpus = (size_t)mm_nr_cpus(r->mm);
	int err = 0, nid;
	char name[24];

	r->s->zones = calloc(most, sizeof(*r->s->zones));
	r->s->nr_free_pages = calloc(most, sizeof(*r->s->nr_free_pages));
	if (!r->s->zones || !r->s->nr_free_pages)
		return -ENOMEM;
	for (size_t i = 0; i < found->nr && !err; i++)
		if (is_present(&found->at[i], &nid, name))
			err = add_zone(r, &found->at[i], nid, name);
	if (!err)
		err = check_all_there(r);
	if (err)
		return err;
	r->s->pcp = calloc(r->s->nr_zones * cpus + 1, sizeof(*r->s->pcp));
	if (!r->s->pcp)
		return -ENOMEM;
	for (size_t i = 0; i < r->s->nr_zones && !err; i++) {
		err = check_zone(r, &r->s->zones[i]);
		if (!err)
			err = read_zone(r, &r->s->zones[i], i);
	}
	return err;
}

static int read_zoneinfo(struct state_reader *r)
{
	struct figures found = {.with_state = true};
	int err = captured_state_file(r->s, "zoneinfo.txt", r->diag, &r->zoneinfo);

	if (err == -ENOENT)
		diag_error(r->diag, err, r->s->dir, 0,
			   "zoneinfo.txt is missing: expected it in this folder");
	if (!err)
		err = figures_parse_zoneinfo(&r->zoneinfo, r->diag, &found);
	for (size_t i = 0; i < found.nr && !err; i++) {
		r->sorted.line = found.at[i].line;
		figures_text(&r->sorted, found.at[i].group, found.at[i].value, "%s",
			     found.at[i].name);
	}
	if (!err && r->sorted.failed)
		err = -ENOMEM;
	figures_sort(&r->sorted);
	if (!err)
		err = read_zones(r, &found);
	figures_clear(&found);
	return err;
}

/* nodeN.numastat: "numa_hit 14988" */
static int parse_numastat(const struct capture_file *f, struct diag *diag, struct mm_numastat *out)
{
	const struct {
		const char *key;
		uint64_t *value;
	} keys[] = {{"numa_hit", &out->numa_hit},         {"numa_miss", &out->numa_miss},
		    {"numa_foreign", &out->numa_foreign}, {"interleave_hit", &out->interleave_hit},
		    {"local_node", &out->local_node},     {"other_node", &out->other_node}};
	const size_t nr = sizeof(keys) / sizeof(*keys);
	unsigned found = 0;

	for (size_t i = 0; i < f->nr_lines; i++) {
		size_t len = strcspn(f->lines[i], " \t"), k = 0;

		while (k < nr &&
		       (strlen(keys[k].key) != len || strncmp(keys[k].key, f->lines[i], len) != 0))
			k++;
		if (k == nr)
			continue;
		if (!scan_whole(f->lines[i] + len, keys[k].value))
			return capture_wrong(f, i, diag, "expected a number, found '%s'",
					     capture_quote(f->lines[i] + len).text);
		found |= 1u << k;
	}
	for (size_t k = 0; k < nr; k++)
		if (!(found & 1u << k))
			return capture_wrong(f, f->nr_lines - 1, diag,
					     "expected a line '%s N', found none: is the file cut?",
					     keys[k].key);
	return 0;
}

static int read_numastats(struct captured_state *s, struct diag *diag)
{
	int err = 0;

	s->numastat = calloc((size_t)s->nr_nodes, sizeof(*s->numastat));
	s->has_numastat = calloc((size_t)s->nr_nodes, sizeof(*s->has_numastat));
	if (!s->numastat || !s->has_numastat)
		return -ENOMEM;
	for (int nid = 0; nid < s->nr_nodes && !err; nid++) {
		struct capture_file f;
		char name[32];

		snprintf(name, sizeof(name), "node%d.numastat.txt", nid);
		err = captured_state_file(s, name, diag, &f);
		if (!err)
			err = parse_numastat(&f, diag, &s->numastat[nid]);
		s->has_numastat[nid] = !err;
		if (err == -ENOENT)
			err = 0;
		capture_close(&f);
	}
	return err;
}

/* "min_free_kbytes = 1500"; what a kernel does not have is "KEY absent". */
static int parse_settings(struct captured_state *s, const struct capture_file *f)
{
	s->settings = calloc(f->nr_lines, sizeof(*s->settings));
	if (!s->settings)
		return -ENOMEM;
	for (size_t i = 0; i < f->nr_lines; i++) {
		struct captured_setting *one = &s->settings[s->nr_settings];
		const char *p = f->lines[i], *equals = strchr(p, '=');
		size_t len;

		scan_text(&p, "vm.");
		len = strcspn(p, " \t=");
		if (!equals || !len)
			continue;
		equals++;
		scan_blanks(&equals);
		one->key = strndup(p, len);
		one->value = strdup(equals);
		s->nr_settings++;
		if (!one->key || !one->value)
			return -ENOMEM;
	}
	return 0;
}

static int read_settings(struct captured_state *s, struct diag *diag)
{
	struct capture_file f;
	int err = captured_state_file(s, "sysctl_vm.txt", diag, &f);

	if (!err)
		err = parse_settings(s, &f);
	capture_close(&f);
	return err == -ENOENT ? 0 : err;
}

int captured_state_file(const struct captured_state *s, const char *name, struct diag *diag,
			struct capture_file *out)
{
	char path[64];

	snprintf(path, sizeof(path), "%s%s", s->folder, name);
	return capture_read(s->from, path, diag, out);
}

/* Does the capture itself, and not its boot/, hold zoneinfo? */
static bool holds_zoneinfo(const struct capture *c)
{
	struct diag ignored = DIAG_INIT;
	struct capture_file f;
	int err = capture_read(c, "./zoneinfo.txt", &ignored, &f);

	capture_close(&f);
	diag_clear(&ignored);
	return err != -ENOENT;
}

/* Where the files are: in the folder `which`, or in the capture itself. */
static int find_folder(struct captured_state *s, const struct capture *c, const char *which,
		       bool optional, struct diag *diag)
{
	bool is_there = capture_has_folder(c, which);

	if (!is_there && optional)
		return 0;
	if (!is_there && !holds_zoneinfo(c))
		return diag_error(diag, -ENOENT, capture_path(c), 0,
				  "found neither a folder %s/ nor zoneinfo.txt in it: expected the "
				  "state in which a traced window began",
				  which);
	s->from = c;
	s->folder = !is_there ? "./" : !strcmp(which, "before") ? "before/" : "after/";
	if (is_there && asprintf(&s->dir, "%s/%s", capture_path(c), which) < 0)
		s->dir = NULL;
	if (!is_there)
		s->dir = strdup(capture_path(c));
	return s->dir ? 0 : -ENOMEM;
}

int captured_state_read(const struct capture *c, const char *which, bool optional,
			const struct mm *mm, struct diag *diag, struct captured_state **out)
{
	struct captured_state *s = calloc(1, sizeof(*s));
	struct state_reader r = {.s = s, .mm = mm, .diag = diag};
	int err = s ? find_folder(s, c, which, optional, diag) : -ENOMEM;

	*out = NULL;
	if (err || !s->dir) {
		captured_state_free(s);
		return err;
	}
	s->nr_nodes = mm_nr_nodes(mm);
	s->nr_cpus = mm_nr_cpus(mm);
	err = read_zoneinfo(&r);
	if (!err)
		err = captured_lists_read(s, mm, diag);
	if (!err)
		err = read_numastats(s, diag);
	if (!err)
		err = read_settings(s, diag);
	capture_close(&r.zoneinfo);
	figures_clear(&r.sorted);
	s->from = NULL;
	if (err)
		captured_state_free(s);
	else
		*out = s;
	return err;
}

void captured_state_free(struct captured_state *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->nr_settings; i++) {
		free(s->settings[i].key);
		free(s->settings[i].value);
	}
	free(s->settings);
	free(s->numastat);
	free(s->has_numastat);
	free(s->pcp);
	free(s->nr_free_pages);
	free(s->zones);
	free(s->dir);
	free(s);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * /proc/zoneinfo of any kernel, by key: keys differ between versions, and so does their order.
 * Statistics of nodes are skipped, and of those of zones all that says nothing of its pages.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "mm/types.h"
#include "sim/capture/figures.h"

#define MAX_NAME 16

/* Keys of a zone that each zone has, whatever the version. */
static const char *const zone_keys[] = {"min", "low", "high", "spanned", "present", "managed"};
#define NR_ZONE_KEYS   (sizeof(zone_keys) / sizeof(*zone_keys))
#define HIGH           2
#define PRESENT        4
#define HAS_PROTECTION (1u << NR_ZONE_KEYS)
#define HAS_START      (2u << NR_ZONE_KEYS)

/* What changes while the kernel runs, and need not be there: older kernels have fewer. */
static const char *const state_keys[] = {
	"pages free",
	"boost",
	"nr_zone_inactive_anon",
	"nr_zone_active_anon",
	"nr_zone_inactive_file",
	"nr_zone_active_file",
	"nr_zone_unevictable",
};
#define NR_STATE_KEYS (sizeof(state_keys) / sizeof(*state_keys))

struct zoneinfo_reader {
	const struct capture_file *f;
	struct diag *diag;
	struct figures *out;
	size_t line;
	bool inside; /* a zone has begun */
	size_t zone_line;
	int nid;
	char zone[MAX_NAME];
	unsigned found; /* bits of zone_keys, HAS_... */
	uint64_t boost; /* part of min, low and high for a while: of what ran, not of boot */
	bool populated;
	int cpu; /* whose lists are told; -1: none */
};

static int wrong(struct zoneinfo_reader *r, const char *expected)
{
	return capture_wrong(r->f, r->line, r->diag, "expected %s, found '%s'", expected,
			     capture_quote(r->f->lines[r->line]).text);
}

/* A zone has all that each zone has, or the file was cut. */
static int end_zone(struct zoneinfo_reader *r)
{
	const char *missing = NULL;

	if (!r->inside)
		return 0;
	if (r->populated && !(r->found & HAS_START))
		missing = "start_pfn";
	if (!(r->found & HAS_PROTECTION))
		missing = "protection";
	for (size_t k = 0; k < NR_ZONE_KEYS; k++)
		if (!(r->found & 1u << k))
			missing = zone_keys[k];
	if (!missing)
		return 0;
	return capture_wrong(r->f, r->zone_line, r->diag,
			     "zone %s of node %d has no '%s': is the file cut?", r->zone, r->nid,
			     missing);
}

/* "Node 0, zone      DMA" */
static int start_zone(struct zoneinfo_reader *r, const char *p)
{
	int err = end_zone(r);
	uint64_t nid;
	size_t len;

	if (err)
		return err;
	if (!scan_decimal(&p, &nid) || nid >= MM_MAX_NODES || !scan_text(&p, ", zone") ||
	    !scan_blanks(&p))
		return wrong(r, "'Node N, zone NAME'");
	len = strcspn(p, " \t");
	if (len == 0 || len >= MAX_NAME || p[len])
		return wrong(r, "'Node N, zone NAME'");
	memcpy(r->zone, p, len + 1);
	r->nid = (int)nid;
	r->inside = true;
	r->zone_line = r->line;
	r->found = 0;
	r->populated = false;
	r->boost = 0;
	r->cpu = -1;
	return 0;
}

/* "(0, 939, 939)" */
static int read_protection(struct zoneinfo_reader *r, const char *p)
{
	bool more = scan_text(&p, "(");
	int i = 0;

	while (more) {
		uint64_t pages;

		if (!scan_decimal(&p, &pages) || i == 2 * MM_MAX_ZONES)
			break;
		figures_number(r->out, FIGURES_ZONES, pages, "node %d, zone %s: protection[%d]",
			       r->nid, r->zone, i++);
		more = scan_text(&p, ", ");
	}
	if (more || !i || strcmp(p, ")"))
		return wrong(r, "'protection: (N, ...)'");
	r->found |= HAS_PROTECTION;
	return 0;
}

/* A figure of one CPU's lists, after its "cpu: N". */
static int read_cpu(struct zoneinfo_reader *r, const char *key, const char *p)
{
	uint64_t value;

	if (!scan_whole(p, &value))
		return wrong(r, "a number");
	if (!strcmp(key, "cpu")) {
		if (value >= MM_MAX_CPUS)
			return wrong(r, "a CPU below 8192");
		r->cpu = (int)value;
	} else if (r->cpu >= 0) {
		figures_number(r->out, FIGURES_ZONES, value, "node %d, zone %s, cpu %d: %s", r->nid,
			       r->zone, r->cpu, key);
	}
	return 0;
}

static int read_key(struct zoneinfo_reader *r, size_t k, const char *p)
{
	uint64_t value;

	if (r->found & 1u << k)
		return wrong(r, "this key once a zone");
	if (!scan_whole(p, &value))
		return wrong(r, "a number");
	if (k <= HIGH && value < r->boost)
		return wrong(r, "at least the boost");
	r->found |= 1u << k;
	value -= k <= HIGH ? r->boost : 0;
	if (k == PRESENT)
		r->populated = value > 0;
	figures_number(r->out, FIGURES_ZONES, value, "node %d, zone %s: %s", r->nid, r->zone,
		       zone_keys[k]);
	return 0;
}

static int read_state(struct zoneinfo_reader *r, const char *key, const char *p)
{
	uint64_t value;

	if (!scan_whole(p, &value))
		return wrong(r, "a number");
	figures_number(r->out, FIGURES_ZONES, value, "node %d, zone %s: %s", r->nid, r->zone, key);
	return 0;
}

static int read_start(struct zoneinfo_reader *r, const char *p)
{
	uint64_t pfn;

	if (!scan_whole(p, &pfn))
		return wrong(r, "a number");
	r->found |= HAS_START;
	if (r->populated)
		figures_number(r->out, FIGURES_ZONES, pfn, "node %d, zone %s: start_pfn", r->nid,
			       r->zone);
	return 0;
}

static int read_line(struct zoneinfo_reader *r)
{
	static const char *const cpu_keys[] = {"cpu", "high", "batch", "vm stats threshold",
					       "count"};
	const size_t nr_cpu_keys = sizeof(cpu_keys) / sizeof(*cpu_keys) - !r->out->with_state;
	const char *p = r->f->lines[r->line];

	if (scan_text(&p, "Node "))
		return start_zone(r, p);
	scan_blanks(&p);
	if (!r->inside)
		return *p ? wrong(r, "'Node N, zone NAME'") : 0;
	if (scan_text(&p, "protection: "))
		return read_protection(r, p);
	if (scan_text(&p, "start_pfn:"))
		return read_start(r, p);
	if (scan_text(&p, "boost "))
		return scan_whole(p, &r->boost) ? 0 : wrong(r, "a number");
	for (size_t k = 0; k < nr_cpu_keys; k++) {
		const char *value = p;

		if (scan_text(&value, cpu_keys[k]) && scan_text(&value, ":"))
			return read_cpu(r, cpu_keys[k], value);
	}
	for (size_t k = 0; k < NR_ZONE_KEYS; k++) {
		const char *value = p;

		if (scan_text(&value, zone_keys[k]) && *value == ' ')
			return read_key(r, k, value);
	}
	for (size_t k = 0; r->out->with_state && k < NR_STATE_KEYS; k++) {
		const char *value = p;

		if (scan_text(&value, state_keys[k]) && *value == ' ')
			return read_state(r, state_keys[k], value);
	}
	return 0;
}

int figures_parse_zoneinfo(const struct capture_file *f, struct diag *diag, struct figures *out)
{
	struct zoneinfo_reader r = {.f = f, .diag = diag, .out = out};
	int err = 0;

	for (; !err && r.line < f->nr_lines; r.line++) {
		out->line = r.line;
		err = read_line(&r);
	}
	if (!err)
		err = end_zone(&r);
	if (!err && !r.inside)
		err = capture_wrong(f, 0, diag, "expected 'Node N, zone NAME', found no zone");
	return err ? err : out->failed ? -ENOMEM : 0;
}

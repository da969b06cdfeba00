/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pagetypeinfo and buddyinfo. The kernel writes both, and zoneinfo, one after the other, and what
 * runs meanwhile allocates; so they may differ by what CPUs keep to themselves, and not by more.
 */
#include "sim/capture/lists.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const char *const type_names[MM_NR_MIGRATETYPES] = {
	[MM_UNMOVABLE] = "Unmovable",   [MM_MOVABLE] = "Movable", [MM_RECLAIMABLE] = "Reclaimable",
	[MM_HIGHATOMIC] = "HighAtomic", [MM_CMA] = "CMA",         [MM_ISOLATE] = "Isolate",
};

struct lists_reader {
	struct captured_state *s;
	const struct mm *mm;
	struct diag *diag;
	struct capture_file f;
	size_t line;
	/* pagetypeinfo: */
	enum mm_migratetype columns[MM_NR_MIGRATETYPES]; /* of "Number of blocks type" */
	int nr_columns;                                  /* 0: not there yet */
	unsigned *free_seen; /* by zone of s: bits of the types whose free blocks are told */
	bool *blocks_seen;   /* by zone of s */
};

static int wrong(struct lists_reader *r, const char *expected)
{
	return capture_wrong(&r->f, r->line, r->diag, "expected %s, found '%s'", expected,
			     capture_quote(r->f.lines[r->line]).text);
}

static const char *zone_name(const struct lists_reader *r, const struct mm_zone_state *z)
{
	return mm_get_arch(r->mm)->zones[z->zone].name;
}

/* A word, up to a blank or a comma. */
static size_t word_length(const char *p)
{
	return strcspn(p, " \t,");
}

/*
 * "Node 0, zone DMA32": the zone of s, and what follows. NULL with *err set where it is none;
 * with *err 0 where the zone is one that has no memory.
 */
static struct mm_zone_state *scan_zone(struct lists_reader *r, const char **p, int *err)
{
	uint64_t nid;
	size_t len;

	*err = 0;
	if (scan_text(p, "Node") && scan_blanks(p) && scan_decimal(p, &nid) &&
	    scan_text(p, ", zone") && scan_blanks(p)) {
		len = word_length(*p);
		for (size_t i = 0; i < r->s->nr_zones; i++) {
			struct mm_zone_state *z = &r->s->zones[i];

			if ((uint64_t)z->nid == nid && strlen(zone_name(r, z)) == len &&
			    !strncmp(zone_name(r, z), *p, len)) {
				*p += len;
				return z;
			}
		}
		if (nid < (uint64_t)mm_nr_nodes(r->mm))
			for (int z = 0; z < mm_get_arch(r->mm)->nr_zones; z++)
				if (!strncmp(mm_get_arch(r->mm)->zones[z].name, *p, len) &&
				    !mm_get_arch(r->mm)->zones[z].name[len])
					return NULL;
		*err = wrong(r, "a zone that the machine has and that zoneinfo.txt tells");
		return NULL;
	}
	*err = wrong(r, "'Node N, zone NAME'");
	return NULL;
}

static int find_type(const char **p, enum mm_migratetype *type)
{
	size_t len;

	scan_blanks(p);
	len = word_length(*p);
	for (int t = 0; t < MM_NR_MIGRATETYPES; t++)
		if (strlen(type_names[t]) == len && !strncmp(type_names[t], *p, len)) {
			*type = (enum mm_migratetype)t;
			*p += len;
			return 0;
		}
	return -EINVAL;
}

/* The kernel gave up counting: ">100000". */
#define MANY UINT64_MAX

/* Exactly `nr` numbers, and nothing behind them. MANY may be one of them. */
static int scan_counts(struct lists_reader *r, const char *p, uint64_t *counts, int nr,
		       const char *expected)
{
	for (int i = 0; i < nr; i++) {
		scan_blanks(&p);
		bool many = scan_text(&p, ">");
		if (!scan_decimal(&p, &counts[i]) || counts[i] > UINT64_MAX >> 16)
			return wrong(r, expected);
		if (many)
			counts[i] = MANY;
	}
	scan_blanks(&p);
	return *p ? wrong(r, expected) : 0;
}

#define ORDERS "'Node N, zone NAME, type TYPE' and a number for each of 11 orders"

/* "Node    0, zone    DMA32, type    Unmovable     32     47 ..." */
static int read_free(struct lists_reader *r)
{
	const char *p = r->f.lines[r->line];
	enum mm_migratetype type;
	int err;
	struct mm_zone_state *z = scan_zone(r, &p, &err);
	unsigned *seen;

	if (!z)
		return err;
	if (!scan_text(&p, ",") || !scan_blanks(&p) || !scan_text(&p, "type") ||
	    find_type(&p, &type))
		return wrong(r, ORDERS);
	seen = &r->free_seen[z - r->s->zones];
	if (*seen & 1u << type)
		return wrong(r, "each zone and type once");
	*seen |= 1u << type;
	return scan_counts(r, p, z->free_blocks[type], NR_PAGE_ORDERS, ORDERS);
}

/* "Number of blocks type     Unmovable      Movable ..." */
static int read_columns(struct lists_reader *r, const char *p)
{
	int nr = 0;

	for (scan_blanks(&p); *p; scan_blanks(&p))
		if (nr == MM_NR_MIGRATETYPES || find_type(&p, &r->columns[nr++]))
			return wrong(r, "the names of mobilities");
	r->nr_columns = nr;
	return nr ? 0 : wrong(r, "the names of mobilities");
}

/* What is not counted is a guess of the start, which the state after the run does not need. */
static void tell_uncounted(const struct lists_reader *r, const struct mm_zone_state *z)
{
	uint64_t here[MM_NR_MIGRATETYPES], nr_here = 0, nr = 0;

	mm_zone_pageblocks(r->mm, z->nid, z->zone, here);
	for (int t = 0; t < MM_NR_MIGRATETYPES; t++) {
		nr_here += here[t];
		nr += z->page_blocks[t];
	}
	if (nr < nr_here && strncmp(r->s->folder, "after", strlen("after")))
		diag_warn(r->diag, r->f.path, (unsigned)r->line + 1,
			  "node %d, zone %s: %" PRIu64 " of its %" PRIu64
			  " page blocks are counted; the others are taken to be movable",
			  z->nid, zone_name(r, z), nr, nr_here);
}

/* "Node 0, zone    DMA32           31          211            6 ..." */
static int read_page_blocks(struct lists_reader *r)
{
	const char *p = r->f.lines[r->line];
	uint64_t counts[MM_NR_MIGRATETYPES];
	int err;
	struct mm_zone_state *z = scan_zone(r, &p, &err);

	if (!z)
		return err;
	if (r->blocks_seen[z - r->s->zones])
		return wrong(r, "each zone once");
	r->blocks_seen[z - r->s->zones] = true;
	err = scan_counts(r, p, counts, r->nr_columns, "a number for each mobility");
	for (int i = 0; i < r->nr_columns && !err; i++)
		z->page_blocks[r->columns[i]] = counts[i];
	if (!err)
		tell_uncounted(r, z);
	return err;
}

static int check_block_order(struct lists_reader *r, const char *p)
{
	uint64_t order;

	if (!scan_whole(p, &order))
		return wrong(r, "a number");
	if (order == mm_get_arch(r->mm)->pageblock_order)
		return 0;
	return capture_wrong(&r->f, r->line, r->diag,
			     "page blocks are of order %" PRIu64 ", but of %u on the machine",
			     order, mm_get_arch(r->mm)->pageblock_order);
}

/* Nodes come one after the other, each with its head lines. */
static int read_pagetype_line(struct lists_reader *r)
{
	const char *p = r->f.lines[r->line];

	if (scan_text(&p, "Page block order:"))
		return check_block_order(r, p);
	if (scan_text(&p, "Free pages count per migrate type")) {
		r->nr_columns = 0;
		return 0;
	}
	if (scan_text(&p, "Number of blocks type"))
		return read_columns(r, p);
	if (scan_text(&p, "Node"))
		return r->nr_columns ? read_page_blocks(r) : read_free(r);
	if (scan_text(&p, "Pages per block:") || scan_text(&p, "Number of mixed blocks"))
		return 0;
	scan_blanks(&p);
	return *p ? wrong(r, "a line of /proc/pagetypeinfo") : 0;
}

static int read_pagetypeinfo(struct lists_reader *r)
{
	int err = captured_state_file(r->s, "pagetypeinfo.txt", r->diag, &r->f);

	if (err == -ENOENT)
		diag_error(r->diag, err, r->s->dir, 0,
			   "pagetypeinfo.txt is missing: expected it in this folder");
	for (r->line = 0; !err && r->line < r->f.nr_lines; r->line++)
		err = read_pagetype_line(r);
	for (size_t i = 0; !err && i < r->s->nr_zones; i++) {
		const unsigned needed = (1u << MM_NR_PCPTYPES) - 1;

		if ((r->free_seen[i] & needed) != needed || !r->blocks_seen[i])
			err = capture_wrong(&r->f, r->f.nr_lines - 1, r->diag,
					    "node %d, zone %s: expected its %s, found none: is the "
					    "file cut?",
					    r->s->zones[i].nid, zone_name(r, &r->s->zones[i]),
					    r->blocks_seen[i] ? "free blocks" : "page blocks");
	}
	capture_close(&r->f);
	return err;
}

static uint64_t free_pages(const struct mm_zone_state *z)
{
	uint64_t pages = 0;

	for (int t = 0; t < MM_NR_MIGRATETYPES; t++)
		for (unsigned o = 0; o < NR_PAGE_ORDERS; o++)
			pages += z->free_blocks[t][o] << o;
	return pages;
}

/* What may be on the way between two looks: CPUs' lists, and counts that they hold back. */
static uint64_t slack(const struct lists_reader *r, const struct mm_zone_state *z)
{
	uint64_t pages = 0;

	for (int cpu = 0; cpu < r->s->nr_cpus; cpu++)
		pages +=
			z->pcp[cpu].high + z->pcp[cpu].batch + (uint64_t)z->pcp[cpu].stat_threshold;
	return pages;
}

static bool contradicts(uint64_t a, uint64_t b, uint64_t slack)
{
	return (a > b ? a - b : b - a) > slack;
}

/* Where the kernel gave up for one mobility, buddyinfo has the sum over all. */
static int find_many(struct lists_reader *r, struct mm_zone_state *z, const uint64_t *counts)
{
	for (unsigned o = 0; o < NR_PAGE_ORDERS; o++) {
		uint64_t others = 0, *many = NULL;

		for (int t = 0; t < MM_NR_MIGRATETYPES; t++) {
			if (z->free_blocks[t][o] != MANY)
				others += z->free_blocks[t][o];
			else if (many)
				return wrong(r, "one mobility with too many free blocks to count");
			else
				many = &z->free_blocks[t][o];
		}
		if (!many)
			continue;
		if (counts[o] < others)
			return wrong(r, "as many free blocks as in pagetypeinfo.txt");
		*many = counts[o] - others;
	}
	return 0;
}

static int check_counted(const struct lists_reader *r)
{
	for (size_t i = 0; i < r->s->nr_zones; i++)
		for (int t = 0; t < MM_NR_MIGRATETYPES; t++)
			for (unsigned o = 0; o < NR_PAGE_ORDERS; o++)
				if (r->s->zones[i].free_blocks[t][o] == MANY)
					return diag_error(
						r->diag, -EINVAL, r->s->dir, 0,
						"node %d, zone %s: more free blocks than "
						"pagetypeinfo.txt counts, expected their number "
						"in buddyinfo.txt",
						r->s->zones[i].nid, zone_name(r, &r->s->zones[i]));
	return 0;
}

/* "Node 0, zone      DMA      0      0 ..." */
static int check_buddy_line(struct lists_reader *r)
{
	const char *p = r->f.lines[r->line];
	uint64_t counts[NR_PAGE_ORDERS], pages = 0;
	int err;
	struct mm_zone_state *z = scan_zone(r, &p, &err);

	if (!z)
		return err;
	err = scan_counts(r, p, counts, NR_PAGE_ORDERS,
			  "'Node N, zone NAME' and a number for each of 11 orders");
	for (unsigned o = 0; o < NR_PAGE_ORDERS && !err; o++)
		pages += counts[o] << o;
	if (!err)
		err = find_many(r, z, counts);
	if (!err && contradicts(pages, free_pages(z), slack(r, z)))
		err = capture_wrong(&r->f, r->line, r->diag,
				    "node %d, zone %s: %" PRIu64
				    " pages are free here, but %" PRIu64
				    " in pagetypeinfo.txt: expected files of one moment",
				    z->nid, zone_name(r, z), pages, free_pages(z));
	return err;
}

static int check_buddyinfo(struct lists_reader *r)
{
	int err = captured_state_file(r->s, "buddyinfo.txt", r->diag, &r->f);

	if (err == -ENOENT)
		return 0;
	for (r->line = 0; !err && r->line < r->f.nr_lines; r->line++)
		err = check_buddy_line(r);
	capture_close(&r->f);
	return err;
}

/* The counter of free pages and the lists may differ a little: CPUs hold back the rest. */
static int check_zones(const struct lists_reader *r)
{
	for (size_t i = 0; i < r->s->nr_zones; i++) {
		struct mm_zone_state *z = &r->s->zones[i];

		z->held_back = (int64_t)(free_pages(z) - r->s->nr_free_pages[i]);
		if (contradicts(r->s->nr_free_pages[i], free_pages(z), slack(r, z)))
			return diag_error(r->diag, -EINVAL, r->s->dir, 0,
					  "node %d, zone %s: %" PRIu64
					  " pages are free in zoneinfo.txt, but %" PRIu64
					  " in pagetypeinfo.txt: expected files of one moment",
					  z->nid, zone_name(r, z), r->s->nr_free_pages[i],
					  free_pages(z));
	}
	return 0;
}

int captured_lists_read(struct captured_state *s, const struct mm *mm, struct diag *diag)
{
	struct lists_reader r = {.s = s, .mm = mm, .diag = diag};
	int err = -ENOMEM;

	r.free_seen = calloc(s->nr_zones + 1, sizeof(*r.free_seen));
	r.blocks_seen = calloc(s->nr_zones + 1, sizeof(*r.blocks_seen));
	if (r.free_seen && r.blocks_seen)
		err = read_pagetypeinfo(&r);
	if (!err)
		err = check_buddyinfo(&r);
	if (!err)
		err = check_counted(&r);
	if (!err)
		err = check_zones(&r);
	free(r.free_seen);
	free(r.blocks_seen);
	return err;
}

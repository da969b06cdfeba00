/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lists of ranges, and the files that are such lists. A row that cannot be read is an error, never
 * skipped: half a list would make another machine.
 */
#include "sim/capture/ranges.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

int ranges_add(struct captured_ranges *r, const struct captured_range *range, const char *what,
	       size_t len)
{
	if (r->nr == CAPTURE_MAX_RANGES)
		return -E2BIG;
	if (r->nr == r->room) {
		size_t room = r->room ? 2 * r->room : 16;
		struct captured_range *at = realloc(r->at, room * sizeof(*at));

		if (!at)
			return -ENOMEM;
		r->at = at;
		r->room = room;
	}
	r->at[r->nr] = *range;
	r->at[r->nr].what = what ? strndup(what, len) : NULL;
	if (what && !r->at[r->nr].what)
		return -ENOMEM;
	r->nr++;
	return 0;
}

void ranges_clear(struct captured_ranges *r)
{
	for (size_t i = 0; i < r->nr; i++)
		free(r->at[i].what);
	free(r->at);
	*r = (struct captured_ranges){0};
}

static int by_address(const void *va, const void *vb)
{
	const struct captured_range *a = va, *b = vb;

	if (a->start != b->start)
		return a->start < b->start ? -1 : 1;
	return a->line < b->line ? -1 : a->line > b->line;
}

void ranges_sort(struct captured_ranges *r)
{
	if (r->nr)
		qsort(r->at, r->nr, sizeof(*r->at), by_address);
}

const struct captured_range *ranges_find(const struct captured_ranges *all, const char *what)
{
	for (size_t i = 0; i < all->nr; i++)
		if (all->at[i].what && !strcmp(all->at[i].what, what))
			return &all->at[i];
	return NULL;
}

/* What adding a row came to, as an error of the row. */
static int add_row(const struct capture_file *f, size_t i, struct diag *diag,
		   struct captured_ranges *out, struct captured_range *range, const char *what,
		   size_t len)
{
	int err;

	range->line = i;
	err = ranges_add(out, range, what, len);
	if (err == -E2BIG)
		return capture_wrong(f, i, diag, "expected at most %d rows", CAPTURE_MAX_RANGES);
	return err;
}

/* A row within another one is a part of it. */
static int check_nested(const struct capture_file *f, size_t i, struct diag *diag,
			const struct captured_range *range, const struct captured_range *parent)
{
	if (!range->nested || (range->start >= parent->start && range->end <= parent->end))
		return 0;
	return capture_wrong(
		f, i, diag, "the range is not within that of line %zu, of which it is a part: '%s'",
		parent->line + 1, capture_quote(f->lines[i]).text);
}

int ranges_parse_iomem(const struct capture_file *f, struct diag *diag, struct captured_ranges *out)
{
	struct captured_range parent = {0};
	bool addresses = false;

	for (size_t i = 0; i < f->nr_lines; i++) {
		struct captured_range range = {.nid = -1};
		const char *p = f->lines[i];
		uint64_t last;
		int err;

		if (!*p)
			continue;
		range.nested = *p == ' ';
		if (!scan_blanks(&p) || !scan_hex(&p, &range.start) || !scan_text(&p, "-") ||
		    !scan_hex(&p, &last) || !scan_text(&p, " : "))
			return capture_wrong(f, i, diag,
					     "expected 'START-END : NAME' in hexadecimal, found "
					     "'%s'",
					     capture_quote(f->lines[i]).text);
		if (last < range.start || last == UINT64_MAX)
			return capture_wrong(f, i, diag,
					     "the range ends before it starts, or beyond 64 bits: "
					     "'%s'",
					     capture_quote(f->lines[i]).text);
		range.end = last + 1;
		addresses |= last > 0;
		err = check_nested(f, i, diag, &range, &parent);
		if (!err)
			err = add_row(f, i, diag, out, &range, p, strlen(p));
		if (!range.nested)
			parent = range;
		if (err)
			return err;
	}
	if (!addresses)
		return capture_wrong(f, 0, diag,
				     "every address is 0: the kernel shows addresses only to root");
	return 0;
}

/* "START <tab> END <tab> BYTES", which have to agree. */
static int scan_row(const struct capture_file *f, size_t i, struct diag *diag, const char **p,
		    struct captured_range *range)
{
	uint64_t bytes;

	*p = f->lines[i];
	if (!scan_hex(p, &range->start) || !scan_text(p, "\t") || !scan_hex(p, &range->end) ||
	    !scan_text(p, "\t") || !scan_decimal(p, &bytes) || !scan_text(p, "\t"))
		return capture_wrong(f, i, diag,
				     "expected columns start, end (hexadecimal) and bytes, found "
				     "'%s'",
				     capture_quote(f->lines[i]).text);
	if (range->end <= range->start || range->end - range->start != bytes)
		return capture_wrong(f, i, diag,
				     "the columns disagree: from 0x%" PRIx64 " to 0x%" PRIx64
				     " are not %" PRIu64 " bytes",
				     range->start, range->end, bytes);
	return 0;
}

/* The first line names the columns; blank lines are no rows. */
static int check_head(const struct capture_file *f, struct diag *diag, const char *head)
{
	if (!f->nr_lines || strcmp(f->lines[0], head))
		return capture_wrong(f, 0, diag, "expected the columns '%s', found '%s'", head,
				     capture_quote(f->nr_lines ? f->lines[0] : "").text);
	if (f->nr_lines < 2)
		return capture_wrong(f, 0, diag, "the table has no rows");
	return 0;
}

int ranges_check_overlaps(const struct captured_ranges *sorted, const struct capture_file *f,
			  struct diag *diag)
{
	for (size_t i = 1; i < sorted->nr; i++) {
		const struct captured_range *a = &sorted->at[i - 1], *b = &sorted->at[i];

		if (b->start < a->end && b->nid < 0)
			return capture_wrong(f, b->line > a->line ? b->line : a->line, diag,
					     "[0x%" PRIx64 "-0x%" PRIx64 ") overlaps [0x%" PRIx64
					     "-0x%" PRIx64 ") of line %zu",
					     b->start, b->end, a->start, a->end,
					     (b->line > a->line ? a->line : b->line) + 1);
		if (b->start < a->end)
			return capture_wrong(f, b->line > a->line ? b->line : a->line, diag,
					     "[0x%" PRIx64 "-0x%" PRIx64 ") of node %d overlaps "
					     "[0x%" PRIx64 "-0x%" PRIx64 ") of node %d",
					     b->start, b->end, b->nid, a->start, a->end, a->nid);
	}
	return 0;
}

int ranges_parse_memory(const struct capture_file *f, struct diag *diag,
			struct captured_ranges *out)
{
	int err = check_head(f, diag, "start\tend\tbytes\tnode");

	for (size_t i = 1; !err && i < f->nr_lines; i++) {
		struct captured_range range = {0};
		const char *p;
		uint64_t nid;

		if (!f->lines[i][0])
			continue;
		err = scan_row(f, i, diag, &p, &range);
		if (err)
			return err;
		if (!scan_whole(p, &nid) || nid >= 1024)
			return capture_wrong(f, i, diag,
					     "expected a node from 0 to 1023, found '%s'",
					     capture_quote(p).text);
		range.nid = (int)nid;
		err = add_row(f, i, diag, out, &range, NULL, 0);
	}
	if (err)
		return err;
	ranges_sort(out);
	return ranges_check_overlaps(out, f, diag);
}

/* "sparse_init_nid (224 bytes)" and "vmemmap_alloc_block_zero.constprop.0 (...)": the function. */
static size_t name_length(const char *label)
{
	const char *end = strstr(label, " bytes)"), *cut;
	size_t len = strlen(label);

	if (end && !end[7]) {
		while (end > label && end[-1] >= '0' && end[-1] <= '9')
			end--;
		if (end - label >= 2 && !strncmp(end - 2, " (", 2))
			len = (size_t)(end - 2 - label);
	}
	cut = strstr(label, ".constprop.");
	if (!cut)
		cut = strstr(label, ".isra.");
	return cut && (size_t)(cut - label) < len ? (size_t)(cut - label) : len;
}

int ranges_parse_reserved(const struct capture_file *f, struct diag *diag,
			  struct captured_ranges *out)
{
	int err = check_head(f, diag, "start\tend\tbytes\tasked_for_by");

	for (size_t i = 1; !err && i < f->nr_lines; i++) {
		struct captured_range range = {.nid = -1};
		const char *p;

		if (!f->lines[i][0])
			continue;
		err = scan_row(f, i, diag, &p, &range);
		if (err)
			break;
		range.allocated = !strncmp(p, "NODE_DATA", 9) || strstr(p, " bytes)");
		err = add_row(f, i, diag, out, &range, p, name_length(p));
	}
	if (err)
		return err;
	ranges_sort(out);
	return ranges_check_overlaps(out, f, diag);
}

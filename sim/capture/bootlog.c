/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the kernel's messages and sysctls tell of what it made of the machine: fallback order,
 * zonelists, layout of page->flags (with mminit_loglevel=4), min_free_kbytes.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "mm/types.h"
#include "sim/capture/dmesg.h"
#include "sim/capture/figures.h"

struct log_reader {
	const struct capture_file *f;
	struct diag *diag;
	struct figures *out;
	size_t line;
	bool rebuilt; /* memory came or went, and all lists are told again */
};

static int wrong(struct log_reader *r, const char *expected)
{
	return capture_wrong(r->f, r->line, r->diag, "expected %s, found '%s'", expected,
			     capture_quote(dmesg_text(r->f->lines[r->line])).text);
}

/* The text without blanks at its end; free() it. */
static char *trimmed(struct log_reader *r, const char *p)
{
	size_t len = strlen(p);
	char *text;

	while (len && p[len - 1] == ' ')
		len--;
	text = strndup(p, len);
	r->out->failed |= !text;
	return text;
}

/* "0: 0 1 " */
static int read_order(struct log_reader *r, const char *p)
{
	uint64_t nid;
	char *text;

	if (!scan_decimal(&p, &nid) || nid >= MM_MAX_NODES || !scan_text(&p, ": "))
		return wrong(r, "'Fallback order for Node N: N ...'");
	text = trimmed(r, p);
	if (text)
		figures_text(r->out, FIGURES_FALLBACK, text, "fallback order for node %d",
			     (int)nid);
	free(text);
	return 0;
}

/* "general 0:DMA32 = 0:DMA32 0:DMA " */
static int read_zonelist(struct log_reader *r, const char *p)
{
	bool this_node = !strncmp(p, "thisnode ", 9);
	const char *equals = strstr(p, " = ");
	char *text;

	if (!equals || (!this_node && strncmp(p, "general ", 8)) || equals - p > 40)
		return wrong(r, "'zonelist general|thisnode N:ZONE = N:ZONE ...'");
	text = trimmed(r, equals + 3);
	if (text)
		figures_text(r->out, this_node ? FIGURES_THIS_NODE : FIGURES_GENERAL, text,
			     "zonelist %.*s", (int)(equals - p), p);
	free(text);
	return 0;
}

/* "Section 0 Node 10 Zone 3 Lastcpupid 21 ..." */
static int read_flags(struct log_reader *r, const char *p, const char *what)
{
	static const char *const fields[] = {"Section ", "Node ", "Zone ", "Lastcpupid "};

	for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++) {
		uint64_t value;

		if (!scan_text(&p, fields[i]) || !scan_decimal(&p, &value) || value > 64)
			return wrong(r, "Section, Node, Zone and Lastcpupid, each with bits");
		scan_blanks(&p);
		figures_number(r->out, FIGURES_PAGE_FLAGS, value, "page->flags: %.*s %s",
			       (int)strlen(fields[i]) - 1, fields[i], what);
	}
	return 0;
}

static int read_line(struct log_reader *r)
{
	const char *p = dmesg_text(r->f->lines[r->line]);

	if (scan_text(&p, "Built ") && strstr(p, " zonelists")) {
		r->rebuilt = true;
		return 0;
	}
	if (r->rebuilt)
		return 0;
	if (scan_text(&p, "Fallback order for Node "))
		return read_order(r, p);
	if (scan_text(&p, "mminit::zonelist "))
		return read_zonelist(r, p);
	if (scan_text(&p, "mminit::pageflags_layout_widths "))
		return read_flags(r, p, "width");
	if (scan_text(&p, "mminit::pageflags_layout_pgshifts "))
		return read_flags(r, p, "shift");
	return 0;
}

int figures_parse_dmesg(const struct capture_file *f, struct diag *diag, struct figures *out)
{
	struct log_reader r = {.f = f, .diag = diag, .out = out};
	int err = 0;

	for (; !err && r.line < f->nr_lines; r.line++)
		err = read_line(&r);
	return err ? err : out->failed ? -ENOMEM : 0;
}

int figures_parse_sysctl(const struct capture_file *f, struct diag *diag, struct figures *out)
{
	for (size_t i = 0; i < f->nr_lines; i++) {
		const char *p = f->lines[i];
		uint64_t kib;

		scan_text(&p, "vm.");
		if (!scan_text(&p, "min_free_kbytes") || !scan_blanks(&p) || !scan_text(&p, "="))
			continue;
		if (!scan_whole(p, &kib))
			return capture_wrong(f, i, diag, "expected a number of KiB, found '%s'",
					     capture_quote(p).text);
		figures_number(out, FIGURES_MIN_FREE, kib, "min_free_kbytes");
		return out->failed ? -ENOMEM : 0;
	}
	return capture_wrong(f, f->nr_lines - 1, diag,
			     "expected a line 'min_free_kbytes = N', found none");
}

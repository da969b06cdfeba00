/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The lines of a boot log that describe the machine. A log may lack its beginning (the ring buffer
 * of a long run): what is missing is the caller's to judge.
 */
#include "sim/capture/dmesg.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* "<6>[    0.123456] text", also with a thread after the time: "[    0.1][    T0] text". */
const char *dmesg_text(const char *line)
{
	const char *p = line;
	uint64_t number;

	if (scan_text(&p, "<") && !(scan_decimal(&p, &number) && scan_text(&p, ">")))
		p = line;
	while (*p == '[') {
		const char *end = p + 1 + strspn(p + 1, " .0123456789TC");

		if (*end != ']')
			break;
		p = end + 1;
	}
	scan_blanks(&p);
	return p;
}

struct dmesg_reader {
	const struct capture_file *f;
	struct diag *diag;
	struct captured_dmesg *out;
	size_t line;
	bool user_map; /* the command line changed the firmware's map */
	bool faked;    /* numa=fake made other nodes than SRAT has */
};

static int wrong(struct dmesg_reader *r, const char *expected)
{
	return capture_wrong(r->f, r->line, r->diag, "expected %s, found '%s'", expected,
			     capture_quote(dmesg_text(r->f->lines[r->line])).text);
}

static int add(struct dmesg_reader *r, struct captured_ranges *list,
	       const struct captured_range *range, const char *what, size_t len)
{
	struct captured_range copy = *range;
	int err;

	copy.line = r->line;
	err = ranges_add(list, &copy, what, len);
	return err == -E2BIG ? wrong(r, "at most 4096 such lines") : err;
}

static int keep_text(char **at, const char *text)
{
	if (*at)
		return 0;
	*at = strdup(text);
	return *at ? 0 : -ENOMEM;
}

static int read_version(struct dmesg_reader *r, const char *p)
{
	return keep_text(&r->out->version, p);
}

static int read_command_line(struct dmesg_reader *r, const char *p)
{
	return keep_text(&r->out->command_line, p);
}

/* "[mem 0x0-0x9fbff] usable" */
static int read_map(struct dmesg_reader *r, const char *p)
{
	struct captured_range range = {.nid = -1};

	if (!scan_mem(&p, &range.start, &range.end) || !scan_text(&p, " "))
		return wrong(r, "'[mem 0xSTART-0xEND] TYPE'");
	return strcmp(p, "usable") ? 0 : add(r, &r->out->usable, &range, NULL, 0);
}

static int read_e820(struct dmesg_reader *r, const char *p)
{
	return r->user_map ? 0 : read_map(r, p);
}

/* memmap= and mem= on the command line: the whole map follows, as changed. */
static int start_user_map(struct dmesg_reader *r, const char *p)
{
	(void)p;
	r->user_map = true;
	ranges_clear(&r->out->usable);
	return 0;
}

/* A number, and somewhere behind it the range. */
static int read_node(struct dmesg_reader *r, const char *p)
{
	struct captured_range range = {0};
	uint64_t nid;

	if (!scan_decimal(&p, &nid) || nid >= 1024 || !(p = strchr(p, '[')) ||
	    !scan_mem(&p, &range.start, &range.end))
		return wrong(r, "a node from 0 to 1023 and '[mem 0xSTART-0xEND]'");
	range.nid = (int)nid;
	return add(r, &r->out->nodes, &range, NULL, 0);
}

/* "Node 0 PXM 0 [mem 0x0-0x9ffff]", with words like "hotplug" behind it */
static int read_srat(struct dmesg_reader *r, const char *p)
{
	size_t nr = r->out->nodes.nr;
	int err = r->faked ? 0 : read_node(r, p);

	if (err || r->out->nodes.nr == nr)
		return err;
	if (r->out->nodes.at[nr].nid >= r->out->nr_srat)
		r->out->nr_srat = r->out->nodes.at[nr].nid + 1;
	if (strstr(p, "] hotplug"))
		return add(r, &r->out->hotpluggable, &r->out->nodes.at[nr], NULL, 0);
	return 0;
}

/* "mem07: [Conventional|  |  |MR|...|WB|  |  |  ] range=[0x100000000-0x17fffffff] (2048MB)" */
static int read_efi(struct dmesg_reader *r, const char *p)
{
	struct captured_range range = {.nid = -1};
	const char *at = strstr(p, "range=[");

	if (!at || !strstr(p, "|MR|"))
		return 0;
	at += strlen("range=[");
	if (!scan_hex(&at, &range.start) || !scan_text(&at, "-") || !scan_hex(&at, &range.end) ||
	    range.end < range.start || range.end == UINT64_MAX)
		return wrong(r, "'range=[0xSTART-0xEND]'");
	range.end++;
	return add(r, &r->out->mirrored, &range, NULL, 0);
}

/* "APIC table memory at [mem 0xbffe1901-0xbffe1938]" */
static int read_table(struct dmesg_reader *r, const char *p)
{
	struct captured_range range = {.nid = -1};
	const char *at = strstr(p, "table memory at ");

	if (!at)
		return 0;
	at += strlen("table memory at ");
	if (!scan_mem(&at, &range.start, &range.end))
		return wrong(r, "'[mem 0xSTART-0xEND]'");
	return add(r, &r->out->tables, &range, NULL, 0);
}

/* "Faking node 0 at [mem ...] (512MB)" */
static int read_faked(struct dmesg_reader *r, const char *p)
{
	if (!r->faked)
		ranges_clear(&r->out->nodes);
	r->faked = true;
	return read_node(r, p);
}

/* "Faking a node at [mem ...]": there is no NUMA, or the kernel does not believe SRAT. */
static int drop_nodes(struct dmesg_reader *r, const char *p)
{
	(void)p;
	ranges_clear(&r->out->nodes);
	r->out->nr_srat = 0;
	r->faked = true;
	return 0;
}

static int read_initrd(struct dmesg_reader *r, const char *p)
{
	struct captured_range range = {.nid = -1, .line = r->line};

	if (!scan_mem(&p, &range.start, &range.end))
		return wrong(r, "'[mem 0xSTART-0xEND]'");
	r->out->initrd = range;
	return 0;
}

/* "Freeing unused kernel image (initmem) memory: 2824K", also with " (address - address)" */
static int read_freeing(struct dmesg_reader *r, const char *p)
{
	static const char middle[] = " memory: ";
	struct captured_range range = {.nid = -1};
	const char *number = strstr(p, middle);
	uint64_t kib;

	if (!number)
		return 0;
	number += strlen(middle);
	if (!scan_decimal(&number, &kib) || *number != 'K' || kib == 0 || kib >> 40)
		return wrong(r, "a size in K");
	range.end = kib << 10;
	r->out->freed_init |= !strncmp(p, "unused kernel", 13);
	return add(r, &r->out->late, &range, p, (size_t)(strstr(p, middle) - p));
}

/* "Enabled xstate features 0x21f, context size is 2696 bytes, ..." */
static int read_xsave(struct dmesg_reader *r, const char *rest)
{
	const char *size = strstr(rest, "context size is ");

	if (size) {
		size += strlen("context size is ");
		scan_decimal(&size, &r->out->xsave_bytes);
	}
	return 0;
}

/* What a line begins with, and who reads the rest. */
static const struct {
	const char *start;
	int (*read)(struct dmesg_reader *r, const char *rest);
} kinds[] = {
	{"Linux version ", read_version},
	{"Command line: ", read_command_line},
	{"Kernel command line: ", read_command_line},
	{"BIOS-e820: ", read_e820},
	{"user-defined physical RAM map:", start_user_map},
	{"user: ", read_map},
	{"ACPI: SRAT: Node ", read_srat},
	{"SRAT: Node ", read_srat},
	{"ACPI: Reserving ", read_table},
	{"efi: mem", read_efi},
	{"Faking node ", read_faked},
	{"Faking a node at ", drop_nodes},
	{"RAMDISK: ", read_initrd},
	{"Allocated new RAMDISK: ", read_initrd},
	{"Freeing ", read_freeing},
	{"x86/fpu: Enabled xstate features ", read_xsave},
};

int dmesg_parse(const struct capture_file *f, struct diag *diag, struct captured_dmesg *out)
{
	struct dmesg_reader r = {.f = f, .diag = diag, .out = out};
	int err = 0;

	*out = (struct captured_dmesg){0};
	for (; !err && r.line < f->nr_lines; r.line++) {
		const char *text = dmesg_text(f->lines[r.line]);

		for (size_t k = 0; !err && k < sizeof(kinds) / sizeof(*kinds); k++) {
			const char *p = text;

			if (scan_text(&p, kinds[k].start))
				err = kinds[k].read(&r, p);
		}
	}
	if (err)
		return err;
	ranges_sort(&out->usable);
	ranges_sort(&out->nodes);
	ranges_sort(&out->hotpluggable);
	ranges_sort(&out->mirrored);
	err = ranges_check_overlaps(&out->usable, f, diag);
	return err ? err : ranges_check_overlaps(&out->nodes, f, diag);
}

void dmesg_clear(struct captured_dmesg *d)
{
	free(d->version);
	free(d->command_line);
	ranges_clear(&d->usable);
	ranges_clear(&d->nodes);
	ranges_clear(&d->hotpluggable);
	ranges_clear(&d->mirrored);
	ranges_clear(&d->tables);
	ranges_clear(&d->late);
	*d = (struct captured_dmesg){0};
}

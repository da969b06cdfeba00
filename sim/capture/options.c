/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a kernel's command line says of its memory, beyond what has already changed the ranges
 * (mem=, memmap=) and the nodes (numa=): kernelcore=, movablecore=, movable_node, vmalloc=,
 * transparent_hugepage=, page_owner=, page_table_check=, and the pool of huge pages (huge.c).
 */
#include "sim/capture/machine.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t memory_bytes(const struct captured_machine *m)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < m->memory.nr; i++)
		bytes += m->memory.at[i].end - m->memory.at[i].start;
	return bytes;
}

bool capture_size(const char *text, uint64_t *out)
{
	static const char units[] = "KMGT";
	const char *unit;
	uint64_t n;
	bool hex = text[0] == '0' && (text[1] | 0x20) == 'x';

	if (hex ? !scan_hex(&text, &n) : !scan_decimal(&text, &n))
		return false;
	unit = *text ? strchr(units, *text & ~0x20) : NULL;
	if (*text && (!unit || text[1]))
		return false;
	for (const char *u = units; unit && u <= unit; u++)
		if (__builtin_mul_overflow(n, UINT64_C(1024), &n))
			return false;
	*out = n;
	return true;
}

/* A size, or "30%" of all memory. */
static bool read_core(const struct captured_machine *m, const char *text, uint64_t *out)
{
	const char *end = text;
	uint64_t n;

	if (!scan_decimal(&end, &n) || strcmp(end, "%") != 0)
		return capture_size(text, out);
	/* The kernel: totalpages * 100 * percent / 10000. */
	*out = (memory_bytes(m) >> m->arch->page_shift) * n / 100 << m->arch->page_shift;
	return n <= 100;
}

void capture_left_out(struct diag *diag, const char *file, const char *option)
{
	diag_warn(diag, file, 0, "the option '%s' is not modelled: it is left out",
		  capture_quote(option).text);
}

/*
 * slub_debug=, slab_nomerge and slub_max_order= as the machine file has them. Whether a text is one
 * that the machine file takes is said when that is read.
 */
static bool read_slab_option(struct captured_machine *m, const char *option)
{
	const char *p = option;
	char text[160] = "";
	int which = 0;

	if (!strcmp(p, "slub_debug") || scan_text(&p, "slub_debug=")) {
		snprintf(text, sizeof(text), "slub_debug = \"%.*s\";", (int)strcspn(p, "\"\\\t"),
			 p == option ? "" : p);
	} else if (!strcmp(p, "slab_nomerge") || !strcmp(p, "slub_nomerge")) {
		snprintf(text, sizeof(text), "slab_nomerge = true;");
		which = 1;
	} else if (scan_text(&p, "slub_max_order=")) {
		snprintf(text, sizeof(text), "slub_max_order = %.*s;", (int)strspn(p, "0123456789"),
			 p);
		which = 2;
	}
	if (!*text)
		return false;
	free(m->slab_options[which]);
	m->slab_options[which] = strdup(text);
	return true;
}

static void read_option(struct captured_machine *m, const char *option, const char *file,
			struct diag *diag)
{
	static const char *const thp[] = {"always", "madvise", "never"};
	const char *p = option;

	if (!strncmp(p, "kernelcore=mirror", 17)) {
		m->kernelcore_mirror = true;
	} else if (scan_text(&p, "kernelcore=")) {
		if (!read_core(m, p, &m->kernelcore))
			capture_left_out(diag, file, option);
	} else if (scan_text(&p, "movablecore=")) {
		if (!read_core(m, p, &m->movablecore))
			capture_left_out(diag, file, option);
	} else if (scan_text(&p, "transparent_hugepage=")) {
		for (int i = 0; i < 3; i++)
			if (!strcmp(p, thp[i]))
				m->thp = thp[i];
	} else if (scan_text(&p, "vmalloc=")) {
		/* Elsewhere the kernel does not know it. */
		if (m->arch->id != MM_I386 && m->arch->id != MM_I386_NOPAE)
			return;
		if (!capture_size(p, &m->vmalloc))
			capture_left_out(diag, file, option);
	} else if (captured_huge_option(m, option, file, diag)) {
		; /* read */
	} else if (read_slab_option(m, option)) {
		; /* read */
	} else if (scan_text(&p, "page_owner=")) {
		m->page_owner = !strcmp(p, "on");
	} else if (scan_text(&p, "page_table_check=")) {
		m->page_table_check = !strcmp(p, "on");
	} else if (!strcmp(p, "movable_node")) {
		m->movable_node = m->arch->id == MM_X86_64 || m->arch->id == MM_ARM64;
	}
}

int captured_options_read(struct captured_machine *m, const char *file, struct diag *diag)
{
	char *line = strdup(m->command_line), *save = NULL;

	if (!line)
		return -ENOMEM;
	for (char *option = strtok_r(line, " ", &save); option;
	     option = strtok_r(NULL, " ", &save)) {
		read_option(m, option, file, diag);
	}
	free(line);
	return 0;
}

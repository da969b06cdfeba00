/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a capture says of huge pages: the pool by the command line (hugepagesz=, hugepages=,
 * default_hugepagesz=), and by thp.txt how hard a fault tries to get one.
 */
#include "sim/capture/machine.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "mm/huge/thp.h"

#define MOST_HUGEPAGES INT32_MAX

static uint64_t pool_size(const struct captured_machine *m)
{
	return UINT64_C(1) << (m->arch->page_shift + m->arch->pageblock_order);
}

static bool set_node(struct captured_machine *m, uint64_t nid, uint64_t count)
{
	int nr = m->nr_hugepages_of;
	uint64_t *grown;

	if (nid >= MM_MAX_NODES || count > MOST_HUGEPAGES)
		return false;
	if ((int)nid >= nr) {
		grown = realloc(m->hugepages_of, (nid + 1) * sizeof(*grown));
		if (!grown)
			return false;
		memset(grown + nr, 0, ((size_t)nid + 1 - (size_t)nr) * sizeof(*grown));
		m->hugepages_of = grown;
		m->nr_hugepages_of = (int)nid + 1;
	}
	m->hugepages_of[nid] = count;
	return true;
}

/* "512", or "0:256,1:128" by node. */
static bool read_pages(struct captured_machine *m, const char *text)
{
	uint64_t nid, count;
	const char *p = text;

	if (scan_decimal(&p, &count) && !*p && count <= MOST_HUGEPAGES) {
		m->hugepages = count;
		return true;
	}
	do
		if (!scan_decimal(&text, &nid) || !scan_text(&text, ":") ||
		    !scan_decimal(&text, &count) || !set_node(m, nid, count))
			return false;
	while (scan_text(&text, ","));
	return !*text;
}

bool captured_huge_option(struct captured_machine *m, const char *option, const char *file,
			  struct diag *diag)
{
	const char *p = option;
	uint64_t size;

	if (scan_text(&p, "default_hugepagesz=")) {
		m->default_hugepage_size = 0;
		if (!capture_size(p, &m->default_hugepage_size) ||
		    m->default_hugepage_size != pool_size(m))
			capture_left_out(diag, file, option);
		return true;
	}
	if (scan_text(&p, "hugepagesz=")) {
		m->hugepage_size = UINT64_MAX; /* of no size, until one is read */
		if (capture_size(p, &size))
			m->hugepage_size = size;
		return true;
	}
	if (!scan_text(&p, "hugepages="))
		return false;
	size = m->hugepage_size ? m->hugepage_size : m->default_hugepage_size;
	if ((size && size != pool_size(m)) || !read_pages(m, p))
		capture_left_out(diag, file, option);
	return true;
}

/* "defrag always defer defer+madvise [madvise] never" */
static const char *chosen_defrag(const char *line)
{
	const char *open = strchr(line, '['), *close = open ? strchr(open, ']') : NULL;

	for (unsigned i = 0; close && mm_thp_defrag_name(i); i++) {
		const char *name = mm_thp_defrag_name(i);

		if (strlen(name) == (size_t)(close - open - 1) &&
		    !strncmp(name, open + 1, strlen(name)))
			return name;
	}
	return NULL;
}

int captured_thp_read(struct captured_machine *m, const struct capture *c, struct diag *diag)
{
	struct mm_params begins = mm_params_default();
	struct capture_file f;
	int err = capture_read(c, "thp.txt", diag, &f);

	if (err)
		return err == -ENOENT ? 0 : err;
	for (size_t i = 0; i < f.nr_lines; i++) {
		const char *line = f.lines[i];

		if (scan_text(&line, "defrag "))
			m->thp_defrag = chosen_defrag(line);
	}
	if (m->thp_defrag && !strcmp(m->thp_defrag, mm_thp_defrag_name(begins.thp_defrag)))
		m->thp_defrag = NULL;
	capture_close(&f);
	return 0;
}

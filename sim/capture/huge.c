/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a capture says of huge pages: the pools by the command line (hugepagesz=, hugepages=,
 * default_hugepagesz=), and by thp.txt how hard a fault tries to get one.
 */
#include "sim/capture/machine.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "mm/huge/thp.h"
#include "sim/config/units.h"

#define MOST_HUGEPAGES INT32_MAX

static bool has_size(const struct captured_machine *m, uint64_t bytes)
{
	const struct mm_arch *arch = m->arch;

	return bytes == UINT64_C(1) << (arch->page_shift + arch->pageblock_order) ||
	       (arch->gigantic_order &&
		bytes == UINT64_C(1) << (arch->page_shift + arch->gigantic_order));
}

static bool set_node(struct mm_hugepages *pool, uint64_t nid, uint64_t count)
{
	int nr = pool->nr_of;
	uint64_t *grown;

	if (nid >= MM_MAX_NODES || count > MOST_HUGEPAGES)
		return false;
	if ((int)nid >= nr) {
		grown = realloc((void *)pool->of, (nid + 1) * sizeof(*grown));
		if (!grown)
			return false;
		memset(grown + nr, 0, ((size_t)nid + 1 - (size_t)nr) * sizeof(*grown));
		pool->of = grown;
		pool->nr_of = (int)nid + 1;
	}
	((uint64_t *)pool->of)[nid] = count;
	return true;
}

/* "512", or "0:256,1:128" by node. */
static bool read_pages(struct mm_hugepages *pool, const char *text)
{
	uint64_t nid, count;
	const char *p = text;

	if (scan_decimal(&p, &count) && !*p && count <= MOST_HUGEPAGES) {
		pool->pages = count;
		return true;
	}
	do
		if (!scan_decimal(&text, &nid) || !scan_text(&text, ":") ||
		    !scan_decimal(&text, &count) || !set_node(pool, nid, count))
			return false;
	while (scan_text(&text, ","));
	return !*text;
}

/* Of that size; of several, the first counts, as in the kernel. */
static bool add_pool(struct captured_machine *m, uint64_t bytes, const char *text)
{
	struct mm_hugepages *pool = &m->pools[m->nr_pools];

	for (unsigned i = 0; i < m->nr_pools; i++)
		if (m->pools[i].bytes == bytes)
			return false;
	*pool = (struct mm_hugepages){.bytes = bytes};
	if (!read_pages(pool, text)) {
		free((void *)pool->of);
		return false;
	}
	m->nr_pools++;
	return true;
}

bool captured_huge_option(struct captured_machine *m, const char *option, const char *file,
			  struct diag *diag)
{
	const char *p = option;
	uint64_t size;

	if (scan_text(&p, "default_hugepagesz=")) {
		if (!capture_size(p, &size) || !has_size(m, size))
			capture_left_out(diag, file, option);
		else
			m->default_hugepage_size = size;
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
	size = m->hugepage_size;
	if ((size && !has_size(m, size)) || !add_pool(m, size, p))
		capture_left_out(diag, file, option);
	return true;
}

static void write_pages(const struct mm_hugepages *pool, FILE *out)
{
	if (!pool->of)
		fprintf(out, "%" PRIu64, pool->pages);
	for (int i = 0; i < pool->nr_of; i++)
		fprintf(out, "%s%" PRIu64, i ? ", " : "[ ", pool->of[i]);
	if (pool->nr_of)
		fputs(" ]", out);
}

/* Is there another one of that size, which says it? */
static bool is_repeated(const struct captured_machine *m, const struct mm_hugepages *pool,
			uint64_t by_default)
{
	for (unsigned i = 0; !pool->bytes && i < m->nr_pools; i++)
		if (m->pools[i].bytes == by_default)
			return true;
	return false;
}

void captured_huge_write(const struct captured_machine *m, FILE *out)
{
	uint64_t small = UINT64_C(1) << (m->arch->page_shift + m->arch->pageblock_order);
	uint64_t by_default = m->default_hugepage_size ? m->default_hugepage_size : small;
	const char *between = "";

	if (by_default != small)
		fprintf(out, "\tdefault_hugepagesz = \"%s\";\n", units_size(by_default).text);
	if (!m->nr_pools)
		return;
	if (m->nr_pools == 1 && (!m->pools[0].bytes || m->pools[0].bytes == by_default)) {
		fputs("\thugepages = ", out);
		write_pages(&m->pools[0], out);
		fputs(";\n", out);
		return;
	}
	fputs("\thugepages = (", out);
	for (unsigned i = 0; i < m->nr_pools; i++) {
		const struct mm_hugepages *pool = &m->pools[i];

		if (is_repeated(m, pool, by_default))
			continue;
		fprintf(out, "%s\n\t\t{ size = \"%s\"; pages = ", between,
			units_size(pool->bytes ? pool->bytes : by_default).text);
		write_pages(pool, out);
		fputs("; }", out);
		between = ",";
	}
	fputs("\n\t);\n", out);
}

/* Gigantic pages, by the function that memblock was asked by. */
static bool is_of_pool(const char *what)
{
	return strstr(what, "alloc_bootmem_huge_page") ||
	       strstr(what, "hugetlb_hstate_alloc_pages");
}

void captured_huge_reserved(struct captured_ranges *reserved)
{
	size_t kept = 0;

	for (size_t i = 0; i < reserved->nr; i++)
		if (is_of_pool(reserved->at[i].what))
			free(reserved->at[i].what);
		else
			reserved->at[kept++] = reserved->at[i];
	reserved->nr = kept;
}

void captured_huge_free(struct captured_machine *m)
{
	for (unsigned i = 0; i < m->nr_pools; i++)
		free((void *)m->pools[i].of);
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

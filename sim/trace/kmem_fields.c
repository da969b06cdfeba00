/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Scanned by hand: a trace has millions of these lines. The texts of gfp_flags are few in any one
 * trace, so their meanings are kept in a small cache.
 */
#include "sim/trace/kmem_fields.h"

#include <stdio.h>
#include <string.h>

#include "sim/trace/gfp_bits.h"
#include "sim/trace/reader.h"
#include "sim/trace/scan.h"

static int hex_digit(char c)
{
	if (scan_is_digit(c))
		return c - '0';
	c |= 'a' - 'A';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool kmem_number(const char *p, const char *end, uint64_t *out)
{
	uint64_t n = 0;

	if (end - p == 2 && p[0] == '-' && p[1] == '1') { /* no page, as a signed number */
		*out = UINT64_MAX;
		return true;
	}
	if (end - p > 2 && p[0] == '0' && (p[1] == 'x' || p[1] == 'X')) {
		for (p += 2; p < end; p++) {
			int digit = hex_digit(*p);

			if (digit < 0 || n >> 60)
				return false;
			n = n << 4 | digit;
		}
	} else {
		if (p == end)
			return false;
		for (; p < end; p++) {
			unsigned digit = (unsigned)(*p - '0');

			if (digit > 9 || n > UINT64_MAX / 10 || n * 10 > UINT64_MAX - digit)
				return false;
			n = n * 10 + digit;
		}
	}
	*out = n;
	return true;
}

static const char *skip_word(const char *p)
{
	while (*p && *p != ' ' && *p != '\t')
		p++;
	return p;
}

const char *kmem_field(const char *text, const char *key, size_t key_len, const char **end)
{
	const char *p = scan_blanks(text);

	while (*p) {
		if (kmem_same(p, key, key_len)) {
			p = scan_blanks(p + key_len); /* older kernels pad a null page */
			*end = skip_word(p);
			return p;
		}
		p = scan_blanks(skip_word(p));
	}
	return NULL;
}

bool kmem_is_null(const char *p, const char *end)
{
	if (end - p >= 4 && strncmp(p, "(n", 2) == 0)
		return true;
	if (end - p > 2 && p[0] == '0' && p[1] == 'x')
		p += 2;
	if (p == end)
		return false;
	while (p < end && *p == '0')
		p++;
	return p == end;
}

const char *kmem_page(const char *p, uint64_t max_pfn, struct page_fields *f)
{
	const char *end, *page = KMEM_FIELD(p, "page=", &end);

	f->failed = page && kmem_is_null(page, end);
	p = KMEM_FIELD(page ? end : p, "pfn=", &end);
	if (!p || !kmem_number(p, end, &f->pfn))
		return NULL;
	if (!page) { /* raw fields, as perf and trace-cmd print what they cannot compute */
		f->failed = f->pfn == UINT64_MAX || f->pfn == UINT32_MAX;
		f->pfn = f->failed ? 0 : f->pfn;
	}
	if (f->pfn > max_pfn)
		return NULL;
	p = KMEM_FIELD(end, "order=", &end);
	if (!p || !kmem_number(p, end, &f->order) || f->order > MAX_PAGE_ORDER)
		return NULL;
	return end;
}

bool kmem_alloc(const char *p, uint64_t max_pfn, struct page_fields *f)
{
	const char *end;

	p = kmem_page(p, max_pfn, f);
	if (!p)
		return false;
	f->gfp = KMEM_FIELD(p, "gfp_flags=", &end);
	if (!f->gfp || end == f->gfp)
		return false;
	f->gfp_len = end - f->gfp;
	p = KMEM_FIELD(p, "migratetype=", &end);
	if (!p || !kmem_number(p, end, &f->migratetype))
		f->migratetype = UINT64_MAX;
	return true;
}

static void add_unknown(struct trace *t, struct gfp_meaning *m, const char *text, size_t len)
{
	m->nr_unknown++;
	if (!t->first_unknown_gfp[0])
		trace_printable(t->first_unknown_gfp, sizeof(t->first_unknown_gfp), text, len);
}

static void add_bits(struct trace *t, struct gfp_meaning *m, uint32_t bits, unsigned release)
{
	uint32_t unknown;
	char text[16];

	m->gfp |= gfp_of_bits(bits, release, &unknown);
	m->has_number |= bits != 0;
	if (!unknown)
		return;
	snprintf(text, sizeof(text), "0x%x", unknown);
	add_unknown(t, m, text, strlen(text));
}

/*
 * Names joined by '|'. A number behind names holds bits that had no name in the kernel that wrote
 * them: where its release is not known, they mean nothing here.
 */
static void read_gfp(const char *text, size_t len, unsigned release, struct trace *t,
		     struct gfp_meaning *m)
{
	const char *end = text + len, *p = text;
	uint64_t number;

	m->gfp = 0;
	m->nr_unknown = 0;
	m->has_number = false;
	m->numeric = kmem_number(text, end, &number) && number <= UINT32_MAX;
	if (m->numeric) {
		add_bits(t, m, (uint32_t)number, release);
		return;
	}
	while (p < end) {
		const char *bar = memchr(p, '|', end - p);
		size_t name_len = (bar ? bar : end) - p;
		gfp_t one;

		if (gfp_from_name(p, name_len, &one))
			m->gfp |= one;
		else if (release != KERNEL_UNKNOWN && kmem_number(p, p + name_len, &number) &&
			 number <= UINT32_MAX)
			add_bits(t, m, (uint32_t)number, release);
		else
			add_unknown(t, m, p, name_len);
		p += name_len + 1;
	}
}

const struct gfp_meaning *kmem_gfp(struct gfp_meanings *g, const char *text, size_t len,
				   struct trace *t)
{
	unsigned release = g->ours ? KERNEL_NONE : t->release, middle;
	struct gfp_meaning *m;

	if (len >= GFP_TEXT) {
		read_gfp(text, len, release, t, &g->spare);
		g->has_number |= g->spare.has_number;
		return &g->spare;
	}
	/* Flags differ in length, or in which of them stand in the middle and at the end. */
	middle = (unsigned char)text[len / 2] * 7 + (unsigned char)text[len - 1] * 3;
	m = &g->slots[(len + middle) % GFP_SLOTS];
	if (m->len != len || memcmp(m->text, text, len) != 0) {
		read_gfp(text, len, release, t, m);
		g->has_number |= m->has_number;
		memcpy(m->text, text, len);
		m->len = len;
	}
	return m;
}

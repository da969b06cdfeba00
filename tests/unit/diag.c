/* SPDX-License-Identifier: Apache-2.0 */
/* Diagnostics: the first error is kept, warnings are bounded, near names are found. */
#include "sim/config/diag.h"

#include <criterion/criterion.h>
#include <errno.h>

static const char *zone_name(unsigned i, void *arg)
{
	static const char *const names[] = {"DMA", "DMA32", "Normal", "Movable", "Device"};

	(void)arg;
	return i < 5 ? names[i] : NULL;
}

static const char *nearest(const char *name)
{
	return diag_nearest(name, zone_name, NULL);
}

Test(diag, first_error_is_kept)
{
	struct diag d = DIAG_INIT;

	cr_assert_eq(diag_error(&d, -EINVAL, "a.cfg", 7, "found %d, expected %s", 3, "four"),
		     -EINVAL);
	cr_assert_eq(diag_error(&d, -ENOMEM, NULL, 0, "later"), -ENOMEM);
	cr_assert(d.failed);
	cr_assert_str_eq(d.error.file, "a.cfg");
	cr_assert_eq(d.error.line, 7);
	cr_assert_str_eq(d.error.text, "found 3, expected four");
	diag_clear(&d);
	cr_assert(!d.failed);
	cr_assert_null(d.error.text);
}

/* What the user wrote may hold anything; a message stays one line. */
Test(diag, a_message_is_one_line)
{
	struct diag d = DIAG_INIT;

	diag_error(&d, -EINVAL, NULL, 0, "unknown key '%s'", "a\nb\033c");
	cr_assert_str_eq(d.error.text, "unknown key 'a b c'");
	cr_assert_null(d.error.file);
	diag_clear(&d);
}

Test(diag, at_most_a_hundred_warnings)
{
	struct diag d = DIAG_INIT;

	for (int i = 0; i < 200; i++)
		diag_warn(&d, "a.cfg", 1, "warning %d", i);
	cr_assert_eq(d.nr_warnings, 100);
	cr_assert_str_eq(d.warnings[99].text, "warning 99");
	cr_assert(!d.failed);
	diag_clear(&d);
	cr_assert_eq(d.nr_warnings, 0);
}

Test(diag, the_same_warning_is_kept_once)
{
	struct diag d = DIAG_INIT;

	diag_warn(&d, "a.cfg", 1, "far off");
	diag_warn(&d, "a.cfg", 1, "far %s", "off");
	cr_assert_eq(d.nr_warnings, 1);
	diag_warn(&d, "a.cfg", 2, "far off");
	diag_warn(&d, "b.cfg", 1, "far off");
	diag_warn(&d, NULL, 1, "far off");
	diag_warn(&d, NULL, 1, "far off");
	cr_assert_eq(d.nr_warnings, 4);
	diag_clear(&d);
}

Test(diag, nearest_by_edits)
{
	cr_assert_str_eq(nearest("Normla"), "Normal");
	cr_assert_str_eq(nearest("DMA23"), "DMA32");
	cr_assert_str_eq(nearest("dma"), "DMA");
	cr_assert_str_eq(nearest("Movible"), "Movable");
	cr_assert_str_eq(nearest("DMA32"), "DMA32");
}

/* More than a third of the letters and more than two: another word. */
Test(diag, nothing_near)
{
	cr_assert_null(nearest("HighMemory"));
	cr_assert_null(nearest(""));
	cr_assert_null(nearest("x"));
	cr_assert_null(nearest("Nrmxyz"));
	cr_assert_null(
		nearest("NormalNormalNormalNormalNormalNormalNormalNormalNormalNormalNormal"));
}

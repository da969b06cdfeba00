/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Diagnostics: one error, a bounded list of warnings, and the nearest known name.
 *
 * Knows nothing of what it is told. Where memory runs out while a message is being kept, the
 * message goes without its text; the error itself is never lost.
 */
#define _GNU_SOURCE /* vasprintf */
#include "sim/config/diag.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_WARNINGS 100
#define MAX_NAME     64 /* longer names are nobody's misspelling */

static void keep(struct diag_message *msg, const char *file, unsigned line, const char *fmt,
		 va_list ap)
{
	msg->file = file ? strdup(file) : NULL;
	msg->line = line;
	if (vasprintf(&msg->text, fmt, ap) < 0)
		msg->text = NULL;
	for (char *p = msg->text; p && *p; p++)
		if (iscntrl((unsigned char)*p))
			*p = ' ';
}

int diag_error(struct diag *d, int err, const char *file, unsigned line, const char *fmt, ...)
{
	va_list ap;

	if (d->failed)
		return err;
	d->failed = true;
	va_start(ap, fmt);
	keep(&d->error, file, line, fmt, ap);
	va_end(ap);
	return err;
}

static void forget(struct diag_message *msg)
{
	free(msg->file);
	free(msg->text);
}

static bool is_same(const struct diag_message *a, const struct diag_message *b)
{
	return a->line == b->line && a->text && b->text && !strcmp(a->text, b->text) &&
	       !strcmp(a->file ? a->file : "", b->file ? b->file : "");
}

void diag_warn(struct diag *d, const char *file, unsigned line, const char *fmt, ...)
{
	struct diag_message *grown;
	va_list ap;

	if (d->nr_warnings >= MAX_WARNINGS)
		return;
	grown = realloc(d->warnings, (d->nr_warnings + 1) * sizeof(*grown));
	if (!grown)
		return;
	d->warnings = grown;
	va_start(ap, fmt);
	keep(&grown[d->nr_warnings], file, line, fmt, ap);
	va_end(ap);
	for (size_t i = 0; i < d->nr_warnings; i++)
		if (is_same(&grown[i], &grown[d->nr_warnings])) {
			forget(&grown[d->nr_warnings]);
			return;
		}
	d->nr_warnings++;
}

void diag_clear(struct diag *d)
{
	forget(&d->error);
	for (size_t i = 0; i < d->nr_warnings; i++)
		forget(&d->warnings[i]);
	free(d->warnings);
	*d = (struct diag)DIAG_INIT;
}

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

static bool same_letter(char a, char b)
{
	return tolower((unsigned char)a) == tolower((unsigned char)b);
}

/*
 * Insertions, deletions, replacements and swaps of neighbours that turn `a` into `b`, upper and
 * lower case being the same (optimal string alignment). Both shorter than MAX_NAME.
 */
static unsigned edit_distance(const char *a, const char *b)
{
	unsigned row[3][MAX_NAME + 1];
	unsigned *before = row[0], *last = row[1], *now = row[2];
	size_t na = strlen(a), nb = strlen(b);

	for (size_t j = 0; j <= nb; j++)
		last[j] = (unsigned)j;
	for (size_t i = 1; i <= na; i++) {
		unsigned *spare = before;

		now[0] = (unsigned)i;
		for (size_t j = 1; j <= nb; j++) {
			now[j] = least(last[j], now[j - 1]) + 1;
			now[j] = least(now[j], last[j - 1] + !same_letter(a[i - 1], b[j - 1]));
			if (i > 1 && j > 1 && same_letter(a[i - 1], b[j - 2]) &&
			    same_letter(a[i - 2], b[j - 1]))
				now[j] = least(now[j], before[j - 2] + 1);
		}
		before = last;
		last = now;
		now = spare;
	}
	return last[nb];
}

const char *diag_nearest(const char *name, const char *(*candidate)(unsigned i, void *arg),
			 void *arg)
{
	size_t length = strlen(name);
	unsigned best = length / 3 > 2 ? (unsigned)(length / 3) : 2;
	const char *nearest = NULL;
	const char *known;

	if (length == 0 || length >= MAX_NAME)
		return NULL;
	for (unsigned i = 0; (known = candidate(i, arg)); i++) {
		unsigned distance;

		if (strlen(known) >= MAX_NAME)
			continue;
		distance = edit_distance(name, known);
		/* All letters replaced is another word, however short. */
		if (distance >= length && distance >= strlen(known))
			continue;
		if (nearest ? distance < best : distance <= best) {
			best = distance;
			nearest = known;
		}
	}
	return nearest;
}

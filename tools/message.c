/* SPDX-License-Identifier: Apache-2.0 */
/* Messages on standard error, in the one form that editors and scripts can pick apart. */
#include "tools/message.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "tools/command.h"

void message(const char *fmt, ...)
{
	va_list ap;

	fputs("numasim: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
}

static void message_at(const struct diag_message *m, const char *kind)
{
	if (m->file && m->line)
		message("%s:%u: %s%s", m->file, m->line, kind, m->text);
	else if (m->file)
		message("%s: %s%s", m->file, kind, m->text);
	else
		message("%s%s", kind, m->text);
}

void message_warnings(const struct diag *d, bool quiet)
{
	if (quiet)
		return;
	for (size_t i = 0; i < d->nr_warnings; i++)
		message_at(&d->warnings[i], "warning: ");
}

int message_error(const struct diag *d, int err, const char *file)
{
	if (d->failed && d->error.text)
		message_at(&d->error, "");
	else
		message("%s: %s", file, strerror(-err));
	return err == -ENOMEM ? STATUS_FAILED : STATUS_WRONG;
}

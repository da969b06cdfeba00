/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/time/bug.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void sim_bug(const char *file, int line, const char *fmt, ...)
{
	va_list args;

	fprintf(stderr, "numasim: bug at %s:%d: ", file, line);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
	abort();
}

/* SPDX-License-Identifier: Apache-2.0 */
/* A machine file, and what is said of what is wrong in it. */
#ifndef TESTS_MACHINE_REFUSED_H
#define TESTS_MACHINE_REFUSED_H

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/machine/machine.h"

static inline const char *shown(const struct diag *d)
{
	static char text[1024];

	if (!d->failed)
		return "no error";
	snprintf(text, sizeof(text), "%s:%u: %s", d->error.file, d->error.line, d->error.text);
	return text;
}

static inline void refused(const char *text, const char *message)
{
	struct diag d = DIAG_INIT;
	struct machine *m;
	int err = machine_parse(text, strlen(text), "m.cfg", &d, &m);

	cr_assert_str_eq(shown(&d), message, "got:      %s\nexpected: %s", shown(&d), message);
	cr_assert_eq(err, -EINVAL);
	cr_assert_null(m);
	diag_clear(&d);
}

/* The machine, which is the caller's. */
static inline struct machine *accepted(const char *text)
{
	struct diag d = DIAG_INIT;
	struct machine *m;

	cr_assert_eq(machine_parse(text, strlen(text), "m.cfg", &d, &m), 0, "%s", shown(&d));
	diag_clear(&d);
	return m;
}

/* Line 1 */
#define HEAD "source = \"made up\"; architecture = \"x86_64\"; memory_model = \"sparse\";\n"
/* Line 2 */
#define BANK "bank = { latency = \"100ns\"; bandwidth = \"10GB/s\"; };\n"
/* From line 3 on: nodes, each on a line of its own */
#define NODES(list)        "nodes = (\n" list "\n);\n"
#define MEMORY(b, s)       "{ base = \"" b "\"; size = \"" s "\"; }"
#define NODE(memory, cpus) "{ memory = ( " memory " ); cpus = " cpus "; }"
#define CPU                "{ count = 1; frequency = \"2GHz\"; }"
#define ONE                HEAD BANK NODES(NODE(MEMORY("0", "1GiB"), CPU))
#define TWO                HEAD BANK NODES(NODE(MEMORY("0", "1GiB"), CPU) ",\n" NODE(MEMORY("1GiB", "1GiB"), CPU))
/* What is added to ONE is on line 6, to TWO on line 7. */

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writing a trace as the kernel's tools print theirs. What the kernel has no field for goes into
 * markers (told.h), so that reading it back gives the same events but for the numbers of lines.
 */
#ifndef SIM_TRACE_KERNEL_TEXT_H
#define SIM_TRACE_KERNEL_TEXT_H

#include <stdbool.h>
#include <stdio.h>

#include "sim/trace/trace.h"

/* What stands around an event. */
struct kernel_text {
	const char *heading; /* before the first line */
	bool tells_cpus;     /* how many there are, before the first line: "cpus=4" */
	const char *nobody;  /* the comm of a task that is not known, and its pid */
	int nobody_pid;
	const char *between; /* comm and pid: "-" or " " */
	int pid_width;       /* columns; below 0: the pid is to the left in them */
	const char *flags;   /* between that and the time */
	const char *system;  /* "kmem:" before the name of an event, "cma:" of those; or "" */
	const char *pointer; /* "0x" before the address of an object, or "" */
	int name_width;      /* columns that "name: " has at least */
	const char *mark;    /* a marker up to its text */
};

/** Returns 0; -EIO where `out` does not take it; -ENOMEM; -EINVAL with diag where it cannot be. */
int kernel_text_write(const struct kernel_text *style, const struct trace *t, FILE *out,
		      struct diag *diag);

#endif

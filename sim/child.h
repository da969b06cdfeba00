/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Work in a process of its own, which answers with a JSON document: SimGrid can be started once a
 * process, and several simulations run at once on the host's CPUs.
 */
#ifndef SIM_CHILD_H
#define SIM_CHILD_H

#include <stdio.h>
#include <sys/types.h>

#include "sim/config/diag.h"
#include "sim/json.h"

struct child {
	pid_t pid;    /* 0: none, or it has been waited for */
	FILE *answer; /* to poll, and not to read; NULL: none */
};

/** How many are worth running at once: one a CPU of the host. */
size_t child_at_once(void);
/**
 * Start `work`, which makes *doc in the child; or it returns -errno, with the reason in diag or
 * without. Returns 0, or -errno where there could be no process; child_end() in either case.
 */
int child_start(struct child *c, int (*work)(void *arg, struct diag *diag, json_t **doc),
		void *arg);
/**
 * Wait until it ends, and take its answer, which is the caller's. Returns 0; what the work
 * returned, with its reason in diag; -EBADMSG or -EIO, also in diag, about `file`, where it died.
 */
int child_answer(struct child *c, const char *file, struct diag *diag, json_t **doc);
/** End it if it has not ended, and free what it took. */
void child_end(struct child *c);

#endif

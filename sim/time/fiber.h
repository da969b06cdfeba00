/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Programs that take turns on one thread of the host, each on a stack of its own. Knows nothing of
 * time. SimGrid has the same for its actors, but each turn there goes through its scheduler, which
 * takes as long as 50 of these.
 */
#ifndef SIM_FIBER_H
#define SIM_FIBER_H

#include <stddef.h>

struct fiber;

/**
 * A fiber that calls main(arg) once it is first switched to; main must not return: it switches away
 * for good. `number` tells it from others that run by turns: their stacks begin at other places of
 * the caches. NULL: no memory. Free with fiber_free(), not from itself.
 */
struct fiber *fiber_create(void (*main)(void *arg), void *arg, unsigned number);
/** The one that calls this: only to switch away from and back to. NULL: no memory. */
struct fiber *fiber_of_caller(void);
void fiber_free(struct fiber *f);

/** Go on in `to`; returns when somebody switches to `from`, which is the one that calls this. */
void fiber_switch(struct fiber *from, struct fiber *to);
/** The same, never to return. */
void fiber_leave(struct fiber *from, struct fiber *to);

#endif

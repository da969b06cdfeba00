/* SPDX-License-Identifier: Apache-2.0 */
/* Address spaces and who has them: a fork copies, a thread shares, exec begins a new one. */
#include <stdlib.h>

#include "sim/policy/task.h"

struct space *space_new(void)
{
	struct space *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->users = 1;
	s->vmas = vmas_new();
	if (!s->vmas) {
		free(s);
		return NULL;
	}
	return s;
}

struct space *space_fork(struct space *s)
{
	struct space *child = calloc(1, sizeof(*child));

	if (!child)
		return NULL;
	child->users = 1;
	child->vmas = vmas_share(s->vmas);
	child->brk = s->brk;
	return child;
}

void space_put(struct space *s)
{
	if (!s || --s->users)
		return;
	vmas_put(s->vmas);
	free(s);
}

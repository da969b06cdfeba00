/* SPDX-License-Identifier: Apache-2.0 */
/* Plans of calls of the kernel's functions: their lists, and what each call takes and gives. */
#include "sim/scenario/kernel_plan.h"

#include <stdlib.h>
#include <string.h>

#include "sim/grow.h"
#include "sim/trace/trace.h"

static const struct {
	const char *name;
	unsigned needs;
	enum kernel_kind makes;
} calls[] = {
#define X(id, name, of, makes) {name, of, makes},
	KERNEL_CALLS(X)
#undef X
};

const char *kernel_do_name(unsigned what)
{
	return what < KERNEL_NR_CALLS ? calls[what].name : NULL;
}

unsigned kernel_do_needs(enum kernel_do what)
{
	return calls[what].needs;
}

enum kernel_kind kernel_do_makes(enum kernel_do what)
{
	return calls[what].makes;
}

struct kernel_plan *kernel_plan_of(struct trace *t)
{
	if (!t->kernel)
		t->kernel = calloc(1, sizeof(*t->kernel));
	return t->kernel;
}

void kernel_plan_free(struct kernel_plan *plan)
{
	if (!plan)
		return;
	for (size_t i = 0; i < plan->nr_texts; i++)
		free(plan->texts[i]);
	free(plan->texts);
	free(plan->calls);
	free(plan);
}

uint32_t kernel_plan_call(struct kernel_plan *plan, const struct kernel_call *call)
{
	struct kernel_call *to = GROW(plan, calls);

	if (!to)
		return KERNEL_NONE;
	*to = *call;
	return (uint32_t)plan->nr_calls - 1;
}

uint32_t kernel_plan_text(struct kernel_plan *plan, const char *text)
{
	char *copy = strdup(text);
	char **to = copy ? GROW(plan, texts) : NULL;

	if (!to) {
		free(copy);
		return KERNEL_NONE;
	}
	*to = copy;
	return (uint32_t)plan->nr_texts - 1;
}

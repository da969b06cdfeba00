/* SPDX-License-Identifier: Apache-2.0 */
/* The memory policies of a trace, for trace info. */
#ifndef TOOLS_TRACE_POLICIES_H
#define TOOLS_TRACE_POLICIES_H

#include <stdio.h>

#include "sim/trace/trace.h"
#include "tools/json.h"

/** A line for each policy that allocations follow; nothing where that is the default only. */
void trace_policies_print(const struct trace *t, FILE *out);
/** An array with all of them; the first is the default. */
json_t *trace_policies_json(const struct trace *t);

#endif

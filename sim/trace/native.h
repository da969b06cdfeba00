/* SPDX-License-Identifier: Apache-2.0 */
/* The words of numasim's own trace format, which reading and writing share. */
#ifndef SIM_TRACE_NATIVE_H
#define SIM_TRACE_NATIVE_H

#define NATIVE_MAGIC    "# numasim trace "
#define NATIVE_VERSION  "1"
#define NATIVE_NO_PAGE  "-" /* instead of a name: the allocation failed on the real machine */
#define NATIVE_HELD     "-" /* instead of a name: a page that was in use before the trace began */
#define NATIVE_INFERRED "inferred" /* before the operation: no line of the original says it */

/* By enum mm_migratetype. */
#define NATIVE_MOBILITIES                                                                          \
	{                                                                                          \
		"unmovable", "movable", "reclaimable"                                              \
	}

#endif

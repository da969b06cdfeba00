/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a format of traces is. Each reader/NAME.c defines `const struct trace_reader
 * trace_reader_NAME`, and the build makes a table of them: a new format is a new file there.
 */
#ifndef SIM_TRACE_READER_H
#define SIM_TRACE_READER_H

#include "sim/trace/stream.h"
#include "sim/trace/trace.h"

enum trace_probe {
	TRACE_PROBE_NO,
	TRACE_PROBE_MAYBE, /* has lines that are more likely another's, where that knows them */
	TRACE_PROBE_LOOKS, /* has lines as this format has them */
	TRACE_PROBE_SAYS   /* says that it is this format; goes before any that only looks so */
};

struct trace_reader {
	const char *name;
	const char *expected; /* for the message where no reader knows the file */

	/* Is it this format? `text` is how it begins, 64 KiB at least or all of it. */
	enum trace_probe (*probe)(const char *text, size_t len);

	/*
	 * Read all of the stream into `t`, which is empty; a format of lines does so with
	 * trace_read_lines(). `progress` may be NULL. Returns 0; -EINVAL with diag where it is not
	 * well-formed; -ENOMEM, and what the stream says.
	 */
	int (*read)(struct stream *s, const struct trace_progress *progress, struct trace *t,
		    struct diag *diag);
};

/*
 * Takes one line: appends an event to `t`, or counts it there with trace_skip(). Returns 0; -EINVAL
 * with diag where the line must not be there; -ENOMEM.
 */
typedef int trace_line_fn(void *state, const struct stream_line *line, struct trace *t,
			  struct diag *diag);

extern const struct trace_reader *const trace_reader_kinds[]; /* ends with NULL */

/** Hand every line of the stream to `take`, and count them. Returns the first error. */
int trace_read_lines(struct stream *s, const struct trace_progress *progress, trace_line_fn *take,
		     void *state, struct trace *t, struct diag *diag);

/** Room for `nr` more events behind the last: where they go, valid until the next call; or NULL. */
struct trace_event *trace_room(struct trace *t, size_t nr);
/** `nr` events were put where trace_room() said: count them. */
void trace_added(struct trace *t, size_t nr);
/** The same for moves of free blocks; the caller counts them in t->nr_moves. */
struct trace_move *trace_moves_room(struct trace *t, size_t nr);
/** Room in t->pfns for `nr` pages, of which the new ones are not set. 0 or -ENOMEM. */
int trace_pfns_room(struct trace *t, size_t nr);

/** Count a line that is no event. */
void trace_skip(struct trace *t, enum trace_skip why);
/** Count a line that cannot be read, and keep the first of them for the report. */
void trace_unreadable(struct trace *t, const struct stream_line *line);
/** A traced allocation is at `pfn`: keep the lowest and the highest of them. */
static inline void trace_widen(struct trace *t, pfn_t pfn)
{
	if (pfn < t->min_pfn)
		t->min_pfn = pfn;
	if (pfn > t->max_pfn)
		t->max_pfn = pfn;
}
/** The line's number as an event holds it. */
uint32_t trace_line_number(const struct stream_line *line);

/**
 * Copy text for a message: anything that is not printable ASCII as '?', and "..." where it does
 * not fit into the `size` bytes (at least 4) of `out`. Returns `out`.
 */
const char *trace_printable(char *out, size_t size, const char *text, size_t len);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * numasim's own text format: the words that reading and writing share, and what the files that read
 * it share. docs/trace-format.md has the grammar.
 */
#ifndef SIM_TRACE_NATIVE_H
#define SIM_TRACE_NATIVE_H

#include <errno.h>

#include "sim/trace/names.h"
#include "sim/trace/reader.h"

#define NATIVE_MAGIC     "# numasim trace "
#define NATIVE_VERSION   "1"
#define NATIVE_NO_PAGE   "-" /* instead of a name: the allocation failed on the real machine */
#define NATIVE_HELD      "-" /* instead of a name: a page that was in use before the trace began */
#define NATIVE_RECLAIM   "reclaim"   /* by=: kswapd or kcompactd */
#define NATIVE_MIGRATION "migration" /* for=: another page moves there */
#define NATIVE_POLICY    "policy"
#define NATIVE_MOVED     "moved"
#define NATIVE_ORIGINAL  "original"
#define NATIVE_INFERRED  "inferred" /* before the operation: no line of the original says it */

/* By enum mm_migratetype, and by enum trace_policy_scope; NULL at the end. */
extern const char *const native_mobilities[], *const native_scopes[];

#define NATIVE_MAX_WORDS 16
#define NATIVE_MAX_LINE  1024 /* bytes, a comment apart */
#define NATIVE_MAX_TEXT  256  /* bytes of a text behind "original", before it is quoted */

/* What a trace says of the one that it was converted from. */
struct native_original {
	bool counts; /* it says how many lines that had: */
	uint64_t nr_lines;
	uint64_t skipped[TRACE_NR_SKIPS];
	pfn_t min_pfn, max_pfn;
};

struct native {
	struct names names;    /* of allocations */
	struct names policies; /* their `page` is the index of the policy */
	struct native_original original;
	uint64_t last_ps;
	uint64_t page_bytes;
	/* The line at hand. */
	struct trace *t;
	struct diag *diag;
	uint32_t line;
	pfn_t pfn;       /* of its page, or TRACE_NO_PFN */
	uint16_t policy; /* of its allocation, and the turn of that */
	uint32_t turn;
	char *words[NATIVE_MAX_WORDS + 1]; /* NULL behind the last */
	char text[NATIVE_MAX_LINE];
	char shown[NAMES_MAX_LEN + 8];
};

#define NATIVE_BAD(n, ...) diag_error((n)->diag, -EINVAL, (n)->t->file, (n)->line, __VA_ARGS__)

/** A word for a message; one at a time. */
const char *native_show(struct native *n, const char *word);
/** -EINVAL with what was found where `expected` should be: a word, or (NULL) the line's end. */
int native_found(struct native *n, const char *word, const char *expected);
/** A decimal number. False where it is none; those above `max` come out as max + 1. */
bool native_number(const char *word, uint64_t max, uint64_t *out);
/** The value of `word` where it is `key` ("cpu=") and something, or NULL. */
const char *native_value(const char *word, const char *key);
/** "0x1f" up to TRACE_MAX_PFN. 0 or -EINVAL. */
int native_pfn(struct native *n, const char *value, pfn_t *pfn);
int native_order(struct native *n, const char *value, unsigned *order);
/** One of `names`, NULL at the end: its index. `what` stands in the message. 0 or -EINVAL. */
int native_choice(struct native *n, const char *word, const char *what, const char *const *names,
		  unsigned *index);
/** Is `word` fit to be a name? 0 or -EINVAL. */
int native_check_name(struct native *n, const char *word, const char *of_what);

/*
 * Lines that are no events: `n->words` from the first on. *is_one says whether it was such a line.
 * 0, -EINVAL or -ENOMEM.
 */
int native_statement(struct native *n, bool *is_one);
/** Behind the last line: what the original had. */
void native_finish(struct native *n);

#endif

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
#define NATIVE_RECLAIM   "reclaim"   /* by=: kcompactd or direct reclaim */
#define NATIVE_KSWAPD    "kswapd"    /* by= */
#define NATIVE_MIGRATION "migration" /* for=: another page moves there */
#define NATIVE_SLAB      "slab"      /* for=: the slab allocator's */
#define NATIVE_POLICY    "policy"
#define NATIVE_MOVED     "moved"
#define NATIVE_ORIGINAL  "original"
#define NATIVE_TASK      "task"     /* whose the events are from here on */
#define NATIVE_NOBODY    "-"        /* instead of who it was */
#define NATIVE_INFERRED  "inferred" /* before the operation: no line of the original says it */

/* By enum mm_migratetype, and by enum trace_policy_scope; NULL at the end. */
extern const char *const native_mobilities[], *const native_scopes[];

#define NATIVE_MAX_WORDS 16
#define NATIVE_MAX_LINE  4096 /* bytes, a comment apart */
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

/** With `t`, `diag` and `line` for the caller to set at each line. NULL: no memory. */
struct native *native_new(void);
void native_free(struct native *n); /* may be NULL */

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

/* What an operation says of itself, in any order, each once at most. */
enum {
	NATIVE_KEY_BY,
	NATIVE_KEY_ORDER,
	NATIVE_KEY_PFN,
	NATIVE_END_HELD_KEYS, /* a free of a page from before has those before it, */
	NATIVE_KEY_GFP = NATIVE_END_HELD_KEYS,
	NATIVE_KEY_MOBILITY,
	NATIVE_KEY_NODE,
	NATIVE_KEY_POLICY,
	NATIVE_KEY_TURN,
	NATIVE_KEY_FOR,
	NATIVE_NR_KEYS /* an allocation all */
};

/**
 * Words that say something of an operation: those keys from `first` to `end` may stand there;
 * seen[] says which do. What is not of the event itself goes to n->pfn, n->policy and n->turn.
 * 0 or -EINVAL.
 */
int native_keys(struct native *n, char **words, struct trace_event *ev, unsigned first,
		unsigned end, bool *seen);
/** Copy what stands before a comment, and cut it into n->words. Returns how many, or -EINVAL. */
int native_split(struct native *n, const char *text, size_t size);
/** "12.5us". 0 or -EINVAL. */
int native_duration(struct native *n, const char *word, uint64_t *out_ps);
/** Behind the name of a page of that order: "write 4KiB" and the end. 0 or -EINVAL. */
int native_amount(struct native *n, char **words, unsigned order, struct trace_event *ev);
/** "hotplug": a word that is a step of memory hotplug, and the end. 0, -EINVAL or -ENOMEM. */
int native_step(struct native *n, char **words, struct trace_event *ev);
/** 0, or -EINVAL where there is a word. */
int native_end(struct native *n, const char *word);

/*
 * Lines that are no events: `n->words` from the first on. *is_one says whether it was such a line.
 * 0, -EINVAL or -ENOMEM.
 */
int native_statement(struct native *n, bool *is_one);
/** Behind the last line: what the original had. */
void native_finish(struct native *n);

/*
 * Write statements, each line behind `before`: what the original had, and a policy.
 */
void native_write_original(const struct trace *t, const char *before, FILE *out);
void native_write_policy(FILE *out, const char *before, uint32_t index,
			 const struct trace_policy *policy);
/** Whose the events are from here on; NULL: not known. */
void native_write_task(FILE *out, const struct trace_task *task);

#endif

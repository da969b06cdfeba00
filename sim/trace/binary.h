/* SPDX-License-Identifier: Apache-2.0 */
/*
 * numasim's binary traces, what reading and writing share: docs/trace-format.md has the bytes.
 *
 * A file is 12 bytes that say what it is, then sections, each with a header that says how long it
 * is and what it must add up to. A section's check goes on from the one before it, so that a
 * section that is missing, doubled or out of its place is noticed as one that is damaged.
 */
#ifndef SIM_TRACE_BINARY_H
#define SIM_TRACE_BINARY_H

#include "sim/trace/trace.h"

#define BINARY_MAGIC       "\x89numa\r\n\x1a" /* as PNG's: line ends that were "repaired" show */
#define BINARY_MAGIC_BYTES 8
#define BINARY_VERSION     1
#define BINARY_START_BYTES 12 /* magic and version */

#define BINARY_SECTION_BYTES 24        /* a section's header */
#define BINARY_MAX_RAW       (1 << 20) /* bytes of a section, decompressed */
#define BINARY_MAX_EVENTS    16384     /* of a block */
#define BINARY_MAX_MOVES     32768     /* of a section */
#define BINARY_MAX_TEXT      4096      /* bytes of a text in a section */

/* Kinds of sections: four letters. A small first one says that a reader may pass it by. */
#define BINARY_HEAD       "HEAD"
#define BINARY_POLICIES   "POLI"
#define BINARY_CACHES     "CACH" /* slab caches */
#define BINARY_STEPS      "STEP" /* of memory hotplug */
#define BINARY_EVENTS     "EVTS"
#define BINARY_MOVES      "MOVE"
#define BINARY_END        "ENDS"
#define BINARY_KSWAPD     "kswp"
#define BINARY_TASKS      "task"
#define BINARY_TURNS      "turn" /* of tasks */
#define BINARY_KIND_BYTES 4

enum binary_encoding { BINARY_PLAIN, BINARY_ZSTD };

#define BINARY_HAS_PFNS 1 /* flag of HEAD */

struct binary_section {
	char kind[BINARY_KIND_BYTES + 1]; /* with a NUL */
	uint32_t encoding;
	uint32_t stored, raw; /* bytes; stored <= raw */
	uint32_t payload_crc; /* of the stored bytes */
	uint32_t check;       /* of the header before this, going on from the section before */
};

/* A block of events: a header, templates, and five columns, one behind the other. */
enum binary_column {
	BINARY_TEMPLATES_USED, /* by event: which template */
	BINARY_TIMES,          /* by event: since the one before; of a wait its length */
	BINARY_LINES,          /* by event: the line, since the one before */
	BINARY_PAGES,          /* by free and touch: the page, since the last one named here */
	BINARY_AMOUNTS,        /* by touch: bytes; by allocation with a policy: its turn */
	BINARY_PFNS,           /* by page that gets a number: 0, or 1 + its frame, since the last */
	BINARY_NR_COLUMNS
};

#define BINARY_BLOCK_BYTES    (24 + 4 * BINARY_NR_COLUMNS) /* a block's header */
#define BINARY_TEMPLATE_BYTES 16

/* What goes on from block to block; all zeroes at the start. */
struct binary_clock {
	uint64_t time_ps;
	uint64_t pfn; /* of the last page that got a number and has one */
	uint32_t line;
	uint32_t page;      /* that was named last */
	uint32_t nr_pages;  /* that have a number */
	uint64_t nr_events; /* before the block */
};

/** Does an event of this kind give the next number to a page; does it name one that has it? */
static inline bool binary_numbers_page(const struct trace_event *ev)
{
	return ((ev->op == TRACE_ALLOC || ev->op == TRACE_KMALLOC || ev->op == TRACE_CACHE_ALLOC ||
		 ev->op == TRACE_CMA_ALLOC) &&
		!(ev->flags & TRACE_F_FAILED)) ||
	       ev->op == TRACE_FREE_HELD || ev->op == TRACE_SPLIT;
}

static inline bool binary_names_page(const struct trace_event *ev)
{
	return ev->op == TRACE_FREE || ev->op == TRACE_TOUCH || ev->op == TRACE_OBJECT_FREE ||
	       ev->op == TRACE_CMA_RELEASE;
}

/** Has the event an amount of its own, in trace_event.bytes? */
static inline bool binary_has_amount(const struct trace_event *ev)
{
	return ev->op == TRACE_TOUCH || ev->op == TRACE_SPLIT || ev->op == TRACE_KMALLOC ||
	       ev->op == TRACE_CACHE_ALLOC || ev->op == TRACE_HOTPLUG ||
	       ev->op == TRACE_CMA_ALLOC || (ev->op == TRACE_ALLOC && ev->policy);
}

/** Is `policy` of the event one of the trace's? */
static inline bool binary_has_policy(const struct trace_event *ev)
{
	return !(ev->flags & TRACE_F_ON_NODE);
}

static inline uint64_t binary_zigzag(uint64_t difference)
{
	return difference << 1 ^ -(difference >> 63);
}

static inline uint64_t binary_unzigzag(uint64_t n)
{
	return n >> 1 ^ -(n & 1);
}

static inline void binary_put32(uint8_t *to, uint32_t n)
{
	for (int i = 0; i < 4; i++)
		to[i] = (uint8_t)(n >> 8 * i);
}

static inline uint32_t binary_get32(const uint8_t *from)
{
	return from[0] | (uint32_t)from[1] << 8 | (uint32_t)from[2] << 16 | (uint32_t)from[3] << 24;
}

static inline void binary_put64(uint8_t *to, uint64_t n)
{
	binary_put32(to, (uint32_t)n);
	binary_put32(to + 4, (uint32_t)(n >> 32));
}

static inline uint64_t binary_get64(const uint8_t *from)
{
	return binary_get32(from) | (uint64_t)binary_get32(from + 4) << 32;
}

/** CRC-32 of ISO 3309 (zlib's crc32()), going on from `crc`; 0 to begin. */
uint32_t binary_crc(uint32_t crc, const void *data, size_t len);

/** The header of a section as bytes, with its check, which goes on from `check_before`. */
void binary_put_section(uint8_t to[BINARY_SECTION_BYTES], struct binary_section *s,
			uint32_t check_before);
/** The same back; false where the check is not what the bytes say. */
bool binary_get_section(const uint8_t from[BINARY_SECTION_BYTES], struct binary_section *s,
			uint32_t check_before);

/* Sixteen bytes that say all of an event but its time, page, line and amount. */
void binary_put_template(uint8_t to[BINARY_TEMPLATE_BYTES], const struct trace_event *ev);
/** NULL, or what is wrong with it as a phrase; *ev has everything that the template says. */
const char *binary_get_template(const uint8_t from[BINARY_TEMPLATE_BYTES], struct trace_event *ev);

/* Reads what a section holds; `bad` once anything was not there. */
struct binary_cursor {
	const uint8_t *at, *end;
	bool bad;
};

/** 7 bits a byte, the lowest first, the high bit where more follow; 0 where it is bad. */
uint64_t binary_get_number(struct binary_cursor *c);
/** A length and so many bytes; "" where it is bad. *len may be NULL. */
const char *binary_get_text(struct binary_cursor *c, size_t *len);

/* State of a page as the events go by: 0 where it has no number or is free, else its order + 1. */
struct binary_pages {
	uint8_t *held;
	size_t room;
};

/** Room for the states of `nr` pages. 0 or -ENOMEM. */
int binary_pages_reserve(struct binary_pages *p, size_t nr);
void binary_pages_clear(struct binary_pages *p);
/**
 * May this event come now, `ev->page` being below the pages that have a number? Notes what it does.
 * Returns NULL, or what is wrong as a phrase.
 */
const char *binary_pages_step(struct binary_pages *p, const struct trace_event *ev);

/**
 * Decode a block into `t`: `raw` has `len` bytes, and BINARY_SLACK more behind them that may be
 * read. Returns 0; -EINVAL with `wrong` (a phrase); -ENOMEM.
 */
int binary_decode(struct binary_clock *clock, struct binary_pages *pages, const uint8_t *raw,
		  size_t len, bool has_pfns, struct trace *t, char wrong[128]);

/** The same for a section of moves of free blocks; *last is the one before, zeroes to begin. */
int binary_decode_moves(struct trace_move *last, const uint8_t *raw, size_t len, struct trace *t,
			char wrong[128]);

#define BINARY_SLACK 4096

#endif

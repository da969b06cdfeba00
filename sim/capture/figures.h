/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a kernel made of a machine, as named figures: of a capture, and of the simulated kernel,
 * under the same names.
 */
#ifndef SIM_CAPTURE_FIGURES_H
#define SIM_CAPTURE_FIGURES_H

#include "mm/mm.h"
#include "sim/capture/file.h"

/* Figures that a capture has together, or not at all. */
enum figure_group {
	FIGURES_ZONES,      /* /proc/zoneinfo */
	FIGURES_MIN_FREE,   /* sysctl */
	FIGURES_FALLBACK,   /* fallback order of nodes, in the boot messages */
	FIGURES_GENERAL,    /* zonelists over all nodes, there too */
	FIGURES_THIS_NODE,  /* zonelists of one node, there too; on kernels with NUMA */
	FIGURES_PAGE_FLAGS, /* layout of page->flags, there too */
	FIGURES_SLABS,      /* layouts of slab caches, in /proc/slabinfo */
	FIGURES_POOLS,      /* pages of the pools of huge pages, in hugepages.txt */
	FIGURES_NR_GROUPS
};

struct figure {
	enum figure_group group;
	char *name;  /* "node 0, zone DMA: managed" */
	char *value; /* "3840", "0:DMA32 0:DMA" */
	size_t line; /* from 0, in the file it came from */
};

struct figures {
	struct figure *at;
	size_t nr, room;
	bool failed;     /* memory ran out: what is here is not all */
	bool with_state; /* zoneinfo: also what changes while the kernel runs */
	size_t line;     /* of those that are added */
};

/** Add one; `fmt` makes its name. */
void figures_number(struct figures *f, enum figure_group group, uint64_t value, const char *fmt,
		    ...) __attribute__((format(printf, 4, 5)));
void figures_text(struct figures *f, enum figure_group group, const char *value, const char *fmt,
		  ...) __attribute__((format(printf, 4, 5)));
void figures_clear(struct figures *f);

/**
 * zoneinfo: every zone, by key; with_state also free, boost, the pages on each CPU's lists and
 * those of user memory ("node 0, zone DMA: nr_zone_active_anon"). Returns 0; -EINVAL with the line
 * in diag; -ENOMEM.
 */
int figures_parse_zoneinfo(const struct capture_file *f, struct diag *diag, struct figures *out);
/** min_free_kbytes of "KEY = VALUE" lines. Errors likewise. */
int figures_parse_sysctl(const struct capture_file *f, struct diag *diag, struct figures *out);
/**
 * Fallback order, zonelists (mminit_loglevel=4) and the layout of page->flags from boot messages;
 * of lists that are told several times, the first. Errors likewise.
 */
int figures_parse_dmesg(const struct capture_file *f, struct diag *diag, struct figures *out);

/** slabinfo: each cache's objsize, objperslab and pagesperslab. Errors likewise. */
int figures_parse_slabinfo(const struct capture_file *f, struct diag *diag, struct figures *out);
/** hugepages: each size's nr_hugepages. Errors likewise. */
int figures_parse_hugepages(const struct capture_file *f, struct diag *diag, struct figures *out);

/** The same figures of the mm core. Returns 0 or -ENOMEM. */
int figures_simulated(const struct mm *mm, struct figures *out);

/** Sort by name, for figures_find(). */
void figures_sort(struct figures *f);
/** In a sorted list; NULL where there is none. */
const struct figure *figures_find(const struct figures *sorted, const char *name);

#endif

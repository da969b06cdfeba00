/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names of allocation flags. One table, in the order in which the kernel's tracepoints try them
 * (include/trace/events/mmflags.h), so that what was read from a trace prints back as it stood
 * there; behind it the names that are only read: single flags inside groups, and what other kernel
 * versions called them. Which zone the flags allow is zonelist.c's business.
 */
#include <stdio.h>
#include <string.h>

#include "mm/gfp.h"

struct gfp_entry {
	const char *name;
	gfp_t flags;
};

/* Larger groups before those that they contain. */
static const struct gfp_entry printed[] = {
	{"GFP_TRANSHUGE", GFP_TRANSHUGE},
	{"GFP_TRANSHUGE_LIGHT", GFP_TRANSHUGE_LIGHT},
	{"GFP_HIGHUSER_MOVABLE", GFP_HIGHUSER_MOVABLE},
	{"GFP_HIGHUSER", GFP_HIGHUSER},
	{"GFP_USER", GFP_USER},
	{"GFP_KERNEL_ACCOUNT", GFP_KERNEL_ACCOUNT},
	{"GFP_KERNEL", GFP_KERNEL},
	{"GFP_NOFS", GFP_NOFS},
	{"GFP_ATOMIC", GFP_ATOMIC},
	{"GFP_NOIO", GFP_NOIO},
	{"GFP_NOWAIT", GFP_NOWAIT},
	{"GFP_DMA", GFP_DMA},
	{"__GFP_HIGHMEM", __GFP_HIGHMEM},
	{"GFP_DMA32", GFP_DMA32},
	{"__GFP_HIGH", __GFP_HIGH},
	{"__GFP_ATOMIC", __GFP_ATOMIC},
	{"__GFP_IO", __GFP_IO},
	{"__GFP_FS", __GFP_FS},
	{"__GFP_NOWARN", __GFP_NOWARN},
	{"__GFP_RETRY_MAYFAIL", __GFP_RETRY_MAYFAIL},
	{"__GFP_NOFAIL", __GFP_NOFAIL},
	{"__GFP_NORETRY", __GFP_NORETRY},
	{"__GFP_COMP", __GFP_COMP},
	{"__GFP_ZERO", __GFP_ZERO},
	{"__GFP_NOMEMALLOC", __GFP_NOMEMALLOC},
	{"__GFP_MEMALLOC", __GFP_MEMALLOC},
	{"__GFP_HARDWALL", __GFP_HARDWALL},
	{"__GFP_THISNODE", __GFP_THISNODE},
	{"__GFP_RECLAIMABLE", __GFP_RECLAIMABLE},
	{"__GFP_MOVABLE", __GFP_MOVABLE},
	{"__GFP_ACCOUNT", __GFP_ACCOUNT},
	{"__GFP_WRITE", __GFP_WRITE},
	{"__GFP_RECLAIM", __GFP_RECLAIM},
	{"__GFP_DIRECT_RECLAIM", __GFP_DIRECT_RECLAIM},
	{"__GFP_KSWAPD_RECLAIM", __GFP_KSWAPD_RECLAIM},
	{"__GFP_ZEROTAGS", __GFP_ZEROTAGS},
	{"__GFP_COLD", __GFP_COLD},
};

/* Names without flags ask for nothing that is simulated, or for what no 6.1 kernel has any more. */
static const struct gfp_entry read_only[] = {
	{"none", 0},
	{"__GFP_DMA", __GFP_DMA},
	{"__GFP_DMA32", __GFP_DMA32},
	/* renamed: __GFP_WAIT in 4.4, __GFP_REPEAT in 4.13; GFP_TEMPORARY went in 4.14 */
	{"__GFP_WAIT", __GFP_RECLAIM},
	{"__GFP_REPEAT", __GFP_RETRY_MAYFAIL},
	{"GFP_TEMPORARY", GFP_KERNEL | __GFP_RECLAIMABLE},
	/* before 4.6 the tracepoints left the underscores out */
	{"GFP_WAIT", __GFP_RECLAIM},
	{"GFP_REPEAT", __GFP_RETRY_MAYFAIL},
	{"GFP_HIGH", __GFP_HIGH},
	{"GFP_IO", __GFP_IO},
	{"GFP_FS", __GFP_FS},
	{"GFP_NOWARN", __GFP_NOWARN},
	{"GFP_NOFAIL", __GFP_NOFAIL},
	{"GFP_NORETRY", __GFP_NORETRY},
	{"GFP_COMP", __GFP_COMP},
	{"GFP_ZERO", __GFP_ZERO},
	{"GFP_NOMEMALLOC", __GFP_NOMEMALLOC},
	{"GFP_MEMALLOC", __GFP_MEMALLOC},
	{"GFP_HARDWALL", __GFP_HARDWALL},
	{"GFP_THISNODE", __GFP_THISNODE},
	{"GFP_RECLAIMABLE", __GFP_RECLAIMABLE},
	{"GFP_MOVABLE", __GFP_MOVABLE},
	{"GFP_COLD", __GFP_COLD},
	{"__GFP_NOTRACK", 0},
	{"GFP_NOTRACK", 0},
	{"__GFP_OTHER_NODE", 0},
	{"GFP_OTHER_NODE", 0},
	{"GFP_NO_KSWAPD", 0},
	{"__GFP_SKIP_ZERO", 0},
	{"__GFP_SKIP_KASAN", 0},
	{"__GFP_SKIP_KASAN_POISON", 0},
	{"__GFP_SKIP_KASAN_UNPOISON", 0},
	{"__GFP_NOLOCKDEP", 0},
	{"__GFP_NO_OBJ_EXT", 0},
};

#define NR_PRINTED   (sizeof(printed) / sizeof(printed[0]))
#define NR_READ_ONLY (sizeof(read_only) / sizeof(read_only[0]))

static const struct gfp_entry *entry_at(unsigned index)
{
	if (index < NR_PRINTED)
		return &printed[index];
	index -= NR_PRINTED;
	return index < NR_READ_ONLY ? &read_only[index] : NULL;
}

bool gfp_from_name(const char *name, size_t len, gfp_t *out)
{
	const struct gfp_entry *e;

	for (unsigned i = 0; (e = entry_at(i)); i++) {
		if (strlen(e->name) == len && memcmp(e->name, name, len) == 0) {
			*out = e->flags;
			return true;
		}
	}
	return false;
}

const char *gfp_name(unsigned index)
{
	const struct gfp_entry *e = entry_at(index);

	return e ? e->name : NULL;
}

/* Append to what snprintf would have written: `at` may be past the end of the buffer. */
static int append(char *buf, size_t size, int at, const char *text)
{
	size_t room = (size_t)at < size ? size - at : 0;

	return at + snprintf(room ? buf + at : NULL, room, "%s%s", at ? "|" : "", text);
}

int gfp_print(gfp_t gfp, char *buf, size_t size)
{
	int at = 0;

	if (!gfp)
		return append(buf, size, 0, "none");
	for (unsigned i = 0; i < NR_PRINTED && gfp; i++) {
		if ((gfp & printed[i].flags) != printed[i].flags)
			continue;
		gfp &= ~printed[i].flags;
		at = append(buf, size, at, printed[i].name);
	}
	if (gfp) {
		char rest[16];

		snprintf(rest, sizeof(rest), "0x%x", gfp);
		at = append(buf, size, at, rest);
	}
	return at;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A machine as its file describes it: nodes, CPUs, memory, interconnect, caches, memory model and
 * kernel parameters. Read from libconfig by machine.c; constant afterwards.
 *
 * A place is what the file has as a node: CPUs, a bank. So is a node of the kernel, unless firmware
 * interleaves the memory of several places and shows the kernel one node. Banks, links, routes and
 * CPUs are of places; memory, distances and all of `mm` of nodes.
 *
 * Units: picoseconds, bytes, bytes per second, hertz. Node and CPU ids run from 0 without gaps.
 */
#ifndef SIM_MACHINE_H
#define SIM_MACHINE_H

#include "mm/mm.h"
#include "sim/config/diag.h"

struct kernel_profile; /* profile.h */

struct machine_cpu {
	int place;
	int core;              /* the first CPU that is a thread of the same core; often itself */
	unsigned thread_share; /* per cent of the core's work it does while all its threads are busy
				*/
	uint64_t freq_hz;
	unsigned fill_buffers; /* lines that may be on their way to it at once; 0: no bound known */
	unsigned prefetched;   /* the same where it reads a stream; at least fill_buffers */
	unsigned streams;      /* of misses that its prefetcher follows; 0: none */
};

/*
 * Latency that rises with load: points in the order of both, with straight lines between them; or
 * else queue_ps * sqrt(u / (1 - u)) more at the part u of what the bank or link can carry.
 */
struct machine_load_point {
	uint64_t bytes_per_s; /* carried, of reads; writes count by what they cost */
	uint64_t latency_ps;  /* of a read, from the CPU whose way to the memory is the shortest */
};

struct machine_load {
	struct machine_load_point *points; /* owned; the first at load 0 */
	int nr;                            /* 0: none */
	uint64_t queue_ps;                 /* at half load; 0: none, or the default's */
	bool none;                         /* the file says that there is no queue */
};

struct machine_cache {
	char *name;          /* "L2" */
	uint64_t size_bytes; /* of one of them */
	unsigned ways;
	uint64_t latency_ps; /* a hit at this level */
	bool apart;          /* lines that a CPU of the node has in its own caches are not in it */
	bool per_node;       /* one for all CPUs of a node; else one a CPU, */
	bool per_core;       /* or one for all threads of a core, */
	unsigned nr_cpus;    /* or one for so many of a node, whole cores by their numbers; 0: no */
};

/* One direction of a wire between two nodes, or a node's way to its own bank. */
struct machine_link {
	char *name; /* "link0-1" */
	int from, to;
	int wire; /* the link that stands for it in routes, whose bandwidth it shares; itself */
	uint64_t latency_ps;
	uint64_t bytes_per_s;
	uint64_t write_bytes_per_s; /* of bytes written; 0: they share the way of those read */
	struct machine_load load;
};

struct machine_bank {
	int place;
	uint64_t latency_ps; /* of the bank itself: the least that any CPU sees */
	uint64_t bytes_per_s;
	uint64_t write_bytes_per_s;  /* if it did nothing but writes; 0: as reads */
	uint64_t stream_bytes_per_s; /* the same of stores past the caches; 0: as other writes */
	unsigned channels;           /* that addresses go over in turn; 0 or 1: not told apart */
	unsigned channel_shift;      /* log2 of the bytes of a turn */
	struct machine_load load;
};

/* Where the memory of a node is: at a place, or at several by turns. */
struct machine_ways {
	int *places; /* owned */
	unsigned nr;
	unsigned shift; /* log2 of the bytes of a turn, where there are several */
};

/* How a CPU of place `from` reaches the bank of `to`: its links in order, then the bank. */
struct machine_route {
	int nr_links;
	int *links;           /* indexes into machine.links, owned */
	uint64_t latency_ps;  /* links and bank, summed */
	uint64_t bytes_per_s; /* the narrowest of links and bank; 0: there is no way */
	bool two_ways;        /* some link carries writes apart from reads */
};

/* A disk, or anything else that keeps pages: swap, the files of the page cache. */
struct machine_disk {
	char *name;                                   /* "sda"; owned */
	uint64_t latency_ps;                          /* of a request, before its bytes move */
	uint64_t read_bytes_per_s, write_bytes_per_s; /* above 0 */
	unsigned queue_depth; /* requests that it works on at once; above 0 */
	unsigned nr_requests; /* requests that may be asked of it at once; above 0 */
	enum disk_scheduler { DISK_DEADLINE, DISK_NONE } scheduler;
};

/* What it takes to get a line from the caches of another CPU; all 0: as from memory. */
struct machine_transfers {
	uint64_t same_node_ps;
	uint64_t same_node_far_ps;   /* whose last cache is another one; 0: as same_node_ps */
	uint64_t same_node_clean_ps; /* one that is as in memory; 0: from the node's own cache */
	uint64_t home_at_owner_ps;   /* of another node, whose memory the line belongs to */
	uint64_t home_elsewhere_ps; /* of another node, and the line belongs to a third or one's own
				     */
};

#define MACHINE_TLB_ARRAYS 4 /* of a level */
#define MACHINE_TLB_SIZES  4 /* of pages, in one array */

/* A part of a level of a TLB: translations of pages of these sizes, in sets with true LRU. */
struct machine_tlb_array {
	unsigned shifts[MACHINE_TLB_SIZES]; /* log2 of the pages' bytes */
	int nr_shifts;
	unsigned entries, ways; /* whole sets */
};

/* The data TLB that each core has; its threads share it. */
struct machine_tlb {
	struct machine_tlb_array first[MACHINE_TLB_ARRAYS], second[MACHINE_TLB_ARRAYS];
	int nr_first; /* 0: not described, and translations take no time */
	int nr_second;
	unsigned second_cycles; /* of a hit there, more than in the first level */
	unsigned walk_cycles;   /* of a walk, besides reading entries */
	unsigned table_entries; /* of upper page tables, that it has at hand */
	unsigned spaces;        /* whose translations a CPU keeps, its current one among them */
};

/* A sysctl that is written, or read, once the machine has booted. */
struct machine_sysctl {
	char *text;    /* "KEY=VALUE", or "KEY": it is read; owned */
	unsigned line; /* in the file; 0: not from the file but from --sysctl */
};

/* A step of memory hotplug that is taken once the machine has booted; see hotplug.h. */
struct machine_hotplug {
	char *text;    /* owned; checked where it is taken */
	unsigned line; /* in the file; 0: not from the file but from --hotplug */
};

struct machine {
	char *file; /* for messages */
	char *name;
	char *description; /* "" where not given */
	char *source;      /* where its hardware numbers come from */

	struct machine_cpu *cpus;
	struct machine_bank *banks; /* by place; bytes_per_s 0 where it has no memory */
	struct machine_link *links;
	int nr_links;
	struct machine_route *routes; /* [from * nr_places + to]; empty where `from` has no CPU or
					 `to` no memory */
	int nr_places;                /* 0: as many as nodes, which they are */
	int *place_nid;               /* by place: of which node it is; NULL: of its own */
	struct machine_ways *ways;    /* by node; NULL: each is at its own place */

	struct machine_disk *disks;
	int nr_disks;             /* 0: what is written and read takes no time */
	int swap_disk, file_disk; /* of disks, where there are any: what is swapped, and files */

	unsigned cache_line_bytes;    /* 0: no caches, each access goes to memory */
	struct machine_cache *caches; /* nearest first */
	int nr_caches;
	struct machine_transfers transfers;
	struct machine_tlb tlb;

	struct mm_config mm; /* points into the arrays below; mm.nr_nodes and mm.nr_cpus count */
	int *cpu_nid;
	uint8_t *distance;
	int *shares_cpus_with;      /* by node */
	uint8_t *interleave_weight; /* by node */
	struct mm_range *memory;
	struct mm_range *hotpluggable, *mirrored; /* of memory */
	struct mm_range *memmap;                  /* holes */
	struct mm_hugepages *hugepages; /* the pools at boot, mm.nr_hugepages of them; NULL: none */
	struct mm_reservation *reserved;
	struct kernel_profile *profile; /* NULL: none */
	char **reserved_what;           /* what each is, for people; "" where not given */
	struct mm_release *late;
	struct machine_sysctl *sysctls; /* in the order in which they are written */
	size_t nr_sysctls;
	struct machine_hotplug *hotplug; /* likewise, after the sysctls */
	size_t nr_hotplug;
	struct machine_hotplug *planned; /* steps that work takes while it runs */
	size_t nr_planned;
	struct mm_zone_preset *presets;

	char *model_file;    /* where `memory_model` stands, for messages: a file or a --set */
	unsigned model_line; /* 0: a --set */
};

/* `--set path=value` of the command line. */
struct machine_override {
	const char *path;  /* "interconnect.latency[0][1]", "memory_model" */
	const char *value; /* as it would stand in the file, or bare: 286ns, sparse, 3 */
};

/**
 * Read a machine file. Returns 0 and *out (free with machine_free); -EINVAL (content), -ENOENT,
 * -EIO (file), -ENOMEM with the reason in `diag`. Warnings too go there (SLIT against latencies).
 */
int machine_load(const char *path, const struct machine_override *sets, size_t nr_sets,
		 struct diag *diag, struct machine **out);

/** The same from text in memory (fuzzing, tests); `name` stands for the file in messages. */
int machine_parse(const char *text, size_t len, const char *name, struct diag *diag,
		  struct machine **out);

void machine_free(struct machine *m);

static inline int machine_nr_places(const struct machine *m)
{
	return m->nr_places ? m->nr_places : m->mm.nr_nodes;
}

/** The node that a place is of. */
static inline int machine_place_nid(const struct machine *m, int place)
{
	return m->place_nid ? m->place_nid[place] : place;
}

/** At how many places the memory of a node is. */
static inline unsigned machine_nr_ways(const struct machine *m, int nid)
{
	return m->ways ? m->ways[nid].nr : 1;
}

/** The i-th of them. */
static inline int machine_way(const struct machine *m, int nid, unsigned i)
{
	return m->ways ? m->ways[nid].places[i] : nid;
}

static inline const struct machine_route *machine_route(const struct machine *m, int from, int to)
{
	return &m->routes[from * machine_nr_places(m) + to];
}

/** Have a sysctl of the command line written after those that are there. 0 or -ENOMEM. */
int machine_add_sysctl(struct machine *m, const char *text);

/** The same of a step of memory hotplug, which the command line has at `line` 0. */
int machine_add_hotplug(struct machine *m, const char *text, unsigned line);

/** Memory may come by that step while work runs. The same. */
int machine_plan_hotplug(struct machine *m, const char *text);

/** As `holds` of a machine file names it; NULL for MM_HOLDS_OTHER. */
const char *machine_holds_name(enum mm_holds holds);

/** The node whose memory holds `at`, or MM_NO_NODE. */
int machine_node_of(const struct machine *m, phys_addr_t at);

/** What the file says of free pages at the start no longer holds: something else says it. */
void machine_forget_free(struct machine *m);

/** Which of the caches of that level each CPU uses, from 0: fills domains[], by CPU, and returns
 * how many of them there may be; -ENOMEM. */
int machine_cache_domains(const struct machine *m, const struct machine_cache *cache, int *domains);

#endif

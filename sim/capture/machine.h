/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The machine that a capture describes, read only from what describes it: never from what the
 * kernel made of it (zoneinfo, buddyinfo, watermarks, zonelists, ...).
 */
#ifndef SIM_CAPTURE_MACHINE_H
#define SIM_CAPTURE_MACHINE_H

#include "mm/arch.h"
#include "mm/mm.h"
#include <stdio.h>

#include "sim/capture/dmesg.h"

#define CAPTURE_MAX_NODES 1024

#define CAPTURED_POOLS 3 /* one a size, and the default one */

struct captured_machine {
	char *name;
	const struct mm_arch *arch;
	enum mm_memory_model model;
	char *kernel; /* "6.1.0-56-amd64"; NULL: not known */

	int nr_nodes, nr_cpus;
	int *cpu_nid;          /* by CPU; with numa=fake the first of its nodes */
	int *shares_cpus_with; /* by node: the first that has one of its CPUs */
	uint8_t *distance;     /* nr_nodes rows of nr_nodes */
	uint64_t freq_khz;     /* 0: not known */

	struct captured_ranges memory; /* whole pages, by address, each with its node */
	const char *memory_from;       /* the file, for people */
	struct captured_ranges reserved;
	bool complete;         /* reserved is all that memblock held */
	char *profile;         /* of its kernel; NULL: there is none */
	uint64_t xsave_bytes;  /* of a CPU's registers; 0: not known */
	char *slab_options[3]; /* as the machine file has them; NULL: not there */
	uint64_t brk_bytes;    /* behind the image, by the profile */
	uint64_t hotplug_end;  /* where firmware may have memory one day; 0: no later than now */
	struct captured_ranges late; /* parts of it that are given back */

	char *command_line;               /* "" where not known */
	uint64_t kernelcore, movablecore; /* bytes; 0: not given */
	bool kernelcore_mirror, movable_node, page_owner, page_table_check;
	bool la57;              /* five levels of page tables */
	uint64_t vmalloc;       /* bytes; 0: not given */
	const char *thp;        /* "always", "madvise", "never"; NULL: not given */
	const char *thp_defrag; /* by its name; NULL: as the kernel begins, or not known */
	/* Pools of huge pages, by size; bytes = 0: of the default size. Their `of` are owned. */
	struct mm_hugepages pools[CAPTURED_POOLS];
	unsigned nr_pools;
	uint64_t swap_bytes; /* 0: none */
	char *swap_disk;     /* the name of where it is; NULL: none */
	/* Of the command line while it is read, bytes; 0: not said. */
	uint64_t hugepage_size, default_hugepage_size;
};

/**
 * Read the machine of a capture. Returns 0 and *out (free with captured_machine_free());
 * -ENOENT, -EIO, -EINVAL with the reason in diag; -ENOMEM. What is not in the capture, and where
 * that leaves the machine less exact, is a warning.
 */
int captured_machine_read(const struct capture *c, struct diag *diag,
			  struct captured_machine **out);
void captured_machine_free(struct captured_machine *m);

/**
 * Write it as a machine file, which machine_parse() reads. Returns 0, or an error of reading the
 * shipped figures (hardware.h). Write errors stay with the stream.
 */
int captured_machine_write(const struct captured_machine *m, struct diag *diag, FILE *out);

/* The steps of reading; errors as above. */

/**
 * nodeN.cpulist, nodeN.distance and cpuinfo. `nr_memory_nodes`: nodes that memory is on; `nr_srat`:
 * that SRAT has, whether they are online or not; 0: there is none, or the kernel does not ask it.
 */
int captured_nodes_read(struct captured_machine *m, const struct capture *c, int nr_memory_nodes,
			int nr_srat, struct diag *diag);

/**
 * "0-3,8": call each(arg, cpu) for every CPU; it returns 0 or an error, which ends the walk.
 * -EINVAL with the line where the list cannot be read.
 */
int capture_parse_cpulist(const struct capture_file *f, struct diag *diag,
			  int (*each)(void *arg, int cpu), void *arg);
/** "10 20 31": fills at most `max` distances; *nr is how many there are. */
int capture_parse_distances(const struct capture_file *f, struct diag *diag, uint8_t *row, int max,
			    int *nr);
/** How many CPUs cpuinfo has, and their frequency where it says (0: it does not). */
int capture_parse_cpuinfo(const struct capture_file *f, struct diag *diag, int *nr_cpus,
			  uint64_t *freq_khz);

/** What firmware says of m->memory, which is cut by it. */
int captured_flags_read(struct captured_machine *m, const struct captured_dmesg *dmesg,
			const char *file, struct diag *diag);

/**
 * An option about the pool of huge pages, in the order of the command line: hugepages= is about the
 * size that the last hugepagesz= named, else the default one. Returns whether it was one.
 */
bool captured_huge_option(struct captured_machine *m, const char *option, const char *file,
			  struct diag *diag);
/** The lines about them of the machine file. */
void captured_huge_write(const struct captured_machine *m, FILE *out);
/** Take what pools took of memblock out of what is reserved: they take it again. */
void captured_huge_reserved(struct captured_ranges *reserved);
void captured_huge_free(struct captured_machine *m);
/** How huge pages are found for faults, from thp.txt if the capture has it. */
int captured_thp_read(struct captured_machine *m, const struct capture *c, struct diag *diag);

/** Swap, from swaps.txt or meminfo.txt if the capture has one of them. */
int captured_swap_read(struct captured_machine *m, const struct capture *c, struct diag *diag);

/** The rest of the command line that bears on memory. */
int captured_options_read(struct captured_machine *m, const char *file, struct diag *diag);

/**
 * The kernel profile by the kernel's release, and what it needs to know of the machine. None is
 * a warning.
 */
int captured_profile_read(struct captured_machine *m, const struct captured_dmesg *dmesg,
			  const char *file, struct diag *diag);

/** Only its name, where it is not needed for what is reserved. None is nothing to tell. */
int captured_profile_name(struct captured_machine *m, struct diag *diag);

/**
 * The parts of m->reserved that dmesg says are given back; what cannot be found there is a
 * warning. `iomem` may be empty. Without a complete list of reservations, first adds what iomem
 * and dmesg say of them to it.
 */
int captured_late_read(struct captured_machine *m, const struct captured_ranges *iomem,
		       const struct captured_dmesg *dmesg, const char *dmesg_path,
		       struct diag *diag);

/**
 * memblock's list of what is reserved against the memory: it holds at least the memmap, or it is
 * cut
 * (-EINVAL); what lies in no memory is warned of. Memory is known.
 */
int captured_reserved_check(const struct captured_machine *m, const struct captured_ranges *iomem,
			    const struct capture_file *f, struct diag *diag);

#endif

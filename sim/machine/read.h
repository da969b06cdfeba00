/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a machine file is read, one part of it a file: machine_nodes.c (nodes, CPUs, memory),
 * machine_wires.c (distances, banks, links), machine_kernel.c (kernel parameters, zones,
 * reservations) and machine_cache.c; machine.c calls them in this order.
 *
 * Each part records what is wrong through its cfg; what it allocates hangs off the machine at once,
 * so machine_free() cleans up after an error.
 */
#ifndef SIM_MACHINE_READ_H
#define SIM_MACHINE_READ_H

#include "sim/config/config.h"
#include "sim/machine/machine.h"

#define MACHINE_MAX_RANGES 4096 /* of memory, of reservations, of zone presets */
#define MACHINE_MAX_CACHES 8
#define LOCAL_DISTANCE     10 /* ACPI: of a node to itself; others are in tenths of it */

struct machine_reader {
	struct cfg *cfg;
	struct machine *m;
	const struct mm_arch *arch;
	bool in_memory; /* the text is no file: it may name no other by its path */
	const struct cfg_setting **node_at; /* by node id: its group; owned */
};

void machine_read_nodes(struct machine_reader *r, const struct cfg_setting *root);
void machine_read_distances(struct machine_reader *r, const struct cfg_setting *root);
void machine_read_interconnect(struct machine_reader *r, const struct cfg_setting *root);
/** A warning where distances and latencies tell different stories. */
void machine_check_distances(struct machine_reader *r, const struct cfg_setting *root);
void machine_read_caches(struct machine_reader *r, const struct cfg_setting *root);
void machine_read_transfers(struct machine_reader *r, const struct cfg_setting *root);
void machine_read_tlb(struct machine_reader *r, const struct cfg_setting *root);
void machine_read_kernel(struct machine_reader *r, const struct cfg_setting *root);
/** The disks, and which of them `kernel` has swap and files on; after the kernel. */
void machine_read_disks(struct machine_reader *r, const struct cfg_setting *root);
/** Of `kernel`, what is about huge pages. */
void machine_read_huge(struct machine_reader *r, const struct cfg_setting *kernel);
void machine_read_files(struct machine_reader *r, const struct cfg_setting *kernel);
/** Of `kernel`, what is about slab caches. */
void machine_read_slab(struct machine_reader *r, const struct cfg_setting *kernel);
/** Of `kernel`, what is about its address space. */
void machine_read_address_space(struct machine_reader *r, const struct cfg_setting *kernel);
void machine_read_reserved(struct machine_reader *r, const struct cfg_setting *root);
void machine_read_late(struct machine_reader *r, const struct cfg_setting *root);
void machine_read_zones(struct machine_reader *r, const struct cfg_setting *root);

/** A node id that exists. */
bool machine_read_nid(struct machine_reader *r, const struct cfg_setting *s, int *out);
/** A latency or a rate: not 0, and not so long that sums of them overflow. */
bool machine_read_latency(struct machine_reader *r, const struct cfg_setting *s, uint64_t *out);
bool machine_read_rate(struct machine_reader *r, const struct cfg_setting *s, uint64_t *out);
/** A range of physical memory: base and size of a group, within what the architecture has. */
bool machine_read_range(struct machine_reader *r, const struct cfg_setting *group,
			phys_addr_t *start, uint64_t *bytes);
/** `loaded` of a group, where it has it; the point at load 0 is set by machine_finish_loads(). */
void machine_read_load(struct machine_reader *r, const struct cfg_setting *group,
		       struct machine_load *load);
/** A point that what carries so much never comes to is an error; 0: how much is not known. */
void machine_check_load(struct machine_reader *r, const struct cfg_setting *group,
			const struct machine_load *load, uint64_t bytes_per_s);
/* The keys that it has. */
#define MACHINE_BANK_KEYS                                                                          \
	"bandwidth", "write_bandwidth", "streaming_write_bandwidth", "loaded", "queueing",         \
		"channels", "channel_interleave", "source"
/** What a group says of a bank, but for its latency; what is not there stays as it is. */
void machine_read_bank(struct machine_reader *r, const struct cfg_setting *group,
		       struct machine_bank *bank);
/** `channels` of a bank's group, and `channel_interleave`. */
void machine_read_channels(struct machine_reader *r, const struct cfg_setting *group,
			   struct machine_bank *bank);
/** Once banks and caches are known: how many channels there are, and how large lines. */
void machine_check_channels(struct machine_reader *r, const struct cfg_setting *root);
/**
 * `interleave`: places whose memory is one node's. Nodes are those of the kernel from here on; all
 * that is of places has been read.
 */
void machine_read_interleave(struct machine_reader *r, const struct cfg_setting *root);
/** Does it write no faster than it reads? */
void machine_check_bank(struct machine_reader *r, const struct cfg_setting *group,
			const struct machine_bank *bank);
/** `banks` beside matrices: none carries less than `pairs` have of it. Once links are made. */
struct wire;
void machine_check_measured_banks(struct machine_reader *r, const struct cfg_setting *group,
				  const struct wire *pairs);
/** `banks` beside matrices. */
void machine_read_measured_banks(struct machine_reader *r, const struct cfg_setting *group);
/** `wires` beside matrices, once there are routes. */
void machine_read_shared_wires(struct machine_reader *r, const struct cfg_setting *group);
/** What interconnect.h returned becomes a message. */
void machine_check_links(struct machine_reader *r, const struct cfg_setting *s, int err);
/** Once idle latencies are known. Errors are told at `at`. */
void machine_finish_loads(struct machine_reader *r, const struct cfg_setting *at);
/** `source` of a group, where it has one: a string. Its text is for people. */
void machine_read_source(struct machine_reader *r, const struct cfg_setting *group);
/** Zeroed memory for `nr` things; NULL and an error where there is none (not for nr == 0). */
void *machine_array(struct machine_reader *r, size_t nr, size_t size);

/* "[0x100000-0x1fffff]" */
struct range_text {
	char text[48];
};
struct range_text machine_range_text(const struct mm_range *range);

#endif

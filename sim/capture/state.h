/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The state of a running kernel's memory as a capture tells it: zoneinfo, buddyinfo, pagetypeinfo,
 * the NUMA counters of nodes, and sysctls, of one moment.
 */
#ifndef SIM_CAPTURE_STATE_H
#define SIM_CAPTURE_STATE_H

#include "mm/start.h"
#include "sim/capture/file.h"

struct captured_setting {
	char *key, *value;
};

struct captured_state {
	char *dir;                   /* where the files are, for messages */
	const struct capture *from;  /* while it is being read */
	const char *folder;          /* in it: "before/", "./" */
	struct mm_zone_state *zones; /* those that have memory, in the order of zoneinfo */
	size_t nr_zones;
	uint64_t *nr_free_pages;      /* by zone: zoneinfo's count, without what CPUs hold back */
	int nr_cpus;                  /* that zoneinfo names */
	struct mm_pcp_state *pcp;     /* all zones' */
	struct mm_numastat *numastat; /* by node */
	bool *has_numastat;           /* by node: its numastat file is there */
	int nr_nodes;
	struct captured_setting *settings; /* of sysctl_vm.txt, where that is there */
	size_t nr_settings;
};

/**
 * Read the folder `which` ("before", "after") of a capture, or the capture itself where there is no
 * such folder and `optional` is not set. Zones are those of `mm`, which has booted the same
 * machine. Returns 0 and *out (free with captured_state_free()), NULL where it is optional and not
 * there; -ENOENT, -EIO, -EINVAL with the reason in diag: a file that is cut or says something else
 * than the others; -ENOMEM.
 */
int captured_state_read(const struct capture *c, const char *which, bool optional,
			const struct mm *mm, struct diag *diag, struct captured_state **out);
/** A file of it, as capture_read(): while it is being read. */
int captured_state_file(const struct captured_state *s, const char *name, struct diag *diag,
			struct capture_file *out);
/** `state` may be NULL. */
void captured_state_free(struct captured_state *state);

#endif

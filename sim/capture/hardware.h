/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Figures of hardware that a capture does not hold: configs/import/hardware.inc.
 */
#ifndef SIM_CAPTURE_HARDWARE_H
#define SIM_CAPTURE_HARDWARE_H

#include <stdint.h>

#include "sim/config/diag.h"

struct hardware_cache {
	char name[16], shared_by[8];
	uint64_t size_bytes, ways, latency_ps;
};

struct hardware {
	char source[256];
	uint64_t latency_ps, bytes_per_s, freq_hz;           /* local memory; CPUs */
	uint64_t fill_buffers, prefetched, prefetch_streams; /* of a CPU */
	uint64_t cache_line_bytes;
	struct {
		char source[256];
		uint64_t read_bytes_per_s, write_bytes_per_s, latency_ps, queue_depth;
	} disk;
	int nr_caches;
	struct hardware_cache caches[8];
};

/** Read the shipped file. Returns 0; -ENOENT, -EIO, -EINVAL with the reason in diag; -ENOMEM. */
int hardware_load(struct diag *diag, struct hardware *out);

#endif

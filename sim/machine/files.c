/* SPDX-License-Identifier: Apache-2.0 */
/* `kernel` of a machine file: how files are mapped and read, how large a tmpfs may be. */
#include <inttypes.h>

#include "sim/machine/read.h"

/* As debugfs' fault_around_bytes takes it: at most what one table maps, rounded down. */
static void read_fault_around(struct machine_reader *r, const struct cfg_setting *s)
{
	uint64_t page = UINT64_C(1) << r->arch->page_shift;
	uint64_t entry = r->arch->id == MM_I386 ? 4 : 8, bytes, rounded = page;

	if (!cfg_size(r->cfg, s, &bytes))
		return;
	if (bytes / page > page / entry) {
		cfg_error(r->cfg, s, "a table maps %" PRIu64 " KiB, that is the most",
			  page / entry * page >> 10);
		return;
	}
	while (rounded * 2 <= bytes)
		rounded *= 2;
	r->m->mm.params.fault_around_bytes = rounded;
}

/* As mount's size=, where nothing means all. */
static void read_tmpfs_size(struct machine_reader *r, const struct cfg_setting *s)
{
	uint64_t bytes;

	if (cfg_size(r->cfg, s, &bytes))
		r->m->mm.params.tmpfs_bytes = bytes ? bytes : MM_TMPFS_NO_LIMIT;
}

void machine_read_files(struct machine_reader *r, const struct cfg_setting *kernel)
{
	read_tmpfs_size(r, cfg_find(r->cfg, kernel, "tmpfs_size"));
	read_fault_around(r, cfg_find(r->cfg, kernel, "fault_around_bytes"));
	cfg_integer(r->cfg, cfg_find(r->cfg, kernel, "read_ahead_kb"), 0, 1 << 20,
		    &r->m->mm.params.read_ahead_kb);
}

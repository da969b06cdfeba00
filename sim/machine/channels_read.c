/* SPDX-License-Identifier: Apache-2.0 */
/* Channels of the banks of a machine file. What they mean is in channels.h. */
#include "sim/machine/channels.h"
#include "sim/machine/read.h"

#include <inttypes.h>

/* AMD's servers take it unless told otherwise, and it is the least of a CXL window. */
#define DEFAULT_INTERLEAVE 256
#define LEAST_INTERLEAVE   8
#define MOST_INTERLEAVE    (UINT64_C(1) << 20)

static bool is_power_of_two(uint64_t n)
{
	return n && !(n & (n - 1));
}

void machine_read_channels(struct machine_reader *r, const struct cfg_setting *group,
			   struct machine_bank *bank)
{
	const struct cfg_setting *at = cfg_find(r->cfg, group, "channels");
	const struct cfg_setting *turn = cfg_find(r->cfg, group, "channel_interleave");
	uint64_t nr = 0, bytes = DEFAULT_INTERLEAVE;

	if (turn && !at)
		cfg_error(r->cfg, turn, "'channels' is missing beside it: how many there are");
	if (cfg_size(r->cfg, turn, &bytes) &&
	    (!is_power_of_two(bytes) || bytes < LEAST_INTERLEAVE || bytes > MOST_INTERLEAVE))
		cfg_error(r->cfg, turn,
			  "expected a power of two from %d B to 1 MiB, the bytes that follow each "
			  "other on a channel, found %" PRIu64 " B",
			  LEAST_INTERLEAVE, bytes);
	if (!cfg_integer(r->cfg, at, 1, CHANNELS_MOST, &nr) || cfg_status(r->cfg))
		return;
	bank->channels = (unsigned)nr;
	bank->channel_shift = (unsigned)__builtin_ctzll(bytes);
}

void machine_check_channels(struct machine_reader *r, const struct cfg_setting *root)
{
	const struct cfg_setting *line = cfg_find(r->cfg, root, "cache_line");
	const struct machine *m = r->m;
	unsigned all = 0;

	for (int nid = 0; nid < m->mm.nr_nodes && !cfg_status(r->cfg); nid++) {
		const struct machine_bank *bank = &m->banks[nid];

		if (!bank_has_channels(bank) || !bank->bytes_per_s)
			continue;
		all += bank->channels;
		if (bank->bytes_per_s < bank->channels)
			cfg_error(
				r->cfg, root,
				"the bank of node %d carries less than a byte a second on each of "
				"its %u channels",
				nid, bank->channels);
		if (m->cache_line_bytes >> bank->channel_shift > 1)
			cfg_error(r->cfg, line,
				  "a line of %u B is on several channels of node %d's bank, which "
				  "go in turn after %u B (channel_interleave)",
				  m->cache_line_bytes, nid, 1u << bank->channel_shift);
		if (all > CHANNELS_MOST_ALL)
			cfg_error(r->cfg, root,
				  "the banks have more than %d channels altogether, up to that of "
				  "node %d",
				  CHANNELS_MOST_ALL, nid);
	}
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/result/result_banks.h"

#include <stdlib.h>

#include "sim/json.h"
#include "sim/machine/channels.h"

/* Bytes of accesses that not all channels have a part of, into by_channel[]; the rest of all. */
static uint64_t sum_up(const struct sim *s, int nid, unsigned first, uint64_t *by_channel)
{
	const struct machine *m = sim_machine(s);
	uint64_t all = 0;

	for (int cpu = 0; cpu < m->mm.nr_cpus; cpu++) {
		const struct cpu_account *a = sim_account(s, cpu);

		all += a->nodes[nid].bytes_read + a->nodes[nid].bytes_written;
		for (unsigned i = 0; i < m->banks[nid].channels; i++) {
			by_channel[i] += a->channel_bytes[first + i];
			all -= a->channel_bytes[first + i];
		}
	}
	return all;
}

static void put_bank(json_t *list, const struct sim *s, int nid, unsigned first)
{
	const struct machine_bank *bank = &sim_machine(s)->banks[nid];
	uint64_t by_channel[CHANNELS_MOST] = {0};
	uint64_t rest = sum_up(s, nid, first, by_channel);
	json_t *entry = json_append_object(list), *bytes;

	json_put(entry, "node", (uint64_t)nid);
	bytes = json_put_array(entry, "bytes");
	for (unsigned i = 0; i < bank->channels; i++)
		json_append(bytes,
			    by_channel[i] + rest / bank->channels + (i < rest % bank->channels));
}

void result_put_channels(json_t *memory, const struct sim *s)
{
	const struct machine *m = sim_machine(s);
	unsigned *first = calloc((size_t)m->mm.nr_nodes, sizeof(*first));
	json_t *list;

	if (!first || !channels_number(m, m->mm.nr_nodes, first)) {
		free(first);
		return;
	}
	list = json_put_array(memory, "channels");
	for (int nid = 0; nid < m->mm.nr_nodes; nid++)
		if (bank_has_channels(&m->banks[nid]))
			put_bank(list, s, nid, first[nid]);
	free(first);
}

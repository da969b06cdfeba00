/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/result/result_banks.h"

#include <stdlib.h>

#include "sim/json.h"
#include "sim/machine/channels.h"

/* Bytes of accesses that not all channels have a part of, into by_channel[]; the rest of all. */
static uint64_t sum_up(const struct sim *s, int place, unsigned first, uint64_t *by_channel)
{
	const struct machine *m = sim_machine(s);
	uint64_t all = 0;

	for (int cpu = 0; cpu < m->mm.nr_cpus; cpu++) {
		const struct cpu_account *a = sim_account(s, cpu);

		all += a->nodes[place].bytes_read + a->nodes[place].bytes_written;
		for (unsigned i = 0; i < m->banks[place].channels; i++) {
			by_channel[i] += a->channel_bytes[first + i];
			all -= a->channel_bytes[first + i];
		}
	}
	return all;
}

static void put_bank(json_t *list, const struct sim *s, int place, unsigned first)
{
	const struct machine_bank *bank = &sim_machine(s)->banks[place];
	uint64_t by_channel[CHANNELS_MOST] = {0};
	uint64_t rest = sum_up(s, place, first, by_channel);
	json_t *entry = json_append_object(list), *bytes;

	json_put(entry, "node", (uint64_t)machine_place_nid(sim_machine(s), place));
	bytes = json_put_array(entry, "bytes");
	for (unsigned i = 0; i < bank->channels; i++)
		json_append(bytes,
			    by_channel[i] + rest / bank->channels + (i < rest % bank->channels));
}

static void put_channels(json_t *memory, const struct sim *s)
{
	const struct machine *m = sim_machine(s);
	int nr = machine_nr_places(m);
	unsigned *first = calloc((size_t)nr, sizeof(*first));
	json_t *list;

	if (!first || !channels_number(m, first)) {
		free(first);
		return;
	}
	list = json_put_array(memory, "channels");
	for (int place = 0; place < nr; place++)
		if (bank_has_channels(&m->banks[place]))
			put_bank(list, s, place, first[place]);
	free(first);
}

/* What CPUs have read from a bank, or written to it. */
static uint64_t moved_at(const struct sim *s, int place, bool written)
{
	uint64_t sum = 0;

	for (int cpu = 0; cpu < sim_machine(s)->mm.nr_cpus; cpu++) {
		const struct cpu_account *a = sim_account(s, cpu);

		sum += written ? a->nodes[place].bytes_written : a->nodes[place].bytes_read;
	}
	return sum;
}

static void put_ways(json_t *list, const struct sim *s, int nid)
{
	const struct machine *m = sim_machine(s);
	json_t *entry = json_append_object(list);
	json_t *read, *written;

	json_put(entry, "node", (uint64_t)nid);
	read = json_put_array(entry, "bytes_read");
	written = json_put_array(entry, "bytes_written");
	for (unsigned i = 0; i < machine_nr_ways(m, nid); i++) {
		json_append(read, moved_at(s, machine_way(m, nid, i), false));
		json_append(written, moved_at(s, machine_way(m, nid, i), true));
	}
}

void result_put_banks(json_t *memory, const struct sim *s)
{
	const struct machine *m = sim_machine(s);

	if (m->ways) {
		json_t *list = json_put_array(memory, "interleave");

		for (int nid = 0; nid < m->mm.nr_nodes; nid++)
			if (machine_nr_ways(m, nid) > 1)
				put_ways(list, s, nid);
	}
	put_channels(memory, s);
}

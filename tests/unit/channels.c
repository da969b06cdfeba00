/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Channels of a bank: which of them bytes are on, how they share what moves there, how busy each
 * is, and what a machine file says of them. The banks of machine_builder.h carry 20 B/ns, here on 4
 * channels that go in turn after 256 B: 5 B/ns each.
 */
#include <criterion/criterion.h>

#include "sim/time/flow.h"
#include "sim/time/load.h"
#include "sim/time/spread.h"
#include "tests/machine_builder.h"
#include "tests/machine_refused.h"

static const struct costs no_costs;

static struct machine *with_channels(int nr_nodes)
{
	struct machine *m = build_machine(nr_nodes, 2);

	m->banks[0].channels = 4;
	m->banks[0].channel_shift = 8;
	return m;
}

/* Of 12 channels: each 2nd, 3rd, 4th, 6th, 12th one, from 2 + 3 + 4 + 6 + 12 places on. */
Test(channels, sets_are_numbered)
{
	cr_assert_eq(channel_sets(12), 27);
	cr_assert_eq(channel_sets(5), 5);
	for (unsigned i = 0; i < 27; i++) {
		struct channel_set set = channel_set_at(12, i);

		cr_assert_eq(12 % set.apart, 0);
		cr_assert_lt(set.first, set.apart);
		cr_assert_eq(channel_set_index(12, set), i);
	}
	cr_assert_eq(channel_set_at(12, 0).apart, 2);
	cr_assert_eq(channel_set_at(12, 26).apart, 12);
	cr_assert_eq(channel_set_at(12, 26).first, 11);
}

static void expect_set(const uint64_t *by_channel, uint64_t even, unsigned apart, unsigned first)
{
	struct channel_set set = channel_set_of(8, by_channel, even);

	cr_expect_eq(set.apart, apart, "%u apart, expected %u", set.apart, apart);
	cr_expect_eq(set.first, first, "from %u, expected %u", set.first, first);
}

/*
 * 8 channels: as many as the busiest one's bytes go into all. One line: 1. Two, each half way
 * round: 2. All alike: 8. 3 of 8 channels have a line: 3 is 4 rather than 2, since 9 >= 2 * 4; with
 * 5 lines on 2 of them 5 / 3 is 2 rather than 1, since 25 >= 1 * 2 * 9.
 */
Test(channels, bytes_move_over_as_many_as_they_are_on)
{
	const uint64_t one[8] = {[5] = 64}, two[8] = {[3] = 64, [7] = 64};
	const uint64_t all[8] = {64, 64, 64, 64, 64, 64, 64, 64};
	const uint64_t three[8] = {[1] = 64, [3] = 64, [6] = 64};
	const uint64_t five[8] = {[2] = 192, [6] = 128}, none[8] = {0};

	expect_set(one, 0, 8, 5);
	expect_set(two, 0, 4, 3);
	expect_set(all, 0, 1, 0);
	expect_set(three, 0, 2, 1);
	expect_set(five, 0, 4, 2);
	expect_set(none, 0, 0, 0);
	/* 8 KiB for all alike, and a line more: 8256 / 1088 is 7.6 of 8. */
	expect_set(one, 8192, 1, 0);
}

/* 384 B from 128 on: 128 B on channel 0, 256 on 1. A stripe of 1 KiB is on all, from anywhere. */
Test(channels, blocks_are_where_their_addresses_are)
{
	struct machine *m = with_channels(1);
	uint64_t by_channel[4] = {0};
	struct channel_set set;

	cr_assert_eq(
		spread_over(&m->banks[0],
			    &(struct spread_block){.at = 128, .length = 384, .bytes_read = 384},
			    by_channel, &set),
		384);
	cr_assert_eq(by_channel[0], 128);
	cr_assert_eq(by_channel[1], 256);
	/* What was written counts by what it costs, here twice: 64 B of 3 * 1024 + 3 * 256. */
	cr_assert_eq(spread_over(&m->banks[0],
				 &(struct spread_block){
					 .at = 3840, .length = 64, .bytes_read = 0, .written = 128},
				 by_channel, &set),
		     128);
	cr_assert_eq(by_channel[3], 128);
	cr_assert_eq(set.apart, 4);
	cr_assert_eq(set.first, 3);
	cr_assert_eq(
		spread_over(&m->banks[0],
			    &(struct spread_block){.at = 128, .length = 1024, .bytes_read = 1024},
			    by_channel, &set),
		0);
	cr_assert_leq(set.apart, 1);
	built_free(m);
}

static void ignore(void *arg, struct flow *flow)
{
	(void)arg;
	(void)flow;
}

static struct flow_way to_channel(unsigned channel)
{
	return (struct flow_way){.channels = {.apart = 4, .first = channel}};
}

static struct flow_way to_half(unsigned first)
{
	return (struct flow_way){.channels = {.apart = 2, .first = first}};
}

static const struct flow_way to_all = {0};

static uint64_t alone_ps(const struct flows *f, const struct flow_way *way, uint64_t bytes)
{
	double part = 0;

	return flows_alone_ps(f, &(struct flow_part){.way = *way, .bytes = bytes}, 1, &part);
}

static struct flow *begin(struct flows *f, const struct flow_way *way, uint64_t bytes)
{
	struct flow *flow = built_array(1, sizeof(*flow));

	cr_assert_eq(flows_begin(f, flow, &(struct flow_part){.way = *way, .bytes = bytes}, 0, 0),
		     0);
	return flow;
}

static void end(struct flows *f, struct flow *flow, uint64_t now_ps)
{
	flows_end(f, flow, now_ps);
	flow_clear(flow);
	free(flow);
}

/* 1000 B: at 20 B/ns from all, at 5 from one, at 10 from two. */
Test(channels, each_carries_its_part)
{
	const struct flow_way one = to_channel(3), two = to_half(1);
	struct machine *m = with_channels(1);
	struct flows *f = flows_create(m, ignore, NULL);

	cr_assert_eq(alone_ps(f, &to_all, 1000), 50000);
	cr_assert_eq(alone_ps(f, &one, 1000), 200000);
	cr_assert_eq(alone_ps(f, &two, 1000), 100000);
	flows_free(f);
	built_free(m);
}

/* Those on other channels are in nobody's way; who comes to the same one has half of 5 B/ns. */
Test(channels, two_share_one_and_not_two)
{
	struct machine *m = with_channels(1);
	struct flows *f = flows_create(m, ignore, NULL);
	const struct flow_way first = to_channel(0), last = to_channel(3);
	struct flow *a = begin(f, &first, 1000), *b = begin(f, &last, 1000), *c;

	cr_assert_eq(a->end_ps, 200000);
	cr_assert_eq(b->end_ps, 200000);
	c = begin(f, &last, 1000);
	cr_assert_eq(a->end_ps, 200000);
	cr_assert_eq(b->end_ps, 400000);
	cr_assert_eq(c->end_ps, 400000);
	cr_assert_null(flows_next_for_simgrid(f));
	end(f, a, 0);
	end(f, b, 0);
	end(f, c, 0);
	flows_free(f);
	built_free(m);
}

/*
 * A stream over all and one that wants channel 0 alone: r / 4 + r = 5 B/ns there, so 4 B/ns each.
 * The others have 4 B/ns to spare; one of channel 1 gets them: 5 - 4 / 4. SimGrid is not asked
 * before short links meet.
 */
Test(channels, a_stream_waits_for_the_busiest)
{
	struct machine *m = with_channels(1);
	struct flows *f = flows_create(m, ignore, NULL);
	const struct flow_way first = to_channel(0);
	struct flow *a = begin(f, &to_all, 4000), *b;

	cr_assert_eq(a->end_ps, 200000, "20 B/ns");
	b = begin(f, &first, 4000);
	cr_assert_null(flows_next_for_simgrid(f));
	cr_assert_eq(a->end_ps, 1000000);
	cr_assert_eq(b->end_ps, 1000000);
	end(f, b, 0);
	cr_assert_eq(a->end_ps, 200000);
	end(f, a, 0);
	flows_free(f);
	built_free(m);
}

/* All channels are short of two streams over all, and each tells the same: 10 B/ns. */
Test(channels, streams_share_the_bank)
{
	struct machine *m = with_channels(1);
	struct flows *f = flows_create(m, ignore, NULL);
	struct flow *a = begin(f, &to_all, 1000), *b = begin(f, &to_all, 1000);

	cr_assert_null(flows_next_for_simgrid(f));
	cr_assert_eq(a->end_ps, 100000);
	cr_assert_eq(b->end_ps, 100000);
	end(f, a, 0);
	end(f, b, 0);
	flows_free(f);
	built_free(m);
}

/* From the other node its link's 10 B/ns bound a stream, its channel's 5 a line. */
Test(channels, a_byte_is_one_byte_of_a_link)
{
	const struct flow_way all = {.nid = 1}, one = {.nid = 1, .channels = {4, 2}};
	struct machine *m = with_channels(2);
	struct flows *f = flows_create(m, ignore, NULL);
	struct flow *a, *b;

	cr_assert_eq(alone_ps(f, &all, 1000), 100000);
	cr_assert_eq(alone_ps(f, &one, 1000), 200000);
	a = begin(f, &one, 1000);
	b = begin(f, &(const struct flow_way){.nid = 1, .channels = {4, 1}}, 1000);
	cr_assert_eq(a->end_ps, 200000, "5 + 5 B/ns are what the link carries");
	cr_assert_eq(b->end_ps, 200000);
	end(f, a, 0);
	end(f, b, 0);
	flows_free(f);
	built_free(m);
}

#define TAU_PS UINT64_C(200000000) /* over which a load is averaged */

/* So many per cent of what 20 B/ns carry in the time that loads are averaged over. */
static void moved(struct loads *l, uint64_t percent, struct channel_set set)
{
	loads_add(l,
		  &(struct load_moved){.bytes = 20 * (TAU_PS / 1000) * percent / 100,
				       .took_ps = 1000,
				       .channels = set},
		  1000);
}

static void expect_extra(struct loads *l, unsigned channel, uint64_t expected)
{
	uint64_t found = loads_channel_extra_ps(l, 0, 0, channel, 1000);

	cr_expect(found + 2 >= expected && found <= expected + 2, "%llu ps, expected %llu",
		  (unsigned long long)found, (unsigned long long)expected);
}

/*
 * 10 ns * sqrt(u / (1 - u)). Spread, u = 1/2 is 10 ns on all. 10 % of the bank on channel 2 alone
 * are 40 % of that: u = 0.9 there, 30 ns; 0.5 on the others; 0.6 of the bank as a whole, 12.247 ns.
 */
Test(channels, each_is_as_busy_as_it_is)
{
	struct machine *m = with_channels(1);
	struct loads *l;

	m->banks[0].load.queue_ps = 10000;
	cr_assert_eq(loads_create(m, &no_costs, &l), 0);
	moved(l, 50, (struct channel_set){0});
	for (unsigned i = 0; i < 4; i++)
		expect_extra(l, i, 10000);
	moved(l, 10, (struct channel_set){.apart = 4, .first = 2});
	expect_extra(l, 2, 30000);
	expect_extra(l, 1, 10000);
	cr_expect_eq(loads_extra_ps(l, 0, 0, 1000), 12247);
	loads_free(l);
	built_free(m);
}

#define CHANNELS(what) "bank = { latency = \"100ns\"; bandwidth = \"10GB/s\";\n" what " };\n"
#define WITH(what)     HEAD CHANNELS(what) NODES(NODE(MEMORY("0", "1GiB"), CPU))

Test(channels, a_machine_file_says_how_many)
{
	struct machine *m = accepted(WITH("channels = 12; channel_interleave = \"4KiB\";"));

	cr_assert_eq(m->banks[0].channels, 12);
	cr_assert_eq(m->banks[0].channel_shift, 12);
	machine_free(m);
	m = accepted(WITH("channels = 6;"));
	cr_assert_eq(m->banks[0].channel_shift, 8, "256 B where it is not said");
	machine_free(m);
	m = accepted(WITH(""));
	cr_assert_not(bank_has_channels(&m->banks[0]));
	machine_free(m);
}

Test(channels, what_cannot_be_is_refused)
{
	refused(WITH("channels = 0;"),
		"m.cfg:3: bank.channels: expected an integer from 1 to 64, found 0");
	refused(WITH("channels = 65;"),
		"m.cfg:3: bank.channels: expected an integer from 1 to 64, found 65");
	refused(WITH("channel_interleave = \"256B\";"),
		"m.cfg:3: bank.channel_interleave: 'channels' is missing beside it: how many there "
		"are");
	refused(WITH("channels = 8; channel_interleave = \"384B\";"),
		"m.cfg:3: bank.channel_interleave: expected a power of two from 8 B to 1 MiB, the "
		"bytes that follow each other on a channel, found 384 B");
	refused(WITH("channels = 8; channel_interleave = \"2MiB\";"),
		"m.cfg:3: bank.channel_interleave: expected a power of two from 8 B to 1 MiB, the "
		"bytes that follow each other on a channel, found 2097152 B");
	refused(WITH("channels = 8; channel_interleave = \"32B\";") "cache_line = \"64B\";\n",
		"m.cfg:7: cache_line: a line of 64 B is on several channels of node 0's bank, "
		"which "
		"go in turn after 32 B (channel_interleave)");
}

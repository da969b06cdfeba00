/* SPDX-License-Identifier: Apache-2.0 */
/* Hardware of a machine file that there cannot be: the whole message, with its line, for each. */
#include "sim/machine/machine.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Two nodes, on line 2; what is added begins on line 3. */
#define HEAD "source = \"made up\"; architecture = \"x86_64\"; memory_model = \"sparse\";\n"
#define NODE(base, more)                                                                           \
	"{ memory = ( { base = \"" base "\"; size = \"1GiB\"; } ); "                               \
	"cpus = { count = 1; frequency = \"2GHz\"; " more " }; }"
#define NODES(more) "nodes = (" NODE("0", more) "," NODE("1GiB", more) ");\n"
#define TWO         HEAD NODES("fill_buffers = 8;")
#define BANK        "bank = { latency = \"100ns\"; bandwidth = \"10GB/s\"; };"
#define FULL                                                                                       \
	"interconnect = { topology = \"full\"; link = { latency = \"50ns\"; bandwidth = "          \
	"\"9GB/s\"; }; };\n"
#define LINE "cache_line = \"64B\";\n"
#define CACHE(name, size, latency, of)                                                             \
	"{ name = \"" name "\"; size = \"" size "\"; ways = 8; latency = \"" latency               \
	"\"; shared_by = \"" of "\"; }"
#define MATRIX(banks)                                                                              \
	LINE "interconnect = { latency = ( ( \"100ns\", \"200ns\" ), ( \"200ns\", \"100ns\" ) "    \
	     ");\n"                                                                                \
	     "bandwidth = ( ( \"10GB/s\", \"7GB/s\" ), ( \"8GB/s\", \"10GB/s\" ) );\n" banks " };"

static int parse(const char *text, char *shown, size_t len)
{
	struct diag d = DIAG_INIT;
	struct machine *m = NULL;
	int err = machine_parse(text, strlen(text), "m.cfg", &d, &m);

	snprintf(shown, len, "%s:%u: %s", d.error.file, d.error.line, d.error.text);
	machine_free(m);
	diag_clear(&d);
	return err;
}

static void accepted(const char *text)
{
	char shown[1024];

	cr_assert_eq(parse(text, shown, sizeof(shown)), 0, "%s", shown);
}

static void refused(const char *text, const char *message)
{
	char shown[1024];

	cr_assert_eq(parse(text, shown, sizeof(shown)), -EINVAL, "not refused: %s", message);
	cr_assert_str_eq(shown, message, "got:      %s\nexpected: %s", shown, message);
}

Test(machine_checks, lines_in_flight_have_a_size)
{
	accepted(TWO BANK FULL LINE);
	refused(HEAD
		"nodes = (" NODE("0", "") ",\n" NODE("1GiB", "fill_buffers = 8;") ");\n" BANK FULL,
		"m.cfg:3: nodes[1].cpus.fill_buffers: lines of which size? 'cache_line' is missing "
		"at top level");
}

Test(machine_checks, cache_levels_go_outwards)
{
#define LEVELS(second)                                                                             \
	TWO BANK FULL LINE "caches = (" CACHE("L1", "32KiB", "2ns", "core") ",\n" second ");"
	accepted(LEVELS(CACHE("L2", "1MiB", "5ns", "core")));
	accepted(LEVELS(CACHE("L2", "32KiB", "2ns", "node")));
	refused(LEVELS(CACHE("L2", "16KiB", "5ns", "core")),
		"m.cfg:6: caches[1].size: L2 is smaller than L1, which is nearer to the CPU");
	refused(LEVELS(CACHE("L2", "1MiB", "1ns", "core")),
		"m.cfg:6: caches[1].latency: L2 is faster than L1, which is nearer to the CPU");
	refused(LEVELS(CACHE("L2", "1MiB", "5ns", "cpu")),
		"m.cfg:6: caches[1].shared_by: L2 is of fewer CPUs than L1, which is nearer to "
		"them");
	refused(LEVELS(CACHE("L2", "1MiB", "101ns", "core")),
		"m.cfg:5: caches: a hit in L2 takes longer (101000 ps) than memory of node 0 "
		"(100000 ps)");
}

Test(machine_checks, banks_carry_what_was_measured)
{
	accepted(TWO MATRIX("banks = ( { nodes = ( 0, 1 ); bandwidth = \"10GB/s\"; } );"));
	refused(TWO MATRIX("banks = (\n{ nodes = ( 1 ); bandwidth = \"9GB/s\"; } );"),
		"m.cfg:7: interconnect.banks[0].bandwidth: the bank of node 1 carries 9000000000 "
		"bytes a second, less than the 10000000000 that CPUs of node 1 get from it");
	refused(TWO MATRIX("banks = (\n{ nodes = ( 0, 1 ); bandwidth = \"7.5GB/s\"; } );"),
		"m.cfg:7: interconnect.banks[0].bandwidth: the bank of node 0 carries 7500000000 "
		"bytes a second, less than the 10000000000 that CPUs of node 0 get from it");
}

Test(machine_checks, banks_write_no_faster_than_they_read)
{
	refused(TWO LINE "bank = { latency = \"100ns\"; bandwidth = \"10GB/s\";\n"
			 "write_bandwidth = \"11GB/s\"; };" FULL,
		"m.cfg:5: bank.write_bandwidth: 11000000000 bytes a second are more than the bank "
		"carries (10000000000)");
	refused(TWO LINE "bank = { latency = \"100ns\"; bandwidth = \"10GB/s\";\n"
			 "streaming_write_bandwidth = \"12GB/s\"; };" FULL,
		"m.cfg:5: bank.streaming_write_bandwidth: 12000000000 bytes a second are more than "
		"the bank carries (10000000000)");
	/* The column's largest is the bank's, where nothing else is said. */
	refused(TWO MATRIX("banks = ( { nodes = ( 0 ); write_bandwidth = \"11GB/s\"; } );"),
		"m.cfg:6: interconnect.banks[0].write_bandwidth: 11000000000 bytes a second are "
		"more than the bank carries (10000000000)");
	accepted(TWO MATRIX("banks = ( { nodes = ( 0 ); write_bandwidth = \"10GB/s\"; } );"));
}

Test(machine_checks, clean_lines_come_from_where_they_are)
{
#define L3(more)                                                                                   \
	"caches = ( { name = \"L3\"; size = \"1MiB\"; ways = 8; latency = \"9ns\"; " more " } "    \
	");\n"
#define TRANSFERS                                                                                  \
	"line_transfers = { same_node = \"50ns\"; home_at_owner = \"90ns\"; "                      \
	"same_node_clean = \"49ns\"; };"
	accepted(TWO BANK FULL LINE L3("shared_by = \"node\"; inclusive = false;") TRANSFERS);
	refused(TWO BANK FULL LINE L3("shared_by = \"node\";") TRANSFERS,
		"m.cfg:6: line_transfers.same_node_clean: the node's cache has such lines itself: "
		"no cache has `inclusive = false`");
	refused(TWO BANK FULL LINE L3("shared_by = \"cpu\"; inclusive = false;"),
		"m.cfg:5: caches[0].inclusive: only a cache that cores share is inclusive of their "
		"own, or not");
}

/* A point of a curve that what it is of never comes to. */
Test(machine_checks, curves_end_where_bandwidth_does)
{
#define CURVE(last) "loaded = ( { bandwidth = \"1GB/s\"; latency = \"160ns\"; },\n" last " );"
#define AT(rate)    "{ bandwidth = \"" rate "\"; latency = \"300ns\"; }"
#define OF_BANK(last)                                                                              \
	TWO LINE FULL "bank = { latency = \"100ns\"; bandwidth = \"10GB/s\"; " CURVE(last) " };"
#define OF_LINK(last)                                                                              \
	TWO LINE BANK "interconnect = { topology = \"full\"; link = { latency = \"50ns\"; "        \
		      "bandwidth = \"9GB/s\"; " CURVE(last) " }; };"
	accepted(OF_BANK(AT("10GB/s")));
	refused(OF_BANK(AT("11GB/s")),
		"m.cfg:6: bank.loaded[1]: a point at 11000000000 bytes a second is never reached: "
		"no more than 10000000000 are carried");
	accepted(OF_LINK(AT("9GB/s")));
	refused(OF_LINK(AT("9.5GB/s")),
		"m.cfg:5: interconnect.link.loaded[1]: a point at 9500000000 bytes a second is "
		"never reached: no more than 9000000000 are carried");
	refused(TWO MATRIX("banks = ( { nodes = ( 0 ); " CURVE(AT("12GB/s")) " } );"),
		"m.cfg:7: interconnect.banks[0].loaded[1]: a point at 12000000000 bytes a second "
		"is never reached: no more than 10000000000 are carried");
}

/* SPDX-License-Identifier: Apache-2.0 */
/* What is wrong in a scenario file is told whole: where, what was found, what was expected. */
#include "tests/scenario_fixture.h"

#include "tests/machine_builder.h"

/* Refused when the file is read. */
static void refused_text(const char *text, const char *message)
{
	struct diag d = DIAG_INIT;
	struct scenario *s;
	int err = load_scenario_text(text, NULL, 0, &d, &s);

	cr_assert_str_eq(shown(&d), message, "got:      %s\nexpected: %s", shown(&d), message);
	cr_assert_eq(err, -EINVAL);
	cr_assert_null(s);
	diag_clear(&d);
}

/* Refused when its operations are made for a machine. */
static void refused_on(const struct machine *m, const char *text, const char *message)
{
	struct diag d = DIAG_INIT;
	struct trace *t = NULL;
	struct scenario *s = loaded(text, NULL, 0, &d);
	int err = scenario_generate(s, m, &d, &t);

	cr_assert_str_eq(shown(&d), message, "got:      %s\nexpected: %s", shown(&d), message);
	cr_assert_eq(err, -EINVAL);
	cr_assert_null(t);
	scenario_free(s);
	diag_clear(&d);
}

static void refused(const char *workload, const char *message)
{
	struct machine *m = scenario_machine();
	char text[1024], whole[1024];

	snprintf(text, sizeof(text), "machine = \"m.cfg\";\nworkload = { %s };", workload);
	snprintf(whole, sizeof(whole), "s.cfg:2: workload%s", message);
	refused_on(m, text, whole);
	machine_free(m);
}

Test(scenario_errors, top_level)
{
	refused_text("machine = \"m.cfg\";", "s.cfg:1: 'workload' is missing");
	refused_text("workload = {};", "s.cfg:1: 'machine' is missing");
	refused_text("machine = \"m.cfg\";\nworkloads = ();\nworkload = {};",
		     "s.cfg:3: workload: either workload or workloads, not both");
	refused_text("machine = \"m.cfg\";\nworkload = {};\nsede = 3;",
		     "s.cfg:3: sede: unknown key 'sede', did you mean 'seed'? (known: description, "
		     "machine, costs, seed, workload, workloads)");
	refused_text("machine = 3;\nworkload = {};",
		     "s.cfg:1: machine: expected a string in quotes, found the integer 3");
	refused_text("machine = \"m.cfg\";\nworkload = {};\nseed = -1;",
		     "s.cfg:3: seed: expected an integer from 0 to 9223372036854775807, found -1");
	refused_text("machine = \"m.cfg\";\nworkload = {};\nseed = \"1\";",
		     "s.cfg:3: seed: expected an integer, found the string \"1\"");
	refused_text("machine = \"m.cfg\";\nworkload = {;",
		     "s.cfg:2: expected a key or '}', found ';'");
}

Test(scenario_errors, kind)
{
	refused("order = 0;", ": 'kind' is missing");
	refused("kind = \"chrun\";",
		".kind: unknown workload 'chrun', did you mean 'churn'? "
		"(known: anon, boot, churn, contend, fault, file, fill, hotplug, interleave, "
		"kernel, kmap, process, slab, vmalloc)");
	refused("kind = \"stream\";",
		".kind: unknown workload 'stream' (known: anon, boot, churn, contend, "
		"fault, file, fill, hotplug, interleave, kernel, kmap, process, slab, vmalloc)");
}

Test(scenario_errors, keys)
{
	refused("kind = \"fill\"; ordr = 1;",
		".ordr: unknown key 'ordr', did you mean 'order'? (known: kind, cpus, bytes, "
		"beyond, order, orders, gfp, touch)");
	refused("kind = \"fill\"; live = 5;", ".live: unknown key 'live' (known: kind, cpus, "
					      "bytes, beyond, order, orders, gfp, touch)");
	refused("kind = \"churn\"; bytes = \"1MiB\";",
		".bytes: unknown key 'bytes' (known: kind, cpus, operations, live, max_order, "
		"orders, gfp, "
		"touch)");
	refused("kind = \"fill\"; bytes = \"1MiB\"; beyond = \"1MiB\";",
		".bytes: either bytes or beyond, not both");
	refused("kind = \"interleave\"; bytes = \"1MiB\"; operations = 5;",
		".bytes: either bytes or operations, not both");
	refused("kind = \"fill\"; order = 1; orders = \"0:1,1:2\";",
		".order: either order or orders, not both");
	refused("kind = \"churn\"; max_order = 1; orders = \"0:1,1:2\";",
		".max_order: either max_order or orders, not both");
}

Test(scenario_errors, mixes)
{
	refused("kind = \"fill\"; orders = \"11\";",
		".orders: order \"11\" is not a number from 0 to 10");
	refused("kind = \"fill\"; orders = \"0,,1\";",
		".orders: order \"\" is not a number from 0 to 10");
	refused("kind = \"fill\"; orders = \"0:x\";",
		".orders: weight \"x\" is not a number from 1 to 1000000000");
	refused("kind = \"fill\"; gfp = \"GFP_KERNEL:1,GFP_ATOMC\";",
		".gfp: unknown gfp flag \"GFP_ATOMC\"; did you mean \"GFP_ATOMIC\"?");
	refused("kind = \"fill\"; orders = "
		"\"0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,"
		"0,0,0,0,0\";",
		".orders: more than 32 values in a mix");
}

Test(scenario_errors, lists)
{
	refused("kind = \"fill\"; cpus = [];", ".cpus: an empty list; at least one CPU is needed");
	refused("kind = \"interleave\"; nodes = ();",
		".nodes: an empty list; at least one node is needed");
	refused("kind = \"fill\"; cpus = [0, 4];",
		".cpus[1]: expected an integer from 0 to 3, found 4");
	refused("kind = \"interleave\"; nodes = [2];",
		".nodes[0]: expected an integer from 0 to 1, found 2");
	refused("kind = \"fill\"; cpus = 0;",
		".cpus: expected a list, as ( value, value ), found the integer 0");
}

Test(scenario_errors, values)
{
	refused("kind = \"fill\"; bytes = \"0B\";", ".bytes: nothing to allocate");
	refused("kind = \"fill\"; bytes = \"10\";", ".bytes: \"10\" has no unit (known: B, kB, MB, "
						    "GB, TB, PB, KiB, MiB, GiB, TiB, PiB)");
	refused("kind = \"fill\"; order = 11;",
		".order: expected an integer from 0 to 10, found 11");
	refused("kind = \"churn\"; max_order = -1;",
		".max_order: expected an integer from 0 to 10, found -1");
	refused("kind = \"churn\"; live = 0;",
		".live: expected an integer from 1 to 67108864, found 0");
	refused("kind = \"contend\"; burst = 0;",
		".burst: expected an integer from 1 to 67108864, found 0");
	refused("kind = \"churn\"; operations = 67108865;",
		".operations: expected an integer from 1 to 67108864, found 67108865");
	refused("kind = \"fill\"; touch = \"4097B\";", ".touch: 4097 bytes are more than a page");
}

Test(scenario_errors, gfp)
{
	refused("kind = \"fill\"; gfp = \"GFP_KERNAL|__GFP_ZERO\";",
		".gfp: unknown gfp flag \"GFP_KERNAL\"; did you mean \"GFP_KERNEL\"?");
	refused("kind = \"fill\"; gfp = \"movable\";",
		".gfp: unknown gfp flag \"movable\"; expected the kernel's names joined by '|', as "
		"in GFP_KERNEL|__GFP_ZERO");
	refused("kind = \"fill\"; gfp = \"0x123456789\";",
		".gfp: gfp \"0x123456789\" is not a number of 32 bits");
}

#define TOO_MANY                                                                                   \
	" operations (allocations, touches and frees); at most 67108864 are possible in all "      \
	"workloads"

/* Told before a byte is taken for them. */
Test(scenario_errors, too_much_work)
{
	/* 2^50 B / 2^12 B */
	refused("kind = \"fill\"; bytes = \"1PiB\";", ": 274877906944" TOO_MANY);
	/* The node's 64 MiB and 2^50 B, each block touched too. */
	refused("kind = \"fill\"; beyond = \"1PiB\"; touch = \"1B\";", ": 549755846656" TOO_MANY);
	/* The largest size there is: (2^64 - 1) / 2^12, rounded up. */
	refused("kind = \"fill\"; beyond = \"18446744073709551615B\";",
		": 4503599627370496" TOO_MANY);
	refused("kind = \"interleave\"; bytes = \"18446744073709551615B\";",
		": 4503599627370496" TOO_MANY);
	refused("kind = \"churn\"; operations = 67108864; live = 67108864;",
		": 268435456" TOO_MANY);
	/* Four CPUs allocate, touch and free. */
	refused("kind = \"contend\"; operations = 67108864; burst = 67108864; touch = \"1B\";",
		": 805306368" TOO_MANY);
}

/* A node of 1 TiB is 2^28 pages; 2^23 blocks of order 5 would do. */
Test(scenario_errors, a_tebibyte_in_single_pages)
{
	struct machine *m = build_machine(1, 1);

	m->memory[0].bytes = UINT64_C(1) << 40;
	refused_on(m, "machine = \"m.cfg\"; workload = { kind = \"fill\"; beyond = \"0B\"; };",
		   "s.cfg:1: workload: 268435456" TOO_MANY);
	built_free(m);
}

Test(scenario_errors, too_much_work_together)
{
	struct machine *m = scenario_machine();

	refused_on(m,
		   "machine = \"m.cfg\";\n"
		   "workloads = ( { kind = \"fill\"; bytes = \"4KiB\"; },\n"
		   "              { kind = \"interleave\"; operations = 67108864; } );",
		   "s.cfg:3: workloads[1]: 67108864" TOO_MANY);
	machine_free(m);
}

Test(scenario_errors, workloads)
{
	struct machine *m = scenario_machine();
	char many[2048] = "machine = \"m.cfg\";\nworkloads = ( {}";

	refused_on(m, "machine = \"m.cfg\";\nworkloads = ();",
		   "s.cfg:2: workloads: 0 workloads; 1 to 64 are possible");
	refused_on(m, "machine = \"m.cfg\";\nworkloads = { kind = \"fill\"; };",
		   "s.cfg:2: workloads: expected a list, as ( value, value ), found a group");
	refused_on(m, "machine = \"m.cfg\";\nworkload = 3;",
		   "s.cfg:2: workload: expected a group, as { key = value; }, found the integer 3");
	refused_on(m, "machine = \"m.cfg\";\nworkloads = (\n3 );",
		   "s.cfg:3: workloads[0]: expected a group, as { key = value; }, found the "
		   "integer 3");
	refused_on(m,
		   "machine = \"m.cfg\";\nworkloads = ( { kind = \"fill\"; bytes = \"4KiB\"; },\n"
		   "{ kind = \"fll\"; } );",
		   "s.cfg:3: workloads[1].kind: unknown workload 'fll', did you mean 'fill'? "
		   "(known: anon, boot, churn, contend, fault, file, fill, hotplug, interleave, "
		   "kernel, kmap, process, slab, "
		   "vmalloc)");
	for (int i = 1; i < 65; i++)
		strcat(many, ", {}");
	strcat(many, " );");
	refused_on(m, many, "s.cfg:2: workloads: 65 workloads; 1 to 64 are possible");
	machine_free(m);
}

Test(scenario_errors, sets)
{
	static const struct machine_override wrong = {"workload.operations", "many"};
	struct machine *m = scenario_machine();
	struct diag d = DIAG_INIT;
	struct trace *t;
	struct scenario *s =
		loaded("machine = \"m.cfg\"; workload = { kind = \"churn\"; };", &wrong, 1, &d);

	cr_assert_eq(scenario_generate(s, m, &d, &t), -EINVAL);
	cr_expect_str_eq(d.error.file, "--set workload.operations=many");
	cr_expect_str_eq(d.error.text,
			 "workload.operations: expected an integer, found the string \"many\"");
	scenario_free(s);
	machine_free(m);
	diag_clear(&d);
}

Test(scenario_errors, unreadable_file)
{
	struct diag d = DIAG_INIT;
	struct scenario *s = NULL;

	cr_assert_eq(scenario_load("no/such/file.cfg", NULL, 0, &d, &s), -ENOENT);
	cr_assert_null(s);
	cr_expect_str_eq(d.error.file, "no/such/file.cfg");
	diag_clear(&d);
}

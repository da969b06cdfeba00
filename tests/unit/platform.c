/* SPDX-License-Identifier: Apache-2.0 */
/* The platform's text, and that SimGrid reads it as the machine says. */
#include <criterion/criterion.h>
#include <errno.h>
#include <locale.h>

#include "sim/time/engine.h"
#include "tests/machine_builder.h"

/* Numbers are exact decimals; names are escaped, and odd bytes in them harmless. */
Test(platform, text)
{
	struct machine *m = build_machine(2, 1);
	char *xml;

	m->cpus[1].freq_hz = 2499999999;
	m->banks[1].latency_ps = 77905;
	m->banks[0].bytes_per_s = 113100000001;
	free(m->name);
	m->name = built_text("a <b> & \"c\"\n\xc3\xa9");
	xml = platform_xml(m);
	cr_assert_str_eq(
		xml, "<?xml version=\"1.0\"?>\n"
		     "<!DOCTYPE platform SYSTEM \"https://simgrid.org/simgrid.dtd\">\n"
		     "<!-- One second here is one simulated nanosecond: speeds are cycles a "
		     "nanosecond,\n"
		     "     bandwidths bytes a nanosecond, latencies nanoseconds. -->\n"
		     "<platform version=\"4.1\">\n"
		     "\t<zone id=\"machine\" routing=\"None\">\n"
		     "\t\t<prop id=\"name\" value=\"a &lt;b&gt; &amp; &quot;c&quot;???\"/>\n"
		     "\t\t<zone id=\"cpus\" routing=\"None\">\n"
		     "\t\t\t<host id=\"cpu0\" speed=\"2f\"><prop id=\"node\" value=\"0\"/></host>\n"
		     "\t\t\t<host id=\"cpu1\" speed=\"2.499999999f\"><prop id=\"node\" "
		     "value=\"1\"/></host>\n"
		     "\t\t</zone>\n"
		     "\t\t<zone id=\"memory\" routing=\"Full\">\n"
		     "\t\t\t<host id=\"node0\" speed=\"1f\"/>\n"
		     "\t\t\t<host id=\"node1\" speed=\"1f\"/>\n"
		     "\t\t\t<host id=\"bank0\" speed=\"1f\"/>\n"
		     "\t\t\t<host id=\"bank1\" speed=\"1f\"/>\n"
		     "\t\t\t<link id=\"bank0\" bandwidth=\"113.100000001Bps\" latency=\"60s\"/>\n"
		     "\t\t\t<link id=\"bank1\" bandwidth=\"20Bps\" latency=\"77.905s\"/>\n"
		     "\t\t\t<link id=\"link0\" bandwidth=\"10Bps\" latency=\"40s\">"
		     "<prop id=\"name\" value=\"link0-1\"/></link>\n"
		     "\t\t\t<link id=\"link1\" bandwidth=\"10Bps\" latency=\"40s\">"
		     "<prop id=\"name\" value=\"link1-0\"/></link>\n"
		     "\t\t\t<route src=\"node0\" dst=\"bank0\" symmetrical=\"YES\">"
		     "<link_ctn id=\"bank0\"/></route>\n"
		     "\t\t\t<route src=\"node0\" dst=\"bank1\" symmetrical=\"YES\">"
		     "<link_ctn id=\"link0\"/><link_ctn id=\"bank1\"/></route>\n"
		     "\t\t\t<route src=\"node1\" dst=\"bank0\" symmetrical=\"YES\">"
		     "<link_ctn id=\"link1\"/><link_ctn id=\"bank0\"/></route>\n"
		     "\t\t\t<route src=\"node1\" dst=\"bank1\" symmetrical=\"YES\">"
		     "<link_ctn id=\"bank1\"/></route>\n"
		     "\t\t</zone>\n"
		     "\t</zone>\n"
		     "</platform>\n");
	free(xml);
	built_free(m);
}

/* A node without CPUs, and one without memory and so without a bank. */
Test(platform, nodes_that_lack_something)
{
	struct machine *m = build_machine(2, 1);
	char *xml;

	m->banks[1].bytes_per_s = 0;
	m->routes[1].bytes_per_s = 0; /* 0 to 1 */
	m->routes[3].bytes_per_s = 0; /* 1 to 1 */
	xml = platform_xml(m);
	cr_assert_null(strstr(xml, "bank1"));
	cr_assert_not_null(strstr(xml, "src=\"node1\" dst=\"bank0\""));
	free(xml);
	built_free(m);
}

/* SimGrid adds up the latencies of a route's links to what the machine says, in any locale. */
Test(platform, simgrid_agrees_on_latencies)
{
	struct machine *m = build_machine(4, 1);
	struct diag diag = DIAG_INIT;
	struct engine *e = NULL;

	setlocale(LC_ALL, "de_DE.UTF-8");
	m->banks[3].latency_ps = 77905;
	m->links[built_link(0, 1)].latency_ps = 65301;
	build_routes(m);
	cr_assert_eq(engine_start(m, &diag, &e), 0);
	for (int from = 0; from < 4; from++)
		for (int to = 0; to < 4; to++)
			cr_assert_eq(engine_route_latency_ps(e, from, to),
				     machine_route(m, from, to)->latency_ps, "%d to %d", from, to);
	cr_assert_eq(engine_now_ps(e), 0);
	cr_assert_eq(engine_current_cpu(e), MM_NO_CPU);
	engine_stop(e);
	built_free(m);
}

/* SimGrid's limit is told, not run into. */
Test(platform, one_engine_a_process)
{
	struct machine *m = build_machine(1, 1);
	struct diag diag = DIAG_INIT;
	struct engine *e = NULL, *second = NULL;

	cr_assert_eq(engine_start(m, &diag, &e), 0);
	cr_assert_eq(engine_start(m, &diag, &second), -EBUSY);
	cr_assert_null(second);
	cr_assert_str_eq(diag.error.text,
			 "SimGrid allows one simulation a process, and this one has had it");
	diag_clear(&diag);
	engine_stop(e);
	cr_assert_eq(engine_start(m, &diag, &second), -EBUSY);
	diag_clear(&diag);
	built_free(m);
}

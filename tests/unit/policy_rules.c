/* SPDX-License-Identifier: Apache-2.0 */
/* Policy files: whose policy when, what is refused, and that a trace's own word goes first. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sim/policy/rules.h"
#include "sim/trace/trace.h"

#define HEAD "# numasim policies 1\n"
#define S    UINT64_C(1000000000000)

static struct policy_rules *parse(const char *text)
{
	struct diag diag = DIAG_INIT;
	struct policy_rules *rules = NULL;

	cr_assert_eq(policy_rules_parse(text, strlen(text), "rules", &diag, &rules), 0, "%u: %s",
		     diag.error.line, diag.error.text);
	return rules;
}

static int mode_of(struct policy_rules *rules, const char *comm, uint32_t pid, uint64_t time_ps)
{
	const struct mm_policy *p = policy_rules_find(rules, comm, strlen(comm), pid, time_ps);

	return p ? (int)p->mode : -1;
}

Test(policy_rules, the_last_that_fits_counts)
{
	struct policy_rules *rules = parse(HEAD "\n# a comment\n"
						"comm=wl* mode=MPOL_INTERLEAVE nodes=0,2-3\n"
						"comm=wl pid=7 mode=bind nodes=1 home=0 # not 8\n"
						"pid=9 from=1s until=1.5s mode=local\n");
	const struct mm_policy *p = policy_rules_find(rules, "wl", 2, 7, 0);

	cr_expect_eq(p->mode, MM_POLICY_BIND);
	cr_expect_eq(p->nodes.bits[0], 1 << 1);
	cr_expect_eq(p->home_nid, 0);
	p = policy_rules_find(rules, "wl:worker", 9, 7, 0);
	cr_expect_eq(p->mode, MM_POLICY_INTERLEAVE);
	cr_expect_eq(p->nodes.bits[0], 1 << 0 | 1 << 2 | 1 << 3);
	cr_expect_eq(p->home_nid, MM_NO_NODE);
	cr_expect_eq(mode_of(rules, "sh", 7, 0), -1);
	cr_expect_eq(mode_of(rules, "wl", 9, S - 1), MM_POLICY_INTERLEAVE);
	cr_expect_eq(mode_of(rules, "wl", 9, S), MM_POLICY_LOCAL);
	cr_expect_eq(mode_of(rules, "sh", 9, 3 * S / 2 - 1), MM_POLICY_LOCAL);
	cr_expect_eq(mode_of(rules, "sh", 9, 3 * S / 2), -1);
	cr_expect_eq(policy_rules_number(rules), 3);
	policy_rules_free(rules);
}

Test(policy_rules, what_is_wrong_is_said_with_its_line)
{
	static const struct {
		const char *text;
		unsigned line;
		const char *says;
	} cases[] = {
		{"", 1, "found the end of the file"},
		{"comm=wl mode=local\n", 1, "expected the first line"},
		{HEAD "comm=wl\n", 2, "no policy"},
		{HEAD "\nmode=local\n", 3, "no task"},
		{HEAD "comm=wl mode=bind\n", 2, "needs nodes"},
		{HEAD "comm=wl mode=local nodes=0\n", 2, "has no nodes"},
		{HEAD "comm=wl mode=interleave nodes=0 home=0\n", 2, "no home node"},
		{HEAD "comm=wl mode=bond nodes=0\n", 2, "did you mean \"bind\""},
		{HEAD "comm=wl mode=MPOL_BOND nodes=0\n", 2, "did you mean \"MPOL_BIND\""},
		{HEAD "comm=wl mode=elsewhere nodes=0\n", 2, "expected bind"},
		{HEAD "comm=wl mode=bind nodes=3-1\n", 2, "nodes: found \"3-1\""},
		{HEAD "comm=wl mode=bind nodes=1024\n", 2, "below 1024"},
		{HEAD "comm=wl mode=bind nodes=1x\n", 2, "nodes: found"},
		{HEAD "comm=wl mode=bind nodes=\n", 2, "nodes: found"},
		{HEAD "comm=wl mode=bind nodes=1 home=-1\n", 2, "home: found"},
		{HEAD "pid=0 mode=local\n", 2, "pid: found"},
		{HEAD "pid=99999999999 mode=local\n", 2, "pid: found"},
		{HEAD "comm= mode=local\n", 2, "comm: found 0 bytes"},
		{HEAD "comm=wl from=5 mode=local\n", 2, "from: \"5\" has no unit"},
		{HEAD "comm=wl from=2s until=1s mode=local\n", 2, "ends before"},
		{HEAD "comm=wl mode=local mode=local\n", 2, "given twice"},
		{HEAD "comm=wl mod=local\n", 2, "did you mean mode"},
		{HEAD "comm=wl local\n", 2, "KEY=VALUE"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct diag diag = DIAG_INIT;
		struct policy_rules *rules = NULL;

		cr_assert_eq(policy_rules_parse(cases[i].text, strlen(cases[i].text), "rules",
						&diag, &rules),
			     -EINVAL, "case %zu", i);
		cr_expect_eq(diag.error.line, cases[i].line, "case %zu: line %u", i,
			     diag.error.line);
		cr_expect_not_null(strstr(diag.error.text, cases[i].says), "case %zu: %s", i,
				   diag.error.text);
		diag_clear(&diag);
	}
}

static const char trace_text[] =
	"# tracer: nop\n"
	"wl-5 [000] ..... 1.000000: mm_page_alloc: page=1 pfn=0x1 order=0 migratetype=0 "
	"gfp_flags=GFP_KERNEL\n"
	"wl-5 [000] ..... 1.000001: mm_page_alloc: page=1 pfn=0x2 order=0 migratetype=0 "
	"gfp_flags=GFP_KERNEL\n"
	"sh-6 [000] ..... 1.000002: mm_page_alloc: page=1 pfn=0x3 order=0 migratetype=0 "
	"gfp_flags=GFP_KERNEL\n"
	"wl-5 [000] ..... 1.000003: mm_page_alloc: page=1 pfn=0x4 order=0 migratetype=0 "
	"gfp_flags=GFP_KERNEL\n"
	"wl-5 [000] ..... 1.000004: sys_set_mempolicy(mode: 4, nmask: 0, maxnode: 0)\n"
	"wl-5 [000] ..... 1.000005: sys_set_mempolicy -> 0x0\n"
	"wl-5 [000] ..... 1.000006: mm_page_alloc: page=1 pfn=0x5 order=0 migratetype=0 "
	"gfp_flags=GFP_KERNEL\n";

/* The file's policy up to where the trace tells one; its interleave begins where it does. */
Test(policy_rules, a_trace_follows_them_until_it_tells_itself)
{
	struct policy_rules *rules = parse(HEAD "comm=wl from=1us mode=interleave nodes=0-1\n"
						"comm=sh mode=bind nodes=1\n"
						"comm=nobody mode=local\n");
	static const unsigned modes[] = {MM_POLICY_DEFAULT, MM_POLICY_INTERLEAVE, MM_POLICY_BIND,
					 MM_POLICY_INTERLEAVE, MM_POLICY_LOCAL};
	static const unsigned scopes[] = {TRACE_POLICY_TASK, TRACE_POLICY_FILE, TRACE_POLICY_FILE,
					  TRACE_POLICY_FILE, TRACE_POLICY_TASK};
	static const unsigned turns[] = {0, 0, 0, 1, 0};
	char path[] = "/tmp/policy_rules.XXXXXX";
	int fd = mkstemp(path);
	struct diag diag = DIAG_INIT;
	struct trace *t;

	cr_assert_eq(write(fd, trace_text, sizeof(trace_text) - 1), sizeof(trace_text) - 1);
	close(fd);
	cr_assert_eq(trace_load_with(path, &(struct trace_hints){.rules = rules}, NULL, &diag, &t),
		     0);
	unlink(path);
	cr_assert_eq(t->nr_events, 5);
	for (unsigned i = 0; i < 5; i++) {
		const struct trace_policy *p = &t->policies[t->events[i].policy];

		cr_expect_eq(p->mm.mode, modes[i], "event %u: %s", i,
			     mm_policy_mode_name(p->mm.mode));
		cr_expect_eq(p->scope, scopes[i], "event %u", i);
		cr_expect_eq(trace_event_turn(&t->events[i]), turns[i], "event %u", i);
	}
	cr_assert_eq(diag.nr_warnings, 1); /* of nobody */
	cr_expect_eq(diag.warnings[0].line, 4);
	diag_clear(&diag);
	trace_free(t);
	policy_rules_free(rules);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policy CPU STEP...: does the steps in their order, on a CPU. NODES is a list such as 0,2.
 *   default | local | bind:NODES | interleave:NODES | preferred:NODES | many:NODES
 *                      set the policy of the task (many: preferred many)
 *   touch:MIB          new memory, by the policy in force
 *   range:MIB:STEP     new memory with a policy of its own (mbind), touched
 *   move:NODES         mbind the last range or touched memory there, moving its pages
 *   home:MIB:NODES:N   new memory bound to the nodes, with home node N, touched
 *   migrate:FROM:TO    migrate_pages of the task
 *   cpu:N              go to another CPU
 *   free               unmap the last memory
 *   lock               keep from reclaim what is taken from now on
 *   hold               keep all memory, and never end
 *   fork:MIB           a child that touches so much, by the policy it inherits
 */
#include "memory.h"

enum { DEFAULT, PREFERRED, BIND, INTERLEAVE, LOCAL, PREFERRED_MANY };

#define MAX_NODES 64
#define MOVE      2 /* MPOL_MF_MOVE */
#ifndef SYS_set_mempolicy_home_node
#define SYS_set_mempolicy_home_node 450
#endif

static const char *const names[] = {"default", "preferred", "bind", "interleave", "local", "many"};

static struct {
	char *at;
	size_t bytes;
} last;

static unsigned long mask_of(const char *list)
{
	unsigned long mask = 0;

	for (const char *p = list; p && *p; p = strchr(p, ',') ? strchr(p, ',') + 1 : NULL)
		mask |= 1ul << strtoul(p, NULL, 10);
	return mask;
}

/* "bind:0,1": the mode, and *mask. -1 where it is no policy. */
static int policy_of(const char *step, unsigned long *mask)
{
	const char *colon = strchr(step, ':');
	size_t len = colon ? (size_t)(colon - step) : strlen(step);

	*mask = colon ? mask_of(colon + 1) : 0;
	for (int mode = 0; mode < 6; mode++)
		if (strlen(names[mode]) == len && !strncmp(names[mode], step, len))
			return mode;
	return -1;
}

static void take(size_t bytes)
{
	last.bytes = bytes;
	last.at = map(bytes);
}

static void bind_last(int mode, unsigned long mask, unsigned flags)
{
	need(!syscall(SYS_mbind, last.at, last.bytes, mode, mask ? &mask : NULL,
		      mask ? MAX_NODES + 1 : 0, flags),
	     "mbind");
}

static void set_policy(int mode, unsigned long mask)
{
	need(!syscall(SYS_set_mempolicy, mode, mask ? &mask : NULL, mask ? MAX_NODES + 1 : 0),
	     "set_mempolicy");
}

static void migrate(const char *from, const char *to)
{
	unsigned long a = mask_of(from), b = mask_of(to);

	need(syscall(SYS_migrate_pages, 0, MAX_NODES + 1, &a, &b) >= 0, "migrate_pages");
}

static void fork_toucher(size_t bytes)
{
	pid_t pid = fork();

	need(pid >= 0, "fork");
	if (!pid) {
		touch(map(bytes), bytes);
		_exit(0);
	}
	join();
}

static void step_range(char *arg)
{
	unsigned long mask;
	char *policy = strchr(arg, ':');
	int mode;

	need(policy != NULL, "range");
	*policy++ = '\0';
	mode = policy_of(policy, &mask);
	need(mode >= 0, policy);
	take(number(arg) * MIB);
	bind_last(mode, mask, 0);
	touch(last.at, last.bytes);
}

static void step_home(char *arg)
{
	char *nodes = strchr(arg, ':'), *home = nodes ? strchr(nodes + 1, ':') : NULL;

	need(home != NULL, "home");
	*nodes++ = '\0';
	*home++ = '\0';
	take(number(arg) * MIB);
	bind_last(PREFERRED_MANY, mask_of(nodes), 0);
	need(!syscall(SYS_set_mempolicy_home_node, last.at, last.bytes, number(home), 0),
	     "set_mempolicy_home_node");
	touch(last.at, last.bytes);
}

static void step(char *text)
{
	unsigned long mask;
	int mode = policy_of(text, &mask);
	char *arg = strchr(text, ':');

	if (mode >= 0) {
		set_policy(mode, mask);
		return;
	}
	if (arg)
		arg++;
	if (!strncmp(text, "touch:", 6)) {
		take(number(arg) * MIB);
		touch(last.at, last.bytes);
	} else if (!strncmp(text, "range:", 6)) {
		step_range(arg);
	} else if (!strncmp(text, "home:", 5)) {
		step_home(arg);
	} else if (!strncmp(text, "move:", 5)) {
		bind_last(BIND, mask_of(arg), MOVE);
	} else if (!strncmp(text, "migrate:", 8) && strchr(arg, ':')) {
		migrate(arg, strchr(arg, ':') + 1);
	} else if (!strncmp(text, "cpu:", 4)) {
		run_on(number(arg));
	} else if (!strncmp(text, "fork:", 5)) {
		fork_toucher(number(arg) * MIB);
	} else if (!strcmp(text, "lock")) {
		need(!mlockall(MCL_FUTURE | MCL_ONFAULT), "mlockall");
	} else if (!strcmp(text, "hold")) {
		for (;;)
			pause();
	} else if (!strcmp(text, "free")) {
		need(!munmap(last.at, last.bytes), "munmap");
	} else {
		fprintf(stderr, "found '%s', expected a step\n", text);
		exit(1);
	}
}

int main(int argc, char **argv)
{
	if (argc < 3) {
		fprintf(stderr, "usage: policy CPU STEP...\n");
		return 1;
	}
	run_on(number(argv[1]));
	for (int i = 2; i < argc; i++)
		step(argv[i]);
	return 0;
}

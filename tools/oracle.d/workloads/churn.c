/* SPDX-License-Identifier: Apache-2.0 */
/*
 * churn CPUS MIB ROUNDS: a process on each of the CPUs 0 to CPUS - 1, which keeps 32 pieces of
 * together at most MIB; each round it gives one back, takes another of a size of its own and
 * touches it. Every 16th round goes to the next CPU, so that pages are freed elsewhere than they
 * were taken; every 32nd forks a child that writes to one piece (copy on write) and exits.
 */
#include "memory.h"

#define PIECES 32

struct piece {
	char *at;
	size_t bytes;
};

static void fork_writer(const struct piece *p)
{
	pid_t pid = fork();

	need(pid >= 0, "fork");
	if (!pid) {
		touch(p->at, p->bytes / 2);
		_exit(0);
	}
	join();
}

static void churn(unsigned cpu, unsigned cpus, size_t mib, size_t rounds)
{
	struct piece pieces[PIECES] = {0};
	uint64_t seed = 0x9e3779b97f4a7c15u * (cpu + 1);
	size_t most = mib * MIB / PIECES / PAGE;

	run_on(cpu);
	for (size_t round = 0; round < rounds; round++) {
		struct piece *p = &pieces[next_random(&seed) % PIECES];

		if (p->at)
			munmap(p->at, p->bytes);
		if (round % 16 == 15)
			run_on((cpu + round / 16) % cpus);
		p->bytes = (1 + next_random(&seed) % most) * PAGE;
		p->at = map(p->bytes);
		touch(p->at, p->bytes);
		if (round % 32 == 31)
			fork_writer(p);
	}
}

int main(int argc, char **argv)
{
	if (argc != 4) {
		fprintf(stderr, "usage: churn CPUS MIB ROUNDS\n");
		return 1;
	}
	for (unsigned cpu = 0; cpu < number(argv[1]); cpu++) {
		pid_t pid = fork();

		need(pid >= 0, "fork");
		if (!pid) {
			churn(cpu, number(argv[1]), number(argv[2]), number(argv[3]));
			_exit(0);
		}
	}
	join();
	return 0;
}

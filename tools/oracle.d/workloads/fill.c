/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fill CPU MIB [again]: touch MIB of anonymous memory on a CPU; "again": a second time, in the
 * order of a shuffled deck, which brings back what was swapped out. Freed by its exit.
 */
#include "memory.h"

static void touch_shuffled(char *at, size_t pages)
{
	uint32_t *order = malloc(pages * sizeof(*order));
	uint64_t seed = 88172645463325252u;

	need(order != NULL, "malloc");
	for (size_t i = 0; i < pages; i++)
		order[i] = i;
	for (size_t i = pages; i > 1; i--) {
		size_t j = next_random(&seed) % i;
		uint32_t last = order[i - 1];

		order[i - 1] = order[j];
		order[j] = last;
	}
	for (size_t i = 0; i < pages; i++)
		*(volatile char *)(at + (size_t)order[i] * PAGE) += 1;
}

int main(int argc, char **argv)
{
	size_t bytes;
	char *at;

	if (argc < 3 || (argc == 4 && strcmp(argv[3], "again"))) {
		fprintf(stderr, "usage: fill CPU MIB [again]\n");
		return 1;
	}
	run_on(number(argv[1]));
	bytes = number(argv[2]) * MIB;
	at = map(bytes);
	touch(at, bytes);
	if (argc == 4)
		touch_shuffled(at, bytes / PAGE);
	return 0;
}

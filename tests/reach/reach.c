/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which functions of the mm core ran: for a build of numasim whose mm/ has -finstrument-functions.
 * At the end their addresses, as nm has them, go to the file that NUMASIM_REACHED names.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define ROOM (UINT32_C(16) << 20) /* bytes of code */

extern const char __executable_start;
static unsigned char ran[ROOM];

void __cyg_profile_func_enter(void *function, void *from);
void __cyg_profile_func_exit(void *function, void *from);

void __cyg_profile_func_enter(void *function, void *from)
{
	uintptr_t at = (uintptr_t)function - (uintptr_t)&__executable_start;

	(void)from;
	if (at < ROOM)
		ran[at] = 1;
}

void __cyg_profile_func_exit(void *function, void *from)
{
	(void)function;
	(void)from;
}

__attribute__((destructor)) static void write_reached(void)
{
	const char *path = getenv("NUMASIM_REACHED");
	FILE *out = path ? fopen(path, "w") : NULL;

	for (uint32_t at = 0; out && at < ROOM; at++)
		if (ran[at])
			fprintf(out, "%016" PRIx32 "\n", at);
	if (out)
		fclose(out);
}

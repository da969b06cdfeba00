/* SPDX-License-Identifier: Apache-2.0 */
/* Where the config files that come with numasim are: told, in the source tree, or installed. */
#define _GNU_SOURCE /* asprintf */
#include "sim/machine/costs.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

char *shipped_config(const char *rel)
{
	const char *dirs[] = {
		getenv("NUMASIM_CONFIGS"),
		NUMASIM_SOURCE_CONFIGS,
		NUMASIM_INSTALLED_CONFIGS,
	};

	for (size_t i = 0; i < sizeof(dirs) / sizeof(*dirs); i++) {
		char *path;

		if (!dirs[i] || !*dirs[i])
			continue;
		if (asprintf(&path, "%s/%s", dirs[i], rel) < 0)
			return NULL;
		if (access(path, R_OK) == 0)
			return path;
		free(path);
	}
	return NULL;
}

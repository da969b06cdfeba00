/* SPDX-License-Identifier: Apache-2.0 */
/* show platform: the platform file that SimGrid is given. XML only. */
#include <errno.h>
#include <stdlib.h>

#include "sim/show/show.h"
#include "sim/sim.h"

static int text(const struct show_subject *s, FILE *out)
{
	char *xml = platform_xml(s->machine);

	if (!xml)
		return -ENOMEM;
	fputs(xml, out);
	free(xml);
	return 0;
}

const struct show_kind show_platform = {
	.name = "platform",
	.summary = "the SimGrid platform, as XML",
	.text = text,
};

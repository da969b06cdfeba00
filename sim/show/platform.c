/* SPDX-License-Identifier: Apache-2.0 */
/* show platform: the platform file that SimGrid is given; its JSON form holds it as one string. */
#include <errno.h>
#include <stdlib.h>

#include "sim/json.h"
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

static json_t *json(const struct show_subject *s)
{
	char *xml = platform_xml(s->machine);
	json_t *doc = json_object();

	if (xml)
		json_put_string(doc, "simgrid_xml", xml);
	free(xml);
	return doc;
}

const struct show_kind show_platform = {
	.name = "platform",
	.summary = "the SimGrid platform, as XML",
	.text = text,
	.json = json,
};

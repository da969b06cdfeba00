/* SPDX-License-Identifier: Apache-2.0 */
/* Finds views by name, and says which there are where there is none of that name. */
#include "tools/views.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tools/message.h"

const struct option_def option_show = {
	.name = "show",
	.kind = OPTION_TEXT,
	.value = "VIEW[:OF]",
	.help = "print a view of the machine as the work leaves it, as numasim show does; OF is a "
		"page frame, a node or a process. May be given several times"};

static const char *kind_name(unsigned i, void *arg)
{
	(void)arg;
	return show_kinds[i] ? show_kinds[i]->name : NULL;
}

static void list(FILE *out)
{
	for (int i = 0; show_kinds[i]; i++)
		fprintf(out, "  %-12s  %s\n", show_kinds[i]->name, show_kinds[i]->summary);
}

void views_explain(FILE *out)
{
	fputs("\nViews:\n", out);
	list(out);
}

static void tell_unknown(const char *who, const char *name)
{
	const char *nearest = diag_nearest(name, kind_name, NULL);

	if (nearest)
		message("%s: unknown view '%s', did you mean '%s'? Known are:", who, name, nearest);
	else
		message("%s: unknown view '%s'; known are:", who, name);
	list(stderr);
}

const struct show_kind *views_find(const char *who, const char *name)
{
	for (int i = 0; show_kinds[i]; i++)
		if (!strcmp(show_kinds[i]->name, name))
			return show_kinds[i];
	tell_unknown(who, name);
	return NULL;
}

static int read_one(const char *who, const char *text, struct show_request *out)
{
	char why[256], *name;
	int err = show_parse(text, out, why, sizeof(why));

	if (err == -EINVAL)
		message("%s: --show: %s", who, why);
	if (err != -ENOENT)
		return err;
	name = strndup(text, strcspn(text, ":"));
	if (!name)
		return -ENOMEM;
	tell_unknown(who, name);
	free(name);
	return -EINVAL;
}

int views_read(const char *who, const struct arguments *args, struct show_request **views,
	       size_t *nr)
{
	struct show_request *of = calloc(args->nr_given + 1, sizeof(*of));
	int err = of ? 0 : -ENOMEM;

	*nr = 0;
	for (size_t i = 0; i < args->nr_given && !err; i++)
		if (args->given[i].option == &option_show)
			err = read_one(who, args->given[i].value, &of[(*nr)++]);
	*views = of;
	if (!err)
		return 0;
	free(of);
	*views = NULL;
	*nr = 0;
	return err;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Views that are asked for by a word, of a machine on which work has run. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "mm/user/user.h"
#include "sim/json.h"
#include "sim/show/show.h"

static const struct show_kind *find(const char *name, size_t len)
{
	for (int i = 0; show_kinds[i]; i++)
		if (strlen(show_kinds[i]->name) == len && !strncmp(show_kinds[i]->name, name, len))
			return show_kinds[i];
	return NULL;
}

static bool read_number(const char *text, uint64_t *out)
{
	char *end;

	errno = 0;
	*out = strtoull(text, &end, 0);
	return text[0] >= '0' && text[0] <= '9' && !*end && !errno;
}

int show_parse(const char *text, struct show_request *out, char *why, size_t size)
{
	const char *of = strchr(text, ':');
	const struct show_kind *kind = find(text, of ? (size_t)(of - text) : strlen(text));
	uint64_t number = 0;

	*out = (struct show_request){.kind = kind, .text = text, .nid = ALL_NODES};
	if (!kind)
		return -ENOENT;
	if (!of && !kind->of_page)
		return 0;
	if (!of) {
		snprintf(why, size, "'%s' needs the number of a page frame: %s:PFN", text, text);
		return -EINVAL;
	}
	of++;
	if (kind->of_process && *of) {
		out->process = of;
		return 0;
	}
	if (!kind->of_page && !kind->of_node) {
		snprintf(why, size, "'%s' is of the whole machine, found '%s'", kind->name, of);
		return -EINVAL;
	}
	if (!read_number(of, &number) || (kind->of_node && number >= MM_MAX_NODES)) {
		snprintf(why, size, "expected the number of a %s behind '%s:', found '%s'",
			 kind->of_page ? "page frame" : "node", kind->name, of);
		return -EINVAL;
	}
	if (kind->of_page)
		out->pfn = number;
	else
		out->nid = (int)number;
	return 0;
}

static bool has_process(const struct mm *mm, const char *name)
{
	const struct mm_space *s = NULL;

	while ((s = mm_space_next(mm, s)))
		if (!strcmp(mm_space_name(s), name))
			return true;
	return false;
}

/* Is there on the machine what the view is to be of? */
static int check(const struct show_request *r, const struct mm *mm, struct diag *diag)
{
	if (r->kind->of_page && !mm_pfn_valid(mm, r->pfn))
		return diag_error(diag, -EINVAL, NULL, 0,
				  "show %s: frame 0x%" PRIx64 " has no descriptor", r->text,
				  r->pfn);
	if (r->nid != ALL_NODES && r->nid >= mm_nr_nodes(mm))
		return diag_error(diag, -EINVAL, NULL, 0,
				  "show %s: expected a node from 0 to %d, found %d", r->text,
				  mm_nr_nodes(mm) - 1, r->nid);
	if (r->process && !has_process(mm, r->process))
		return diag_error(diag, -EINVAL, NULL, 0,
				  "show %s: no process of that name is there", r->text);
	return 0;
}

static int put_text(json_t *doc, const struct show_kind *kind, const struct show_subject *s)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	int err;

	if (!out)
		return -ENOMEM;
	err = kind->text(s, out);
	if (fclose(out) && !err)
		err = -ENOMEM;
	if (!err && json_object_set_new(doc, "text", json_text(text)))
		err = -ENOMEM;
	free(text);
	return err;
}

int show_take(const struct show_request *r, const struct machine *m, struct mm *mm, bool json,
	      struct diag *diag, json_t **out)
{
	const struct show_subject s = {.machine = m,
				       .mm = r->kind->boots ? mm : NULL,
				       .ran = true,
				       .pfn = r->pfn,
				       .nid = r->nid,
				       .process = r->process};
	int err = check(r, mm, diag);
	json_t *doc;

	if (err)
		return err;
	doc = json_object();
	json_put_string(doc, "view", r->text);
	if (json && r->kind->json)
		err = json_object_set_new(doc, "content", r->kind->json(&s)) ? -ENOMEM : 0;
	else
		err = put_text(doc, r->kind, &s);
	if (err) {
		json_decref(doc);
		return err;
	}
	*out = doc;
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * numasim show: one view of a machine, from the kinds in sim/show/.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sim/machine/boot.h"
#include "tools/command.h"
#include "tools/json.h"
#include "tools/message.h"
#include "tools/output.h"
#include "tools/views.h"

static int print(const struct show_kind *kind, const struct show_subject *s, bool json,
		 const char *path)
{
	struct output out;
	int err;

	if (output_open(&out, path))
		return STATUS_FAILED;
	err = json ? json_print(kind->json(s), out.stream) : kind->text(s, out.stream);
	if (err) {
		output_discard(&out);
		message("show: %s", strerror(-err));
		return STATUS_FAILED;
	}
	return output_commit(&out) ? STATUS_FAILED : STATUS_DONE;
}

static const struct option_def option_node = {
	.name = "node",
	.kind = OPTION_NUMBER,
	.value = "N",
	.help = "the file of node N alone, where the kernel has one a node",
};

/* Does the kind have a file of one node, if one is asked for? */
static bool check_kind_of_node(const struct show_kind *kind, bool asked)
{
	if (!asked || kind->of_node)
		return true;
	message("show: --node: '%s' has no file of one node; those that have are:", kind->name);
	for (int i = 0; show_kinds[i]; i++)
		if (show_kinds[i]->of_node)
			fprintf(stderr, "  %-12s  %s\n", show_kinds[i]->name,
				show_kinds[i]->summary);
	return false;
}

/* The node asked for into *nid. */
static bool find_node(const struct arguments *args, const struct mm *mm, int *nid)
{
	uint64_t node = arguments_number(args, &option_node, 0);

	*nid = ALL_NODES;
	if (!arguments_value(args, &option_node))
		return true;
	if (node >= (uint64_t)mm_nr_nodes(mm)) {
		message("show: --node: expected a node from 0 to %d, found '%s'",
			mm_nr_nodes(mm) - 1, arguments_value(args, &option_node));
		return false;
	}
	*nid = (int)node;
	return true;
}

/* A frame number behind the view, where the view is of one, and only there. */
static bool check_operands(const struct show_kind *kind, const struct arguments *args)
{
	if (kind->of_process) {
		message("show: '%s' is of processes, and nothing runs on a machine that has just "
			"booted: run SCENARIO.cfg --show %s",
			kind->name, kind->name);
		return false;
	}
	if (kind->of_page == (args->nr_operands == 3))
		return true;
	if (kind->of_page)
		message("show: '%s' needs the number of a page frame: show MACHINE.cfg %s PFN",
			kind->name, kind->name);
	else
		message("show: '%s' takes no number, found '%s'", kind->name, args->operands[2]);
	return false;
}

static bool find_page(const struct arguments *args, struct show_subject *s)
{
	const char *text = args->operands[2];
	char *end;

	errno = 0;
	s->pfn = strtoull(text, &end, 0);
	if (text[0] >= '0' && text[0] <= '9' && !*end && !errno && mm_pfn_valid(s->mm, s->pfn))
		return true;
	message("show: expected a page frame that has a descriptor, found '%s'", text);
	return false;
}

static int run(const struct arguments *args)
{
	const char *path = args->operands[0];
	bool json = arguments_choice(args, &option_format) == FORMAT_JSON;
	const struct show_kind *kind = views_find("show", args->operands[1]);
	struct show_subject s = {.nid = ALL_NODES};
	struct diag diag = DIAG_INIT;
	struct machine *m = NULL;
	int err, status;

	if (!kind || !check_kind_of_node(kind, arguments_value(args, &option_node) != NULL))
		return STATUS_WRONG;
	if (!check_operands(kind, args))
		return STATUS_WRONG;
	if (json && !kind->json) {
		message("show: there is no JSON form of '%s'", kind->name);
		return STATUS_WRONG;
	}
	err = machine_load(path, args->sets, args->nr_sets, &diag, &m);
	if (!err)
		err = arguments_change_machine(args, m);
	if (!err && kind->boots)
		err = boot_machine(m, NULL, NULL, &diag, &s.mm);
	message_warnings(&diag, arguments_value(args, &option_quiet) != NULL);
	if (err) {
		status = message_error(&diag, err, path);
	} else if (s.mm && !find_node(args, s.mm, &s.nid)) {
		status = STATUS_WRONG;
	} else if (kind->of_page && !find_page(args, &s)) {
		status = STATUS_WRONG;
	} else {
		s.machine = m;
		status = print(kind, &s, json, arguments_value(args, &option_output));
	}
	diag_clear(&diag);
	if (s.mm)
		mm_destroy(s.mm);
	if (m)
		machine_free(m);
	return status;
}

static const struct option_def *const options[] = {
	&option_node,    &option_set,    &option_sysctl,
	&option_hotplug, &option_thp,    &option_thp_defrag,
	&option_format,  &option_output, NULL};

const struct command command_show = {
	.name = "show",
	.summary = "print one view of a machine",
	.operands = "MACHINE.cfg WHAT [PFN]",
	.description = "Print one view of the machine that the file describes.\n",
	.explain = views_explain,
	.options = options,
	.min_operands = 2,
	.max_operands = 3,
	.run = run,
};

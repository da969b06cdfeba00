/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The command numasim: finds which of tools/cmd/ is meant, parses its command line and runs it.
 * It must not know what any of them does.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/command.h"
#include "tools/message.h"
#include "tools/output.h"

static const struct option_def *const own_options[] = {&option_version, NULL};

/* Is `word` the first of the command's two words? */
static bool is_group(const struct command *c, const char *word)
{
	size_t len = strlen(word);

	return !strncmp(c->name, word, len) && c->name[len] == ' ';
}

static void print_commands(FILE *out, const char *group)
{
	for (int i = 0; command_kinds[i]; i++)
		if (!group || is_group(command_kinds[i], group))
			fprintf(out, "  %-10s  %s\n", command_kinds[i]->name,
				command_kinds[i]->summary);
}

static int help(void)
{
	struct output o;

	if (output_open(&o, NULL))
		return STATUS_FAILED;
	fputs("Usage: numasim COMMAND [OPTION...] [ARGUMENT...]\n"
	      "Simulate the physical memory management of a NUMA machine, in simulated time.\n"
	      "\n"
	      "Commands:\n",
	      o.stream);
	print_commands(o.stream, NULL);
	fputs("\n"
	      "Options:\n",
	      o.stream);
	options_print(own_options, o.stream);
	fputs("\n"
	      "`numasim COMMAND --help` explains one command; numasim(1) has it all.\n"
	      "Exit status: 0 done, 1 a difference was found or the run failed, 2 wrong usage or\n"
	      "wrong input.\n",
	      o.stream);
	return output_commit(&o) ? STATUS_FAILED : STATUS_DONE;
}

static int version(void)
{
	struct output o;

	if (output_open(&o, NULL))
		return STATUS_FAILED;
	fputs("numasim " NUMASIM_VERSION "\n", o.stream);
	return output_commit(&o) ? STATUS_FAILED : STATUS_DONE;
}

static int help_command(const struct command *c)
{
	struct output o;

	if (output_open(&o, NULL))
		return STATUS_FAILED;
	fprintf(o.stream, "Usage: numasim %s [OPTION...] %s\n%s", c->name, c->operands,
		c->description);
	if (c->explain)
		c->explain(o.stream);
	fputs("\nOptions:\n", o.stream);
	options_print(c->options, o.stream);
	return output_commit(&o) ? STATUS_FAILED : STATUS_DONE;
}

/* The help of `numasim trace`: which commands begin so. */
static int help_group(const char *group)
{
	struct output o;

	if (output_open(&o, NULL))
		return STATUS_FAILED;
	fprintf(o.stream, "Usage: numasim %s COMMAND [OPTION...] [ARGUMENT...]\n\nCommands:\n",
		group);
	print_commands(o.stream, group);
	return output_commit(&o) ? STATUS_FAILED : STATUS_DONE;
}

static const char *command_name(unsigned i, void *arg)
{
	(void)arg;
	return command_kinds[i] ? command_kinds[i]->name : NULL;
}

/* There is no such command: say so, with the nearest one or those of the group. */
static int unknown_command(char **words, int nr_words)
{
	const char *nearest;
	char name[64];

	for (int i = 0; command_kinds[i]; i++) {
		if (!is_group(command_kinds[i], words[0]))
			continue;
		if (nr_words > 1 && (!strcmp(words[1], "--help") || !strcmp(words[1], "-h")))
			return help_group(words[0]);
		if (nr_words == 1)
			message("'%s' is not a command by itself; these are:", words[0]);
		else
			message("unknown command '%s %s'; these are known:", words[0], words[1]);
		print_commands(stderr, words[0]);
		return STATUS_WRONG;
	}
	snprintf(name, sizeof(name), "%s", words[0]);
	nearest = diag_nearest(name, command_name, NULL);
	if (nearest)
		message("unknown command '%s', did you mean '%s'? See numasim --help", name,
			nearest);
	else
		message("unknown command '%s'; see numasim --help", name);
	return STATUS_WRONG;
}

/* The command that the words begin with, and how many of them are its name; NULL: none is. */
static const struct command *find_command(char **words, int nr_words, int *nr_name)
{
	for (int i = 0; command_kinds[i]; i++) {
		const struct command *c = command_kinds[i];
		size_t len = strlen(words[0]);

		*nr_name = 1;
		if (!strcmp(c->name, words[0]))
			return c;
		*nr_name = 2;
		if (nr_words > 1 && is_group(c, words[0]) && !strcmp(c->name + len + 1, words[1]))
			return c;
	}
	return NULL;
}

/* Before the work, not after it. */
static bool outputs_can_be_written(const struct arguments *args)
{
	for (size_t i = 0; i < args->nr_given; i++) {
		const struct option_def *option = args->given[i].option;

		if (option->writes && output_check(args->given[i].value))
			return false;
	}
	return true;
}

static int run_command(const struct command *c, int argc, char **argv)
{
	struct arguments args;
	char who[64];
	int status;

	snprintf(who, sizeof(who), "numasim %s", c->name);
	if (arguments_parse(who, c->options, false, argc, argv, &args))
		return STATUS_WRONG;
	if (arguments_value(&args, &option_help)) {
		status = help_command(c);
	} else if (args.nr_operands < c->min_operands) {
		message("%s: too few arguments; usage: %s [OPTION...] %s", c->name, who,
			c->operands);
		status = STATUS_WRONG;
	} else if (c->max_operands != ANY_NUMBER && args.nr_operands > c->max_operands) {
		message("%s: too many arguments, from '%s' on; usage: %s [OPTION...] %s", c->name,
			args.operands[c->max_operands], who, c->operands);
		status = STATUS_WRONG;
	} else if (!outputs_can_be_written(&args)) {
		status = STATUS_FAILED;
	} else {
		status = c->run(&args);
	}
	arguments_free(&args);
	return status;
}

int main(int argc, char **argv)
{
	const struct command *command;
	struct arguments args;
	int nr_name, status;

	if (arguments_parse("numasim", own_options, true, argc, argv, &args))
		return STATUS_WRONG;
	if (arguments_value(&args, &option_help)) {
		status = help();
	} else if (arguments_value(&args, &option_version)) {
		status = version();
	} else if (!args.nr_operands) {
		message("which command? See numasim --help");
		status = STATUS_WRONG;
	} else {
		command = find_command(args.operands, args.nr_operands, &nr_name);
		/* argv[0] of the command is the last word of its name. */
		status = command ? run_command(command, args.nr_operands - nr_name + 1,
					       args.operands + nr_name - 1)
				 : unknown_command(args.operands, args.nr_operands);
	}
	arguments_free(&args);
	return status;
}

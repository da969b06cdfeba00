/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The command line of a command: options as GNU tools have them, before, between or after the
 * operands, and `--` before operands that begin with a dash. The parser checks the values, so that
 * a command sees only good ones.
 */
#ifndef TOOLS_OPTIONS_H
#define TOOLS_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "sim/machine/machine.h"

enum option_kind {
	OPTION_SWITCH,
	OPTION_TEXT,
	OPTION_CHOICE,  /* one of `choices` */
	OPTION_NUMBER,  /* decimal, or 0x hexadecimal; below 2^64 */
	OPTION_SETTING, /* PATH=VALUE; may be given several times */
};

struct option_def {
	const char *name; /* of the long form */
	char letter;      /* of the short form; 0: none */
	enum option_kind kind;
	const char *value;          /* what its value is called in the help: "FILE" */
	const char *help;           /* one line */
	const char *const *choices; /* OPTION_CHOICE: NULL at the end; the first is the default */
	bool writes;                /* OPTION_TEXT: a file that the command writes */
};

/* What several commands take. A command's own options stand in its file. */
extern const struct option_def option_help, option_quiet; /* every command's */
extern const struct option_def option_version;            /* numasim's own */
extern const struct option_def option_format, option_output, option_seed, option_set, option_sysctl,
	option_hotplug, option_thp, option_thp_defrag;

struct option_given {
	const struct option_def *option;
	const char *value; /* "" for a switch; points into argv */
};

struct arguments {
	struct option_given *given; /* in the order of the command line */
	size_t nr_given;
	char **operands; /* point into argv */
	int nr_operands;
	struct machine_override *sets; /* from --set, in order */
	size_t nr_sets;
};

/**
 * Parse argv[1..] against `options` (NULL at the end) and those that every command has. `who`
 * ("numasim replay") stands in messages about argv. `stop_at_operand`: what follows the first
 * operand is left to another parser. Permutes argv. Returns 0 and *args (free with
 * arguments_free), -EINVAL after a message on standard error, -ENOMEM.
 */
int arguments_parse(const char *who, const struct option_def *const *options, bool stop_at_operand,
		    int argc, char **argv, struct arguments *args);
void arguments_free(struct arguments *args);

/** The option's last value, "" for a switch that was given, NULL where it was not. */
const char *arguments_value(const struct arguments *args, const struct option_def *option);
/** The same for an OPTION_CHOICE: an index into its choices, 0 where it was not given. */
int arguments_choice(const struct arguments *args, const struct option_def *option);
/** The same for an OPTION_NUMBER, `otherwise` where it was not given. */
uint64_t arguments_number(const struct arguments *args, const struct option_def *option,
			  uint64_t otherwise);

/**
 * What --thp and --thp-defrag say, and have each --sysctl written and then each
 * --hotplug taken on the machine, in their order. 0
 * or -ENOMEM.
 */
int arguments_change_machine(const struct arguments *args, struct machine *m);

/* Values of option_format, in the order of its choices. */
enum { FORMAT_TEXT, FORMAT_JSON };

/** Print a line for each option, those that every command has last. */
void options_print(const struct option_def *const *options, FILE *out);

#endif

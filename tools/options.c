/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Option tables on top of getopt_long(), which finds the options; names that do not exist and
 * values that cannot be are said here, with the nearest known name. It must not know any command.
 */
#include "tools/options.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "tools/message.h"

static const char *const formats[] = {"text", "json", NULL};

const struct option_def option_help = {
	.name = "help", .letter = 'h', .help = "print this text and exit"};
const struct option_def option_quiet = {
	.name = "quiet", .letter = 'q', .help = "no progress and no warnings"};
const struct option_def option_version = {
	.name = "version", .letter = 'V', .help = "print the version and exit"};
const struct option_def option_format = {.name = "format",
					 .kind = OPTION_CHOICE,
					 .value = "FORMAT",
					 .choices = formats,
					 .help = "text (the default) or json"};
const struct option_def option_output = {.name = "output",
					 .letter = 'o',
					 .kind = OPTION_TEXT,
					 .value = "FILE",
					 .writes = true,
					 .help = "write the results to FILE, whole or not at all"};
const struct option_def option_seed = {.name = "seed",
				       .kind = OPTION_NUMBER,
				       .value = "N",
				       .help = "start the random numbers from N"};
const struct option_def option_set = {.name = "set",
				      .kind = OPTION_SETTING,
				      .value = "PATH=VALUE",
				      .help = "set a value of the machine file; repeatable"};

const struct option_def option_sysctl = {.name = "sysctl",
					 .kind = OPTION_TEXT,
					 .value = "KEY=VALUE",
					 .help = "write a vm sysctl once booted; repeatable"};

const struct option_def option_hotplug = {.name = "hotplug",
					  .kind = OPTION_TEXT,
					  .value = "STEP",
					  .help = "add memory, take it on- or offline, remove it; "
						  "repeatable, in order"};

/* By enum mm_thp_mode, and by enum mm_thp_defrag. */
static const char *const thp_modes[] = {"never", "madvise", "always", NULL};
static const char *const thp_defrags[] = {"never", "madvise", "defer+madvise",
					  "defer", "always",  NULL};

const struct option_def option_thp = {.name = "thp",
				      .kind = OPTION_CHOICE,
				      .value = "MODE",
				      .choices = thp_modes,
				      .help = "transparent_hugepage=MODE: always, madvise, never"};
const struct option_def option_thp_defrag = {
	.name = "thp-defrag",
	.kind = OPTION_CHOICE,
	.value = "MODE",
	.choices = thp_defrags,
	.help = "what a fault does for a huge page: always, defer, defer+madvise, madvise, never"};

/* The options of one parse: the command's, then everybody's. */
struct table {
	const char *who;
	const struct option_def **defs;
	size_t nr;
	struct option *longs; /* for getopt_long(): nr of them, val = FIRST_VAL + index */
	char *shorts;
};

#define FIRST_VAL 256

static int table_init(struct table *t, const char *who, const struct option_def *const *options,
		      bool stop_at_operand)
{
	size_t nr = 0;
	char *s;

	while (options[nr])
		nr++;
	*t = (struct table){.who = who, .nr = nr + 2};
	t->defs = calloc(t->nr, sizeof(*t->defs));
	t->longs = calloc(t->nr + 1, sizeof(*t->longs));
	t->shorts = calloc(2 * t->nr + 3, 1);
	if (!t->defs || !t->longs || !t->shorts)
		return -ENOMEM;
	memcpy(t->defs, options, nr * sizeof(*t->defs));
	t->defs[nr] = &option_quiet;
	t->defs[nr + 1] = &option_help;

	s = t->shorts;
	if (stop_at_operand)
		*s++ = '+';
	*s++ = ':';
	for (size_t i = 0; i < t->nr; i++) {
		bool valued = t->defs[i]->kind != OPTION_SWITCH;

		t->longs[i].name = t->defs[i]->name;
		t->longs[i].has_arg = valued ? required_argument : no_argument;
		t->longs[i].val = FIRST_VAL + (int)i;
		if (t->defs[i]->letter) {
			*s++ = t->defs[i]->letter;
			if (valued)
				*s++ = ':';
		}
	}
	return 0;
}

static void table_free(struct table *t)
{
	free(t->defs);
	free(t->longs);
	free(t->shorts);
}

/* The option that getopt_long() found by its `val` or its letter. */
static const struct option_def *table_find(const struct table *t, int val)
{
	if (val >= FIRST_VAL)
		return t->defs[val - FIRST_VAL];
	for (size_t i = 0; i < t->nr; i++)
		if (t->defs[i]->letter == val)
			return t->defs[i];
	return NULL;
}

static const char *table_name(unsigned i, void *arg)
{
	const struct table *t = arg;

	return i < t->nr ? t->defs[i]->name : NULL;
}

static const char *choice_name(unsigned i, void *arg)
{
	const char *const **choices = arg;

	return (*choices)[i];
}

/*
 * getopt_long() found no option it knows: `word` is the last one that it took from argv, `val` the
 * letter of a short option, 0 for a long one, or the option that was given a value but takes none.
 */
static int bad_option(struct table *t, const char *word, int val)
{
	char name[64];
	const char *nearest;

	if (val >= FIRST_VAL) {
		message("option '--%s' takes no value; see %s --help", table_find(t, val)->name,
			t->who);
		return -EINVAL;
	}
	if (val) {
		message("unknown option '-%c'; see %s --help", val, t->who);
		return -EINVAL;
	}
	snprintf(name, sizeof(name), "%.*s", (int)strcspn(word + 2, "="), word + 2);
	nearest = diag_nearest(name, table_name, t);
	if (nearest)
		message("unknown option '--%s', did you mean '--%s'? See %s --help", name, nearest,
			t->who);
	else
		message("unknown option '--%s'; see %s --help", name, t->who);
	return -EINVAL;
}

static int missing_value(const struct table *t, int val)
{
	const struct option_def *def = table_find(t, val);

	message("option '--%s' needs a value, %s; see %s --help", def->name, def->value, t->who);
	return -EINVAL;
}

static int check_choice(const struct option_def *def, const char *value)
{
	const char *const *choices = def->choices;
	const char *nearest;

	for (int i = 0; choices[i]; i++)
		if (!strcmp(choices[i], value))
			return 0;
	nearest = diag_nearest(value, choice_name, &choices);
	fprintf(stderr, "numasim: --%s: unknown %s '%s'", def->name, def->name, value);
	if (nearest)
		fprintf(stderr, ", did you mean '%s'? Known are", nearest);
	else
		fputs("; known are", stderr);
	for (int i = 0; choices[i]; i++)
		fprintf(stderr, "%s %s", i ? "," : "", choices[i]);
	fputc('\n', stderr);
	return -EINVAL;
}

static bool parse_number(const char *text, uint64_t *number)
{
	int base = text[0] == '0' && (text[1] == 'x' || text[1] == 'X') ? 16 : 10;
	char *end;

	/* strtoull() would take blanks and signs. */
	if (text[0] < '0' || text[0] > '9')
		return false;
	errno = 0;
	*number = strtoull(text, &end, base);
	return !*end && !errno;
}

static int check_value(const struct option_def *def, const char *value)
{
	uint64_t number;
	const char *equals;

	switch (def->kind) {
	case OPTION_SWITCH:
	case OPTION_TEXT:
		return 0;
	case OPTION_CHOICE:
		return check_choice(def, value);
	case OPTION_NUMBER:
		if (parse_number(value, &number))
			return 0;
		message("--%s: '%s' is no whole number below 2^64", def->name, value);
		return -EINVAL;
	case OPTION_SETTING:
		equals = strchr(value, '=');
		if (equals && equals != value)
			return 0;
		message("--%s: '%s' is not of the form %s", def->name, value, def->value);
		return -EINVAL;
	}
	return -EINVAL;
}

/* Note that `def` was given. A setting is taken apart in place. */
static void add_given(struct arguments *args, const struct option_def *def, char *value)
{
	args->given[args->nr_given++] = (struct option_given){def, value ? value : ""};
	if (def->kind == OPTION_SETTING) {
		char *equals = strchr(value, '=');

		*equals = '\0';
		args->sets[args->nr_sets++] = (struct machine_override){value, equals + 1};
	}
}

static int parse(struct table *t, int argc, char **argv, struct arguments *args)
{
	opterr = 0;
	optind = 0; /* start afresh, also after a parse of another argv */
	for (;;) {
		int val = getopt_long(argc, argv, t->shorts, t->longs, NULL);
		const struct option_def *def;
		int err;

		if (val == -1)
			break;
		if (val == ':')
			return missing_value(t, optopt);
		if (val == '?')
			return bad_option(t, argv[optind - 1], optopt);
		def = table_find(t, val);
		err = check_value(def, optarg);
		if (err)
			return err;
		add_given(args, def, optarg);
	}
	args->operands = argv + optind;
	args->nr_operands = argc - optind;
	return 0;
}

int arguments_parse(const char *who, const struct option_def *const *options, bool stop_at_operand,
		    int argc, char **argv, struct arguments *args)
{
	struct table t;
	size_t most = 0;
	int err;

	/* A word can hold several short options. */
	for (int i = 0; i < argc; i++)
		most += strlen(argv[i]) + 1;
	*args = (struct arguments){0};
	args->given = calloc(most, sizeof(*args->given));
	args->sets = calloc(most, sizeof(*args->sets));
	err = table_init(&t, who, options, stop_at_operand);
	if (err || !args->given || !args->sets) {
		err = -ENOMEM;
		message("%s", strerror(ENOMEM));
	} else {
		err = parse(&t, argc, argv, args);
	}
	table_free(&t);
	if (err)
		arguments_free(args);
	return err;
}

void arguments_free(struct arguments *args)
{
	free(args->given);
	free(args->sets);
	*args = (struct arguments){0};
}

const char *arguments_value(const struct arguments *args, const struct option_def *option)
{
	for (size_t i = args->nr_given; i-- > 0;)
		if (args->given[i].option == option)
			return args->given[i].value;
	return NULL;
}

int arguments_choice(const struct arguments *args, const struct option_def *option)
{
	const char *value = arguments_value(args, option);

	for (int i = 0; value && option->choices[i]; i++)
		if (!strcmp(option->choices[i], value))
			return i;
	return 0;
}

uint64_t arguments_number(const struct arguments *args, const struct option_def *option,
			  uint64_t otherwise)
{
	const char *value = arguments_value(args, option);
	uint64_t number;

	return value && parse_number(value, &number) ? number : otherwise;
}

int arguments_change_machine(const struct arguments *args, struct machine *m)
{
	struct mm_params *params = &m->mm.params;
	int err = 0;

	if (arguments_value(args, &option_thp))
		params->thp = (enum mm_thp_mode)arguments_choice(args, &option_thp);
	if (arguments_value(args, &option_thp_defrag))
		params->thp_defrag = (enum mm_thp_defrag)arguments_choice(args, &option_thp_defrag);

	for (size_t i = 0; i < args->nr_given && !err; i++)
		if (args->given[i].option == &option_sysctl)
			err = machine_add_sysctl(m, args->given[i].value);
	for (size_t i = 0; i < args->nr_given && !err; i++)
		if (args->given[i].option == &option_hotplug)
			err = machine_add_hotplug(m, args->given[i].value, 0);
	return err;
}

static void option_print(const struct option_def *def, FILE *out)
{
	char left[64];

	snprintf(left, sizeof(left), "%c%c%c --%s%s%s", def->letter ? '-' : ' ',
		 def->letter ? def->letter : ' ', def->letter ? ',' : ' ', def->name,
		 def->value ? "=" : "", def->value ? def->value : "");
	fprintf(out, "  %-24s  %s\n", left, def->help);
}

void options_print(const struct option_def *const *options, FILE *out)
{
	for (int i = 0; options[i]; i++)
		option_print(options[i], out);
	option_print(&option_quiet, out);
	option_print(&option_help, out);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Config files: what is not well-formed is refused with its place; what is, reads back typed. */
#include "sim/config/config.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The error as a user sees it: "file:line: text". */
static const char *shown(const struct diag *d)
{
	static char text[1024];

	if (!d->failed)
		return "no error";
	if (d->error.line)
		snprintf(text, sizeof(text), "%s:%u: %s", d->error.file, d->error.line,
			 d->error.text);
	else
		snprintf(text, sizeof(text), "%s: %s", d->error.file, d->error.text);
	return text;
}

static void refused_bytes(const char *text, size_t length, const char *message)
{
	struct diag d = DIAG_INIT;
	struct cfg *c;
	int err = cfg_parse(text, length, "a.cfg", &d, &c);

	cr_assert_str_eq(shown(&d), message, "got:      %s\nexpected: %s", shown(&d), message);
	cr_assert_eq(err, -EINVAL);
	cr_assert_null(c);
	diag_clear(&d);
}

static void refused(const char *text, const char *message)
{
	refused_bytes(text, strlen(text), message);
}

static struct cfg *parsed(const char *text, struct diag *d)
{
	struct cfg *c;

	cr_assert_eq(cfg_parse(text, strlen(text), "a.cfg", d, &c), 0, "%s", shown(d));
	return c;
}

Test(config, syntax)
{
	refused("a = ;", "a.cfg:1: expected a value, found ';'");
	refused("a\n= sparse;",
		"a.cfg:2: expected a value, found 'sparse' (strings stand in quotes)");
	refused("a 3;", "a.cfg:1: expected '=' behind the key, found '3'");
	refused("= 3;", "a.cfg:1: expected a key, found '='");
	refused("a = { b = 1;\n\n", "a.cfg:3: expected a key or '}', found the end of the file");
	refused("a = ( 1, 2", "a.cfg:1: expected ',' or ')', found the end of the file");
	refused("a = ( 1, )", "a.cfg:1: expected a value, found ')'");
	refused("a = [ 1 2 ]", "a.cfg:1: expected ',' or ']', found '2'");
	refused("a = [ (1) ]", "a.cfg:1: expected a number or a string of the array, found '('");
	refused("a = $x", "a.cfg:1: expected a value, found '$'");
	refused("a = -", "a.cfg:1: expected a value, found '-'");
	refused("a = 64GiB",
		"a.cfg:1: expected blanks or punctuation behind the number, found '64'");
	refused("a = 1;\na = 2;\n", "a.cfg:2: 'a' is there twice");
	refused("a = 1; }", "a.cfg:1: expected a key, found '}'");
}

Test(config, unfinished_strings_and_comments)
{
	refused("a = 1;\nb = \"x\n\";", "a.cfg:2: the string does not end on its line");
	refused("a = \"x\\\"", "a.cfg:1: the string does not end on its line");
	refused("a = 1;\n/* x\n\n", "a.cfg:2: the comment that opens here does not end");
}

Test(config, nul_bytes)
{
	refused_bytes("a = 1;\n\0b = 2;", 14, "a.cfg:2: there is a NUL byte in the file");
	refused_bytes("a = \"x\0y\";", 10, "a.cfg:1: there is a NUL byte in the file");
	refused("a = \"x\\x00y\";", "a.cfg:1: there is a NUL byte in the string");
}

#define CUT                                                                                        \
	" does not fit 32 bits: it would be cut without an L behind it (sizes, times and rates "   \
	"are strings with a unit: \"64GiB\")"

/* libconfig would read 4294967296 as 0 and 5000000000 as 705032704. */
Test(config, integers_that_would_be_cut)
{
	refused("a = 1;\nb = 4294967296;", "a.cfg:2: the integer 4294967296" CUT);
	refused("a = ( 1,\n 5000000000 );", "a.cfg:2: the integer 5000000000" CUT);
	refused("a = 2147483648;", "a.cfg:1: the integer 2147483648" CUT);
	refused("a = -2147483649;", "a.cfg:1: the integer -2147483649" CUT);
	refused("a = 0x80000000;", "a.cfg:1: the integer 0x80000000" CUT);
	refused("a = 9223372036854775808L;",
		"a.cfg:1: the integer 9223372036854775808L does not fit 64 bits");
}

Test(config, integers_that_fit)
{
	struct diag d = DIAG_INIT;
	struct cfg *c = parsed("a = 2147483647; b = 4294967296L; c = 0x7fffffff; # 4294967296\n"
			       "d = \"4294967296\"; e4294967296 = 5000000000LL;",
			       &d);
	const struct cfg_setting *root = cfg_root(c);
	uint64_t v;

	cr_assert(cfg_integer(c, cfg_need(c, root, "a"), 0, UINT64_MAX, &v) && v == 2147483647);
	cr_assert(cfg_integer(c, cfg_need(c, root, "b"), 0, UINT64_MAX, &v));
	cr_assert_eq(v, UINT64_C(4294967296));
	cr_assert(cfg_integer(c, cfg_need(c, root, "c"), 0, UINT64_MAX, &v) && v == 2147483647);
	cr_assert(cfg_integer(c, cfg_need(c, root, "e4294967296"), 0, UINT64_MAX, &v));
	cr_assert_eq(v, UINT64_C(5000000000));
	cr_assert_eq(cfg_status(c), 0);
	cfg_free(c);
}

/* `count` times `part`, between `before` and `after`; free() it. */
static char *repeated(const char *before, const char *part, size_t count, const char *after)
{
	char *text = malloc(strlen(before) + strlen(part) * count + strlen(after) + 1);
	char *end = stpcpy(text, before);

	for (size_t i = 0; i < count; i++)
		end = stpcpy(end, part);
	strcpy(end, after);
	return text;
}

static void refused_repeated(const char *before, const char *part, size_t count, const char *after,
			     const char *message)
{
	char *text = repeated(before, part, count, after);

	refused(text, message);
	free(text);
}

Test(config, limits)
{
	char keys[257 * 8] = "";

	refused_repeated("a = ", "(", 100000, "",
			 "a.cfg:1: values are nested deeper than 16 brackets");
	refused_repeated("a = (1", ",1", 600000, ");",
			 "a.cfg:1: more than 1000000 words, numbers and signs");
	for (int i = 0; i < 257; i++)
		snprintf(keys + strlen(keys), sizeof(keys) - strlen(keys), "k%d=1;", i);
	refused(keys, "a.cfg:1: more than 256 keys in a group");
	refused_repeated("# ", "x", (size_t)9 << 20, "\na = 1;",
			 "a.cfg:1: the file and its includes are larger than 8 MiB");
}

Test(config, include_needs_a_file)
{
	refused("a = 1;\n@include \"x\"\n",
		"a.cfg:2: there is nothing to @include from: the text is no file");
	refused("a = @include \"x\"\n",
		"a.cfg:1: '@' stands for nothing but @include at the start of a line");
	refused("@import \"x\"\n",
		"a.cfg:1: '@' stands for nothing but @include at the start of a line");
	refused("@include x\n", "a.cfg:1: @include wants a file name in quotes");
	refused("@include \"x\n\"", "a.cfg:1: @include wants a file name in quotes");
}

/* A directory for files that include each other. */
static char dir[256];

static void make_dir(void)
{
	snprintf(dir, sizeof(dir), "%s/numasim-config-XXXXXX", P_tmpdir);
	cr_assert_not_null(mkdtemp(dir));
}

static void remove_dir(void)
{
	char command[300];

	snprintf(command, sizeof(command), "rm -r '%s'", dir);
	cr_assert_eq(system(command), 0);
}

static char *path_of(const char *name)
{
	static char path[512];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static void write_file(const char *name, const char *text)
{
	FILE *f = fopen(path_of(name), "w");

	cr_assert_not_null(f);
	fputs(text, f);
	fclose(f);
}

/* Load `name`; its error must be `format` with the directory for each %s. */
static void load_refused(const char *name, int expected_err, const char *before, const char *after)
{
	struct diag d = DIAG_INIT;
	char message[1024];
	struct cfg *c;
	int err = cfg_load(path_of(name), &d, &c);

	snprintf(message, sizeof(message), "%s/%s%s%s%s", dir, before, after ? dir : "",
		 after ? "/" : "", after ? after : "");
	cr_assert_str_eq(shown(&d), message, "got:      %s\nexpected: %s", shown(&d), message);
	cr_assert_eq(err, expected_err);
	diag_clear(&d);
}

Test(config, includes, .init = make_dir, .fini = remove_dir)
{
	struct diag d = DIAG_INIT;
	const char *file;
	struct cfg *c;
	unsigned line;
	uint64_t v;

	/* Relative to the including file, and lines are counted by file. */
	cr_assert_eq(mkdir(path_of("sub"), 0700), 0);
	write_file("a.cfg", "\n@include \"sub/b.inc\" // here\nc = 3;\n");
	write_file("sub/b.inc", "/* two\nlines */ a = 1;\n  @include \"c.inc\"");
	write_file("sub/c.inc", "b = (2,\n90);");
	cr_assert_eq(cfg_load(path_of("a.cfg"), &d, &c), 0, "%s", shown(&d));
	cr_assert(cfg_integer(c, cfg_need(c, cfg_root(c), "a"), 0, 9, &v) && v == 1);
	cr_assert(cfg_integer(c, cfg_need(c, cfg_root(c), "c"), 0, 9, &v) && v == 3);
	cfg_where(c, cfg_find(c, cfg_root(c), "c"), &file, &line);
	cr_assert_str_eq(file, path_of("a.cfg"));
	cr_assert_eq(line, 3);
	cfg_where(c, cfg_find(c, cfg_root(c), "a"), &file, &line);
	cr_assert_str_eq(file, path_of("sub/b.inc"));
	cr_assert_eq(line, 2);
	cfg_integer(c, cfg_element(cfg_find(c, cfg_root(c), "b"), 1), 0, 9, &v);
	cr_assert_str_eq(d.error.file, path_of("sub/c.inc"));
	cr_assert_eq(d.error.line, 2);
	cr_assert_str_eq(d.error.text, "b[1]: expected an integer from 0 to 9, found 90");
	cfg_free(c);
	diag_clear(&d);
}

Test(config, includes_that_cannot_be, .init = make_dir, .fini = remove_dir)
{
	char message[600];

	write_file("a.cfg", "a = 1;\n@include \"gone.inc\"\n");
	snprintf(message, sizeof(message), "a.cfg:2: cannot read the include '");
	load_refused("a.cfg", -EINVAL, message, "gone.inc': No such file or directory");
	write_file("b.cfg", "@include \"/\"\n");
	load_refused("b.cfg", -EINVAL, "b.cfg:1: cannot read the include '/': Is a directory",
		     NULL);
	write_file("c.cfg", "\n@include \"d.inc\"\n");
	write_file("d.inc", "x = 1;\n\n@include \"c.cfg\"\n");
	load_refused("c.cfg", -EINVAL, "d.inc:3: the file includes itself", NULL);
	write_file("e.cfg", "@include \"f.inc\"\n");
	write_file("f.inc", "a = 1;\nb = 99999999999;\n");
	load_refused("e.cfg", -EINVAL, "f.inc:2: the integer 99999999999" CUT, NULL);
	write_file("g.cfg", "@include \"h.inc\"\n");
	write_file("h.inc", "a = \"x");
	load_refused("g.cfg", -EINVAL, "h.inc:1: the string does not end on its line", NULL);
	load_refused("none.cfg", -ENOENT, "none.cfg: cannot read it: No such file or directory",
		     NULL);
	load_refused("", -EIO, ": cannot read it: Is a directory", NULL);
}

Test(config, includes_nested_too_deep, .init = make_dir, .fini = remove_dir)
{
	for (int i = 0; i < 9; i++) {
		char name[16], text[64];

		snprintf(name, sizeof(name), "%d.cfg", i);
		snprintf(text, sizeof(text), "@include \"%d.cfg\"\n", i + 1);
		write_file(name, text);
	}
	load_refused("0.cfg", -EINVAL, "7.cfg:1: includes are nested deeper than 8 files", NULL);
}

/* Doubling at each level would read 2^7 files. */
Test(config, includes_too_many, .init = make_dir, .fini = remove_dir)
{
	struct diag d = DIAG_INIT;
	struct cfg *c;

	for (int i = 0; i < 8; i++) {
		char name[16], text[64];

		snprintf(name, sizeof(name), "%d.cfg", i);
		snprintf(text, sizeof(text), "@include \"%d.cfg\"\n@include \"%d.cfg\"\n", i + 1,
			 i + 1);
		write_file(name, i == 7 ? "" : text);
	}
	cr_assert_eq(cfg_load(path_of("0.cfg"), &d, &c), -EINVAL);
	cr_assert_str_eq(d.error.text, "more than 64 includes");
	diag_clear(&d);
}

static void value_refused(const char *text,
			  bool (*get)(struct cfg *, const struct cfg_setting *, uint64_t *),
			  const char *message)
{
	struct diag d = DIAG_INIT;
	struct cfg *c = parsed(text, &d);
	uint64_t v = 42;

	cr_assert(!get(c, cfg_need(c, cfg_root(c), "a"), &v));
	cr_assert_eq(cfg_status(c), -EINVAL);
	cr_assert_str_eq(shown(&d), message, "got:      %s\nexpected: %s", shown(&d), message);
	cr_assert_eq(v, 42);
	cfg_free(c);
	diag_clear(&d);
}

#define SIZES "B, kB, MB, GB, TB, PB, KiB, MiB, GiB, TiB, PiB"

Test(config, values_without_their_unit)
{
	value_refused("a = 64;", cfg_size,
		      "a.cfg:1: a: expected a size with its unit, as \"64GiB\", found the "
		      "integer 64");
	value_refused("a = \"64\";", cfg_size, "a.cfg:1: a: \"64\" has no unit (known: " SIZES ")");
	value_refused("a = 90;", cfg_time,
		      "a.cfg:1: a: expected a time with its unit, as \"90ns\", found the integer "
		      "90");
	value_refused("a = 21.3;", cfg_rate,
		      "a.cfg:1: a: expected a rate with its unit, as \"21.3GB/s\", found the "
		      "number 21.3");
	value_refused("a = true;", cfg_frequency,
		      "a.cfg:1: a: expected a frequency with its unit, as \"2.4GHz\", found true");
	value_refused("a = { };", cfg_address,
		      "a.cfg:1: a: expected an address, as \"4GiB\" or \"0x100000\", found a "
		      "group");
	value_refused("b = 1;", cfg_size, "a.cfg:1: 'a' is missing");
}

Test(config, unknown_keys_and_names)
{
	static const char *const known[] = {"base", "size", NULL};
	static const char *const models[] = {"flat", "sparse", NULL};
	struct diag d = DIAG_INIT;
	struct cfg *c = parsed("m = (\n {\n base = 1;\n siez = 2;\n } );", &d);
	unsigned model;

	cfg_keys(c, cfg_element(cfg_find(c, cfg_root(c), "m"), 0), known);
	cr_assert_str_eq(
		shown(&d),
		"a.cfg:4: m[0].siez: unknown key 'siez', did you mean 'size'? (known: base, size)");
	cfg_free(c);
	diag_clear(&d);

	c = parsed("a = \"sparce\"; b = \"x\";", &d);
	cr_assert(!cfg_choice(c, cfg_find(c, cfg_root(c), "a"), "memory model", models, &model));
	cr_assert_str_eq(shown(&d), "a.cfg:1: a: unknown memory model 'sparce', did you mean "
				    "'sparse'? (known: flat, sparse)");
	cfg_free(c);
	diag_clear(&d);

	c = parsed("b = \"discontiguous\";", &d);
	cr_assert(!cfg_choice(c, cfg_find(c, cfg_root(c), "b"), "memory model", models, &model));
	cr_assert_str_eq(shown(&d),
			 "a.cfg:1: b: unknown memory model 'discontiguous' (known: flat, sparse)");
	cfg_free(c);
	diag_clear(&d);
}

static const char set_text[] = "model = \"flat\"; count = 3; on = true;\n"
			       "nodes = ( { memory = ( { size = \"1GiB\"; } ); } );\n"
			       "ids = [ 1, 2 ];";

static void set_refused(const char *path, const char *value, const char *message)
{
	struct diag d = DIAG_INIT;
	struct cfg *c = parsed(set_text, &d);

	cr_assert_eq(cfg_set(c, path, value), -EINVAL);
	cr_assert_str_eq(shown(&d), message, "got:      %s\nexpected: %s", shown(&d), message);
	cfg_free(c);
	diag_clear(&d);
}

Test(config, set_changes_values_as_they_are_typed)
{
	struct diag d = DIAG_INIT;
	struct cfg *c = parsed(set_text, &d);
	const struct cfg_setting *root = cfg_root(c), *size;
	const char *text;
	uint64_t v;
	bool on;

	cr_assert_eq(cfg_set(c, "model", "123"), 0);
	cr_assert(cfg_string(c, cfg_find(c, root, "model"), &text));
	cr_assert_str_eq(text, "123");
	cr_assert_eq(cfg_set(c, "model", "\"sparse\""), 0);
	cr_assert(cfg_string(c, cfg_find(c, root, "model"), &text));
	cr_assert_str_eq(text, "sparse");
	cr_assert_eq(cfg_set(c, "count", "5000000000"), 0);
	cr_assert(cfg_integer(c, cfg_find(c, root, "count"), 0, UINT64_MAX, &v));
	cr_assert_eq(v, UINT64_C(5000000000));
	cr_assert_eq(cfg_set(c, "on", "false"), 0);
	cr_assert(cfg_bool(c, cfg_find(c, root, "on"), &on) && !on);
	cr_assert_eq(cfg_set(c, "ids[1]", "7"), 0);
	cr_assert(cfg_integer(c, cfg_element(cfg_find(c, root, "ids"), 1), 0, 9, &v) && v == 7);

	/* Both forms of an index. */
	size = cfg_find(
		c,
		cfg_element(cfg_find(c, cfg_element(cfg_find(c, root, "nodes"), 0), "memory"), 0),
		"size");
	cr_assert_eq(cfg_set(c, "nodes[0].memory[0].size", "2GiB"), 0);
	cr_assert(cfg_size(c, size, &v) && v == UINT64_C(2) << 30);
	cr_assert_eq(cfg_set(c, "nodes.[0].memory.[0].size", "3GiB"), 0);
	cr_assert(cfg_size(c, size, &v) && v == UINT64_C(3) << 30);
	cfg_free(c);
}

Test(config, set_adds_what_is_not_there)
{
	struct diag d = DIAG_INIT;
	struct cfg *c = parsed(set_text, &d);
	const struct cfg_setting *kernel;
	const char *text;
	uint64_t v;
	bool on;

	cr_assert_eq(cfg_set(c, "kernel.min_free_kbytes", "4096"), 0);
	cr_assert_eq(cfg_set(c, "kernel.thp", "true"), 0);
	cr_assert_eq(cfg_set(c, "kernel.core", "1GiB"), 0);
	kernel = cfg_group(c, cfg_need(c, cfg_root(c), "kernel"));
	cr_assert(cfg_integer(c, cfg_need(c, kernel, "min_free_kbytes"), 0, 9999, &v));
	cr_assert_eq(v, 4096);
	cr_assert(cfg_bool(c, cfg_need(c, kernel, "thp"), &on) && on);
	cr_assert(cfg_string(c, cfg_need(c, kernel, "core"), &text));
	cr_assert_str_eq(text, "1GiB");
	/* What is wrong with it later is told as the --set. */
	cr_assert(!cfg_time(c, cfg_need(c, kernel, "core"), &v));
	cr_assert_str_eq(shown(&d), "--set kernel.core=1GiB: kernel.core: \"1GiB\" has an unknown "
				    "unit (known: ps, ns, us, ms, s)");
	cfg_free(c);
	diag_clear(&d);
}

Test(config, set_refuses)
{
	set_refused("count", "many", "--set count=many: expected an integer, found 'many'");
	set_refused("on", "1", "--set on=1: expected true or false, found '1'");
	set_refused("nodes", "1",
		    "--set nodes=1: 'nodes' is not a single value: only those can be set");
	set_refused("nodes[1].x", "1", "--set nodes[1].x=1: 'nodes' has 1 elements, from [0]");
	set_refused("nodse[0].x", "1",
		    "--set nodse[0].x=1: there is no list 'nodse', did you mean 'nodes'?");
	set_refused("weights[0]", "1", "--set weights[0]=1: there is no list 'weights'");
	set_refused("model[0]", "1", "--set model[0]=1: 'model' is not a list");
	set_refused("model.x", "1", "--set model.x=1: 'model' is not a group: it has no 'x'");
	set_refused("nodes[x]", "1",
		    "--set nodes[x]=1: the path goes wrong at '[x]': expected keys and indexes, as "
		    "nodes[1].memory[0].size");
	set_refused("", "1",
		    "--set =1: the path goes wrong at '': expected keys and indexes, as "
		    "nodes[1].memory[0].size");
	set_refused("a..b", "1",
		    "--set a..b=1: the path goes wrong at '.b': expected keys and indexes, as "
		    "nodes[1].memory[0].size");
}

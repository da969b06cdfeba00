/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Captures that came to harm: each file missing, and each file cut at the end of each line, or
 * anywhere. An import then either makes a machine, or says which file it is about; and of a file
 * that ends within a line it always says so.
 */
#define _GNU_SOURCE /* mkdtemp, asprintf */
#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sim/import/import.h"
#include "sim/machine/machine.h"
#include "sim/rng.h"

#define SEED        20240611
#define BYTES_CUT   48 /* places of each file, besides all ends of lines */
#define NO_CUT      SIZE_MAX
#define MAX_FOUND   64
#define SHAPE_FILES SOURCE_DIR "/tests/reference/captures/%s.tar.gz"

static char folder[32], captured[96];
static struct diag diag = DIAG_INIT;

/* Unpack the capture of that name. */
static void unpack(const char *shape)
{
	char *command;

	strcpy(folder, "/tmp/cuts-XXXXXX");
	cr_assert_not_null(mkdtemp(folder));
	cr_assert_geq(
		asprintf(&command, "gzip -dc " SHAPE_FILES " | tar -xf - -C %s", shape, folder), 0);
	cr_assert_eq(system(command), 0);
	free(command);
	snprintf(captured, sizeof(captured), "%s/%s", folder, shape);
}

static void clean_up(void)
{
	char command[64];

	snprintf(command, sizeof(command), "rm -rf %s", folder);
	cr_assert_eq(system(command), 0);
}

static char *read_file(const char *path, size_t *len)
{
	FILE *f = fopen(path, "r");
	char *text = malloc(1 << 20);

	cr_assert(f && text, "%s", path);
	*len = fread(text, 1, 1 << 20, f);
	fclose(f);
	return text;
}

static void write_file(const char *path, const char *text, size_t len)
{
	FILE *f = fopen(path, "w");

	cr_assert_not_null(f);
	cr_assert_eq(fwrite(text, 1, len, f), len);
	fclose(f);
}

/* Import the folder, read back what came of it. */
static int import(void)
{
	struct machine *m = NULL;
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	int err;

	diag_clear(&diag);
	err = import_kinds[0]->read(captured, &diag, out);
	fclose(out);
	if (!err)
		err = machine_parse(text, len, "imported", &diag, &m);
	machine_free(m);
	free(text);
	return err;
}

static const char *stem(const char *name)
{
	static char text[64];

	snprintf(text, sizeof(text), "%.*s", (int)strlen(name) - 4, name);
	return text;
}

/* A refusal, in a line of the file or naming it: contradictions name two. */
static void check_message(int err, const char *name, size_t cut)
{
	cr_assert(err == -EINVAL || err == -ENOENT, "%s cut at %zu: error %d", name, cut, err);
	cr_assert(diag.failed);
	cr_assert(strstr(diag.error.file, stem(name)) || strstr(diag.error.text, stem(name)),
		  "%s cut at %zu: %s:%u: %s", name, cut, diag.error.file, diag.error.line,
		  diag.error.text);
}

static void cut_at(const char *path, const char *name, const char *text, size_t cut)
{
	bool within = cut && text[cut - 1] != '\n';
	int err;

	write_file(path, text, cut);
	err = import();
	if (err)
		check_message(err, name, cut);
	cr_assert(err || (cut && !within), "%s cut at %zu: taken", name, cut);
	if (within)
		cr_assert(strstr(diag.error.text, "the file is cut") &&
				  strstr(diag.error.file, name) && diag.error.line,
			  "%s cut at %zu: %s", name, cut, diag.error.text);
}

/* Which of them are required: without the others there is a machine still. */
static void remove_file(const char *path, const char *name, bool numa)
{
	bool required = numa ? strstr(name, ".cpulist.") || strstr(name, ".distance.")
			     : !strcmp(name, "cpuinfo.txt");
	int err;

	cr_assert_eq(unlink(path), 0);
	err = import();
	if (err)
		check_message(err, name, NO_CUT);
	cr_assert_eq(err != 0, required, "without %s: error %d", name, err);
	if (required)
		cr_assert(strstr(diag.error.text, "is missing"));
}

static void harm(const char *name, bool numa, struct rng *rng)
{
	size_t len;
	char *path, *text;

	cr_assert_geq(asprintf(&path, "%s/%s", captured, name), 0);
	text = read_file(path, &len);
	for (size_t cut = 0; cut < len; cut++)
		if (!cut || text[cut - 1] == '\n')
			cut_at(path, name, text, cut);
	for (int i = 0; i < BYTES_CUT && len > 1; i++)
		cut_at(path, name, text, rng_below(rng, len));
	remove_file(path, name, numa);
	write_file(path, text, len);
	cr_assert_eq(import(), 0, "%s", diag.error.text);
	free(text);
	free(path);
}

/* What `import` reads, of what is in the folder. */
static bool describes(const char *name)
{
	static const char *const made[] = {"zoneinfo.txt", "sysctl_vm.txt", ".", ".."};

	for (size_t i = 0; i < sizeof(made) / sizeof(*made); i++)
		if (!strcmp(name, made[i]))
			return false;
	return true;
}

static void harm_all(const char *shape, bool numa)
{
	struct rng rng = {SEED};
	char *names[MAX_FOUND];
	struct dirent *entry;
	int nr = 0;
	DIR *dir;

	unpack(shape);
	dir = opendir(captured);
	cr_assert_not_null(dir);
	while ((entry = readdir(dir)) && nr < MAX_FOUND)
		if (describes(entry->d_name))
			names[nr++] = strdup(entry->d_name);
	closedir(dir);
	cr_assert_geq(nr, 8);
	for (int i = 0; i < nr; i++) {
		harm(names[i], numa, &rng);
		free(names[i]);
	}
	diag_clear(&diag);
	clean_up();
}

Test(capture_cuts, nodes_without_cpus_or_memory)
{
	harm_all("g_numa_cpuless_and_memless", true);
}

Test(capture_cuts, emulated_nodes)
{
	harm_all("m_uma2g_fake4", true);
}

Test(capture_cuts, without_numa)
{
	harm_all("p_i386_686pae_2g", false);
}

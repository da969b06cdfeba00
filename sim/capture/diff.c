/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compares two lists of figures by name. A group of figures that the capture does not hold is not
 * compared, and said; within a group, what only one side has is a difference.
 */
#include "sim/capture/diff.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "sim/capture/figures.h"
#include "sim/json.h"

/* What a capture without the group lacks; NULL: nothing that is to be told. */
static const char *const not_compared[FIGURES_NR_GROUPS] = {
	[FIGURES_MIN_FREE] = "min_free_kbytes: sysctl_vm.txt is not in the capture",
	[FIGURES_FALLBACK] = "fallback order: not in the captured dmesg.txt",
	[FIGURES_GENERAL] = "zonelists over all nodes: not in the captured dmesg.txt (the kernel "
			    "prints them with mminit_loglevel=4)",
	[FIGURES_THIS_NODE] = "zonelists of one node: not in the captured dmesg.txt (the kernel "
			      "prints them with mminit_loglevel=4, and with NUMA)",
	[FIGURES_PAGE_FLAGS] = "layout of page->flags: not in the captured dmesg.txt (the kernel "
			       "prints it with mminit_loglevel=4)",
	[FIGURES_SLABS] = "slab caches: slabinfo.txt is not in the capture",
};

static int read_file(const struct capture *c, const char *name, bool needed, struct diag *diag,
		     struct figures *out,
		     int (*parse)(const struct capture_file *, struct diag *, struct figures *))
{
	struct capture_file f;
	int err = needed ? capture_need(c, name, diag, &f) : capture_read(c, name, diag, &f);

	if (!err)
		err = parse(&f, diag, out);
	else if (err == -ENOENT && !needed)
		err = 0;
	capture_close(&f);
	return err;
}

/* A kernel without pools leaves the file empty, which is none. */
static int read_pools(const struct capture *c, struct diag *diag, struct figures *out)
{
	struct diag quiet = DIAG_INIT;
	struct capture_file f;
	int err = capture_read(c, "hugepages.txt", &quiet, &f);

	if (!err)
		err = figures_parse_hugepages(&f, diag, out);
	else if (err == -ENOENT || err == -EINVAL)
		err = 0;
	else
		diag_error(diag, err, capture_path(c), 0, "hugepages.txt cannot be read");
	capture_close(&f);
	diag_clear(&quiet);
	return err;
}

static int read_capture(const struct capture *c, struct diag *diag, struct figures *out)
{
	int err = read_file(c, "zoneinfo.txt", true, diag, out, figures_parse_zoneinfo);
	if (!err)
		err = read_file(c, "sysctl_vm.txt", false, diag, out, figures_parse_sysctl);
	if (!err)
		err = read_file(c, "dmesg.txt", false, diag, out, figures_parse_dmesg);
	if (!err)
		err = read_file(c, "slabinfo.txt", false, diag, out, figures_parse_slabinfo);
	if (!err)
		err = read_pools(c, diag, out);
	return err;
}

/* A number, a text, or null. */
static json_t *value_of(const struct figure *figure)
{
	uint64_t number;

	if (!figure)
		return json_null();
	if (scan_whole(figure->value, &number) && number <= INT64_MAX &&
	    !strchr(figure->value, ' '))
		return json_integer((json_int_t)number);
	return json_text(figure->value);
}

static void add_difference(json_t *differences, const char *name, const struct figure *captured,
			   const struct figure *simulated)
{
	json_t *difference = json_append_object(differences);

	json_put_string(difference, "figure", name);
	json_object_set_new(difference, "captured", value_of(captured));
	json_object_set_new(difference, "simulated", value_of(simulated));
}

/* What has the simulated kernel that the captured one does not, where it tells such things. */
static uint64_t compare_back(const struct figures *captured, const struct figures *simulated,
			     const bool *told, json_t *differences)
{
	uint64_t nr = 0;

	for (size_t i = 0; i < simulated->nr; i++) {
		const struct figure *figure = &simulated->at[i];

		/* What caches there are goes by what is loaded and in use; sizes, by the CPU. */
		if (!told[figure->group] || figure->group == FIGURES_SLABS ||
		    figure->group == FIGURES_POOLS || figures_find(captured, figure->name))
			continue;
		add_difference(differences, figure->name, NULL, figure);
		nr++;
	}
	return nr;
}

#define FIGURES_PER_SLAB 3

static void add_unknown(json_t *missing, uint64_t nr)
{
	char text[96];

	snprintf(text, sizeof(text),
		 "%" PRIu64 " slab caches that the machine's kernel profile does not have", nr);
	json_array_append_new(missing, json_text(text));
}

/* The kernel prints its zonelists at boot only. */
static bool is_of_boot(enum figure_group group)
{
	return group == FIGURES_GENERAL || group == FIGURES_THIS_NODE;
}

/* What the capture lacks of a group, or has of another time. */
static json_t *missing_text(enum figure_group group, bool changed)
{
	if (changed && group == FIGURES_GENERAL)
		return json_text("zonelists: the kernel prints them at boot only, before memory "
				 "came or went");
	return json_text(not_compared[group]);
}

/* `order`: the capture's figures as the files have them; `captured`: the same, sorted. */
static json_t *compare(const struct figures *order, const struct figures *captured,
		       const struct figures *simulated, bool changed)
{
	json_t *doc = json_object(), *differences, *missing;
	bool told[FIGURES_NR_GROUPS] = {false};
	uint64_t equal = 0, nr = order->nr, unknown = 0; /* of caches that the profile lacks */
	uint64_t skipped = 0;

	json_put(doc, "figures", 0);
	json_put(doc, "equal", 0);
	differences = json_put_array(doc, "differences");
	missing = json_put_array(doc, "not_compared");
	for (size_t i = 0; i < order->nr; i++) {
		const struct figure *a = &order->at[i], *b = figures_find(simulated, a->name);

		if (changed && is_of_boot(a->group)) {
			skipped++;
			continue;
		}
		/* A size that is not modelled, and that nobody uses. */
		if (a->group == FIGURES_POOLS && !b && !strcmp(a->value, "0")) {
			skipped++;
			continue;
		}
		told[a->group] = true;
		if (a->group == FIGURES_SLABS && !b) {
			unknown++;
			continue;
		}
		if (b && !strcmp(a->value, b->value))
			equal++;
		else
			add_difference(differences, a->name, a, b);
	}
	nr += compare_back(captured, simulated, told, differences);
	for (int g = 0; g < FIGURES_NR_GROUPS; g++)
		if (!told[g] && not_compared[g] && !(changed && g == FIGURES_THIS_NODE))
			json_array_append_new(missing, missing_text((enum figure_group)g, changed));
	if (unknown)
		add_unknown(missing, unknown / FIGURES_PER_SLAB);
	json_put(doc, "figures", nr - unknown - skipped);
	json_put(doc, "equal", equal);
	return doc;
}

static int copy(const struct figures *from, struct figures *to)
{
	for (size_t i = 0; i < from->nr; i++)
		figures_text(to, from->at[i].group, from->at[i].value, "%s", from->at[i].name);
	figures_sort(to);
	return to->failed ? -ENOMEM : 0;
}

int capture_diff(const struct capture *c, const struct mm *mm, bool changed, struct diag *diag,
		 json_t **out)
{
	struct figures order = {0}, captured = {0}, simulated = {0};
	int err = read_capture(c, diag, &order);

	*out = NULL;
	if (!err)
		err = copy(&order, &captured);
	if (!err)
		err = figures_simulated(mm, &simulated);
	if (!err) {
		figures_sort(&simulated);
		*out = compare(&order, &captured, &simulated, changed);
		err = *out ? 0 : -ENOMEM;
	}
	figures_clear(&order);
	figures_clear(&captured);
	figures_clear(&simulated);
	return err;
}

/* A value as text: in `number` where it is one. */
static const char *shown(const json_t *value, char *number, size_t size)
{
	if (json_is_null(value))
		return "-";
	if (json_is_string(value))
		return json_string_value(value);
	snprintf(number, size, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
	return number;
}

void capture_diff_print(const json_t *doc, FILE *out)
{
	const json_t *differences = json_object_get(doc, "differences"), *difference, *what;
	int name_width = 6, value_width = 8;
	size_t i;

	for (int pass = 0; pass < 2; pass++) {
		if (pass && json_array_size(differences))
			fprintf(out, "%-*s  %-*s  simulated\n", name_width, "figure", value_width,
				"captured");
		json_array_foreach (differences, i, difference) {
			char a[24], b[24];
			const char *name = json_get_string(difference, "figure");
			const char *captured =
				shown(json_object_get(difference, "captured"), a, sizeof(a));
			const char *simulated =
				shown(json_object_get(difference, "simulated"), b, sizeof(b));

			if ((int)strlen(name) > name_width)
				name_width = (int)strlen(name);
			if ((int)strlen(captured) > value_width)
				value_width = (int)strlen(captured);
			if (pass)
				fprintf(out, "%-*s  %-*s  %s\n", name_width, name, value_width,
					captured, simulated);
		}
	}
	json_array_foreach (json_object_get(doc, "not_compared"), i, what)
		fprintf(out, "not compared: %s\n", json_string_value(what));
	fprintf(out, "%" PRIu64 " of %" PRIu64 " figures equal\n", json_get(doc, "equal"),
		json_get(doc, "figures"));
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads a capture's files in an order in which each can be checked against those before it. Which
 * files these are, and no others, is what makes an import a prediction.
 */
#include "sim/capture/machine.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define MAY_BE_LOST (1 << 20) /* numa_meminfo_cover_memory() lets up to 1 MiB go */

struct reader {
	const struct capture *c;
	struct diag *diag;
	struct captured_machine *m;
	struct capture_file dmesg_file, iomem_file; /* empty where not there */
	struct captured_dmesg dmesg;
	struct captured_ranges iomem;
	struct captured_ranges ram; /* of iomem, as it was at boot */
};

/* 0 also where the file is not there: *f is empty then. */
static int open_optional(struct reader *r, const char *name, struct capture_file *f)
{
	int err = capture_read(r->c, name, r->diag, f);

	return err == -ENOENT ? 0 : err;
}

static int set(char **at, const char *text, size_t len)
{
	free(*at);
	*at = strndup(text, len);
	return *at ? 0 : -ENOMEM;
}

static int read_dmesg(struct reader *r)
{
	int err = open_optional(r, "dmesg.txt", &r->dmesg_file);

	if (err || !r->dmesg_file.path) {
		if (!err)
			diag_warn(r->diag, capture_path(r->c), 0,
				  "dmesg.txt is missing: memory that the kernel gives back late "
				  "(initrd, init sections) is not known");
		return err;
	}
	err = dmesg_parse(&r->dmesg_file, r->diag, &r->dmesg);
	if (!err && !r->dmesg.late.nr)
		diag_warn(
			r->diag, r->dmesg_file.path, 0,
			"has no line 'Freeing ... memory: NK': what the kernel gives back late is "
			"not known");
	else if (!err && !r->dmesg.freed_init)
		diag_warn(r->diag, r->dmesg_file.path, (unsigned)r->dmesg_file.nr_lines,
			  "ends before a line 'Freeing unused kernel ... memory: NK': is it cut? "
			  "What the kernel gives back from there on is not known");
	return err;
}

static int read_command_line(struct reader *r)
{
	const char *text = r->dmesg.command_line;
	struct capture_file f;
	int err = open_optional(r, "cmdline.txt", &f);

	if (err)
		return err;
	if (f.path)
		text = f.nr_lines ? f.lines[0] : "";
	if (!text)
		diag_warn(r->diag, capture_path(r->c), 0,
			  "cmdline.txt is missing: taken to hold nothing about memory");
	if (!text)
		text = "";
	err = set(&r->m->command_line, text, strlen(text));
	capture_close(&f);
	return err;
}

/* "Linux (none) 6.1.0-56-amd64 #1 ..." and "Linux version 6.1.0-56-amd64 (...": the release. */
static int read_release(struct reader *r, const char *text, const char *before)
{
	const char *p = text;

	for (int blanks = 0; *before && *p; p++)
		if (*p == ' ' && ++blanks == 2) {
			p++;
			break;
		}
	return set(&r->m->kernel, p, strcspn(p, " "));
}

static const char *arch_of(const char *text)
{
	static const struct {
		const char *word, *arch;
	} words[] = {
		{"x86_64", "x86_64"}, {"amd64", "x86_64"}, {"aarch64", "arm64"},
		{"arm64", "arm64"},   {"i386", "i386"},    {"i486", "i386"},
		{"i586", "i386"},     {"i686", "i386"},    {"-686", "i386"},
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (strstr(text, words[i].word))
			return words[i].arch;
	return NULL;
}

static bool is_i386(const struct mm_arch *arch)
{
	return arch->id == MM_I386 || arch->id == MM_I386_NOPAE;
}

/*
 * A kernel for i386 is for PAE or not. By what it says of the no-execute bit, which only PAE's page
 * tables have; else by its name: those of Debian without PAE are called -686 or -486.
 */
static bool has_pae(const struct reader *r)
{
	const char *kernel = r->m->kernel ? r->m->kernel : "";
	size_t len = strlen(kernel);

	for (size_t i = 0; i < r->dmesg_file.nr_lines; i++) {
		const char *line = dmesg_text(r->dmesg_file.lines[i]);

		if (strstr(line, "NX (Execute Disable) protection"))
			return !strstr(line, "non-PAE kernel");
	}
	return len < 4 || (strcmp(kernel + len - 4, "-686") && strcmp(kernel + len - 4, "-486"));
}

/* By uname, whose last words are the machine's; then by shape.txt, then by the kernel's name. */
static int read_architecture(struct reader *r)
{
	struct capture_file uname, shape;
	const char *name = NULL;
	int err = open_optional(r, "uname.txt", &uname);

	if (err)
		return err;
	err = open_optional(r, "shape.txt", &shape);
	if (!err && uname.nr_lines) {
		const char *last = strrchr(uname.lines[0], ')');

		name = arch_of(last ? last : uname.lines[0]);
		err = read_release(r, uname.lines[0], "Linux NAME");
	}
	for (size_t i = 0; !err && i < shape.nr_lines; i++) {
		const char *p = shape.lines[i];

		if (scan_text(&p, "arch: ") && !name)
			name = arch_of(p);
		else if (scan_text(&p, "shape: ") && *p)
			err = set(&r->m->name, p, strlen(p));
	}
	if (!err && r->dmesg.version) {
		size_t len = strcspn(r->dmesg.version, " ");

		if (!r->m->kernel)
			err = set(&r->m->kernel, r->dmesg.version, len);
		if (!name)
			name = arch_of(r->dmesg.version);
	}
	capture_close(&uname);
	capture_close(&shape);
	if (err)
		return err;
	if (!name)
		return diag_error(
			r->diag, -ENOENT, capture_path(r->c), 0,
			"cannot tell the architecture: expected uname.txt (of 'uname -a')");
	r->m->arch = mm_arch_by_name(name);
	if (is_i386(r->m->arch))
		r->m->arch = mm_arch(has_pae(r) ? MM_I386 : MM_I386_NOPAE);
	r->m->model = is_i386(r->m->arch) ? MM_FLAT : MM_SPARSE_VMEMMAP;
	return 0;
}

static int read_name(struct reader *r)
{
	const char *path = capture_path(r->c), *end = path + strlen(path), *start, *suffix;

	if (r->m->name)
		return 0;
	while (end > path && end[-1] == '/')
		end--;
	for (start = end; start > path && start[-1] != '/';)
		start--;
	for (int i = 0; i < 2; i++) {
		suffix = strstr(start, i ? ".tgz" : ".tar"); /* and what follows it: .gz, .zst */
		if (suffix && suffix < end)
			end = suffix;
	}
	if (start == end || *start == '.')
		return set(&r->m->name, "capture", 7);
	return set(&r->m->name, start, (size_t)(end - start));
}

static int read_iomem(struct reader *r)
{
	int err = open_optional(r, "iomem.txt", &r->iomem_file);

	if (err || !r->iomem_file.path)
		return err;
	err = ranges_parse_iomem(&r->iomem_file, r->diag, &r->iomem);
	if (!err && !ranges_find(&r->iomem, "System RAM"))
		err = capture_wrong(&r->iomem_file, r->iomem_file.nr_lines - 1, r->diag,
				    "expected a line 'START-END : System RAM', found none");
	if (!err && !ranges_find(&r->iomem, "Kernel bss"))
		diag_warn(r->diag, r->iomem_file.path, 0,
			  "has no line 'Kernel bss': what the kernel image takes is not known");
	return err;
}

/* Whole pages of [start, end) that the kernel of this architecture takes. */
static bool usable_part(const struct captured_machine *m, struct captured_range *range)
{
	uint64_t page = UINT64_C(1) << m->arch->page_shift, limit = UINT64_MAX;

	if (is_i386(m->arch))
		limit = UINT64_C(1) << m->arch->max_phys_bits;
	/* Page 0 and the firmware's area below 1 MiB are taken off the map by the kernel. */
	if (m->arch->id != MM_ARM64 && range->start < page)
		range->start = page;
	if (m->arch->id != MM_ARM64 && range->start < 0xa0000 && range->end > 0xa0000 &&
	    range->end <= 0x100000)
		range->end = 0xa0000;
	if (range->end > limit)
		range->end = limit;
	range->start = (range->start + page - 1) & ~(page - 1);
	range->end &= ~(page - 1);
	return range->start < range->end;
}

/*
 * System RAM of iomem, without what was plugged in after boot: that is not on the firmware's map,
 * where the boot messages still have it.
 */
static int read_ram(struct reader *r)
{
	const struct captured_ranges *map = &r->dmesg.usable;
	int err = 0;

	for (size_t i = 0; !err && i < r->iomem.nr; i++) {
		struct captured_range ram = r->iomem.at[i];

		if (ram.nested || strcmp(ram.what, "System RAM"))
			continue;
		if (!r->dmesg.version || !map->nr)
			err = ranges_add(&r->ram, &ram, NULL, 0);
		for (size_t k = 0; !err && r->dmesg.version && k < map->nr; k++) {
			struct captured_range part = ram;

			if (part.start < map->at[k].start)
				part.start = map->at[k].start;
			if (part.end > map->at[k].end)
				part.end = map->at[k].end;
			if (part.start < part.end)
				err = ranges_add(&r->ram, &part, NULL, 0);
		}
	}
	return err;
}

/* Is a range of System RAM memory too, but for the little that the kernel may lose on its way? */
static int check_covered(struct reader *r, const struct captured_range *ram,
			 const struct capture_file *f)
{
	const struct captured_ranges *memory = &r->m->memory;
	uint64_t missing = ram->end - ram->start, next = ram->start;

	for (size_t k = 0; k < memory->nr; k++) {
		const struct captured_range *range = &memory->at[k];

		if (range->start >= ram->end || range->end <= ram->start)
			continue;
		if (range->start <= next)
			next = range->end;
		missing -= range->end - range->start;
	}
	if (missing < MAY_BE_LOST)
		return 0;
	return capture_wrong(&r->iomem_file, ram->line, r->diag,
			     "System RAM from 0x%" PRIx64 " on is not in %s: is that cut?", next,
			     f->path);
}

/* Memory is System RAM, and System RAM is memory. */
static int check_against_iomem(struct reader *r, const struct capture_file *f)
{
	const struct captured_ranges *memory = &r->m->memory;
	bool map = r->dmesg.version && r->dmesg.usable.nr;

	for (size_t k = 0; k < memory->nr; k++) {
		bool inside = false;

		for (size_t i = 0; i < r->ram.nr; i++)
			inside |= memory->at[k].start >= r->ram.at[i].start &&
				  memory->at[k].end <= r->ram.at[i].end;
		if (!inside)
			return capture_wrong(
				f, memory->at[k].line, r->diag,
				"[0x%" PRIx64 "-0x%" PRIx64 ") is not System RAM in %s%s%s",
				memory->at[k].start, memory->at[k].end, r->iomem_file.path,
				map ? " and usable by the firmware's map in " : "",
				map ? r->dmesg_file.path : "");
	}
	for (size_t i = 0; i < r->ram.nr; i++) {
		struct captured_range ram = r->ram.at[i];
		int err = usable_part(r->m, &ram) ? check_covered(r, &ram, f) : 0;

		if (err)
			return err;
	}
	return 0;
}

static int read_memblock_memory(struct reader *r, const struct capture_file *f)
{
	uint64_t in_page = (UINT64_C(1) << r->m->arch->page_shift) - 1;
	int err = ranges_parse_memory(f, r->diag, &r->m->memory);

	for (size_t i = 0; !err && i < r->m->memory.nr; i++)
		if ((r->m->memory.at[i].start | r->m->memory.at[i].end) & in_page)
			err = capture_wrong(f, r->m->memory.at[i].line, r->diag,
					    "the range is not whole pages of %" PRIu64 " bytes",
					    in_page + 1);
	if (!err && r->iomem_file.path)
		err = check_against_iomem(r, f);
	r->m->memory_from = "memblock_memory.tsv";
	return err;
}

/* Cut one range of RAM at the borders of nodes. */
static int add_by_node(struct reader *r, const struct capture_file *f, struct captured_range ram)
{
	const struct captured_ranges *nodes = &r->dmesg.nodes;
	bool numa = nodes->nr && !strstr(r->m->command_line, "numa=off") && !is_i386(r->m->arch);
	uint64_t uncovered;
	int err = 0;

	if (!usable_part(r->m, &ram))
		return 0;
	ram.nid = 0;
	if (!numa)
		return ranges_add(&r->m->memory, &ram, NULL, 0);
	uncovered = ram.end - ram.start;
	for (size_t i = 0; !err && i < nodes->nr; i++) {
		struct captured_range part = ram;

		part.nid = nodes->at[i].nid;
		if (part.start < nodes->at[i].start)
			part.start = nodes->at[i].start;
		if (part.end > nodes->at[i].end)
			part.end = nodes->at[i].end;
		if (part.start >= part.end || !usable_part(r->m, &part))
			continue;
		uncovered -= part.end - part.start;
		err = ranges_add(&r->m->memory, &part, NULL, 0);
	}
	if (!err && uncovered >= MAY_BE_LOST)
		err = capture_wrong(f, ram.line, r->diag,
				    "%" PRIu64 " KiB of [0x%" PRIx64 "-0x%" PRIx64
				    ") are on no node by the SRAT lines of %s: are some missing?",
				    uncovered >> 10, ram.start, ram.end, r->dmesg_file.path);
	return err;
}

/* Without memblock_memory.tsv: what the kernel calls System RAM, or else the firmware's map. */
static int read_firmware_memory(struct reader *r)
{
	const struct captured_ranges *from = r->iomem.nr ? &r->ram : &r->dmesg.usable;
	const struct capture_file *f = r->iomem.nr ? &r->iomem_file : &r->dmesg_file;
	int err = 0;

	if (!r->iomem.nr && !from->nr)
		return diag_error(r->diag, -ENOENT, capture_path(r->c), 0,
				  "iomem.txt is missing, and so are memblock_memory.tsv and the "
				  "firmware's map in dmesg.txt: expected one of them");
	for (size_t i = 0; !err && i < from->nr; i++)
		err = add_by_node(r, f, from->at[i]);
	ranges_sort(&r->m->memory);
	r->m->memory_from = r->iomem.nr ? "iomem.txt" : "dmesg.txt";
	if (err == -E2BIG)
		return diag_error(r->diag, -EINVAL, f->path, 0,
				  "there are more than %d ranges of memory", CAPTURE_MAX_RANGES);
	if (!err && !r->m->memory.nr)
		return diag_error(r->diag, -EINVAL, f->path, 0,
				  "has no memory that a kernel could use");
	return err ? err : ranges_check_overlaps(&r->m->memory, f, r->diag);
}

static int read_memory(struct reader *r)
{
	struct capture_file f;
	int err = open_optional(r, "memblock_memory.tsv", &f);

	if (!err)
		err = read_ram(r);
	if (!err)
		err = f.path ? read_memblock_memory(r, &f) : read_firmware_memory(r);
	if (!err)
		err = captured_flags_read(r->m, &r->dmesg, r->dmesg_file.path, r->diag);
	capture_close(&f);
	return err;
}

static int read_reserved(struct reader *r)
{
	struct capture_file f;
	int err = open_optional(r, "memblock_reserved.tsv", &f);

	if (err)
		return err;
	r->m->complete = f.path != NULL;
	if (f.path)
		err = ranges_parse_reserved(&f, r->diag, &r->m->reserved);
	if (f.path && !err)
		err = captured_reserved_check(r->m, &r->iomem, &f, r->diag);
	captured_huge_reserved(&r->m->reserved);
	capture_close(&f);
	r->m->xsave_bytes = r->dmesg.xsave_bytes;
	if (!err && r->m->complete)
		err = captured_profile_name(r->m, r->diag);
	else if (!err)
		err = captured_profile_read(r->m, &r->dmesg, capture_path(r->c), r->diag);
	if (!err)
		err = captured_late_read(r->m, &r->iomem, &r->dmesg, r->dmesg_file.path, r->diag);
	return err;
}

static int read_nodes(struct reader *r)
{
	int nr = 0, nr_srat = 0;

	for (size_t i = 0; i < r->m->memory.nr; i++)
		if (r->m->memory.at[i].nid >= nr)
			nr = r->m->memory.at[i].nid + 1;
	if (!strstr(r->m->command_line, "numa=off") && !is_i386(r->m->arch))
		nr_srat = r->dmesg.nr_srat;
	/* Those of numa=fake are others, all online. */
	if (nr_srat > nr && strstr(r->m->command_line, "numa=fake"))
		nr_srat = nr;
	return captured_nodes_read(r->m, r->c, nr, nr_srat, r->diag);
}

static int read_options(struct reader *r)
{
	int err = captured_options_read(r->m, capture_path(r->c), r->diag);

	if (!err)
		err = captured_thp_read(r->m, r->c, r->diag);
	return err ? err : captured_swap_read(r->m, r->c, r->diag);
}

int captured_machine_read(const struct capture *c, struct diag *diag, struct captured_machine **out)
{
	static int (*const steps[])(struct reader *) = {
		read_dmesg,  read_command_line, read_architecture, read_name,     read_iomem,
		read_memory, read_nodes,        read_options,      read_reserved,
	};
	struct reader r = {.c = c, .diag = diag, .m = calloc(1, sizeof(*r.m))};
	int err = 0;

	*out = NULL;
	if (!r.m)
		return -ENOMEM;
	for (size_t i = 0; !err && i < sizeof(steps) / sizeof(*steps); i++)
		err = steps[i](&r);
	capture_close(&r.dmesg_file);
	capture_close(&r.iomem_file);
	dmesg_clear(&r.dmesg);
	ranges_clear(&r.iomem);
	ranges_clear(&r.ram);
	if (err)
		captured_machine_free(r.m);
	else
		*out = r.m;
	return err;
}

void captured_machine_free(struct captured_machine *m)
{
	if (!m)
		return;
	free(m->name);
	free(m->kernel);
	free(m->profile);
	for (int i = 0; i < 3; i++)
		free(m->slab_options[i]);
	free(m->cpu_nid);
	free(m->distance);
	free(m->shares_cpus_with);
	ranges_clear(&m->memory);
	ranges_clear(&m->reserved);
	ranges_clear(&m->late);
	free(m->command_line);
	captured_huge_free(m);
	free(m->swap_disk);
	free(m);
}

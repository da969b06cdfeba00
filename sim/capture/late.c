/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which reserved ranges the kernel gives back once it is up, and, without memblock's own list, what
 * is reserved by boot loader and kernel image.
 *
 * The messages ("Freeing unused kernel image (initmem) memory: 2824K") tell sizes, not addresses.
 * Those follow from the order of sections in the kernel image (arch/x86/kernel/vmlinux.lds.S):
 * code, gap, rodata, gap, data, init sections, SMP alternatives, bss, whose end is the unused
 * decrypted part. Where between data and bss the init sections lie exactly moves no figure.
 */
#include "sim/capture/machine.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct late_reader {
	struct captured_machine *m;
	const struct captured_dmesg *dmesg;
	const char *path; /* of dmesg, for messages */
	struct diag *diag;
	uint64_t page;
	/* Pieces of the kernel image, whole pages; end 0 where iomem does not have it. */
	struct captured_range code, rodata, data, bss;
	uint64_t init_end; /* what is left for init sections ends here */
};

static uint64_t down(const struct late_reader *r, uint64_t at)
{
	return at & ~(r->page - 1);
}

static uint64_t up(const struct late_reader *r, uint64_t at)
{
	return down(r, at + r->page - 1);
}

static struct captured_range piece(const struct late_reader *r, const struct captured_ranges *iomem,
				   const char *what)
{
	const struct captured_range *found = ranges_find(iomem, what);
	struct captured_range range = {.nid = -1};

	if (found) {
		range.start = down(r, found->start);
		range.end = up(r, found->end);
	}
	return range;
}

static int reserve(struct late_reader *r, uint64_t start, uint64_t end, const char *what)
{
	struct captured_range range = {.start = start, .end = end, .nid = -1};

	return start < end ? ranges_add(&r->m->reserved, &range, what, strlen(what)) : 0;
}

/* The image piece by piece, so that gaps and init sections can be seen and given back. */
static int reserve_image(struct late_reader *r)
{
	const struct {
		const struct captured_range *range;
		const char *what, *behind;
	} pieces[] = {
		{&r->code, "kernel code", "kernel image: text/rodata gap"},
		{&r->rodata, "kernel rodata", "kernel image: rodata/data gap"},
		{&r->data, "kernel data", "kernel image: init sections"},
		{&r->bss, "kernel bss", NULL},
	};
	uint64_t end = 0;
	const char *gap = NULL;
	int err = 0;

	for (int i = 0; !err && i < 4; i++) {
		const struct captured_range *range = pieces[i].range;

		if (!range->end || range->start < end)
			continue;
		if (gap)
			err = reserve(r, end, range->start, gap);
		if (!err)
			err = reserve(r, range->start, range->end, pieces[i].what);
		end = range->end;
		gap = pieces[i].behind;
	}
	if (!err && r->bss.end && r->m->brk_bytes)
		err = reserve(r, r->bss.end, r->bss.end + r->m->brk_bytes, "kernel brk");
	return err;
}

/* What firmware and command line keep of System RAM: rows inside of it. */
static int reserve_nested(struct late_reader *r, const struct captured_ranges *iomem)
{
	bool in_ram = false;
	int err = 0;

	for (size_t i = 0; !err && i < iomem->nr; i++) {
		const struct captured_range *row = &iomem->at[i];

		if (!row->nested)
			in_ram = !strcmp(row->what, "System RAM");
		else if (in_ram && !strcmp(row->what, "Crash kernel"))
			err = reserve(r, row->start, row->end, "crash kernel");
		else if (in_ram && !strcmp(row->what, "Reserved"))
			err = reserve(r, row->start, row->end, "firmware");
	}
	return err;
}

static int reserve_known(struct late_reader *r, const struct captured_ranges *iomem)
{
	const struct captured_range *initrd = &r->dmesg->initrd;
	int err = reserve_image(r);

	if (!err)
		err = reserve_nested(r, iomem);
	/* They are no memory, but nodes that they are on cannot be unplugged. */
	for (size_t i = 0; !err && r->m->movable_node && i < r->dmesg->tables.nr; i++)
		err = reserve(r, r->dmesg->tables.at[i].start, r->dmesg->tables.at[i].end,
			      "ACPI table");
	if (!err && initrd->end)
		err = reserve(r, down(r, initrd->start), up(r, initrd->end), "initrd");
	ranges_sort(&r->m->reserved);
	return err;
}

/* Is all of it reserved? The list is sorted. */
static bool is_reserved(const struct late_reader *r, uint64_t start, uint64_t end)
{
	for (size_t i = 0; i < r->m->reserved.nr && start < end; i++)
		if (r->m->reserved.at[i].start <= start && r->m->reserved.at[i].end > start)
			start = r->m->reserved.at[i].end;
	return start >= end;
}

/* Is all of it memory of one node, and not given back already? */
static bool can_come_back(const struct late_reader *r, uint64_t start, uint64_t end)
{
	bool memory = false;

	for (size_t i = 0; i < r->m->memory.nr; i++)
		memory |= r->m->memory.at[i].start <= start && r->m->memory.at[i].end >= end;
	for (size_t i = 0; i < r->m->late.nr; i++)
		if (start < r->m->late.at[i].end && end > r->m->late.at[i].start)
			return false;
	return memory && is_reserved(r, start, end);
}

static bool is_initrd(const struct captured_range *range, uint64_t bytes, const char *label)
{
	return range->end - range->start == bytes && !strncmp(range->what, label, strlen(label));
}

/* By its size among what was reserved before memblock could be asked, or where dmesg has it. */
static bool place_initrd(struct late_reader *r, uint64_t bytes, uint64_t *start)
{
	static const char *const labels[] = {"before the first memblock dump", "setup_arch", ""};
	const struct captured_range *initrd = &r->dmesg->initrd;

	for (int l = 0; l < 3; l++)
		for (size_t i = 0; r->m->complete && i < r->m->reserved.nr; i++)
			if (is_initrd(&r->m->reserved.at[i], bytes, labels[l])) {
				*start = r->m->reserved.at[i].start;
				return true;
			}
	*start = down(r, initrd->start);
	return up(r, initrd->end) - *start == bytes;
}

static bool place_init(struct late_reader *r, uint64_t bytes, uint64_t *start)
{
	if (!r->data.end || !r->bss.end || r->init_end < r->data.end ||
	    r->init_end - r->data.end < bytes)
		return false;
	r->init_end -= bytes;
	*start = r->init_end;
	return true;
}

static bool place_gap(const struct captured_range *before, const struct captured_range *behind,
		      uint64_t bytes, uint64_t *start)
{
	*start = before->end;
	return before->end && behind->start >= before->end && behind->start - before->end >= bytes;
}

/* Where it was; false where that cannot be told. */
static bool place(struct late_reader *r, const char *what, uint64_t bytes, uint64_t *start)
{
	if (!strcmp(what, "initrd"))
		return place_initrd(r, bytes, start);
	if (!strcmp(what, "SMP alternatives") || !strcmp(what, "unused kernel image (initmem)") ||
	    !strcmp(what, "unused kernel"))
		return place_init(r, bytes, start);
	if (!strcmp(what, "unused kernel image (text/rodata gap)"))
		return place_gap(&r->code, &r->rodata, bytes, start);
	if (!strcmp(what, "unused kernel image (rodata/data gap)"))
		return place_gap(&r->rodata, &r->data, bytes, start);
	if (!strcmp(what, "unused decrypted") && r->bss.end - r->bss.start >= bytes) {
		*start = r->bss.end - bytes;
		return true;
	}
	return false;
}

static int read_late(struct late_reader *r, const struct captured_range *freed)
{
	struct captured_range range = {.nid = -1};
	uint64_t bytes = freed->end;

	if (!place(r, freed->what, bytes, &range.start) ||
	    !can_come_back(r, range.start, range.start + bytes)) {
		diag_warn(r->diag, r->path, (unsigned)freed->line + 1,
			  "cannot tell where these %" PRIu64 " KiB of '%s' were: "
			  "left out, managed pages are that many too few",
			  bytes >> 10, freed->what);
		return 0;
	}
	range.end = range.start + bytes;
	return ranges_add(&r->m->late, &range, freed->what, strlen(freed->what));
}

/* What "before the first memblock dump" stands for, where that can be seen. */
static const char *known_as(const struct late_reader *r, const struct captured_range *range)
{
	for (size_t i = 0; i < r->m->late.nr; i++)
		if (!strcmp(r->m->late.at[i].what, "initrd") &&
		    r->m->late.at[i].start == range->start)
			return "initrd";
	if (r->code.end && range->start <= r->code.start && range->end >= r->code.end)
		return "kernel image";
	if (range->start == 0)
		return "real-mode page, BIOS data";
	if (range->end == 1 << 20)
		return "BIOS area";
	return "before the first memblock dump";
}

static int rename_early(struct late_reader *r)
{
	for (size_t i = 0; i < r->m->reserved.nr; i++) {
		struct captured_range *range = &r->m->reserved.at[i];
		const char *name = known_as(r, range);
		char *copy;

		if (strncmp(range->what, "before the first memblock dump", 30) &&
		    strcmp(name, "initrd"))
			continue;
		copy = strdup(name);
		if (!copy)
			return -ENOMEM;
		free(range->what);
		range->what = copy;
	}
	return 0;
}

/* The one range that the image is in memblock's list, by the pieces that iomem has of it. */
static int split_image(struct late_reader *r)
{
	struct captured_ranges *all = &r->m->reserved;
	size_t i = 0;

	while (i < all->nr && strcmp(all->at[i].what, "kernel image") != 0)
		i++;
	if (i == all->nr || r->bss.end <= r->code.end || r->bss.end > all->at[i].end ||
	    all->at[i].start != r->code.start)
		return 0;
	r->m->brk_bytes = all->at[i].end - r->bss.end;
	free(all->at[i].what);
	all->at[i] = all->at[--all->nr];
	if (reserve_image(r))
		return -ENOMEM;
	ranges_sort(all);
	return 0;
}

int captured_late_read(struct captured_machine *m, const struct captured_ranges *iomem,
		       const struct captured_dmesg *dmesg, const char *dmesg_path,
		       struct diag *diag)
{
	struct late_reader r = {
		.m = m,
		.dmesg = dmesg,
		.path = dmesg_path,
		.diag = diag,
		.page = UINT64_C(1) << m->arch->page_shift,
	};
	int err = 0;

	r.code = piece(&r, iomem, "Kernel code");
	r.rodata = piece(&r, iomem, "Kernel rodata");
	r.data = piece(&r, iomem, "Kernel data");
	r.bss = piece(&r, iomem, "Kernel bss");
	r.init_end = r.bss.start;
	if (!m->complete)
		err = reserve_known(&r, iomem);
	for (size_t i = 0; !err && i < dmesg->late.nr; i++)
		err = read_late(&r, &dmesg->late.at[i]);
	if (err == -E2BIG)
		return diag_error(diag, -EINVAL, dmesg_path, 0,
				  "with what is reserved by iomem there are more than %d ranges",
				  CAPTURE_MAX_RANGES);
	if (!err)
		err = rename_early(&r);
	return err || !m->complete ? err : split_image(&r);
}

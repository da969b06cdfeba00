/* SPDX-License-Identifier: Apache-2.0 */
/* The files of a capture, each parser alone: what it reads, and what it refuses at which line. */
#include "sim/capture/figures.h"
#include "sim/capture/machine.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

static struct diag diag = DIAG_INIT;

static struct capture_file file(const char *text)
{
	struct capture_file f;

	cr_assert_eq(capture_parse("f", text, strlen(text), &diag, &f), 0, "%s", diag.error.text);
	return f;
}

static void refused(int err, unsigned line, const char *text)
{
	cr_assert_eq(err, -EINVAL);
	cr_assert(diag.failed);
	cr_assert_eq(diag.error.line, line, "line %u", diag.error.line);
	cr_assert(strstr(diag.error.text, text), "got: %s", diag.error.text);
	diag_clear(&diag);
}

Test(capture_file, lines_without_ends)
{
	struct capture_file f;

	cr_assert_eq(capture_parse("f", "a\r\n\nb\0c\n", 8, &diag, &f), 0);
	cr_assert_eq(f.nr_lines, 3);
	cr_assert_str_eq(f.lines[0], "a");
	cr_assert_str_eq(f.lines[1], "");
	cr_assert_str_eq(f.lines[2], "b?c");
	capture_close(&f);
	refused(capture_parse("f", "", 0, &diag, &f), 0, "the file is empty");
	refused(capture_parse("f", "a\nb", 3, &diag, &f), 2, "the file is cut");
}

Test(capture_file, scanners_leave_what_they_cannot_read)
{
	const char *p = "18446744073709551615 18446744073709551616";
	uint64_t n, end;

	cr_assert(scan_decimal(&p, &n) && n == UINT64_MAX);
	cr_assert(scan_text(&p, " "));
	cr_assert_not(scan_decimal(&p, &n));
	cr_assert_str_eq(p, "18446744073709551616");
	p = "0x1fFG";
	cr_assert(scan_hex(&p, &n) && n == 0x1ff && *p == 'G');
	p = "[mem 0x1000-0x1fff]";
	cr_assert(scan_mem(&p, &n, &end) && n == 0x1000 && end == 0x2000 && !*p);
	p = "[mem 0x2000-0x1fff]";
	cr_assert_not(scan_mem(&p, &n, &end));
	p = "[mem 0x0-0xffffffffffffffff]";
	cr_assert_not(scan_mem(&p, &n, &end));
	cr_assert_not(scan_whole("1 2", &n));
}

static int collect(void *arg, int cpu)
{
	char *text = arg;

	sprintf(text + strlen(text), "%d ", cpu);
	return 0;
}

static void cpus(const char *list, const char *expected)
{
	struct capture_file f = file(list);
	char text[200] = "";

	cr_assert_eq(capture_parse_cpulist(&f, &diag, collect, text), 0);
	cr_assert_str_eq(text, expected);
	capture_close(&f);
}

static void no_cpus(const char *list)
{
	struct capture_file f = file(list);
	char text[200] = "";

	refused(capture_parse_cpulist(&f, &diag, collect, text), 1, "expected a list of CPUs");
	capture_close(&f);
}

Test(capture_nodes, cpulist)
{
	cpus("\n", "");
	cpus("0\n", "0 ");
	cpus("0-2,5,7-8\n", "0 1 2 5 7 8 ");
	no_cpus("0,\n");
	no_cpus("0-\n");
	no_cpus("2-1\n");
	no_cpus("8192\n");
	no_cpus("0 1\n");
}

Test(capture_nodes, distances)
{
	struct capture_file f = file("10 21 255\n");
	uint8_t row[2];
	int nr;

	/* Counted all, kept as many as there is room for. */
	cr_assert_eq(capture_parse_distances(&f, &diag, row, 2, &nr), 0);
	cr_assert_eq(nr, 3);
	cr_assert(row[0] == 10 && row[1] == 21);
	capture_close(&f);
	f = file("10 9\n");
	refused(capture_parse_distances(&f, &diag, row, 2, &nr), 1, "expected distances");
	capture_close(&f);
	f = file("10 256\n");
	refused(capture_parse_distances(&f, &diag, row, 2, &nr), 1, "expected distances");
	capture_close(&f);
}

Test(capture_nodes, cpuinfo_keeps_the_highest_frequency)
{
	struct capture_file f = file("processor\t: 0\ncpu MHz\t\t: 1200.5\n\n"
				     "processor\t: 1\ncpu MHz\t\t: 2500.0129\n");
	uint64_t khz;
	int nr;

	cr_assert_eq(capture_parse_cpuinfo(&f, &diag, &nr, &khz), 0);
	cr_assert_eq(nr, 2);
	cr_assert_eq(khz, 2500012);
	capture_close(&f);
}

Test(capture_ranges, iomem_nests_by_indentation)
{
	struct capture_file f = file("00001000-0009fbff : System RAM\n"
				     "00100000-7ffdcfff : System RAM\n"
				     "  01000000-01e01d31 : Kernel code\n");
	struct captured_ranges all = {0};
	const struct captured_range *code;

	cr_assert_eq(ranges_parse_iomem(&f, &diag, &all), 0);
	cr_assert_eq(all.nr, 3);
	cr_assert(all.at[1].start == 0x100000 && all.at[1].end == 0x7ffdd000 && !all.at[1].nested);
	code = ranges_find(&all, "Kernel code");
	cr_assert(code && code->nested && code->end == 0x1e01d32 && code->line == 2);
	ranges_clear(&all);
	capture_close(&f);
}

Test(capture_ranges, reserved_go_by_the_function_that_asked)
{
	struct capture_file f =
		file("start\tend\tbytes\tasked_for_by\n"
		     "0x2000\t0x3000\t4096\tvmemmap_alloc_block_zero.constprop.0 (4096 bytes)\n"
		     "0x1000\t0x1040\t64\tbefore the first memblock dump (BIOS area, initrd)\n");
	struct captured_ranges all = {0};

	cr_assert_eq(ranges_parse_reserved(&f, &diag, &all), 0);
	cr_assert_str_eq(all.at[0].what, "before the first memblock dump (BIOS area, initrd)");
	cr_assert_str_eq(all.at[1].what, "vmemmap_alloc_block_zero");
	ranges_clear(&all);
	capture_close(&f);
}

Test(capture_dmesg, describes_the_machine)
{
	struct capture_file f = file(
		"[    0.000000] Linux version 6.1.0-56-amd64 (x)\n"
		"[    0.000000][    T0] BIOS-e820: [mem 0x0000000000100000-0x000000007ffdcfff] "
		"usable\n"
		"<6>[    0.000000] BIOS-e820: [mem 0x7ffdd000-0x7fffffff] reserved\n"
		"[    0.1] ACPI: SRAT: Node 1 PXM 4 [mem 0x40000000-0x7fffffff] hotplug\n"
		"[    0.1] ACPI: SRAT: Node 0 PXM 0 [mem 0x00000000-0x3fffffff]\n"
		"[    0.1] ACPI: SRAT: Node 2 PXM 5 [mem 0x80000000-0xffffffff] hotplug "
		"non-volatile\n"
		"[    0.0] ACPI: Reserving APIC table memory at [mem 0x7ffe1901-0x7ffe1938]\n"
		"[    0.0] efi: mem00: [Boot Code   |   |  |  |WB|  |  |  ] range=[0x0-0xfff] "
		"(0MB)\n"
		"[    0.0] efi: mem01: [Conventional|   |  |MR|WB|  |  |  ] "
		"range=[0x100000-0x1fffff] (1MB)\n"
		"[    0.0] efi: memattr: nothing that is a range\n"
		"[    2.2] Freeing initrd memory: 1080K\n"
		"[    4.2] Freeing unused kernel image (initmem) memory: 2824K (ffff - ffff)\n");
	struct captured_dmesg d;

	cr_assert_eq(dmesg_parse(&f, &diag, &d), 0, "%s", diag.error.text);
	cr_assert_eq(d.usable.nr, 1);
	cr_assert_eq(d.usable.at[0].end, 0x7ffdd000);
	cr_assert(d.nodes.nr == 3 && d.nodes.at[0].nid == 0 && d.nodes.at[1].nid == 1);
	cr_assert_eq(d.nr_srat, 3);
	cr_assert_eq(d.hotpluggable.nr, 2);
	cr_assert(d.hotpluggable.at[0].start == 0x40000000 &&
		  d.hotpluggable.at[1].end == UINT64_C(0x100000000));
	cr_assert(d.mirrored.nr == 1 && d.mirrored.at[0].start == 0x100000 &&
		  d.mirrored.at[0].end == 0x200000);
	cr_assert(d.tables.nr == 1 && d.tables.at[0].end == 0x7ffe1939);
	cr_assert_eq(d.late.nr, 2);
	cr_assert_str_eq(d.late.at[0].what, "initrd");
	cr_assert_eq(d.late.at[0].end, 1080 << 10);
	cr_assert_str_eq(d.late.at[1].what, "unused kernel image (initmem)");
	dmesg_clear(&d);
	capture_close(&f);
}

Test(capture_dmesg, broken_lines_are_told)
{
	struct capture_file f =
		file("x\nefi: mem01: [Conventional|   |  |MR|WB] range=[0x100000-] (1MB)\n");
	struct captured_dmesg d;

	refused(dmesg_parse(&f, &diag, &d), 2, "expected 'range=[0xSTART-0xEND]'");
	dmesg_clear(&d);
	capture_close(&f);
	f = file("ACPI: Reserving APIC table memory at nowhere\n");
	refused(dmesg_parse(&f, &diag, &d), 1, "expected '[mem 0xSTART-0xEND]'");
	dmesg_clear(&d);
	capture_close(&f);
}

/* memmap= on the command line: the kernel prints its changed map, which counts. */
Test(capture_dmesg, the_map_of_the_command_line_replaces_the_firmwares)
{
	struct capture_file f = file("BIOS-e820: [mem 0x0-0xffffff] usable\n"
				     "user-defined physical RAM map:\n"
				     "user: [mem 0x0-0x7fffff] usable\n"
				     "user: [mem 0x800000-0xffffff] reserved\n");
	struct captured_dmesg d;

	cr_assert_eq(dmesg_parse(&f, &diag, &d), 0);
	cr_assert(d.usable.nr == 1 && d.usable.at[0].end == 0x800000);
	dmesg_clear(&d);
	capture_close(&f);
}

static const char *figure(struct figures *all, const char *name)
{
	const struct figure *found;

	figures_sort(all);
	found = figures_find(all, name);
	return found ? found->value : "none";
}

/* Linux counts a boost in the marks that it shows; it comes and goes with what runs. */
Test(capture_zoneinfo, without_the_boost)
{
	struct capture_file f =
		file("Node 0, zone   Normal\n        boost    512\n        min      598\n"
		     "        low      619\n        high     640\n        spanned  10\n"
		     "        present  0\n        managed  8\n        protection: (0, 7)\n");
	struct figures all = {0};

	cr_assert_eq(figures_parse_zoneinfo(&f, &diag, &all), 0, "%s", diag.error.text);
	cr_expect_str_eq(figure(&all, "node 0, zone Normal: min"), "86");
	cr_expect_str_eq(figure(&all, "node 0, zone Normal: low"), "107");
	cr_expect_str_eq(figure(&all, "node 0, zone Normal: high"), "128");
	figures_clear(&all);
	capture_close(&f);
	f = file("Node 0, zone   Normal\n        boost    512\n        min      511\n");
	refused(figures_parse_zoneinfo(&f, &diag, &all), 3, "expected at least the boost");
	figures_clear(&all);
	capture_close(&f);
}

/* The keys of 4.4 are others than those of 6.8, and in another order. */
Test(capture_zoneinfo, by_key)
{
	struct capture_file f = file(
		"Node 0, zone   Normal\n  pages free     9\n        boost    0\n        min      "
		"1\n"
		"        low      2\n        high     3\n        promo    4\n        scanned  5\n"
		"        spanned  10\n        present  9\n        managed  8\n"
		"        protection: (0, 7)\n      nr_free_pages 9\n      high 77\n  pagesets\n"
		"    cpu: 3\n              count: 1\n              high:  21\n"
		"              batch: 22\n              high_min: 5\n  vm stats threshold: 23\n"
		"  all_unreclaimable: 0\n  start_pfn:           24\n  inactive_ratio:    1\n");
	struct figures all = {0};

	cr_assert_eq(figures_parse_zoneinfo(&f, &diag, &all), -EINVAL);
	refused(-EINVAL, 14, "expected this key once a zone");
	figures_clear(&all);
	((char *)f.lines[13])[6] = 'x';
	cr_assert_eq(figures_parse_zoneinfo(&f, &diag, &all), 0, "%s", diag.error.text);
	cr_assert_str_eq(figure(&all, "node 0, zone Normal: high"), "3");
	cr_assert_str_eq(figure(&all, "node 0, zone Normal: managed"), "8");
	cr_assert_str_eq(figure(&all, "node 0, zone Normal: protection[1]"), "7");
	cr_assert_str_eq(figure(&all, "node 0, zone Normal: start_pfn"), "24");
	cr_assert_str_eq(figure(&all, "node 0, zone Normal, cpu 3: high"), "21");
	cr_assert_str_eq(figure(&all, "node 0, zone Normal, cpu 3: vm stats threshold"), "23");
	/* 6 keys, 2 entries of protection, start_pfn, and 3 of the CPU */
	cr_assert_eq(all.nr, 12);
	figures_clear(&all);
	capture_close(&f);
}

/* After memory came, the kernel tells all lists again: those of boot count. */
Test(capture_bootlog, the_first_lists)
{
	struct capture_file f = file("[ 0.1] Fallback order for Node 0: 0 1 \n"
				     "[ 0.1] mminit::zonelist general 0:DMA = 0:DMA 1:DMA \n"
				     "[ 0.1] Built 1 zonelists, mobility grouping on.\n"
				     "[ 9.1] Fallback order for Node 0: 1 0 \n");
	struct figures all = {0};

	cr_assert_eq(figures_parse_dmesg(&f, &diag, &all), 0);
	cr_assert_str_eq(figure(&all, "fallback order for node 0"), "0 1");
	cr_assert_str_eq(figure(&all, "zonelist general 0:DMA"), "0:DMA 1:DMA");
	cr_assert_eq(all.nr, 2);
	figures_clear(&all);
	capture_close(&f);
}

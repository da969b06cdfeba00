/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The four memory models: from frame to descriptor and back, where descriptors are, what they cost
 * in memory, and what a conversion touches.
 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "../reference/reference.h"

#define PAGE 4096
#define END  (1088 * MiB)

/*
 * 110 MiB in three ranges, so two holes, and parts of the first and second range's 4 MiB blocks
 * are no memory either.
 */
static const struct machine holey = {
	.memory = {{1 * MiB, 34 * MiB, 0}, {258 * MiB, 12 * MiB, 0}, {1024 * MiB, 64 * MiB, 0}},
	.cpus = {2},
};
#define HOLEY_PRESENT (110 * MiB)

static struct machine with_model(struct machine m, enum mm_memory_model model)
{
	m.model = model;
	return m;
}

static bool in(phys_addr_t at, phys_addr_t start, phys_addr_t end)
{
	return at >= start && at < end;
}

static bool is_memory(phys_addr_t at)
{
	return in(at, 1 * MiB, 35 * MiB) || in(at, 258 * MiB, 270 * MiB) || in(at, 1024 * MiB, END);
}

/*
 * Which frames have a descriptor. flat: from the first to the last 4 MiB block. discontig: each
 * range rounded to 4 MiB blocks. sparse: each section of 128 MiB that has any memory.
 */
static bool has_descriptor(enum mm_memory_model model, phys_addr_t at)
{
	switch (model) {
	case MM_FLAT:
		return at < END;
	case MM_DISCONTIG:
		return at < 36 * MiB || in(at, 256 * MiB, 272 * MiB) || in(at, 1024 * MiB, END);
	default:
		return at < 128 * MiB || in(at, 256 * MiB, 384 * MiB) ||
		       in(at, 1024 * MiB, 1152 * MiB);
	}
}

static void convert_every_frame(enum mm_memory_model model)
{
	struct machine m = with_model(holey, model);
	struct mm *mm = boot(&m);
	const char *name = mm_model_name(model);

	for (pfn_t pfn = 0; pfn < (2 * END) / PAGE; pfn++) {
		struct page *page = mm_pfn_to_page(mm, MM_NO_CPU, pfn);
		int node = model != MM_DISCONTIG ? 0 : pfn * PAGE < 128 * MiB ? 0 : 1;

		node += model == MM_DISCONTIG && pfn * PAGE >= GiB;
		cr_assert_eq(mm_pfn_valid(mm, pfn), has_descriptor(model, pfn * PAGE),
			     "%s: pfn 0x%lx", name, pfn);
		cr_assert_eq(page != NULL, has_descriptor(model, pfn * PAGE), "%s: pfn 0x%lx", name,
			     pfn);
		if (!page)
			continue;
		cr_assert_eq(mm_page_to_pfn(mm, MM_NO_CPU, page), pfn, "%s: pfn 0x%lx", name, pfn);
		if (!is_memory(pfn * PAGE))
			continue;
		cr_assert_eq(mm_page_address(mm, page), pfn * PAGE);
		cr_assert_eq(mm_page_to_nid(mm, page), node, "%s: pfn 0x%lx", name, pfn);
		/* DMA below 16 MiB, DMA32 above. */
		cr_assert_eq(mm_page_zonenum(mm, page), pfn * PAGE < 16 * MiB ? 0 : 1,
			     "%s: pfn 0x%lx", name, pfn);
	}
	mm_destroy(mm);
}

Test(memmodel, every_frame_converts_and_back)
{
	for (int model = 0; model < MM_NR_MODELS; model++)
		convert_every_frame((enum mm_memory_model)model);
}

static bool is_reserved(const struct mm *mm, phys_addr_t at, uint64_t bytes)
{
	for (size_t i = 0; i < mm->memblock.reserved.nr; i++)
		if (at >= mm->memblock.reserved.regions[i].start &&
		    at + bytes <= mm->memblock.reserved.regions[i].end)
			return true;
	return false;
}

/* Every descriptor has 64 bytes of its own, in memory that boot took from memblock. */
static void check_homes(struct machine m, enum mm_memory_model model, phys_addr_t below)
{
	unsigned bytes = mm_arch(m.arch)->page_struct_bytes;
	unsigned char *taken = calloc(below, 1);
	struct mm *mm;

	m.model = model;
	m.homes = true;
	mm = boot(&m);
	for (pfn_t pfn = 0; pfn < mm->end_pfn; pfn++) {
		struct page *page = mm_pfn_to_page(mm, MM_NO_CPU, pfn);
		phys_addr_t at;

		if (!page)
			continue;
		at = mm->model->descriptor_at(mm, page, NULL);
		cr_assert_leq(at + bytes, below, "descriptor of pfn 0x%lx at 0x%lx", pfn, at);
		cr_assert(memblock_is_memory(&mm->memblock, at) && is_reserved(mm, at, bytes),
			  "descriptor of pfn 0x%lx at 0x%lx is in memory given to others", pfn, at);
		cr_assert(!memchr(&taken[at], 1, bytes), "descriptor of pfn 0x%lx is not its own",
			  pfn);
		memset(&taken[at], 1, bytes);
	}
	free(taken);
	mm_destroy(mm);
}

Test(memmodel, descriptors_live_in_reserved_memory)
{
	for (int model = 0; model < MM_NR_MODELS; model++)
		check_homes(holey, (enum mm_memory_model)model, END);
}

/* The kernel of i386 maps only low memory, so its descriptors cannot be in HighMem. */
Test(memmodel, descriptors_of_i386_live_in_low_memory)
{
	const struct machine m = {.arch = MM_I386, .memory = {{1 * MiB, 1535 * MiB, 0}}};

	check_homes(m, MM_FLAT, 0x36ffe000);
	check_homes(m, MM_SPARSE, 0x36ffe000);
}

/* Homes of the core's own structures are outside of a bare machine's memory. */
Test(memmodel, bare_machines_keep_all_their_memory)
{
	for (int model = 0; model < MM_NR_MODELS; model++) {
		struct machine m = with_model(holey, (enum mm_memory_model)model);
		struct mm *mm = boot(&m);
		uint64_t managed = 0;

		for (int n = 0; n < mm_nr_nodes(mm); n++)
			for (int z = 0; z < mm_get_arch(mm)->nr_zones; z++)
				managed += zone_info(mm, n, z).managed;
		cr_expect_eq(managed * PAGE, HOLEY_PRESENT, "%s", mm_model_name(m.model));
		mm_destroy(mm);
	}
}

static struct mm_model_info info_of(const struct machine *m)
{
	struct mm *mm = boot(m);
	struct mm_model_info info;

	mm_model_info(mm, &info);
	mm_destroy(mm);
	return info;
}

#define DESCRIPTORS(bytes_of_memory) ((bytes_of_memory) / PAGE * 64)

/* [0, 1088 MiB), since the span is rounded to blocks of 4 MiB. */
Test(memmodel, flat_pays_for_the_holes)
{
	struct machine m = with_model(holey, MM_FLAT);
	struct mm_model_info info = info_of(&m);

	cr_expect_eq(info.memmap_bytes, DESCRIPTORS(END));
	cr_expect_eq(info.hole_bytes, DESCRIPTORS(END - HOLEY_PRESENT));
	cr_expect_eq(info.table_bytes, 0);
}

/*
 * [0, 36) + [256, 272) + [1024, 1088) MiB. The largest power of two that separates 35 MiB from
 * 258 MiB and 270 MiB from 1 GiB is 256 MiB: 5 entries of 2 bytes up to 1088 MiB. 3 nodes have a
 * NODE_DATA pointer of 8 bytes each.
 */
Test(memmodel, discontig_pays_for_each_range_rounded)
{
	struct machine m = with_model(holey, MM_DISCONTIG);
	struct mm_model_info info = info_of(&m);

	cr_expect_eq(info.memmap_bytes, DESCRIPTORS((36 + 16 + 64) * MiB));
	cr_expect_eq(info.hole_bytes, DESCRIPTORS((36 + 16 + 64) * MiB - HOLEY_PRESENT));
	cr_expect_eq(info.table_bytes, 5 * 2 + 3 * 8);
}

/*
 * Sections 0, 2 and 8, 2 MiB of descriptors each. 2^(52 - 27) sections, 4096 / 32 entries to a
 * root: 2^18 root pointers of 8 bytes; sections 0 to 127 share the one page of entries.
 */
#define SECTION_TABLE ((UINT64_C(1) << 18) * 8 + PAGE)
Test(memmodel, sparse_pays_for_present_sections)
{
	struct machine m = with_model(holey, MM_SPARSE);
	struct mm_model_info info = info_of(&m);

	cr_expect_eq(info.memmap_bytes, 3 * 2 * MiB);
	cr_expect_eq(info.hole_bytes, 3 * 2 * MiB - DESCRIPTORS(HOLEY_PRESENT));
	cr_expect_eq(info.table_bytes, SECTION_TABLE);
}

/* One page of each level above huge pages: a page of the lowest maps 1 GiB of descriptors. */
Test(memmodel, vmemmap_pays_for_page_tables_too)
{
	struct machine m = with_model(holey, MM_SPARSE_VMEMMAP);
	struct mm_model_info info = info_of(&m);

	cr_expect_eq(info.memmap_bytes, 3 * 2 * MiB);
	cr_expect_eq(info.hole_bytes, 3 * 2 * MiB - DESCRIPTORS(HOLEY_PRESENT));
	cr_expect_eq(info.table_bytes, SECTION_TABLE + 3 * PAGE);
}

/* Descriptors of 64 GiB, 1 GiB, fill one page of page-table entries: with memory at 64 GiB too,
 * there are two of them. Section 512 is in root 4: a second page of entries. */
Test(memmodel, far_memory_takes_tables_of_its_own)
{
	struct machine m = {.model = MM_SPARSE_VMEMMAP,
			    .memory = {{0, 128 * MiB, 0}, {64 * GiB, 128 * MiB, 0}}};
	struct mm_model_info info = info_of(&m);

	cr_expect_eq(info.memmap_bytes, 2 * 2 * MiB);
	cr_expect_eq(info.hole_bytes, 0);
	cr_expect_eq(info.table_bytes, SECTION_TABLE + PAGE + 4 * PAGE);
}

/* sparse-vmemmap of x86_64, flat of i386: to the byte what their boot took from memblock. */
Test(memmodel, costs_are_those_of_captures)
{
	for (size_t i = 0; i < NR_REFERENCE_SHAPES; i++) {
		const struct reference_shape *shape = &reference_shapes[i];
		struct mm_model_info info = info_of(&shape->machine);

		if (!shape->memmap_bytes)
			continue;
		cr_expect_eq(info.memmap_bytes, shape->memmap_bytes, "%s: memmap %lu, not %lu",
			     shape->name, info.memmap_bytes, shape->memmap_bytes);
		cr_expect_eq(info.table_bytes, shape->table_bytes, "%s: tables %lu, not %lu",
			     shape->name, info.table_bytes, shape->table_bytes);
	}
}

Test(memmodel, flat_is_refused_on_two_nodes)
{
	struct machine m = {.memory = {{0, 64 * MiB, 0}, {64 * MiB, 64 * MiB, 1}}};
	struct mm_refusal refusal;

	cr_assert_eq(boot_refused(&m, &refusal), -22);
	cr_expect_eq(refusal.about, MM_ABOUT_MODEL);
	cr_expect(strstr(refusal.why, "contig_page_data") && strstr(refusal.why, "has 2 nodes"),
		  "%s", refusal.why);
}

Test(memmodel, discontig_is_refused_where_nodes_share_a_block)
{
	struct machine m = {.model = MM_DISCONTIG,
			    .memory = {{0, 66 * MiB, 0}, {66 * MiB, 62 * MiB, 1}}};
	struct mm_refusal refusal;

	cr_assert_eq(boot_refused(&m, &refusal), -22);
	cr_expect_eq(refusal.about, MM_ABOUT_MODEL);
	cr_expect(strstr(refusal.why, "nodes 0 and 1 share the 4096 KiB block at 0x4000000"), "%s",
		  refusal.why);
}

/* Each range a node, all at home on the machine's one; the CPUs are on the first. */
Test(memmodel, discontig_makes_nodes_of_ranges)
{
	struct machine m = with_model(holey, MM_DISCONTIG);
	struct mm *mm = boot(&m);
	int order[3];

	cr_assert_eq(mm_nr_nodes(mm), 3);
	for (int n = 0; n < 3; n++)
		cr_expect_eq(mm_node_home(mm, n), 0);
	cr_expect_eq(zone_info(mm, 0, 0).present, 15 * MiB / PAGE); /* DMA, from 1 MiB */
	cr_expect_eq(zone_info(mm, 0, 1).present, 19 * MiB / PAGE);
	cr_expect_eq(zone_info(mm, 1, 1).present, 12 * MiB / PAGE);
	cr_expect_eq(zone_info(mm, 2, 1).present, 64 * MiB / PAGE);
	cr_expect_eq(mm_cpu_to_node(mm, 1), 0);
	cr_expect_eq(mm_node_order(mm, 0, order), 3);
	cr_expect(order[0] == 0 && order[1] == 1 && order[2] == 2);
	mm_destroy(mm);
}

/* Ranges within one 4 MiB block stay one node. */
Test(memmodel, discontig_keeps_ranges_of_one_block_together)
{
	struct machine m = {.model = MM_DISCONTIG,
			    .memory = {{0, 33 * MiB, 0}, {34 * MiB, 2 * MiB, 0}}};
	struct mm *mm = boot(&m);

	cr_expect_eq(mm_nr_nodes(mm), 1);
	mm_destroy(mm);
}

struct touched {
	size_t nr;
	phys_addr_t at[4];
};

/* What a conversion of the frame reports: one unit of work, then reads. */
static struct touched convert(struct recorder *rec, pfn_t pfn, bool back)
{
	enum mm_site site = back ? MM_SITE_PAGE_TO_PFN : MM_SITE_PFN_TO_PAGE;
	struct page *page = mm_pfn_to_page(rec->mm, MM_NO_CPU, pfn);
	struct touched t = {0};

	record_from_here(rec);
	if (back)
		cr_assert_eq(mm_page_to_pfn(rec->mm, 1, page), pfn);
	else
		cr_assert_eq(mm_pfn_to_page(rec->mm, 1, pfn), page);
	cr_assert_eq(count_work(rec, site), 1);
	cr_assert_eq(rec->records[0].kind, REC_WORK);
	t.nr = count_records(rec, REC_ACCESS);
	cr_assert(t.nr <= 4 && rec->nr == t.nr + 1);
	for (size_t i = 0; i < t.nr; i++) {
		const struct record *r = nth_record(rec, REC_ACCESS, i);

		cr_assert(r->how == MM_READ && r->cpu == 1 && r->site == site && r->bytes > 0);
		cr_assert(is_reserved(rec->mm, r->at, r->bytes), "0x%lx", r->at);
		t.at[i] = r->at;
	}
	return t;
}

static void boot_for_conversions(struct recorder *rec, enum mm_memory_model model)
{
	struct machine m = with_model(holey, model);

	m.homes = true;
	boot_recorded(&m, rec);
}

static void done(struct recorder *rec)
{
	mm_destroy(rec->mm);
	free(rec->records);
}

Test(memmodel, flat_and_vmemmap_only_add)
{
	const enum mm_memory_model models[] = {MM_FLAT, MM_SPARSE_VMEMMAP};

	for (int i = 0; i < 2; i++) {
		struct recorder rec;

		boot_for_conversions(&rec, models[i]);
		cr_expect_eq(convert(&rec, 0x123, false).nr, 0);
		cr_expect_eq(convert(&rec, 0x123, true).nr, 0);
		done(&rec);
	}
}

/*
 * Node table (an entry of 2 bytes for 256 MiB), NODE_DATA (8 bytes a node), node_mem_map in the
 * node's descriptor. From 1 MiB to 1 GiB it is 4 entries and 2 nodes on. The way back starts at
 * NODE_DATA: the node stands in page->flags.
 */
Test(memmodel, discontig_reads_node_table_node_data_and_node_map)
{
	struct touched low, high, back;
	struct recorder rec;

	boot_for_conversions(&rec, MM_DISCONTIG);
	low = convert(&rec, 1 * MiB / PAGE, false);
	high = convert(&rec, GiB / PAGE, false);
	back = convert(&rec, GiB / PAGE, true);
	cr_assert(low.nr == 3 && high.nr == 3 && back.nr == 2);
	cr_expect_eq(high.at[0] - low.at[0], 4 * 2);
	cr_expect_eq(high.at[1] - low.at[1], 2 * 8);
	for (int n = 0; n < 3; n += 2) {
		phys_addr_t at = n ? high.at[2] : low.at[2], node = rec.mm->nodes[n].at;

		cr_expect(in(at, node, node + rec.mm->arch->node_struct_bytes));
	}
	cr_expect(back.at[0] == high.at[1] && back.at[1] == high.at[2]);
	done(&rec);
}

/* A root pointer, then the section's entry of 32 bytes: section 8 is 8 entries behind section 0,
 * under the same root. Both ways read the same. */
Test(memmodel, sparse_reads_root_and_section)
{
	struct touched low, high, back;
	struct recorder rec;

	boot_for_conversions(&rec, MM_SPARSE);
	low = convert(&rec, 1 * MiB / PAGE, false);
	high = convert(&rec, GiB / PAGE, false);
	back = convert(&rec, GiB / PAGE, true);
	cr_assert(low.nr == 2 && high.nr == 2 && back.nr == 2);
	cr_expect_eq(high.at[0], low.at[0]);
	cr_expect_eq(high.at[1] - low.at[1], 8 * 32);
	cr_expect(back.at[0] == high.at[0] && back.at[1] == high.at[1]);
	done(&rec);
}

static void must_lay_out(enum mm_arch_id arch, enum mm_memory_model model, unsigned section,
			 unsigned node, unsigned zone)
{
	struct machine m = {.arch = arch, .model = model, .memory = {{0, 64 * MiB, 0}}};
	unsigned bits = mm_arch(arch)->flags_bits;
	struct mm *mm = boot(&m);
	struct mm_flags_layout l;

	mm_flags_layout(mm, &l);
	cr_expect(l.section_width == section && l.node_width == node && l.zone_width == zone,
		  "%s: section %u, node %u, zone %u", mm_model_name(model), l.section_width,
		  l.node_width, l.zone_width);
	cr_expect(l.section_shift == (section ? bits - section : 0) &&
			  l.node_shift == (node ? bits - section - node : 0) &&
			  l.zone_shift == bits - section - node - zone,
		  "%s", mm_model_name(model));
	mm_destroy(mm);
}

/* "mminit::pageflags_layout" of booted kernels: x86_64 with vmemmap "Section 0 Node 10 Zone 3",
 * "Node 54 Zone 51"; i386 with flat memory "Section 0 Node 0 Zone 2", "Zone 30". */
Test(memmodel, page_flags_are_laid_out_as_captured)
{
	must_lay_out(MM_X86_64, MM_SPARSE_VMEMMAP, 0, 10, 3);
	must_lay_out(MM_I386, MM_FLAT, 0, 0, 2);
}

/* Section numbers take 52 - 27 bits, or 36 - 29 on i386. flat has one node: no bits. */
Test(memmodel, page_flags_hold_what_the_model_needs)
{
	must_lay_out(MM_X86_64, MM_FLAT, 0, 0, 3);
	must_lay_out(MM_X86_64, MM_DISCONTIG, 0, 10, 3);
	must_lay_out(MM_X86_64, MM_SPARSE, 25, 10, 3);
	must_lay_out(MM_I386, MM_SPARSE, 7, 3, 2);
	must_lay_out(MM_ARM64, MM_SPARSE_VMEMMAP, 0, 4, 3);
}

/* A node's number has 4 bits in page->flags of arm64, 3 on i386; more would run into the section.
 */
Test(memmodel, nodes_must_fit_page_flags)
{
	struct machine m = {.arch = MM_ARM64, .model = MM_SPARSE, .memory = {{0, 64 * MiB, 0}}};
	struct mm_refusal refusal;

	m.nodes = 16;
	mm_destroy(boot(&m));
	m.nodes = 17;
	cr_assert_eq(boot_refused(&m, &refusal), -22);
	cr_expect(strstr(refusal.why, "17 nodes, but page->flags of arm64 holds a node below 16"),
		  "%s", refusal.why);

	/* Nine ranges with holes between them are nine nodes. */
	m = (struct machine){.arch = MM_I386, .model = MM_DISCONTIG};
	for (uint64_t i = 0; i < 9; i++)
		m.memory[i] = (struct mm_range){i * 16 * MiB, 4 * MiB, 0};
	cr_assert_eq(boot_refused(&m, &refusal), -22);
	cr_expect(strstr(refusal.why, "9 nodes, one for each range of memory"), "%s", refusal.why);
}

Test(memmodel, names_of_models_are_those_of_configs)
{
	cr_expect_str_eq(mm_model_name(MM_FLAT), "flat");
	cr_expect_str_eq(mm_model_name(MM_DISCONTIG), "discontig");
	cr_expect_str_eq(mm_model_name(MM_SPARSE), "sparse");
	cr_expect_str_eq(mm_model_name(MM_SPARSE_VMEMMAP), "sparse-vmemmap");
}

/*
 * 2 MiB of descriptors a section: 512 of them, 64 GiB, need a table page of the lowest level. Of
 * sections 511 and 512 with node 0 and 1, the tables of the second lie on node 1, but for the upper
 * levels, which the first has made.
 */
Test(memmodel, vmemmap_tables_are_on_the_node_that_needs_them)
{
	const uint64_t section = 128 * MiB;
	const struct machine m = {
		.model = MM_SPARSE_VMEMMAP,
		.memory = {{511 * section, section, 0}, {512 * section, section, 1}},
		.homes = true,
		.reserved = {{511 * section + 16 * MiB, 64 * KiB, MM_HOLDS_PAGE_TABLES},
			     {512 * section + 16 * MiB, 64 * KiB, MM_HOLDS_PAGE_TABLES}}};
	struct mm *mm = boot(&m);

	cr_expect_eq(mm->nr_homes, 2);
	cr_expect_eq(mm->homes[0].next - mm->homes[0].start, 3 * 4096);
	cr_expect_eq(mm->homes[1].next - mm->homes[1].start, 4096);
	mm_destroy(mm);
}

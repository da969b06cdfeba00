/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory that is taken before the kernel hands it out, as a machine file lists it: what is
 * reserved, what of the kernel's own is there, and what the kernel gives back once it is up.
 */
#include <string.h>

#include "sim/machine/read.h"

#include "mm/boot/memblock.h"

static const char *const holds_names[MM_NR_HOLDS] = {
	[MM_HOLDS_MEMMAP] = "memmap",           [MM_HOLDS_NODE_DESCRIPTOR] = "node-descriptor",
	[MM_HOLDS_PER_CPU] = "per-cpu",         [MM_HOLDS_SECTION_TABLE] = "section-table",
	[MM_HOLDS_PAGE_TABLES] = "page-tables", [MM_HOLDS_ALLOCATED] = "allocated",
};

const char *machine_holds_name(enum mm_holds holds)
{
	return holds_names[holds];
}

static enum mm_holds read_holds(struct machine_reader *r, const struct cfg_setting *s)
{
	const char *names[MM_NR_HOLDS] = {NULL};
	unsigned choice;

	for (int i = 1; i < MM_NR_HOLDS; i++)
		names[i - 1] = holds_names[i];
	if (!cfg_choice(r->cfg, s, "structure", names, &choice))
		return MM_HOLDS_OTHER;
	return (enum mm_holds)(choice + 1);
}

/* A list of ranges of physical memory at the top level, of no more than there may be. */
static const struct cfg_setting *range_list(struct machine_reader *r, const struct cfg_setting *s)
{
	const struct cfg_setting *list = cfg_list(r->cfg, s);

	if (cfg_length(list) <= MACHINE_MAX_RANGES)
		return list;
	cfg_error(r->cfg, list, "expected at most %d ranges, found %u", MACHINE_MAX_RANGES,
		  cfg_length(list));
	return NULL;
}

void machine_read_reserved(struct machine_reader *r, const struct cfg_setting *root)
{
	static const char *const keys[] = {"base", "size", "what", "holds", "source", NULL};
	static const char *const complete_names[] = {"partial", "complete", NULL};
	const struct cfg_setting *list = range_list(r, cfg_find(r->cfg, root, "reserved"));
	unsigned nr = cfg_length(list), complete = 0;
	struct machine *m = r->m;

	cfg_choice(r->cfg, cfg_find(r->cfg, root, "reservations"), "setting", complete_names,
		   &complete);
	m->mm.reservations_complete = complete != 0;
	m->reserved = machine_array(r, nr, sizeof(*m->reserved));
	m->reserved_what = machine_array(r, nr, sizeof(*m->reserved_what));
	if (!m->reserved || !m->reserved_what)
		return;
	m->mm.reserved = m->reserved;
	for (unsigned i = 0; i < nr && !cfg_status(r->cfg); i++) {
		const struct cfg_setting *group = cfg_group(r->cfg, cfg_element(list, i));
		const char *what = "";

		cfg_keys(r->cfg, group, keys);
		machine_read_source(r, group);
		cfg_string(r->cfg, cfg_find(r->cfg, group, "what"), &what);
		m->reserved_what[i] = strdup(what);
		if (!m->reserved_what[i])
			cfg_no_memory(r->cfg);
		m->reserved[i].holds = read_holds(r, cfg_find(r->cfg, group, "holds"));
		machine_read_range(r, group, &m->reserved[i].start, &m->reserved[i].bytes);
		m->mm.nr_reserved = i + 1;
	}
}

static struct range_text text_of(const struct mm_release *late)
{
	return machine_range_text(&(struct mm_range){.start = late->start, .bytes = late->bytes});
}

/* Reads one, and takes it out of `taken`: memory, and what of it is still reserved. */
static int read_release(struct machine_reader *r, const struct cfg_setting *s,
			struct memblock *taken, struct mm_release *late)
{
	static const char *const keys[] = {"base",   "size", "what", "before_initcalls",
					   "source", NULL};
	const struct cfg_setting *group = cfg_group(r->cfg, s);
	const char *what;
	phys_addr_t end;

	cfg_keys(r->cfg, group, keys);
	machine_read_source(r, group);
	cfg_string(r->cfg, cfg_find(r->cfg, group, "what"), &what);
	cfg_bool(r->cfg, cfg_find(r->cfg, group, "before_initcalls"), &late->before_initcalls);
	if (!machine_read_range(r, group, &late->start, &late->bytes))
		return 0;
	end = late->start + late->bytes;
	if (memblock_memory_in(taken, late->start, end) != late->bytes)
		cfg_error(r->cfg, group, "%s is not all memory of a node", text_of(late).text);
	else if (memblock_reserved_in(taken, late->start, end) != late->bytes)
		cfg_error(r->cfg, group,
			  "%s is not all in 'reserved', or is given back twice; only what is "
			  "reserved can be given back",
			  text_of(late).text);
	return memblock_phys_free(taken, late->start, late->bytes);
}

/* What is memory and what is reserved so far. Returns 0 or -ENOMEM. */
static int take_reserved(const struct machine *m, struct memblock *taken)
{
	int err = 0;

	for (size_t i = 0; i < m->mm.nr_memory && !err; i++)
		err = memblock_add(taken, m->memory[i].start, m->memory[i].bytes, m->memory[i].nid);
	for (size_t i = 0; i < m->mm.nr_reserved && !err; i++)
		err = memblock_reserve(taken, m->reserved[i].start, m->reserved[i].bytes);
	return err;
}

void machine_read_late(struct machine_reader *r, const struct cfg_setting *root)
{
	const struct cfg_setting *list = range_list(r, cfg_find(r->cfg, root, "released_late"));
	unsigned nr = cfg_length(list);
	struct memblock taken = {.memory = {0}};
	struct machine *m = r->m;
	int err;

	m->late = machine_array(r, nr, sizeof(*m->late));
	if (!m->late || !nr)
		return;
	m->mm.late = m->late;
	err = take_reserved(m, &taken);
	for (unsigned i = 0; i < nr && !err && !cfg_status(r->cfg); i++) {
		err = read_release(r, cfg_element(list, i), &taken, &m->late[i]);
		m->mm.nr_late = i + 1;
	}
	if (err)
		cfg_no_memory(r->cfg);
	memblock_free_lists(&taken);
}

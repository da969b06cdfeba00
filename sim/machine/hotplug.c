/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/machine/hotplug.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/config/units.h"

#define MAX_BLOCK (UINT64_C(1) << 40)
#define MAX_RATIO 1000000 /* percent */

struct word {
	const char *name;
	const char *takes;
	bool (*parse)(const char *text, struct mm_hotplug_step *step);
	enum mm_hotplug_op op;
	enum mm_hotplug_param param;
};

/* A number at *p, in decimal or hexadecimal; moves behind it. */
static bool number(const char **p, uint64_t *out)
{
	bool hex = (*p)[0] == '0' && ((*p)[1] == 'x' || (*p)[1] == 'X');
	const char *digits = hex ? *p + 2 : *p;
	char *end;

	if (!strchr(hex ? "0123456789abcdefABCDEF" : "0123456789", *digits) || !*digits)
		return false;
	errno = 0;
	*out = strtoull(*p, &end, hex ? 16 : 10);
	*p = end;
	return !errno;
}

/* A number and the kernel's suffix (memparse()): 512M is 512 MiB; or a size with its unit. */
static bool size(const char **p, uint64_t *out)
{
	static const char suffixes[] = "KMGTPE";
	const char *start = *p, *suffix, *at;
	size_t len = strcspn(start, "@,");
	char text[64];
	unsigned shift;

	if (!number(p, out))
		return false;
	suffix = **p ? strchr(suffixes, **p) : NULL;
	shift = suffix ? 10 * (unsigned)(suffix - suffixes + 1) : 0;
	at = *p + (suffix != NULL);
	if (at == start + len) {
		*p = at;
		if (*out > UINT64_MAX >> shift)
			return false;
		*out <<= shift;
		return true;
	}
	if (len >= sizeof(text))
		return false;
	memcpy(text, start, len);
	text[len] = '\0';
	*p = start + len;
	return !units_parse_size(text, out);
}

static bool range(const char **p, struct mm_hotplug_step *step)
{
	if (!number(p, &step->start) || *(*p)++ != '+' || !size(p, &step->bytes))
		return false;
	return step->start + step->bytes >= step->start;
}

static bool node(const char **p, struct mm_hotplug_step *step)
{
	uint64_t nid = 0;

	if (**p == '@') {
		++*p;
		if (!number(p, &nid) || nid >= MM_MAX_NODES)
			return false;
	}
	step->nid = (int)nid;
	return true;
}

static bool parse_add(const char *p, struct mm_hotplug_step *step)
{
	return range(&p, step) && node(&p, step) && !*p;
}

static bool parse_device(const char *p, struct mm_hotplug_step *step)
{
	if (!range(&p, step) || !node(&p, step))
		return false;
	step->on_device = !strcmp(p, ",memmap=device");
	return !*p || step->on_device || !strcmp(p, ",memmap=ram");
}

static bool parse_range(const char *p, struct mm_hotplug_step *step)
{
	return range(&p, step) && !*p;
}

static bool parse_blocks(const char *p, struct mm_hotplug_step *step)
{
	static const char memory[] = "memory";

	if (strncmp(p, memory, strlen(memory)))
		return false;
	p += strlen(memory);
	if (!number(&p, &step->first))
		return false;
	step->last = step->first;
	if (*p == '-') {
		p++;
		if (!strncmp(p, memory, strlen(memory)))
			p += strlen(memory);
		if (!number(&p, &step->last))
			return false;
	}
	return !*p && step->first <= step->last && step->last < MAX_BLOCK;
}

static bool parse_remove(const char *p, struct mm_hotplug_step *step)
{
	if (*p != 'm')
		return parse_range(p, step);
	step->op = MM_HOTPLUG_REMOVE_BLOCKS;
	return parse_blocks(p, step);
}

/* The value is the place in the list. */
static bool parse_choice(const char *p, const char *const *choices, struct mm_hotplug_step *step)
{
	for (step->value = 0; choices[step->value]; step->value++)
		if (!strcmp(p, choices[step->value]))
			return true;
	return false;
}

static bool parse_auto(const char *p, struct mm_hotplug_step *step)
{
	static const char *const choices[] = {"offline", "online", "online_kernel",
					      "online_movable", NULL};

	return parse_choice(p, choices, step);
}

static bool parse_policy(const char *p, struct mm_hotplug_step *step)
{
	static const char *const choices[] = {"contig-zones", "auto-movable", NULL};

	return parse_choice(p, choices, step);
}

static bool parse_switch(const char *p, struct mm_hotplug_step *step)
{
	return number(&p, &step->value) && !*p && step->value <= 1;
}

static bool parse_ratio(const char *p, struct mm_hotplug_step *step)
{
	return number(&p, &step->value) && !*p && step->value <= MAX_RATIO;
}

#define BLOCKS "memoryN or memoryN-M"

static const struct word words[] = {
	{"add", "START+SIZE[@NODE]", parse_add, MM_HOTPLUG_ADD, 0},
	{"remove", "START+SIZE, " BLOCKS, parse_remove, MM_HOTPLUG_REMOVE, 0},
	{"online", BLOCKS, parse_blocks, MM_HOTPLUG_ONLINE, 0},
	{"online_kernel", BLOCKS, parse_blocks, MM_HOTPLUG_ONLINE_KERNEL, 0},
	{"online_movable", BLOCKS, parse_blocks, MM_HOTPLUG_ONLINE_MOVABLE, 0},
	{"offline", BLOCKS, parse_blocks, MM_HOTPLUG_OFFLINE, 0},
	{"kmem", "START+SIZE[@NODE]", parse_add, MM_HOTPLUG_ADD_KMEM, 0},
	{"pmem", "START+SIZE[@NODE][,memmap=ram|device]", parse_device, MM_HOTPLUG_DEVICE, 0},
	{"pmem_remove", "START+SIZE", parse_range, MM_HOTPLUG_DEVICE_REMOVE, 0},
	{"auto_online_blocks", "offline, online, online_kernel or online_movable", parse_auto,
	 MM_HOTPLUG_PARAM, MM_HOTPLUG_AUTO_ONLINE},
	{"online_policy", "contig-zones or auto-movable", parse_policy, MM_HOTPLUG_PARAM,
	 MM_HOTPLUG_AUTO_MOVABLE},
	{"auto_movable_ratio", "a percentage from 0 to 1000000", parse_ratio, MM_HOTPLUG_PARAM,
	 MM_HOTPLUG_RATIO},
	{"auto_movable_numa_aware", "0 or 1", parse_switch, MM_HOTPLUG_PARAM,
	 MM_HOTPLUG_NUMA_AWARE},
	{"memmap_on_memory", "0 or 1", parse_switch, MM_HOTPLUG_PARAM, MM_HOTPLUG_MEMMAP_ON_MEMORY},
};
#define NR_WORDS (sizeof(words) / sizeof(*words))

const char *hotplug_word(unsigned i)
{
	return i < NR_WORDS ? words[i].name : NULL;
}

const char *hotplug_word_takes(unsigned i)
{
	return words[i].takes;
}

static const char *candidate(unsigned i, void *arg)
{
	(void)arg;
	return hotplug_word(i);
}

static int refuse_word(const char *text, size_t len, char *wrong, size_t size)
{
	char name[40];
	const char *nearest;
	size_t used;

	snprintf(name, sizeof(name), "%.*s", (int)(len < 39 ? len : 39), text);
	nearest = diag_nearest(name, candidate, NULL);
	used = (size_t)snprintf(wrong, size, "unknown step '%s'%s%s%s, expected one of", name,
				nearest ? " (did you mean '" : "", nearest ? nearest : "",
				nearest ? "'?)" : "");
	for (size_t i = 0; i < NR_WORDS && used < size; i++)
		used += (size_t)snprintf(wrong + used, size - used, "%s %s", i ? "," : "",
					 words[i].name);
	return -EINVAL;
}

int hotplug_parse(const char *text, struct mm_hotplug_step *step, char *wrong, size_t size)
{
	size_t len = strcspn(text, ":");

	for (size_t i = 0; i < NR_WORDS; i++) {
		const struct word *w = &words[i];

		if (strlen(w->name) != len || strncmp(w->name, text, len))
			continue;
		*step = (struct mm_hotplug_step){.op = w->op, .param = w->param};
		if (text[len] && w->parse(text + len + 1, step))
			return 0;
		snprintf(wrong, size, "expected %s:%s, found '%.80s'", w->name, w->takes, text);
		return -EINVAL;
	}
	return refuse_word(text, len, wrong, size);
}

phys_addr_t hotplug_step_end(const struct mm_hotplug_step *step)
{
	switch (step->op) {
	case MM_HOTPLUG_ADD:
	case MM_HOTPLUG_ADD_KMEM:
	case MM_HOTPLUG_DEVICE:
		return step->start + step->bytes;
	default:
		return 0;
	}
}

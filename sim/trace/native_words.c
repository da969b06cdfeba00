/* SPDX-License-Identifier: Apache-2.0 */
/* Words of native traces: what they may be, and what is said where they are not. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "mm/arch.h"
#include "sim/config/units.h"
#include "sim/machine/hotplug.h"
#include "sim/trace/native.h"

const char *const native_mobilities[] = {"unmovable", "movable", "reclaimable", "highatomic",
					 "cma",       "isolate", NULL};
const char *const native_scopes[] = {"task", "range", "file", "pool", NULL};

/* The smallest page there is: what is right for it is right on every machine. */
static uint64_t smallest_page(void)
{
	uint64_t smallest = UINT64_MAX;

	for (int id = 0; id < MM_NR_ARCHS; id++) {
		uint64_t bytes = (uint64_t)1 << mm_arch(id)->page_shift;

		if (bytes < smallest)
			smallest = bytes;
	}
	return smallest;
}

struct native *native_new(void)
{
	struct native *n = calloc(1, sizeof(*n));

	if (!n)
		return NULL;
	n->page_bytes = smallest_page();
	n->original.min_pfn = UINT64_MAX;
	if (!names_init(&n->names) && !names_init(&n->policies))
		return n;
	native_free(n);
	return NULL;
}

void native_free(struct native *n)
{
	if (!n)
		return;
	names_clear(&n->names);
	names_clear(&n->policies);
	free(n);
}

const char *native_show(struct native *n, const char *word)
{
	return trace_printable(n->shown, sizeof(n->shown), word, strlen(word));
}

int native_found(struct native *n, const char *word, const char *expected)
{
	if (!word)
		return NATIVE_BAD(n, "found the end of the line, expected %s", expected);
	return NATIVE_BAD(n, "found \"%s\", expected %s", native_show(n, word), expected);
}

bool native_number(const char *word, uint64_t max, uint64_t *out)
{
	bool beyond = false;
	uint64_t value = 0;

	if (!*word)
		return false;
	for (; *word; word++) {
		uint64_t digit = (uint64_t)(*word - '0');

		if (digit > 9)
			return false;
		if (value > max / 10 || value * 10 > max - digit)
			beyond = true;
		else
			value = value * 10 + digit;
	}
	*out = beyond ? max + (max < UINT64_MAX) : value;
	return true;
}

const char *native_value(const char *word, const char *key)
{
	size_t len = strlen(key);

	return word && strncmp(word, key, len) == 0 ? word + len : NULL;
}

int native_pfn(struct native *n, const char *value, pfn_t *pfn)
{
	char *end = NULL;

	if (value[0] == '0' && value[1] == 'x' && isxdigit((unsigned char)value[2]))
		*pfn = strtoull(value, &end, 16);
	if (!end || *end || *pfn > TRACE_MAX_PFN)
		return NATIVE_BAD(n, "pfn \"%s\" is not a page frame number from 0x0 to 0x%llx",
				  native_show(n, value), (unsigned long long)TRACE_MAX_PFN);
	return 0;
}

int native_order(struct native *n, const char *value, unsigned *order)
{
	uint64_t number;

	if (!native_number(value, MAX_PAGE_ORDER, &number))
		return NATIVE_BAD(n, "order \"%s\" is not a number from 0 to %d",
				  native_show(n, value), MAX_PAGE_ORDER);
	if (number > MAX_PAGE_ORDER)
		return NATIVE_BAD(n, "order %s is too large: an order is 0 to %d",
				  native_show(n, value), MAX_PAGE_ORDER);
	*order = (unsigned)number;
	return 0;
}

static const char *candidate(unsigned i, void *arg)
{
	const char *const *names = arg;

	return names[i];
}

int native_choice(struct native *n, const char *word, const char *what, const char *const *names,
		  unsigned *index)
{
	char known[256] = "";
	const char *nearest;

	for (unsigned i = 0; names[i]; i++) {
		if (strcmp(word, names[i]) == 0) {
			*index = i;
			return 0;
		}
		if (i)
			strncat(known, names[i + 1] ? ", " : " or ",
				sizeof(known) - strlen(known) - 1);
		strncat(known, names[i], sizeof(known) - strlen(known) - 1);
	}
	nearest = diag_nearest(word, candidate, (void *)names);
	if (nearest)
		return NATIVE_BAD(n, "unknown %s \"%s\"; did you mean \"%s\"?", what,
				  native_show(n, word), nearest);
	return NATIVE_BAD(n, "unknown %s \"%s\"; expected %s", what, native_show(n, word), known);
}

int native_check_name(struct native *n, const char *word, const char *of_what)
{
	char expected[64];

	if (!word) {
		strcpy(expected, "the name of ");
		strncat(expected, of_what, sizeof(expected) - strlen(expected) - 1);
		return native_found(n, NULL, expected);
	}
	if (strlen(word) > NAMES_MAX_LEN)
		return NATIVE_BAD(n, "the name \"%s\" is longer than %d bytes",
				  native_show(n, word), NAMES_MAX_LEN);
	for (const char *p = word; *p; p++)
		if (*p < '!' || *p > '~')
			return NATIVE_BAD(n, "the name \"%s\" is not of printable ASCII characters",
					  native_show(n, word));
	if (!*word)
		return native_found(n, word, of_what);
	return 0;
}

int native_duration(struct native *n, const char *word, uint64_t *out_ps)
{
	const char *wrong;

	if (!word || !isdigit((unsigned char)*word))
		return native_found(n, word, "a time (\"12.5us\")");
	wrong = units_parse_time(word, out_ps);
	return wrong ? NATIVE_BAD(n, "time \"%s\" %s", native_show(n, word), wrong) : 0;
}

int native_split(struct native *n, const char *text, size_t size)
{
	const char *hash = memchr(text, '#', size);
	size_t len = hash ? (size_t)(hash - text) : size;
	int nr = 0;

	if (len >= NATIVE_MAX_LINE)
		return NATIVE_BAD(n, "the line is longer than %d bytes", NATIVE_MAX_LINE - 1);
	for (size_t i = 0; i < len; i++)
		if (iscntrl((unsigned char)text[i]) && text[i] != '\t')
			return NATIVE_BAD(n, "found a control character (0x%02x), expected text",
					  (unsigned char)text[i]);
	memcpy(n->text, text, len);
	n->text[len] = 0;
	for (char *p = n->text; *(p += strspn(p, " \t"));) {
		if (nr == NATIVE_MAX_WORDS)
			return NATIVE_BAD(n, "found more than %d words in a line",
					  NATIVE_MAX_WORDS);
		n->words[nr++] = p;
		p += strcspn(p, " \t");
		if (*p)
			*p++ = 0;
	}
	n->words[nr] = NULL;
	return nr;
}

int native_end(struct native *n, const char *word)
{
	return word ? native_found(n, word, "the end of the line") : 0;
}

int native_amount(struct native *n, char **words, unsigned order, struct trace_event *ev)
{
	uint64_t bytes, block = n->page_bytes << order;
	const char *wrong;

	if (!words[1] || (strcmp(words[1], "read") != 0 && strcmp(words[1], "write") != 0))
		return native_found(n, words[1], "read or write");
	ev->write = words[1][0] == 'w';
	if (!words[2] || !isdigit((unsigned char)words[2][0]))
		return native_found(n, words[2], "a size (\"64B\", \"4KiB\")");
	wrong = units_parse_size(words[2], &bytes);
	if (wrong)
		return NATIVE_BAD(n, "size \"%s\" %s", native_show(n, words[2]), wrong);
	if (!bytes)
		return NATIVE_BAD(n, "a touch of nothing: the size is 0");
	if (bytes > block)
		return NATIVE_BAD(n, "a touch of %s goes beyond \"%s\", which has %s (order %u)",
				  units_size(bytes).text, native_show(n, words[0]),
				  units_size(block).text, order);
	ev->bytes = (uint32_t)bytes;
	return native_end(n, words[3]);
}

int native_step(struct native *n, char **words, struct trace_event *ev)
{
	struct mm_hotplug_step step;
	char wrong[512];
	int err;

	if (!words[0])
		return native_found(n, NULL, "a step (\"hotplug online:memory40\")");
	if (hotplug_parse(words[0], &step, wrong, sizeof(wrong)))
		return NATIVE_BAD(n, "%s", wrong);
	err = native_end(n, words[1]);
	if (err)
		return err;
	ev->page = TRACE_NO_PAGE;
	err = trace_add_step(n->t, words[0], &ev->bytes);
	return err == -ENOSPC ? NATIVE_BAD(n, "more than %d steps", TRACE_MAX_STEPS) : err;
}

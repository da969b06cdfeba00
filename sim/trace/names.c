/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A hash with open addressing over texts that lie one behind the other. Nothing is ever removed:
 * memory grows with the number of different names, not with the length of the trace.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sim/trace/names.h"

#define FIRST_BITS 8

/* FNV-1a */
static uint32_t hash_of(const char *text, size_t len)
{
	uint32_t hash = 2166136261u;

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ (unsigned char)text[i]) * 16777619u;
	return hash;
}

static size_t mask(const struct names *n)
{
	return ((size_t)1 << n->bits) - 1;
}

int names_init(struct names *n)
{
	memset(n, 0, sizeof(*n));
	n->bits = FIRST_BITS;
	n->slots = calloc((size_t)1 << n->bits, sizeof(*n->slots));
	return n->slots ? 0 : -ENOMEM;
}

void names_clear(struct names *n)
{
	free(n->slots);
	free(n->texts);
	memset(n, 0, sizeof(*n));
}

/* The slot of the name, or the free one where it would be. */
static struct name *slot_of(const struct names *n, const char *text, size_t len, uint32_t hash)
{
	for (size_t i = hash & mask(n);; i = (i + 1) & mask(n)) {
		struct name *s = &n->slots[i];

		if (!s->len || (s->hash == hash && s->len == len &&
				memcmp(n->texts + s->text, text, len) == 0))
			return s;
	}
}

struct name *names_find(const struct names *n, const char *text, size_t len)
{
	struct name *s = slot_of(n, text, len, hash_of(text, len));

	return s->len ? s : NULL;
}

static int grow_slots(struct names *n)
{
	struct name *old = n->slots;
	size_t nr_old = mask(n) + 1;
	struct name *slots = calloc(nr_old * 2, sizeof(*slots));

	if (!slots)
		return -ENOMEM;
	n->slots = slots;
	n->bits++;
	for (size_t i = 0; i < nr_old; i++)
		if (old[i].len)
			*slot_of(n, n->texts + old[i].text, old[i].len, old[i].hash) = old[i];
	free(old);
	return 0;
}

static int grow_texts(struct names *n)
{
	size_t room = n->texts_room ? n->texts_room * 2 : 4096;
	char *texts = realloc(n->texts, room);

	if (!texts)
		return -ENOMEM;
	n->texts = texts;
	n->texts_room = room;
	return 0;
}

struct name *names_add(struct names *n, const char *text, size_t len)
{
	uint32_t hash = hash_of(text, len);
	struct name *s;

	if (n->nr_used >= (mask(n) + 1) / 4 * 3 && grow_slots(n))
		return NULL;
	if (n->texts_used + len > n->texts_room && grow_texts(n))
		return NULL;
	s = slot_of(n, text, len, hash);
	memcpy(n->texts + n->texts_used, text, len);
	*s = (struct name){.text = n->texts_used, .hash = hash, .len = len};
	n->texts_used += len;
	n->nr_used++;
	return s;
}

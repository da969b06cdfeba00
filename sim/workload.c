/* SPDX-License-Identifier: Apache-2.0 */
/* What the kinds of synthetic work share: mixes of orders and flags, and appending operations. */
#include "sim/workload.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/config/gfp_parse.h"

struct workload workload_default(void)
{
	return (struct workload){
		.operations = 10000,
		.live = 1024,
		.burst = 1024,
		.passes = 2,
		.readahead = UINT64_C(128) << 10, /* VM_READAHEAD_PAGES */
		.beyond = UINT64_C(16) << 20,
		.gfp = {1, 1, {{1, GFP_HIGHUSER_MOVABLE | __GFP_ZERO}}},
	};
}

bool workload_takes(const struct workload_kind *kind, const char *key)
{
	for (int i = 0; kind->keys[i]; i++)
		if (strcmp(kind->keys[i], key) == 0)
			return true;
	return false;
}

static bool parse_order(const char *text, uint32_t *value, char *wrong, size_t size)
{
	char *end;
	unsigned long order = strtoul(text, &end, 10);

	if (text[0] < '0' || text[0] > '9' || *end || order > MAX_PAGE_ORDER) {
		snprintf(wrong, size, "order \"%.40s\" is not a number from 0 to %d", text,
			 MAX_PAGE_ORDER);
		return false;
	}
	*value = (uint32_t)order;
	return true;
}

static bool parse_flags(const char *text, uint32_t *value, char *wrong, size_t size)
{
	return gfp_parse(text, value, wrong, size);
}

static bool parse_bytes(const char *text, uint32_t *value, char *wrong, size_t size)
{
	char *end;
	unsigned long bytes = strtoul(text, &end, 10);

	if (text[0] < '1' || text[0] > '9' || *end || bytes > WORKLOAD_MAX_OBJECT) {
		snprintf(wrong, size, "size \"%.40s\" is not a number of bytes from 1 to %d", text,
			 WORKLOAD_MAX_OBJECT);
		return false;
	}
	*value = (uint32_t)bytes;
	return true;
}

/* "VALUE" or "VALUE:WEIGHT" behind those that the mix has. */
static bool parse_part(char *part, struct workload_mix *mix,
		       bool (*parse)(const char *, uint32_t *, char *, size_t), char *wrong,
		       size_t size)
{
	const uint64_t most = 1000000000;
	char *colon = strchr(part, ':'), *end = NULL;
	uint64_t weight = 1;

	if (mix->nr == WORKLOAD_MAX_MIX) {
		snprintf(wrong, size, "more than %d values in a mix", WORKLOAD_MAX_MIX);
		return false;
	}
	if (colon) {
		*colon = 0;
		weight = colon[1] >= '0' && colon[1] <= '9' ? strtoull(colon + 1, &end, 10) : 0;
		if (!end || *end || !weight || weight > most) {
			snprintf(wrong, size, "weight \"%.40s\" is not a number from 1 to %d",
				 colon + 1, (int)most);
			return false;
		}
	}
	if (!parse(part, &mix->of[mix->nr].value, wrong, size))
		return false;
	mix->of[mix->nr++].weight = weight;
	mix->total += weight;
	return true;
}

static bool parse_mix(const char *text, struct workload_mix *mix,
		      bool (*parse)(const char *, uint32_t *, char *, size_t), char *wrong,
		      size_t size)
{
	struct workload_mix parsed = {0};
	char *copy = strdup(text);
	bool good = copy;

	if (!copy)
		snprintf(wrong, size, "no memory");
	for (char *part = copy, *next; good && part; part = next) {
		next = strchr(part, ',');
		if (next)
			*next++ = 0;
		good = parse_part(part, &parsed, parse, wrong, size);
	}
	free(copy);
	if (good)
		*mix = parsed;
	return good;
}

bool workload_parse_orders(const char *text, struct workload_mix *mix, char *wrong, size_t size)
{
	return parse_mix(text, mix, parse_order, wrong, size);
}

bool workload_parse_gfp(const char *text, struct workload_mix *mix, char *wrong, size_t size)
{
	return parse_mix(text, mix, parse_flags, wrong, size);
}

bool workload_parse_sizes(const char *text, struct workload_mix *mix, char *wrong, size_t size)
{
	return parse_mix(text, mix, parse_bytes, wrong, size);
}

uint32_t workload_draw(struct rng *rng, const struct workload_mix *mix)
{
	uint64_t n = mix->nr > 1 ? rng_below(rng, mix->total) : 0;
	unsigned i = 0;

	while (n >= mix->of[i].weight)
		n -= mix->of[i++].weight;
	return mix->of[i].value;
}

unsigned workload_order(struct workload *w)
{
	return w->orders.nr ? workload_draw(&w->rng, &w->orders) : w->order;
}

uint64_t workload_block_bytes(const struct workload *w, unsigned order)
{
	return w->host->page_bytes << order;
}

uint64_t workload_blocks(const struct workload *w, uint64_t bytes)
{
	unsigned order = w->orders.nr ? w->orders.of[0].value : w->order;
	uint64_t block;

	for (unsigned i = 1; i < w->orders.nr; i++)
		if (w->orders.of[i].value < order)
			order = w->orders.of[i].value;
	block = workload_block_bytes(w, order);
	return bytes / block + (bytes % block != 0);
}

uint64_t workload_alloc_operations(const struct workload *w)
{
	return w->touch_bytes ? 2 : 1;
}

int workload_alloc(struct workload *w, struct trace *t, int cpu, unsigned order, int nid,
		   uint32_t *page)
{
	struct trace_event ev = {
		.op = TRACE_ALLOC,
		.page = t->nr_pages,
		.cpu = (uint16_t)cpu,
		.order = (uint8_t)order,
		.gfp = workload_draw(&w->rng, &w->gfp),
	};
	int err;

	ev.migratetype = (uint8_t)gfp_migratetype(ev.gfp);
	trace_event_set_nid(&ev, nid);
	*page = ev.page;
	err = trace_append(t, &ev);
	if (err || !w->touch_bytes)
		return err;
	ev = (struct trace_event){
		.op = TRACE_TOUCH,
		.page = *page,
		.cpu = (uint16_t)cpu,
		.bytes = (uint32_t)w->touch_bytes,
		.write = 1,
	};
	return trace_append(t, &ev);
}

int workload_free(struct trace *t, int cpu, unsigned order, uint32_t page)
{
	struct trace_event ev = {
		.op = TRACE_FREE,
		.page = page,
		.cpu = (uint16_t)cpu,
		.order = (uint8_t)order,
	};

	return trace_append(t, &ev);
}

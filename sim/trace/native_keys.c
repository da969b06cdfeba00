/* SPDX-License-Identifier: Apache-2.0 */
/* What operations of native traces say of themselves: "order=0 gfp=GFP_KERNEL policy=big". */
#include <string.h>

#include "sim/config/gfp_parse.h"
#include "sim/trace/native.h"

static int parse_gfp(struct native *n, char *value, struct trace_event *ev)
{
	char wrong[256];

	return gfp_parse(value, &ev->gfp, wrong, sizeof(wrong)) ? 0 : NATIVE_BAD(n, "%s", wrong);
}

static int parse_mobility(struct native *n, char *value, struct trace_event *ev)
{
	static const char *const mobilities[] = {"unmovable", "movable", "reclaimable", NULL};
	unsigned mobility = 0;
	int err = native_choice(n, value, "mobility", mobilities, &mobility);

	ev->migratetype = (uint8_t)mobility;
	return err;
}

static int parse_order(struct native *n, char *value, struct trace_event *ev)
{
	unsigned order = 0;
	int err = native_order(n, value, &order);

	ev->order = (uint8_t)order;
	return err;
}

static int parse_node(struct native *n, char *value, struct trace_event *ev)
{
	uint64_t nid;

	if (!native_number(value, MM_MAX_NODES - 1, &nid) || nid >= MM_MAX_NODES)
		return NATIVE_BAD(n, "node \"%s\" is not a number from 0 to %d",
				  native_show(n, value), MM_MAX_NODES - 1);
	trace_event_set_nid(ev, (int)nid);
	return 0;
}

static int parse_pfn(struct native *n, char *value, struct trace_event *ev)
{
	(void)ev;
	return native_pfn(n, value, &n->pfn);
}

static int parse_by(struct native *n, char *value, struct trace_event *ev)
{
	if (!strcmp(value, NATIVE_KSWAPD))
		ev->flags |= TRACE_F_KSWAPD;
	else if (strcmp(value, NATIVE_RECLAIM))
		return native_found(n, value, NATIVE_RECLAIM " or " NATIVE_KSWAPD);
	ev->flags |= TRACE_F_RECLAIM;
	return 0;
}

static int parse_for(struct native *n, char *value, struct trace_event *ev)
{
	if (!strcmp(value, NATIVE_MIGRATION))
		ev->flags |= TRACE_F_MIGRATE;
	else if (!strcmp(value, NATIVE_SLAB))
		ev->flags |= TRACE_F_SLAB;
	else
		return native_found(n, value, NATIVE_MIGRATION " or " NATIVE_SLAB);
	return 0;
}

static int parse_policy(struct native *n, char *value, struct trace_event *ev)
{
	int err = native_check_name(n, value, "a policy");
	const struct name *name;

	(void)ev;
	if (err)
		return err;
	name = names_find(&n->policies, value, strlen(value));
	if (!name)
		return NATIVE_BAD(n, "policy \"%s\" is described by no line before",
				  native_show(n, value));
	n->policy = (uint16_t)name->page;
	return 0;
}

static int parse_turn(struct native *n, char *value, struct trace_event *ev)
{
	uint64_t turn;

	(void)ev;
	if (!native_number(value, UINT32_MAX, &turn) || turn > UINT32_MAX)
		return NATIVE_BAD(n, "turn \"%s\" is not a number from 0 to %u",
				  native_show(n, value), UINT32_MAX);
	n->turn = (uint32_t)turn;
	return 0;
}

static const char *const keys[NATIVE_NR_KEYS] = {
	"by=", "order=", "pfn=", "gfp=", "mobility=", "node=", "policy=", "turn=", "for="};
static int (*const parse_key[NATIVE_NR_KEYS])(struct native *n, char *value,
					      struct trace_event *ev) = {
	parse_by,   parse_order,  parse_pfn,  parse_gfp, parse_mobility,
	parse_node, parse_policy, parse_turn, parse_for};
#define KEYS      "order=, gfp=, mobility=, node=, policy=, turn=, for=, by= or pfn="
#define HELD_KEYS "order=, pfn= or by="

static const char *key_candidate(unsigned i, void *arg)
{
	(void)arg;
	return i < NATIVE_NR_KEYS ? keys[i] : NULL;
}

static int unknown_key(struct native *n, char *word, const char *expected)
{
	char *equals = strchr(word, '=');
	const char *nearest;

	if (!equals)
		return native_found(n, word, expected);
	equals[1] = 0;
	nearest = diag_nearest(word, key_candidate, NULL);
	if (!nearest || !strcmp(nearest, word))
		return native_found(n, word, expected);
	return NATIVE_BAD(n, "unknown word \"%s\"; did you mean \"%s\"?", native_show(n, word),
			  nearest);
}

int native_keys(struct native *n, char **words, struct trace_event *ev, unsigned first,
		unsigned end, bool *seen)
{
	const char *expected = end == NATIVE_NR_KEYS ? KEYS : HELD_KEYS;

	if (end == NATIVE_KEY_BY + 1)
		expected = "by= or the end of the line";
	for (; *words; words++) {
		char *value = NULL;
		unsigned key;
		int err;

		for (key = first; key < end && !value; key++)
			if (native_value(*words, keys[key]))
				value = *words + strlen(keys[key]);
		if (!value)
			return unknown_key(n, *words, expected);
		if (seen[--key])
			return NATIVE_BAD(n, "%s stands twice in the line", keys[key]);
		seen[key] = true;
		err = parse_key[key](n, value, ev);
		if (err)
			return err;
	}
	return 0;
}

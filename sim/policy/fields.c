/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The texts that tell about policies: names and arguments of system calls, lists of nodes, and
 * markers ("numasim: mbind start=0x7f0000000000 len=4096 mode=MPOL_BIND nodes=0,2-3 flags=0").
 */
#include <stdlib.h>
#include <string.h>

#include "sim/policy/task.h"

#define MPOL_F_RELATIVE_NODES (1u << 14)
#define MPOL_MODE_BITS        0xffu

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static int hex_digit(char c)
{
	if (is_digit(c))
		return c - '0';
	c |= 'a' - 'A';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

const char *fields_hex(const char *p, uint64_t *out)
{
	const char *digits;

	while (*p == ' ')
		p++;
	if (p[0] == '0' && (p[1] == 'x' || p[1] == 'X'))
		p += 2;
	*out = 0;
	for (digits = p; hex_digit(*p) >= 0; p++)
		*out = *out << 4 | (uint64_t)hex_digit(*p);
	return p > digits && p - digits <= 16 ? p : NULL;
}

/* Where `key` begins a word of the text: what follows it. */
static const char *after_key(const char *text, const char *key)
{
	size_t len = strlen(key);

	for (const char *p = text; (p = strstr(p, key)) != NULL; p++)
		if (p == text || p[-1] == ' ')
			return p + len;
	return NULL;
}

bool fields_decimal(const char *text, const char *key, uint64_t *out)
{
	const char *p = after_key(text, key), *digits = p;

	*out = 0;
	while (p && is_digit(*p) && p - digits < 10)
		*out = *out * 10 + (uint64_t)(*p++ - '0');
	return p && p > digits;
}

enum call fields_call(const char *name, size_t len)
{
	static const struct {
		const char *name;
		enum call call;
	} calls[] = {
		{"brk", CALL_BRK},
		{"clone", CALL_CLONE},
		{"clone3", CALL_CLONE3},
		{"execve", CALL_EXEC},
		{"execveat", CALL_EXEC},
		{"fork", CALL_FORK},
		{"madvise", CALL_MADVISE},
		{"mbind", CALL_MBIND},
		{"migrate_pages", CALL_MIGRATE_PAGES},
		{"mmap", CALL_MMAP},
		{"mmap_pgoff", CALL_MMAP_PGOFF},
		{"move_pages", CALL_MOVE_PAGES},
		{"mprotect", CALL_MPROTECT},
		{"mremap", CALL_MREMAP},
		{"munmap", CALL_MUNMAP},
		{"set_mempolicy", CALL_SET_MEMPOLICY},
		{"set_mempolicy_home_node", CALL_HOME_NODE},
		{"vfork", CALL_VFORK},
	};

	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		if (strlen(calls[i].name) == len && memcmp(name, calls[i].name, len) == 0)
			return calls[i].call;
	return CALL_OTHER;
}

static const char *parse_node(const char *p, unsigned long *nid)
{
	char *end;

	if (!is_digit(*p))
		return NULL;
	*nid = strtoul(p, &end, 10);
	return *nid < MM_MAX_NODES ? end : NULL;
}

const char *fields_nodes(const char *p, struct mm_nodemask *nodes)
{
	unsigned long first, last;

	*nodes = (struct mm_nodemask){0};
	if (!is_digit(*p))
		return p; /* the empty list */
	for (;; p++) {
		p = parse_node(p, &first);
		last = first;
		if (p && *p == '-')
			p = parse_node(p + 1, &last);
		if (!p || last < first)
			return NULL;
		for (; first <= last; first++)
			mm_nodemask_set(nodes, (int)first);
		if (*p != ',')
			return p;
	}
}

static bool name_is(const char *p, size_t len, const char *name)
{
	static const char prefix[] = "MPOL_";

	if (strlen(name) != len && strncmp(name, prefix, strlen(prefix)) == 0)
		name += strlen(prefix);
	if (strlen(name) != len)
		return false;
	for (size_t i = 0; i < len; i++)
		if (p[i] != name[i] && (p[i] & ~0x20) != name[i])
			return false;
	return true;
}

static bool one_mode(const char *p, size_t len, struct mm_policy *policy)
{
	for (unsigned mode = 0; mm_policy_mode_name(mode); mode++)
		if (name_is(p, len, mm_policy_mode_name(mode))) {
			policy->mode = (uint8_t)mode;
			return true;
		}
	return false;
}

bool fields_mode(const char *p, size_t len, struct mm_policy *policy)
{
	const char *end = p + len;
	bool found = false;

	while (p < end) {
		const char *bar = memchr(p, '|', (size_t)(end - p));
		size_t n = (size_t)((bar ? bar : end) - p);

		if (name_is(p, n, "MPOL_F_RELATIVE_NODES"))
			policy->relative = true;
		else if (one_mode(p, n, policy))
			found = true;
		else if (!name_is(p, n, "MPOL_F_STATIC_NODES") &&
			 !name_is(p, n, "MPOL_F_NUMA_BALANCING"))
			return false;
		p += n + 1;
	}
	return found;
}

static void parse_start(const char *text, const char *key, uint64_t *out)
{
	const char *p = after_key(text, key);

	if (p && !fields_hex(p, out))
		*out = 0;
}

/* The one node that all pages go to. */
static int only_node(const char *text)
{
	static const char *const keys[] = {
		"to=", "to_nodes=", "new_nodes=", "new=", "nodes=", "node="};
	struct mm_nodemask nodes;
	int nid = MM_NO_NODE;

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		const char *p = after_key(text, keys[i]);

		if (!p)
			continue;
		if (!fields_nodes(p, &nodes))
			return MM_NO_NODE;
		for (int n = 0; n < MM_MAX_NODES; n++) {
			if (!mm_nodemask_has(&nodes, n))
				continue;
			if (nid != MM_NO_NODE)
				return MM_NO_NODE;
			nid = n;
		}
		return nid;
	}
	return MM_NO_NODE;
}

/* "nodes=0,0,1": each page's, in their order. */
static void parse_page_nodes(const char *text, struct marker *m)
{
	const char *p = after_key(text, "nodes=");
	unsigned long first, last;

	for (; p && is_digit(*p) && m->nr_passes < CALL_MAX_PASSES; p++) {
		p = parse_node(p, &first);
		last = first;
		if (p && *p == '-')
			p = parse_node(p + 1, &last);
		for (; p && first <= last && m->nr_passes < CALL_MAX_PASSES; first++)
			if (!m->nr_passes || m->passes[m->nr_passes - 1] != (int)first)
				m->passes[m->nr_passes++] = (int16_t)first;
		if (!p || *p != ',')
			return;
	}
}

/* "from=0,1 to=2,3", or by the names of the call's arguments. */
static void parse_passes(const char *text, struct marker *m)
{
	static const char *const keys[][2] = {{"from=", "to="},
					      {"from_nodes=", "to_nodes="},
					      {"old_nodes=", "new_nodes="},
					      {"old=", "new="}};
	struct mm_nodemask from = {0}, to = {0};

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		const char *p = after_key(text, keys[i][0]), *q = after_key(text, keys[i][1]);

		if (!p || !q || !fields_nodes(p, &from) || !fields_nodes(q, &to))
			continue;
		m->nr_passes = remap_passes(&from, &to, m->passes, CALL_MAX_PASSES);
		return;
	}
}

void fields_marker(const char *text, struct marker *m)
{
	size_t len = strcspn(text, " ");
	const char *p;
	uint64_t home;

	*m = (struct marker){.call = fields_call(text, len),
			     .policy.home_nid = MM_NO_NODE,
			     .node = only_node(text)};
	if (m->call == CALL_OTHER) {
		m->call = CALL_NONE;
		return;
	}
	if (m->call == CALL_MIGRATE_PAGES)
		parse_passes(text, m);
	if (m->call == CALL_MOVE_PAGES)
		parse_page_nodes(text, m);
	p = after_key(text, "mode=");
	m->has_mode = p && fields_mode(p, strcspn(p, " \r\n"), &m->policy);
	p = after_key(text, "nodes=");
	m->has_nodes = p && fields_nodes(p, &m->policy.nodes);
	parse_start(text, "start=", &m->start);
	if (!fields_decimal(text, "len=", &m->len))
		m->len = 0;
	if (fields_decimal(text, "home_node=", &home) && home < MM_MAX_NODES)
		m->policy.home_nid = (int16_t)home;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Policy files, line by line: words of KEY=VALUE, each key once. There are few rules, and each is
 * looked at for each allocation whose policy the trace does not tell.
 */
#include "sim/policy/rules.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "sim/config/units.h"
#include "sim/policy/task.h"
#include "sim/trace/stream.h"

#define MAGIC     "# numasim policies 1"
#define MAX_RULES 10000
#define COMM_ROOM 64 /* of a pattern; the kernel's own names have 15 bytes at most */
#define MAX_WORDS 16
#define LINE_ROOM 4096

struct rule {
	unsigned line;
	bool has_comm, has_pid, has_nodes, has_mode, used;
	char comm[COMM_ROOM]; /* a pattern of fnmatch() */
	uint32_t pid;
	uint64_t from_ps, until_ps; /* [from, until) */
	struct mm_policy policy;
};

struct policy_rules {
	char *file;
	struct rule *rules;
	size_t nr, room;
};

/* What the parser of a line works on. */
struct parse {
	struct policy_rules *rules;
	struct diag *diag;
	unsigned line;
};

#define BAD(p, ...) diag_error((p)->diag, -EINVAL, (p)->rules->file, (p)->line, __VA_ARGS__)

static int take_comm(struct parse *p, const char *value, struct rule *r)
{
	if (!*value || strlen(value) >= sizeof(r->comm))
		return BAD(p, "comm: found %zu bytes, expected 1 to %d", strlen(value),
			   COMM_ROOM - 1);
	strcpy(r->comm, value);
	r->has_comm = true;
	return 0;
}

static int take_pid(struct parse *p, const char *value, struct rule *r)
{
	char *end;
	unsigned long pid = strtoul(value, &end, 10);

	if (end == value || *end || value[0] == '-' || !pid || pid > UINT32_MAX)
		return BAD(p, "pid: found \"%s\", expected the number of a task", value);
	r->pid = (uint32_t)pid;
	r->has_pid = true;
	return 0;
}

static int take_time(struct parse *p, const char *key, const char *value, uint64_t *out)
{
	const char *wrong = units_parse_time(value, out);

	return wrong ? BAD(p, "%s: \"%s\" %s", key, value, wrong) : 0;
}

static int take_from(struct parse *p, const char *value, struct rule *r)
{
	return take_time(p, "from", value, &r->from_ps);
}

static int take_until(struct parse *p, const char *value, struct rule *r)
{
	return take_time(p, "until", value, &r->until_ps);
}

/* Modes by the kernel's names, and by the short ones in small letters. */
static const char *mode_candidate(unsigned i, void *arg)
{
	static const char *const names[] = {
		"default",        "preferred",           "bind", "interleave", "local",
		"preferred_many", "weighted_interleave",
	};

	(void)arg;
	if (i < sizeof(names) / sizeof(names[0]))
		return names[i];
	return mm_policy_mode_name(i - (unsigned)(sizeof(names) / sizeof(names[0])));
}

static int take_mode(struct parse *p, const char *value, struct rule *r)
{
	const char *nearest;

	r->has_mode = true;
	if (fields_mode(value, strlen(value), &r->policy))
		return 0;
	nearest = diag_nearest(value, mode_candidate, NULL);
	if (nearest)
		return BAD(p, "unknown mode \"%s\"; did you mean \"%s\"?", value, nearest);
	return BAD(p, "unknown mode \"%s\"; expected bind, interleave, ...", value);
}

static int take_nodes(struct parse *p, const char *value, struct rule *r)
{
	const char *end = fields_nodes(value, &r->policy.nodes);

	if (!end || *end || end == value)
		return BAD(p, "nodes: found \"%s\", expected numbers below %d as in 0,2-3", value,
			   MM_MAX_NODES);
	r->has_nodes = true;
	return 0;
}

static int take_home(struct parse *p, const char *value, struct rule *r)
{
	char *end;
	long nid = strtol(value, &end, 10);

	if (end == value || *end || nid < 0 || nid >= MM_MAX_NODES)
		return BAD(p, "home: found \"%s\", expected a node below %d", value, MM_MAX_NODES);
	r->policy.home_nid = (int16_t)nid;
	return 0;
}

static const struct key {
	const char *name;
	int (*take)(struct parse *p, const char *value, struct rule *r);
} keys[] = {
	{"comm", take_comm}, {"pid", take_pid},     {"from", take_from}, {"until", take_until},
	{"mode", take_mode}, {"nodes", take_nodes}, {"home", take_home},
};

#define NR_KEYS (sizeof(keys) / sizeof(keys[0]))

static const char *key_candidate(unsigned i, void *arg)
{
	(void)arg;
	return i < NR_KEYS ? keys[i].name : NULL;
}

/* Take KEY=VALUE; `seen` has a bit for each key of the line. */
static int take_word(struct parse *p, char *word, unsigned *seen, struct rule *r)
{
	char *equals = strchr(word, '=');
	const char *nearest;

	if (!equals)
		return BAD(p, "found \"%.60s\", expected KEY=VALUE", word);
	*equals = 0;
	for (unsigned i = 0; i < NR_KEYS; i++) {
		if (strcmp(word, keys[i].name) != 0)
			continue;
		if (*seen & 1u << i)
			return BAD(p, "%s is given twice", word);
		*seen |= 1u << i;
		return keys[i].take(p, equals + 1, r);
	}
	nearest = diag_nearest(word, key_candidate, NULL);
	return BAD(p, "unknown key \"%.60s\"; %s%s", word, nearest ? "did you mean " : "expected ",
		   nearest ? nearest : "comm, pid, from, until, mode, nodes or home");
}

/* Do the parts of a rule fit each other? */
static int check_rule(struct parse *p, const struct rule *r)
{
	bool takes_nodes = r->policy.mode != MM_POLICY_DEFAULT && r->policy.mode != MM_POLICY_LOCAL;
	bool takes_home =
		r->policy.mode == MM_POLICY_BIND || r->policy.mode == MM_POLICY_PREFERRED_MANY;
	const char *mode = mm_policy_mode_name(r->policy.mode);

	if (!r->has_comm && !r->has_pid)
		return BAD(p, "no task: expected comm= or pid=");
	if (!r->has_mode)
		return BAD(p, "no policy: expected mode=");
	if (takes_nodes != r->has_nodes)
		return BAD(p, "%s %s", mode,
			   takes_nodes ? "needs nodes: expected nodes=" : "has no nodes");
	if (r->policy.home_nid != MM_NO_NODE && !takes_home)
		return BAD(p, "%s has no home node", mode);
	if (r->from_ps >= r->until_ps)
		return BAD(p, "the rule ends before it begins");
	return 0;
}

static int add_rule(struct policy_rules *rules, const struct rule *r)
{
	if (rules->nr == rules->room) {
		size_t room = rules->room ? rules->room * 2 : 16;
		struct rule *grown = realloc(rules->rules, room * sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		rules->rules = grown;
		rules->room = room;
	}
	rules->rules[rules->nr++] = *r;
	return 0;
}

static int take_line(struct parse *p, const struct stream_line *line)
{
	struct rule r = {.line = p->line, .until_ps = UINT64_MAX, .policy.home_nid = MM_NO_NODE};
	size_t len = strcspn(line->text, "#");
	char text[LINE_ROOM], *save, *word;
	unsigned seen = 0;
	int err = 0;

	if (line->too_long || len >= sizeof(text))
		return BAD(p, "the line is longer than %d bytes", LINE_ROOM - 1);
	memcpy(text, line->text, len);
	text[len] = 0;
	word = strtok_r(text, " \t", &save);
	if (!word)
		return 0;
	for (; word && !err; word = strtok_r(NULL, " \t", &save))
		err = take_word(p, word, &seen, &r);
	if (!err)
		err = check_rule(p, &r);
	if (!err && p->rules->nr == MAX_RULES)
		return BAD(p, "more than %d rules", MAX_RULES);
	return err ? err : add_rule(p->rules, &r);
}

/* Read all of `s`, and close it. */
static int read_rules(struct stream *s, struct diag *diag, struct policy_rules **out)
{
	struct policy_rules *rules = calloc(1, sizeof(*rules));
	struct parse p = {.rules = rules, .diag = diag};
	struct stream_line line;
	int got, err = -ENOMEM;

	if (rules)
		rules->file = strdup(stream_name(s));
	if (rules && rules->file)
		err = 0;
	while (!err && (got = stream_next(s, diag, &line)) != 0) {
		p.line = line.number < UINT32_MAX ? (unsigned)line.number : UINT32_MAX;
		if (got < 0)
			err = got;
		else if (p.line == 1 && strcmp(line.text, MAGIC) != 0)
			err = BAD(&p, "expected the first line \"" MAGIC "\"");
		else
			err = take_line(&p, &line);
	}
	if (!err && !p.line) {
		p.line = 1;
		err = BAD(&p, "found the end of the file, expected \"" MAGIC "\"");
	}
	stream_close(s);
	if (err) {
		policy_rules_free(rules);
		return err;
	}
	*out = rules;
	return 0;
}

int policy_rules_load(const char *path, struct diag *diag, struct policy_rules **out)
{
	struct stream *s;
	int err = stream_open(path, diag, &s);

	return err ? err : read_rules(s, diag, out);
}

int policy_rules_parse(const char *text, size_t len, const char *name, struct diag *diag,
		       struct policy_rules **out)
{
	struct stream *s;
	int err = stream_open_memory(text, len, name, diag, &s);

	return err ? err : read_rules(s, diag, out);
}

void policy_rules_free(struct policy_rules *rules)
{
	if (!rules)
		return;
	free(rules->file);
	free(rules->rules);
	free(rules);
}

size_t policy_rules_number(const struct policy_rules *rules)
{
	return rules->nr;
}

bool policy_rules_probe(const char *text, size_t len)
{
	size_t magic = sizeof(MAGIC) - 1;

	return len >= magic && memcmp(text, MAGIC, magic) == 0;
}

const struct mm_policy *policy_rules_find(struct policy_rules *rules, const char *comm,
					  size_t comm_len, uint32_t pid, uint64_t time_ps)
{
	char name[COMM_ROOM];

	if (comm_len >= sizeof(name))
		comm_len = sizeof(name) - 1;
	memcpy(name, comm, comm_len);
	name[comm_len] = 0;
	for (size_t i = rules->nr; i-- > 0;) {
		struct rule *r = &rules->rules[i];

		if ((r->has_pid && r->pid != pid) || time_ps < r->from_ps ||
		    time_ps >= r->until_ps || (r->has_comm && fnmatch(r->comm, name, 0) != 0))
			continue;
		r->used = true;
		return &r->policy;
	}
	return NULL;
}

void policy_rules_warn(const struct policy_rules *rules, struct diag *diag)
{
	for (size_t i = 0; i < rules->nr; i++)
		if (!rules->rules[i].used)
			diag_warn(diag, rules->file, rules->rules[i].line,
				  "no allocation of the trace is by such a task at such a time, or "
				  "the trace itself tells its policy");
}

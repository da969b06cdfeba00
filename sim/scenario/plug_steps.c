/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Chooses steps of memory hotplug by what the machine's kernel says to them: a block that is
 * absent, offline or online goes on from there.
 */
#include "sim/scenario/plug_steps.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/machine/boot.h"
#include "sim/machine/hotplug.h"
#include "sim/rng.h"

#define BLOCKS 6 /* that come and go */
#define TEXT   96

enum state { ABSENT, OFFLINE, ONLINE };

struct plugs {
	struct mm *mm;
	uint64_t first, bytes; /* number of the first block; of each */
	enum state of[BLOCKS];
	struct rng rng;
};

static void choose(struct plugs *p, int nr_nodes, unsigned i, enum state *next, char *text)
{
	uint64_t block = p->first + i;
	bool kernel;

	switch (p->of[i]) {
	case ABSENT:
		*next = OFFLINE;
		snprintf(text, TEXT, "add:0x%" PRIx64 "+%" PRIu64 "M@%d", block * p->bytes,
			 p->bytes >> 20, (int)rng_below(&p->rng, (uint64_t)nr_nodes));
		break;
	case OFFLINE:
		/* Two of three go online, half of them for the kernel. */
		*next = rng_below(&p->rng, 3) ? ONLINE : ABSENT;
		kernel = rng_below(&p->rng, 2);
		snprintf(text, TEXT, "%s:memory%" PRIu64,
			 *next == ABSENT ? "remove"
			 : kernel        ? "online_kernel"
					 : "online_movable",
			 block);
		break;
	default:
		*next = OFFLINE;
		snprintf(text, TEXT, "offline:memory%" PRIu64, block);
	}
}

static int take(struct plugs *p, const char *text, char *why, size_t size)
{
	struct mm_hotplug_step step;
	struct mm_hotplug_done done;
	struct mm_refusal refusal = {0};
	int err = hotplug_parse(text, &step, why, size);

	if (!err)
		err = mm_hotplug(p->mm, MM_NO_CPU, &step, &done, &refusal);
	if (err)
		snprintf(why, size, "%s", refusal.why);
	return err;
}

static int choose_all(struct plugs *p, int nr_nodes, unsigned nr, char *why, size_t size,
		      char **steps)
{
	unsigned refused = 0;

	for (unsigned n = 0; n < nr;) {
		unsigned i = (unsigned)rng_below(&p->rng, BLOCKS);
		char text[TEXT];
		enum state next;
		int err;

		choose(p, nr_nodes, i, &next, text);
		err = take(p, text, why, size);
		/* Another one may do: so many in a row never are. */
		if (err && (!n || ++refused > 100))
			return err;
		if (err)
			continue;
		refused = 0;
		p->of[i] = next;
		steps[n] = strdup(text);
		if (!steps[n++])
			return -ENOMEM;
	}
	return 0;
}

/* Memory may be added up to there: what is beyond the machine's, in whole blocks. */
static int plan(struct plugs *p, struct machine *m)
{
	uint64_t end = mm_frames_end(p->mm) << mm_get_arch(p->mm)->page_shift;
	char text[TEXT];

	p->bytes = mm_memory_block_bytes(p->mm);
	if (!p->bytes)
		return 0; /* the first step is refused */
	p->first = (end + p->bytes - 1) / p->bytes;
	snprintf(text, TEXT, "add:0x%" PRIx64 "+%" PRIu64 "M@0", p->first * p->bytes,
		 p->bytes * BLOCKS >> 20);
	return machine_plan_hotplug(m, text);
}

static void free_steps(char **steps, unsigned nr)
{
	for (unsigned i = 0; steps && i < nr; i++)
		free(steps[i]);
	free(steps);
}

int plug_steps(struct machine *m, uint64_t seed, unsigned nr, struct diag *diag, char *why,
	       size_t size, char ***out)
{
	struct plugs p = {.rng = {seed}, .bytes = UINT64_C(128) << 20};
	char **steps = calloc(nr + 1, sizeof(*steps));
	int err = steps ? boot_machine(m, NULL, NULL, diag, &p.mm) : -ENOMEM;

	if (!err) {
		err = plan(&p, m);
		mm_destroy(p.mm);
		p.mm = NULL;
	}
	if (!err && !p.bytes)
		p.bytes = UINT64_C(128) << 20;
	if (!err)
		err = boot_machine(m, NULL, NULL, diag, &p.mm);
	if (!err) {
		err = choose_all(&p, m->mm.nr_nodes, nr, why, size, steps);
		mm_destroy(p.mm);
		err = err && err != -ENOMEM ? -EOPNOTSUPP : err;
	}
	if (err) {
		free_steps(steps, nr);
		return err;
	}
	*out = steps;
	return 0;
}

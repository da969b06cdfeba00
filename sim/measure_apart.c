/* SPDX-License-Identifier: Apache-2.0 */
/* Steps are counted in memory that all share. */
#include "sim/measure_apart.h"

#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "sim/child.h"
#include "sim/json.h"

#define MOST_AT_ONCE 16  /* a part may take some 200 MiB of the host's memory */
#define LOOK_MS      200 /* between two looks at how much is done */

struct shared {
	_Atomic uint64_t done; /* steps */
};

/* A part. */
struct part {
	const struct measure_apart *a;
	struct shared *shared;
	int nr;
	struct child child;
};

/* In a child: its steps since it last told. */
struct teller {
	struct shared *shared;
	uint64_t told;
};

static void tell(void *arg, uint64_t done, uint64_t total)
{
	struct teller *t = arg;

	(void)total;
	atomic_fetch_add(&t->shared->done, done - t->told);
	t->told = done;
}

static int run_part(void *arg, struct diag *diag, json_t **doc)
{
	const struct part *p = arg;
	struct teller teller = {.shared = p->shared};
	struct measure mine = *p->a->m;
	json_t *rows;
	int err;

	mine.progress = tell;
	mine.progress_arg = &teller;
	mine.diag = diag;
	*doc = json_object();
	rows = json_put_array(*doc, "rows");
	err = rows ? p->a->run(p->a->arg, p->nr, &mine, rows) : -ENOMEM;
	return err;
}

/* Until it has something to say, or has died. */
static void wait_for(const struct measure_apart *a, const struct shared *shared,
		     const struct child *c)
{
	struct pollfd fd = {.fd = fileno(c->answer), .events = POLLIN};

	while (poll(&fd, 1, LOOK_MS) <= 0)
		if (a->m->progress)
			a->m->progress(a->m->progress_arg, atomic_load(&shared->done), a->total);
}

static int add_rows(const struct measure_apart *a, json_t *doc, json_t *rows, json_t *found)
{
	json_t *row;
	size_t i;

	json_array_foreach (found, i, row) {
		if (json_array_append(rows, row))
			return -ENOMEM;
		if (a->m->row)
			a->m->row(a->m->row_arg, doc, row);
	}
	return 0;
}

static int run_parts(const struct measure_apart *a, struct part *parts, json_t *doc, json_t *rows)
{
	int at_once = child_at_once() > MOST_AT_ONCE ? MOST_AT_ONCE : (int)child_at_once();
	int started = 0, err = 0;

	for (int i = 0; i < a->nr_parts && !err; i++) {
		json_t *answer = NULL;

		for (; started < a->nr_parts && started < i + at_once && !err; started++)
			err = child_start(&parts[started].child, run_part, &parts[started]);
		if (!err) {
			wait_for(a, parts[i].shared, &parts[i].child);
			err = child_answer(&parts[i].child, a->m->machine->file, a->m->diag,
					   &answer);
		}
		if (!err)
			err = add_rows(a, doc, rows, json_object_get(answer, "rows"));
		json_decref(answer);
		child_end(&parts[i].child);
	}
	return err;
}

int measure_apart(const struct measure_apart *a, json_t *doc, json_t *rows)
{
	struct shared *shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
				     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct part *parts = calloc((size_t)a->nr_parts, sizeof(*parts));
	int err = -ENOMEM;

	for (int i = 0; parts && i < a->nr_parts; i++)
		parts[i] = (struct part){.a = a, .shared = shared, .nr = i};
	if (shared != MAP_FAILED && parts)
		err = run_parts(a, parts, doc, rows);
	/* After an error in one part the others are of no use. */
	for (int i = 0; parts && i < a->nr_parts; i++)
		child_end(&parts[i].child);
	free(parts);
	if (shared != MAP_FAILED)
		munmap(shared, sizeof(*shared));
	return err;
}

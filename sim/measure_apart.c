/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A child writes its rows, or its error, as JSON into a pipe, and leaves without the parent's exit
 * work. Steps are counted in memory that all share.
 */
#include "sim/measure_apart.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sim/json.h"

#define MOST_AT_ONCE 16  /* a part may take some 200 MiB of the host's memory */
#define LOOK_MS      200 /* between two looks at how much is done */

struct shared {
	_Atomic uint64_t done; /* steps */
};

struct child {
	pid_t pid;    /* 0: none, or it has been waited for */
	FILE *answer; /* NULL: none */
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

static void run_child(const struct measure_apart *a, int nr, struct shared *shared, int fd)
{
	struct teller teller = {.shared = shared};
	struct measure mine = *a->m;
	FILE *answer = fdopen(fd, "w");
	json_t *doc = json_object(), *rows = json_put_array(doc, "rows");
	int err;

	mine.progress = tell;
	mine.progress_arg = &teller;
	err = rows && answer ? a->run(a->arg, nr, &mine, rows) : -ENOMEM;
	if (err)
		json_put(doc, "errno", (uint64_t)-err);
	_exit(!answer || json_dumpf(doc, answer, JSON_COMPACT) || fflush(answer));
}

static int start(const struct measure_apart *a, int nr, struct shared *shared, struct child *c)
{
	int ends[2], err;

	if (pipe(ends))
		return -errno;
	fflush(NULL);
	c->pid = fork();
	if (c->pid == 0) {
		close(ends[0]);
		run_child(a, nr, shared, ends[1]);
	}
	err = c->pid < 0 ? -errno : 0;
	close(ends[1]);
	c->answer = err ? NULL : fdopen(ends[0], "r");
	if (!c->answer) {
		close(ends[0]);
		err = err ? err : -ENOMEM;
	}
	if (c->pid < 0)
		c->pid = 0;
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

/* What it answered, owned by the caller; or NULL and *err. */
static json_t *collect(const struct measure_apart *a, struct child *c, int *err)
{
	json_t *answer = json_loadf(c->answer, 0, NULL);
	int status = 0;

	while (waitpid(c->pid, &status, 0) < 0 && errno == EINTR)
		;
	c->pid = 0;
	*err = 0;
	if (WIFSIGNALED(status))
		*err = diag_error(a->m->diag, -EBADMSG, a->m->machine->file, 0,
				  "its simulation died of signal %d", WTERMSIG(status));
	else if (!answer || WEXITSTATUS(status))
		*err = diag_error(a->m->diag, -EIO, a->m->machine->file, 0,
				  "its simulation could not pass its result on");
	else if (json_object_get(answer, "errno"))
		*err = -(int)json_get(answer, "errno");
	if (*err) {
		json_decref(answer);
		return NULL;
	}
	return answer;
}

/* After an error in one part the others are of no use. */
static void end_child(struct child *c)
{
	if (c->pid) {
		kill(c->pid, SIGKILL);
		waitpid(c->pid, NULL, 0);
	}
	if (c->answer)
		fclose(c->answer);
	*c = (struct child){0};
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

static int run_parts(const struct measure_apart *a, struct shared *shared, struct child *children,
		     json_t *doc, json_t *rows)
{
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	int at_once = processors > MOST_AT_ONCE ? MOST_AT_ONCE : (int)processors;
	int started = 0, err = 0;

	for (int i = 0; i < a->nr_parts && !err; i++) {
		json_t *answer = NULL;

		while (started < a->nr_parts && (started <= i || started < i + at_once) && !err) {
			err = start(a, started, shared, &children[started]);
			started++;
		}
		if (!err) {
			wait_for(a, shared, &children[i]);
			answer = collect(a, &children[i], &err);
		}
		if (!err)
			err = add_rows(a, doc, rows, json_object_get(answer, "rows"));
		json_decref(answer);
		end_child(&children[i]);
	}
	return err;
}

int measure_apart(const struct measure_apart *a, json_t *doc, json_t *rows)
{
	struct shared *shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
				     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct child *children = calloc((size_t)a->nr_parts, sizeof(*children));
	int err = -ENOMEM;

	if (shared != MAP_FAILED && children)
		err = run_parts(a, shared, children, doc, rows);
	for (int i = 0; children && i < a->nr_parts; i++)
		end_child(&children[i]);
	free(children);
	if (shared != MAP_FAILED)
		munmap(shared, sizeof(*shared));
	return err;
}

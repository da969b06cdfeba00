/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A child writes its answer, or its error, as JSON into a pipe, and leaves without the parent's
 * exit work.
 */
#include "sim/child.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

size_t child_at_once(void)
{
	long processors = sysconf(_SC_NPROCESSORS_ONLN);

	return processors > 1 ? (size_t)processors : 1;
}

static json_t *of_error(int err, const struct diag *diag)
{
	json_t *doc = json_object();

	json_put(doc, "errno", (uint64_t)-err);
	if (diag->failed) {
		json_put_string(doc, "error", diag->error.text);
		json_put_string(doc, "file", diag->error.file ? diag->error.file : "");
		json_put(doc, "line", diag->error.line);
	}
	return doc;
}

int child_start(struct child *c, int (*work)(void *arg, struct diag *diag, json_t **doc), void *arg)
{
	int ends[2], err;

	*c = (struct child){0};
	if (pipe(ends))
		return -errno;
	fflush(NULL);
	c->pid = fork();
	if (c->pid == 0) {
		FILE *answer = fdopen(ends[1], "w");
		struct diag diag = DIAG_INIT;
		json_t *doc = NULL;

		close(ends[0]);
		err = work(arg, &diag, &doc);
		if (err)
			doc = of_error(err, &diag);
		_exit(!answer || json_dumpf(doc, answer, JSON_REAL_PRECISION(15)) ||
		      fflush(answer));
	}
	err = c->pid < 0 ? -errno : 0;
	close(ends[1]);
	if (c->pid < 0)
		c->pid = 0;
	c->answer = err ? NULL : fdopen(ends[0], "r");
	if (!c->answer) {
		close(ends[0]);
		err = err ? err : -ENOMEM;
	}
	return err;
}

/* What it said of its error. */
static int tell_error(const json_t *answer, const char *about, struct diag *diag)
{
	const char *file = json_get_string(answer, "file");
	int err = -(int)json_get(answer, "errno");

	if (json_object_get(answer, "error"))
		diag_error(diag, err, file[0] ? file : about, (unsigned)json_get(answer, "line"),
			   "%s", json_get_string(answer, "error"));
	return err;
}

int child_answer(struct child *c, const char *file, struct diag *diag, json_t **doc)
{
	json_t *answer = json_loadf(c->answer, 0, NULL);
	int status = 0, err = 0;

	while (waitpid(c->pid, &status, 0) < 0 && errno == EINTR)
		;
	c->pid = 0;
	if (WIFSIGNALED(status))
		err = diag_error(diag, -EBADMSG, file, 0, "its simulation died of signal %d",
				 WTERMSIG(status));
	else if (!answer || WEXITSTATUS(status))
		err = diag_error(diag, -EIO, file, 0,
				 "its simulation could not pass its result on");
	else if (json_object_get(answer, "errno"))
		err = tell_error(answer, file, diag);
	if (err) {
		json_decref(answer);
		answer = NULL;
	}
	*doc = answer;
	return err;
}

void child_end(struct child *c)
{
	if (c->pid) {
		kill(c->pid, SIGKILL);
		waitpid(c->pid, NULL, 0);
	}
	if (c->answer)
		fclose(c->answer);
	*c = (struct child){0};
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Output files that appear whole or not at all. Owns the temporary file, and removes it also when
 * the process ends early, by a signal or by a library that calls exit().
 */
#define _GNU_SOURCE /* asprintf */
#include "tools/output.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tools/message.h"

/* Names of the temporary files while there are any: what a signal handler can see. */
static char *volatile pending[OUTPUT_MAX];

static void remove_pending(void)
{
	for (int i = 0; i < OUTPUT_MAX; i++)
		if (pending[i])
			unlink(pending[i]);
}

static void on_signal(int sig)
{
	remove_pending();
	raise(sig); /* the handler is reset: this one ends the process */
}

static void watch_exits(void)
{
	static const int signals[] = {SIGHUP, SIGINT, SIGTERM};
	static bool watched;

	if (watched)
		return;
	watched = true;
	atexit(remove_pending);
	for (size_t i = 0; i < sizeof(signals) / sizeof(*signals); i++) {
		struct sigaction old, act = {.sa_handler = on_signal, .sa_flags = SA_RESETHAND};

		if (!sigaction(signals[i], NULL, &old) && old.sa_handler == SIG_DFL)
			sigaction(signals[i], &act, NULL);
	}
}

/* Say why writing failed, free everything. */
static int fail(struct output *o, int err)
{
	message("cannot write %s: %s", o->path ? o->path : "to standard output", strerror(err));
	output_discard(o);
	return -err;
}

/* Give the new file the permissions of the one it replaces, or else those of any new file. */
static int set_mode(int fd, const struct stat *replaced)
{
	mode_t mask;

	if (replaced)
		return fchmod(fd, replaced->st_mode & 0777);
	mask = umask(0);
	umask(mask);
	return fchmod(fd, 0666 & ~mask);
}

static int open_temporary(struct output *o, const struct stat *replaced)
{
	int fd;

	/* Through symbolic links, so that not the link is replaced. */
	o->target = replaced ? realpath(o->path, NULL) : strdup(o->path);
	if (!o->target)
		return -errno;
	if (asprintf(&o->temporary, "%s.XXXXXX", o->target) < 0) {
		o->temporary = NULL;
		return -ENOMEM;
	}
	fd = mkstemp(o->temporary);
	if (fd < 0) {
		int err = -errno;

		free(o->temporary);
		o->temporary = NULL;
		return err;
	}
	watch_exits();
	while (o->slot < OUTPUT_MAX - 1 && pending[o->slot])
		o->slot++;
	pending[o->slot] = o->temporary;
	o->stream = set_mode(fd, replaced) ? NULL : fdopen(fd, "w");
	if (!o->stream) {
		int err = -errno;

		close(fd);
		return err;
	}
	return 0;
}

int output_open(struct output *o, const char *path)
{
	struct stat st;
	bool exists;
	int err = 0;

	*o = (struct output){0};
	if (!path || !strcmp(path, "-")) {
		o->stream = stdout;
		return 0;
	}
	o->path = strdup(path);
	if (!o->path)
		return fail(o, ENOMEM);
	exists = !stat(path, &st);
	if (exists && !S_ISREG(st.st_mode)) {
		/* A device or a pipe has nothing to be replaced. */
		o->stream = fopen(path, "w");
		err = o->stream ? 0 : -errno;
	} else {
		err = open_temporary(o, exists ? &st : NULL);
	}
	return err ? fail(o, -err) : 0;
}

int output_check(const char *path)
{
	struct output o;
	struct stat st;

	/* Opening a pipe waits for its reader, and closing it ends what he reads. */
	if (path && !stat(path, &st) && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode)) {
		if (!access(path, W_OK))
			return 0;
		o = (struct output){.path = strdup(path)};
		return fail(&o, errno);
	}
	if (output_open(&o, path))
		return -EIO;
	output_discard(&o);
	return 0;
}

int output_commit(struct output *o)
{
	bool failed = ferror(o->stream);

	/* An earlier failed write has left its errno to later calls; ENOSPC repeats at the flush.
	 */
	errno = 0;
	failed |= fflush(o->stream) != 0;
	if (o->stream != stdout) {
		failed |= fclose(o->stream) != 0;
		o->stream = NULL;
	}
	if (!failed && o->temporary)
		failed = rename(o->temporary, o->target) != 0;
	if (failed)
		return fail(o, errno ? errno : EIO);
	if (o->temporary) {
		pending[o->slot] = NULL;
		free(o->temporary);
		o->temporary = NULL;
	}
	output_discard(o);
	return 0;
}

void output_discard(struct output *o)
{
	if (o->stream && o->stream != stdout)
		fclose(o->stream);
	if (o->temporary) {
		unlink(o->temporary);
		pending[o->slot] = NULL;
	}
	free(o->temporary);
	free(o->target);
	free(o->path);
	*o = (struct output){0};
}

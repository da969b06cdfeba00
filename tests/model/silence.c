/* SPDX-License-Identifier: Apache-2.0 */
/* SimGrid leaves the terminal to us: while it loads, runs and ends, also in a deadlock. */
#include <criterion/criterion.h>
#include <errno.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/machine_builder.h"

/* The leak checker has a warning of its own to print where a forked child exits. Other tests let it
 * look at the same code. */
int __lsan_is_turned_off(void);
int __lsan_is_turned_off(void)
{
	return 1;
}

static void touch_and_sleep(struct sim *s, int cpu, void *arg)
{
	(void)arg;
	for (int nid = 0; nid < 2; nid++)
		sim_touch(s, cpu, built_address(nid), 4096, true);
	sim_sleep(s, cpu);
}

static int run_into_deadlock(void)
{
	static const struct costs no_costs;
	struct machine *m = build_machine(2, 2);
	struct diag diag = DIAG_INIT;
	struct sim *s = NULL;
	int err = sim_create(m, &no_costs, &diag, &s);

	for (int cpu = 0; !err && cpu < 4; cpu++)
		err = sim_spawn(s, cpu, touch_and_sleep, NULL);
	if (!err)
		err = sim_run(s);
	sim_destroy(s);
	built_free(m);
	return err;
}

Test(silence, load_run_deadlock_and_exit)
{
	char text[256];
	int ends[2], status;
	ssize_t n;
	pid_t child;

	cr_assert_eq(pipe(ends), 0);
	fflush(NULL);
	child = fork();
	if (child == 0) {
		dup2(ends[1], STDOUT_FILENO);
		dup2(ends[1], STDERR_FILENO);
		close(ends[0]);
		close(ends[1]);
		/* Through SimGrid's own handlers at exit. */
		exit(run_into_deadlock() == -EDEADLK ? 0 : 1);
	}
	close(ends[1]);
	n = read(ends[0], text, sizeof(text) - 1);
	text[n > 0 ? n : 0] = '\0';
	close(ends[0]);
	cr_assert_eq(waitpid(child, &status, 0), child);
	cr_assert_str_eq(text, "");
	cr_assert_eq(status, 0);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of numasim-bench share: each measure is called in a process of its own. */
#ifndef TESTS_BENCH_H
#define TESTS_BENCH_H

/** Seconds of a clock that only goes on. */
double now(void);
/** Say why on standard error, and end the process with status 1. */
_Noreturn void die(const char *what);

/** Events a second that are read from bytes in memory, of the trace W1b. */
double decode_binary(void), decode_ftrace(void);
/**
 * Events a second of a timed replay of W1b, reading included: from the binary form and from text in
 * memory, and from its compressed file.
 */
double replay_binary(void), replay_ftrace(void), replay_zstd(void);
/** The same from the binary form with an activity of SimGrid for each access. */
double replay_naive(void);
/**
 * Activities of SimGrid for each event of a replay: of W1b, where nobody competes for a link; the
 * same in exact mode; and of 52 CPUs that fill pages of both nodes in turn, where links that are
 * short meet.
 */
double replay_activities(void), replay_activities_exact(void), replay_activities_contended(void);
/**
 * By how much simulated time differs from that in exact mode: % of it, worst of the scenarios and
 * of some traces. Runs the command numasim that is beside this program; those that differ by more
 * than 0.5 % are named on standard error.
 */
double replay_batched_error(void);
/** ns of host time for an event of a churn, on machines of 1 to 64 nodes of 8 CPUs each. */
double replay_1cpu(void), replay_8cpu(void), replay_64cpu(void), replay_512cpu(void);
/** ns of simulated CPUs for it, idle ones left out: how much more work there is to be simulated. */
double replay_1cpu_simulated(void), replay_8cpu_simulated(void), replay_64cpu_simulated(void),
	replay_512cpu_simulated(void);
/** ns of host time, on 8 CPUs: of one node with little and with much memory, and of 8 nodes. */
double replay_1gib(void), replay_16tib(void), replay_8node(void);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Impossible states: what only an error of ours can bring about, never the user's input.
 */
#ifndef SIM_BUG_H
#define SIM_BUG_H

/** Print where and what to standard error and abort. */
void sim_bug(const char *file, int line, const char *fmt, ...)
	__attribute__((format(printf, 3, 4), noreturn));

#define SIM_BUG(...) sim_bug(__FILE__, __LINE__, __VA_ARGS__)

#endif

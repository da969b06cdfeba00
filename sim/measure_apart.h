/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Parts of a measurement that do not depend on each other: each in a process of its own, that
 * begins with the machine as it has booted. What a part finds is the same whichever others are
 * measured, and several are measured at once, as many as the host has CPUs.
 */
#ifndef SIM_MEASURE_APART_H
#define SIM_MEASURE_APART_H

#include "sim/measure.h"

struct measure_apart {
	const struct measure *m; /* whose progress and rows are told */
	int nr_parts;
	uint64_t total; /* steps of all parts */
	/**
	 * In the child: measure a part, and append its rows; `mine` is m, with a progress and an
	 * error that the parent is told. 0, or -errno.
	 */
	int (*run)(void *arg, int nr, const struct measure *mine, json_t *rows);
	void *arg;
};

/**
 * Measure all, and append them to the array `rows` of `doc` in their order, each as soon as its
 * part and all before it are there. 0; the first error that a part had, with its reason in diag;
 * -EBADMSG or -EIO, also in diag, where one died; -errno where there could be no more processes.
 */
int measure_apart(const struct measure_apart *a, json_t *doc, json_t *rows);

#endif

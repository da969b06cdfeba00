/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a kernel would print of misuse: a wrong address given back, a call that may sleep where
 * nobody may, a mapping that is never undone. The mm core keeps the first lines.
 */
#ifndef MM_WARN_H
#define MM_WARN_H

#include "mm/mm.h"

#define MM_MAX_WARNINGS 32

/** Keep a line, once with how often. Beyond MM_MAX_WARNINGS of them they are counted only. */
void mm_warn(struct mm *mm, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/**
 * Is the caller atomic, but the flags allow to sleep? Then a line says so: might_alloc() of the
 * kernel.
 */
bool mm_sleeps_in_atomic(struct mm *mm, const char *what, const struct mm_request *req);

/** How many there were since boot. */
uint64_t mm_nr_warnings(const struct mm *mm);
/** The i-th; NULL past those that are kept. Lives as long as the mm core. */
const char *mm_warning(const struct mm *mm, unsigned i);

#endif

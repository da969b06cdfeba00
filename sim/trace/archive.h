/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a trace is: in a file of its own, or in a capture (docs/captures.md), which is a folder or
 * an archive of one.
 */
#ifndef SIM_TRACE_ARCHIVE_H
#define SIM_TRACE_ARCHIVE_H

#include "sim/trace/unpack.h"

/**
 * As unpack_open(), but where `path` is a capture, opens the trace in it: trace.txt, trace.txt.gz,
 * trace.txt.zst or trace.bin. -ENOENT where it has none.
 */
int archive_open_trace(const char *path, struct diag *diag, struct unpack **out);

#endif

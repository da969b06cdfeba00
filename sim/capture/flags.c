/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What firmware says of memory beyond its node: which of it can be unplugged (SRAT), and which is
 * mirrored (EFI's map). Cuts the ranges of memory where that changes.
 */
#include "sim/capture/machine.h"

#include <errno.h>

/* Up to where the list says one thing of `at`, and which. */
static bool is_in(const struct captured_ranges *list, uint64_t at, uint64_t *end)
{
	for (size_t i = 0; i < list->nr; i++) {
		const struct captured_range *range = &list->at[i];

		if (at < range->start) {
			*end = *end < range->start ? *end : range->start;
		} else if (at < range->end) {
			*end = *end < range->end ? *end : range->end;
			return true;
		}
	}
	return false;
}

/* One range into pieces, of which neighbours differ in flags. */
static int cut(struct captured_ranges *out, struct captured_range range,
	       const struct captured_dmesg *dmesg)
{
	uint64_t end = range.end;
	bool first = true;
	int err = 0;

	while (!err && range.start < end) {
		struct captured_range *last = first ? NULL : &out->at[out->nr - 1];

		range.end = end;
		range.hotpluggable = is_in(&dmesg->hotpluggable, range.start, &range.end);
		range.mirrored = is_in(&dmesg->mirrored, range.start, &range.end);
		if (last && last->hotpluggable == range.hotpluggable &&
		    last->mirrored == range.mirrored)
			last->end = range.end;
		else
			err = ranges_add(out, &range, NULL, 0);
		first = false;
		range.start = range.end;
	}
	return err;
}

int captured_flags_read(struct captured_machine *m, const struct captured_dmesg *dmesg,
			const char *file, struct diag *diag)
{
	struct captured_ranges out = {0};
	int err = 0;

	for (size_t i = 0; i < m->memory.nr && !err; i++)
		err = cut(&out, m->memory.at[i], dmesg);
	if (err) {
		ranges_clear(&out);
		return err == -E2BIG
			       ? diag_error(diag, -EINVAL, file, 0,
					    "cut by what can be unplugged and what is "
					    "mirrored, there are more than %d ranges of memory",
					    CAPTURE_MAX_RANGES)
			       : err;
	}
	ranges_clear(&m->memory);
	m->memory = out;
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How much swap a captured machine had: swaps.txt (/proc/swaps), which names where it was, or the
 * total of meminfo.txt.
 */
#define _GNU_SOURCE /* memrchr */
#include "sim/capture/machine.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define MAX_SWAP_KIB (UINT64_C(1) << 50)

/* "/dev/vdb": its last part, in characters that a name may have. */
static char *name_of(const char *device, size_t len)
{
	const char *slash = memrchr(device, '/', len);
	size_t skip = slash ? (size_t)(slash - device) + 1 : 0;
	char *name = strndup(device + skip, len - skip < 31 ? len - skip : 31);

	if (name && !*name) {
		free(name);
		name = strdup("swap");
	}
	return name;
}

/* "FILENAME TYPE SIZE USED PRIORITY": blanks in the name are written \040. */
static bool read_line(const char *line, size_t *name_len, uint64_t *kib)
{
	const char *p = line;
	uint64_t used;

	*name_len = strcspn(p, " \t");
	p += *name_len;
	if (!*name_len || !scan_blanks(&p))
		return false;
	p += strcspn(p, " \t"); /* partition, file */
	scan_blanks(&p);
	if (!scan_decimal(&p, kib))
		return false;
	scan_blanks(&p);
	return scan_decimal(&p, &used) && used <= *kib && *kib <= MAX_SWAP_KIB;
}

static int read_swaps(struct captured_machine *m, const struct capture_file *f, struct diag *diag)
{
	for (size_t i = 1; i < f->nr_lines; i++) {
		size_t name_len;
		uint64_t kib;

		if (!f->lines[i][0])
			continue;
		if (!read_line(f->lines[i], &name_len, &kib) ||
		    m->swap_bytes + (kib << 10) > MAX_SWAP_KIB << 10)
			return capture_wrong(f, i, diag,
					     "'%s' is no line of /proc/swaps: expected a name, a "
					     "type, and a size and what is used of it in KiB",
					     capture_quote(f->lines[i]).text);
		m->swap_bytes += kib << 10;
		if (!m->swap_disk)
			m->swap_disk = name_of(f->lines[i], name_len);
		if (!m->swap_disk)
			return -ENOMEM;
	}
	return 0;
}

static int read_total(struct captured_machine *m, const struct capture_file *f, struct diag *diag)
{
	for (size_t i = 0; i < f->nr_lines; i++) {
		const char *p = f->lines[i];
		uint64_t kib;

		if (!scan_text(&p, "SwapTotal:"))
			continue;
		scan_blanks(&p);
		if (!scan_decimal(&p, &kib) || !scan_text(&p, " kB") || kib > MAX_SWAP_KIB)
			return capture_wrong(f, i, diag, "'%s': expected SwapTotal: N kB",
					     capture_quote(f->lines[i]).text);
		m->swap_bytes = kib << 10;
		if (kib)
			m->swap_disk = strdup("swap");
		return kib && !m->swap_disk ? -ENOMEM : 0;
	}
	return 0;
}

int captured_swap_read(struct captured_machine *m, const struct capture *c, struct diag *diag)
{
	/* Of the window, before what was there when the machine had booted. */
	static const struct {
		const char *name;
		int (*read)(struct captured_machine *m, const struct capture_file *f,
			    struct diag *diag);
	} from[] = {{"swaps.txt", read_swaps},
		    {"before/meminfo.txt", read_total},
		    {"meminfo.txt", read_total}};
	int err = -ENOENT;

	for (size_t i = 0; err == -ENOENT && i < sizeof(from) / sizeof(*from); i++) {
		struct diag unsaid = DIAG_INIT;
		struct capture_file f;

		/* Of meminfo it is one line that is wanted: a file that was cut is as good as none. */
		err = capture_read(c, from[i].name, i ? &unsaid : diag, &f);
		if (i && err == -EINVAL)
			err = -ENOENT;
		if (!err)
			err = from[i].read(m, &f, diag);
		diag_clear(&unsaid);
		capture_close(&f);
	}
	return err == -ENOENT ? 0 : err;
}

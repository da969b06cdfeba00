/* SPDX-License-Identifier: Apache-2.0 */
/* What a machine's kernel shows of it, in a folder or an archive: /proc/iomem, node lists, boot
 * log. */
#include "sim/capture/machine.h"
#include "sim/import/import.h"

static int read(const char *input, struct diag *diag, FILE *out)
{
	struct captured_machine *m = NULL;
	struct capture *c;
	int err = capture_open(input, diag, &c);

	if (!err)
		err = captured_machine_read(c, diag, &m);
	if (!err)
		err = captured_machine_write(m, diag, out);
	captured_machine_free(m);
	capture_free(c);
	return err;
}

const struct import_kind import_capture = {
	.name = "capture",
	.summary = "an archive of tools/capture, or a folder with iomem.txt, cpuinfo.txt, "
		   "dmesg.txt, ...",
	.read = read,
};

/* SPDX-License-Identifier: Apache-2.0 */
/* A folder of what a machine's kernel shows of it: /proc/iomem, node lists, boot messages. */
#include "sim/capture/machine.h"
#include "sim/import/import.h"

static int read(const char *input, struct diag *diag, FILE *out)
{
	struct captured_machine *m;
	int err = captured_machine_read(input, diag, &m);

	if (!err)
		err = captured_machine_write(m, diag, out);
	captured_machine_free(m);
	return err;
}

const struct import_kind import_capture = {
	.name = "capture",
	.summary = "a folder with iomem.txt, cpuinfo.txt, dmesg.txt, node0.cpulist.txt, ...",
	.read = read,
};

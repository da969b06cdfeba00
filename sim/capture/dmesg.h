/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a kernel's boot messages say of the machine: firmware's memory map, which memory is whose
 * node (SRAT), where the boot loader put the initrd, what is given back late. Not what the kernel
 * made of it (that is bootlog.h).
 */
#ifndef SIM_CAPTURE_DMESG_H
#define SIM_CAPTURE_DMESG_H

#include "sim/capture/ranges.h"

struct captured_dmesg {
	char *version;                 /* the line "Linux version ...", NULL: not there */
	char *command_line;            /* NULL: not there */
	struct captured_ranges usable; /* e820, or the map that the command line makes of it */
	struct captured_ranges nodes;  /* of SRAT, or of numa=fake; none where not used */
	int nr_srat;                   /* nodes that SRAT has, whatever numa=fake makes of them */
	struct captured_ranges hotpluggable; /* of SRAT */
	struct captured_ranges mirrored;     /* of EFI's map, which efi=debug prints */
	struct captured_ranges tables;       /* of ACPI, which are reserved */
	struct captured_ranges
		late; /* "Freeing WHAT memory: NK": [0, N KiB), in the file's order */
	struct captured_range initrd; /* end 0: not there */
	uint64_t xsave_bytes;         /* of a CPU's registers; 0: not there */
	bool freed_init;              /* "Freeing unused kernel ...": the boot went to its end */
};

/** A line without its time stamp. */
const char *dmesg_text(const char *line);

/**
 * Read the lines that describe the machine; all others are skipped. Returns 0 (free with
 * dmesg_clear()); -EINVAL with the line where such a line cannot be read; -ENOMEM. *out may be
 * cleared in each case.
 */
int dmesg_parse(const struct capture_file *f, struct diag *diag, struct captured_dmesg *out);
void dmesg_clear(struct captured_dmesg *d);

#endif

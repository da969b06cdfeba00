/* SPDX-License-Identifier: Apache-2.0 */
/* What can be wrong in the disks of a machine file, and in who is on them. */
#include "tests/machine_refused.h"

#define DISK(name, rest)                                                                           \
	"{ name = \"" name "\"; bandwidth_read = \"500MB/s\"; bandwidth_write = \"250MB/s\"; "     \
	"latency = \"80us\"; " rest " }"

Test(disk_errors, disks)
{
	refused(ONE
		"disks = ( { name = \"sda\"; latency = \"80us\"; bandwidth_read = \"1GB/s\"; } );",
		"m.cfg:6: disks[0]: 'bandwidth_write' is missing");
	refused(ONE "disks = ( " DISK("sda", "queue_dept = 1;") " );",
		"m.cfg:6: disks[0].queue_dept: unknown key 'queue_dept', did you mean "
		"'queue_depth'? "
		"(known: name, bandwidth_read, bandwidth_write, latency, queue_depth, nr_requests, "
		"scheduler, source)");
	refused(ONE "disks = ( " DISK("sda", "queue_depth = 0;") " );",
		"m.cfg:6: disks[0].queue_depth: expected an integer from 1 to 1024, found 0");
	refused(ONE "disks = ( " DISK("sda", "nr_requests = 0;") " );",
		"m.cfg:6: disks[0].nr_requests: expected an integer from 1 to 65536, found 0");
	refused(ONE "disks = ( " DISK("sda", "scheduler = \"noone\";") " );",
		"m.cfg:6: disks[0].scheduler: unknown scheduler 'noone', did you mean 'none'? "
		"(known: mq-deadline, none)");
	refused(ONE "disks = ( { name = \"sda\"; latency = \"0s\"; bandwidth_read = \"1GB/s\"; "
		    "bandwidth_write = \"1GB/s\"; } );",
		"m.cfg:6: disks[0].latency: expected a latency above 0 and up to 1s, found 0");
	refused(ONE "disks = ( { name = \"sda\"; latency = \"1us\"; bandwidth_read = \"1GB\"; "
		    "bandwidth_write = \"1GB/s\"; } );",
		"m.cfg:6: disks[0].bandwidth_read: \"1GB\" has an unknown unit (known: B/s, kB/s, "
		"MB/s, "
		"GB/s, TB/s, PB/s, KiB/s, MiB/s, GiB/s, TiB/s, PiB/s)");
	refused(ONE "disks = ( " DISK("sda", "") ",\n" DISK("sda", "") " );",
		"m.cfg:7: disks[1].name: there is a disk 'sda' already");
	refused(ONE "disks = ( " DISK("", "") " );",
		"m.cfg:6: disks[0].name: expected a name, found nothing");
	refused(ONE "disks = ( " DISK("sda", "") ", " DISK(
			"nvme0", "") " );\n"
				     "kernel = { swap = \"1GiB\"; swap_disk = \"nvme\"; };",
		"m.cfg:7: kernel.swap_disk: unknown disk 'nvme', did you mean 'nvme0'? (known: "
		"sda, "
		"nvme0)");
	refused(ONE "kernel = { swap = \"1GiB\";\nswap_disk = \"sda\"; };",
		"m.cfg:7: kernel.swap_disk: the machine has no 'disks'");
	refused(ONE "disks = ( " DISK("sda", "") " );\nkernel = { swap_disk = \"sda\"; };",
		"m.cfg:7: kernel.swap_disk: needs 'swap', how much of it there is");
}

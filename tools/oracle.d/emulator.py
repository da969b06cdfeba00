# SPDX-License-Identifier: Apache-2.0
"""From a machine to the emulator's command line, and a boot of it.

QEMU's PC puts the memory of its nodes one after the other, in the order of their numbers: from 0
up to a limit below 4 GiB, where its devices are, and from 4 GiB on. A machine whose memory lies
like that is emulated address by address, holes being hidden from the kernel with memmap=. Of any
other the sizes are kept, and the plan says why the addresses are not."""

import os
import subprocess
from dataclasses import dataclass, field

import tables
from packages import QEMU, Failure

MIB = 1 << 20
GIB = 1 << 30
LOW_DEFAULT = 3 * GIB          # the limit when there is more memory than fits below
LOW_MAX = 3 * GIB + 512 * MIB  # and when there is not
FIRMWARE_TABLES = 192 << 10    # at the end of memory below 4 GiB; SeaBIOS takes 128 KiB and more
MAX_NODES = 128                # MAX_NODES of QEMU
MAX_CPUS = 255                 # with xAPIC ids
MAX_BYTES = 1 << 40            # 40 physical address bits of TCG

# Our own: where the kernel says what it does, and what makes a boot repeatable. memblock=debug
# tells every early reservation, the others print zonelists and the layout of page->flags. On a busy
# host an emulated timer may come too late for the kernel's check of it.
KERNEL_ARGS = ("console=ttyS0 earlyprintk=ttyS0,115200 mminit_loglevel=4 ignore_loglevel nokaslr "
               "no_timer_check panic=-1 memblock=debug")


@dataclass
class Plan:
    """A machine that QEMU can make."""
    name: str
    sizes: list            # of each node, in MiB; 0: no memory
    cpu_nodes: list        # of each CPU
    distances: list        # a row a node, or [] for the kernel's default
    low_limit: int = 0     # where memory below 4 GiB ends, in bytes; 0: QEMU's own
    hotpluggable: list = field(default_factory=list)  # (start, end) that SRAT says can be unplugged
    kernel_args: list = field(default_factory=list)
    notes: list = field(default_factory=list)  # what is not as the machine file says

    def low_end(self):
        """Where memory below 4 GiB ends, in bytes."""
        total = sum(self.sizes) * MIB
        return min(total, self.low_limit or (LOW_DEFAULT if total >= LOW_MAX else LOW_MAX))

    def total_mib(self):
        """All memory."""
        return sum(self.sizes)


def fmt(address):
    """An address as the kernel's options take it."""
    return f"{address:#x}"


def check_plan(plan):
    """Refuse, with the reason, what QEMU cannot do."""
    if len(plan.sizes) > MAX_NODES:
        raise Failure(f"{len(plan.sizes)} nodes; QEMU has at most {MAX_NODES}")
    if len(plan.cpu_nodes) > MAX_CPUS:
        raise Failure(f"{len(plan.cpu_nodes)} CPUs; QEMU's PC has at most {MAX_CPUS}")
    for nid, size in enumerate(plan.sizes):
        if not size and nid not in plan.cpu_nodes:
            raise Failure(f"node {nid} has neither memory nor CPUs: a PC's firmware cannot "
                          "describe it")
    total = plan.total_mib() * MIB
    if total > MAX_BYTES:
        raise Failure(f"{total // GIB} GiB; an emulated PC addresses at most {MAX_BYTES // GIB}")
    if total < 128 * MIB:
        raise Failure(f"{total // MIB} MiB; Debian's kernel needs 128")


def check_host(plan):
    """Refuse, with the reason, what this host has no memory for."""
    total = plan.total_mib() * MIB
    # Guest memory is taken from the host where the guest touches it: page descriptors (64 B for
    # 4 KiB), and what kernel and init use.
    need = total // 64 + 512 * MIB + len(plan.cpu_nodes) * 8 * MIB
    have = available_bytes()
    if need > have:
        raise Failure(f"booting {total // GIB} GiB takes some {need // MIB} MiB of this host, "
                      f"which has {have // MIB} MiB to spare")


def available_bytes():
    """What the host can give away."""
    with open("/proc/meminfo", encoding="ascii") as f:
        for line in f:
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    return MAX_BYTES


def address_plan(nodes, ranges):
    """(sizes in MiB, low limit, memmap= options) for exactly these addresses, or a Failure.

    `ranges` is sorted: (start, end, nid)."""
    order = [nid for _, _, nid in ranges]
    if order != sorted(order):
        raise Failure("its nodes do not lie in memory in the order of their numbers")
    if ranges[0][0] > MIB:
        raise Failure(f"its memory begins at {fmt(ranges[0][0])}")
    low_end = max([end for _, end, _ in ranges if end <= 4 * GIB], default=0)
    low_end = -(-low_end // MIB) * MIB
    high_end = max(ranges[-1][1], 4 * GIB)
    if any(start < 4 * GIB < end for start, end, _ in ranges):
        raise Failure("it has memory across 4 GiB, where a PC has its devices")
    limit = LOW_DEFAULT if high_end > 4 * GIB else LOW_MAX
    if low_end > limit:
        raise Failure(f"it has memory up to {fmt(low_end)}, where a PC has its devices")

    def linear(address):
        """As if there were no room for devices below 4 GiB."""
        return low_end + address - 4 * GIB if address >= 4 * GIB else min(address, low_end)

    # Each node reaches to where the next one begins, the last to its own end. Both are whole MiB.
    sizes, start, holes = [0] * nodes, 0, []
    owners = sorted(set(order))
    for nid, following in zip(owners, owners[1:] + [None]):
        last = max(end for _, end, n in ranges if n == nid)
        end = -(-last // MIB) * MIB
        if following is not None:
            end = min(s for s, _, n in ranges if n == following)
            if linear(end) % MIB:
                raise Failure(f"node {following} begins at {fmt(end)}, not at a whole MiB")
        sizes[nid] = (linear(end) - start) // MIB
        start = linear(end)
        if not sizes[nid]:
            raise Failure(f"node {nid} has less than 1 MiB")
    # What lies below 1 MiB, and between the limit below 4 GiB and 4 GiB, is the firmware's affair.
    at = MIB
    for range_start, range_end, _ in ranges + [(linear_end(low_end, high_end), 0, 0)]:
        for lo, hi in split_at_devices(at, range_start, low_end):
            # At the limit are the firmware's tables, and below them the initrd: not to be hidden.
            if lo < hi and (hi != low_end or hi - lo >= MIB or hi - lo <= FIRMWARE_TABLES):
                holes.append(f"memmap={(hi - lo) // 1024}K${fmt(lo)}")
        at = max(at, range_end)
    return sizes, low_end if high_end > 4 * GIB and low_end != LOW_DEFAULT else 0, holes


def linear_end(low_end, high_end):
    """Where memory ends."""
    return -(-high_end // MIB) * MIB if high_end > 4 * GIB else low_end


def split_at_devices(lo, hi, low_end):
    """The parts of a hole that have memory behind them in the emulated machine."""
    if lo >= hi:
        return []
    parts = []
    if lo < low_end:
        parts.append((lo, min(hi, low_end)))
    if hi > 4 * GIB:
        parts.append((max(lo, 4 * GIB), hi))
    return parts


def kernel_options(kernel):
    """The command line's part of a machine file's kernel group."""
    options = [f"{key}={kernel[key + '_bytes'] // 1024}K"
               for key in ("kernelcore", "movablecore", "mem") if kernel[key + "_bytes"]]
    if kernel["kernelcore_mirror"]:
        options.append("kernelcore=mirror")
    if kernel["movable_node"]:
        options.append("movable_node")
    options += [f"memmap={hole['bytes']:#x}${fmt(hole['base'])}" for hole in kernel["memmap"]]
    if kernel["numa_off"]:
        options.append("numa=off")
    if kernel["numa_fake"]:
        options.append(f"numa=fake={kernel['numa_fake']}")
    if kernel["numa_fake_bytes"]:
        options.append(f"numa=fake={-(-kernel['numa_fake_bytes'] // MIB)}M")
    if kernel["numa_fake_each"]:
        options.append(f"numa=fake={kernel['numa_fake_each']}U")
    if kernel["transparent_hugepage"] != "always":
        options.append(f"transparent_hugepage={kernel['transparent_hugepage']}")
    if kernel["default_hugepagesz"] != 2 * MIB:
        options.append(f"default_hugepagesz={kernel['default_hugepagesz'] // MIB}M")
    for pool in kernel["hugepages"]:
        pages = [f"{nid}:{pages}" for nid, pages in enumerate(pool["by_node"])]
        options += [f"hugepagesz={pool['bytes'] // MIB}M",
                    f"hugepages={','.join(pages) or pool['pages']}"]
    return options


def plan_of_machine(topology):
    """A Plan from what `numasim show MACHINE topology --format json` says."""
    if topology["architecture"] != "x86_64":
        raise Failure(f"its architecture is {topology['architecture']}; the kernel that is booted "
                      "is x86_64")
    if topology["memory_model"] != "sparse-vmemmap":
        raise Failure(f"its memory model is {topology['memory_model']}; Debian builds x86_64 with "
                      "sparse-vmemmap (try --set memory_model=sparse-vmemmap)")
    nodes = topology["nodes"]
    ranges = sorted((r["base"], r["base"] + r["bytes"], node["node"])
                    for node in nodes for r in node["memory"])
    cpu_of = {cpu: node["node"] for node in nodes for cpu in node["cpus"]}
    distances = topology["distances"]
    if all(d == (10 if i == j else 20)
           for i, row in enumerate(distances) for j, d in enumerate(row)):
        distances = []
    plan = Plan(topology["name"], [], [cpu_of[cpu] for cpu in sorted(cpu_of)], distances)
    try:
        plan.sizes, plan.low_limit, plan.kernel_args = address_plan(len(nodes), ranges)
    except Failure as why:
        plan.sizes = [-(-sum(r["bytes"] for r in node["memory"]) // MIB) for node in nodes]
        plan.notes.append(f"sizes kept, not addresses: {why}")
        if any(r["hotpluggable"] for node in nodes for r in node["memory"]):
            plan.notes.append("where memory lies is not kept: none of it can be unplugged")
    else:
        plan.hotpluggable = [(r["base"], r["base"] + r["bytes"]) for node in nodes
                             for r in node["memory"] if r["hotpluggable"]]
    if any(r["mirrored"] for node in nodes for r in node["memory"]):
        plan.notes.append("an emulated PC mirrors no memory")
    order = list(dict.fromkeys(plan.cpu_nodes + list(range(len(nodes)))))
    if order != sorted(order):
        plan.notes.append("the kernel numbers nodes as the firmware names them, by CPUs first: "
                          f"what is node {', '.join(map(str, order))} here is node 0, 1, ... there")
    plan.kernel_args += kernel_options(topology["kernel"])
    check_plan(plan)
    return plan


def table_options(plan, folder):
    """ACPI's tables of our own in `folder`, in place of -numa."""
    ranges = tables.node_ranges(plan.sizes, plan.low_end())
    bodies = {"SRAT": tables.srat(plan.cpu_nodes, ranges, plan.hotpluggable)}
    if plan.distances:
        bodies["SLIT"] = tables.slit(plan.distances)
    options = []
    for sig, body in bodies.items():
        path = os.path.join(folder, sig.lower() + ".bin")
        with open(path, "wb") as f:
            f.write(body)
        options += ["-acpitable", f"sig={sig},rev={3 if sig == 'SRAT' else 1},data={path}"]
    return options


def machine_options(plan, folder=None):
    """The emulator's options that make the machine. Tables of its own go to `folder`; None: they
    are only named."""
    limit = f",max-ram-below-4g={plan.low_limit}" if plan.low_limit else ""
    nr_cpus = len(plan.cpu_nodes)
    options = ["-machine", "pc" + limit, "-m", f"{plan.total_mib()}M",
               "-smp", f"{nr_cpus},sockets={nr_cpus},cores=1,threads=1"]
    if plan.hotpluggable and folder:
        return options + table_options(plan, folder)
    if plan.hotpluggable:
        return options + ["-acpitable", "sig=SRAT,..."]
    if len(plan.sizes) == 1 and not plan.distances:
        return options
    for nid, size in enumerate(plan.sizes):
        node = f"node,nodeid={nid}"
        if size:
            options += ["-object", f"memory-backend-ram,id=m{nid},size={size}M"]
            node += f",memdev=m{nid}"
        options += ["-numa", node]
    for cpu, nid in enumerate(plan.cpu_nodes):
        options += ["-numa", f"cpu,node-id={nid},socket-id={cpu},core-id=0,thread-id=0"]
    for i, row in enumerate(plan.distances):
        for j, distance in enumerate(row):
            options += ["-numa", f"dist,src={i},dst={j},val={distance}"]
    return options


class Unfinished(Failure):
    """The emulated machine did not end in time."""


def boot(plan, parts, folder, timeout, devices=()):
    """Boot it. Leaves console.txt (the kernel's messages) and serial.txt (files) in `folder`.
    `devices` are more of the emulator's options."""
    os.makedirs(folder, exist_ok=True)
    console, serial = (os.path.join(folder, name) for name in ("console.txt", "serial.txt"))
    line = " ".join([KERNEL_ARGS, *plan.kernel_args])
    command = [QEMU, "-accel", "tcg", "-cpu", "max", "-nodefaults", "-display", "none",
               "-no-reboot", "-serial", f"file:{console}", "-serial", f"file:{serial}",
               "-kernel", parts["kernel"], "-initrd", parts["initrd"], "-append", line,
               *machine_options(plan, folder), *devices]
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                              stderr=subprocess.PIPE, text=True, timeout=timeout, check=False)
    except subprocess.TimeoutExpired:
        raise Unfinished(f"did not finish in {timeout} s; the kernel's messages are in "
                         f"{console}") from None
    if done.returncode:
        raise Failure(f"QEMU failed: {done.stderr.strip()}")
    return line

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Make the tables of what real kernels made of machines, from captures of them.

    make_shapes.py CAPTURE... > tests/reference/shapes.inc
    make_shapes.py --sysctls CAPTURE > tests/reference/sysctls.inc

A CAPTURE is the folder of one booted machine: shape.txt, dmesg.txt, iomem.txt, cpuinfo.txt,
zones.tsv (zoneinfo as a table), memblock_reserved.tsv (who took what at boot), sysctl_vm.txt,
nodeN.cpulist.txt and nodeN.distance.txt, and managed_account.txt (managed pages, and how many of
them came late). One row of struct reference_shape comes of each; reference.h says what the columns
are.

managed_then: the pages under management when the kernel computed watermarks and lowmem_reserve.
That is before initrd and init sections are given back, and after the SMP alternatives are: they
are freed in check_bugs(), before any initcall. They belong to the zone of the kernel's code.

With --sysctls, the capture has a folder NN_KEY=VALUE for each sysctl written, one after the other;
each becomes a row of struct reference_step, with all that was in force then.
"""
import os
import re
import sys

ZONES = {
    "x86_64": ["DMA", "DMA32", "Normal", "Movable", "Device"],
    "i386": ["DMA", "Normal", "HighMem", "Movable"],
}


def read(folder, name):
    path = os.path.join(folder, name)
    if not os.path.exists(path):
        return ""
    with open(path, encoding="utf-8", errors="replace") as f:
        return f.read()


def size(text):
    """A size as kernelcore= takes it: 700M, 1G."""
    return int(text[:-1]) << {"K": 10, "M": 20, "G": 30}[text[-1].upper()]


def memory(dmesg):
    nodes = re.compile(r"\] +node +(\d+): \[mem (0x[0-9a-f]+)-(0x[0-9a-f]+)\]")
    return [(int(n), int(a, 16), int(b, 16) + 1) for n, a, b in nodes.findall(dmesg)]


def count_cpus(cpulist):
    total = 0
    for part in cpulist.strip().split(","):
        if part:
            ends = [int(x) for x in part.split("-")]
            total += ends[-1] - ends[0] + 1
    return total


def cpus(folder, nr_nodes):
    """CPUs of each node. Fake nodes share all CPUs: those go to node 0, the others have none,
    and a node without CPUs has its per-CPU lists sized for all of them, which is the same."""
    online = len(re.findall(r"^processor\s*:", read(folder, "cpuinfo.txt"), re.M))
    by_node = [count_cpus(read(folder, f"node{n}.cpulist.txt")) for n in range(nr_nodes)]
    if sum(by_node) != online:
        by_node = [online] + [0] * (nr_nodes - 1)
    return by_node


def distances(folder, nr_nodes):
    rows = [read(folder, f"node{n}.distance.txt").split() for n in range(nr_nodes)]
    return [[int(d) for d in row] for row in rows if row]


def managed_then(folder, dmesg):
    """By (node, zone); empty where the capture does not say what was given back late."""
    then = {}
    account = re.compile(r"^(\d+) (\w+) present .* present-reserved (\d+) managed", re.M)
    for node, zone, pages in account.findall(read(folder, "managed_account.txt")):
        then[int(node), zone] = int(pages)
    kib = re.search(r"Freeing SMP alternatives memory: (\d+)K", dmesg)
    code = re.search(r"([0-9a-f]+)-[0-9a-f]+ : Kernel code", read(folder, "iomem.txt"))
    for row in zones(folder):
        start = 0 if row["start_pfn"] == "-" else int(row["start_pfn"])
        pfn = int(code.group(1), 16) >> 12
        if then and start <= pfn < start + int(row["spanned"]):
            then[int(row["node"]), row["zone"]] += int(kib.group(1)) // 4
    return then


def zones(folder):
    lines = read(folder, "zones.tsv").strip().split("\n")
    names = lines[0].split("\t")
    return [dict(zip(names, line.split("\t"))) for line in lines[1:]]


def numbers(items):
    return "{" + ", ".join(str(i) for i in items) + "}"


def zonelists(dmesg, kind):
    """"0:DMA32=0:DMA32 0:DMA": by its own zone, the list as the kernel prints it."""
    lines = re.findall(rf"mminit::zonelist {kind} (\S+) = (.*?) *$", dmesg, re.M)
    return "; ".join(f"{zone}={refs}" for zone, refs in lines)


def zone_row(row, then):
    key = int(row["node"]), row["zone"]
    def figure(name):
        return 0 if row[name] == "-" else int(row[name])
    threshold = 0 if row["stat_threshold"] == "-" else row["stat_threshold"].split(",")[0]
    fields = [row["node"], f'"{row["zone"]}"'] + [figure(n) for n in (
        "start_pfn", "spanned", "present", "managed")] + [then.get(key, figure("managed"))]
    fields += [figure(n) for n in ("min", "low", "high", "pcp_high", "pcp_batch")] + [threshold]
    protection = [int(p) for p in row["protection"].strip("()").split(",")]
    return "{" + ", ".join(str(f) for f in fields) + ", " + numbers(protection) + "}"


def model_bytes(folder):
    """What memblock gave for page descriptors, and for the tables that find them. The section
    usage maps, some hundred bytes that sparse_init_nid() asks for too, are neither."""
    memmap = tables = 0
    taken = re.compile(r"^\S+\t\S+\t(\d+)\t(\w+)", re.M)
    for size_bytes, who in taken.findall(read(folder, "memblock_reserved.tsv")):
        if who in ("sparse_init_nid", "memmap_alloc") and int(size_bytes) >= 1 << 20:
            memmap += int(size_bytes)
        if who in ("sparse_init", "sparse_index_alloc", "vmemmap_alloc_block_zero"):
            tables += int(size_bytes)
    return memmap, tables


def shape(folder):
    text, dmesg = read(folder, "shape.txt"), read(folder, "dmesg.txt")
    name = re.search(r"^shape: (\S+)", text, re.M).group(1)
    arch = re.search(r"^arch: (\S+)", text, re.M).group(1)
    arch = "i386" if arch not in ZONES else arch
    ranges = memory(dmesg)
    nr_nodes = 1 + max(int(row["node"]) for row in zones(folder))
    orders = re.findall(r"Fallback order for Node (\d+): ([\d ]+)", dmesg)
    nr_nodes = max([nr_nodes] + [int(n) + 1 for n, _ in orders])
    command = read(folder, "cmdline.txt")
    core = re.search(r"\bkernelcore=(\S+)", command)
    min_free = re.search(r"min_free_kbytes = (\d+)", read(folder, "sysctl_vm.txt")).group(1)
    then = managed_then(folder, dmesg)

    out = [f'{{\n\t.name = "{name}",', f"\t.min_free_kbytes = {min_free},"]
    memmap, tables = model_bytes(folder)
    out.append(f"\t.memmap_bytes = {memmap},\n\t.table_bytes = {tables},")
    if not then:
        sys.exit(f"{folder}: managed_account.txt says nothing")
    out.append("\t.machine = {")
    out.append(f"\t\t.arch = MM_{arch.upper()},")
    out.append("\t\t.model = " + ("MM_FLAT," if arch == "i386" else "MM_SPARSE_VMEMMAP,"))
    out.append("\t\t.memory = {" + ",\n\t\t\t   ".join(
        f"{{{a:#x}, {b - a:#x}, {n}}}" for n, a, b in ranges) + "},")
    out.append(f"\t\t.cpus = {numbers(cpus(folder, nr_nodes))},")
    out.append(f"\t\t.nodes = {nr_nodes},")
    if distances(folder, nr_nodes):
        out.append("\t\t.distance = {" + ",\n\t\t\t     ".join(
            numbers(row) for row in distances(folder, nr_nodes)) + "},")
    if core:
        out.append(f"\t\t.kernelcore_bytes = {size(core.group(1)):#x},")
    out.append("\t},")
    out.append("\t.zones = {")
    out += [f"\t\t{zone_row(row, then)}," for row in zones(folder)]
    out.append("\t},")
    out.append('\t.fallback = "' + "; ".join(f"{n}: {o.strip()}" for n, o in orders) + '",')
    for kind in "general", "thisnode":
        out.append(f'\t.{kind} = "' + zonelists(dmesg, kind).replace(
            "; ", '; "\n\t\t   "') + '",')
    out.append("},")
    return "\n".join(out)


def sysctls(folder):
    force = {"min_free_kbytes": "67584", "watermark_scale_factor": "10",
             "lowmem_reserve_ratio": "256_256_32", "percpu_pagelist_high_fraction": "0"}
    out = []
    for step in sorted(d for d in os.listdir(folder) if "=" in d):
        key, value = step.split("_", 1)[1].split("=")
        if key not in force:
            sys.exit(f"{step}: a sysctl that no row has")
        force[key] = value
        ratio = numbers(force["lowmem_reserve_ratio"].split("_"))
        out += [f'{{\n\t.name = "{step}",', f"\t.min_free_kbytes = {force['min_free_kbytes']},",
                f"\t.watermark_scale_factor = {force['watermark_scale_factor']},",
                f"\t.lowmem_reserve_ratio = {ratio},",
                f"\t.high_fraction = {force['percpu_pagelist_high_fraction']},", "\t.zones = {"]
        rows = zones(os.path.join(folder, step))
        out += [f"\t\t{zone_row(row, {})}," for row in rows if row["start_pfn"] != "-"]
        out.append("\t},\n},")
    return "\n".join(out)


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    print("/* SPDX-License-Identifier: Apache-2.0 */")
    print("/* Made by make_shapes.py from captures of Linux 6.1 (Debian 12); see reference.h. */")
    if sys.argv[1] == "--sysctls":
        print(sysctls(sys.argv[2]))
        return
    for folder in sys.argv[1:]:
        print(shape(folder))


if __name__ == "__main__":
    main()

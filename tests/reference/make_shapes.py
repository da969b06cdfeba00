#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Make the tables of what real kernels made of machines, from captures of them.

    make_shapes.py CAPTURES > tests/reference/shapes.inc
    make_shapes.py --sysctls CAPTURES > tests/reference/sysctls.inc

CAPTURES is a folder of folders, one for each booted machine, which hold shape.txt, cmdline.txt,
dmesg.txt, iomem.txt, cpuinfo.txt, zones.tsv (zoneinfo as a table), memblock_memory.tsv and
memblock_reserved.tsv (who took what at boot), sysctl_vm.txt, nodeN.cpulist.txt and
nodeN.distance.txt. One row of struct reference_shape comes of each; reference.h says what the
columns are. Where a capture is of a machine that things are plugged into later, what counts is its
folder 0_boot.

Where a capture has no memblock_reserved.tsv, that of another one of the same machine stands in; and
where there is none either, its managed pages are given.

With --sysctls, the capture that has a folder NN_KEY=VALUE for each sysctl written, one after the
other: each becomes a row of struct reference_step.
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
    if name == "shape.txt" and not os.path.exists(path):
        path = os.path.join(folder, os.pardir, name)
    if not os.path.exists(path):
        return ""
    with open(path, encoding="utf-8", errors="replace") as f:
        return f.read()


def size(text):
    """A size as kernelcore= takes it: 700M, 1G."""
    return int(text[:-1]) << {"K": 10, "M": 20, "G": 30}[text[-1].upper()]


def rows(folder, name):
    """Lines of a table, each a list, without the head."""
    return [line.split("\t") for line in read(folder, name).strip().split("\n")[1:]]


def memory(folder, dmesg):
    """(node, start, end) of each range, from memblock or, without its dump, the boot messages."""
    dump = rows(folder, "memblock_memory.tsv")
    if dump:
        return [(int(node), int(start, 16), int(end, 16)) for start, end, _, node in dump]
    nodes = re.compile(r"\] +node +(\d+): \[mem (0x[0-9a-f]+)-(0x[0-9a-f]+)\]")
    return [(int(n), int(a, 16), int(b, 16) + 1) for n, a, b in nodes.findall(dmesg)]


HOLDS = {
    "memmap_alloc": "MEMMAP",
    "free_area_init": "NODE_DESCRIPTOR",  # of a node without memory
    "pcpu_fc_alloc": "PER_CPU",
    "pcpu_embed_first_chunk": "PER_CPU",
    "sparse_init": "SECTION_TABLE",
    "sparse_index_alloc": "SECTION_TABLE",
    "vmemmap_alloc_block_zero.constprop.0": "PAGE_TABLES",
}
NODE_DESCRIPTOR_BYTES = 176128


def holds(who, size_bytes):
    """What a range of memblock_reserved.tsv holds, as enum mm_holds has it. sparse_init_nid() asks
    for page descriptors, and for section usage maps of some hundred bytes."""
    if who == "sparse_init_nid" and size_bytes >= 1 << 20:
        return "MEMMAP"
    if who.startswith("NODE_DATA") and size_bytes == NODE_DESCRIPTOR_BYTES:
        return "NODE_DESCRIPTOR"
    return HOLDS.get(who.split(" ")[0], "OTHER")


def reserved(folder):
    """(start, bytes, what it holds); those of nothing of note that touch are one."""
    out = []
    for start, end, _, who in rows(folder, "memblock_reserved.tsv"):
        start, end = int(start, 16), int(end, 16)
        what = holds(who if who.startswith("NODE") else who.split(" ")[0], end - start)
        if out and what == "OTHER" == out[-1][2] and sum(out[-1][:2]) == start:
            out[-1] = out[-1][0], end - out[-1][0], what
        else:
            out.append((start, end - start, what))
    return out


def initrd(dmesg):
    moved = re.search(r"Allocated new RAMDISK: \[mem (0x[0-9a-f]+)", dmesg)
    start = int((moved or re.search(r" RAMDISK: \[mem (0x[0-9a-f]+)", dmesg)).group(1), 16)
    return start


def released(folder, dmesg):
    """(start, bytes, before the initcalls?): what the "Freeing ... memory" lines give back, and
    where. From iomem the image is code, gap, rodata, gap, data, init, bss. Linux's vmlinux.lds has
    the SMP alternatives behind the init sections, and what need not stay decrypted at the end of
    the bss; in which zone they are is certain, and no figure tells more."""
    image = {name: (int(a, 16), int(b, 16) + 1) for a, b, name in re.findall(
        r"([0-9a-f]+)-([0-9a-f]+) : Kernel (\w+)", read(folder, "iomem.txt"))}
    def page_up(address):
        return (address + 4095) & ~4095
    size_of = {name: int(kib) << 10 for name, kib in
               re.findall(r"Freeing (.*) memory: (\d+)K", dmesg)}
    smp = image["bss"][0] - size_of["SMP alternatives"]
    at = {
        "SMP alternatives": smp,
        "initrd": initrd(dmesg),
        "unused decrypted": image["bss"][1] - size_of.get("unused decrypted", 0),
        "unused kernel image (initmem)": smp - size_of["unused kernel image (initmem)"],
        "unused kernel image (text/rodata gap)": page_up(image["code"][1]),
        "unused kernel image (rodata/data gap)": page_up(image["rodata"][1]),
    }
    return [(at[name], size_bytes, name == "SMP alternatives")
            for name, size_bytes in size_of.items()]


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


def zone_row(row):
    def figure(name):
        return 0 if row[name] == "-" else int(row[name])
    threshold = 0 if row["stat_threshold"] == "-" else row["stat_threshold"].split(",")[0]
    fields = [row["node"], f'"{row["zone"]}"'] + [figure(n) for n in (
        "start_pfn", "spanned", "present", "managed", "min", "low", "high", "pcp_high",
        "pcp_batch")] + [threshold]
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


def layout(dmesg):
    """Widths, then shifts of SECTION, NODE, ZONE and LAST_CPUPID in page->flags."""
    fields = r" Section (\d+) Node (\d+) Zone (\d+) Lastcpupid (\d+)"
    return [int(n) for kind in ("widths", "pgshifts") for n in
            re.search(f"pageflags_layout_{kind}{fields}", dmesg).groups()]


def identity(folder):
    """What two captures of one machine have in common: options of the emulator, and the kernel."""
    return re.findall(r"^(?:qemu options|kernel): .*", read(folder, "shape.txt"), re.M)


def table(head, items, tail="},"):
    """Lines of `head` and the items, as many to a line as fit."""
    lines = [head]
    for item in items:
        if len(lines[-1]) + len(item) > 88:
            lines.append("\t\t\t")
        lines[-1] += item + ", "
    return "\n".join(line.rstrip() for line in lines).rstrip(",") + tail


def given(folder, arch):
    """Presets of what is managed."""
    found = [(r["node"], ZONES[arch].index(r["zone"]), r["managed"]) for r in zones(folder)
             if r["managed"] != "0"]
    presets = [f"{{.nid = {n}, .zone = {z}, .has_managed = true, .managed = {m}}}"
               for n, z, m in found]
    return [table("\t\t.presets = {", presets), f"\t\t.nr_presets = {len(found)},"]


def machine(folder, twin, dmesg, arch, nr_nodes):
    core = re.search(r"\bkernelcore=(\S+)", read(folder, "cmdline.txt"))
    late = released(folder, dmesg)
    taken = reserved(twin) if twin else [(start, size, "OTHER") for start, size, _ in late]
    out = ["\t.machine = {"]
    out.append(f"\t\t.arch = MM_{arch.upper()},")
    out.append("\t\t.model = " + ("MM_FLAT," if arch == "i386" else "MM_SPARSE_VMEMMAP,"))
    out.append("\t\t.memory = {" + ",\n\t\t\t   ".join(
        f"{{{a:#x}, {b - a:#x}, {n}}}" for n, a, b in memory(folder, dmesg)) + "},")
    out.append(f"\t\t.cpus = {numbers(cpus(folder, nr_nodes))},")
    out.append(f"\t\t.nodes = {nr_nodes},")
    if distances(folder, nr_nodes):
        out.append("\t\t.distance = {" + ",\n\t\t\t     ".join(
            numbers(row) for row in distances(folder, nr_nodes)) + "},")
    if core:
        out.append(f"\t\t.kernelcore_bytes = {size(core.group(1)):#x},")
    out.append("\t\t.homes = true,")
    out.append(table("\t\t.reserved = {", [f"{{{a:#x}, {n:#x}, {what}}}" for a, n, what in taken]))
    out.append(table("\t\t.late = {", [f"{{{a:#x}, {n:#x}, {int(early)}}}" for a, n, early in late]))
    out += ["\t\t.reservations_complete = true,"] if twin else given(folder, arch)
    return out + ["\t},"]


def shape(folder, twin):
    text, dmesg = read(folder, "shape.txt"), read(folder, "dmesg.txt")
    name = re.search(r"^shape: (\S+)", text, re.M).group(1)
    arch = re.search(r"^arch: (\S+)", text, re.M).group(1)
    arch = "i386" if arch not in ZONES else arch
    nr_nodes = 1 + max(int(row["node"]) for row in zones(folder))
    orders = re.findall(r"Fallback order for Node (\d+): ([\d ]+)", dmesg)
    nr_nodes = max([nr_nodes] + [int(n) + 1 for n, _ in orders])
    min_free = re.search(r"min_free_kbytes = (\d+)", read(folder, "sysctl_vm.txt")).group(1)

    out = [f'{{\n\t.name = "{name}",', f"\t.min_free_kbytes = {min_free},"]
    memmap, tables = model_bytes(twin) if twin else (0, 0)
    out.append(f"\t.memmap_bytes = {memmap},\n\t.table_bytes = {tables},")
    out.append(f"\t.flags = {numbers(layout(dmesg))},")
    out += machine(folder, twin, dmesg, arch, nr_nodes)
    out.append("\t.zones = {")
    out += [f"\t\t{zone_row(row)}," for row in zones(folder)]
    out.append("\t},")
    out.append('\t.fallback = "' + "; ".join(f"{n}: {o.strip()}" for n, o in orders) + '",')
    for kind in "general", "thisnode":
        out.append(f'\t.{kind} = "' + zonelists(dmesg, kind).replace(
            "; ", '; "\n\t\t   "') + '",')
    out.append("},")
    return "\n".join(out)


def sysctls(folder):
    out = []
    for step in sorted(d for d in os.listdir(folder) if "=" in d):
        key, value = step.split("_", 1)[1].split("=")
        at = os.path.join(folder, step)
        min_free = re.search(r"min_free_kbytes = (\d+)", read(at, "sysctl_vm.txt")).group(1)
        out += [f'{{\n\t.name = "{step}",', f'\t.key = "{key}",',
                f'\t.value = "{value.replace("_", " ")}",', f"\t.min_free_kbytes = {min_free},",
                "\t.zones = {"]
        out += [f"\t\t{zone_row(row)}," for row in zones(at)]
        out.append("\t},\n},")
    return "\n".join(out)


def captures(folder):
    """Folders of machines as they booted."""
    found = sorted(os.path.join(folder, name) for name in os.listdir(folder))
    boots = [os.path.join(f, "0_boot") for f in found]
    return [b if os.path.isdir(b) else f for f, b in zip(found, boots)]


def find_twin(folder, folders):
    """Itself, or another capture of the same machine, with a dump of memblock; or None."""
    for other in [folder] + folders:
        if identity(other) == identity(folder) and read(other, "memblock_reserved.tsv"):
            return other
    return None


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    folders = captures(sys.argv[-1])
    print("/* SPDX-License-Identifier: Apache-2.0 */")
    print("/* Made by make_shapes.py from captures of Linux 6.1 (Debian 12); see reference.h. */")
    for folder in folders:
        if sys.argv[1] != "--sysctls":
            print(shape(folder, find_twin(folder, folders)))
        elif any("=" in name for name in os.listdir(folder)):
            print(sysctls(folder))


if __name__ == "__main__":
    main()

# SPDX-License-Identifier: Apache-2.0
"""ACPI's tables of nodes, where QEMU's own do not say what is wanted: which memory can be unplugged.

QEMU makes SRAT and SLIT of its -numa options. Without these it makes none, and takes ours: the
bodies, behind the header of 36 bytes, as ACPI 6.4 has them in 5.2.16 and 5.2.17. Nodes have the
memory that QEMU would give them."""

import struct

ENABLED, HOTPLUGGABLE = 1, 2
MIB = 1 << 20
FOUR_GIB = 1 << 32
BIOS_START, BIOS_END = 640 << 10, 1 << 20  # no memory, and in no range of QEMU's SRAT


def node_ranges(sizes, low_limit):
    """(start, end, nid) of each node's memory: from 0 to the limit below 4 GiB, then from there."""
    ranges, at = [], 0
    for nid, size in enumerate(sizes):
        end = at + size * MIB
        if at < low_limit:
            ranges.append((at, min(end, low_limit), nid))
        if end > low_limit:
            high = FOUR_GIB - low_limit
            ranges.append((max(at, low_limit) + high, end + high, nid))
        at = end
    parts = []
    for start, end, nid in ranges:
        for lo, hi in ((start, min(end, BIOS_START)), (max(start, BIOS_END), end)):
            if lo < hi:
                parts.append((lo, hi, nid))
    return parts


def cut(ranges, borders):
    """Ranges that hold no border inside."""
    out = []
    for start, end, nid in ranges:
        for border in sorted(b for b in borders if start < b < end):
            out.append((start, border, nid))
            start = border
        out.append((start, end, nid))
    return out


def srat(cpu_nodes, ranges, hotpluggable):
    """System resource affinity: CPUs by their APIC ids, then memory."""
    body = struct.pack("<IQ", 1, 0)
    for apic, nid in enumerate(cpu_nodes):
        body += struct.pack("<BBBBIB3sI", 0, 16, nid & 255, apic, ENABLED, 0, b"\0\0\0", 0)
    borders = [border for lo_hi in hotpluggable for border in lo_hi]
    for start, end, nid in cut(ranges, borders):
        flags = ENABLED
        if any(lo <= start and end <= hi for lo, hi in hotpluggable):
            flags |= HOTPLUGGABLE
        body += struct.pack("<BBIHQQIIQ", 1, 40, nid, 0, start, end - start, 0, flags, 0)
    return body


def slit(distances):
    """System locality: a byte for each pair of nodes."""
    return struct.pack("<Q", len(distances)) + bytes(d for row in distances for d in row)

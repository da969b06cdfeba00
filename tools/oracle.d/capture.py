# SPDX-License-Identifier: Apache-2.0
"""From what came over the serial lines to the folder of a capture.

Besides the files of the guest there are two that the kernel does not have: what memblock held when
it handed memory to the page allocator, played again from the messages of memblock=debug."""

import os
import re

from packages import Failure, qemu_version

FIRST_DUMP = "before the first memblock dump (real-mode page, BIOS area, kernel image, initrd)"
RANGE = r"\[(?:mem )?0x([0-9a-f]+)-0x([0-9a-f]+)\]"


def split_serial(data, where):
    """{name: bytes} of the files that the init sent."""
    files, at = {}, 0
    head = re.compile(rb"numasim-oracle begin (\S+) (\d+)\n")
    while match := head.search(data, at):
        name, size = match[1].decode(), int(match[2])
        end = match.end() + size
        if not data.startswith(b"numasim-oracle end " + match[1], end):
            raise Failure(f"{where}: the file {name} did not come whole")
        files[name] = data[match.end():end]
        at = end
    if not data.startswith(b"numasim-oracle done", data.find(b"\nnumasim-oracle done", at) + 1):
        console = os.path.join(os.path.dirname(where), "console.txt")
        raise Failure("the machine did not come up, or went down early; "
                      f"{last_words(console)}the kernel's messages are in {console}")
    return files


def last_words(console):
    """Of a kernel that panicked: "it said '...'; ", or nothing."""
    with open(console, encoding="utf-8", errors="replace") as f:
        for line in f:
            if "Kernel panic" in line:
                return f"it said '{line.strip()}'; "
    return ""


class Reserved:
    """Ranges with the name of who asked for them."""

    def __init__(self):
        self.ranges = []  # [start, end, who], sorted, none overlapping

    def add(self, start, end, who):
        """What is held already keeps its name."""
        for held_start, held_end, _ in list(self.ranges):
            if held_end <= start or held_start >= end:
                continue
            if start < held_start:
                self.ranges.append([start, held_start, who])
            start = held_end
        if start < end:
            self.ranges.append([start, end, who])
        self.ranges.sort()

    def free(self, start, end):
        """Whoever held it."""
        kept = []
        for held_start, held_end, who in self.ranges:
            if held_start < min(held_end, start):
                kept.append([held_start, min(held_end, start), who])
            if max(held_start, end) < held_end:
                kept.append([max(held_start, end), held_end, who])
        self.ranges = sorted(kept)


def function(text):
    """ "sparse_init+0x9f/0x23c" without the offset."""
    return text.split("+")[0]


def replay_memblock(messages):
    """(memory, reserved) as the kernel handed them to its page allocator.

    An allocation says who asks in one line and which range it got in the next, where the asker is
    memblock itself. What was reserved before printing works is in the first dump."""
    memory, reserved, dumps, asker = [], Reserved(), 0, None
    for line in messages:
        text = re.sub(r"^\[ *[0-9.]+\] ", "", line)
        if text.startswith("Memory: "):
            break
        if text.startswith("MEMBLOCK configuration:"):
            dumps += 1
        elif match := re.match(rf" reserved\[0x[0-9a-f]+\]\s+{RANGE}", text):
            if dumps == 1:
                reserved.add(int(match[1], 16), int(match[2], 16) + 1, FIRST_DUMP)
        elif match := re.match(rf"  node +(\d+): {RANGE}", text):
            memory.append((int(match[2], 16), int(match[3], 16) + 1, int(match[1])))
        elif match := re.match(r"memblock_(?:phys_)?alloc\w*: (\d+) bytes .* (\S+)$", text):
            asker = f"{function(match[2])} ({match[1]} bytes)"
        elif match := re.match(rf"memblock_reserve: {RANGE} (\S+)", text):
            who = function(match[3])
            if who == "memblock_alloc_range_nid":
                who, asker = asker or "NODE_DATA or unlabelled", None
            if dumps:
                reserved.add(int(match[1], 16), int(match[2], 16) + 1, who)
        elif match := re.match(rf"memblock_(?:phys_)?free: {RANGE}", text):
            reserved.free(int(match[1], 16), int(match[2], 16) + 1)
    return memory, reserved.ranges


def managed_pages(zoneinfo):
    """{(node, zone): pages} of the zones that have any."""
    pages, zone = {}, None
    for line in zoneinfo.splitlines():
        if match := re.match(r"Node (\d+), zone +(\w+)", line):
            zone = int(match[1]), match[2]
        elif match := re.match(r" +managed +(\d+)$", line):
            if int(match[1]):
                pages[zone] = int(match[1])
    return pages


def write(folder, name, text):
    """A text file of the capture."""
    with open(os.path.join(folder, name), "w", encoding="utf-8", newline="\n") as f:
        f.write(text)


def console_messages(folder):
    """The kernel's lines of console.txt."""
    with open(os.path.join(folder, "console.txt"), encoding="utf-8", errors="replace") as f:
        return [line.rstrip("\r\n") for line in f if line.startswith("[")]


def write_memblock(folder, messages, where):
    """What memblock held, as two tables."""
    memory, reserved = replay_memblock(messages)
    if not memory or not reserved:
        raise Failure(f"{where}: memblock=debug said nothing")
    write(folder, "memblock_memory.tsv", "start\tend\tbytes\tnode\n" + "".join(
        f"{start:#x}\t{end:#x}\t{end - start}\t{nid}\n" for start, end, nid in memory))
    write(folder, "memblock_reserved.tsv", "start\tend\tbytes\tasked_for_by\n" + "".join(
        f"{start:#x}\t{end:#x}\t{end - start}\t{who}\n" for start, end, who in reserved))


def architecture(uname):
    """By the machine that `uname -a` names."""
    return "i386" if re.search(rb" i[3-6]86 ", uname) else "x86_64"


def write_capture(folder, plan, parts, command_line, options):
    """Make a capture of console.txt and serial.txt, which boot() left there."""
    serial = os.path.join(folder, "serial.txt")
    with open(serial, "rb") as f:
        files = split_serial(f.read(), serial)
    for name, data in files.items():
        write(folder, name + ".txt", data.decode("utf-8", "replace"))
    messages = console_messages(folder)
    write(folder, "dmesg.txt", "\n".join(messages) + "\n")
    write_memblock(folder, messages, f"{folder}/console.txt")
    write(folder, "shape.txt",
          f"shape: {plan.name}\n"
          f"note: {'; '.join(plan.notes)}\n"
          f"qemu: {qemu_version()}, accelerator tcg, -cpu max -nodefaults -display none\n"
          f"qemu options: {' '.join(options)}\n"
          f"kernel: {parts['kernel_name']}\n"
          f"arch: {architecture(files.get('uname', b''))}\n"
          f"kernel command line: {command_line}\n")
    os.remove(serial)

# SPDX-License-Identifier: Apache-2.0
"""Random topologies. The i-th of a seed depends on the seed and i only, so that one that differs
can be booted again alone."""

import random

import tables
from emulator import GIB, LOW_DEFAULT, LOW_MAX, MIB, Plan, check_plan, fmt

MAX_TOTAL_MIB = 10240
KERNEL_END = 128 * MIB  # no holes where image and initrd are loaded
LOW_TOP = 32 * MIB


class Dice:
    """random() alone has kept its sequence through all versions of Python."""

    def __init__(self, seed, i):
        self.rng = random.Random(f"{seed}/{i}")

    def below(self, n):
        """0 to n - 1."""
        return int(self.rng.random() * n)

    def between(self, lo, hi):
        """lo to hi, both included."""
        return lo + self.below(hi - lo + 1)

    def one_in(self, n):
        """True once in n."""
        return self.below(n) == 0

    def choose(self, items):
        """One of them."""
        return items[self.below(len(items))]


def sizes_and_cpus(dice):
    """Memory (MiB) of each node, and the nodes of the CPUs."""
    nr = dice.choose([1, 2, 2, 3, 3, 4, 4, 5, 6, 7, 8])
    room = min(MAX_TOTAL_MIB, nr * 4096)
    sizes, has_cpus = [], []
    for left in range(nr, 0, -1):
        most = min(4096, room - 256 * (left - 1))
        step = dice.choose([1, 2, 64, 128, 128, 256, 1024])  # sections have 128 MiB
        size = max(256, dice.between(256, most) // step * step)
        sizes.append(size)
        has_cpus.append(True)
        room -= size
    if nr > 1:
        for nid in range(nr):
            if dice.one_in(6):
                has_cpus[nid] = False
            elif dice.one_in(7):
                sizes[nid] = 0
    if not any(has_cpus):
        has_cpus[dice.below(nr)] = True
    if sum(sizes) < 512:
        nid = dice.below(nr)
        sizes[nid] = 512 + dice.below(1024)
    homes = [nid for nid in range(nr) if has_cpus[nid]]
    nr_cpus = max(len(homes), dice.choose([1, 2, 3, 4, 4, 5, 6, 8, 12, 16]))
    if dice.one_in(2):  # blocks of neighbours, or dealt out anyhow
        extra = sorted(dice.choose(homes) for _ in range(nr_cpus - len(homes)))
        cpus = sorted(homes + extra)
    else:
        cpus = homes + [dice.choose(homes) for _ in range(nr_cpus - len(homes))]
        for i in range(len(cpus) - 1, 0, -1):
            j = dice.below(i + 1)
            cpus[i], cpus[j] = cpus[j], cpus[i]
    return sizes, cpus


def distances(dice, nr):
    """None, a few values so that there are ties, or anything; symmetric or not."""
    if nr == 1 or dice.one_in(5):
        return []
    values = dice.choose([[11, 16, 21], [15, 20, 25, 30], [20, 21], list(range(11, 61))])
    rows = [[10 if i == j else dice.choose(values) for j in range(nr)] for i in range(nr)]
    if dice.one_in(2):
        for i in range(nr):
            for j in range(i):
                rows[i][j] = rows[j][i]
    return rows


def core_option(dice, total):
    """kernelcore= or movablecore=, half of the time."""
    if dice.one_in(2):
        return []
    size = dice.between(max(256, total // 8), max(257, total * 3 // 4))
    if dice.one_in(4):
        return [f"{dice.choose(['kernelcore', 'movablecore'])}={dice.between(20, 70)}%"]
    if dice.one_in(3):
        return [f"movablecore={min(size, total // 2)}M"]
    return [f"kernelcore={size}M"]


def hole_options(dice, total, low_limit):
    """memmap= options that hide memory, clear of what the boot loader needs."""
    if dice.one_in(2):
        return []
    low = min(total * MIB, low_limit)
    places = [(KERNEL_END, low - LOW_TOP)]
    if total * MIB > low:
        places.append((4 * GIB, 4 * GIB + total * MIB - low))
    holes, taken = [], []
    for _ in range(dice.between(1, 3)):
        start, end = dice.choose(places)
        unit = dice.choose([4096, 64 << 10, MIB, 128 * MIB])
        size = unit * dice.between(1, max(1, min(16, (end - start) // 8 // unit)))
        if size > (end - start) // 8:
            continue
        at = (start + dice.below(end - start - size)) // unit * unit
        at = max(at, start)
        if at + size <= end and all(at >= e or at + size <= s for s, e in taken):
            taken.append((at, at + size))
            holes.append(f"memmap={size // 1024}K${fmt(at)}")
    return holes


def other_option(dice, total):
    """Of the rest of the command line what decides the same figures, half of the time."""
    return dice.choose([[], [], [], [], [], [],
                        ["transparent_hugepage=never"],
                        ["transparent_hugepage=madvise"],
                        [f"mem={dice.between(max(384, total // 3), total)}M"],
                        ["numa=off"],
                        [f"numa=fake={dice.between(2, 6)}"],
                        ["movable_node"],
                        [f"numa=fake={dice.between(3, 24) * 64}M"],
                        [f"numa=fake={dice.between(2, 4)}U"]])


def pluggable(dice, plan):
    """Ranges that SRAT says can be unplugged: half of the nodes, or parts of them."""
    ranges = []
    for start, end, nid in tables.node_ranges(plan.sizes, plan.low_end()):
        if end <= MIB or dice.one_in(2):
            continue
        if nid and dice.one_in(3):
            start += (end - start) // 4096 // 3 * 4096
        ranges.append((start, end))
    return ranges


def random_plan(seed, i):
    """The i-th topology of a seed, counted from 1."""
    dice = Dice(seed, i)
    sizes, cpus = sizes_and_cpus(dice)
    total = sum(sizes)
    limit = LOW_DEFAULT if total * MIB >= LOW_MAX else LOW_MAX
    plan = Plan(f"random-{seed}-{i:03}", sizes, cpus, distances(dice, len(sizes)))
    if total > 3072 and dice.one_in(4):
        limit = plan.low_limit = dice.choose([1, 2]) * GIB
    plan.kernel_args = core_option(dice, total) + hole_options(dice, total, limit)
    plan.kernel_args += other_option(dice, total)
    if "movable_node" in plan.kernel_args:
        plan.hotpluggable = pluggable(dice, plan)
    check_plan(plan)
    return plan


def describe(plan):
    """One line of it."""
    nodes = []
    for nid, size in enumerate(plan.sizes):
        cpus = plan.cpu_nodes.count(nid)
        nodes.append(f"{size or 'no memory'}{'' if cpus else ' no CPU'}")
    rows = plan.distances
    kind = "default" if not rows else "symmetric" if all(
        rows[i][j] == rows[j][i] for i in range(len(rows)) for j in range(i)) else "asymmetric"
    unplugged = "".join(f" {fmt(lo)}-{fmt(hi - 1)}" for lo, hi in plan.hotpluggable)
    return (f"{counted(len(plan.sizes), 'node')} ({', '.join(nodes)} MiB), "
            f"{counted(len(plan.cpu_nodes), 'CPU')}, {kind} distances"
            f"{''.join(' ' + a for a in plan.kernel_args)}"
            f"{'; can be unplugged:' + unplugged if unplugged else ''}")


def counted(number, what):
    """ "1 node", "2 nodes"."""
    return f"{number} {what}{'' if number == 1 else 's'}"

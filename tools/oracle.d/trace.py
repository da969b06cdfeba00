# SPDX-License-Identifier: Apache-2.0
"""Traces of workloads in an emulated machine: `tools/oracle trace`.

A workload is workloads/NAME.sh: settings in lines "#: KEY: VALUE", setup(), which prepares, and
run(), around which tools/capture traces. The C programs that it names are compiled here, static.
The archive comes out on a disk, which the host reads."""

import os
import re
import shutil
import subprocess
import tarfile
import tempfile

import capture
import emulator
import packages
from packages import Failure

HERE = os.path.dirname(os.path.realpath(__file__))
WORKLOADS = os.path.join(HERE, "workloads")
KEYS = ("note", "programs", "disks", "kernel", "buffer_kb")
MODULES = ["virtio_ring", "virtio", "virtio_pci_legacy_dev", "virtio_pci_modern_dev",
           "virtio_pci", "virtio_blk", "crc16", "crc32c_generic", "libcrc32c", "mbcache", "jbd2",
           "ext4"]
ARCHIVE_MIB = 512
MIB = 1 << 20


def known():
    """The names of all workloads."""
    return sorted(f[:-3] for f in os.listdir(WORKLOADS) if f.endswith(".sh"))


def read_workload(name):
    """Its settings, and its text."""
    if name not in known():
        raise Failure(f"unknown workload '{name}'; known are {', '.join(known())}")
    path = os.path.join(WORKLOADS, name + ".sh")
    with open(path, encoding="utf-8") as f:
        text = f.read()
    settings = {"note": "", "programs": "", "disks": "", "kernel": "", "buffer_kb": "8000"}
    for line in re.findall(r"(?m)^#: (.*)$", text):
        key, _, value = line.partition(": ")
        if key not in KEYS:
            raise Failure(f"{path}: found '{key}', expected one of {', '.join(KEYS)}")
        settings[key] = value
    return settings, text


def compile_programs(names, folder):
    """Static programs for the machine: {path in it: bytes}."""
    programs = {}
    compiler = shutil.which("cc") or shutil.which("gcc")
    if names and not compiler:
        raise Failure("this workload needs a C compiler (cc)")
    for name in names:
        out = os.path.join(folder, name)
        packages.run_quiet([compiler, "-std=gnu17", "-O2", "-Wall", "-static", "-s", "-o", out,
                            os.path.join(WORKLOADS, name + ".c")])
        with open(out, "rb") as f:
            programs["programs/" + name] = f.read()
    return programs


def make_disks(plan, folder):
    """Files for QEMU: the archive's, then those of the workload ("swap:64 zero:512 ext4:256")."""
    paths = []
    for i, disk in enumerate([f"archive:{ARCHIVE_MIB}", *plan.split()]):
        kind, _, size = disk.partition(":")
        path = os.path.join(folder, f"disk{i}")
        with open(path, "wb") as f:
            f.truncate(int(size) * MIB)
        if kind == "ext4":
            tool = shutil.which("mkfs.ext4") or shutil.which("mkfs.ext4", path="/usr/sbin:/sbin")
            if not tool:
                raise Failure("mkfs.ext4 is missing (Debian package e2fsprogs)")
            packages.run_quiet([tool, "-q", "-F", path])
        paths.append(path)
    return paths


def disk_options(paths):
    """virtio disks: vda, vdb, ..."""
    options = []
    for path in paths:
        options += ["-drive", f"file={path},if=virtio,format=raw,cache=unsafe"]
    return options


def initramfs(parts, title, settings, text, modules, programs, out):
    """busybox, tools/capture, the modules in their order, the programs, the workload."""
    files = {"bin/capture": os.path.join(os.path.dirname(HERE), "capture")}
    contents = dict(programs)
    for name, path in files.items():
        with open(path, "rb") as f:
            contents[name] = f.read()
    for i, path in enumerate(modules):
        with open(path, "rb") as f:
            contents[f"modules/{i:02}-{os.path.basename(path)}"] = f.read()
    head = f"title={title}\nnote='{settings['note']}'\nbuffer_kb={settings['buffer_kb']}\n"
    contents["workload"] = (head + text + '\n[ "$1" != run ] || run\n').encode()
    packages.make_initramfs(parts["busybox"], os.path.join(HERE, "init.trace"), out, contents)


def bring_out(disk, folder, where):
    """The archive that the machine wrote, into `folder`."""
    found = False
    try:
        with tarfile.open(disk, "r:") as tar:
            for entry in tar:
                name = entry.name.partition("/")[2]
                if not entry.isfile() or not re.fullmatch(r"[\w.]+(/[\w.-]+)?", name):
                    continue
                path = os.path.join(folder, name)
                os.makedirs(os.path.dirname(path), exist_ok=True)
                with open(path, "wb") as f:
                    shutil.copyfileobj(tar.extractfile(entry), f)
                found = True
    except tarfile.TarError as why:
        raise Failure(f"no archive came out of the machine: {why}{where}") from None
    if not found:
        raise Failure(f"no archive came out of the machine{where}")


def without_machine(said, folder):
    """A Failure's end: what the machine said, and its last words."""
    words = capture.last_words(os.path.join(folder, "console.txt"))
    return f"; {words}the machine said:\n{said or 'nothing'}"


def complete(folder, plan, line, options, disks, parts):
    """What only the host knows: the console, memblock's messages, the machine."""
    messages = capture.console_messages(folder)
    boot = os.path.join(folder, "boot")
    capture.write(boot, "dmesg.txt", "\n".join(messages) + "\n")
    capture.write_memblock(boot, messages, os.path.join(folder, "console.txt"))
    with open(os.path.join(folder, "trace_shape.txt"), "a", encoding="utf-8") as f:
        f.write(f"machine: {plan.name}\n"
                f"qemu: {packages.qemu_version()}\n"
                f"qemu options: {' '.join(options)}\n"
                f"accelerator: tcg\n"
                f"kernel package: {parts['kernel_name']}\n"
                f"extra disks: {disks or 'none'}\n")


def trace(plan, parts, workload, folder, timeout, say):
    """Boot the machine, trace the workload, and leave the capture in `folder`."""
    settings, text = read_workload(workload)
    plan.kernel_args = [*plan.kernel_args, *settings["kernel"].split()]
    with tempfile.TemporaryDirectory(prefix="numasim-oracle-") as temporary:
        modules = packages.modules(parts, MODULES, say)
        programs = compile_programs(settings["programs"].split(), temporary)
        initrd = os.path.join(temporary, "initrd.gz")
        initramfs(parts, re.sub(r"[^\w.-]", "_", plan.name), settings, text, modules, programs, initrd)
        paths = make_disks(settings["disks"], temporary)
        line = emulator.boot(plan, {**parts, "initrd": initrd}, folder, timeout,
                             disk_options(paths))
        serial = os.path.join(folder, "serial.txt")
        with open(serial, encoding="utf-8", errors="replace") as f:
            said = f.read().replace("\r\n", "\n").strip()
        os.remove(serial)
        bring_out(paths[0], folder, without_machine(said, folder))
    complete(folder, plan, line, emulator.machine_options(plan), settings["disks"], parts)
    return said

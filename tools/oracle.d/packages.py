# SPDX-License-Identifier: Apache-2.0
"""What a boot is made of: QEMU, a kernel, and an initramfs of busybox and our init.

Only QEMU has to be installed. Kernel and busybox are downloaded as packages and unpacked into
build/oracle, which needs no root and leaves the host's own kernel alone."""

import gzip
import os
import shutil
import stat
import subprocess
import tarfile

QEMU = "qemu-system-x86_64"


class Failure(Exception):
    """Something that the user has to know; printed without a traceback."""


def run_quiet(command, **kwargs):
    """Its output; a Failure with it where the command fails."""
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False, **kwargs)
    if done.returncode:
        raise Failure(f"'{' '.join(command)}' failed:\n{done.stdout}")
    return done.stdout


def need_qemu(say):
    """Install QEMU where that may be done without asking, or else say how."""
    if shutil.which(QEMU):
        return
    missing = (f"{QEMU} is missing (Debian package qemu-system-x86). Install it with:\n"
               "  sudo apt-get update && "
               "sudo apt-get install -y --no-install-recommends qemu-system-x86")
    if not shutil.which("apt-get"):
        raise Failure(missing)
    sudo = []
    if os.geteuid() != 0:
        sudo = ["sudo", "-n"]
        if not shutil.which("sudo") or subprocess.run(sudo + ["true"], check=False,
                                                      stdin=subprocess.DEVNULL,
                                                      stderr=subprocess.DEVNULL).returncode:
            raise Failure(missing)
    say("installing qemu-system-x86")
    apt = sudo + ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-y", "-qq",
                  "-o", "DPkg::Lock::Timeout=300"]
    install = apt + ["install", "--no-install-recommends", "qemu-system-x86"]
    try:
        run_quiet(install)
    except Failure:  # the list of packages may be older than the archive
        run_quiet(apt + ["update"])
        run_quiet(install)
    if not shutil.which(QEMU):
        raise Failure(missing)


def qemu_version():
    """The first line of what it says, without the program's name."""
    return run_quiet([QEMU, "--version"]).splitlines()[0].replace("QEMU emulator version ", "")


def kernel_package():
    """The package behind linux-image-amd64 (Debian) or linux-image-generic (Ubuntu)."""
    for meta in "linux-image-amd64", "linux-image-generic":
        try:
            depends = run_quiet(["apt-cache", "depends", meta])
        except (Failure, FileNotFoundError):
            continue
        for line in depends.splitlines():
            name = line.strip().removeprefix("Depends: ")
            if name != line.strip() and name.startswith("linux-image-"):
                return name
    raise Failure("no package linux-image-amd64 is known here; give a kernel with --kernel FILE")


def unpack(package, member, out, folder, say):
    """Download a package and write the first of its files whose path begins with `member`."""
    deb = download(package, folder, say)
    with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", deb], stdout=subprocess.PIPE) as source:
        with tarfile.open(fileobj=source.stdout, mode="r|") as tar:
            for entry in tar:
                if entry.isfile() and entry.name.startswith(member):
                    with open(out + ".part", "wb") as f:
                        shutil.copyfileobj(tar.extractfile(entry), f)
                    os.rename(out + ".part", out)
                    break
        source.stdout.close()
        source.terminate()
    os.remove(deb)
    if not os.path.exists(out):
        raise Failure(f"{package} has no {member}")
    version = os.path.basename(deb).split("_")[1]
    with open(out + ".from", "w", encoding="utf-8") as f:
        print(package, version.replace("%3a", ":"), file=f)


def cpio_entry(name, mode, data=b"", device=(0, 0)):
    """One entry of a cpio archive of the kind "newc" (the kernel's buffer-format.rst)."""
    fields = [0, mode, 0, 0, 1, 0, len(data), 0, 0, *device, len(name) + 1, 0]
    head = b"070701" + b"".join(b"%08X" % f for f in fields) + name.encode() + b"\0"
    return head + b"\0" * (-len(head) % 4) + data + b"\0" * (-len(data) % 4)


def make_initramfs(busybox, init, out, more=None):
    """The same bytes for the same files: the size of the initrd is part of what is measured.
    `more`: {path: bytes} of further files, in folders of one level."""
    more = more or {}
    with open(busybox, "rb") as f:
        busybox_data = f.read()
    with open(init, "rb") as f:
        init_data = f.read()
    folders = [cpio_entry(name, stat.S_IFDIR | 0o755)
               for name in ("bin", "dev", "proc", "run", "sys")]
    folders += [cpio_entry(name, stat.S_IFDIR | 0o755)
                for name in sorted({os.path.dirname(path) for path in more} - {"", "bin"})]
    archive = b"".join(folders + [
        cpio_entry("dev/console", stat.S_IFCHR | 0o600, device=(5, 1)),
        cpio_entry("bin/busybox", stat.S_IFREG | 0o755, busybox_data),
        cpio_entry("bin/sh", stat.S_IFLNK | 0o777, b"busybox"),
        cpio_entry("init", stat.S_IFREG | 0o755, init_data),
        *(cpio_entry(path, stat.S_IFREG | 0o755, more[path]) for path in sorted(more)),
        cpio_entry("TRAILER!!!", 0)])
    part = f"{out}.{os.getpid()}.part"  # several may run at a time
    with open(part, "wb") as f:
        f.write(gzip.compress(archive, 9, mtime=0))
    os.rename(part, out)


def download(package, folder, say):
    """The path of its .deb in `folder`."""
    say(f"downloading {package}")
    os.makedirs(folder, exist_ok=True)
    if not shutil.which("apt-get") or not shutil.which("dpkg-deb"):
        raise Failure(f"there is no apt-get to download {package} with")
    root = ["-o", "APT::Sandbox::User=root"] if os.geteuid() == 0 else []
    before = set(os.listdir(folder))
    run_quiet(["apt-get", "-qq", *root, "download", package], cwd=folder)
    debs = [f for f in os.listdir(folder) if f.startswith(package + "_") and f.endswith(".deb")]
    fresh = [f for f in debs if f not in before] or debs
    return os.path.join(folder, sorted(fresh)[-1])


def modules(parts, names, say):
    """Paths of the kernel's modules, in this order; those that are built in are left out."""
    if parts.get("given"):
        raise Failure(f"a kernel without its modules cannot trace workloads: {parts['kernel']}")
    folder = os.path.join(parts["folder"], "modules")
    if not os.path.isdir(folder):
        package = parts["kernel_name"].split()[0]
        deb = download(package, parts["folder"], say)
        unpack_modules(deb, names, folder + ".part")
        os.rename(folder + ".part", folder)
        os.remove(deb)
    paths = [os.path.join(folder, name + ".ko") for name in names]
    return [path for path in paths if os.path.exists(path)]


def unpack_modules(deb, names, folder):
    """Those of a kernel's package."""
    os.makedirs(folder, exist_ok=True)
    with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", deb], stdout=subprocess.PIPE) as source:
        with tarfile.open(fileobj=source.stdout, mode="r|") as tar:
            for entry in tar:
                name = os.path.basename(entry.name)
                if entry.isfile() and name.endswith(".ko") and name[:-3] in names:
                    with open(os.path.join(folder, name), "wb") as f:
                        shutil.copyfileobj(tar.extractfile(entry), f)


def prepare(folder, init, kernel, say):
    """All that a boot needs: {kernel, kernel_name, initrd}. Downloads what is not in `folder`."""
    os.makedirs(folder, exist_ok=True)
    need_qemu(say)
    busybox = os.path.join(folder, "busybox")
    if not os.path.exists(busybox):
        unpack("busybox-static", ("./bin/busybox", "./usr/bin/busybox"), busybox, folder, say)
    initrd = os.path.join(folder, "initrd.gz")
    make_initramfs(busybox, init, initrd)
    if kernel:
        if not os.path.exists(kernel):
            raise Failure(f"{kernel}: no such kernel")
        return {"kernel": kernel, "kernel_name": os.path.basename(kernel), "initrd": initrd,
                "busybox": busybox, "folder": folder, "given": True}
    image = os.path.join(folder, "vmlinuz")
    if not os.path.exists(image):
        unpack(kernel_package(), "./boot/vmlinuz-", image, folder, say)
    with open(image + ".from", encoding="utf-8") as f:
        name = f.read().strip()
    return {"kernel": image, "kernel_name": name, "initrd": initrd, "busybox": busybox,
            "folder": folder}

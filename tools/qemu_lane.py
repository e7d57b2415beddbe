#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# The mainline lane: boots Debian's kernel in QEMU, whose TCG emulates AMD SVM, loads kvm-amd and
# runs programs there. One line a test, then `mainline-kvm: N passed, N failed, N skipped`.
# Fails if a test or a command failed, none ran, or the machine ended before its closing line.
import argparse
import fcntl
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

MODULES = ["irqbypass", "rng-core", "ccp", "kvm", "kvm-amd"]  # in the order of insmod
END = "LANE-END"
EXIT = "LANE-EXIT"

INIT = """#!/bin/busybox sh
/bin/busybox mkdir -p /proc /sys /dev /tmp /dev/shm
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t sysfs sysfs /sys
/bin/busybox mount -t devtmpfs devtmpfs /dev
/bin/busybox mkdir -p /dev/shm
/bin/busybox mount -t tmpfs tmpfs /tmp
/bin/busybox mount -t tmpfs tmpfs /dev/shm
/bin/busybox --install -s /bin
for module in {modules}; do
  [ ! -f /modules/$module.ko ] || insmod /modules/$module.ko
done
export PATH=/bin:/programs HOME=/tmp {environment}
cd /tmp
{commands}
echo {end}
poweroff -f
"""


def run(arguments, **options):
    return subprocess.run(arguments, check=True, **options)


def kernel(cache):
    """The unpacked kernel package; downloaded once, never installed. One process at a time."""
    tree = cache / "kernel"
    cache.mkdir(parents=True, exist_ok=True)
    with open(cache / "lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not list(tree.glob("boot/vmlinuz-*")):
            if not list(cache.glob("linux-image-*.deb")):
                depends = run(["apt-cache", "depends", "linux-image-amd64"], text=True,
                              capture_output=True).stdout
                package = re.search(r"Depends: (linux-image-\S+-amd64)", depends).group(1)
                run(["apt-get", "-q", "download", package], cwd=cache)
            run(["dpkg-deb", "-x", str(next(cache.glob("linux-image-*.deb"))), str(tree)])
    return next(tree.glob("boot/vmlinuz-*")), tree


def copy_libraries(root, program):
    """What a dynamic program needs, to where it is here."""
    needed = subprocess.run(["ldd", program], text=True, capture_output=True, check=False).stdout
    for library in re.findall(r"(/\S+) \(0x", needed):
        target = root / library.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(library, target)


def stage(root, tree, options):
    for folder in ["bin", "modules", "programs"]:
        (root / folder).mkdir()
    busybox = shutil.which("busybox")
    shutil.copy(busybox, root / "bin" / "busybox")
    (root / "bin" / "sh").symlink_to("busybox")
    for name in MODULES:
        for found in tree.rglob(f"{name}.ko*"):
            packed = found.suffix == ".xz"
            target = root / "modules" / f"{name}.ko"
            if packed:
                target.write_bytes(run(["xz", "-dc", str(found)], capture_output=True).stdout)
            else:
                shutil.copy(found, target)
    commands = []
    for program in options.gtest:
        target = root / "programs" / pathlib.Path(program).name
        run(["strip", "-g", "-o", str(target), program])
        copy_libraries(root, program)
        commands.append(f"{target.name} --gtest_color=no --gtest_brief=0 "
                        f"--gtest_filter='{options.filter}' 2>&1")
    for program in options.program:
        shutil.copy(program, root / "programs")
        copy_libraries(root, program)
    for pair in options.file:
        source, _, target = pair.partition(":")
        destination = root / (target.lstrip("/") or f"programs/{pathlib.Path(source).name}")
        destination.parent.mkdir(parents=True, exist_ok=True)
        (shutil.copytree if os.path.isdir(source) else shutil.copy)(source, destination)
    commands += options.command
    lines = [f"{command}\necho {EXIT} $? {command.split()[0]}" for command in commands]
    init = root / "init"
    init.write_text(INIT.format(modules=" ".join(MODULES), environment=" ".join(options.env),
                                commands="\n".join(lines), end=END))
    init.chmod(0o755)


def pack(root, image):
    names = subprocess.Popen(["find", "."], cwd=root, stdout=subprocess.PIPE)
    with open(image, "wb") as out:
        run(["cpio", "-o", "-H", "newc", "--quiet"], cwd=root, stdin=names.stdout, stdout=out)


def machine(vmlinuz, image, options):
    append = "console=ttyS0 panic=-1 quiet rcupdate.rcu_expedited=1"
    arguments = ["qemu-system-x86_64", "-cpu", "EPYC,+svm,+npt", "-m", str(options.memory),
                 "-nodefaults", "-nographic", "-no-reboot", "-serial", "stdio",
                 "-kernel", str(vmlinuz), "-initrd", str(image)]
    # One processor: with two, emulated SVM hangs now and then.
    arguments += ["-accel", "tcg", "-smp", "1"]
    if options.icount:
        append += " mitigations=off"
        arguments += ["-icount", "shift=0,sleep=off,align=off"]
    return arguments + ["-append", append]


class Report:
    """Turns the serial console into one line a test."""

    def __init__(self, verbose):
        self.verbose = verbose
        self.counts = {"passed": 0, "failed": 0, "skipped": 0}
        self.ended = False
        self.failing = []

    def line(self, text):
        result = re.match(r"\[ +(OK|FAILED|SKIPPED) +\] (\S+?),?( where .*?)?( \(\d+ ms\))?$", text)
        if result and result.group(4):
            word = {"OK": "passed", "FAILED": "failed", "SKIPPED": "skipped"}[result.group(1)]
            self.counts[word] += 1
            print(f"{word} {result.group(2)}{result.group(4)}", flush=True)
        elif text.startswith(EXIT):
            _, status, name = text.split()[:3]
            if status != "0":
                self.failing.append(f"{name} ended with status {status}")
        elif text.strip() == END:
            self.ended = True
        elif self.verbose or not text.startswith("["):
            print(f"    {text}", flush=True)

    def finish(self):
        if not self.ended:
            self.failing.append("the machine ended before its closing line")
        if self.counts["passed"] == 0 and not self.verbose:
            self.failing.append("no test passed")
        for problem in self.failing:
            print(f"mainline-kvm: {problem}")
        print("mainline-kvm: " + ", ".join(f"{n} {word}" for word, n in self.counts.items()))
        return 1 if self.failing or self.counts["failed"] else 0


def main():
    parser = argparse.ArgumentParser(
        description="Runs static programs on mainline kvm-amd in QEMU.")
    parser.add_argument("--cache", required=True, help="folder for the kernel package")
    parser.add_argument("--gtest", action="append", default=[], help="a GoogleTest program")
    parser.add_argument("--filter", default="*", help="GoogleTest filter for all of them")
    parser.add_argument("--file", action="append", default=[], help="SOURCE[:TARGET] to copy in")
    parser.add_argument("--command", action="append", default=[], help="a shell line to run")
    parser.add_argument("--program", action="append", default=[],
                        help="a program to copy in, with its libraries, and not to run")
    parser.add_argument("--env", action="append", default=[], help="NAME=VALUE for all of them")
    parser.add_argument("--memory", type=int, default=2048, help="MiB")
    parser.add_argument("--timeout", type=int, default=240, help="seconds for the machine")
    parser.add_argument("--icount", action="store_true",
                        help="count instructions: 1 us of the guest's clock is 1,000 of them")
    parser.add_argument("--verbose", action="store_true", help="the whole console")
    options = parser.parse_args()

    vmlinuz, tree = kernel(pathlib.Path(options.cache))
    report = Report(options.verbose)
    with tempfile.TemporaryDirectory(prefix="mayfly-lane-") as folder:
        root = pathlib.Path(folder) / "root"
        root.mkdir()
        image = pathlib.Path(folder) / "initrd.cpio"
        stage(root, tree, options)
        pack(root, image)
        command = ["timeout", "--kill-after=5", str(options.timeout)]
        qemu = subprocess.Popen(command + machine(vmlinuz, image, options), text=True,
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, errors="replace")
        for text in qemu.stdout:
            report.line(text.rstrip("\r\n"))
        qemu.wait()
    sys.exit(report.finish())


if __name__ == "__main__":
    main()

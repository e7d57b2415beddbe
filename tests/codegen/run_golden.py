#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Compares the code of functions with what the end of their .wat file says, or, with MAYFLY_BLESS
# set, writes it there.
#   run_golden.py MAYFLY [FILE.wat...]
import difflib
import os
import re
import subprocess
import sys
import tempfile

FOLDER = os.path.dirname(os.path.abspath(__file__))
MARK = ";; |"
IMAGE_START, IMAGE_END = 0x400000, 0x20000000


def words_after(name, text):
    found = re.search(rf"^;; {name}: (.*)$", text, re.MULTILINE)
    return found.group(1).split() if found else []


def symbols_of(image):
    lines = subprocess.run(["llvm-nm-19", "--numeric-sort", image], capture_output=True, text=True,
                           check=True).stdout.splitlines()
    fields = [line.split(None, 2) for line in lines]
    return [(int(address, 16), name) for address, _, name in fields]


def named(address, symbols):
    """An address of the image by the symbol before it: the numbers move with everything else."""
    before = [symbol for symbol in symbols if symbol[0] <= address]
    if not before:
        return "<image>"
    offset = address - before[-1][0]
    return f"<{before[-1][1]}{f'+0x{offset:x}' if offset else ''}>"


def code_of(image, function, symbols):
    text = subprocess.run(
        ["llvm-objdump-19", "--disassemble-symbols=" + function, "--no-show-raw-insn",
         "--no-leading-addr", image], capture_output=True, text=True, check=True).stdout
    lines = text.partition(f"<{function}>:\n")[2].splitlines()
    while lines and re.fullmatch(r"\s*(nop\w*.*|int3)?", lines[-1]):
        lines.pop()

    def replace(match):
        value = int(match.group(1), 16)
        return named(value, symbols) if IMAGE_START <= value < IMAGE_END else match.group(0)

    result = [f"{MARK} {function}:"]
    for line in lines:
        line, _, target = line.partition("#")
        if target:  # of an operand relative to RIP
            line = re.sub(r"-?0x[0-9a-f]+\(%rip\)", target.split()[0] + "(%rip)", line)
        line = re.sub(r"0x[0-9a-f]+ (<[^>]*>)", r"\1", line)
        line = re.sub(r"(?<!-)\b(0x[0-9a-f]+)\b(?![^<]*>)", replace, line)
        result.append(f"{MARK}   {' '.join(line.split())}")
    return result


def generated(mayfly, source, text, folder):
    module = os.path.join(folder, "module.wasm")
    image = os.path.join(folder, "image")
    subprocess.run(["wat2wasm", "--debug-names", *words_after("features", text), source, "-o",
                    module], check=True)
    environment = dict(os.environ, XDG_DATA_HOME=folder)
    subprocess.run([mayfly, "compile", *words_after("options", text), module, "-o", image],
                   check=True, env=environment)
    symbols = symbols_of(image)
    functions = words_after("shows", text)
    return [line for function in functions for line in code_of(image, function, symbols)]


def check(mayfly, source):
    with open(source, encoding="utf-8") as file:
        text = file.read()
    with tempfile.TemporaryDirectory() as folder:
        code = generated(mayfly, source, text, folder)
    lines = text.splitlines()
    kept = [line for line in lines if not line.startswith(MARK)]
    while kept and not kept[-1]:
        kept.pop()
    wanted = kept + [""] + code
    if lines == wanted:
        return True
    if os.environ.get("MAYFLY_BLESS"):
        with open(source, "w", encoding="utf-8") as file:
            file.write("\n".join(wanted) + "\n")
        print(f"{source}: rewritten")
        return True
    print("\n".join(difflib.unified_diff(lines, wanted, source, "what is generated", lineterm="")))
    return False


def main():
    sources = sys.argv[2:] or sorted(os.path.join(FOLDER, name) for name in os.listdir(FOLDER)
                                     if name.endswith(".wat"))
    if not sources:
        sys.exit("no .wat file to check")
    if not all([check(sys.argv[1], source) for source in sources]):
        sys.exit("the code is another one; if it is as good, ./dev bless and read the diff")


if __name__ == "__main__":
    main()

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Rules for where things are: which folder includes which, what a file may be called, how large it
# may be, what each folder says of itself, and what must not reach the public headers.
import re

from rules.tree import CODE_ENDINGS, CPP_ENDINGS, Problem

# The include graph of src/. Every folder also includes itself and the public headers.
HOST = ("base", "wasm", "component", "linker", "guest_abi", "image", "vmm")
ARROWS = {
    "base": (),
    "guest_abi": (),
    "wasm": ("base",),
    "component": ("base", "wasm"),
    "guest": ("guest_abi",),
    "image": ("base", "wasm", "guest_abi"),
    "linker": ("base", "wasm", "component", "guest_abi", "image"),
    "compiler": ("base", "wasm", "component", "guest_abi", "image"),
    "vmm": ("base", "guest_abi"),
    "runtime": HOST,
    "wasi": ("base", "guest_abi", "runtime"),
}
OUTER = HOST + ("runtime", "wasi")  # what api, cli, serve, oci, extism and capi may include
OUTER_FOLDERS = ("api", "cli", "serve", "oci", "extism", "capi")

# Who may include headers of others: (pattern of the include, folders).
FOREIGN = (
    (r"(llvm|llvm-c|lld|clang)/", ("src/compiler/",)),
    (r"linux/kvm\.h", ("src/vmm/",)),
    (r"CLI/", ("src/cli/",)),
    (r"sodium", ("src/base/",)),
    (r"sqlite3\.h", ("src/wasi/key_value",)),
    (r"curl/", ("src/wasi/",)),
    (r"gtest/|gmock/", ("tests/", "_test.cc", "_test.h")),
)

FILE_LINES_MAX = 800
FILE_LINES_WARN = 500
VAGUE_NAMES = ("util", "utils", "common", "misc", "helper", "helpers")
README_LINES_MAX = 30


def folder_of(path):
    match = re.match(r"src/(\w+)/", path)
    return match.group(1) if match else None


def arrows(tree):
    folders = {folder_of(path) for path in tree.files} - {None}
    for source in tree.sources.values():
        folder = folder_of(source.path)
        if folder is None:
            continue
        if folder not in ARROWS and folder not in OUTER_FOLDERS:
            yield Problem("arrows", source.path, 1,
                          f"src/{folder} has no place in the include graph (tools/rules/layout.py)")
            continue
        allowed = ARROWS.get(folder, OUTER)
        for line, spelling in source.includes():
            target = spelling.split("/")[0]
            if "/" in spelling and target in folders and target != folder and target not in allowed:
                yield Problem("arrows", source.path, line,
                              f"src/{folder} must not include src/{target}")


def foreign(tree):
    """Headers of LLVM, KVM, CLI11 and GoogleTest stay where they belong."""
    for source in tree.sources.values():
        for line, spelling in source.includes():
            for pattern, homes in FOREIGN:
                if re.match(pattern, spelling) and not any(
                        source.path.startswith(home) or source.path.endswith(home)
                        for home in homes):
                    if source.path.startswith("tests/") and "kvm" not in pattern:
                        continue
                    yield Problem("foreign", source.path, line,
                                  f"{spelling} belongs in {' or '.join(homes)} only")


def public(tree):
    """Public headers show neither LLVM nor KVM, and include nothing of src/."""
    folders = {folder_of(path) for path in tree.files} - {None}
    for source in tree.sources.values():
        if not source.path.startswith("include/"):
            continue
        for line, spelling in source.includes():
            if spelling.split("/")[0] in folders or spelling.startswith(("linux/", "sys/")):
                yield Problem("public", source.path, line, f"includes {spelling}")
        for line, match in source.find(r"\b(llvm|lld)::|\b(kvm_\w+|KVM_\w+|LLVM\w+)"):
            yield Problem("public", source.path, line, f"shows {match.group()}")


def names(tree):
    for path in tree.paths():
        parts = path.split("/")
        stem = parts[-1].split(".")[0]
        for part in [part.lower() for part in parts[:-1] + [stem]]:
            words = part.split("_")
            if part in VAGUE_NAMES or words[0] in VAGUE_NAMES or words[-1] in VAGUE_NAMES:
                yield Problem("names", path, 1, f"'{part}' says nothing: name what is in it")
        if path.endswith(CPP_ENDINGS) and not re.fullmatch(r"[a-z0-9_]+", stem):
            yield Problem("names", path, 1, "files are called in snake_case")


def sizes(tree):
    for path in tree.paths(*CODE_ENDINGS, ".py"):
        lines = tree.text(path).count("\n")
        if lines > FILE_LINES_MAX:
            yield Problem("sizes", path, 1, f"{lines} lines, at most {FILE_LINES_MAX}", path, lines)


def size_warnings(tree):
    """Files that have grown enough to look for their second noun; tables (.inc) are no such."""
    for path in tree.paths(*CPP_ENDINGS, ".py"):
        lines = tree.text(path).count("\n")
        if FILE_LINES_WARN < lines <= FILE_LINES_MAX:
            yield f"{path}: {lines} lines: find the second noun"


def readmes(tree):
    folders = {match.group(1) for path in tree.files
               if not path.endswith("CMakeLists.txt")
               and (match := re.match(r"((?:src|tests)/\w+|bench|fuzz|examples)/", path))}
    for folder in sorted(folders):
        path = f"{folder}/README.md"
        if path not in tree.files:
            yield Problem("readmes", path, 1, "missing: what the folder is, is not, what to read "
                          "first, its invariant")
        elif not 4 <= tree.text(path).count("\n") <= README_LINES_MAX:
            yield Problem("readmes", path, 1,
                          f"{tree.text(path).count(chr(10))} lines: 5 to 20 are meant")


def machine(tree):
    """Nothing depends on where somebody's machine keeps things."""
    pattern = re.compile("(?<![\\w.])/(" + "work" + "|" + "root" + ")/")
    for path in tree.paths():
        for number, line in enumerate(tree.text(path).split("\n"), 1):
            if pattern.search(line):
                yield Problem("machine", path, number,
                              f"a path of one machine: {line.strip()[:60]}")


RULES = {
    "arrows": arrows,
    "foreign": foreign,
    "public": public,
    "names": names,
    "sizes": sizes,
    "readmes": readmes,
    "machine": machine,
}

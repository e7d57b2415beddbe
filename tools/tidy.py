#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Checks the rules that a machine can check, over every file that git knows or would add.
# tools/rules/ holds the rules; this file holds what they have in common: the files, exceptions
# (`TIDY: allow(RULE) reason` on the line or the two lines above it), and the ratchet.
import argparse
import json
import os
import re
import subprocess
import sys

from rules import cpp, documents, history, layout, programs
from rules.tree import Tree

RULES = {**layout.RULES, **cpp.RULES, **documents.RULES, **history.RULES, **programs.RULES}


def read_tree(root):
    """Every text file that git tracks or would add; binary files count as empty."""
    listed = subprocess.run(["git", "-C", root, "ls-files", "-coz", "--exclude-standard"],
                            capture_output=True, text=True, check=True).stdout
    files = {}
    for path in filter(None, listed.split("\0")):
        full = os.path.join(root, path)
        if os.path.isdir(full) or not os.path.exists(full):
            continue
        with open(full, "rb") as file:
            data = file.read()
        try:
            files[path] = "" if b"\0" in data else data.decode()
        except UnicodeDecodeError:
            files[path] = ""
    return Tree(files, root)


def allowed(tree, problem):
    """Whether the line, or one of the two above it, allows this with a reason."""
    if problem.path not in tree.files:
        return False
    lines = tree.text(problem.path).split("\n")
    near = lines[max(problem.line - 3, 0):problem.line]
    pattern = re.compile(r"TIDY: allow\(" + re.escape(problem.rule) + r"\) \S")
    return any(pattern.search(line) for line in near)


def apply_ratchet(problems, caps, checked):
    """Drops problems within their cap. A cap that is not needed, or not as low, is a problem."""
    left, used = [], {}
    for problem in problems:
        cap = caps.get(problem.rule, {}).get(problem.key) if problem.key else None
        if cap is None or problem.value > cap:
            left.append(str(problem))
        if cap is not None:
            used[problem.rule, problem.key] = problem.value
    for rule in checked:
        for key, cap in caps.get(rule, {}).items():
            value = used.get((rule, key), 0)
            if value < cap:
                what = f"lower it to {value}" if value else "take it out"
                left.append(f"{history.RATCHET}:1: ratchet: {rule} of {key} is capped at {cap}: "
                            + what)
    return left


def check(tree, rules, everything=False):
    """Lines that say what is wrong, in the order of the rules."""
    caps = json.loads(tree.files.get(history.RATCHET, "{}"))
    problems = []
    for rule in rules:
        found = (programs.clang_tidy(tree, everything) if rule == "clang-tidy"
                 else RULES[rule](tree))
        problems += [problem for problem in found if not allowed(tree, problem)]
    return apply_ratchet(problems, caps, rules)


def main(arguments):
    parser = argparse.ArgumentParser(description="Checks what STYLE says and a machine can check.")
    parser.add_argument("rules", nargs="*", metavar="RULE", help="only these rules")
    parser.add_argument("--all", action="store_true",
                        help="clang-tidy over the slow files too (compiler, tests)")
    parser.add_argument("--list", action="store_true", help="name the rules")
    options = parser.parse_args(arguments)
    if options.list:
        print("\n".join(RULES))
        return 0
    for rule in options.rules:
        if rule not in RULES:
            parser.error(f"there is no rule '{rule}' (--list names them)")
    root = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
    tree = read_tree(root)
    rules = options.rules or list(RULES)
    problems = check(tree, rules, options.all)
    for problem in problems:
        print(problem)
    if "sizes" in rules:
        for warning in layout.size_warnings(tree):
            print(f"note: {warning}")
    count = len(problems)
    print(f"check: {len(rules)} rules, {len(tree.files)} files, "
          f"{count} problem{'' if count == 1 else 's'}")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

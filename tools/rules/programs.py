# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Rules that other programs check: clang-format and clang-tidy. What passed is remembered by the
# hash of everything that decides, so only what changed is looked at again.
import concurrent.futures
import hashlib
import json
import os
import posixpath
import re
import shutil
import subprocess

from rules.tree import CPP_ENDINGS, Problem

CLANG_FORMAT = "clang-format-19"
CLANG_TIDY = "clang-tidy-19"
# clang-tidy reads all of LLVM's or GoogleTest's headers for each of these files, which takes longer
# than the rest together: `./dev check --all` has them, and the compiler's warnings are on anyway.
SLOW = re.compile(r"src/compiler/|_test\.cc$|^tests/|^bench/|^fuzz/")


def cache_folder():
    base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return os.path.join(base, "mayfly", "tidy")


class Passed:
    """The set of hashes that passed, as empty files."""

    def __init__(self, folder):
        self.folder = folder

    def __contains__(self, key):
        return os.path.exists(os.path.join(self.folder, key))

    def add(self, key):
        os.makedirs(self.folder, exist_ok=True)
        with open(os.path.join(self.folder, key), "w", encoding="utf-8"):
            pass


def hash_of(*parts):
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def missing(rule, program):
    if shutil.which(program) is None:
        return Problem(rule, "tools/packages.txt", 1, f"{program} is missing: ./dev setup")
    return None


def format_rule(tree):
    if tree.root is None:
        return
    problem = missing("format", CLANG_FORMAT)
    if problem:
        yield problem
        return
    passed = Passed(cache_folder())
    style = tree.files.get(".clang-format", "")
    keys = {path: hash_of("format", style, path, tree.text(path))
            for path in tree.paths(*CPP_ENDINGS, ".c")}
    todo = [path for path, key in keys.items() if key not in passed]
    for start in range(0, len(todo), 50):
        chunk = todo[start:start + 50]
        answer = subprocess.run([CLANG_FORMAT, "--dry-run", "-Werror", *chunk], cwd=tree.root,
                                capture_output=True, text=True)
        bad = {}
        for match in re.finditer(r"^(.+?):(\d+):\d+: error:", answer.stderr, re.MULTILINE):
            bad.setdefault(match.group(1), int(match.group(2)))
        if answer.returncode != 0 and not bad:
            yield Problem("format", chunk[0], 1, f"{CLANG_FORMAT}: {answer.stderr.strip()[:200]}")
            continue
        for path, line in bad.items():
            yield Problem("format", path, line, f"not as {CLANG_FORMAT} -i would write it")
        for path in chunk:
            if path not in bad:
                passed.add(keys[path])


def closure(tree, path):
    """The file and every file of the repository that it includes, directly or not."""
    seen, todo = {path}, [path]
    while todo:
        current = todo.pop()
        source = tree.sources.get(current)
        for _, spelling in source.includes() if source else ():
            for base in ("src", "include", posixpath.dirname(current)):
                full = posixpath.normpath(posixpath.join(base, spelling))
                if full in tree.files and full not in seen:
                    seen.add(full)
                    todo.append(full)
    return sorted(seen)


def database(root):
    """Compile commands by path in the repository, from the release build or the debug build."""
    for preset in ("release", "debug"):
        folder = os.path.join(root, "build", preset)
        try:
            with open(os.path.join(folder, "compile_commands.json"), encoding="utf-8") as file:
                entries = json.load(file)
        except OSError:
            continue
        return folder, {os.path.relpath(entry["file"], root): entry["command"].replace(root, "")
                        for entry in entries}
    return None, {}


def run_tidy(root, folder, path):
    answer = subprocess.run([CLANG_TIDY, "--quiet", "-p", folder, path], cwd=root,
                            capture_output=True, text=True)
    output = answer.stdout + (answer.stderr if answer.returncode else "")
    found = re.findall(r"^(/.+?):(\d+):\d+: (?:warning|error): (.*)$", output, re.MULTILINE)
    if answer.returncode != 0 and not found:
        return [(path, 1, output.strip()[:300])]
    return [(os.path.relpath(file, root), int(line), text) for file, line, text in found]


def clang_tidy(tree, everything=False, jobs=None):
    if tree.root is None:
        return
    problem = missing("clang-tidy", CLANG_TIDY)
    if problem:
        yield problem
        return
    root = os.path.realpath(tree.root)
    folder, commands = database(root)
    if folder is None:
        yield Problem("clang-tidy", "build", 1, "no compile commands: ./dev build")
        return
    passed = Passed(cache_folder())
    rules = tree.files.get(".clang-tidy", "")
    todo = {}
    for path in tree.paths(".cc"):
        if path not in commands or (SLOW.search(path) and not everything):
            continue
        texts = [part for name in closure(tree, path) for part in (name, tree.text(name))]
        key = hash_of("clang-tidy", rules, commands[path], *texts)
        if key not in passed:
            todo[path] = key
    with concurrent.futures.ThreadPoolExecutor(jobs or os.cpu_count()) as pool:
        answers = pool.map(lambda path: run_tidy(root, folder, path), todo)
        seen = set()
        for path, answer in zip(todo, answers):
            if not answer:
                passed.add(todo[path])
            for file, line, text in answer:
                if (file, line, text) not in seen:
                    seen.add((file, line, text))
                    yield Problem("clang-tidy", file, line, text)


RULES = {"format": format_rule, "clang-tidy": clang_tidy}

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Rules for C and C++: how a file opens, how long lines and functions are, who may own memory, and
# where code that the compiler cannot check may live.
import re

from rules.tree import CODE_ENDINGS, Problem

LINE_COLUMNS_MAX = 100
FUNCTION_LINES_MAX = 70
SPDX = "SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception"
SCRIPT_ENDINGS = (".py", ".sh", ".cmake", "CMakeLists.txt")


def opening(tree):
    """A file opens with the licence; C and C++ go on with what the file is and why."""
    for path in tree.paths(*CODE_ENDINGS, *SCRIPT_ENDINGS) + [p for p in ("dev", ".ci/run")
                                                              if p in tree.files]:
        lines = tree.text(path).split("\n")
        if not any(SPDX in line for line in lines[:2]):
            yield Problem("opening", path, 1, f"no line '{SPDX}' at the top")
        elif path.endswith(CODE_ENDINGS) and not re.match(
                r"(?:^[/*#]+ ?SPDX.*\n)(?:^(//|#| \*)$\n)(?:^(//|#| \*) +\S)",
                "\n".join(lines[:3]), re.MULTILINE):
            yield Problem("opening", path, 2,
                          "after the licence an empty comment line, then what the file is and why")


def columns(tree):
    """Lines are read side by side. Tables (.inc) are one row a line, however long."""
    for path in tree.paths(*CODE_ENDINGS, *SCRIPT_ENDINGS):
        if path.endswith(".inc"):
            continue
        for number, line in enumerate(tree.text(path).split("\n"), 1):
            if len(line) > LINE_COLUMNS_MAX and "://" not in line:
                yield Problem("columns", path, number,
                              f"{len(line)} columns, at most {LINE_COLUMNS_MAX}")


BLOCK = re.compile(r"[:)\];{}]\s*\{|\b(?:else|do)\s*\{")  # not `T{...}` or `return {...}`
LABEL = re.compile(r"^\s*(?:case\b[^;{}?]*:|default\s*:)", re.MULTILINE)


def flat_switch_lines(body):
    """Lines of `switch`es in a body whose cases are each at most one statement and a break."""
    total = 0
    for match in re.finditer(r"\bswitch\s*\(", body):
        opened = body.find("{", match.end())
        depth, closed = 0, opened
        for brace in re.finditer(r"[{}]", body[opened:]):
            depth += 1 if brace.group() == "{" else -1
            if depth == 0:
                closed = opened + brace.start()
                break
        inside = body[opened + 1:closed]
        arms = [re.sub(r"(\bbreak|\[\[fallthrough\]\])\s*;", "", arm)
                for arm in LABEL.split(inside)]
        if not BLOCK.search(inside) and all(arm.count(";") <= 1 for arm in arms):
            total += inside.count("\n")
    return total


def function_length(tree):
    for source in tree.sources.values():
        for function in source.functions:
            lines = function.last - function.first + 1 - flat_switch_lines(function.body)
            if lines > FUNCTION_LINES_MAX:
                yield Problem("function-length", source.path, function.first,
                              f"{function.name} has {lines} lines, at most {FUNCTION_LINES_MAX}",
                              f"{source.path}:{function.name}", lines)


# LLVM's values belong to the module or function that they are made with, and a unique_ptr owns at
# once what only a static create() may construct.
OWNERSHIP = (
    (r"(?<!operator )\bnew\b(?!\s*[;:=])(?!\s+llvm::)",
     "bare new: use a value, a container or make_unique"),
    (r"(?<!=\s)(?<!=)(?<!operator )\bdelete\b", "bare delete: an owner's destructor does that"),
    (r"(?<![\w>)\]])::(close|munmap)\s*\(", "bare {0}: Fd and Mapping do that"),
    (r"(?:^|[;{}(])\s*(?:\(void\)\s*)?(close|munmap)\s*\([^)]*\)\s*;",
     "bare {0}: Fd and Mapping do that"),
)
# The runtime, and the public handles to it, which users may destroy in any order.
SHARING = ("src/runtime/", "src/api/", "include/mayfly/")
OWNERS = ("src/base/fd.h", "src/base/mapping.cc")


def ownership(tree):
    for source in tree.sources.values():
        for pattern, message in OWNERSHIP:
            for line, match in source.find(pattern):
                called = match.group(1) if match.groups() else ""
                if "unique_ptr<" in source.code_lines[line - 1]:
                    continue
                if called and (source.path in OWNERS or source.path.startswith("src/guest/")):
                    continue
                yield Problem("ownership", source.path, line, message.format(called))
        if not source.path.startswith(SHARING):
            for line, _ in source.find(r"\bshared_ptr\b"):
                yield Problem("ownership", source.path, line,
                              f"shared_ptr outside {', '.join(SHARING)}")


def lambdas(tree):
    for source in tree.sources.values():
        for line, _ in source.find(r"\[\s*=\s*[\],]"):
            yield Problem("lambdas", source.path, line, "[=]: name what is captured")


UNSAFE = r"\b(reinterpret_cast|(?:__)?asm(?:__)?|(?:::)?ioctl)\b(?=\s*[<(]|\s+(?:__)?volatile)"
SAFETY_LINES = 12
UNSAFE_LIST = "tools/unsafe_files.txt"


def unsafe(tree):
    """reinterpret_cast, asm and ioctl: in files on the list, each under a SAFETY comment.

    The comment stands in or above the function, or in the opening comment for the whole file.
    """
    listed = set()
    if UNSAFE_LIST in tree.files:
        listed = {line.split("#")[0].strip() for line in tree.text(UNSAFE_LIST).split("\n")} - {""}
    used = set()
    for source in tree.sources.values():
        for line, match in source.find(UNSAFE):
            used.add(source.path)
            word = match.group(1)
            if source.path not in listed:
                yield Problem("unsafe", source.path, line,
                              f"{word} in a file that {UNSAFE_LIST} does not name")
            function = source.function_at(line)
            start = min(function.first if function else line, line) - SAFETY_LINES
            near = source.lines[max(start, 0):line]
            if not source.opening_has("SAFETY:") and not any("SAFETY:" in text for text in near):
                yield Problem("unsafe", source.path, line,
                              f"{word} without a '// SAFETY:' comment in or above its function")
    for path in sorted(listed - used):
        yield Problem("unsafe", UNSAFE_LIST, 1, f"{path} uses none of it: take it off the list")


ASSUME = (r"\b(__builtin_assume|__builtin_unreachable|CreateAssumption|assume_aligned)\b"
          r"|\bstd::unreachable\b|\[\[assume\b")


def assume(tree):
    for source in tree.sources.values():
        for line, match in source.find(ASSUME):
            yield Problem("assume", source.path, line,
                          f"{match.group()}: a broken invariant must stop the program (CHECK)")


def todo(tree):
    for path in tree.paths(*CODE_ENDINGS, *SCRIPT_ENDINGS):
        if path.startswith("tools/"):
            continue
        for number, line in enumerate(tree.text(path).split("\n"), 1):
            if re.search(r"\bTODO\b(?!\(#\d+\):)|\b(FIXME|XXX)\b", line):
                yield Problem("todo", path, number, "write TODO(#123): with the issue's number")


RULES = {
    "opening": opening,
    "columns": columns,
    "function-length": function_length,
    "ownership": ownership,
    "lambdas": lambdas,
    "unsafe": unsafe,
    "assume": assume,
    "todo": todo,
}

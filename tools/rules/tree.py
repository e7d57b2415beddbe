# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# What rules look at and what they answer: Tree (the files of the repository), Source (one C or
# C++ file, with its comments and strings blanked out, and its functions), and Problem.
import dataclasses
import functools
import re

CPP_ENDINGS = (".cc", ".h", ".hh")
CODE_ENDINGS = CPP_ENDINGS + (".c", ".inc", ".S")


@dataclasses.dataclass(frozen=True)
class Problem:
    rule: str
    path: str
    line: int
    message: str
    # For rules with a ratchet: what is measured, and how much of it there is.
    key: str = ""
    value: int = 0

    def __str__(self):
        return f"{self.path}:{self.line}: {self.rule}: {self.message}"


class Tree:
    """Files by their path in the repository. `root` is None for a tree that is only in memory."""

    def __init__(self, files, root=None):
        self.files = files
        self.root = root

    def paths(self, *endings, under=""):
        return sorted(p for p in self.files
                      if p.startswith(under) and (not endings or p.endswith(endings)))

    def text(self, path):
        return self.files[path]

    @functools.cached_property
    def sources(self):
        return {path: Source(path, self.text(path)) for path in self.paths(*CPP_ENDINGS)}


TOKEN = re.compile(
    r"""(?P<line>//(?:[^\n\\]|\\.|\\\n)*)
      | (?P<block>/\*.*?\*/)
      | (?P<raw>\bu?8?[LU]?R"(?P<mark>[^()\s\\]{0,16})\(.*?\)(?P=mark)")
      | (?P<string>"(?:[^"\\\n]|\\.)*")
      | (?P<number>(?<![\w'])\d(?:[\w.]|'(?=\w))*)
      | (?P<char>'(?:[^'\\\n]|\\.)+')""",
    re.VERBOSE | re.DOTALL)


def blank(text):
    """The same text with comments and the insides of literals replaced by spaces."""

    def replace(match):
        if match.lastgroup == "number" or match.group("number"):
            return match.group()
        spaces = re.sub(r"[^\n]", " ", match.group())
        if match.group("line") or match.group("block"):
            return spaces
        quote = "'" if match.group("char") else '"'
        return quote + spaces[1:-1] + quote

    return TOKEN.sub(replace, text)


@dataclasses.dataclass
class Function:
    name: str
    first: int  # line of its opening brace
    last: int   # line of its closing brace
    body: str


class Source:
    def __init__(self, path, text):
        self.path = path
        self.lines = text.split("\n")
        self.code = blank(text)
        self.code_lines = self.code.split("\n")

    def is_test(self):
        return self.path.endswith("_test.cc") or self.path.startswith("tests/")

    def opening_has(self, text):
        """Whether the comment at the top of the file contains it."""
        for line in self.lines:
            if not line.startswith("//"):
                return False
            if text in line:
                return True
        return False

    def includes(self):
        """(line, spelling) of every #include, the spelling without its quotes or brackets."""
        for number, line in enumerate(self.lines, 1):
            match = re.match(r'\s*#\s*include\s*([<"])([^>"]+)[>"]', line)
            if match:
                yield number, match.group(2)

    def find(self, pattern):
        """(line, match) of every match in code, not in comments or literals."""
        for match in re.finditer(pattern, self.code, re.MULTILINE):
            yield self.code.count("\n", 0, match.start()) + 1, match

    @functools.cached_property
    def functions(self):
        return list(find_functions(self.code))

    def function_at(self, line):
        return next((f for f in self.functions if f.first <= line <= f.last), None)


def without_directives(code):
    """Preprocessor lines and their continuations as empty lines: their braces need not match."""
    return re.sub(r"^[ \t]*#(?:[^\n\\]|\\.|\\\n)*", lambda m: "\n" * m.group().count("\n"), code,
                  flags=re.MULTILINE | re.DOTALL)


SCOPE = re.compile(r'\b(namespace|extern\s*"\s*")')
RECORD = re.compile(r"\b(class|struct|union|enum)\b")
INITIALIZER = re.compile(r"\)[^;{}]*[:,]\s*[\w:<>, ]+$")


def kind_of(header):
    """What the brace after `header` opens: namespace, record, function, initializer or other."""
    header = re.sub(r"\btemplate\s*<[^;{}]*?>\s*(?=[\w\[])", "", header).strip()
    if SCOPE.search(header):
        return "namespace"
    if "(" not in header:
        return "record" if RECORD.search(header) else "other"
    if re.search(r"=\s*$", header):
        return "other"
    if RECORD.match(header) and re.match(r"\w+\s+(\[\[.*?\]\]\s*)?(alignas\s*\([^)]*\)\s*)?\w+\s*"
                                         r"(final\s*)?(:|$)", header):
        return "record"
    return "initializer" if INITIALIZER.search(header) else "function"


def name_of(header):
    match = re.search(r"([~\w:]+|operator\s*[^\s(]+|operator\s*\(\s*\))\s*\(", header)
    name = match.group(1) if match else "?"
    if name in ("TEST", "TEST_F", "TEST_P"):
        return re.sub(r"\s+", "", header[match.start():])
    return name


def find_functions(code):
    """Function bodies at namespace or class scope; a lambda is part of the function around it."""
    code = without_directives(code)
    stack = []  # (kind, position of the brace, header)
    header_start = 0
    for match in re.finditer(r"[{};]", code):
        at, char = match.start(), match.group()
        inside = any(kind == "function" for kind, _, _ in stack)
        if char == "{":
            header = code[header_start:at]
            kind = "other" if inside else kind_of(header)
            stack.append((kind, at, header))
            if kind != "initializer":
                header_start = at + 1
        elif char == "}" and stack:
            kind, opened, header = stack.pop()
            if kind == "function":
                yield Function(name_of(header), code.count("\n", 0, opened) + 1,
                               code.count("\n", 0, at) + 1, code[opened + 1:at])
            if kind != "initializer":
                header_start = at + 1
        elif char == ";" and not any(kind == "initializer" for kind, _, _ in stack):
            header_start = at + 1

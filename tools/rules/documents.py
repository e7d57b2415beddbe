# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Rules for Markdown: links lead somewhere, a heading has something under it, and C++ is an excerpt
# of an example, which is compiled and run.
import posixpath
import re

from rules.tree import Problem

LINK = re.compile(r"(?<!!)\[[^\]\n]*\]\(([^()\s]+(?:\([^()]*\))?)\)")
HEADING = re.compile(r"^(#{1,6})\s+(.*?)\s*#*$")


def prose(text):
    """Lines of a document with code fences and code spans blanked, numbered from 1."""
    fenced = False
    for number, line in enumerate(text.split("\n"), 1):
        if re.match(r"\s*(```|~~~)", line):
            fenced = not fenced
            yield number, "\0"  # something is there, but nothing that a rule reads
        else:
            spans = re.sub(r"`[^`]*`", lambda match: "`" * len(match.group()), line)
            yield number, "\0" if fenced else spans


def anchors(text):
    """The anchors of a document's headings, as GitHub makes them."""
    found = set()
    fenced = False
    for line in text.split("\n"):
        if re.match(r"\s*(```|~~~)", line):
            fenced = not fenced
        match = None if fenced else HEADING.match(line)
        if match:
            title = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", match.group(2)).lower()
            found.add(re.sub(r"[^\w\- ]", "", title).strip().replace(" ", "-"))
    return found


def links(tree):
    folders = {posixpath.dirname(path) for path in tree.files}
    folders |= {parent for folder in folders for parent in parents(folder)}
    for path in tree.paths(".md"):
        for number, line in prose(tree.text(path)):
            for target in LINK.findall(line):
                if re.match(r"[a-z]+:", target):
                    continue
                place, _, anchor = target.partition("#")
                full = posixpath.normpath(posixpath.join(posixpath.dirname(path), place)) \
                    if place else path
                if full not in tree.files and full not in folders:
                    yield Problem("links", path, number, f"{target} leads nowhere")
                elif anchor and full.endswith(".md") and anchor not in anchors(tree.text(full)):
                    yield Problem("links", path, number, f"{full} has no heading #{anchor}")


def parents(folder):
    while folder:
        yield folder
        folder = posixpath.dirname(folder)


def headings(tree):
    for path in tree.paths(".md"):
        last = None  # (line, depth, title) of a heading that nothing followed so far
        for number, line in prose(tree.text(path)):
            match = HEADING.match(line)
            if match:
                depth = len(match.group(1))
                if last and depth <= last[1]:
                    yield Problem("headings", path, last[0], f"nothing under '{last[2]}'")
                last = (number, depth, match.group(2))
            elif line.strip():
                last = None
        if last:
            yield Problem("headings", path, last[0], f"nothing under '{last[2]}'")


def excerpts(tree):
    sources = [tree.text(path) for path in tree.paths(".cc") if path.startswith("examples/")]
    for path in tree.paths(".md"):
        for match in re.finditer(r"^```cpp\n(.*?)^```$", tree.text(path), re.M | re.S):
            if not any(match.group(1) in source for source in sources):
                line = tree.text(path).count("\n", 0, match.start()) + 1
                yield Problem("excerpts", path, line, "no file in examples/ has this code")


RULES = {"links": links, "headings": headings, "excerpts": excerpts}

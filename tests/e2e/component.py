# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Components of C programs: a program imports functions of interfaces as core functions, written as
# the canonical ABI flattens them, and this wraps it into a component that imports the interfaces.
#
# The program shares the memory of heap.wat: ("heap", "reset") forgets what was lifted, and
# `run() -> result` of the program becomes wasi:cli/run. The types come from WIT without packages,
# one `interface NAMESPACE:PACKAGE/NAME` after the other, each after those that it uses.
# CanonicalABI.md #flattening, Binary.md
import re
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
PRIMITIVES = {"bool": 0x7f, "s8": 0x7e, "u8": 0x7d, "s16": 0x7c, "u16": 0x7b, "s32": 0x7a,
              "u32": 0x79, "s64": 0x78, "u64": 0x77, "f32": 0x76, "f64": 0x75, "char": 0x74,
              "string": 0x73}
FUNC, TYPE, CORE_INSTANCE_EXPORT = 0x01, 0x03, 0x01


def leb(value):
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7f | 0x80)
        value >>= 7
    return bytes(out + bytes([value]))


def signed_leb(value):
    """An index of a type where primitives are negative numbers."""
    out = leb(value)
    return out if not out[-1] & 0x40 else out[:-1] + bytes([out[-1] | 0x80, 0])


def name(text):
    return leb(len(text)) + text.encode()


def vec(items):
    return leb(len(items)) + b"".join(items)


def section(number, body):
    return bytes([number]) + leb(len(body)) + body


def extern_name(text):
    return b"\0" + name(text)


class Wit:
    """Reads WIT: interfaces by name, each a dictionary of types and functions in order."""

    def __init__(self, text):
        text = re.sub(r"//[^\n]*", "", text)
        self.tokens = re.findall(r"->|%?[A-Za-z][\w-]*(?::[\w-]+/[\w-]+)?|[{}()<>,;=:._]", text)
        self.interfaces = {}
        while self.tokens:
            self.expect("interface")
            interface = self.next()
            self.interfaces[interface] = self.interface()

    def next(self):
        return self.tokens.pop(0)

    def accept(self, token):
        if self.tokens[0] != token:
            return False
        self.next()
        return True

    def expect(self, token):
        found = self.next()
        if found != token:
            raise ValueError(f"{token} expected, not {found} {self.tokens[:8]}")

    def items(self, end, read):
        found = []
        while not self.accept(end):
            found.append(read())
            self.accept(",")
        return found

    def label(self):
        return self.next().lstrip("%")

    def field(self):
        label = self.label()
        self.expect(":")
        return label, self.type()

    def type(self):
        head = self.next().lstrip("%")
        if not self.accept("<"):
            return (head,)
        return (head, *self.items(">", lambda: None if self.accept("_") else self.type()))

    def case(self):
        label = self.label()
        payload = None
        if self.accept("("):
            payload = self.type()
            self.expect(")")
        return label, payload

    def function(self):
        self.expect("(")
        params = self.items(")", self.field)
        result = self.type() if self.accept("->") else None
        self.expect(";")
        return params, result

    def interface(self):
        self.expect("{")
        found = []
        while not self.accept("}"):
            found += self.declaration()
        return found

    def declaration(self):
        word = self.label()
        if word == "use":
            source = self.next()
            self.expect(".")
            self.expect("{")
            names = self.items("}", self.label)
            self.expect(";")
            return [("use", used, source) for used in names]
        if word == "type":
            label = self.label()
            self.expect("=")
            target = self.type()
            self.expect(";")
            return [("type", label, target)]
        if word == "resource":
            return self.resource()
        if word in ("variant", "enum", "record", "flags"):
            label = self.label()
            self.expect("{")
            read = {"variant": self.case, "record": self.field}.get(word, self.label)
            return [(word, label, self.items("}", read))]
        self.expect(":")
        self.expect("func")
        return [("func", word, self.function())]

    def resource(self):
        label = self.label()
        found = [("resource", label, None)]
        if self.accept(";"):
            return found
        self.expect("{")
        while not self.accept("}"):
            member = self.label()
            if member == "constructor":
                params, _ = self.function()
                found.append(("func", f"[constructor]{label}", (params, (label,))))
                continue
            self.expect(":")
            kind = "static" if self.accept("static") else "method"
            self.expect("func")
            params, result = self.function()
            if kind == "method":
                params.insert(0, ("self", ("borrow", (label,))))
            found.append(("func", f"[{kind}]{label}.{member}", (params, result)))
        return found


class InstanceType:
    """The binary type of an interface, with the wanted functions only."""

    def __init__(self, outer):
        self.outer = outer  # (interface, type): index in the component
        self.decls = []
        self.count = 0  # of types
        self.named = {}
        self.resources = set()

    def define(self, body):
        self.decls.append(b"\x01" + body)
        self.count += 1
        return self.count - 1

    def export(self, label, bound):
        self.decls.append(b"\x04" + extern_name(label) + b"\x03" + bound)
        self.named[label] = self.count
        self.count += 1

    def value(self, wit):
        """The bytes of a type of values; what is not primitive is defined first."""
        head, arguments = wit[0], wit[1:]
        if head in PRIMITIVES:
            return bytes([PRIMITIVES[head]])
        if head in self.named:
            index = self.named[head]
            if head in self.resources:
                index = self.define(b"\x69" + leb(index))
            return signed_leb(index)
        if head in ("own", "borrow"):
            resource = self.named[arguments[0][0]]
            return signed_leb(self.define((b"\x69" if head == "own" else b"\x68") + leb(resource)))
        parts = [self.value(part) if part else None for part in arguments]
        if head == "result":
            body = b"\x6a" + b"".join(self.maybe(part) for part in (parts + [None, None])[:2])
        elif head == "tuple":
            body = b"\x6f" + vec(parts)
        else:
            body = {"list": b"\x70", "option": b"\x6b"}[head] + parts[0]
        return signed_leb(self.define(body))

    @staticmethod
    def maybe(part):
        return b"\0" if part is None else b"\x01" + part

    def add(self, kind, label, body):
        if kind == "use":
            self.decls.append(bytes([2, TYPE, 2, 1]) + leb(self.outer[body, label]))
            self.count += 1
            if (body, label) in self.outer["resources"]:
                self.resources.add(label)
            return self.export(label, b"\0" + leb(self.count - 1))
        if kind == "resource":
            self.resources.add(label)
            return self.export(label, b"\x01")
        if kind == "type" and body[0] in self.named:
            if body[0] in self.resources:
                self.resources.add(label)
            return self.export(label, b"\0" + leb(self.named[body[0]]))
        if kind == "type":
            self.value(body)
            return self.export(label, b"\0" + leb(self.count - 1))
        return self.export(label, b"\0" + leb(self.define(self.defined(kind, body))))

    def defined(self, kind, body):
        if kind in ("enum", "flags"):
            return (b"\x6d" if kind == "enum" else b"\x6e") + vec([name(label) for label in body])
        if kind == "record":
            return b"\x72" + vec([name(label) + self.value(part) for label, part in body])
        return b"\x71" + vec([name(label) + self.maybe(part and self.value(part)) + b"\0"
                              for label, part in body])

    def add_function(self, label, params, result):
        body = b"\x40" + vec([name(param) + self.value(part) for param, part in params])
        body += b"\x01\0" if result is None else b"\0" + self.value(result)
        index = self.define(body)
        self.decls.append(b"\x04" + extern_name(label) + b"\x01" + leb(index))


class Component:
    """Grows by sections; counts its index spaces."""

    def __init__(self, version):
        self.version = version
        self.bytes = b"\0asm\x0d\0\x01\0"
        self.types = self.instances = self.functions = self.core_functions = 0
        self.outer = {"resources": set()}
        self.imported = {}

    def add(self, number, item):
        self.bytes += section(number, vec([item]))

    def import_interface(self, interface, declarations, wanted):
        kept = InstanceType(self.outer)
        functions = [item for item in declarations if item[0] == "func" and item[1] in wanted]
        for kind, label, body in declarations:
            if kind != "func":
                kept.add(kind, label, body)
        for _, label, (params, result) in functions:
            kept.add_function(label, params, result)
        self.add(7, b"\x42" + vec(kept.decls))
        self.add(10, extern_name(f"{interface}@{self.version}") + b"\x05" + leb(self.types))
        self.types += 1
        self.imported[interface] = self.instances
        self.instances += 1
        for label in kept.named:
            self.add(6, bytes([TYPE, 0]) + leb(self.instances - 1) + name(label))
            self.outer[interface, label] = self.types
            if label in kept.resources:
                self.outer["resources"].add((interface, label))
            self.types += 1

    def lower(self, interface, label):
        """A core function that the program imports."""
        if label.startswith("[resource-drop]"):
            resource = self.outer[interface, label.removeprefix("[resource-drop]")]
            self.add(8, b"\x03" + leb(resource))
        else:
            self.add(6, bytes([FUNC, 0]) + leb(self.imported[interface]) + name(label))
            # utf8, memory 0, realloc: core function 0
            self.add(8, b"\x01\0" + leb(self.functions) + b"\x03\0\x03\0\x04\0")
            self.functions += 1
        self.core_functions += 1
        return self.core_functions - 1

    def core_alias(self, sort, instance, label):
        self.add(6, bytes([0, sort, CORE_INSTANCE_EXPORT]) + leb(instance) + name(label))


def read_leb(data, at):
    value = shift = 0
    while True:
        value |= (data[at] & 0x7f) << shift
        shift += 7
        at += 1
        if not data[at - 1] & 0x80:
            return value, at


def imports_of(module):
    """(module, name) of each imported function."""
    at, found = 8, []
    while at < len(module) and module[at] != 2:
        size, start = read_leb(module, at + 1)
        at = start + size
    _, at = read_leb(module, at + 1)
    count, at = read_leb(module, at)
    for _ in range(count):
        names = []
        for _ in range(2):
            size, at = read_leb(module, at)
            names.append(module[at:at + size].decode())
            at += size
        kind = module[at]
        if kind == 0:
            _, at = read_leb(module, at + 1)
            found.append(tuple(names))
        else:  # a memory
            flags, at = read_leb(module, at + 1)
            for _ in range(1 + (flags & 1)):
                _, at = read_leb(module, at)
    return [item for item in found if item[0] != "heap"]


def needed(declared, wanted):
    """The wanted interfaces and those that they use, in the order in which they are declared."""
    found = set()
    for interface in reversed(declared):
        if interface in wanted or interface in found:
            found.add(interface)
            found.update(source for kind, _, source in declared[interface] if kind == "use")
    return {interface: declared[interface] for interface in declared if interface in found}


def wrap(module, heap, wit, version):
    """The bytes of the component. module, heap: the bytes of core modules."""
    wanted = {}
    for interface, label in imports_of(module):
        wanted.setdefault(interface, []).append(label)
    component = Component(version)
    declared = needed(Wit(wit).interfaces, wanted)
    for interface, declarations in declared.items():
        component.import_interface(interface, declarations, wanted.get(interface, ()))
    component.bytes += section(1, heap) + section(1, module)
    component.add(2, b"\0\0" + vec([]))  # core instance 0: the heap
    component.core_alias(0, 0, "realloc")
    component.core_alias(2, 0, "memory")
    component.core_functions = 1
    arguments = [name("env") + b"\x12\0", name("heap") + b"\x12\0"]
    count = 1
    for interface in declared:
        if interface not in wanted:
            continue
        lowered = [(label, component.lower(interface, label)) for label in wanted[interface]]
        component.add(2, b"\x01" + vec([name(label) + b"\0" + leb(index)
                                        for label, index in lowered]))
        arguments.append(name(interface) + b"\x12" + leb(count))
        count += 1
    component.add(2, b"\0\x01" + vec(arguments))
    component.core_alias(0, count, "run")
    component.add(7, b"\x6a\0\0")
    component.add(7, b"\x40" + vec([]) + b"\0" + signed_leb(component.types))
    component.add(8, b"\0\0" + leb(component.core_functions) + vec([]) + leb(component.types + 1))
    component.add(5, b"\x01" + vec([extern_name("run") + bytes([FUNC])
                                    + leb(component.functions)]))
    component.add(11, extern_name(f"wasi:cli/run@{version}") + b"\x05" + leb(component.instances)
                  + b"\0")
    return component.bytes


def build(source, wit, folder, version="0.2.0"):
    """Compiles a C program and heap.wat, and writes the component. Its path."""
    core, heap = folder / "core.wasm", folder / "heap.wasm"
    subprocess.run(["clang-19", "--target=wasm32", "-std=c17", "-O1", "-Wall", "-Wextra", "-Werror",
                    "-nostdlib", "-Wl,--no-entry", "-Wl,--import-memory", "-Wl,--strip-all",
                    "-I", HERE, source, "-o", core], check=True)
    subprocess.run(["wat2wasm", HERE / "heap.wat", "-o", heap], check=True)
    component = folder / (Path(source).stem + ".wasm")
    component.write_bytes(wrap(core.read_bytes(), heap.read_bytes(),
                               Path(wit).read_text(encoding="utf-8"), version))
    return component


if __name__ == "__main__":
    build(sys.argv[1], HERE / "wasi2.wit", Path(sys.argv[2]))  # SOURCE FOLDER

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Writes the component that components.cc runs, as a toolchain would from this world. It has the
# host price an order, and answers with what it was given:
#
#   record line { item: string, count: u32 }
#   record order { customer: string, lines: list<line>, total: option<u64> }
#   import price: func(order: order) -> order;
#   export checkout: func(order: order) -> order;
#
#   shop_component.py OUT.wasm
import pathlib
import subprocess
import sys
import tempfile

# An allocator that gives nothing back is enough for an example.
LIBC = """(module (memory (export "memory") 1)
  (global $next (mut i32) (i32.const 4096))
  (func (export "realloc") (param i32 i32 i32 i32) (result i32) (local $at i32)
    (local.set $at (i32.and (i32.add (global.get $next) (i32.const 7)) (i32.const -8)))
    (global.set $next (i32.add (local.get $at) (local.get 3)))
    (local.get $at)))"""
ORDER = "(param i32 i32 i32 i32 i32 i64)"  # two strings' worth of words, and an option of a u64
MAIN = f"""(module (import "libc" "memory" (memory 1))
  (import "host" "price" (func $price {ORDER} (param i32)))
  (func (export "checkout") {ORDER} (result i32)
    (call $price (local.get 0) (local.get 1) (local.get 2) (local.get 3) (local.get 4)
                 (local.get 5) (i32.const 1024))
    (i32.const 1024)))"""
STRING, U32, U64 = b"\x73", b"\x79", b"\x77"
MEMORY_AND_REALLOC = b"\x02\x03\x00\x04\x00"


def core(text):
    with tempfile.TemporaryDirectory() as folder:
        wat, wasm = pathlib.Path(folder, "in.wat"), pathlib.Path(folder, "out.wasm")
        wat.write_text(text)
        subprocess.run(["wat2wasm", wat, "-o", wasm], check=True)
        return wasm.read_bytes()


def leb(number):
    more = number >> 7
    return bytes([number & 0x7F | 0x80]) + leb(more) if more else bytes([number])


def name(text):
    return leb(len(text)) + text.encode()


def vec(*items):
    return leb(len(items)) + b"".join(items)


def section(number, *items):
    body = items[0] if number == 1 else vec(*items)  # a module is not in a vector
    return bytes([number]) + leb(len(body)) + body


def extern(text):
    return b"\x00" + name(text)


def record(**fields):
    return b"\x72" + vec(*(name(field) + type for field, type in fields.items()))


def named(text, index):  # gives an imported name to a type: what WIT's records have
    return section(10, extern(text) + b"\x03\x00" + leb(index))


def component():
    return b"".join([
        b"\0asm\x0d\0\x01\0",
        section(7, record(item=STRING, count=U32)), named("line", 0),  # types 0 and 1
        section(7, b"\x70" + leb(1), b"\x6b" + U64,                    # 2: list<line>, 3: option
                record(customer=STRING, lines=leb(2), total=leb(3))),
        named("order", 4),                                            # 5
        section(7, b"\x40" + vec(name("order") + leb(5)) + b"\x00" + leb(5)),  # 6: the functions
        section(10, extern("price") + b"\x01" + leb(6)),
        section(1, core(LIBC)), section(1, core(MAIN)),
        section(2, b"\x00\x00" + vec()),
        section(6, b"\x00\x02\x01\x00" + name("memory"), b"\x00\x00\x01\x00" + name("realloc")),
        section(8, b"\x01\x00" + leb(0) + MEMORY_AND_REALLOC),        # lowers price
        section(2, b"\x01" + vec(name("price") + b"\x00" + leb(1)),
                b"\x00\x01" + vec(name("libc") + b"\x12\x00", name("host") + b"\x12\x01")),
        section(6, b"\x00\x00\x01\x02" + name("checkout")),
        section(8, b"\x00\x00" + leb(2) + MEMORY_AND_REALLOC + leb(6)),  # lifts checkout
        section(11, extern("checkout") + b"\x01" + leb(1) + b"\x00"),
    ])


pathlib.Path(sys.argv[1]).write_bytes(component())

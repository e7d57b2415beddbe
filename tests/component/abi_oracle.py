#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Random types and values, and what the specification's executable definitions make of them: one
# JSON object a line, for abi_test.cc.
#   abi_oracle.py FOLDER_OF_DEFINITIONS COUNT SEED
#
# A type is [word, parts...]; a value is the JSON that its type asks for (see encode()). "lifts" are
# the same bytes and others, damaged: what lifting gives, or null for a trap.
import json
import random
import struct
import sys

sys.path.insert(0, sys.argv[1])
import definitions as d  # noqa: E402

d.DETERMINISTIC_PROFILE = True
# Handles are numbers to the host: no tables.
d.lower_own = d.lower_borrow = lambda cx, v, t: v
d.lift_own = d.lift_borrow = lambda cx, i, t: i

BASE = 64
WORDS = {"bool": d.BoolType, "s8": d.S8Type, "u8": d.U8Type, "s16": d.S16Type, "u16": d.U16Type,
         "s32": d.S32Type, "u32": d.U32Type, "s64": d.S64Type, "u64": d.U64Type,
         "f32": d.F32Type, "f64": d.F64Type, "char": d.CharType, "string": d.StringType}
PRIMS = list(WORDS)
KINDS = ["list", "fixed-list", "map", "tuple", "record", "variant", "enum", "flags", "option",
         "result", "own", "borrow"]
rng = random.Random(int(sys.argv[3]))


class Context:
    """LiftLowerContext with an allocator that only goes up."""

    def __init__(self, memory, top=BASE):
        self.opts = d.LiftLowerOptions("utf8", d.MemInst(memory, "i32"))
        self.top = top

    def allocate(self, alignment, size):
        address = d.align_to(self.top, alignment)
        self.top = address + size
        return address


def labels(count):
    return [f"n{i}" for i in range(count)]


def random_type(depth):
    if depth == 0 or rng.random() < 0.3:
        return [rng.choice(PRIMS)]
    kind = rng.choice(KINDS)
    inner = lambda: random_type(depth - 1)  # noqa: E731
    maybe = lambda: inner() if rng.random() < 0.7 else None  # noqa: E731
    count = rng.randint(1, 5)
    if kind in ("list", "option"):
        return [kind, inner()]
    if kind == "fixed-list":
        return [kind, inner(), rng.randint(1, 4)]
    if kind == "map":
        return [kind, [rng.choice(PRIMS[:9] + ["string"])], inner()]
    if kind == "tuple":
        return [kind, [inner() for _ in range(count)]]
    if kind == "record":
        return [kind, [[name, inner()] for name in labels(count)]]
    if kind == "variant":
        if rng.random() < 0.05:  # a discriminant of two bytes
            return [kind, [[name, [rng.choice(PRIMS)]] for name in labels(300)]]
        return [kind, [[name, maybe()] for name in labels(count)]]
    if kind == "enum":
        return [kind, labels(300 if rng.random() < 0.1 else count)]
    if kind == "flags":
        return [kind, labels(rng.randint(1, 32))]
    if kind == "result":
        return [kind, maybe(), maybe()]
    return [kind]


def to_type(t):
    kind = t[0]
    if kind in WORDS:
        return WORDS[kind]()
    sub = lambda part: None if part is None else to_type(part)  # noqa: E731
    if kind == "list":
        return d.ListType(sub(t[1]))
    if kind == "fixed-list":
        return d.ListType(sub(t[1]), t[2])
    if kind == "map":
        return d.MapType(sub(t[1]), sub(t[2]))
    if kind == "tuple":
        return d.TupleType([sub(part) for part in t[1]])
    if kind == "record":
        return d.RecordType([d.FieldType(name, sub(part)) for name, part in t[1]])
    if kind == "variant":
        return d.VariantType([d.CaseType(name, sub(part)) for name, part in t[1]])
    if kind == "enum":
        return d.EnumType(t[1])
    if kind == "flags":
        return d.FlagsType(t[1])
    if kind == "option":
        return d.OptionType(sub(t[1]))
    if kind == "result":
        return d.ResultType(sub(t[1]), sub(t[2]))
    return d.OwnType(None) if kind == "own" else d.BorrowType(None)


def random_float(kind):
    bits = 32 if kind == "f32" else 64
    word = rng.choice([0, 1 << (bits - 1), rng.getrandbits(bits), (1 << bits) - 1,
                       0x7f800000 if bits == 32 else 0x7ff << 52])
    return d.decode_i32_as_float(word) if bits == 32 else d.decode_i64_as_float(word)


def random_char():
    return chr(rng.choice([rng.randint(0, 127), rng.randint(0x80, 0x7ff), 0xd7ff, 0xe000,
                           rng.randint(0xe000, 0xffff), rng.randint(0x10000, 0x10ffff)]))


def random_prim(kind):
    if kind == "bool":
        return rng.random() < 0.5
    if kind == "char":
        return random_char()
    if kind == "string":
        length = rng.choice([0, 1, 3, 10, 10, 3000 if rng.random() < 0.1 else 2])
        text = "".join(random_char() for _ in range(length))
        return (text, "utf8", len(text.encode()))
    if kind in ("f32", "f64"):
        return random_float(kind)
    bits = int(kind[1:])
    low = -(1 << (bits - 1)) if kind[0] == "s" else 0
    return rng.choice([low, low + (1 << bits) - 1, rng.randint(low, low + (1 << bits) - 1), 1])


def random_value(t):
    kind = t[0]
    if kind in WORDS:
        return random_prim(kind)
    if kind == "list":
        return [random_value(t[1]) for _ in range(rng.choice([0, 1, 2, 5]))]
    if kind == "fixed-list":
        return [random_value(t[1]) for _ in range(t[2])]
    if kind == "map":
        return [{"0": random_value(t[1]), "1": random_value(t[2])}
                for _ in range(rng.choice([0, 1, 3]))]
    if kind == "tuple":
        return {str(i): random_value(part) for i, part in enumerate(t[1])}
    if kind == "record":
        return {name: random_value(part) for name, part in t[1]}
    if kind == "flags":
        return {name: rng.random() < 0.5 for name in t[1]}
    if kind in ("own", "borrow"):
        return rng.getrandbits(32)
    if kind == "enum":
        return {rng.choice(t[1]): None}
    if kind == "variant":
        name, part = rng.choice(t[1])
    elif kind == "option":
        name, part = rng.choice([("none", None), ("some", t[1])])
    else:
        name, part = rng.choice([("ok", t[1]), ("error", t[2])])
    return {name: None if part is None else random_value(part)}


def float_bits(kind, value):
    return d.encode_float_as_i32(value) if kind == "f32" else d.encode_float_as_i64(value)


def encode(value, t):
    kind = t[0]
    if kind in ("f32", "f64"):
        return str(float_bits(kind, value))
    if kind == "bool":
        return value
    if kind == "string":
        return value[0]
    if kind == "char":
        return ord(value)
    if kind in WORDS:
        return str(value)
    if kind in ("list", "fixed-list"):
        return [encode(item, t[1]) for item in value]
    if kind == "map":
        return [[encode(item["0"], t[1]), encode(item["1"], t[2])] for item in value]
    if kind == "tuple":
        return [encode(value[str(i)], part) for i, part in enumerate(t[1])]
    if kind == "record":
        return [encode(value[name], part) for name, part in t[1]]
    if kind == "flags":
        return [name for name in t[1] if value[name]]
    if kind in ("own", "borrow"):
        return value
    (name, payload), = value.items()
    if kind == "enum":
        return name
    if kind == "variant":
        part = dict(t[1])[name]
    else:
        part = {"none": None, "some": t[1], "ok": t[1], "error": t[-1]}[name]
    return [name] if part is None else [name, encode(payload, part)]


def flat_bits(flat_types, values):
    return [float_bits(t, v) if t[0] == "f" else v for t, v in zip(flat_types, values)]


def lift(case, memory, bits):
    """The values as JSON, or None for a trap."""
    cx = Context(memory)
    flat = []
    for t, word in zip(case.slots, bits):
        decode = {"f32": d.decode_i32_as_float, "f64": d.decode_i64_as_float}.get(t)
        flat.append(decode(word) if decode else word)
    try:
        values = d.lift_flat_values(cx, case.flat_max, d.CoreValueIter(flat), case.definitions)
    except d.Trap:
        return None
    return [encode(value, t) for value, t in zip(values, case.types)]


class Case:
    def __init__(self):
        self.role = rng.choice(["argument", "result"])
        count = rng.choice([1, 1, 2, 3, 6]) if self.role == "argument" else 1
        self.types = [random_type(rng.randint(0, 4)) for _ in range(count)]
        self.definitions = [to_type(t) for t in self.types]
        self.values = [random_value(t) for t in self.types]
        self.flat_max = 16 if self.role == "argument" else 1
        memory = bytearray(1 << 20)
        cx = Context(memory)
        values = d.lower_flat_values(cx, self.flat_max, self.values, self.definitions)
        flat_types = d.flatten_types(self.definitions, cx.opts)
        self.slots = flat_types if len(flat_types) <= self.flat_max else ["i32"]
        self.flat = flat_bits(self.slots, values)
        self.memory = memory[:cx.top]

    def damaged(self):
        memory, flat = bytearray(self.memory), list(self.flat)
        size = len(memory)
        for _ in range(rng.choice([1, 1, 2, 8])):
            if size > BASE and rng.random() < 0.7:
                at = rng.randrange(BASE, size)
                patch = rng.choice([bytes([rng.getrandbits(8)]), b"\xed\xa0\x80", b"\0\xd8\0\0",
                                    struct.pack("<I", rng.randrange(size + 2)),
                                    b"\xff\xff\xff\xff"])
                memory[at:at + len(patch)] = patch
                del memory[size:]
            elif flat:
                i = rng.randrange(len(flat))
                word = rng.choice([rng.getrandbits(64), rng.randrange(size + 2), flat[i] ^ 1,
                                   flat[i] + (1 << 32), rng.randrange(8), 0xd800])
                flat[i] = word & (2**64 - 1 if self.slots[i][1:] == "64" else 2**32 - 1)
        return memory, flat

    def write(self):
        lifts = []
        for memory, flat in [(self.memory, self.flat)] + [self.damaged() for _ in range(3)]:
            lifts.append({"memory": memory.hex(), "flat": [str(word) for word in flat],
                          "values": lift(self, memory, flat)})
        print(json.dumps({
            "role": self.role, "types": self.types,
            "values": [encode(value, t) for value, t in zip(self.values, self.types)],
            "lifts": lifts}))


for _ in range(int(sys.argv[2])):
    Case().write()

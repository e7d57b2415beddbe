# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Small WebAssembly modules as bytes, for tests of the command line: enough of an assembler to
# write a module in a few lines (wasm-3.0 #binary-module).
I32, I64, F64 = 0x7F, 0x7E, 0x7C
FUNC, TABLE, MEMORY, GLOBAL = 0, 1, 2, 3
UNREACHABLE, LOOP, END, BR, CALL, DROP = 0x00, 0x03, 0x0B, 0x0C, 0x10, 0x1A
LOCAL_GET, I32_LOAD, I32_STORE, MEMORY_SIZE, MEMORY_GROW = 0x20, 0x28, 0x36, 0x3F, 0x40
I32_CONST, I32_ADD, I32_DIV_S, F64_ADD = 0x41, 0x6A, 0x6D, 0xA0
EMPTY_BLOCK = 0x40


def unsigned(value):
    """LEB128."""
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def const(value):
    """i32.const."""
    out = bytearray([I32_CONST])
    while not -64 <= value < 64:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value & 0x7F)
    return bytes(out)


def name(text):
    data = text.encode()
    return unsigned(len(data)) + data


def vector(items):
    return unsigned(len(items)) + b"".join(items)


def section(number, contents):
    return bytes([number]) + unsigned(len(contents)) + contents


def module(types, functions, imports=(), memory=None, exports=(), start=None, data=()):
    """types: (params, results); imports: (module, name, type index) of functions;
    functions: (type index, body without end); exports: (name, kind, index);
    memory: pages; data: (offset, bytes)."""
    out = b"\0asm\1\0\0\0"
    out += section(1, vector([b"\x60" + vector([bytes([p]) for p in params]) +
                              vector([bytes([r]) for r in results])
                              for params, results in types]))
    if imports:
        out += section(2, vector([name(m) + name(n) + b"\0" + unsigned(t)
                                  for m, n, t in imports]))
    out += section(3, vector([unsigned(t) for t, _ in functions]))
    if memory is not None:
        out += section(5, vector([b"\0" + unsigned(memory)]))
    if exports:
        out += section(7, vector([name(n) + bytes([kind]) + unsigned(index)
                                  for n, kind, index in exports]))
    if start is not None:
        out += section(8, unsigned(start))
    bodies = [b"\0" + body + bytes([END]) for _, body in functions]
    out += section(10, vector([unsigned(len(body)) + body for body in bodies]))
    if data:
        out += section(11, vector([b"\0" + const(offset) + bytes([END]) +
                                   unsigned(len(content)) + content for offset, content in data]))
    return out


def one_function(params, results, body, export="f", **rest):
    return module([(params, results)], [(0, body)], exports=[(export, FUNC, 0)], **rest)


FORTY_TWO = one_function([], [I32], const(42))
ADD = one_function([F64, F64], [F64], bytes([LOCAL_GET, 0, LOCAL_GET, 1, F64_ADD]), "add")
DIVIDE = one_function([I32, I32], [I32], bytes([LOCAL_GET, 0, LOCAL_GET, 1, I32_DIV_S]), "divide")
ENDLESS = bytes([LOOP, EMPTY_BLOCK, BR, 0, END])
LOOP_FOR_EVER = one_function([], [], ENDLESS, "_start")
LOOP_AT_START = one_function([], [], ENDLESS, "f", start=0)
RECURSE = one_function([], [], bytes([CALL, 0]), "recurse")
LOAD = one_function([I32], [I32], bytes([LOCAL_GET, 0, I32_LOAD, 2, 0]), "load", memory=1)
GROW = one_function([I32], [I32], bytes([LOCAL_GET, 0, MEMORY_GROW, 0]), "grow", memory=1)
UNKNOWN_IMPORT = module([([], [])], [(0, b"")], imports=[("env", "missing", 0)],
                        exports=[("f", FUNC, 1)])
BENCH = module([([], [])], [(0, bytes([CALL, 0, CALL, 1]))],
               imports=[("bench", "start", 0), ("bench", "end", 0)], exports=[("_start", FUNC, 2)])
EXIT_3 = module([([I32], []), ([], [])], [(1, const(3) + bytes([CALL, 0]))],
                imports=[("wasi_snapshot_preview1", "proc_exit", 0)], memory=1,
                exports=[("_start", FUNC, 1), ("memory", MEMORY, 0)])
PRINT_HELLO = const(1) + const(0) + const(1) + const(8) + bytes([CALL, 0, DROP])


def hello(body):
    """Has "hello\\n" at 16, and an iovec for it at 0."""
    return module([([I32] * 4, [I32]), ([], [])], [(1, body)],
                  imports=[("wasi_snapshot_preview1", "fd_write", 0)], memory=1,
                  exports=[("_start", FUNC, 1), ("memory", MEMORY, 0)],
                  data=[(0, b"\x10\0\0\0\x06\0\0\0"), (16, b"hello\n")])


HELLO = hello(PRINT_HELLO)
HELLO_THEN_LOOP = hello(PRINT_HELLO + ENDLESS)
# Reads from standard input into 32.
READ_INPUT = module([([I32] * 4, [I32]), ([], [])],
                    [(1, const(0) + const(0) + const(1) + const(8) + bytes([CALL, 0, DROP]))],
                    imports=[("wasi_snapshot_preview1", "fd_read", 0)], memory=1,
                    exports=[("_start", FUNC, 1), ("memory", MEMORY, 0)],
                    data=[(0, b"\x20\0\0\0\x06\0\0\0")])
# Calls math.add from another module.
CALLS_ADD = module([([F64, F64], [F64])],
                   [(0, bytes([LOCAL_GET, 0, LOCAL_GET, 1, CALL, 0]))],
                   imports=[("math", "add", 0)], exports=[("sum", FUNC, 1)])

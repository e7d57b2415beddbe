// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Canonical built-ins: what each has in the binary, and the core type it gets
// (CanonicalABI.md, one section for each).
#include "component/decoder.h"

namespace mayfly::component {
namespace {

using wasm::FuncType;
using wasm::kI32;
using wasm::kI64;

constexpr uint32_t kEncodingBit = 1u << 0;
constexpr uint32_t kMemoryBit = 1u << 3;
constexpr uint32_t kReallocBit = 1u << 4;
constexpr uint32_t kAsyncBit = 1u << 6;

bool is_between(CanonOp op, CanonOp first, CanonOp last) { return op >= first && op <= last; }

}  // namespace

Result<void> Decoder::resource_builtin(CanonOp op, ByteCursor& cursor, uint64_t start) {
  Canon canon;
  canon.op = op;
  canon.type = MAYFLY_TRY(type_of_kind(TypeKind::kResource, cursor));
  if (op == CanonOp::kResourceDrop) return add_canon(canon, {{kI32}, {}}, start);
  const ResourceInfo& info = types().resource_info(types().canonical(canon.type));
  if (info.component != scope().number) {
    return invalid_at("the type of a `resource.new` or `resource.rep` is not a local resource",
                      start);
  }
  const wasm::ValType rep = info.rep_is_64 ? kI64 : kI32;
  return op == CanonOp::kResourceNew ? add_canon(canon, {{rep}, {kI32}}, start)
                                     : add_canon(canon, {{kI32}, {rep}}, start);
}

Result<void> Decoder::task_return(ByteCursor& cursor, uint64_t start) {
  Canon canon;
  canon.op = CanonOp::kTaskReturn;
  canon.result = MAYFLY_TRY(result_list(cursor));
  if (types().has_borrow(canon.result)) {
    return invalid_at("`task.return` cannot return a `borrow` type", start);
  }
  canon.options = MAYFLY_TRY(canon_options(cursor, kEncodingBit | kMemoryBit));
  std::vector<ValType> params;
  if (canon.result.exists()) params.push_back(canon.result);
  const FlatFunction flat =
      flatten_functype(types(), params, ValType(), canon.options, FlattenContext::kLower);
  if (flat.params_in_memory || (canon.result.exists() && types().has_pointers(canon.result))) {
    MAYFLY_TRY(need_memory(canon.options, start));
  }
  return add_canon(canon, flat.core, start);
}

Result<void> Decoder::context_builtin(CanonOp op, ByteCursor& cursor, uint64_t start) {
  Canon canon;
  canon.op = op;
  const uint8_t type = cursor.u8();
  canon.slot = cursor.u32();
  if (cursor.failed()) return cursor.error();
  if (type != 0x7f && !(type == 0x7e && features().memory64)) {
    return invalid_at("the type of a context slot must be i32 or i64", start);
  }
  canon.is_64 = type == 0x7e;
  if (canon.slot >= 2) {
    return invalid_at("context slot " + std::to_string(canon.slot) + " is not less than 2", start);
  }
  auto& all = scope().context_is_64;
  if (all.value_or(canon.is_64) != canon.is_64) {
    return invalid_at("all context slots of a component must have the same type", start);
  }
  all = canon.is_64;
  const wasm::ValType value = canon.is_64 ? kI64 : kI32;
  return op == CanonOp::kContextGet ? add_canon(canon, {{}, {value}}, start)
                                    : add_canon(canon, {{value}, {}}, start);
}

Result<void> Decoder::copy_builtin(Canon canon, bool is_stream, ByteCursor& cursor,
                                   uint64_t start) {
  canon.options =
      MAYFLY_TRY(canon_options(cursor, kEncodingBit | kMemoryBit | kReallocBit | kAsyncBit));
  if (!canon.options.is_async && !features().more_async_builtins) {
    return invalid_at("canonical option `async` is required", start);
  }
  const auto members = types().members(canon.type);
  const bool is_read = canon.op == CanonOp::kStreamRead || canon.op == CanonOp::kFutureRead;
  if (!members.empty()) {
    MAYFLY_TRY(need_memory(canon.options, start));
    if (is_read && types().has_pointers(members[0].type)) {
      MAYFLY_TRY(need_realloc(canon.options, start));
    }
  }
  const wasm::ValType address = core_type(canon.options.width);
  return is_stream ? add_canon(canon, {{kI32, address, address}, {address}}, start)
                   : add_canon(canon, {{kI32, address}, {kI32}}, start);
}

// Streams and futures: the same seven built-ins for each, in the same order.
Result<void> Decoder::channel_builtin(CanonOp op, ByteCursor& cursor, uint64_t start) {
  Canon canon;
  canon.op = op;
  const bool is_stream = op < CanonOp::kFutureNew;
  canon.type = MAYFLY_TRY(type_of_kind(is_stream ? TypeKind::kStream : TypeKind::kFuture, cursor));
  switch (op) {
    case CanonOp::kStreamNew:
    case CanonOp::kFutureNew:
      return add_canon(canon, {{}, {kI64}}, start);
    case CanonOp::kStreamRead:
    case CanonOp::kStreamWrite:
    case CanonOp::kFutureRead:
    case CanonOp::kFutureWrite:
      return copy_builtin(canon, is_stream, cursor, start);
    case CanonOp::kStreamCancelRead:
    case CanonOp::kStreamCancelWrite:
    case CanonOp::kFutureCancelRead:
    case CanonOp::kFutureCancelWrite:
      canon.is_async = MAYFLY_TRY(flag(cursor, "async"));
      if (canon.is_async && !features().more_async_builtins) {
        return invalid_at("`async` is not enabled for this built-in", start);
      }
      return add_canon(canon, {{kI32}, {kI32}}, start);
    default:
      return add_canon(canon, {{kI32}, {}}, start);
  }
}

Result<void> Decoder::error_context_builtin(CanonOp op, ByteCursor& cursor, uint64_t start) {
  if (!features().error_context) return invalid_at("error contexts are not enabled", start);
  Canon canon;
  canon.op = op;
  if (op == CanonOp::kErrorContextDrop) return add_canon(canon, {{kI32}, {}}, start);
  canon.options = MAYFLY_TRY(canon_options(cursor, kEncodingBit | kMemoryBit | kReallocBit));
  MAYFLY_TRY(need_memory(canon.options, start));
  const wasm::ValType address = core_type(canon.options.width);
  if (op == CanonOp::kErrorContextNew) {
    return add_canon(canon, {{address, address}, {kI32}}, start);
  }
  MAYFLY_TRY(need_realloc(canon.options, start));
  return add_canon(canon, {{kI32, address}, {}}, start);
}

Result<void> Decoder::waitable_builtin(CanonOp op, ByteCursor& cursor, uint64_t start) {
  Canon canon;
  canon.op = op;
  switch (op) {
    case CanonOp::kWaitableSetNew:
      return add_canon(canon, {{}, {kI32}}, start);
    case CanonOp::kWaitableSetWait:
    case CanonOp::kWaitableSetPoll: {
      canon.is_cancellable = MAYFLY_TRY(flag(cursor, "cancellable"));
      canon.options.memory = MAYFLY_TRY(index(Space::kCoreMemory, cursor));
      const CoreEntityId id{scope().def.space(Space::kCoreMemory)[canon.options.memory].type};
      const bool is_64 = core()[id].memory.address == wasm::AddressType::kI64;
      if (is_64 && !features().memory64) {
        return invalid_at("the memory must have 32-bit addresses", start);
      }
      canon.options.width = is_64 ? PtrWidth::k64 : PtrWidth::k32;
      return add_canon(canon, {{kI32, is_64 ? kI64 : kI32}, {kI32}}, start);
    }
    case CanonOp::kWaitableSetDrop:
      return add_canon(canon, {{kI32}, {}}, start);
    default:
      return add_canon(canon, {{kI32, kI32}, {}}, start);
  }
}

// thread.new-indirect, thread.spawn-ref, thread.spawn-indirect
Result<void> Decoder::thread_creation(CanonOp op, ByteCursor& cursor, uint64_t start) {
  Canon canon;
  canon.op = op;
  if (op != CanonOp::kThreadNewIndirect) canon.is_shared = MAYFLY_TRY(flag(cursor, "shared"));
  if (canon.is_shared) return unsupported_shared(start);
  canon.core_type = MAYFLY_TRY(index(Space::kCoreType, cursor));
  const Entry& type = scope().def.space(Space::kCoreType)[canon.core_type];
  const bool is_func = !type.is_module_type;
  const FuncType* func = is_func ? &core().func_type(CoreEntityId{type.type}) : nullptr;
  const bool is_start =
      is_func && func->results.empty() && func->params.size() == 1 &&
      (func->params[0] == kI32 || (func->params[0] == kI64 && features().memory64));
  if (!is_start) {
    return invalid_at("a thread must start with a function (func (param i32))", start);
  }
  const wasm::ValType argument = func->params[0];
  if (op == CanonOp::kThreadSpawnRef) {
    return add_canon(canon, {{wasm::kFuncref, argument}, {kI32}}, start);
  }
  canon.table = MAYFLY_TRY(index(Space::kCoreTable, cursor));
  const CoreEntityId table{scope().def.space(Space::kCoreTable)[canon.table].type};
  const wasm::TableType& table_type = core()[table].table;
  if (wasm::ValType::of(table_type.element) != wasm::kFuncref) {
    return invalid_at("a thread must start with an entry of a funcref table", start);
  }
  const bool is_64 = table_type.address == wasm::AddressType::kI64;
  return add_canon(canon, {{is_64 ? kI64 : kI32, argument}, {kI32}}, start);
}

Result<void> Decoder::thread_builtin(CanonOp op, ByteCursor& cursor, uint64_t start) {
  Canon canon;
  canon.op = op;
  if (op != CanonOp::kThreadYield && !features().threads) {
    return invalid_at("threads are not enabled", start);
  }
  switch (op) {
    case CanonOp::kThreadIndex:
      return add_canon(canon, {{}, {kI32}}, start);
    case CanonOp::kThreadNewIndirect:
    case CanonOp::kThreadSpawnRef:
    case CanonOp::kThreadSpawnIndirect:
      return thread_creation(op, cursor, start);
    case CanonOp::kThreadResumeLater:
      return add_canon(canon, {{kI32}, {}}, start);
    case CanonOp::kThreadAvailableParallelism:
      canon.is_shared = MAYFLY_TRY(flag(cursor, "shared"));
      if (canon.is_shared) return unsupported_shared(start);
      return add_canon(canon, {{}, {kI32}}, start);
    case CanonOp::kThreadYield:
    case CanonOp::kThreadSuspend:
      canon.is_cancellable = MAYFLY_TRY(flag(cursor, "cancellable"));
      return add_canon(canon, {{}, {kI32}}, start);
    default:
      canon.is_cancellable = MAYFLY_TRY(flag(cursor, "cancellable"));
      return add_canon(canon, {{kI32}, {kI32}}, start);
  }
}

Result<void> Decoder::unsupported_shared(uint64_t start) {
  Error error = invalid_at("shared functions are not supported", start);
  error.kind = ErrorKind::kUnsupported;
  return error;
}

Result<void> Decoder::builtin(uint8_t opcode, ByteCursor& cursor, uint64_t start) {
  const auto op = static_cast<CanonOp>(opcode);
  Canon canon;
  canon.op = op;
  if (is_between(op, CanonOp::kResourceNew, CanonOp::kResourceRep)) {
    return resource_builtin(op, cursor, start);
  }
  if (is_between(op, CanonOp::kStreamNew, CanonOp::kFutureDropWritable)) {
    return channel_builtin(op, cursor, start);
  }
  if (is_between(op, CanonOp::kErrorContextNew, CanonOp::kErrorContextDrop)) {
    return error_context_builtin(op, cursor, start);
  }
  if (is_between(op, CanonOp::kWaitableSetNew, CanonOp::kWaitableJoin)) {
    return waitable_builtin(op, cursor, start);
  }
  if (is_between(op, CanonOp::kThreadIndex, CanonOp::kThreadYieldThenPromote) ||
      is_between(op, CanonOp::kThreadSpawnRef, CanonOp::kThreadAvailableParallelism) ||
      op == CanonOp::kThreadYield) {
    return thread_builtin(op, cursor, start);
  }
  switch (op) {
    case CanonOp::kTaskReturn:
      return task_return(cursor, start);
    case CanonOp::kContextGet:
    case CanonOp::kContextSet:
      return context_builtin(op, cursor, start);
    case CanonOp::kTaskCancel:
    case CanonOp::kBackpressureInc:
    case CanonOp::kBackpressureDec:
      return add_canon(canon, {{}, {}}, start);
    case CanonOp::kSubtaskDrop:
      return add_canon(canon, {{kI32}, {}}, start);
    case CanonOp::kSubtaskCancel:
      canon.is_async = MAYFLY_TRY(flag(cursor, "async"));
      if (canon.is_async && !features().more_async_builtins) {
        return invalid_at("`async` is not enabled for this built-in", start);
      }
      return add_canon(canon, {{kI32}, {kI32}}, start);
    default:
      return invalid_at("malformed canonical definition " + std::to_string(opcode), start);
  }
}

}  // namespace mayfly::component

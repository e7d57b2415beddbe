// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What adapters share. Memories that canonical options name have 32-bit addresses, so that 64-bit
// sums of an address and a length never wrap.
#include "linker/adapter_module.h"

#include <utility>

#include "base/check.h"
#include "linker/guest_functions.h"

namespace mayfly::linker {
namespace {

using guest_abi::ComponentTrap;
using image::Binding;

wasm::FuncType type_of(std::vector<wasm::ValType> params, std::vector<wasm::ValType> results) {
  return {std::move(params), std::move(results)};
}

Binding instance_binding(image::Definition definition) {
  Binding binding;
  binding.definition = definition;
  return binding;
}

}  // namespace

Side host_side() {
  Side side;
  side.memory = MemoryRef{{kStateStep, kTransferMemory}, {}};
  return side;
}

uint32_t AdapterModule::state_memory() {
  return writer_.import_memory(instance_binding({kStateStep, kStateMemory}), {});
}

uint32_t AdapterModule::memory_of(const Side& side) {
  CHECK(side.memory.has_value(), side.instance);
  return writer_.import_memory(instance_binding(side.memory->definition), side.memory->type);
}

uint32_t AdapterModule::global(uint32_t index) {
  return writer_.import_global(instance_binding({kStateStep, index}));
}

FunctionRef AdapterModule::guest_function(std::string_view name, std::vector<uint32_t> memories) {
  const ComponentFunction function = component_function(name);
  Binding binding;
  binding.kind = Binding::Kind::kGuest;
  binding.symbol = function.symbol;
  binding.memories = std::move(memories);
  return writer_.import_function(binding, function.type);
}

void AdapterModule::trap(CodeWriter& code, ComponentTrap trap) {
  code.i32(static_cast<uint32_t>(trap)).call(guest_function("trap", {})).op(Op::kUnreachable);
}

void AdapterModule::trap_if(CodeWriter& code, ComponentTrap trap_code) {
  code.if_();
  trap(code, trap_code);
  code.end();
}

uint64_t AdapterModule::side_id(const Side& side) {
  std::string key = std::to_string(side.instance);
  key += ' ' + std::to_string(static_cast<int>(side.options.encoding));
  if (side.memory) {
    key += " m" + std::to_string(side.memory->definition.instance);
    key += ' ' + std::to_string(side.memory->definition.index);
  }
  if (side.realloc) {
    key += " r" + std::to_string(side.realloc->definition.instance);
    key += ' ' + std::to_string(side.realloc->definition.index);
  }
  return side_ids_.emplace(std::move(key), side_ids_.size()).first->second;
}

FunctionRef AdapterModule::range_check(const Side& side, ComponentTrap outside) {
  const std::pair id{side_id(side), outside};
  if (const auto found = range_checks_.find(id); found != range_checks_.end()) {
    return found->second;
  }
  const FunctionRef function =
      writer_.add_function(type_of({wasm::kI32, wasm::kI64, wasm::kI32}, {}), "check range");
  range_checks_[id] = function;
  CodeWriter code(3);
  code.get(0).get(2).op(Op::kI32And);
  trap_if(code, outside == ComponentTrap::kReallocOutOfBounds ? ComponentTrap::kReallocUnaligned
                                                              : ComponentTrap::kUnalignedPointer);
  code.get(0).op(Op::kI64ExtendI32U).get(1).op(Op::kI64Add);
  code.memory_size(memory_of(side)).op(Op::kI64ExtendI32U).i64(16).op(Op::kI64Shl);
  code.op(Op::kI64GtU);
  trap_if(code, outside);
  writer_.set_body(function, std::move(code));
  return function;
}

FunctionRef AdapterModule::allocate(const Side& side) {
  const uint64_t id = side_id(side);
  if (const auto found = allocators_.find(id); found != allocators_.end()) return found->second;
  const wasm::FuncType type =
      type_of({wasm::kI32, wasm::kI32, wasm::kI32, wasm::kI32}, {wasm::kI32});
  if (side.is_host()) {
    return allocators_[id] = guest_function("transfer_realloc", {memory_of(side)});
  }
  const FunctionRef function = writer_.add_function(type, "allocate");
  allocators_[id] = function;
  CodeWriter code(4);
  const uint32_t result = code.add_local(Flat::kI32);
  const uint32_t may_leave_flag = may_leave(side.instance);
  CHECK(side.realloc.has_value(), side.instance);
  code.i32(0).global_set(may_leave_flag);
  code.get(0).get(1).get(2).get(3).call(writer_.import_function(*side.realloc, type)).set(result);
  code.i32(1).global_set(may_leave_flag);
  code.get(result).get(3).op(Op::kI64ExtendI32U).get(2).i32(1).op(Op::kI32Sub);
  code.call(range_check(side, ComponentTrap::kReallocOutOfBounds)).get(result);
  writer_.set_body(function, std::move(code));
  return function;
}

AdapterModule::Copy AdapterModule::copy_function(const CopyKey& key) {
  if (const auto found = copies_.find(key); found != copies_.end()) return {found->second, false};
  const FunctionRef function =
      writer_.add_function(type_of({wasm::kI32, wasm::kI32, wasm::kI32}, {}), "copy value");
  copies_[key] = function;
  return {function, true};
}

}  // namespace mayfly::linker

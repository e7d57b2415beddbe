// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Memories, globals and tables between calls. Sizes are the machine's own, and where only the guest
// knows them (a table's, a memory's last page) its claim within those.
#include "mayfly/memory.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "api/public_values.h"
#include "base/result.h"
#include "guest_abi/instance.h"
#include "runtime/sandbox_state.h"

namespace mayfly {
namespace {

using image::GlobalExport;
using image::MemoryExport;
using image::TableExport;
using runtime::SandboxState;

const image::ImageExport& export_of(const void* target) {
  return *static_cast<const image::ImageExport*>(target);
}

Result<void> check(SandboxState* state) {
  if (state == nullptr) return Error{ErrorKind::kState, "the handle was moved from", 0};
  return state->check_access();
}

template <typename T>
Result<T> read_struct(SandboxState& state, uint64_t address) {
  std::array<uint8_t, sizeof(T)> bytes{};
  MAYFLY_TRY(state.runner().vm().read(address, bytes));
  T value;
  std::memcpy(&value, bytes.data(), sizeof value);
  return value;
}

template <typename T>
Result<void> write_struct(SandboxState& state, uint64_t address, const T& value) {
  std::array<uint8_t, sizeof(T)> bytes{};
  std::memcpy(bytes.data(), &value, sizeof value);
  return state.runner().vm().write(address, bytes);
}

uint64_t memory_size(SandboxState& state, const MemoryExport& memory) {
  const auto info = read_struct<guest_abi::MemoryInfo>(state, memory.info);
  return info ? std::min(info->bytes, state.runner().vm().region_bytes(memory.region)) : 0;
}

// The guest's address of [address, address + size).
Result<uint64_t> guest_range(SandboxState& state, const MemoryExport& memory, uint64_t address,
                             uint64_t size) {
  const uint64_t bytes = memory_size(state, memory);
  if (address > bytes || size > bytes - address) {
    return invalid(std::to_string(size) + " bytes at " + std::to_string(address) +
                   " are outside the memory of " + std::to_string(bytes) + " bytes");
  }
  return state.program().image->regions()[memory.region].address + address;
}

Result<uint64_t> entry_address(SandboxState& state, const TableExport& table, uint64_t index) {
  const auto info = MAYFLY_TRY(read_struct<guest_abi::TableInfo>(state, table.info));
  if (index >= info.size) {
    return invalid("entry " + std::to_string(index) + " is outside the table of " +
                   std::to_string(info.size) + " entries");
  }
  return info.address + index * sizeof(uint64_t);
}

wasm::ValType element_of(const TableExport& table) { return wasm::ValType::of(table.type.element); }

}  // namespace

uint64_t Memory::size_bytes() const {
  if (!check(state_.get())) return 0;
  return memory_size(*state_, export_of(target_).memory);
}

Result<uint64_t> Memory::grow(uint64_t pages) {
  MAYFLY_TRY(check(state_.get()));
  const MemoryExport& memory = export_of(target_).memory;
  auto info = MAYFLY_TRY(read_struct<guest_abi::MemoryInfo>(*state_, memory.info));
  const uint64_t bytes = memory_size(*state_, memory);
  const uint64_t page_log2 = memory.type.page_size_log2;
  const uint64_t bytes_max =
      std::min(info.bytes_max, state_->program().image->regions()[memory.region].bytes_reserved);
  const uint64_t bytes_new = bytes + (pages << page_log2);
  if (bytes > bytes_max || pages > (bytes_max - bytes) >> page_log2 ||
      !state_->runner().ports().may_grow(memory.region, bytes_new)) {
    return limit("a memory of " + std::to_string(bytes >> page_log2) + " pages cannot grow by " +
                 std::to_string(pages) + ": it may have " + std::to_string(bytes_max >> page_log2) +
                 ", and the sandbox " + std::to_string(state_->config().limits.memory_bytes_max) +
                 " bytes");
  }
  MAYFLY_TRY(state_->runner().vm().resize(memory.region, bytes_new));
  info.bytes = bytes_new;
  MAYFLY_TRY(write_struct(*state_, memory.info, info));
  state_->count_memory();
  return bytes >> page_log2;
}

Result<void> Memory::read(uint64_t address, std::span<uint8_t> to) const {
  MAYFLY_TRY(check(state_.get()));
  const uint64_t from =
      MAYFLY_TRY(guest_range(*state_, export_of(target_).memory, address, to.size()));
  return state_->runner().vm().read(from, to);
}

Result<void> Memory::write(uint64_t address, std::span<const uint8_t> from) {
  MAYFLY_TRY(check(state_.get()));
  const uint64_t to =
      MAYFLY_TRY(guest_range(*state_, export_of(target_).memory, address, from.size()));
  return state_->runner().vm().write(to, from);
}

Result<std::vector<uint8_t>> Memory::read_bytes(uint64_t address, uint64_t size) const {
  MAYFLY_TRY(check(state_.get()));
  // Before anything is reserved by a number that the guest may have chosen.
  MAYFLY_TRY(guest_range(*state_, export_of(target_).memory, address, size));
  std::vector<uint8_t> bytes(size);
  MAYFLY_TRY(read(address, bytes));
  return bytes;
}

Result<std::string> Memory::read_string(uint64_t address, uint64_t size) const {
  const auto bytes = MAYFLY_TRY(read_bytes(address, size));
  return std::string(bytes.begin(), bytes.end());
}

Result<std::string> Memory::read_c_string(uint64_t address, uint64_t size_max) const {
  MAYFLY_TRY(check(state_.get()));
  const uint64_t bytes = memory_size(*state_, export_of(target_).memory);
  if (address >= bytes) {
    MAYFLY_TRY(guest_range(*state_, export_of(target_).memory, address, 1));
  }
  std::string text = MAYFLY_TRY(read_string(address, std::min(size_max, bytes - address)));
  const size_t end = text.find('\0');
  if (end == std::string::npos) {
    return limit("no zero byte in " + std::to_string(text.size()) + " bytes at " +
                 std::to_string(address));
  }
  text.resize(end);
  return text;
}

Result<void> Memory::write_string(uint64_t address, std::string_view text) {
  std::vector<uint8_t> bytes(text.begin(), text.end());
  return write(address, bytes);
}

ValueKind Global::kind() const {
  if (state_ == nullptr) return ValueKind::kI32;
  return runtime::value_kind_of(export_of(target_).global.type.type);
}

bool Global::is_mutable() const {
  return state_ != nullptr && export_of(target_).global.type.is_mutable;
}

Result<Value> Global::get() const {
  MAYFLY_TRY(check(state_.get()));
  return api::public_value(MAYFLY_TRY(state_->runner().read_global(export_of(target_).global)));
}

Result<void> Global::set(const Value& value) {
  MAYFLY_TRY(check(state_.get()));
  const GlobalExport& global = export_of(target_).global;
  if (!global.type.is_mutable) {
    return invalid("the global \"" + export_of(target_).name + "\" cannot be changed");
  }
  const guest_abi::Slot slot = MAYFLY_TRY(api::slot_of(value, global.type.type));
  if (global.type.type == wasm::kV128) return write_struct(*state_, global.address, slot);
  return write_struct(*state_, global.address, slot.low);
}

ValueKind Table::element_kind() const {
  if (state_ == nullptr) return ValueKind::kFuncref;
  return runtime::value_kind_of(element_of(export_of(target_).table));
}

uint64_t Table::size() const {
  if (!check(state_.get())) return 0;
  const auto info = read_struct<guest_abi::TableInfo>(*state_, export_of(target_).table.info);
  return info ? info->size : 0;
}

Result<Value> Table::get(uint64_t index) const {
  MAYFLY_TRY(check(state_.get()));
  const TableExport& table = export_of(target_).table;
  const uint64_t address = MAYFLY_TRY(entry_address(*state_, table, index));
  const auto bits = MAYFLY_TRY(read_struct<uint64_t>(*state_, address));
  return api::public_value({element_of(table), {bits, 0}});
}

Result<void> Table::set(uint64_t index, const Value& value) {
  MAYFLY_TRY(check(state_.get()));
  const TableExport& table = export_of(target_).table;
  const uint64_t address = MAYFLY_TRY(entry_address(*state_, table, index));
  const guest_abi::Slot slot = MAYFLY_TRY(api::slot_of(value, element_of(table)));
  return write_struct(*state_, address, slot.low);
}

}  // namespace mayfly

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Memory, Global and Table: what a sandbox exports besides functions. Every access is checked and
// copies; no pointer into the guest is ever handed out.
// Threads: as the sandbox's, and not while a call runs, but from its host functions.
#pragma once

#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "mayfly/export.h"
#include "mayfly/function.h"
#include "mayfly/result.h"
#include "mayfly/value.h"

namespace mayfly {

// Addresses and sizes are in bytes, from the memory's first byte. Copies refer to the same memory.
class MAYFLY_API Memory {
 public:
  uint64_t size_bytes() const;
  // Adds pages (of 64 KiB, or of the memory's own page size); the answer is the size before, in
  // pages. Errors: kLimit past the memory's maximum or the sandbox's Limits.
  Result<uint64_t> grow(uint64_t pages);

  // Errors: kInvalid when a byte is outside, naming address and size; nothing was copied then.
  Result<void> read(uint64_t address, std::span<uint8_t> to) const;
  Result<void> write(uint64_t address, std::span<const uint8_t> from);
  Result<std::vector<uint8_t>> read_bytes(uint64_t address, uint64_t size) const;
  Result<std::string> read_string(uint64_t address, uint64_t size) const;
  // Up to the first zero byte, which is not in the answer. Errors also: kLimit without one in
  // size_max bytes.
  Result<std::string> read_c_string(uint64_t address, uint64_t size_max = 65536) const;
  Result<void> write_string(uint64_t address, std::string_view text);

  // A number or a plain struct, in the guest's (and x86-64's) byte order.
  template <typename T>
    requires std::is_trivially_copyable_v<T>
  Result<T> load(uint64_t address) const {
    T value;
    auto done = read(address, {bytes_of(&value), sizeof value});
    if (!done) return std::move(done).error();
    return value;
  }
  template <typename T>
    requires std::is_trivially_copyable_v<T>
  Result<void> store(uint64_t address, const T& value) {
    return write(address, {bytes_of(&value), sizeof value});
  }

 private:
  friend class Sandbox;
  friend class Caller;
  Memory(std::shared_ptr<runtime::SandboxState> state, const void* target)
      : state_(std::move(state)), target_(target) {}
  static uint8_t* bytes_of(void* value) { return static_cast<uint8_t*>(value); }
  static const uint8_t* bytes_of(const void* value) { return static_cast<const uint8_t*>(value); }

  std::shared_ptr<runtime::SandboxState> state_;
  const void* target_;
};

class MAYFLY_API Global {
 public:
  ValueKind kind() const;
  bool is_mutable() const;
  Result<Value> get() const;
  // Errors: kInvalid for a global that is constant, a value of another type, or a reference to a
  // function that did not come from this sandbox's program.
  Result<void> set(const Value& value);

 private:
  friend class Sandbox;
  Global(std::shared_ptr<runtime::SandboxState> state, const void* target)
      : state_(std::move(state)), target_(target) {}
  std::shared_ptr<runtime::SandboxState> state_;
  const void* target_;
};

class MAYFLY_API Table {
 public:
  ValueKind element_kind() const;
  uint64_t size() const;  // in entries
  // Errors: kInvalid past the size, with both numbers.
  Result<Value> get(uint64_t index) const;
  // Errors: kInvalid past the size or for a value of another type.
  Result<void> set(uint64_t index, const Value& value);

 private:
  friend class Sandbox;
  Table(std::shared_ptr<runtime::SandboxState> state, const void* target)
      : state_(std::move(state)), target_(target) {}
  std::shared_ptr<runtime::SandboxState> state_;
  const void* target_;
};

}  // namespace mayfly

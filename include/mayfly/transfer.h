// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How values of components are stored in, and loaded from, the memory that host and guest share:
// the ground on which typed calls stand. Nothing here is meant for users.
//
// Invariants:
//  1. The guest may change the memory at any time, so a word is read once (load()), and bytes are
//     copied first and looked at in the copy.
//  2. No address outside the memory is touched, whatever a caller has checked or not.
//  3. What is made of a guest's bytes is paid for (charge()) before it is made.
#pragma once

#include <cmath>
#include <concepts>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "mayfly/export.h"
#include "mayfly/result.h"

namespace mayfly::runtime {
class SandboxState;
struct BoundHostFunction;
}  // namespace mayfly::runtime

namespace mayfly {
class ComponentValue;
}  // namespace mayfly

namespace mayfly::detail {

struct Slot;

// CanonicalABI.md: MAX_LIST_BYTE_LENGTH, MAX_STRING_BYTE_LENGTH
inline constexpr uint64_t kListBytesMax = (uint64_t{1} << 28) - 1;
// No type of a component has a larger alignment.
inline constexpr uint32_t kTransferAlignment = 8;
// Of float and double: what every NaN becomes on its way to the host.
inline constexpr uint32_t kNan32 = 0x7fc0'0000;
inline constexpr uint64_t kNan64 = 0x7ff8'0000'0000'0000;
// CanonicalABI.md #flattening: how many flat values there may be before all go through memory.
inline constexpr uint32_t kFlatParamsMax = 16;
inline constexpr uint32_t kFlatResultsMax = 1;
// Limits::lifted_bytes_max where there is no sandbox.
inline constexpr uint64_t kLiftedBytesMax = uint64_t{1} << 30;

template <typename T>
concept TransferWord = (std::integral<T> || std::floating_point<T>) && sizeof(T) <= 8;

constexpr uint64_t align_up(uint64_t offset, uint32_t alignment) {
  return (offset + alignment - 1) / alignment * alignment;
}

// Where a call's lists and strings will lie, counted from an aligned base: the TransferWriter that
// is asked for the same allocations in the same order puts them there.
// Keeps the first error; what comes after it counts for nothing.
class TransferSize {
 public:
  // Without a sandbox there are no resources.
  explicit TransferSize(const runtime::SandboxState* sandbox = nullptr) : sandbox_(sandbox) {}
  const runtime::SandboxState* sandbox() const { return sandbox_; }

  uint64_t allocate(uint64_t bytes, uint32_t alignment) {
    const uint64_t offset = align_up(bytes_, alignment);
    bytes_ = offset + bytes;
    return offset;
  }
  uint64_t bytes() const { return bytes_; }

  // Fails when the string is too long, or not UTF-8.
  MAYFLY_API void add_string(std::string_view text);
  // Room for so many elements. Fails when they are too many.
  MAYFLY_API void add_list(uint64_t length, uint64_t element_bytes, uint32_t alignment);
  MAYFLY_API void add_char(char32_t value);
  // Fails unless there is a case of that number.
  MAYFLY_API void add_case(uint64_t index, uint32_t cases);
  // Of resources of the host that the sandbox gets, with one more.
  uint64_t count_resource() { return ++resources_; }
  void expect(Result<void> checked) {
    if (!checked) fail(std::move(checked).error());
  }
  void fail(Error error) {
    if (!error_) error_ = std::move(error);
  }
  bool failed() const { return error_.has_value(); }
  // Says what was measured: argument `index` counted from 0, or the result.
  MAYFLY_API void name_argument(size_t index);
  MAYFLY_API void name_result();
  // The bytes of all. Errors: the first; kLimit past 4 GiB.
  MAYFLY_API Result<uint64_t> finish() const;

 private:
  const runtime::SandboxState* sandbox_;
  uint64_t bytes_ = 0;
  uint64_t resources_ = 0;
  std::optional<Error> error_;
};

// Writes into `area`, the memory's bytes from address `base` on.
class TransferWriter {
 public:
  // Preconditions: base is a multiple of kTransferAlignment; the area ends below 4 GiB.
  TransferWriter(std::span<uint8_t> area, uint32_t base, runtime::SandboxState* sandbox = nullptr)
      : area_(area), base_(base), sandbox_(sandbox) {}

  // Precondition: there is one, as TransferSize has said.
  runtime::SandboxState& sandbox() const {
    if (sandbox_ == nullptr) std::abort();
    return *sandbox_;
  }
  // The address of so many bytes. Precondition: they fit, as TransferSize has said.
  uint32_t allocate(uint64_t bytes, uint32_t alignment) {
    const uint64_t offset = align_up(used_, alignment);
    if (offset > area_.size() || bytes > area_.size() - offset) std::abort();
    used_ = offset + bytes;
    return base_ + static_cast<uint32_t>(offset);
  }
  template <TransferWord T>
  void store(uint32_t address, T value) {
    std::memcpy(at(address, sizeof value), &value, sizeof value);
  }
  // The lowest `bytes` bytes of a word: 1, 2, 4 or 8.
  void store_word(uint32_t address, uint64_t word, uint64_t bytes) {
    std::memcpy(at(address, bytes), &word, bytes);
  }
  void store_bytes(uint32_t address, const void* data, uint64_t bytes) {
    if (bytes != 0) std::memcpy(at(address, bytes), data, bytes);
  }

 private:
  uint8_t* at(uint32_t address, uint64_t bytes) const {
    const uint64_t offset = uint64_t{address} - base_;  // wraps below the base, and is refused
    if (offset > area_.size() || bytes > area_.size() - offset) std::abort();
    return area_.data() + offset;
  }
  std::span<uint8_t> area_;
  uint32_t base_;
  runtime::SandboxState* sandbox_;
  uint64_t used_ = 0;
};

// Reads from `memory`, the whole memory from address 0, which must be aligned as a page is.
class TransferReader {
 public:
  // host_bytes: how much memory of the host may be made of what the guest says.
  TransferReader(std::span<const uint8_t> memory, uint64_t host_bytes,
                 runtime::SandboxState* sandbox = nullptr)
      : memory_(memory), host_bytes_(host_bytes), sandbox_(sandbox) {}

  // Errors: kInvalid when the address is not aligned, or the bytes are not all in the memory.
  MAYFLY_API Result<void> check(std::string_view what, uint64_t address, uint64_t bytes,
                                uint32_t alignment) const;
  // The same for a list, with its own limit. Its size in bytes.
  MAYFLY_API Result<uint64_t> check_list(uint32_t address, uint32_t length, uint64_t element_bytes,
                                         uint32_t alignment) const;
  // Errors: kLimit when that is more than is left.
  MAYFLY_API Result<void> charge(uint64_t host_bytes);

  // Precondition: check() has allowed the address, aligned for T.
  template <TransferWord T>
  T load(uint64_t address) const {
    // Atomic, so that the compiler reads it once.
    T value;
    __atomic_load(static_cast<const T*>(at(address, sizeof(T))), &value, __ATOMIC_RELAXED);
    return value;
  }
  // An unsigned word of 1, 2, 4 or 8 bytes.
  uint64_t load_word(uint64_t address, uint64_t bytes) const {
    if (bytes == 1) return load<uint8_t>(address);
    if (bytes == 2) return load<uint16_t>(address);
    return bytes == 4 ? load<uint32_t>(address) : load<uint64_t>(address);
  }
  // A copy. Errors: kInvalid when the string is out of bounds, too long or not UTF-8; kLimit.
  MAYFLY_API Result<std::string> string(uint32_t address, uint32_t length);
  // A copy of a list of numbers; NaNs are canonical in it. Errors as those of string().
  template <TransferWord T>
  Result<std::vector<T>> numbers(uint32_t address, uint32_t length) {
    const Result<uint64_t> bytes = check_list(address, length, sizeof(T), sizeof(T));
    if (!bytes) return bytes.error();
    if (Result<void> paid = charge(*bytes); !paid) return paid.error();
    const auto* first = static_cast<const T*>(at(address, *bytes));
    std::vector<T> copy(first, first + length);
    if constexpr (std::floating_point<T>) {
      for (T& number : copy) {
        if (std::isnan(number)) number = std::numeric_limits<T>::quiet_NaN();
      }
    }
    return copy;
  }

  // For typed calls, which go on with whatever they have: the first error is kept.
  void fail(Error error) {
    if (!error_) error_ = std::move(error);
  }
  bool failed() const { return error_.has_value(); }
  // Whose resources are meant. nullptr: it has failed, now or before.
  MAYFLY_API runtime::SandboxState* sandbox();
  // The value, or its default when there is none.
  template <typename T>
  T expect_value(Result<T> result) {
    if (result) return *std::move(result);
    fail(std::move(result).error());
    return T();
  }
  MAYFLY_API Result<void> finish() const;
  // check(), check_list() with charge(), and copies. false: it has failed, now or before.
  MAYFLY_API bool expect(std::string_view what, uint64_t address, uint64_t bytes,
                         uint32_t alignment);
  MAYFLY_API bool expect_list(uint32_t address, uint32_t length, uint64_t element_bytes,
                              uint32_t alignment, uint64_t host_bytes);
  MAYFLY_API void copy_string(uint32_t address, uint32_t length, std::string& out);
  // The case's number; `cases` when there is none of that number.
  MAYFLY_API uint32_t checked_case(uint32_t index, uint32_t cases);
  MAYFLY_API char32_t checked_char(uint32_t number);
  // Precondition: check() has allowed the range.
  template <TransferWord T>
  void copy_numbers(uint64_t address, std::span<T> out) const {
    if (!out.empty()) std::memcpy(out.data(), at(address, out.size_bytes()), out.size_bytes());
    if constexpr (std::floating_point<T>) {
      for (T& number : out) {
        if (std::isnan(number)) number = std::numeric_limits<T>::quiet_NaN();
      }
    }
  }

 private:
  const void* at(uint64_t address, uint64_t bytes) const {
    if (address > memory_.size() || bytes > memory_.size() - address) std::abort();
    return memory_.data() + address;
  }
  std::span<const uint8_t> memory_;
  uint64_t host_bytes_;
  runtime::SandboxState* sandbox_;
  std::optional<Error> error_;
};

// Bytes that one side of a call may write, from address `base` on, which is aligned.
struct TransferArea {
  uint32_t base = 0;
  std::span<uint8_t> bytes;
};

// The values of one call of a component's function by the host.
struct TransferCall {
  void* values = nullptr;  // whose they are, for the functions
  uint64_t bytes = 0;      // that lower() writes
  // Writes the arguments: the flat ones to `flat`, or a pointer when they are too many.
  void (*lower)(void* values, const TransferArea& area, uint64_t* flat) = nullptr;
  // Takes the result: `flat` is it, or a pointer to it. Not called when there is none.
  // Errors: what the component did wrong, the message of a trap.
  Result<void> (*lift)(void* values, std::span<const uint8_t> memory, uint64_t flat) = nullptr;
};

// A call of a host function by a component.
class MAYFLY_API HostTransfer {
 public:
  // The arguments by their type. Errors: what the component did wrong.
  Result<std::vector<ComponentValue>> lift() const;
  // Answers. Errors: kInvalid when the value is of another type than the result; kLimit; kHost.
  Result<void> lower(const ComponentValue* value);

  // For typed functions. The first `count` of the flat arguments, or the pointer to all.
  void arguments(uint64_t* flat, size_t count) const;
  // Of the memory that they point to. Errors: kHost.
  Result<TransferReader> reader() const;
  // Room for the result; what the arguments point to is gone then. Errors: kLimit, kHost.
  Result<TransferArea> reserve(uint64_t bytes) const;
  // The result: its flat value, or the address that it is at.
  void answer(uint64_t flat);

  // The library's own.
  HostTransfer(runtime::SandboxState& sandbox, const runtime::BoundHostFunction& function,
               Slot* slots);

 private:
  runtime::SandboxState* sandbox_;
  const runtime::BoundHostFunction* function_;
  Slot* slots_;
  uint32_t top_;
};

// Errors: kInvalid when the number is that of a surrogate, or past U+10FFFF.
MAYFLY_API Result<char32_t> to_char(uint32_t number);
MAYFLY_API bool is_utf8(std::string_view text);

}  // namespace mayfly::detail

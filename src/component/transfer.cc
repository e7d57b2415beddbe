// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The checks of TransferReader, with the names that the guest's author knows.
#include "mayfly/transfer.h"

#include <cstdio>

#include "base/result.h"
#include "wasm/byte_cursor.h"

namespace mayfly::detail {
namespace {

std::string hex(uint64_t number) {
  char text[24];
  std::snprintf(text, sizeof text, "0x%llx", static_cast<unsigned long long>(number));
  return text;
}

}  // namespace

Result<void> TransferReader::check(std::string_view what, uint64_t address, uint64_t bytes,
                                   uint32_t alignment) const {
  if (address % alignment != 0) {
    return invalid(std::string(what) + " at " + hex(address) + " is not aligned to " +
                   std::to_string(alignment));
  }
  if (address > memory_.size() || bytes > memory_.size() - address) {
    return invalid(std::string(what) + " of " + std::to_string(bytes) + " bytes at " +
                   hex(address) + " is out of bounds: the memory ends at " + hex(memory_.size()));
  }
  return {};
}

Result<uint64_t> TransferReader::check_list(uint32_t address, uint32_t length,
                                            uint64_t element_bytes, uint32_t alignment) const {
  // No wrap: an element has fewer than 2^28 bytes.
  const uint64_t bytes = length * element_bytes;
  if (bytes > kListBytesMax) {
    return invalid("list of " + std::to_string(bytes) + " bytes is longer than " +
                   std::to_string(kListBytesMax));
  }
  MAYFLY_TRY(check("list", address, bytes, alignment));
  return bytes;
}

Result<void> TransferReader::charge(uint64_t host_bytes) {
  if (host_bytes > host_bytes_) {
    return limit("values take " + std::to_string(host_bytes) + " more bytes of the host, with " +
                 std::to_string(host_bytes_) + " left");
  }
  host_bytes_ -= host_bytes;
  return {};
}

Result<std::string> TransferReader::string(uint32_t address, uint32_t length) {
  if (length > kListBytesMax) {
    return invalid("string of " + std::to_string(length) + " bytes is longer than " +
                   std::to_string(kListBytesMax));
  }
  MAYFLY_TRY(check("string", address, length, 1));
  MAYFLY_TRY(charge(length));
  std::string copy(static_cast<const char*>(at(address, length)), length);
  if (!is_utf8(copy)) return invalid("string at " + hex(address) + " is not UTF-8");
  return copy;
}

void TransferSize::add_string(std::string_view text) {
  if (text.size() > kListBytesMax) {
    return fail(limit("string of " + std::to_string(text.size()) + " bytes is longer than " +
                      std::to_string(kListBytesMax)));
  }
  if (!is_utf8(text)) return fail(invalid("string is not UTF-8"));
  allocate(text.size(), 1);
}

void TransferSize::add_list(uint64_t length, uint64_t element_bytes, uint32_t alignment) {
  if (length > kListBytesMax / element_bytes) {
    return fail(limit("list of " + std::to_string(length) + " elements of " +
                      std::to_string(element_bytes) + " bytes is longer than " +
                      std::to_string(kListBytesMax) + " bytes"));
  }
  allocate(length * element_bytes, alignment);
}

void TransferSize::add_char(char32_t value) {
  if (auto checked = to_char(value); !checked) fail(std::move(checked).error());
}

void TransferSize::add_case(uint64_t index, uint32_t cases) {
  if (index < cases) return;
  fail(invalid("case " + std::to_string(index) + " of a type with " + std::to_string(cases) +
               " cases"));
}

runtime::SandboxState* TransferReader::sandbox() {
  if (failed()) return nullptr;
  if (sandbox_ == nullptr) fail(invalid("there is no sandbox for a resource"));
  return sandbox_;
}

void TransferSize::name_argument(size_t index) {
  error_ = with_context("argument " + std::to_string(index + 1), *std::move(error_));
}

void TransferSize::name_result() { error_ = with_context("result", *std::move(error_)); }

Result<uint64_t> TransferSize::finish() const {
  if (error_) return *error_;
  if (bytes_ > UINT32_MAX) {
    return limit("values of " + std::to_string(bytes_) + " bytes do not fit into 4 GiB");
  }
  return bytes_;
}

Result<void> TransferReader::finish() const {
  if (error_) return *error_;
  return {};
}

bool TransferReader::expect(std::string_view what, uint64_t address, uint64_t bytes,
                            uint32_t alignment) {
  if (failed()) return false;
  if (auto checked = check(what, address, bytes, alignment); !checked) {
    fail(std::move(checked).error());
  }
  return !failed();
}

bool TransferReader::expect_list(uint32_t address, uint32_t length, uint64_t element_bytes,
                                 uint32_t alignment, uint64_t host_bytes) {
  if (failed()) return false;
  if (auto checked = check_list(address, length, element_bytes, alignment); !checked) {
    fail(std::move(checked).error());
  } else if (auto paid = charge(length * host_bytes); !paid) {
    fail(std::move(paid).error());
  }
  return !failed();
}

void TransferReader::copy_string(uint32_t address, uint32_t length, std::string& out) {
  if (failed()) return;
  auto copy = string(address, length);
  if (!copy) return fail(std::move(copy).error());
  out = *std::move(copy);
}

uint32_t TransferReader::checked_case(uint32_t index, uint32_t cases) {
  if (index < cases) return index;
  fail(invalid("discriminant " + std::to_string(index) + " of a type with " +
               std::to_string(cases) + " cases"));
  return cases;
}

char32_t TransferReader::checked_char(uint32_t number) {
  auto checked = to_char(number);
  if (checked) return *checked;
  fail(std::move(checked).error());
  return 0;
}

Result<char32_t> to_char(uint32_t number) {
  if (number >= 0x110000 || (number >= 0xD800 && number <= 0xDFFF)) {
    return invalid(hex(number) + " is not a char");
  }
  return static_cast<char32_t>(number);
}

bool is_utf8(std::string_view text) {
  const void* bytes = text.data();
  return wasm::is_utf8({static_cast<const uint8_t*>(bytes), text.size()});
}

}  // namespace mayfly::detail

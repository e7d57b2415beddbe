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

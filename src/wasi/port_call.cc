// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The checks that ports share: paths as text, and what a handle may be used for.
#include "wasi/port_call.h"

#include <algorithm>
#include <climits>

namespace mayfly::wasi {

namespace {

// How many bytes the character takes whose first byte this is; 0: no character starts so.
size_t utf8_length(uint8_t first) {
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first < 0xE0) return 2;
  if (first >= 0xE0 && first < 0xF0) return 3;
  if (first >= 0xF0 && first < 0xF5) return 4;
  return 0;
}

}  // namespace

// Unicode 15, table 3-7: shortest forms only, no surrogates, nothing past U+10FFFF.
bool is_utf8(std::string_view text) {
  for (size_t i = 0; i < text.size();) {
    const auto first = static_cast<uint8_t>(text[i]);
    const size_t length = utf8_length(first);
    if (length == 0 || length > text.size() - i) return false;
    for (size_t j = 1; j < length; ++j) {
      if ((static_cast<uint8_t>(text[i + j]) & 0xC0) != 0x80) return false;
    }
    if (length > 2) {
      const auto second = static_cast<uint8_t>(text[i + 1]);
      if ((first == 0xE0 && second < 0xA0) || (first == 0xED && second > 0x9F) ||
          (first == 0xF0 && second < 0x90) || (first == 0xF4 && second > 0x8F)) {
        return false;
      }
    }
    i += length;
  }
  return true;
}

Result<std::string> read_text(PortCall& call, const guest_abi::WasiRange& range,
                              uint64_t bytes_max) {
  std::string text(std::min(range.bytes, bytes_max), '\0');
  if (text.empty()) return text;
  // SAFETY: characters may be written as bytes; the span ends with the string.
  MAYFLY_TRY(
      call.guest().read(range.address, {reinterpret_cast<uint8_t*>(text.data()), text.size()}));
  return text;
}

Result<void> write_text(PortCall& call, uint64_t address, std::string_view text) {
  if (text.empty()) return {};
  // SAFETY: characters may be read as bytes; the span ends with the text.
  return call.guest().write(address, {reinterpret_cast<const uint8_t*>(text.data()), text.size()});
}

PortAnswer read_path(PortCall& call, const guest_abi::WasiRange& range, std::string* path) {
  if (range.bytes >= PATH_MAX) return Errno::kNameTooLong;
  *path = MAYFLY_TRY(read_text(call, range, PATH_MAX));
  if (path->empty()) return Errno::kNoEnt;
  if (path->find('\0') != std::string::npos) return Errno::kInval;
  return is_utf8(*path) ? Errno::kSuccess : Errno::kIlSeq;
}

Errno find_handle(PortCall& call, uint32_t handle, Intent intent, Handle** found) {
  *found = call.find(handle);
  if (*found == nullptr) return Errno::kBadF;
  if (intent == Intent::kChange && (*found)->access == TreeAccess::kReadOnly) return Errno::kRoFs;
  if (intent == Intent::kChange && (*found)->is_in_memory) call.program.memory_has_changed = true;
  return Errno::kSuccess;
}

Errno find_directory(PortCall& call, uint32_t handle, Intent intent, Handle** directory) {
  *directory = call.find(handle);
  if (*directory != nullptr && !(*directory)->is_directory()) return Errno::kNotDir;
  if (*directory != nullptr && (*directory)->is_nowhere) return Errno::kNotCapable;
  return find_handle(call, handle, intent, directory);
}

Result<void> check_output(PortCall& call, uint64_t bytes) {
  const runtime::PortTraffic* const traffic = call.context.traffic;
  if (traffic == nullptr || bytes <= traffic->bytes_out_end - traffic->counts.bytes_out.get())
    return {};
  return limit("the call writes more than " + std::to_string(traffic->bytes_out_max) + " bytes");
}

void count_input(PortCall& call, uint64_t bytes) {
  if (call.context.traffic != nullptr) call.context.traffic->counts.bytes_in.add(bytes);
}

void count_output(PortCall& call, uint64_t bytes) {
  if (call.context.traffic != nullptr) call.context.traffic->counts.bytes_out.add(bytes);
}

}  // namespace mayfly::wasi

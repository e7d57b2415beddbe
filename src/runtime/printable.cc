// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// UTF-8 is passed on as it is, but for the C1 controls (0xC2 0x80..0x9F), which some terminals
// obey.
#include "runtime/printable.h"

#include <cstdint>

namespace mayfly::runtime {
namespace {

std::string escape(std::string_view text, size_t bytes_max) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string result;
  for (size_t i = 0; i < text.size(); ++i) {
    if (result.size() >= bytes_max) return result + "...";
    const auto byte = static_cast<uint8_t>(text[i]);
    const bool is_c1 = byte == 0xC2 && i + 1 < text.size() &&
                       static_cast<uint8_t>(text[i + 1]) >= 0x80 &&
                       static_cast<uint8_t>(text[i + 1]) <= 0x9F;
    if (byte < 0x20 || byte == 0x7F || is_c1) {
      result += {'\\', 'x', kDigits[byte >> 4], kDigits[byte & 15]};
      if (is_c1) {
        ++i;
        const auto next = static_cast<uint8_t>(text[i]);
        result += {'\\', 'x', kDigits[next >> 4], kDigits[next & 15]};
      }
    } else {
      result += text[i];
    }
  }
  return result;
}

}  // namespace

std::string printable(std::string_view text) {
  static constexpr size_t kBytesMax = 200;
  return escape(text, kBytesMax);
}

std::string without_controls(std::string_view text) { return escape(text, SIZE_MAX); }

}  // namespace mayfly::runtime

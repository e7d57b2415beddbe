// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The mark of origin: a trailer behind an image's ELF file that only who has the installation's
// key can make (docs/formats/image.md). The host adds it, never the compiler, so what the
// compiler makes is the same on every machine.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "base/hash.h"
#include "base/result.h"

namespace mayfly::image {

inline constexpr size_t kOriginMarkBytes = 48;

// What to append to the image, which has no mark.
std::array<uint8_t, kOriginMarkBytes> make_origin_mark(const SecretKey& key,
                                                       std::span<const uint8_t> image);

// Whether the file ends with a mark, of any version and by whatever key.
bool has_origin_mark(std::span<const uint8_t> file);

// The file without its mark, if it has one.
std::span<const uint8_t> without_origin_mark(std::span<const uint8_t> file);

// That the file is an image and its mark, made with this key. One pass over all bytes.
// Errors: kInvalid, of a file without a mark, with another version's, or with a wrong one.
Result<void> check_origin_mark(const SecretKey& key, std::span<const uint8_t> file);

}  // namespace mayfly::image

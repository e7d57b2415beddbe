// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The trailer: magic, version, and a keyed hash of every byte before that hash.
#include "image/origin_mark.h"

#include <algorithm>
#include <cstring>
#include <string>

namespace mayfly::image {
namespace {

constexpr std::array<uint8_t, 8> kMagic = {'M', 'F', 'O', 'R', 'I', 'G', 'I', 'N'};
constexpr uint32_t kVersion = 1;
constexpr size_t kHeaderBytes = 16;  // magic, version, zeros
static_assert(kHeaderBytes + std::tuple_size_v<Hash> == kOriginMarkBytes);

std::array<uint8_t, kHeaderBytes> header() {
  std::array<uint8_t, kHeaderBytes> bytes{};
  std::ranges::copy(kMagic, bytes.begin());
  bytes[kMagic.size()] = uint8_t{kVersion};
  return bytes;
}

Hash hash_of(const SecretKey& key, std::span<const uint8_t> image) {
  Hasher hasher("mayfly.origin", key);
  hasher.update(image);
  hasher.update(header());
  return hasher.finish();
}

}  // namespace

std::array<uint8_t, kOriginMarkBytes> make_origin_mark(const SecretKey& key,
                                                       std::span<const uint8_t> image) {
  std::array<uint8_t, kOriginMarkBytes> mark{};
  std::ranges::copy(header(), mark.begin());
  std::ranges::copy(hash_of(key, image), mark.begin() + kHeaderBytes);
  return mark;
}

bool has_origin_mark(std::span<const uint8_t> file) {
  return file.size() >= kOriginMarkBytes &&
         std::ranges::equal(file.last(kOriginMarkBytes).first(kMagic.size()), kMagic);
}

std::span<const uint8_t> without_origin_mark(std::span<const uint8_t> file) {
  return has_origin_mark(file) ? file.first(file.size() - kOriginMarkBytes) : file;
}

Result<void> check_origin_mark(const SecretKey& key, std::span<const uint8_t> file) {
  if (!has_origin_mark(file)) return invalid("it has no mark of origin");
  const std::span<const uint8_t> mark = file.last(kOriginMarkBytes);
  if (!std::ranges::equal(mark.first(kHeaderBytes), header())) {
    uint32_t version = 0;
    std::memcpy(&version, mark.data() + kMagic.size(), sizeof version);
    return invalid("its mark of origin is of version " + std::to_string(version) +
                   ", this Mayfly's are of version " + std::to_string(kVersion));
  }
  const Hash expected = hash_of(key, file.first(file.size() - kOriginMarkBytes));
  if (!equal_in_constant_time(expected, mark.last(expected.size()))) {
    return invalid("its mark of origin is another installation's, or the file was changed");
  }
  return {};
}

}  // namespace mayfly::image

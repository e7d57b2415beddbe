// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Against the algorithm's published vectors, and that key and purpose count.
#include "base/hash.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

namespace mayfly {
namespace {

std::span<const uint8_t> bytes_of(std::string_view text) {
  static std::vector<std::vector<uint8_t>> kept;
  return kept.emplace_back(text.begin(), text.end());
}

Hash hash_of(std::string_view purpose, std::string_view text) {
  Hasher hasher(purpose);
  hasher.update(bytes_of(text));
  return hasher.finish();
}

std::string hex(const Hash& hash) {
  std::string text;
  for (const uint8_t byte : hash) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

// `printf abc | b2sum -l 256`
TEST(Hasher, IsBlake2b) {
  EXPECT_EQ(hex(hash_of("", "abc")),
            "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319");
  EXPECT_EQ(hex(hash_of("", "")),
            "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8");
}

TEST(Hasher, DoesNotCareInWhichPiecesTheBytesCome) {
  Hasher pieces("");
  pieces.update(bytes_of("a"));
  pieces.update({});
  pieces.update(bytes_of("bc"));
  EXPECT_EQ(pieces.finish(), hash_of("", "abc"));
}

TEST(Hasher, SeparatesPurposes) {
  EXPECT_NE(hash_of("a", "abc"), hash_of("b", "abc"));
  EXPECT_NE(hash_of("", "abc"), hash_of("0123456789abcdef", "abc"));
}

TEST(Hasher, SeparatesKeys) {
  const SecretKey key = SecretKey::random();
  const SecretKey other = SecretKey::random();
  const auto keyed = [](const SecretKey& with) {
    Hasher hasher("test", with);
    hasher.update(bytes_of("abc"));
    return hasher.finish();
  };
  EXPECT_EQ(keyed(key), keyed(SecretKey(key.bytes())));
  EXPECT_NE(keyed(key), keyed(other));
  EXPECT_NE(keyed(key), hash_of("test", "abc"));
}

TEST(EqualInConstantTime, ComparesContentsAndSizes) {
  EXPECT_TRUE(equal_in_constant_time(bytes_of("abc"), bytes_of("abc")));
  EXPECT_FALSE(equal_in_constant_time(bytes_of("abc"), bytes_of("abd")));
  EXPECT_FALSE(equal_in_constant_time(bytes_of("abc"), bytes_of("ab")));
  EXPECT_TRUE(equal_in_constant_time({}, {}));
}

}  // namespace
}  // namespace mayfly

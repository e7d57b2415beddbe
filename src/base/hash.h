// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Hasher: BLAKE2b-256 over bytes, with a key (then the hash is a mark that only the key's owner
// can make) or without (then it names contents). The only user of libsodium's hashes.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

namespace mayfly {

using Hash = std::array<uint8_t, 32>;

// 32 bytes that nobody else knows. Wiped when it dies.
class SecretKey {
 public:
  static constexpr size_t kBytes = 32;
  // Fresh random bytes of the kernel's.
  static SecretKey random();
  // A copy; the caller wipes his own.
  explicit SecretKey(std::span<const uint8_t, kBytes> bytes);
  ~SecretKey();
  SecretKey(const SecretKey&) = default;
  SecretKey& operator=(const SecretKey&) = default;

  std::span<const uint8_t, kBytes> bytes() const { return bytes_; }

 private:
  SecretKey() = default;
  std::array<uint8_t, kBytes> bytes_{};
};

class Hasher {
 public:
  // purpose, at most 16 bytes: the same bytes hashed for two purposes have unrelated hashes.
  explicit Hasher(std::string_view purpose);
  Hasher(std::string_view purpose, const SecretKey& key);
  ~Hasher();
  Hasher(const Hasher&) = delete;
  Hasher& operator=(const Hasher&) = delete;

  // Hashes the concatenation: who hashes several fields says their sizes, too.
  void update(std::span<const uint8_t> bytes);
  // The last call.
  Hash finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Takes the same time wherever they differ, so that a mark cannot be guessed byte by byte.
bool equal_in_constant_time(std::span<const uint8_t> a, std::span<const uint8_t> b);

// Overwrites bytes that must not stay in memory; no optimizer leaves it out.
void wipe(std::span<uint8_t> bytes);

}  // namespace mayfly

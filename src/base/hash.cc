// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// BLAKE2b (RFC 7693) of libsodium; the purpose is the algorithm's personalization.
#include "base/hash.h"

#include <sodium.h>

#include <algorithm>

#include "base/check.h"

namespace mayfly {
namespace {

// Chooses the fastest implementation that this processor has. Any thread, any number of times.
void start_sodium() { CHECK(::sodium_init() >= 0); }

}  // namespace

struct Hasher::State {
  crypto_generichash_blake2b_state blake;

  State(std::string_view purpose, const uint8_t* key, size_t key_bytes) {
    start_sodium();
    std::array<uint8_t, crypto_generichash_blake2b_PERSONALBYTES> personal{};
    CHECK(purpose.size() <= personal.size(), purpose.size());
    std::ranges::copy(purpose, personal.begin());
    CHECK(::crypto_generichash_blake2b_init_salt_personal(
              &blake, key, key_bytes, std::tuple_size_v<Hash>, nullptr, personal.data()) == 0);
  }
  ~State() { ::sodium_memzero(&blake, sizeof blake); }  // it holds the key
  State(const State&) = delete;
  State& operator=(const State&) = delete;
};

SecretKey SecretKey::random() {
  start_sodium();
  SecretKey key;
  ::randombytes_buf(key.bytes_.data(), key.bytes_.size());
  return key;
}

SecretKey::SecretKey(std::span<const uint8_t, kBytes> bytes) {
  std::ranges::copy(bytes, bytes_.begin());
}

SecretKey::~SecretKey() { wipe(bytes_); }

Hasher::Hasher(std::string_view purpose) : state_(std::make_unique<State>(purpose, nullptr, 0)) {}

Hasher::Hasher(std::string_view purpose, const SecretKey& key)
    : state_(std::make_unique<State>(purpose, key.bytes().data(), key.bytes().size())) {}

Hasher::~Hasher() = default;

void Hasher::update(std::span<const uint8_t> bytes) {
  CHECK(::crypto_generichash_blake2b_update(&state_->blake, bytes.data(), bytes.size()) == 0);
}

Hash Hasher::finish() {
  Hash hash{};
  CHECK(::crypto_generichash_blake2b_final(&state_->blake, hash.data(), hash.size()) == 0);
  return hash;
}

bool equal_in_constant_time(std::span<const uint8_t> a, std::span<const uint8_t> b) {
  return a.size() == b.size() && ::sodium_memcmp(a.data(), b.data(), a.size()) == 0;
}

void wipe(std::span<uint8_t> bytes) { ::sodium_memzero(bytes.data(), bytes.size()); }

}  // namespace mayfly

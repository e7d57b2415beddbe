// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Vectors of 32 bytes. Compiled with -mavx2: nothing of this file runs where CallPage::has_avx2
// is not set, and nothing of it has external linkage but the table.
#include <immintrin.h>

#include "guest/component/string_loops.h"

namespace mayfly::guest {
namespace {

class Vector256 {
 public:
  static constexpr size_t kBytes = 32;

  Vector256() : bits_(_mm256_setzero_si256()) {}
  explicit Vector256(__m256i bits) : bits_(bits) {}

  static Vector256 load(const uint8_t* from) {
    // SAFETY: at any address; the caller owns the 32 bytes.
    return Vector256(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(from)));
  }
  void store(uint8_t* to) const {
    // SAFETY: as load().
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), bits_);
  }
  // Each byte as two.
  void store_wide(uint8_t* to) const {
    Vector256(_mm256_cvtepu8_epi16(_mm256_castsi256_si128(bits_))).store(to);
    Vector256(_mm256_cvtepu8_epi16(_mm256_extracti128_si256(bits_, 1))).store(to + kBytes);
  }
  static Vector256 all(uint8_t byte) {
    return Vector256(_mm256_set1_epi8(static_cast<char>(byte)));
  }
  // 0xFF but for the last three bytes.
  static Vector256 last_three(uint8_t a, uint8_t b, uint8_t c) {
    const auto last =
        static_cast<int>(0xFFU | uint32_t{a} << 8 | uint32_t{b} << 16 | uint32_t{c} << 24);
    return Vector256(_mm256_set_epi32(last, -1, -1, -1, -1, -1, -1, -1));
  }

  Vector256 operator|(Vector256 other) const {
    return Vector256(_mm256_or_si256(bits_, other.bits_));
  }
  Vector256 operator&(Vector256 other) const {
    return Vector256(_mm256_and_si256(bits_, other.bits_));
  }
  Vector256 operator^(Vector256 other) const {
    return Vector256(_mm256_xor_si256(bits_, other.bits_));
  }
  Vector256 minus_saturated(Vector256 other) const {
    return Vector256(_mm256_subs_epu8(bits_, other.bits_));
  }
  Vector256 high_nibbles() const { return Vector256(_mm256_srli_epi16(bits_, 4)) & all(0x0F); }
  Vector256 low_nibbles() const { return *this & all(0x0F); }
  // Its bytes `bytes` places later, with the last ones of the vector before in front.
  Vector256 after(Vector256 before, int bytes) const {
    const __m256i middle = _mm256_permute2x128_si256(before.bits_, bits_, 0x21);
    switch (bytes) {
      case 1:
        return Vector256(_mm256_alignr_epi8(bits_, middle, 15));
      case 2:
        return Vector256(_mm256_alignr_epi8(bits_, middle, 14));
      default:
        return Vector256(_mm256_alignr_epi8(bits_, middle, 13));
    }
  }
  static Vector256 lookup(const NibbleTable& table, Vector256 nibbles) {
    // SAFETY: 16 bytes at any address.
    const __m128i half = _mm_loadu_si128(reinterpret_cast<const __m128i*>(table.of));
    return Vector256(_mm256_shuffle_epi8(_mm256_broadcastsi128_si256(half), nibbles.bits_));
  }

  static bool any_sign(Vector256 vector) { return _mm256_movemask_epi8(vector.bits_) != 0; }
  bool any() const { return _mm256_testz_si256(bits_, bits_) == 0; }
  bool any_of_units(uint16_t mask) const {
    return _mm256_testz_si256(bits_, _mm256_set1_epi16(static_cast<short>(mask))) == 0;
  }
  static bool any_surrogate(Vector256 units) {
    const __m256i high =
        _mm256_and_si256(units.bits_, _mm256_set1_epi16(static_cast<short>(0xF800)));
    const __m256i is = _mm256_cmpeq_epi16(high, _mm256_set1_epi16(static_cast<short>(0xD800)));
    return _mm256_movemask_epi8(is) != 0;
  }
  // Units below 0x100 of two vectors, as the bytes of one.
  static Vector256 narrowed(Vector256 a, Vector256 b) {
    const __m256i crossed = _mm256_packus_epi16(a.bits_, b.bits_);
    return Vector256(_mm256_permute4x64_epi64(crossed, 0xD8));
  }

 private:
  __m256i bits_;
};

}  // namespace

constinit const StringKernels kAvx2Kernels = StringLoops<Vector256>::kernels();

}  // namespace mayfly::guest

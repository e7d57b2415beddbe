// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Vectors of 16 bytes, for every processor that Mayfly runs on. Compiled with -msse4.1.
#include <immintrin.h>

#include "guest/component/string_loops.h"

namespace mayfly::guest {
namespace {

class Vector128 {
 public:
  static constexpr size_t kBytes = 16;

  Vector128() : bits_(_mm_setzero_si128()) {}
  explicit Vector128(__m128i bits) : bits_(bits) {}

  static Vector128 load(const uint8_t* from) {
    // SAFETY: at any address; the caller owns the 16 bytes.
    return Vector128(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from)));
  }
  void store(uint8_t* to) const {
    // SAFETY: as load().
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to), bits_);
  }
  // Each byte as two.
  void store_wide(uint8_t* to) const {
    const __m128i zero = _mm_setzero_si128();
    Vector128(_mm_unpacklo_epi8(bits_, zero)).store(to);
    Vector128(_mm_unpackhi_epi8(bits_, zero)).store(to + kBytes);
  }
  static Vector128 all(uint8_t byte) { return Vector128(_mm_set1_epi8(static_cast<char>(byte))); }
  // 0xFF but for the last three bytes.
  static Vector128 last_three(uint8_t a, uint8_t b, uint8_t c) {
    return Vector128(_mm_set_epi8(static_cast<char>(c), static_cast<char>(b), static_cast<char>(a),
                                  -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1));
  }

  Vector128 operator|(Vector128 other) const { return Vector128(_mm_or_si128(bits_, other.bits_)); }
  Vector128 operator&(Vector128 other) const {
    return Vector128(_mm_and_si128(bits_, other.bits_));
  }
  Vector128 operator^(Vector128 other) const {
    return Vector128(_mm_xor_si128(bits_, other.bits_));
  }
  Vector128 minus_saturated(Vector128 other) const {
    return Vector128(_mm_subs_epu8(bits_, other.bits_));
  }
  Vector128 high_nibbles() const { return Vector128(_mm_srli_epi16(bits_, 4)) & all(0x0F); }
  Vector128 low_nibbles() const { return *this & all(0x0F); }
  // Its bytes `bytes` places later, with the last ones of the vector before in front.
  Vector128 after(Vector128 before, int bytes) const {
    switch (bytes) {
      case 1:
        return Vector128(_mm_alignr_epi8(bits_, before.bits_, 15));
      case 2:
        return Vector128(_mm_alignr_epi8(bits_, before.bits_, 14));
      default:
        return Vector128(_mm_alignr_epi8(bits_, before.bits_, 13));
    }
  }
  static Vector128 lookup(const NibbleTable& table, Vector128 nibbles) {
    return Vector128(_mm_shuffle_epi8(load(table.of).bits_, nibbles.bits_));
  }

  static bool any_sign(Vector128 vector) { return _mm_movemask_epi8(vector.bits_) != 0; }
  bool any() const { return _mm_testz_si128(bits_, bits_) == 0; }
  bool any_of_units(uint16_t mask) const {
    return _mm_testz_si128(bits_, _mm_set1_epi16(static_cast<short>(mask))) == 0;
  }
  static bool any_surrogate(Vector128 units) {
    const __m128i high = _mm_and_si128(units.bits_, _mm_set1_epi16(static_cast<short>(0xF800)));
    const __m128i is = _mm_cmpeq_epi16(high, _mm_set1_epi16(static_cast<short>(0xD800)));
    return _mm_movemask_epi8(is) != 0;
  }
  // Units below 0x100 of two vectors, as the bytes of one.
  static Vector128 narrowed(Vector128 a, Vector128 b) {
    return Vector128(_mm_packus_epi16(a.bits_, b.bits_));
  }

 private:
  __m128i bits_;
};

}  // namespace

constinit const StringKernels kSse41Kernels = StringLoops<Vector128>::kernels();

}  // namespace mayfly::guest

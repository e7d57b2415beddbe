// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The loops behind memcpy, memmove, memset and memcmp: vector registers for small sizes, the
// processor's string instructions for large ones. Inline, so that they can be tested on the host.
#pragma once

#include <cstddef>
#include <cstdint>

namespace mayfly::guest {

// From this size on `rep movsb` and `rep stosb` beat a loop of 16-byte moves, start-up included.
inline constexpr size_t kStringBytesMin = 512;

template <typename T>
struct [[gnu::packed, gnu::may_alias]] Unaligned {
  T value;
};
using Vector = long long __attribute__((vector_size(16)));

// Loads and stores at any address.
template <typename T>
T load(const uint8_t* from) {
  // SAFETY: Unaligned has no alignment and aliases everything; the caller owns the bytes.
  return reinterpret_cast<const Unaligned<T>*>(from)->value;
}
template <typename T>
void store(uint8_t* to, T value) {
  // SAFETY: as load().
  reinterpret_cast<Unaligned<T>*>(to)->value = value;
}

// Sizes sizeof(T) to 2 * sizeof(T): the first and the last T, which may overlap. Both are loaded
// before either is stored, so the ranges may overlap too.
template <typename T>
void copy_ends(uint8_t* to, const uint8_t* from, size_t size) {
  const T first = load<T>(from);
  const T last = load<T>(from + size - sizeof(T));
  store<T>(to, first);
  store<T>(to + size - sizeof(T), last);
}

inline void copy_small(uint8_t* to, const uint8_t* from, size_t size) {
  if (size >= 16) return copy_ends<Vector>(to, from, size);
  if (size >= 8) return copy_ends<uint64_t>(to, from, size);
  if (size >= 4) return copy_ends<uint32_t>(to, from, size);
  if (size >= 2) return copy_ends<uint16_t>(to, from, size);
  if (size == 1) *to = *from;
}

// 64 bytes, loaded before any is stored.
inline void copy_block(uint8_t* to, const uint8_t* from) {
  const Vector a = load<Vector>(from);
  const Vector b = load<Vector>(from + 16);
  const Vector c = load<Vector>(from + 32);
  const Vector d = load<Vector>(from + 48);
  store<Vector>(to, a);
  store<Vector>(to + 16, b);
  store<Vector>(to + 32, c);
  store<Vector>(to + 48, d);
}

// How far `to` is past a multiple of 16. Stores that cross no line cost half.
inline size_t misalignment(const uint8_t* to) {
  // SAFETY: the address is only looked at.
  return reinterpret_cast<uintptr_t>(to) & 15;
}

// Precondition: to is not inside (from, from + size). Larger than 32 bytes. The ends are loaded
// before anything is stored, and stored last, so the loop starts at an aligned store.
inline void copy_forward(uint8_t* to, const uint8_t* from, size_t size) {
  const Vector first = load<Vector>(from);
  const Vector last = load<Vector>(from + size - 16);
  size_t i = 16 - misalignment(to);
  for (; i + 64 <= size; i += 64) copy_block(to + i, from + i);
  for (; i + 16 <= size; i += 16) store<Vector>(to + i, load<Vector>(from + i));
  store<Vector>(to, first);
  store<Vector>(to + size - 16, last);
}

// Precondition: from is not inside (to, to + size). Larger than 32 bytes. As copy_forward().
inline void copy_backward(uint8_t* to, const uint8_t* from, size_t size) {
  const Vector first = load<Vector>(from);
  const Vector last = load<Vector>(from + size - 16);
  size_t i = size - misalignment(to + size);
  for (; i >= 64; i -= 64) copy_block(to + i - 64, from + i - 64);
  for (; i >= 16; i -= 16) store<Vector>(to + i - 16, load<Vector>(from + i - 16));
  store<Vector>(to, first);
  store<Vector>(to + size - 16, last);
}

inline void copy_string(uint8_t* to, const uint8_t* from, size_t size) {
  // SAFETY: writes [to, to + size) and reads [from, from + size), which the caller owns; the
  // direction flag is clear by the ABI.
  asm volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(size) : : "memory");
}

// Ranges that overlap are copied as if through a buffer.
inline void move_bytes(uint8_t* to, const uint8_t* from, size_t size) {
  if (size <= 32) return copy_small(to, from, size);
  const uint64_t distance = static_cast<uint64_t>(to - from);
  if (distance < size) return copy_backward(to, from, size);
  // The string instruction is slow where the ranges overlap or nearly so.
  const bool near = static_cast<uint64_t>(from - to) < size;
  if (size >= kStringBytesMin && !near) return copy_string(to, from, size);
  copy_forward(to, from, size);
}

inline void fill_bytes(uint8_t* to, uint8_t value, size_t size) {
  if (size >= kStringBytesMin) {
    // SAFETY: writes [to, to + size), which the caller owns; the direction flag is clear.
    asm volatile("rep stosb" : "+D"(to), "+c"(size) : "a"(value) : "memory");
    return;
  }
  const uint64_t eight = value * uint64_t{0x0101'0101'0101'0101};
  if (size >= 16) {
    const Vector sixteen = {static_cast<long long>(eight), static_cast<long long>(eight)};
    for (size_t i = 0; i < size - 16; i += 16) store<Vector>(to + i, sixteen);
    store<Vector>(to + size - 16, sixteen);
  } else if (size >= 8) {
    store<uint64_t>(to, eight);
    store<uint64_t>(to + size - 8, eight);
  } else if (size >= 4) {
    store<uint32_t>(to, static_cast<uint32_t>(eight));
    store<uint32_t>(to + size - 4, static_cast<uint32_t>(eight));
  } else if (size >= 2) {
    store<uint16_t>(to, static_cast<uint16_t>(eight));
    store<uint16_t>(to + size - 2, static_cast<uint16_t>(eight));
  } else if (size == 1) {
    *to = value;
  }
}

inline int compare_bytes(const uint8_t* a, const uint8_t* b, size_t size) {
  size_t i = 0;
  while (i + 8 <= size && load<uint64_t>(a + i) == load<uint64_t>(b + i)) i += 8;
  for (; i < size; ++i) {
    if (a[i] != b[i]) return a[i] < b[i] ? -1 : 1;
  }
  return 0;
}

}  // namespace mayfly::guest

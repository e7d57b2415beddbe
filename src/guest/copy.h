// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The loops behind memcpy, memmove, memset and memcmp: vector registers for small sizes, the
// processor's string instructions for large ones. Inline, so that they can be tested on the host.
// The guest library is compiled for SSE; the loops over Wide are for processors with AVX2, and
// double the speed of what lies in the nearest cache.
#pragma once

#include <cstddef>
#include <cstdint>

namespace mayfly::guest {

// From these sizes on `rep movsb` beats a loop of 16 or 32-byte moves, start-up included.
inline constexpr size_t kStringBytesMin = 512;
inline constexpr size_t kWideStringBytesMin = 4096;

// From this size on 32-byte moves pay for the choice of them.
inline constexpr size_t kWideBytesMin = 128;

template <typename T>
struct [[gnu::packed, gnu::may_alias]] Unaligned {
  T value;
};
using Vector = long long __attribute__((vector_size(16)));
using Wide = long long __attribute__((vector_size(32)));

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

// A function that is compiled for AVX2 may not pass a Wide to one that is not, so these loops hold
// their vectors themselves and are always inlined.
template <typename V>
[[gnu::always_inline]] inline const Unaligned<V>& at(const uint8_t* from) {
  // SAFETY: as load().
  return *reinterpret_cast<const Unaligned<V>*>(from);
}
template <typename V>
[[gnu::always_inline]] inline Unaligned<V>& at(uint8_t* to) {
  // SAFETY: as load().
  return *reinterpret_cast<Unaligned<V>*>(to);
}

// Four vectors, loaded before any is stored.
template <typename V>
[[gnu::always_inline]] inline void copy_block(uint8_t* to, const uint8_t* from) {
  constexpr size_t kBytes = sizeof(V);
  const V a = at<V>(from).value;
  const V b = at<V>(from + kBytes).value;
  const V c = at<V>(from + 2 * kBytes).value;
  const V d = at<V>(from + 3 * kBytes).value;
  at<V>(to).value = a;
  at<V>(to + kBytes).value = b;
  at<V>(to + 2 * kBytes).value = c;
  at<V>(to + 3 * kBytes).value = d;
}

// How far `to` is past a multiple of a vector. Stores that cross no line cost half.
template <typename V>
[[gnu::always_inline]] inline size_t misalignment(const uint8_t* to) {
  // SAFETY: the address is only looked at.
  return reinterpret_cast<uintptr_t>(to) & (sizeof(V) - 1);
}

// Precondition: to is not inside (from, from + size). At least two vectors. The ends are loaded
// before anything is stored, and stored last, so the loop starts at an aligned store.
template <typename V>
[[gnu::always_inline]] inline void copy_forward(uint8_t* to, const uint8_t* from, size_t size) {
  constexpr size_t kBytes = sizeof(V);
  const V first = at<V>(from).value;
  const V last = at<V>(from + size - kBytes).value;
  size_t i = kBytes - misalignment<V>(to);
  for (; i + 4 * kBytes <= size; i += 4 * kBytes) copy_block<V>(to + i, from + i);
  for (; i + kBytes <= size; i += kBytes) at<V>(to + i).value = at<V>(from + i).value;
  at<V>(to).value = first;
  at<V>(to + size - kBytes).value = last;
}

// Precondition: from is not inside (to, to + size). At least two vectors. As copy_forward().
template <typename V>
[[gnu::always_inline]] inline void copy_backward(uint8_t* to, const uint8_t* from, size_t size) {
  constexpr size_t kBytes = sizeof(V);
  const V first = at<V>(from).value;
  const V last = at<V>(from + size - kBytes).value;
  size_t i = size - misalignment<V>(to + size);
  for (; i >= 4 * kBytes; i -= 4 * kBytes)
    copy_block<V>(to + i - 4 * kBytes, from + i - 4 * kBytes);
  for (; i >= kBytes; i -= kBytes) at<V>(to + i - kBytes).value = at<V>(from + i - kBytes).value;
  at<V>(to).value = first;
  at<V>(to + size - kBytes).value = last;
}

inline void copy_string(uint8_t* to, const uint8_t* from, size_t size) {
  // SAFETY: writes [to, to + size) and reads [from, from + size), which the caller owns; the
  // direction flag is clear by the ABI.
  asm volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(size) : : "memory");
}

// Ranges that overlap are copied as if through a buffer. `string_min`: see kStringBytesMin.
template <typename V>
[[gnu::always_inline]] inline void move_vectors(uint8_t* to, const uint8_t* from, size_t size,
                                                size_t string_min) {
  const uint64_t distance = static_cast<uint64_t>(to - from);
  if (distance < size) return copy_backward<V>(to, from, size);
  // The string instruction is slow where the ranges overlap or nearly so.
  const bool near = static_cast<uint64_t>(from - to) < size;
  if (size >= string_min && !near) return copy_string(to, from, size);
  copy_forward<V>(to, from, size);
}

// Only where the processor has AVX2. At least 64 bytes.
[[gnu::target("avx2"), gnu::noinline]] inline void move_wide(uint8_t* to, const uint8_t* from,
                                                             size_t size) {
  move_vectors<Wide>(to, from, size, kWideStringBytesMin);
}

inline void move_bytes(uint8_t* to, const uint8_t* from, size_t size, bool has_avx2) {
  if (size <= 32) return copy_small(to, from, size);
  if (has_avx2 && size >= kWideBytesMin) return move_wide(to, from, size);
  move_vectors<Vector>(to, from, size, kStringBytesMin);
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

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Every function that imports are bound to is there, with the signature that the binder checks.
#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "guest/wasi/functions.h"

namespace mayfly {
namespace {

template <typename T>
constexpr char letter() {
  return sizeof(T) == 8 ? 'I' : 'i';
}

template <typename... Arguments>
std::string signature(uint32_t (*)(MemoryInfo*, Arguments...)) {
  return std::string{letter<Arguments>()...} + ":i";
}
template <typename... Arguments>
std::string signature(void (*)(MemoryInfo*, Arguments...)) {
  return std::string{letter<Arguments>()...} + ":";
}

TEST(Functions, HaveTheSignaturesOfTheirRows) {
#define MAYFLY_WASI_FUNCTION(module, name, text, symbol) \
  EXPECT_EQ(signature(&symbol), text) << #module "." #name;
#include "guest_abi/wasi_functions.inc"
#undef MAYFLY_WASI_FUNCTION
}

TEST(Functions, AreAllOfPreview1) {
  int preview1_count = 0;
  int unstable_count = 0;
#define MAYFLY_WASI_FUNCTION(module, name, text, symbol) \
  (std::string_view(#module) == "wasi_unstable" ? unstable_count : preview1_count) += 1;
#include "guest_abi/wasi_functions.inc"
#undef MAYFLY_WASI_FUNCTION
  EXPECT_EQ(preview1_count, 46);
  EXPECT_EQ(unstable_count, 45);
}

}  // namespace
}  // namespace mayfly

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Names to symbols and types: what adapters are bound to.
#include "linker/guest_functions.h"

#include <gtest/gtest.h>

namespace mayfly::linker {
namespace {

TEST(GuestFunctions, OfAdaptersAreFoundByNameWithTypeAndSymbol) {
  const ComponentFunction drop = component_function("handle_drop");
  EXPECT_EQ(drop.symbol, "mayfly_component_handle_drop");
  EXPECT_EQ(drop.type, (wasm::FuncType{{wasm::kI32, wasm::kI32, wasm::kI32}, {wasm::kI64}}));
}

TEST(GuestFunctions, OfWasiAreOneForAllVersionsOf02) {
  for (const char* version : {"0.2.0", "0.2.12"}) {
    const auto now = wasi2_function(std::string("wasi:clocks/monotonic-clock@") + version, "now");
    ASSERT_TRUE(now.has_value()) << version;
    EXPECT_EQ(now->symbol, "mayfly_wasi2_monotonic_now");
    EXPECT_EQ(now->type, (wasm::FuncType{{}, {wasm::kI64}}));
  }
}

TEST(GuestFunctions, OfWasiAreNotThoseOfOtherVersionsOrNames) {
  EXPECT_FALSE(wasi2_function("wasi:clocks/monotonic-clock@0.3.0", "now"));
  EXPECT_FALSE(wasi2_function("wasi:clocks/monotonic-clock@0.20.0", "now"));
  EXPECT_FALSE(wasi2_function("wasi:clocks/monotonic-clock", "now"));
  EXPECT_FALSE(wasi2_function("wasi:clocks/monotonic-clock@0.2.0", "then"));
  EXPECT_FALSE(wasi2_function("my:clocks/monotonic-clock@0.2.0", "now"));
}

}  // namespace
}  // namespace mayfly::linker

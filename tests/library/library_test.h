// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// LibraryTest: an engine on one driver, and modules from text.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "mayfly/mayfly.hh"
#include "wat.h"

namespace mayfly {

// Gone when it is closed.
inline auto temporary_file() {
  const auto close = [](std::FILE* file) { std::fclose(file); };
  return std::unique_ptr<std::FILE, decltype(close)>(std::tmpfile(), close);
}

// One engine per driver for all tests: opening one costs milliseconds.
inline Result<Engine>& engine_on(Driver driver) {
  static Result<Engine> kvm =
      Engine::create({.driver = Driver::kKvm, .optimize = Optimize::kFast, .use_cache = false});
  static Result<Engine> process =
      Engine::create({.driver = Driver::kProcess, .optimize = Optimize::kFast, .use_cache = false});
  return driver == Driver::kKvm ? kvm : process;
}

class LibraryTest : public testing::TestWithParam<Driver> {
 protected:
  void SetUp() override {
    if (!engine_on(GetParam())) GTEST_SKIP() << engine_on(GetParam()).error().message;
  }
  Engine& engine() { return *engine_on(GetParam()); }
  Program program(const std::string& text) {
    auto loaded = engine().load(wasm_of(text));
    EXPECT_TRUE(loaded) << loaded.error().message;
    return std::move(*loaded);
  }
  // Without imports.
  Sandbox sandbox(const std::string& text, const Policy& policy = Policy()) {
    return sandbox(Linker(engine()), text, policy);
  }
  Sandbox sandbox(const Linker& linker, const std::string& text, const Policy& policy = Policy()) {
    auto made = linker.instantiate(program(text), policy);
    EXPECT_TRUE(made) << made.error().message;
    return std::move(*made);
  }
  // Of what is not to link.
  Error link_error(const Linker& linker, const std::string& text) {
    auto prepared = linker.prepare(program(text));
    EXPECT_FALSE(prepared);
    return prepared ? Error() : prepared.error();
  }
};

#define MAYFLY_ON_EACH_DRIVER(fixture)                                   \
  INSTANTIATE_TEST_SUITE_P(                                              \
      Drivers, fixture, testing::Values(Driver::kKvm, Driver::kProcess), \
      [](const auto& driver) { return std::string(to_string(driver.param)); })

}  // namespace mayfly

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// An import that nothing provides says what was meant, or where its module comes from.
#include "runtime/import_advice.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mayfly::runtime {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr std::string_view kP1 = "wasi_snapshot_preview1";

TEST(ImportAdvice, NamesTheFunctionThatWasMeant) {
  EXPECT_THAT(import_advice(kP1, "fd_wirte"), HasSubstr("did you mean \"fd_write\"?"));
  EXPECT_THAT(import_advice(kP1, "path_opn"), HasSubstr("did you mean \"path_open\"?"));
  EXPECT_THAT(import_advice(kP1, "fork"),
              AllOf(HasSubstr("has no such function"), Not(HasSubstr("did you mean"))));
}

TEST(ImportAdvice, NamesTheVersionThatHasTheFunction) {
  EXPECT_THAT(import_advice("wasi_unstable", "sock_accept"),
              HasSubstr("but wasi_snapshot_preview1 has"));
}

TEST(ImportAdvice, NamesTheWasiThatWasMeant) {
  for (const char* module :
       {"wasi_snapshot_preview2", "wasi_snapshot_preview", "wasi_snapshot_preview0"}) {
    EXPECT_THAT(import_advice(module, "fd_write"),
                HasSubstr("did you mean \"wasi_snapshot_preview1\"?"));
  }
  EXPECT_THAT(import_advice("wasi_preview9000", "fd_write"),
              HasSubstr("known are wasi_snapshot_preview1"));
  EXPECT_THAT(import_advice("wasi_ephemeral_nn", "load"), HasSubstr("a proposal"));
}

TEST(ImportAdvice, SendsComponentsToTheirTarget) {
  EXPECT_THAT(import_advice("wasi:cli/environment@0.2.0", "get-arguments"),
              HasSubstr("only components import"));
}

TEST(ImportAdvice, KnowsThreads) {
  EXPECT_THAT(import_advice("wasi", "thread-spawn"), HasSubstr("-pthread"));
  EXPECT_THAT(import_advice("env", "memory"), HasSubstr("--import-memory"));
}

TEST(ImportAdvice, KnowsModulesThatWereBuiltForJavaScript) {
  EXPECT_THAT(import_advice("env", "emscripten_memcpy_js"), HasSubstr("-sSTANDALONE_WASM"));
  EXPECT_THAT(import_advice("a", "b"), HasSubstr("-sSTANDALONE_WASM"));
  EXPECT_THAT(import_advice("env", "abort"), HasSubstr("AssemblyScript"));
  EXPECT_THAT(import_advice("wbg", "__wbg_log"), HasSubstr("wasm-bindgen"));
  EXPECT_THAT(import_advice("gojs", "runtime.wasmExit"), HasSubstr("GOOS=wasip1"));
  EXPECT_THAT(import_advice("GOT.mem", "x"), HasSubstr("statically"));
}

TEST(ImportAdvice, SaysHowOthersCanBeProvided) {
  EXPECT_THAT(import_advice("env", "missing"), HasSubstr("--preload"));
  EXPECT_THAT(import_advice("host", "log"), AllOf(HasSubstr("\"host\""), HasSubstr("--preload")));
  EXPECT_THAT(import_advice("good", "log"), Not(HasSubstr("Go")));
}

TEST(ImportAdvice, IsOneLineWhateverTheNamesAre) {
  const std::string advice = import_advice("h\nst\x1b", std::string(100'000, 'x'));
  EXPECT_EQ(advice.find('\n'), std::string::npos);
  EXPECT_EQ(advice.find('\x1b'), std::string::npos);
  EXPECT_LT(import_advice(kP1, std::string(100'000, 'x')).size(), 200U);
}

}  // namespace
}  // namespace mayfly::runtime

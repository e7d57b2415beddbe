// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Every way in which the compiler's process can end, with programs that stand in for it.
#include "runtime/build.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

namespace mayfly::runtime {
namespace {

using testing::HasSubstr;

// A shell script in place of mayfly-compiler.
BuildEnvironment stand_in(const std::string& name, const std::string& script) {
  BuildEnvironment environment;
  environment.compiler = testing::TempDir() + "/mayfly_build_test_" + name;
  std::ofstream(environment.compiler) << "#!/bin/sh\n" << script << "\n";
  EXPECT_EQ(::chmod(environment.compiler.c_str(), 0755), 0);
  return environment;
}

Error error_of(const BuildEnvironment& environment) {
  auto built = build_image(image::BuildRequest(), environment);
  EXPECT_FALSE(built.has_value());
  return built ? Error() : built.error();
}

TEST(BuildImage, SaysThatTheCompilerIsNotThere) {
  BuildEnvironment environment;
  environment.compiler = "/nowhere/mayfly-compiler";
  const Error error = error_of(environment);
  EXPECT_EQ(error.kind, ErrorKind::kHost);
  EXPECT_THAT(error.message, HasSubstr("cannot start the compiler /nowhere/mayfly-compiler"));
}

TEST(BuildImage, SaysBySignalThatTheCompilerBroke) {
  const Error error = error_of(stand_in("signal", "echo CHECK failed: x >&2; kill -SEGV $$"));
  EXPECT_EQ(error.kind, ErrorKind::kHost);
  EXPECT_EQ(error.message, "the compiler ended with signal 11 (a bug in Mayfly): CHECK failed: x");
}

TEST(BuildImage, SaysByStatusThatThereIsNoReply) {
  EXPECT_THAT(error_of(stand_in("status", "exit 9")).message,
              HasSubstr("the compiler ended with status 9 and no reply"));
}

TEST(BuildImage, SaysWhatTheCompilerComplainedOfWhereItLeftNoReply) {
  EXPECT_THAT(error_of(stand_in("complaint", "echo out of luck >&2; exit 1")).message,
              HasSubstr("ended with status 1 and no reply: out of luck"));
}

TEST(BuildImage, NamesTheMemoryLimit) {
  BuildEnvironment environment = stand_in("memory", "exit 3");
  environment.memory_bytes_max = 12345;
  const Error error = error_of(environment);
  EXPECT_EQ(error.kind, ErrorKind::kLimit);
  EXPECT_THAT(error.message, HasSubstr("more than 12345 bytes"));
}

TEST(BuildImage, KillsACompilerThatTakesTooLong) {
  BuildEnvironment environment = stand_in("loop", "while :; do :; done");
  environment.time_max = std::chrono::milliseconds(50);
  const Error error = error_of(environment);
  EXPECT_EQ(error.kind, ErrorKind::kTimeout);
  EXPECT_THAT(error.message, HasSubstr("longer than 50 ms"));
}

TEST(BuildImage, RefusesAReplyThatIsNone) {
  EXPECT_THAT(error_of(stand_in("reply", "echo nonsense >&5; exit 0")).message,
              HasSubstr("build reply starts with another magic"));
}

TEST(BuildImage, CallsForProgressWhileItWaits) {
  BuildEnvironment environment = stand_in("progress", "sleep 1; exit 9");
  int calls = 0;
  environment.progress = [&calls](std::chrono::milliseconds) { ++calls; };
  error_of(environment);
  EXPECT_GE(calls, 1);
}

}  // namespace
}  // namespace mayfly::runtime

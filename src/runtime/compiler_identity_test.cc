// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Of programs, scripts and files that are neither.
#include "runtime/compiler_identity.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

namespace mayfly::runtime {
namespace {

TEST(ProgramIdentity, IsTheBuildIdOfAnElfProgram) {
  const auto self = program_identity("/proc/self/exe");
  ASSERT_TRUE(self.has_value());
  EXPECT_THAT(*self, testing::MatchesRegex("build [0-9a-f]+ [0-9]+"));
}

TEST(ProgramIdentity, OfAScriptChangesWithTheFile) {
  const std::string path = testing::TempDir() + "/mayfly_identity_test";
  std::ofstream(path) << "#!/bin/sh\n";
  const auto before = program_identity(path);
  std::ofstream(path, std::ios::app) << "exit 1\n";
  const auto after = program_identity(path);
  ASSERT_TRUE(before && after);
  EXPECT_NE(*before, *after);
}

TEST(ProgramIdentity, RefusesAFileThatIsNotThere) {
  EXPECT_FALSE(program_identity("/nowhere/compiler").has_value());
}

TEST(ProgramIdentity, TakesADamagedElfFileAsAFile) {
  const std::string path = testing::TempDir() + "/mayfly_identity_damaged";
  std::string header(
      "\x7f"
      "ELF",
      4);
  header.resize(64, '\xff');
  std::ofstream(path, std::ios::binary) << header;
  const auto identity = program_identity(path);
  ASSERT_TRUE(identity.has_value());
  EXPECT_THAT(*identity, testing::StartsWith("file "));
}

}  // namespace
}  // namespace mayfly::runtime

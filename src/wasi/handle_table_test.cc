// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a state shares of a program's handles, and what it cannot keep.
#include "wasi/handle_table.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

namespace mayfly::wasi {
namespace {

using testing::HasSubstr;

Handle handle_of(Fd fd) {
  auto handle = describe(std::move(fd), guest_abi::kWasiReadable);
  EXPECT_TRUE(handle.has_value());
  return *std::move(handle);
}

TEST(HandleTable, StatesShareNoPositionInADirectory) {
  HandleTable table(10);
  const uint32_t number = table.add(handle_of(Fd(::open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC))));
  const auto saved = table.save(0);
  ASSERT_TRUE(saved.has_value());
  HandleTable one(10);
  HandleTable two(10);
  ASSERT_TRUE(one.restore(*saved, 0).has_value());
  ASSERT_TRUE(two.restore(*saved, 0).has_value());
  ASSERT_EQ(::lseek(one.find(number)->fd.get(), 5, SEEK_SET), 5);
  EXPECT_EQ(::lseek(two.find(number)->fd.get(), 0, SEEK_CUR), 0);
  EXPECT_EQ(::lseek(table.find(number)->fd.get(), 0, SEEK_CUR), 0);
}

TEST(HandleTable, StatesKeepNoSocketsAndNoLookups) {
  for (const int type : {SOCK_STREAM, SOCK_DGRAM}) {
    HandleTable table(10);
    const uint32_t number = table.add(handle_of(Fd(::socket(AF_INET, type | SOCK_CLOEXEC, 0))));
    const auto saved = table.save(0);
    ASSERT_FALSE(saved.has_value());
    EXPECT_EQ(saved.error().kind, ErrorKind::kUnsupported);
    EXPECT_THAT(saved.error().message, HasSubstr("a socket or a lookup of a name is open"));
    table.remove(number);
    EXPECT_TRUE(table.save(0).has_value());
  }
  HandleTable table(10);
  Handle lookup = handle_of(Fd(::open("/dev/null", O_RDONLY | O_CLOEXEC)));
  lookup.is_lookup = true;
  table.add(std::move(lookup));
  EXPECT_FALSE(table.save(0).has_value());
}

// What the program was given at its start it has from its own configuration.
TEST(HandleTable, StatesDoNotKeepWhatEachProgramIsGiven) {
  HandleTable table(10);
  table.add(handle_of(Fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0))));
  EXPECT_TRUE(table.save(1).has_value());
}

TEST(HandleTable, StatesHaveBucketsByName) {
  HandleTable table(10);
  Handle bucket;
  bucket.is_bucket = true;
  bucket.bucket = "name";
  const uint32_t number = table.add(std::move(bucket));
  const auto saved = table.save(0);
  ASSERT_TRUE(saved.has_value());
  HandleTable other(10);
  ASSERT_TRUE(other.restore(*saved, 0).has_value());
  EXPECT_TRUE(other.find(number)->is_bucket);
  EXPECT_EQ(other.find(number)->bucket, "name");
}

}  // namespace
}  // namespace mayfly::wasi

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A directory in memory belongs to one sandbox, and to one life of it.
#include "library_test.h"

namespace mayfly {
namespace {

using testing::HasSubstr;

constexpr int32_t kNoSuchFile = 44;
constexpr int32_t kNoSpace = 51;

constexpr char kFiles[] = R"((module
  (import "wasi_snapshot_preview1" "path_open"
    (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_close" (func $close (param i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_allocate" (func $allocate (param i32 i64 i64) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 200) "name")
  (func $fd (result i32) (i32.load (i32.const 96)))
  (func $at (param $flags i32) (result i32)
    (call $open (i32.const 3) (i32.const 0) (i32.const 200) (i32.const 4) (local.get $flags)
      (i64.const 0x142) (i64.const 0) (i32.const 0) (i32.const 96)))
  (func (export "create") (result i32) (call $at (i32.const 1)))
  (func (export "find") (result i32) (call $at (i32.const 0)))
  (func (export "close") (result i32) (call $close (call $fd)))
  (func (export "take") (param $bytes i64) (result i32)
    (call $allocate (call $fd) (i64.const 0) (local.get $bytes)))))";

class TmpfsTest : public LibraryTest {
 protected:
  Sandbox guest(uint64_t bytes_max = 1 << 20) {
    return sandbox(Linker(engine()), kFiles, Policy().tmpfs("/tmp", bytes_max));
  }
};
MAYFLY_ON_EACH_DRIVER(TmpfsTest);

TEST_P(TmpfsTest, IsEmptyAgainAfterAReset) {
  Sandbox guest = this->guest();
  EXPECT_EQ(guest.call<int32_t>("find").value(), kNoSuchFile);
  EXPECT_EQ(guest.call<int32_t>("create").value(), 0);
  EXPECT_EQ(guest.call<int32_t>("find").value(), 0);
  ASSERT_TRUE(guest.reset());
  EXPECT_EQ(guest.call<int32_t>("find").value(), kNoSuchFile);
  EXPECT_EQ(guest.call<int32_t>("create").value(), 0);
}

TEST_P(TmpfsTest, IsOfOneSandbox) {
  Sandbox one = guest();
  Sandbox other = guest();
  ASSERT_EQ(one.call<int32_t>("create").value(), 0);
  EXPECT_EQ(other.call<int32_t>("find").value(), kNoSuchFile);
}

TEST_P(TmpfsTest, HasTheBytesThatItWasGiven) {
  Sandbox guest = this->guest(64 << 10);
  ASSERT_EQ(guest.call<int32_t>("create").value(), 0);
  EXPECT_EQ(guest.call<int32_t>("take", int64_t{64 << 10}).value(), 0);
  EXPECT_EQ(guest.call<int32_t>("take", int64_t{65 << 10}).value(), kNoSpace);
}

TEST_P(TmpfsTest, IsEmptyWhereAStateGoesOn) {
  Sandbox guest = this->guest();
  ASSERT_EQ(guest.call<int32_t>("create").value(), 0);
  ASSERT_EQ(guest.call<int32_t>("close").value(), 0);
  auto snapshot = guest.snapshot();
  ASSERT_TRUE(snapshot) << snapshot.error().message;
  EXPECT_EQ(guest.call<int32_t>("find").value(), 0);
  ASSERT_TRUE(guest.restore(*snapshot));
  EXPECT_EQ(guest.call<int32_t>("find").value(), kNoSuchFile);
  auto other = Linker(engine()).instantiate(*snapshot, Policy().tmpfs("/tmp"));
  ASSERT_TRUE(other) << other.error().message;
  EXPECT_EQ(other->call<int32_t>("find").value(), kNoSuchFile);
}

TEST_P(TmpfsTest, IsNotSavedWhileAFileInItIsOpen) {
  Sandbox guest = this->guest();
  ASSERT_EQ(guest.call<int32_t>("create").value(), 0);
  const auto snapshot = guest.snapshot();
  ASSERT_FALSE(snapshot);
  EXPECT_EQ(snapshot.error().kind, ErrorKind::kUnsupported);
  EXPECT_THAT(snapshot.error().message, HasSubstr("directory in memory is open"));
  ASSERT_EQ(guest.call<int32_t>("close").value(), 0);
  EXPECT_TRUE(guest.snapshot());
}

TEST_P(TmpfsTest, HasToHaveBytes) {
  const auto made = Linker(engine()).instantiate(program(kFiles), Policy().tmpfs("/tmp", 0));
  ASSERT_FALSE(made);
  EXPECT_THAT(made.error().message, HasSubstr("over 0"));
}

}  // namespace
}  // namespace mayfly

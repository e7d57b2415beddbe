// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Buffers that no guest library leaves: each is refused, and none is looked at twice.
#include "wasi/write_behind.h"

#include <gmock/gmock.h>

#include "wasi/program_test.h"

namespace mayfly::wasi {
namespace {

using guest_abi::BehindRecord;
using guest_abi::kBehindBufferBytes;
using ::testing::HasSubstr;

class Words final : public runtime::BehindAccess {
 public:
  guest_abi::WriteBehind& words() override { return words_; }
  void watch() override { ++watched; }
  uint32_t watched = 0;

 private:
  guest_abi::WriteBehind words_{};
};

class BehindTest : public ProgramTest {
 protected:
  void SetUp() override {
    ProgramTest::SetUp();
    words().buffer = VectorGuest::kBase;
  }
  guest_abi::WriteBehind& words() { return behind_.words(); }
  // Leaves a record where the last one ends, as a guest does.
  void leave(BehindRecord record, std::string_view text) {
    const uint64_t at = words().produced - words().base;
    std::memcpy(memory_.bytes().data() + at, &record, sizeof record);
    std::memcpy(memory_.bytes().data() + at + sizeof record, text.data(), text.size());
    words().produced += guest_abi::behind_record_bytes(text.size());
    words().payload_produced += text.size();
  }
  Result<void> settle() {
    runtime::PortContext context{memory_, std::nullopt, -1, nullptr, &behind_};
    return context_->settle(context);
  }
  std::string refusal() {
    const auto settled = settle();
    EXPECT_FALSE(settled.has_value());
    EXPECT_EQ(words().consumed, words().produced);
    EXPECT_TRUE(settle().has_value()) << "a refused buffer was looked at again";
    return settled ? "" : settled.error().message;
  }
  uint32_t handle_of_file(uint8_t access) {
    uint32_t handle = 0;
    EXPECT_EQ(open("file", {.access = access}, &handle), Errno::kSuccess);
    return handle;
  }
  uint32_t open_to_write() { return handle_of_file(guest_abi::kWasiWritable); }
  std::string content() const { return read_file(root() / "file"); }

  VectorGuest memory_{kBehindBufferBytes};
  Words behind_;
};
INSTANTIATE_TEST_SUITE_P(Methods, BehindTest, testing::Values(ResolveMethod::kWalk));

TEST_P(BehindTest, WritesARecord) {
  leave({open_to_write(), 3, 1}, "XYZ");
  EXPECT_TRUE(settle().has_value());
  EXPECT_EQ(content(), "cXYZent");
  EXPECT_EQ(words().consumed, words().produced);
}

TEST_P(BehindTest, RefusesAHandleThatIsNotOpen) {
  leave({77, 1, 0}, "X");
  EXPECT_THAT(refusal(), HasSubstr("handle 77"));
}

TEST_P(BehindTest, RefusesAHandleThatIsNoFile) {
  leave({kRoot, 1, 0}, "X");
  EXPECT_THAT(refusal(), HasSubstr("no file to write behind"));
}

TEST_P(BehindTest, RefusesAFileThatWasOpenedToRead) {
  leave({handle_of_file(guest_abi::kWasiReadable), 1, 0}, "X");
  EXPECT_THAT(refusal(), HasSubstr("no file to write behind"));
  EXPECT_EQ(content(), "content");
}

TEST_P(BehindTest, RefusesMoreThanTheBufferHolds) {
  words().produced = kBehindBufferBytes + 16;
  EXPECT_THAT(refusal(), HasSubstr("in a buffer of"));
}

TEST_P(BehindTest, RefusesABufferThatBeginsPastItsRecords) {
  leave({open_to_write(), 1, 0}, "X");
  words().base = words().produced + 16;
  EXPECT_THAT(refusal(), HasSubstr("in a buffer of"));
}

TEST_P(BehindTest, RefusesCountsThatFall) {
  leave({open_to_write(), 1, 0}, "X");
  ASSERT_TRUE(settle().has_value());
  words().produced -= 16;
  EXPECT_THAT(refusal(), HasSubstr("in a buffer of"));
}

TEST_P(BehindTest, RefusesABufferThatIsNotTheGuests) {
  leave({open_to_write(), 1, 0}, "X");
  words().buffer += 1;
  EXPECT_THAT(refusal(), HasSubstr("outside"));
}

TEST_P(BehindTest, RefusesARecordThatIsLongerThanWhatWasWritten) {
  leave({open_to_write(), 17, 0}, "X");
  EXPECT_THAT(refusal(), HasSubstr("of 17 bytes"));
}

TEST_P(BehindTest, RefusesAnEmptyRecordAndHalfAHeader) {
  leave({open_to_write(), 0, 0}, "X");
  EXPECT_THAT(refusal(), HasSubstr("of 0 bytes"));
  words().produced += 8;
  EXPECT_THAT(refusal(), HasSubstr("of 0 bytes"));
}

TEST_P(BehindTest, RefusesAPositionThatNoFileHas) {
  leave({open_to_write(), 1, uint64_t{INT64_MAX}}, "X");
  EXPECT_THAT(refusal(), HasSubstr("behind at"));
}

TEST_P(BehindTest, TakesWhatCameBeforeABadRecordOnlyOnce) {
  const uint32_t handle = open_to_write();
  leave({handle, 1, 0}, "X");
  leave({77, 1, 0}, "Y");
  EXPECT_FALSE(settle().has_value());
  EXPECT_EQ(content(), "Xontent");
}

TEST_P(BehindTest, StartsAnewWithARestoredState) {
  const auto saved = context_->save();
  ASSERT_TRUE(saved.has_value());
  leave({open_to_write(), 1, 0}, "X");
  ASSERT_TRUE(settle().has_value());
  words() = {};
  words().buffer = VectorGuest::kBase;
  ASSERT_TRUE(context_->restore(saved->get()).has_value());
  leave({open_to_write(), 1, 1}, "Y");
  EXPECT_TRUE(settle().has_value());
  EXPECT_EQ(content(), "XYntent");
}

}  // namespace
}  // namespace mayfly::wasi

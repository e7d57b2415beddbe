// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The byte encoding: worked bytes, and a reader that no input leads astray.
#include "base/byte_writer.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

namespace mayfly {
namespace {

using Bytes = std::vector<uint8_t>;

TEST(ByteWriter, WritesIntegersWithTheLowByteFirst) {
  ByteWriter writer;
  writer.u8(0x01);
  writer.u32(0x05040302);
  writer.u64(0x0d0c0b0a09080706);
  EXPECT_EQ(writer.bytes(), (Bytes{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13}));
}

TEST(ByteWriter, WritesTheSizeInFrontOfAString) {
  ByteWriter writer;
  writer.string("hi");
  EXPECT_EQ(writer.bytes(), (Bytes{2, 0, 0, 0, 'h', 'i'}));
}

TEST(ByteReader, ReadsBackWhatWasWritten) {
  ByteWriter writer;
  writer.u8(7);
  writer.u32(std::numeric_limits<uint32_t>::max());
  writer.u64(std::numeric_limits<uint64_t>::max() - 1);
  writer.string("name");
  writer.blob(Bytes{9, 8});
  ByteReader reader(writer.bytes());
  EXPECT_EQ(reader.u8(), 7);
  EXPECT_EQ(reader.u32(), std::numeric_limits<uint32_t>::max());
  EXPECT_EQ(reader.u64(), std::numeric_limits<uint64_t>::max() - 1);
  EXPECT_EQ(reader.string(), "name");
  EXPECT_EQ(reader.blob().back(), 8);
  EXPECT_TRUE(reader.finish("test"));
}

TEST(ByteReader, AnswersZeroAfterTheFirstFailure) {
  const Bytes bytes = {1, 2, 3};
  ByteReader reader(bytes);
  EXPECT_EQ(reader.u32(), 0u);
  EXPECT_FALSE(reader.ok());
  EXPECT_EQ(reader.u8(), 0);
  EXPECT_EQ(reader.remaining(), 0u);
  EXPECT_TRUE(reader.blob().empty());
  EXPECT_EQ(reader.string(), "");
}

TEST(ByteReader, RefusesABlobPastTheEnd) {
  const Bytes bytes = {0xff, 0xff, 0xff, 0xff, 1};
  ByteReader reader(bytes);
  EXPECT_TRUE(reader.blob().empty());
  EXPECT_FALSE(reader.ok());
}

TEST(ByteReader, RefusesACountOfMoreItemsThanBytesAreLeft) {
  const Bytes bytes = {2, 0, 0, 0, 1, 2, 3};
  ByteReader fits(bytes);
  EXPECT_EQ(fits.count(1), 2u);
  ByteReader wide(bytes);
  EXPECT_EQ(wide.count(2), 0u);
  EXPECT_FALSE(wide.ok());
}

TEST(ByteReader, RefusesACountWhoseSizeWraps) {
  const Bytes bytes = {0xff, 0xff, 0xff, 0xff};
  ByteReader reader(bytes);
  EXPECT_EQ(reader.count(std::numeric_limits<size_t>::max()), 0u);
  EXPECT_FALSE(reader.ok());
}

TEST(ByteReader, NamesThePositionOfDamage) {
  const Bytes bytes = {1, 0, 0, 0};
  ByteReader reader(bytes);
  reader.u32();
  reader.u8();
  EXPECT_EQ(reader.finish("plan").error().message, "plan is damaged at byte 4 of 4");
}

TEST(ByteReader, RefusesBytesPastTheEnd) {
  const Bytes bytes = {1, 2, 3};
  ByteReader reader(bytes);
  reader.u8();
  EXPECT_EQ(reader.finish("plan").error().message, "plan has 2 bytes past its end");
}

}  // namespace
}  // namespace mayfly

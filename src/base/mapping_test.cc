// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Mapping: a range of the address space with one owner, the access asked for, and no leftovers.
#include "base/mapping.h"

#include <gtest/gtest.h>
#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <utility>

#include "base/fd.h"

namespace mayfly {
namespace {

constexpr uint64_t kPageBytes = 4096;
constexpr uint64_t kLargePageBytes = uint64_t{2} << 20;

bool is_mapped(const void* page) {
  return ::msync(const_cast<void*>(page), kPageBytes, MS_ASYNC) == 0;
}

TEST(Mapping, IsZerosAndWritable) {
  const Result<Mapping> mapping = Mapping::anonymous(3 * kPageBytes);
  ASSERT_TRUE(mapping);
  EXPECT_EQ(mapping->size(), 3 * kPageBytes);
  EXPECT_TRUE(std::ranges::all_of(mapping->bytes(), [](uint8_t byte) { return byte == 0; }));
  mapping->data()[kPageBytes] = 1;
}

TEST(Mapping, UnmapsAtItsEnd) {
  const uint8_t* data = nullptr;
  {
    const Result<Mapping> mapping = Mapping::anonymous(kPageBytes);
    data = mapping->data();
    EXPECT_TRUE(is_mapped(data));
  }
  EXPECT_FALSE(is_mapped(data));
  EXPECT_EQ(errno, ENOMEM);
}

TEST(Mapping, MovesItsOwnershipAndUnmapsTheOldRange) {
  Mapping first = *Mapping::anonymous(kPageBytes);
  Mapping second = *Mapping::anonymous(2 * kPageBytes);
  const uint8_t* const first_data = first.data();
  const uint8_t* const second_data = second.data();
  first = std::move(second);
  EXPECT_EQ(first.data(), second_data);
  EXPECT_EQ(first.size(), 2 * kPageBytes);
  EXPECT_EQ(second.data(), nullptr);  // NOLINT(bugprone-use-after-move): it is empty then
  EXPECT_FALSE(is_mapped(first_data));
}

TEST(Mapping, AlignsAndGivesBackTheRest) {
  const Result<Mapping> mapping = Mapping::anonymous_aligned(kPageBytes, kLargePageBytes);
  ASSERT_TRUE(mapping);
  EXPECT_EQ(mapping->size(), kPageBytes);
  // SAFETY: only the number of the address is looked at.
  EXPECT_EQ(reinterpret_cast<uintptr_t>(mapping->data()) % kLargePageBytes, 0u);
  EXPECT_TRUE(is_mapped(mapping->data()));
}

TEST(Mapping, SharesAFileOnlyWhenAsked) {
  const Fd file = *create_memfd("mapping_test", kPageBytes);
  const Mapping shared = *Mapping::file(file.get(), 0, kPageBytes, Mapping::Access::kReadWrite,
                                        Mapping::Sharing::kShared);
  const Mapping copy = *Mapping::file(file.get(), 0, kPageBytes, Mapping::Access::kReadWrite,
                                      Mapping::Sharing::kPrivate);
  copy.data()[0] = 1;
  EXPECT_EQ(shared.data()[0], 0);
  shared.data()[1] = 2;
  const Mapping again =
      *Mapping::file(file.get(), 0, kPageBytes, Mapping::Access::kRead, Mapping::Sharing::kPrivate);
  EXPECT_EQ(again.data()[0], 0);
  EXPECT_EQ(again.data()[1], 2);
}

TEST(Mapping, NamesTheSizeThatTheKernelRefuses) {
  const Result<Mapping> mapping = Mapping::anonymous(uint64_t{1} << 62);
  ASSERT_FALSE(mapping);
  EXPECT_EQ(mapping.error().errno_value, ENOMEM);
  EXPECT_NE(mapping.error().message.find("4611686018427387904 bytes"), std::string::npos);
}

TEST(MappingDeathTest, CannotBeWrittenWhenOnlyRead) {
  const Mapping mapping = *Mapping::anonymous(kPageBytes, Mapping::Access::kRead);
  EXPECT_DEATH(mapping.data()[0] = 1, "");
}

}  // namespace
}  // namespace mayfly

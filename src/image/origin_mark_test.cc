// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A mark holds for one key and one file, and changes nothing of the image.
#include "image/origin_mark.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "base/fd.h"
#include "image/image.h"
#include "image/image_test_file.h"

namespace mayfly::image {
namespace {

using testing::HasSubstr;

std::vector<uint8_t> marked(const SecretKey& key) {
  std::vector<uint8_t> file = ImageTestFile().bytes();
  const auto mark = make_origin_mark(key, file);
  file.insert(file.end(), mark.begin(), mark.end());
  return file;
}

std::string refusal(const SecretKey& key, std::span<const uint8_t> file) {
  const auto checked = check_origin_mark(key, file);
  return checked ? "" : checked.error().message;
}

TEST(OriginMark, HoldsForTheKeyThatMadeIt) {
  const SecretKey key = SecretKey::random();
  EXPECT_EQ(refusal(key, marked(key)), "");
  EXPECT_THAT(refusal(SecretKey::random(), marked(key)), HasSubstr("another installation's"));
}

TEST(OriginMark, CoversEveryByteOfTheFile) {
  const SecretKey key = SecretKey::random();
  std::vector<uint8_t> file = marked(key);
  for (size_t i = 0; i < file.size(); ++i) {
    file[i] ^= 1;
    EXPECT_NE(refusal(key, file), "") << i;
    file[i] ^= 1;
  }
  EXPECT_EQ(refusal(key, file), "");
}

TEST(OriginMark, IsMissingInATruncatedOrProlongedFile) {
  const SecretKey key = SecretKey::random();
  std::vector<uint8_t> file = marked(key);
  file.push_back(0);
  EXPECT_EQ(refusal(key, file), "it has no mark of origin");
  for (size_t size = 0; size < file.size() - 1; ++size) {
    EXPECT_EQ(refusal(key, std::span(file).first(size)), "it has no mark of origin") << size;
  }
}

TEST(OriginMark, DoesNotMoveToAnotherFile) {
  const SecretKey key = SecretKey::random();
  const std::vector<uint8_t> file = marked(key);
  ImageTestFile other;
  other.names = "niam";
  std::vector<uint8_t> forged = other.bytes();
  forged.insert(forged.end(), file.end() - kOriginMarkBytes, file.end());
  EXPECT_THAT(refusal(key, forged), HasSubstr("the file was changed"));
  // A marked file inside of another: the mark is of what lies before it, all of it.
  std::vector<uint8_t> longer = other.bytes();
  longer.insert(longer.end(), file.begin(), file.end());
  EXPECT_THAT(refusal(key, longer), HasSubstr("the file was changed"));
}

TEST(OriginMark, NamesAVersionThatItDoesNotKnow) {
  const SecretKey key = SecretKey::random();
  std::vector<uint8_t> file = marked(key);
  file[file.size() - kOriginMarkBytes + 8] = 2;
  EXPECT_EQ(refusal(key, file),
            "its mark of origin is of version 2, this Mayfly's are of version 1");
}

TEST(OriginMark, LeavesTheImageReadable) {
  const std::vector<uint8_t> file = marked(SecretKey::random());
  auto fd = create_memfd("image", 0);
  ASSERT_TRUE(write_whole(fd->get(), file));
  const auto image = Image::open(*std::move(fd));
  ASSERT_TRUE(image) << image.error().message;
  EXPECT_TRUE(std::ranges::equal((*image)->file_bytes(), file));
}

}  // namespace
}  // namespace mayfly::image

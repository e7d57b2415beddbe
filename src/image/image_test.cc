// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Image::open against a valid image and against what is wrong with one thing in it.
#include "image/image.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "image/image_test_file.h"

namespace mayfly::image {
namespace {

using testing::HasSubstr;

Fd file_with(const std::vector<uint8_t>& bytes) {
  auto file = create_memfd("test", 0);
  EXPECT_TRUE(file.has_value());
  EXPECT_TRUE(write_whole(file->get(), bytes).has_value());
  return *std::move(file);
}

std::string error_of(const std::vector<uint8_t>& bytes) {
  auto image = Image::open(file_with(bytes));
  return image ? "no error" : image.error().message;
}
std::string error_of(const ImageTestFile& file) { return error_of(file.bytes()); }

TEST(Image, OpensAValidImageAndAnswersForItsText) {
  auto opened = Image::open(file_with(ImageTestFile().bytes()));
  ASSERT_TRUE(opened.has_value()) << opened.error().message;
  const Image& image = **opened;
  ASSERT_EQ(image.regions().size(), 3u);
  EXPECT_EQ(image.regions()[0].kind, RegionKind::kMemory);
  EXPECT_EQ(image.regions()[1].kind, RegionKind::kText);
  EXPECT_EQ(image.regions()[2].kind, RegionKind::kData);
  EXPECT_EQ(image.text_byte(ImageTestFile::kText + 0x33), 0x33);
  EXPECT_EQ(image.text_byte(ImageTestFile::kText + ImageTestFile::kPartBytes), std::nullopt);
  EXPECT_EQ(image.text_byte(ImageTestFile::kText - 1), std::nullopt);
}

TEST(Image, FindsFunctionAndOffsetOfAnAddress) {
  auto image = Image::open(file_with(ImageTestFile().bytes()));
  ASSERT_TRUE(image.has_value());
  const auto at = [&image](uint64_t offset) {
    return (*image)->find_location(ImageTestFile::kText + offset);
  };
  ASSERT_TRUE(at(0x1F).has_value());
  EXPECT_EQ(at(0x1F)->function, "main");
  EXPECT_EQ(at(0x1F)->offset, 0x55u);
  EXPECT_EQ(at(0x20)->offset, std::nullopt);
  EXPECT_EQ(at(0x3F)->offset, 0x60u);
  EXPECT_FALSE(at(0x0F).has_value());
  EXPECT_FALSE(at(0x40).has_value());
}

TEST(Image, FindsTheCallThatACopyReplaces) {
  auto image = Image::open(file_with(ImageTestFile().bytes()));
  ASSERT_TRUE(image.has_value());
  const auto copied = (*image)->find_location(ImageTestFile::kText + 0x3F);
  ASSERT_TRUE(copied.has_value() && copied->inlined_into.has_value());
  EXPECT_EQ(copied->function, "ai");
  EXPECT_EQ(copied->offset, 0x60u);
  EXPECT_EQ(copied->inlined_into->function, "main");
  EXPECT_EQ(copied->inlined_into->offset, 0x44u);
  const auto own = (*image)->find_location(ImageTestFile::kText + 0x1F);
  ASSERT_TRUE(own.has_value());
  EXPECT_FALSE(own->inlined_into.has_value());
}

TEST(Image, FindsTheUnwindRowOfAnAddress) {
  auto image = Image::open(file_with(ImageTestFile().bytes()));
  ASSERT_TRUE(image.has_value());
  const auto first = (*image)->find_unwind(ImageTestFile::kText + 0x10);
  ASSERT_TRUE(first.has_value());
  EXPECT_FALSE(first->from_rbp);
  EXPECT_EQ(first->cfa_offset, 8);
  EXPECT_EQ(first->rbp_offset, std::nullopt);
  const auto second = (*image)->find_unwind(ImageTestFile::kText + 0x3F);
  ASSERT_TRUE(second.has_value());
  EXPECT_TRUE(second->from_rbp);
  EXPECT_EQ(second->cfa_offset, 16);
  EXPECT_EQ(second->rbp_offset, -16);
  EXPECT_FALSE((*image)->find_unwind(ImageTestFile::kText + 0x40).has_value());
}

TEST(Image, ReadsANameOutsideTheNamesAsEmpty) {
  ImageTestFile file;
  file.functions[0].name_bytes = UINT32_MAX;
  auto image = Image::open(file_with(file.bytes()));
  ASSERT_TRUE(image.has_value());
  EXPECT_EQ((*image)->find_location(ImageTestFile::kText + 0x10)->function, "");
}

TEST(Image, RefusesEveryTruncation) {
  const std::vector<uint8_t> whole = ImageTestFile().bytes();
  for (size_t size = 0; size < whole.size(); size += 7) {
    const std::vector<uint8_t> part(whole.begin(), whole.begin() + static_cast<ptrdiff_t>(size));
    EXPECT_NE(error_of(part), "no error") << size;
  }
}

TEST(Image, SurvivesEveryChangedByteOfItsHeadersAndMetadata) {
  const std::vector<uint8_t> whole = ImageTestFile().bytes();
  for (size_t at = 0; at < whole.size(); ++at) {
    if (at >= 256 && at < ImageTestFile::kDataOffset + ImageTestFile::kPartBytes) continue;
    std::vector<uint8_t> changed = whole;
    changed[at] ^= 0xFF;
    auto image = Image::open(file_with(changed));
    if (!image) continue;
    for (uint64_t offset = 0; offset < ImageTestFile::kPartBytes; offset += 5) {
      (*image)->find_location(ImageTestFile::kText + offset);
      (*image)->find_unwind(ImageTestFile::kText + offset);
    }
  }
}

TEST(Image, RefusesASegmentThatIsWritableAndExecutable) {
  ImageTestFile file;
  file.segments[1].p_flags |= PF_X;
  EXPECT_THAT(error_of(file), HasSubstr("is writable and executable"));
}

TEST(Image, RefusesASegmentOutsideTheImageRange) {
  ImageTestFile file;
  file.segments[0].p_vaddr = 0x20'0000;
  EXPECT_THAT(error_of(file), HasSubstr("segment at [0x200000, +0x100) lies outside"));
}

TEST(Image, RefusesASegmentWhoseEndWraps) {
  ImageTestFile file;
  file.segments[1].p_memsz = UINT64_MAX - 0x1000;
  EXPECT_THAT(error_of(file), HasSubstr("lies outside"));
}

TEST(Image, RefusesASegmentInsideAPage) {
  ImageTestFile file;
  file.segments[1].p_vaddr += 8;
  EXPECT_THAT(error_of(file), HasSubstr("is not at a multiple of 4096"));
}

TEST(Image, RefusesSegmentsInOnePage) {
  ImageTestFile file;
  file.segments[1].p_vaddr = ImageTestFile::kText;
  EXPECT_THAT(error_of(file), HasSubstr("is not past the one at"));
}

TEST(Image, RefusesReadOnlyBytesThatAreNotInTheFile) {
  ImageTestFile file;
  file.segments[0].p_memsz += 1;
  EXPECT_THAT(error_of(file), HasSubstr("is not writable, and only 0x100 bytes are in the file"));
}

TEST(Image, RefusesASegmentPastTheFile) {
  ImageTestFile file;
  file.segments[1].p_offset = uint64_t{1} << 40;
  EXPECT_THAT(error_of(file), HasSubstr("segment 1 is 256 bytes at file offset 1099511627776"));
}

TEST(Image, RefusesCodeOutsideTheText) {
  ImageTestFile file;
  file.metadata.instances[0].exports[0].func.code = ImageTestFile::kData;
  EXPECT_THAT(error_of(file),
              HasSubstr("instance 0 'main': export 'f': code at 0x401000 is outside the text"));
}

TEST(Image, RefusesAMemoryInfoOutsideTheData) {
  ImageTestFile file;
  file.metadata.instances[0].exports[1].memory.info = ImageTestFile::kData + 0xF0;
  EXPECT_THAT(error_of(file), HasSubstr("MemoryInfo at [0x4010f0, +0x20)"));
}

TEST(Image, RefusesAMemoryOfNoWindow) {
  ImageTestFile file;
  file.metadata.instances[0].exports[1].memory.region = 1;
  EXPECT_THAT(error_of(file), HasSubstr("memory is region 1"));
}

TEST(Image, RefusesAV128GlobalThatEndsPastTheData) {
  ImageTestFile file;
  file.metadata.instances[0].exports[2].global.address = ImageTestFile::kData + 0xF8;
  EXPECT_THAT(error_of(file), HasSubstr("global at [0x4010f8, +0x10)"));
}

TEST(Image, RefusesADependencyOnALaterStep) {
  ImageTestFile file;
  file.metadata.instances[0].depends_on.push_back(0);
  EXPECT_THAT(error_of(file), HasSubstr("it depends on step 0"));
}

TEST(Image, RefusesAWindowOutsideTheAddressMap) {
  ImageTestFile file;
  file.metadata.windows[0].address = 0x20'0000;
  EXPECT_THAT(error_of(file), HasSubstr("lies outside the windows of the address map"));
}

TEST(Image, RefusesATableInTheLowWindow) {
  ImageTestFile file;
  file.metadata.windows[0].kind = RegionKind::kTable;
  EXPECT_THAT(error_of(file), HasSubstr("lies outside the windows of the address map"));
}

TEST(Image, RefusesAWindowThatAnotherMemoryReaches) {
  ImageTestFile file;
  Region high = file.metadata.windows[0];
  high.address = 0x10'0000'0000;
  file.metadata.windows.push_back(high);
  high.address += 0x20'0000;
  file.metadata.windows.push_back(high);
  EXPECT_THAT(error_of(file), HasSubstr("is within 0x200200000 bytes of the one before it"));
}

TEST(Image, RefusesAMemoryLargerThanItsReservation) {
  ImageTestFile file;
  file.metadata.windows[0].bytes = 0x3'0000;
  EXPECT_THAT(error_of(file), HasSubstr("starts with 0x30000 bytes"));
}

TEST(Image, RefusesATypeThatNamesATypeOfItsModule) {
  ImageTestFile file;
  file.metadata.host_functions[0].type.params = {
      wasm::ValType::of(wasm::RefType{true, {wasm::HeapKind::kConcrete, 3}})};
  EXPECT_THAT(error_of(file), HasSubstr("host function 'env.log': a function type names"));
}

TEST(Image, RefusesAnotherVersion) {
  ImageTestFile file;
  std::vector<uint8_t> metadata = encode(file.metadata);
  metadata[4] = 99;
  const auto decoded = decode_image_metadata(metadata);
  ASSERT_FALSE(decoded.has_value());
  EXPECT_EQ(decoded.error().kind, ErrorKind::kUnsupported);
  EXPECT_THAT(decoded.error().message, HasSubstr("version 99, this build reads version 3"));
}

TEST(Image, RefusesACpuThatLacksAFeature) {
  ImageTestFile file;
  file.metadata.cpu_features = {"no_such_feature"};
  auto image = Image::open(file_with(file.bytes()));
  ASSERT_TRUE(image.has_value());
  const auto checked = (*image)->check_cpu();
  ASSERT_FALSE(checked.has_value());
  EXPECT_THAT(checked.error().message, HasSubstr("'no_such_feature'"));
}

TEST(Image, UsesACopyOfAFileThatOthersMayWrite) {
  const Fd file = file_with(ImageTestFile().bytes());
  ASSERT_EQ(::fchmod(file.get(), 0666), 0);
  auto image = Image::open(*file.duplicate());
  ASSERT_TRUE(image.has_value());
  const uint8_t changed = 0xCC;
  ASSERT_EQ(::pwrite(file.get(), &changed, 1, ImageTestFile::kTextOffset + 1), 1);
  EXPECT_EQ((*image)->text_byte(ImageTestFile::kText + 1), 1);
}

}  // namespace
}  // namespace mayfly::image

// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Image::open. The file is mapped once and touched only where its headers and its metadata are;
// the metadata is copied before it is decoded.
#include <sys/stat.h>

#include "image/elf_view.h"
#include "image/image.h"
#include "image/image_check.h"
#include "image/image_metadata.h"
#include "image/stable_file.h"

namespace mayfly::image {
namespace {

constexpr uint64_t kFileBytesMax = uint64_t{4} << 30;
constexpr uint64_t kMetadataBytesMax = uint64_t{256} << 20;

}  // namespace

class ImageReader {
 public:
  static Result<std::unique_ptr<Image>> read(Fd file) {
    auto image = std::make_unique<Image>(Image::Key());
    MAYFLY_TRY(map(*image, std::move(file)));
    const ElfView view = MAYFLY_TRY(view_elf(image->bytes_.bytes()));
    const std::vector<Region> loaded = MAYFLY_TRY(check_segments(view.segments));
    ImageMetadata metadata = MAYFLY_TRY(read_metadata(view));
    MAYFLY_TRY(check_metadata(metadata, loaded));
    find_tables(*image, view, loaded);
    image->regions_ = std::move(metadata.windows);
    image->regions_.insert(image->regions_.end(), loaded.begin(), loaded.end());
    image->instances_ = std::move(metadata.instances);
    image->host_functions_ = std::move(metadata.host_functions);
    image->imports_ = std::move(metadata.imports);
    image->module_names_ = std::move(metadata.module_names);
    image->counts_fuel_ = metadata.counts_fuel;
    image->cpu_features_ = std::move(metadata.cpu_features);
    return image;
  }

 private:
  static Result<void> map(Image& image, Fd file) {
    struct stat status{};
    if (::fstat(file.get(), &status) != 0) return host_error("fstat");
    if (!S_ISREG(status.st_mode)) return invalid("an image is a regular file");
    const auto size = static_cast<uint64_t>(status.st_size);
    if (size == 0 || size > kFileBytesMax) {
      return invalid("an image is 1 to " + std::to_string(kFileBytesMax) + " bytes large, not " +
                     std::to_string(size));
    }
    if (who_changes(file.get(), status) == WhoChanges::kOthers) {
      file = MAYFLY_TRY(sealed_copy("mayfly-image", file.get(), 0, size));
    }
    image.bytes_ = MAYFLY_TRY(
        Mapping::file(file.get(), 0, size, Mapping::Access::kRead, Mapping::Sharing::kPrivate));
    image.file_ = std::move(file);
    return {};
  }

  static Result<ImageMetadata> read_metadata(const ElfView& view) {
    const ElfSection* section = view.find(".mayfly.image");
    if (section == nullptr) return invalid("ELF file has no section .mayfly.image");
    if (section->bytes.size() > kMetadataBytesMax) {
      return invalid("section .mayfly.image has " + std::to_string(section->bytes.size()) +
                     " bytes, the limit is " + std::to_string(kMetadataBytesMax));
    }
    const std::vector<uint8_t> copy(section->bytes.begin(), section->bytes.end());
    return decode_image_metadata(copy);
  }

  // Absent tables are empty: addresses then have no names.
  static void find_tables(Image& image, const ElfView& view, const std::vector<Region>& loaded) {
    const auto table = [&view](std::string_view name) {
      const ElfSection* section = view.find(name);
      return section == nullptr ? std::span<const uint8_t>() : section->bytes;
    };
    image.functions_ = table(".mayfly.functions");
    image.locations_ = table(".mayfly.locations");
    image.inlined_ = table(".mayfly.inlined");
    image.unwind_ = table(".mayfly.unwind");
    image.names_ = table(".mayfly.names");
    for (const Region& region : loaded) {
      if (region.kind != RegionKind::kText) continue;
      image.text_ = image.bytes_.bytes().subspan(region.file_offset, region.file_bytes);
    }
  }
};

Result<std::unique_ptr<Image>> Image::open(Fd file) { return ImageReader::read(std::move(file)); }

}  // namespace mayfly::image
